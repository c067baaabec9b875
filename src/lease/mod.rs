//! Which of several processes works: the one that holds a Lease of the Kubernetes API (`coordination.k8s.io/v1`).
//!
//! - `leadership`: whether this process leads, and until when it may write;
//! - `clock`: the time, by every clock of the machine;
//! - `gate`: the way to the Kubernetes API on which nothing is written without leading;
//! - `election`: taking the Lease, renewing it and letting it go;
//! - `record`: what the Lease says, and `standing`: whether somebody else's has run out;
//! - `gaps`: the times that the cluster's store knows nothing of.
//!
//! It fails closed. A write is allowed until a while before the Lease runs out, counted from before its last renewal was asked for, by the clock
//! of the machine that says that most time has passed. Whoever stands by counts from after it has seen that renewal, by a clock that nobody sets
//! and that may stand still, so it begins only when the former leader has ended, and the clocks of two machines are never compared. The Lease is
//! written with the `resourceVersion` that was read: of two that take it, one is refused.
//!
//! Each renewal also proves that the cluster's store is still the one that was written to. If the Lease is older than what this process wrote
//! last, the store was set back, and nothing that was remembered counts any more.

mod clock;
mod election;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gaps;
mod gate;
mod leadership;
mod record;
mod standing;

use std::time::Duration;

pub use election::{Election, Lost};
pub use gate::gated;
pub use leadership::{Leadership, Permit, Refusal, is_refusal};

/// How the Lease is held.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    /// The name of the Lease, in the operator's own namespace. Operators with the same Lease stand by for each other.
    pub name: String,
    /// How long the Lease lasts without a renewal, which is how long it takes to replace a leader that has crashed. It is renewed five times
    /// as often.
    pub duration: Duration,
}

impl Default for LeaseOptions {
    /// `aicore-operator`, for 15 seconds.
    fn default() -> Self {
        Self {
            name: "aicore-operator".to_owned(),
            duration: Duration::from_secs(15),
        }
    }
}
