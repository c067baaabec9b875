//! The times that the cluster's store knows nothing of.
//!
//! A Lease says until when somebody worked, as far as the store knows: its `renewTime`. What AI Core created between that time and the moment
//! when the Lease is taken was made by a stranger, or by this operator in a life that the store has forgotten, because it was restored from a
//! backup. The Lease keeps these times, so that a restart does not forget them.
//!
//! Replacing a leader that has ended or crashed takes a moment, too. The store has forgotten nothing then, since a create call is announced
//! before it is made, and restoring a cluster takes longer: so short a time is no gap, and does not raise questions about a stranger's
//! deployment.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many gaps are kept.
const MAXIMUM: usize = 10;

/// How long a gap is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How far AI Core's clock and those of the cluster's nodes may be apart. That only ever makes a person be asked more often.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// How long it may take to start a process in place of another, besides waiting for the Lease.
const START: Duration = Duration::from_secs(10);

/// A time of which the store knows nothing, by the clocks of the cluster's nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gap {
    /// When the Lease was renewed for the last time that the store knows of.
    pub(super) from: Timestamp,
    /// When the Lease was taken.
    pub(super) to: Timestamp,
}

/// The gaps that are to be kept when a Lease of this duration is taken at `now` that was last renewed at `renewed`.
pub(super) fn after(
    mut known: Vec<Gap>,
    renewed: Timestamp,
    now: Timestamp,
    lease: Duration,
) -> Vec<Gap> {
    let passing = SignedDuration::try_from(2 * lease + START).unwrap_or(SignedDuration::MAX);
    if now.duration_since(renewed) > passing {
        let gap = Gap {
            from: renewed,
            to: now,
        };
        known.push(gap);
    }
    known.retain(|gap| now.duration_since(gap.to) < KEPT);
    known.sort_by_key(|gap| gap.to);
    let surplus = known.len().saturating_sub(MAXIMUM);
    known.drain(..surplus);
    known
}

/// Whether something that was created at this time, by AI Core's clock, may have been made in one of the gaps.
pub(super) fn contain(gaps: &[Gap], created: Timestamp) -> bool {
    let inside = |gap: &Gap| {
        created.duration_since(gap.from) >= -TOLERANCE
            && created.duration_since(gap.to) <= TOLERANCE
    };
    gaps.iter().any(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(15);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("it is a time")
    }

    fn gap(from: i64, to: i64) -> Gap {
        Gap {
            from: at(from),
            to: at(to),
        }
    }

    #[test]
    fn a_handover_and_the_replacement_of_a_crashed_leader_are_no_gaps() {
        for seconds in [0, 2, 17, 40] {
            assert_eq!(after(Vec::new(), at(0), at(seconds), LEASE), []);
        }
        assert_eq!(
            after(Vec::new(), at(60), at(0), LEASE),
            [],
            "a clock that was set back makes none"
        );
    }

    #[test]
    fn what_the_store_has_forgotten_is_a_gap_from_the_last_renewal_that_it_knows() {
        let gaps = after(Vec::new(), at(0), at(1500), LEASE);
        assert_eq!(gaps, [gap(0, 1500)]);
        assert!(contain(&gaps, at(700)));
        assert!(contain(&gaps, at(-60)) && contain(&gaps, at(1560)));
        assert!(!contain(&gaps, at(-61)) && !contain(&gaps, at(1561)));
    }

    #[test]
    fn a_gap_outlives_a_restart_and_is_forgotten_after_thirty_days() {
        let gaps = after(vec![gap(0, 1500)], at(5000), at(5001), LEASE);
        assert_eq!(gaps, [gap(0, 1500)]);
        let month = 30 * 24 * 3600;
        let later = after(gaps, at(1500 + month), at(1501 + month), LEASE);
        assert_eq!(later, []);
    }

    #[test]
    fn the_last_ten_gaps_are_kept() {
        let many: Vec<Gap> = (0..10).map(|n| gap(n * 1000, n * 1000 + 500)).collect();
        let gaps = after(many.clone(), at(20_000), at(21_000), LEASE);
        assert_eq!(gaps.len(), 10);
        assert_eq!(gaps[0], many[1]);
        assert_eq!(gaps[9], gap(20_000, 21_000));
    }
}
