//! The end of an X.509 certificate, told while there is time to renew it.

use std::time::Duration;

use jiff::Timestamp;

use crate::aicore::Validity;
use crate::api::{Condition, Reason};
use crate::controller::tell::events::News;

/// What a person has to know in the last part of the certificate's life.
pub(super) fn warning(validity: Validity, secret: &str, now: Timestamp) -> Option<String> {
    let ending = now >= validity.warn_from() && !validity.is_over(now);
    ending.then(|| {
        format!(
            "The certificate of Secret {secret} is valid until {}: put a new service key of the same tenant into the Secret before",
            validity.not_after
        )
    })
}

/// The warning, unless the condition of before has told it.
pub(super) fn news(
    before: Option<&Condition>,
    validity: Validity,
    secret: &str,
    now: Timestamp,
) -> Option<News> {
    let warning = warning(validity, secret, now)?;
    let told = before.is_some_and(|condition| condition.message.contains(&warning));
    let about = validity.not_after.to_string();
    (!told).then(|| News::bad(Reason::CertificateExpiring, &about, warning))
}

/// How long it takes until there is something else to tell of the certificate.
pub(super) fn next_news(validity: Validity, now: Timestamp) -> Option<Duration> {
    let moments = [validity.warn_from(), validity.not_after];
    let next = moments.into_iter().find(|moment| *moment >= now)?;
    // A moment later, because the certificate is valid up to its last one.
    let wait = Duration::try_from(next.duration_since(now)).ok()?;
    Some(wait + Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A week of seven days, told from the sixth day, 06:00, on.
    const WEEK: (&str, &str) = ("2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z");

    fn week() -> Validity {
        Validity {
            not_before: WEEK.0.parse().unwrap(),
            not_after: WEEK.1.parse().unwrap(),
        }
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn the_end_is_told_in_time_and_not_when_it_is_over() {
        let told = |time| warning(week(), "key", at(time)).is_some();
        assert!(!told("2026-01-06T05:59:59Z"));
        assert!(told("2026-01-06T06:00:00Z"));
        assert!(told(WEEK.1));
        assert!(!told("2026-01-08T00:00:01Z"));
    }

    #[test]
    fn it_is_told_once() {
        let now = at("2026-01-07T00:00:00Z");
        let first = news(None, week(), "key", now).expect("it is told");
        assert_eq!(first.reason, Reason::CertificateExpiring);
        let mut condition: Condition = serde_json::from_value(serde_json::json!({
            "type": "Ready",
            "status": "True",
            "reason": "Connected",
            "message": format!("the key works. {}", first.note),
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }))
        .expect("it is a condition");
        assert_eq!(news(Some(&condition), week(), "key", now), None);
        condition.message = "the key works".to_owned();
        assert_eq!(news(Some(&condition), week(), "key", now), Some(first));
    }

    #[test]
    fn the_next_news_is_the_warning_and_then_the_end_and_then_none() {
        let seconds = |time| next_news(week(), at(time)).map(|wait| wait.as_secs());
        assert_eq!(seconds("2026-01-06T05:00:00Z"), Some(3601));
        assert_eq!(seconds("2026-01-07T23:00:00Z"), Some(3601));
        assert_eq!(seconds(WEEK.1), Some(1));
        assert_eq!(seconds("2026-01-08T00:00:01Z"), None);
    }
}
