//! Whether this process leads, and until when it may write.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;

use super::clock::{Clock, Moment};
use super::gaps::{self, Gap};

/// How long a write is under way, at most, before the clocks are looked at again: timers stand still while the machine is suspended.
const LONGEST_TRUST: Duration = Duration::from_secs(1);

/// What a process knows of its own leading. Clones share it. A new one does not lead.
#[derive(Clone, Debug, Default)]
pub struct Leadership(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    claim: watch::Sender<Claim>,
    /// Every look at the time is made here.
    clock: Clock,
}

#[derive(Debug, Default)]
struct Claim {
    /// What the last renewal allows; nothing once it is over for good.
    leave: Option<Leave>,
    renewed: Option<Moment>,
    /// How often this process has begun to lead, or to write again after it could not.
    terms: u64,
    gaps: Vec<Gap>,
}

/// For how long may be written.
#[derive(Clone, Copy, Debug)]
struct Leave {
    from: Moment,
    lasts: Duration,
}

/// Leave to write, which is asked for right before each write. The default one is never refused: where nobody else can be at work.
#[derive(Clone, Debug, Default)]
pub struct Permit(Option<Leadership>);

/// A write was refused, or broken off, because this process does not lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing was sent.
    #[error(
        "nothing was written, because this process does not hold the operator's Lease; whoever holds it goes on"
    )]
    NotHeld,
    /// The request was sent, or was about to be: whether it had its effect is not known.
    #[error(
        "a write was broken off, because the operator's Lease was not renewed in time; what came of it is looked at again"
    )]
    BrokenOff,
}

/// Whether a call of the Kubernetes API failed only because this process does not lead.
pub fn is_refusal(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Service(cause) if cause.is::<Refusal>())
}

// === impl Leadership ===

impl Leadership {
    /// Whether this process may write now.
    pub fn is_held(&self) -> bool {
        self.left().is_some()
    }

    /// How long ago the Lease was renewed last; nothing before this process has held it.
    pub fn age(&self) -> Option<Duration> {
        let renewed = self.0.claim.borrow().renewed?;
        Some(self.now().since(&renewed))
    }

    /// Leave to write for as long as this process leads.
    pub fn permit(&self) -> Permit {
        Permit(Some(self.clone()))
    }

    /// Whether what was created at this time, by AI Core's clock, may have been made by an operator whose work the cluster's store has forgotten.
    pub(crate) fn in_gap(&self, created: Timestamp) -> bool {
        gaps::contain(&self.0.claim.borrow().gaps, created)
    }

    /// Whether the cluster's store is known to have forgotten anything.
    pub(crate) fn has_gaps(&self) -> bool {
        !self.0.claim.borrow().gaps.is_empty()
    }

    /// Waits until this process begins to lead, or can write again, after the term number `known`; the first term has the number 1.
    pub(crate) async fn term_after(&self, known: u64) -> u64 {
        let mut claims = self.0.claim.subscribe();
        match claims.wait_for(|claim| claim.terms > known).await {
            Ok(claim) => claim.terms,
            // The sender lives as long as `self`.
            Err(_) => std::future::pending().await,
        }
    }

    /// What the clocks say.
    pub(super) fn now(&self) -> Moment {
        self.0.clock.now()
    }

    /// Notes that the Lease was renewed, so that may be written for as long as it `lasts` `from` then.
    pub(super) fn renew(&self, from: Moment, lasts: Duration) {
        let lapsed = !self.is_held();
        let now = self.now();
        self.0.claim.send_modify(|claim| {
            claim.leave = Some(Leave { from, lasts });
            claim.renewed = Some(now);
            claim.terms += u64::from(lapsed);
        });
    }

    /// Notes what the store knows nothing of. Told before the first write is allowed.
    pub(super) fn remember(&self, gaps: Vec<Gap>) {
        self.0.claim.send_modify(|claim| claim.gaps = gaps);
    }

    /// Ends it.
    pub(super) fn end(&self) {
        self.0.claim.send_modify(|claim| claim.leave = None);
    }

    /// For how much longer may be written; nothing when it is over.
    fn left(&self) -> Option<Duration> {
        let leave = self.0.claim.borrow().leave?;
        let passed = self.now().since(&leave.from);
        leave
            .lasts
            .checked_sub(passed)
            .filter(|left| !left.is_zero())
    }

    /// Returns when this process may not write any more.
    async fn ended(&self) {
        let mut claims = self.0.claim.subscribe();
        while let Some(left) = self.left() {
            tokio::select! {
                () = sleep(left.min(LONGEST_TRUST)) => {}
                _ = claims.changed() => {}
            }
        }
    }
}

// === impl Permit ===

impl Permit {
    /// One that is always refused.
    pub fn never() -> Self {
        Leadership::default().permit()
    }

