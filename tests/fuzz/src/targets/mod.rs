//! The targets, one file each.

pub mod bulk;
pub mod client;
pub mod configuration;
pub mod headers;
pub mod identity;
pub mod intent;
pub mod lists;
pub mod objects;
pub mod records;
pub mod rejection;
pub mod schedule;
pub mod service_key;
pub mod token;

/// A word that stands where secrets stand in the corpora. Where it comes out again, a secret would.
pub(crate) const MARKER: &str = "swordfish";

/// An error in every way that it can be shown, with its causes.
pub(crate) fn shown(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let causes: Vec<_> = causes.map(|cause| format!("{cause} {cause:?}")).collect();
    format!("{error} {error:?} {}", causes.join(" "))
}
