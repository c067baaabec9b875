//! What the fuzz targets reach of the readers of times and states.

use jiff::Timestamp;

use super::observe::{remote, signs};
use crate::aicore::{Status, TargetStatus, time_to_live};
use crate::lifecycle::situation::{State, Target};

/// A ttl in seconds.
pub fn seconds(ttl: &str) -> Option<i64> {
    time_to_live::seconds(ttl)
}

/// Whether two ttls may be the same.
pub fn may_be_equal(one: Option<&str>, other: Option<&str>) -> bool {
    time_to_live::may_be_equal(one, other)
}

/// When a deployment ends that was created at this time.
pub fn expiry(created_at: &str, ttl: &str) -> Option<Timestamp> {
    time_to_live::expiry(created_at, ttl)
}

/// The time that a text of AI Core's tells.
pub fn time(text: &str) -> Option<Timestamp> {
    signs::time(Some(&text.to_owned()))
}

/// What the rules are told of a status.
pub fn state_of(status: &Status) -> State {
    remote::state_of(status)
}

/// What the rules are told of a target status.
pub fn target_of(target: Option<&TargetStatus>) -> Target {
    remote::target_of(target, None)
}
