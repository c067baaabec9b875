//! How long AI Core lets a deployment live.

use jiff::{SignedDuration, Timestamp};

/// A ttl in seconds: a natural number of minutes, hours or days (`ttl` of `AiDeployment`).
pub(crate) fn seconds(ttl: &str) -> Option<i64> {
    let (number, unit) = ttl.split_at_checked(ttl.len().checked_sub(1)?)?;
    let seconds = match unit {
        "m" | "M" => 60,
        "h" | "H" => 3_600,
        "d" | "D" => 86_400,
        _ => return None,
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<i64>().ok()?.checked_mul(seconds)
}

/// Whether two ttls may be the same. AI Core may show one in a form of its own, or not at all, so only a clear difference counts.
pub(crate) fn may_be_equal(one: Option<&str>, other: Option<&str>) -> bool {
    match (one.and_then(seconds), other.and_then(seconds)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// When a deployment ends that was created at `created_at` (RFC 3339).
pub(crate) fn expiry(created_at: &str, ttl: &str) -> Option<Timestamp> {
    let created: Timestamp = created_at.parse().ok()?;
    created
        .checked_add(SignedDuration::from_secs(seconds(ttl)?))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_counts_from_creation_in_minutes_hours_or_days() {
        let expiry = |ttl| expiry("2026-01-01T00:00:00Z", ttl).map(|time| time.to_string());
        assert_eq!(expiry("90m").as_deref(), Some("2026-01-01T01:30:00Z"));
        assert_eq!(expiry("24H").as_deref(), Some("2026-01-02T00:00:00Z"));
        assert_eq!(expiry("2d").as_deref(), Some("2026-01-03T00:00:00Z"));
        for odd in ["", "h", "4.5h", "5w", "-1", "-1d"] {
            assert_eq!(expiry(odd), None, "{odd}");
        }
    }

    #[test]
    fn only_a_clear_difference_tells_two_ttls_apart() {
        assert!(may_be_equal(Some("24h"), Some("1D")));
        assert!(!may_be_equal(Some("24h"), Some("25h")));
        assert!(may_be_equal(Some("24h"), None));
        assert!(may_be_equal(None, Some("for ever")));
    }
}
