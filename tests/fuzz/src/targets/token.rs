//! An answer of the token endpoint.

use std::time::Duration;

use aicore_operator::aicore::fuzzing;

use super::MARKER;
use crate::bounds::in_proportion;

/// The longest lifetime that is believed.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub fn run(input: &[u8]) {
    let Some(token) = in_proportion(input.len(), || fuzzing::token(input)) else {
        return;
    };
    assert!(token.lifetime <= LONGEST, "{:?}", token.lifetime);
    let length = token.access_token.len();
    let zone = in_proportion(length, || fuzzing::zone(&token.access_token));
    assert!(zone.is_none_or(|zone| zone.len() <= length));
    let shown = token.debug.unwrap_or_default();
    assert!(!shown.contains(MARKER), "{shown}");
}
