//! How fast a tenant is called: one budget for all its callers, and one pause for all of them when AI Core asks for it.
//!
//! For its place in the budget a caller waits: that takes milliseconds. During a pause it is told at once how long the rest takes: a change
//! that waited for so long might be sent when nobody wants it any more, or when another leader is at work.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use super::answer::Rejection;
use super::error::Error;
use super::realm::Realm;

/// The pause after a 429 that does not say how long.
const SHORT_PAUSE: Duration = Duration::from_secs(1);
/// The longest wait for a place in the budget.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// This part of the burst is kept for changes: reads wait when less than that is left.
const KEPT_FOR_CHANGES: u32 = 4;

/// How often a tenant may be called, by all callers together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls per second in the long run.
    pub per_second: NonZeroU32,
    /// Calls that may be made at once after a time of rest.
    pub burst: NonZeroU32,
}

impl Default for Rate {
    /// 50 calls per second, 100 at once. AI Core publishes no limit for the calls that are made here.
    fn default() -> Self {
        Self {
            per_second: const { NonZeroU32::new(50).unwrap() },
            burst: const { NonZeroU32::new(100).unwrap() },
        }
    }
}

/// The pace of each tenant. Clones share it, and so do clients that were made with clones of the same options, once AI Core has accepted their
/// credentials.
#[derive(Clone, Debug, Default)]
pub struct Paces(Arc<Mutex<HashMap<Realm, Arc<Pace>>>>);

impl Paces {
    /// The pace of those who share it; `rate` is that of the first who asks.
    pub(super) fn of(&self, realm: &Realm, rate: Rate) -> Arc<Pace> {
        let mut paces = self.0.lock();
        let pace = paces.entry(realm.clone());
        Arc::clone(pace.or_insert_with(|| Arc::new(Pace::new(rate))))
    }
}

/// Whether a call can stand back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// It changes something, and somebody asked for that.
    Change,
    /// It looks.
    Read,
}

/// The pace of one tenant.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Rate,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the budget is whole again.
    whole_at: Instant,
    pause: Option<Pause>,
}

#[derive(Debug)]
struct Pause {
    until: Instant,
    /// The answer that asked for it.
    cause: Rejection,
}

// === impl Pace ===

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        let state = State {
            whole_at: Instant::now(),
            pause: None,
        };
        Self {
            rate,
            state: Mutex::new(state),
        }
    }

    /// Waits until a call may be made, though not until `deadline`.
    ///
    /// Whoever gives up while waiting leaves an empty place, which does no harm.
    pub(super) async fn turn(&self, urgency: Urgency, deadline: Instant) -> Result<(), Error> {
        let now = Instant::now();
        let place = self.reserve(urgency, deadline, now)?;
        if place == now {
            // A timer would cost a millisecond, also when it is over already.
            return Ok(());
        }
        sleep_until(place).await;
        self.state.lock().check_pause(Instant::now())
    }

    /// Takes a place in the budget, and tells when it comes.
    fn reserve(&self, urgency: Urgency, deadline: Instant, now: Instant) -> Result<Instant, Error> {
        let mut state = self.state.lock();
        state.check_pause(now)?;
        let interval = Duration::from_secs(1) / self.rate.per_second.get();
        let burst = self.rate.burst.get();
        let free = match urgency {
            Urgency::Change => burst,
            Urgency::Read => burst - burst / KEPT_FOR_CHANGES,
        };
        let whole_at = state.whole_at.max(now);
        let wait = (whole_at - now).saturating_sub(interval * free.saturating_sub(1));
        if wait > LONGEST_WAIT || now + wait >= deadline {
            return Err(Error::Crowded { retry_after: wait });
        }
        state.whole_at = whole_at + interval;
        Ok(now + wait)
    }

    /// Takes note of a failed call: whether its answer asks everybody for a pause.
    pub(super) fn heed(&self, error: &Error, now: Instant) {
        let (pause, cause) = match error {
            Error::Throttled {
                retry_after,
                message,
            } => (retry_after.unwrap_or(SHORT_PAUSE), message),
            Error::Unavailable {
                status: 503,
                retry_after: Some(retry_after),
                message,
            } => (*retry_after, message),
            _ => return,
        };
        let until = now + pause;
        let mut state = self.state.lock();
        if state.pause.as_ref().is_none_or(|pause| pause.until < until) {
            let cause = cause.clone();
            state.pause = Some(Pause { until, cause });
        }
    }
}

