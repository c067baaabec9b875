//! How late the result of a create call may come. Only AI Core's own clock counts: the `Date` of its lists, and its `createdAt`.
//!
//! What was made later is a copy that somebody has made by hand, and nobody's late result.

use jiff::{SignedDuration, Timestamp};

/// How long after its announcement a create call may still have its effect. The call itself ends at the request timeout; the rest is for a
/// request that waits somewhere on its way.
pub const LATEST: SignedDuration = SignedDuration::from_hours(1);

/// Both times are whole seconds, and may come from two machines of AI Core.
const ROUNDING: SignedDuration = SignedDuration::from_secs(2);

/// Whether a deployment that was created at `created` may be the result of a call that was announced at `announced`. What is not told says
/// nothing against it.
pub fn is_in_time(announced: Option<Timestamp>, created: Option<Timestamp>) -> bool {
    let (Some(announced), Some(created)) = (announced, created) else {
        return true;
    };
    let after = created.duration_since(announced);
    -ROUNDING <= after && after <= LATEST + ROUNDING
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
        for (seconds, possible) in [
            (-3, false),
            (-2, true),
            (0, true),
            (3_600, true),
            (3_602, true),
            (3_603, false),
            (7_200, false),
        ] {
            assert_eq!(
                is_in_time(at(0), at(seconds)),
                possible,
                "{seconds} s after the announcement"
            );
        }
    }

    #[test]
    fn a_time_that_ai_core_does_not_tell_excludes_nothing_and_ends_nothing() {
        assert!(is_in_time(None, at(7_200)));
        assert!(is_in_time(at(0), None));
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
