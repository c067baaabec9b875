//! What counts as proof: that a deployment is gone, and what became of a call whose answer was lost.
//!
//! Whoever asks AI Core measures and compares; what follows from it is said here, so that the rules can be explored without a clock.

use std::time::Duration;

use super::intent::Outcome;
use super::situation::{Ending, Proof, Resolution};

/// How much time calls whose outcome is not known had to have their effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Settling {
    /// One of them may still have its effect, or have had it without any list showing it.
    Going,
    /// That time is over for all of them, but the list at hand was requested before.
    Unseen,
    /// The list at hand was requested after that time was over for all of them.
    Over,
}

impl Settling {
    /// How far calls have settled of which the youngest has been known for `known_for`, where all of them need `settle`, and the list at hand was
    /// requested `age` ago.
    pub fn of(known_for: Duration, settle: Duration, age: Duration) -> Self {
        match known_for.checked_sub(settle) {
            None => Self::Going,
            Some(over) if age > over => Self::Unseen,
            Some(_) => Self::Over,
        }
    }
}

/// The open create calls that one call's result could be mistaken for another's of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rivalry {
    /// Whether there is any other open call for the same configuration and ttl.
    pub rivals: bool,
    /// Whether any deployment that this call did not know is still claimed by nobody.
    pub left: bool,
    /// How far all of these calls, this one included, have settled.
    pub settling: Settling,
}

/// What became of a create call, given the `outcome` for the set of all open calls for the same configuration and ttl.
///
/// The result of a call without rivals is taken at once. Otherwise nothing is handed out before all of them have settled: a result taken early
/// may be another call's, whose process is about to record it, and one's own late result would be nobody's then. And a call that was given
/// nothing had no effect only when nothing is left that it could have made, because the call that was given it may yet turn out to have had no
/// effect either.
pub fn resolution(outcome: &Outcome, rivalry: Rivalry) -> Resolution {
    let over = rivalry.settling == Settling::Over;
    match outcome {
        Outcome::Found(_) if over || !rivalry.rivals => Resolution::Found,
        Outcome::NoCandidate if over && !rivalry.left => Resolution::NoEffect,
        Outcome::Found(_) | Outcome::NoCandidate => Resolution::Pending,
        Outcome::Ambiguous(_) => Resolution::Ambiguous,
    }
}

/// What is known of a recorded deployment that a complete and fresh list lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Missing {
    /// Whether AI Core has accepted to delete it.
    pub delete_accepted: bool,
    /// Whether it has been missing for longer than a new deployment may stay unseen.
    pub for_long: bool,
    /// Whether it was ever in a list.
    pub ever_seen: bool,
}

impl Missing {
    /// Whether a 404 on its id would prove anything: a new deployment may answer so for minutes.
    pub fn is_worth_asking(self) -> bool {
        self.delete_accepted || self.for_long
    }

    /// What a 404 on its id proves.
    pub fn proof(self) -> Proof {
        match self {
            _ if !self.is_worth_asking() => Proof::None,
            Self {
                delete_accepted: false,
                ever_seen: false,
                ..
            } => Proof::NeverSeen,
            _ => Proof::Gone,
        }
    }
}

/// What may explain that a deployment has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Past {
    /// Whether the status records that a stop or a delete of it was ours.
    pub ended_by_us: bool,
    /// Whether AI Core has accepted our delete.
    pub delete_accepted: bool,
    /// Whether its ttl has run out.
    pub expired: bool,
    /// Whether it was STOPPED, DEAD or COMPLETED when it was last seen.
    pub inactive: bool,
}

impl Past {
    /// Why the deployment has gone.
    pub fn ending(self) -> Ending {
        match self {
            Self {
                ended_by_us: true, ..
            } => Ending::Ours,
            Self { expired: true, .. } => Ending::Expired,
            Self {
                delete_accepted: true,
                ..
            } => Ending::Ours,
            Self { inactive: true, .. } => Ending::Inactive,
            _ => Ending::Unexplained,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_settled_once_a_list_was_requested_after_its_time() {
        let settle = Duration::from_secs(10);
        let settling = |known_for, age| {
            Settling::of(
                Duration::from_secs(known_for),
                settle,
                Duration::from_secs(age),
            )
        };
        assert_eq!(settling(9, 0), Settling::Going);
        assert_eq!(settling(10, 1), Settling::Unseen);
        assert_eq!(settling(12, 3), Settling::Unseen);
        assert_eq!(settling(12, 2), Settling::Over);
        assert_eq!(settling(10, 0), Settling::Over);
    }
}