impl State {
    fn check_pause(&self, now: Instant) -> Result<(), Error> {
        match &self.pause {
            Some(pause) if now < pause.until => Err(Error::Throttled {
                retry_after: Some(pause.until - now),
                message: pause.cause.clone(),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aicore::Tenant;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace(per_second: u32, burst: u32) -> Pace {
        Pace::new(Rate {
            per_second: NonZeroU32::new(per_second).unwrap(),
            burst: NonZeroU32::new(burst).unwrap(),
        })
    }

    /// How long a call has to wait that comes now.
    fn wait(pace: &Pace, urgency: Urgency, now: Instant) -> Duration {
        pace.reserve(urgency, now + 60 * SECOND, now).unwrap() - now
    }

    fn throttled(seconds: Option<u64>) -> Error {
        Error::Throttled {
            retry_after: seconds.map(Duration::from_secs),
            message: Rejection {
                status: 429,
                code: None,
                message: "slow down".to_owned(),
            },
        }
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let pace = pace(10, 4);
        let now = Instant::now();
        let waits: Vec<_> = (0..6).map(|_| wait(&pace, Urgency::Change, now)).collect();
        let milliseconds = [0, 0, 0, 0, 100, 200].map(Duration::from_millis);
        assert_eq!(waits, milliseconds);
        assert_eq!(wait(&pace, Urgency::Change, now + SECOND), Duration::ZERO);
    }

    #[test]
    fn reads_stand_back_for_changes_but_come_to_their_turn() {
        let pace = pace(10, 4);
        let now = Instant::now();
        for _ in 0..4 {
            wait(&pace, Urgency::Change, now);
        }
        let read = wait(&pace, Urgency::Read, now);
        let change = wait(&pace, Urgency::Change, now);
        assert!(change <= read, "{change:?} {read:?}");
        assert!(read <= SECOND, "{read:?}");
    }

    #[test]
    fn who_would_wait_too_long_is_sent_away_and_takes_no_place() {
        let pace = pace(1, 1);
        let now = Instant::now();
        wait(&pace, Urgency::Change, now);
        for _ in 0..3 {
            let late = pace.reserve(Urgency::Change, now + SECOND, now);
            let error = late.unwrap_err();
            assert_eq!(error.retry_after(), Some(SECOND), "{error}");
            assert!(!error.outcome_unknown() && !error.needs_a_person());
        }
        assert_eq!(wait(&pace, Urgency::Change, now), SECOND);
    }

    #[test]
    fn a_pause_holds_for_everybody_until_it_is_over() {
        let pace = pace(10, 4);
        let now = Instant::now();
        pace.heed(&throttled(Some(7)), now);
        pace.heed(&throttled(Some(2)), now);
        for urgency in [Urgency::Change, Urgency::Read] {
            let error = pace.reserve(urgency, now + 60 * SECOND, now + 3 * SECOND);
            let error = error.unwrap_err();
            assert!(matches!(error, Error::Throttled { .. }), "{error}");
            assert_eq!(error.retry_after(), Some(4 * SECOND));
        }
        assert_eq!(wait(&pace, Urgency::Read, now + 7 * SECOND), Duration::ZERO);
    }

    #[test]
    fn an_outage_pauses_only_when_it_says_for_how_long_and_too_many_requests_always() {
        let now = Instant::now();
        let unavailable = |status, retry_after| Error::Unavailable {
            status,
            retry_after,
            message: Rejection {
                status,
                code: None,
                message: String::new(),
            },
        };
        for (error, pauses) in [
            (throttled(None), true),
            (throttled(Some(0)), false),
            (unavailable(503, Some(SECOND)), true),
            (unavailable(503, None), false),
            (unavailable(500, Some(SECOND)), false),
        ] {
            let pace = pace(10, 4);
            pace.heed(&error, now);
            let refused = pace.reserve(Urgency::Change, now + SECOND, now).is_err();
            assert_eq!(refused, pauses, "{error}");
        }
    }

    #[tokio::test]
    async fn a_pause_that_begins_meanwhile_holds_also_for_who_already_waits() {
        let pace = pace(20, 1);
        let deadline = Instant::now() + 60 * SECOND;
        pace.turn(Urgency::Change, deadline).await.unwrap();
        let mut waiting = std::pin::pin!(pace.turn(Urgency::Change, deadline));
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        pace.heed(&throttled(Some(60)), Instant::now());
        let error = waiting.await.unwrap_err();
        assert!(matches!(error, Error::Throttled { .. }), "{error}");
    }

    #[test]
    fn a_tenant_has_one_pace_whoever_asks() {
        let paces = Paces::default();
        let realm = |zone: &str| {
            let tenant = Tenant {
                api_url: "https://api.example.com".to_owned(),
                identity_zone_id: zone.to_owned(),
            };
            Realm::at(&tenant, "sub.example.com")
        };
        let first = paces.of(&realm("zone-1"), Rate::default());
        let same = paces.clone().of(&realm("zone-1"), Rate::default());
        let other = paces.of(&realm("zone-2"), Rate::default());
        assert!(Arc::ptr_eq(&first, &same) && !Arc::ptr_eq(&first, &other));
    }
}