    /// Does a piece of work that writes. It is not begun without leading, and dropped as soon as this process does not lead any more. A renewal
    /// meanwhile gives it more time.
    ///
    /// The clock is looked at before the work goes on, each time: a process that was paused with a request in its hand finds the request ready
    /// to be sent and its timers late.
    ///
    /// # Errors
    ///
    /// See [`Refusal`].
    pub async fn limit<F: Future>(&self, work: F) -> Result<F::Output, Refusal> {
        let Some(leadership) = &self.0 else {
            return Ok(work.await);
        };
        let (mut work, mut ended) = (pin!(work), pin!(leadership.ended()));
        let mut begun = false;
        poll_fn(|context| {
            if !leadership.is_held() || ended.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(match begun {
                    false => Refusal::NotHeld,
                    true => Refusal::BrokenOff,
                }));
            }
            begun = true;
            work.as_mut().poll(context).map(Ok)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use parking_lot::Mutex;

    use super::super::clock::tests::{Leap, leaping};
    use super::*;

    const LONG: Duration = Duration::from_secs(600);
    const HOUR: Duration = Duration::from_secs(3600);
    const SHORT: Duration = Duration::from_millis(200);

    fn leading_for(time: Duration) -> Leadership {
        let leadership = Leadership::default();
        renew(&leadership, time);
        leadership
    }

    fn renew(leadership: &Leadership, time: Duration) {
        leadership.renew(leadership.now(), time);
    }

    /// One that leads for a long time, on a machine whose clock makes leaps.
    fn leading_with_leaps() -> (Leadership, Arc<Mutex<Vec<Leap>>>) {
        let (clock, leaps) = leaping();
        let leadership = Leadership(Arc::new(Shared {
            claim: watch::Sender::default(),
            clock,
        }));
        renew(&leadership, LONG);
        (leadership, leaps)
    }

    #[tokio::test]
    async fn nothing_is_written_before_leading() {
        let begun = Cell::new(false);
        let work = async { begun.set(true) };
        let outcome = Leadership::default().permit().limit(work).await;
        assert_eq!(outcome, Err(Refusal::NotHeld));
        assert!(!begun.get());
    }

    #[tokio::test]
    async fn a_write_is_broken_off_when_the_lease_is_not_renewed() {
        let permit = leading_for(SHORT).permit();
        let outcome = permit.limit(std::future::pending::<()>()).await;
        assert_eq!(outcome, Err(Refusal::BrokenOff));
    }

    #[tokio::test]
    async fn a_renewal_gives_a_write_more_time() {
        let leadership = leading_for(LONG);
        let work = async {
            renew(&leadership, 3 * SHORT);
            renew(&leadership, 2 * LONG);
            tokio::time::sleep(4 * SHORT).await;
        };
        assert_eq!(leadership.permit().limit(work).await, Ok(()));
    }

    #[tokio::test]
    async fn a_process_that_was_paused_looks_at_the_clock_before_it_sends_what_it_has_in_hand() {
        let leadership = leading_for(LONG);
        let (token, sent) = (tokio::sync::Notify::new(), Cell::new(false));
        let work = async {
            token.notified().await;
            sent.set(true);
        };
        let permit = leadership.permit();
        let mut write = pin!(permit.limit(work));
        assert!(futures::poll!(write.as_mut()).is_pending());
        renew(&leadership, SHORT);
        assert!(futures::poll!(write.as_mut()).is_pending());
        token.notify_one();
        // No timer runs meanwhile, as in a process that is stopped.
        std::thread::sleep(2 * SHORT);
        assert_eq!(futures::poll!(write), Poll::Ready(Err(Refusal::BrokenOff)));
        assert!(!sent.get());
    }

    #[tokio::test]
    async fn a_write_is_broken_off_as_soon_as_the_lease_is_let_go() {
        let leadership = leading_for(LONG);
        let permit = leadership.permit();
        let mut write = pin!(permit.limit(std::future::pending::<()>()));
        assert!(futures::poll!(write.as_mut()).is_pending());
        leadership.end();
        assert_eq!(write.await, Err(Refusal::BrokenOff));
    }

    #[tokio::test]
    async fn a_term_begins_with_the_first_lease_and_after_each_lapse_but_not_with_a_renewal() {
        let leadership = leading_for(LONG);
        assert_eq!(leadership.term_after(0).await, 1);
        renew(&leadership, LONG);
        let mut next = pin!(leadership.term_after(1));
        assert!(futures::poll!(next.as_mut()).is_pending());
        renew(&leadership, Duration::ZERO);
        renew(&leadership, LONG);
        assert_eq!(next.await, 2);
    }

    #[tokio::test]
    async fn after_a_leap_of_an_hour_nothing_is_begun_before_the_lease_is_renewed() {
        for leap in [Leap::Suspended(HOUR), Leap::SetForward(HOUR)] {
            let (leadership, leaps) = leading_with_leaps();
            let permit = leadership.permit();
            let written = Cell::new(0);
            let write = || permit.limit(async { written.set(written.get() + 1) });
            assert_eq!(write().await, Ok(()));
            leaps.lock().push(leap);
            assert_eq!(write().await, Err(Refusal::NotHeld), "{leap:?}");
            assert_eq!(written.get(), 1);
            assert!(leadership.age() >= Some(HOUR));
            renew(&leadership, LONG);
            assert_eq!(write().await, Ok(()), "a renewal is all that it costs");
        }
    }

    #[tokio::test]
    async fn a_leap_of_an_hour_breaks_off_what_is_under_way_though_its_timer_stands_still() {
        for leap in [Leap::Suspended(HOUR), Leap::SetForward(HOUR)] {
            let (leadership, leaps) = leading_with_leaps();
            let permit = leadership.permit();
            // Nobody but a timer wakes this task.
            let write = async move { permit.limit(std::future::pending::<()>()).await };
            let write = tokio::spawn(write);
            tokio::task::yield_now().await;
            leaps.lock().push(leap);
            let end = tokio::time::timeout(10 * LONGEST_TRUST, write).await;
            let end = end.expect("it is broken off").expect("it does not panic");
            assert_eq!(end, Err(Refusal::BrokenOff), "{leap:?}");
        }
    }

    #[tokio::test]
    async fn a_time_of_day_that_is_set_back_neither_ends_a_lease_nor_makes_it_last_longer() {
        let (leadership, leaps) = leading_with_leaps();
        renew(&leadership, SHORT);
        leaps.lock().push(Leap::SetBack(HOUR));
        assert!(leadership.is_held());
        tokio::time::sleep(2 * SHORT).await;
        assert!(!leadership.is_held());
    }
}
