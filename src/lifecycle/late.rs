//! How late the result of a create call may come. Only AI Core's own clock counts: the `Date` of its lists, and its `createdAt`.
//!
//! What was made later is a copy that somebody has made by hand, and nobody's late result.

use jiff::{SignedDuration, Timestamp};

/// How long after its announcement a create call may still have its effect. The call itself ends at the request timeout; the rest is for a
/// request that waits somewhere on its way.
pub const LATEST: SignedDuration = SignedDuration::from_hours(1);

/// Both times are whole seconds, and may come from two machines of AI Core.
const ROUNDING: SignedDuration = SignedDuration::from_secs(2);

/// Whether a create call could still have had its effect at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Age {
    /// It could.
    Fresh,
    /// That was before its announcement, or too long after it.
    Expired,
}

impl Age {
    /// The age of a call that was announced at `announced` when a deployment was created at `created`. What is not told says nothing against it.
    pub fn of(announced: Option<Timestamp>, created: Option<Timestamp>) -> Self {
        let (Some(announced), Some(created)) = (announced, created) else {
            return Self::Fresh;
        };
        let after = created.duration_since(announced);
        match -ROUNDING <= after && after <= LATEST + ROUNDING {
            true => Self::Fresh,
            false => Self::Expired,
        }
    }
}

/// Whether a list that AI Core answered at `date` shows whatever a call that was announced at `announced` can have made, where a new deployment
/// may be missing from lists for as long as `unseen`. It does not while one of the times is not told.
pub fn is_over(
    announced: Option<Timestamp>,
    date: Option<Timestamp>,
    unseen: SignedDuration,
) -> bool {
    let (Some(announced), Some(date)) = (announced, date) else {
        return false;
    };
    date.duration_since(announced) > LATEST + ROUNDING + unseen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp::from_second(1_800_000_000 + seconds).unwrap())
    }

    #[test]
    fn a_result_is_made_within_an_hour_of_the_announcement() {
        for (seconds, age) in [
            (-3, Age::Expired),
            (-2, Age::Fresh),
            (0, Age::Fresh),
            (3_600, Age::Fresh),
            (3_602, Age::Fresh),
            (3_603, Age::Expired),
            (7_200, Age::Expired),
        ] {
            assert_eq!(
                Age::of(at(0), at(seconds)),
                age,
                "{seconds} s after the announcement"
            );
        }
    }

    #[test]
    fn a_time_that_ai_core_does_not_tell_excludes_nothing_and_ends_nothing() {
        assert_eq!(Age::of(None, at(7_200)), Age::Fresh);
        assert_eq!(Age::of(at(0), None), Age::Fresh);
        for (announced, date) in [(None, at(7_200)), (at(0), None)] {
            assert!(!is_over(announced, date, SignedDuration::ZERO));
        }
    }

    #[test]
    fn a_call_is_over_once_a_list_shows_all_that_it_can_have_made() {
        let unseen = SignedDuration::from_secs(100);
        assert!(!is_over(at(0), at(3_702), unseen));
        assert!(is_over(at(0), at(3_703), unseen));
    }
}
