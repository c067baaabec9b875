//! One resource group as the inventory keeps it: who watches it, who waits for news, and when to look again.
//!
//! No clock and no I/O: the poller tells what happened and when, so every rule can be tested by calling it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

use super::error::Error;
use super::inventory::{InventoryOptions, Observed};
use super::snapshot::{Snapshot, changed_ids};

/// The longest wait after failures in a row, unless the server asks for more.
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// When news are waited for, lists follow each other by at least this part of the busy interval, so that many who wait share one.
const GAP_DIVISOR: u32 = 8;

/// What an attempt brings to tell.
#[derive(Debug)]
pub(super) enum News {
    /// These ids changed, or somebody waited.
    Changed(BTreeSet<String>, Arc<Snapshot>),
    /// Looking fails, since now, for another reason, or while somebody waited.
    Failed(Arc<Error>),
    /// Looking works again.
    Recovered,
}

/// A watched resource group.
pub(super) struct Group {
    options: InventoryOptions,
    /// Who lives in the group, and whether something of them is moving.
    watchers: HashMap<String, bool>,
    /// For each who waits: what the list must have been requested after.
    waiting: BTreeSet<Option<Instant>>,
    last_request: Option<Instant>,
    latest: Option<Arc<Snapshot>>,
    /// Set while the newest attempt is a failed one.
    failure: Option<Failure>,
}

struct Failure {
    requested_at: Instant,
    error: Arc<Error>,
    retry_at: Instant,
    backoff: ExponentialBackoff,
}

impl Group {
    pub(super) fn new(options: InventoryOptions) -> Self {
        Self {
            options,
            watchers: HashMap::new(),
            waiting: BTreeSet::new(),
            last_request: None,
            latest: None,
            failure: None,
        }
    }

    pub(super) fn watch(&mut self, who: &str) {
        self.watchers.entry(who.to_owned()).or_insert(false);
    }

    pub(super) fn unwatch(&mut self, who: &str) {
        self.watchers.remove(who);
    }

    pub(super) fn set_busy(&mut self, who: &str, busy: bool) {
        if let Some(is_busy) = self.watchers.get_mut(who) {
            *is_busy = busy;
        }
    }

    /// Whether nobody needs the group looked at.
    pub(super) fn is_abandoned(&self) -> bool {
        self.watchers.is_empty() && self.waiting.is_empty()
    }

    /// The outcome of the newest attempt; none before the first one ended.
    pub(super) fn newest(&self) -> Option<Result<Arc<Snapshot>, Arc<Error>>> {
        match (&self.failure, &self.latest) {
            (Some(failure), _) => Some(Err(Arc::clone(&failure.error))),
            (None, Some(latest)) => Some(Ok(Arc::clone(latest))),
            (None, None) => None,
        }
    }

    /// When the newest list that came was asked for.
    pub(super) fn listed_at(&self) -> Option<Instant> {
        self.latest.as_ref().map(|latest| latest.requested_at)
    }

    /// What is known from an attempt that was requested after `not_before`. Where there is none, the caller is waiting from now on.
    pub(super) fn observe(&mut self, not_before: Option<Instant>) -> Observed {
        let is_later =
            |requested_at: Instant| not_before.is_none_or(|not_before| requested_at > not_before);
        match (&self.failure, &self.latest) {
            (Some(failure), _) if is_later(failure.requested_at) => {
                return Observed::Failed(Arc::clone(&failure.error));
            }
            (None, Some(latest)) if is_later(latest.requested_at) => {
                return Observed::Fresh(Arc::clone(latest));
            }
            _ => {}
        }
        self.waiting.insert(not_before);
        Observed::Waiting
    }

    /// When to look next; none for at once. Who waits does not cut a backoff short: the server asked for it, or cannot answer.
    pub(super) fn due(&self) -> Option<Instant> {
        let last_request = self.last_request?;
        let InventoryOptions { idle, busy } = self.options;
        Some(match &self.failure {
            Some(failure) => failure.retry_at,
            None if !self.waiting.is_empty() => last_request + busy / GAP_DIVISOR,
            None if self.watchers.values().any(|busy| *busy) => last_request + busy,
            None => last_request + idle,
        })
    }

    /// Ends a backoff, because other credentials may fare better; not one that the server asked for.
    pub(super) fn retry_now(&mut self) {
        if let Some(failure) = self
            .failure
            .as_mut()
            .filter(|failure| failure.error.retry_after().is_none())
        {
            failure.retry_at = failure.requested_at;
        }
    }

    /// An attempt begins.
    pub(super) fn begin(&mut self, requested_at: Instant) {
        self.last_request = Some(requested_at);
    }

    /// An attempt has brought a list.
    pub(super) fn succeed(&mut self, snapshot: Snapshot) -> Vec<News> {
        let was_awaited = self.release_waiting(snapshot.requested_at);
        let is_first = self.latest.is_none();
        let ids = changed_ids(self.latest.as_deref(), &snapshot);
        let snapshot = Arc::new(snapshot);
        self.latest = Some(Arc::clone(&snapshot));
        let mut news = Vec::new();
        if self.failure.take().is_some() {
            news.push(News::Recovered);
        }
        if was_awaited || is_first || !ids.is_empty() {
            news.push(News::Changed(ids, snapshot));
        }
        news
    }

    /// An attempt has failed, at `now`.
    pub(super) fn fail(&mut self, requested_at: Instant, error: Error, now: Instant) -> Vec<News> {
        let was_awaited = self.release_waiting(requested_at);
        let is_new = self
            .failure
            .as_ref()
            .is_none_or(|failure| failure.error.reason() != error.reason());
        let mut backoff = match self.failure.take() {
            Some(failure) => failure.backoff,
            None => backoff(self.options.busy),
        };
        let delay = backoff.next().unwrap_or(MAX_BACKOFF).min(MAX_BACKOFF);
        let asked_for = error.retry_after().unwrap_or_default();
        let error = Arc::new(error);
        self.failure = Some(Failure {
            requested_at,
            error: Arc::clone(&error),
            retry_at: now + delay.max(asked_for),
            backoff,
        });
        if was_awaited || is_new {
            vec![News::Failed(error)]
        } else {
            Vec::new()
        }
    }

    /// Lets go those whom an attempt of that moment answers, and tells whether there were any.
    fn release_waiting(&mut self, requested_at: Instant) -> bool {
        let unanswered = self.waiting.split_off(&Some(requested_at));
        !std::mem::replace(&mut self.waiting, unanswered).is_empty()
    }
}

/// Doubles from `first` with as much again by chance, so that groups that failed together do not come back together.
fn backoff(first: Duration) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(first)
        .with_max_delay(MAX_BACKOFF / 2)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aicore::{DeploymentList, Rejection};

    const SECOND: Duration = Duration::from_secs(1);

    fn group() -> Group {
        let mut group = Group::new(InventoryOptions::default());
        group.watch("uid-1");
        group
    }

    fn empty(requested_at: Instant) -> Snapshot {
        Snapshot::new(
            requested_at,
            DeploymentList {
                deployments: Vec::new(),
                date: None,
            },
        )
    }

    fn look(group: &mut Group, at: Instant) -> Vec<News> {
        group.begin(at);
        group.succeed(empty(at))
    }

    fn look_in_vain(group: &mut Group, at: Instant, retry_after: Option<Duration>) -> Vec<News> {
        group.begin(at);
        let message = Rejection {
            status: 429,
            code: None,
            message: String::new(),
        };
        group.fail(
            at,
            Error::Throttled {
                retry_after,
                message,
            },
            at,
        )
    }

    /// How many lists a poller makes that always looks when it is due.
    fn lists_within(group: &mut Group, start: Instant, time: Duration) -> usize {
        let mut lists = 0;
        let mut now = start;
        while now < start + time {
            look(group, now);
            lists += 1;
            now = group.due().unwrap_or(now).max(now);
        }
        lists
    }

    #[test]
    fn an_idle_group_is_listed_once_per_idle_interval_however_many_live_in_it() {
        let mut group = group();
        group.watch("uid-2");
        group.watch("uid-3");
        assert_eq!(group.due(), None, "the first look is made at once");
        assert_eq!(lists_within(&mut group, Instant::now(), 300 * SECOND), 10);
    }

    #[test]
    fn a_group_is_listed_faster_while_anything_in_it_moves() {
        let mut group = group();
        group.watch("uid-2");
        let start = Instant::now();
        group.set_busy("uid-1", true);
        assert_eq!(lists_within(&mut group, start, 60 * SECOND), 30);
        group.set_busy("uid-2", true);
        group.set_busy("uid-1", false);
        assert_eq!(lists_within(&mut group, start, 60 * SECOND), 30);
        group.unwatch("uid-2");
        assert_eq!(lists_within(&mut group, start, 60 * SECOND), 2);
        group.set_busy("uid-2", true);
        assert_eq!(
            lists_within(&mut group, start, 60 * SECOND),
            2,
            "who does not watch moves nothing"
        );
    }

    #[test]
    fn a_snapshot_answers_only_questions_that_are_older_than_its_request() {
        let mut group = group();
        let start = Instant::now();
        assert!(matches!(group.observe(None), Observed::Waiting));
        look(&mut group, start);
        assert!(matches!(group.observe(None), Observed::Fresh(_)));
        assert!(matches!(
            group.observe(start.checked_sub(SECOND)),
            Observed::Fresh(_)
        ));
        assert!(
            matches!(group.observe(Some(start)), Observed::Waiting),
            "requested at the same moment is not after it"
        );
    }

    #[test]
    fn a_question_asked_while_a_list_is_under_way_causes_one_more_right_after() {
        let mut group = group();
        let start = Instant::now();
        group.begin(start);
        assert!(matches!(
            group.observe(Some(start + SECOND)),
            Observed::Waiting
        ));
        assert!(matches!(
            group.observe(Some(start + SECOND)),
            Observed::Waiting
        ));
        group.succeed(empty(start));
        assert!(
            group.due().unwrap() <= start + SECOND,
            "the list was requested too early, so look again"
        );
        let news = look(&mut group, start + 2 * SECOND);
        assert!(
            matches!(&news[..], [News::Changed(ids, _)] if ids.is_empty()),
            "{news:?}"
        );
        assert_eq!(group.due(), Some(start + 32 * SECOND));
    }

    #[test]
    fn one_list_answers_those_it_can_and_leaves_the_others_waiting() {
        let mut group = group();
        let start = Instant::now();
        look(&mut group, start);
        group.observe(Some(start));
        group.observe(Some(start + 2 * SECOND));
        assert_eq!(look(&mut group, start + SECOND).len(), 1);
        assert_eq!(look(&mut group, start + 3 * SECOND).len(), 1);
        assert_eq!(
            look(&mut group, start + 4 * SECOND).len(),
            0,
            "nobody waits and nothing changed"
        );
    }

    #[test]
    fn failures_in_a_row_are_told_once_and_spaced_ever_wider_up_to_a_minute() {
        let mut group = group();
        let mut now = Instant::now();
        let mut told = 0;
        let mut delays = Vec::new();
        for _ in 0..12 {
            told += look_in_vain(&mut group, now, None).len();
            let due = group.due().unwrap();
            delays.push(due - now);
            now = due;
        }
        assert_eq!(told, 1);
        assert!(
            delays[0] >= 2 * SECOND && delays[0] <= 4 * SECOND,
            "{delays:?}"
        );
        assert!(
            delays.iter().all(|delay| *delay <= MAX_BACKOFF),
            "{delays:?}"
        );
        assert!(
            delays[8..].iter().all(|delay| *delay >= MAX_BACKOFF / 2),
            "{delays:?}"
        );
        let news = look(&mut group, now);
        assert!(
            matches!(&news[..], [News::Recovered, News::Changed(..)]),
            "{news:?}"
        );
        look_in_vain(&mut group, now, None);
        assert!(
            group.due().unwrap() - now <= 4 * SECOND,
            "success begins the backoff anew"
        );
    }

    #[test]
    fn retry_after_is_honoured_also_when_somebody_waits_or_other_credentials_come() {
        let mut group = group();
        let start = Instant::now();
        look_in_vain(&mut group, start, Some(100 * SECOND));
        group.observe(Some(start + SECOND));
        group.retry_now();
        assert_eq!(group.due(), Some(start + 100 * SECOND));
    }

    #[test]
    fn new_credentials_end_a_backoff_that_nobody_asked_for() {
        let mut group = group();
        let start = Instant::now();
        look_in_vain(&mut group, start, None);
        group.retry_now();
        assert_eq!(group.due(), Some(start));
    }

    #[test]
    fn a_failure_is_what_is_known_until_the_next_attempt() {
        let mut group = group();
        let start = Instant::now();
        look(&mut group, start);
        assert!(matches!(
            group.observe(Some(start + SECOND)),
            Observed::Waiting
        ));
        let news = look_in_vain(&mut group, start + 2 * SECOND, None);
        assert!(matches!(&news[..], [News::Failed(_)]), "{news:?}");
        assert!(matches!(group.observe(None), Observed::Failed(_)));
        assert!(matches!(
            group.observe(Some(start + 3 * SECOND)),
            Observed::Waiting
        ));
        let news = look_in_vain(&mut group, start + 4 * SECOND, None);
        assert!(
            matches!(&news[..], [News::Failed(_)]),
            "who waited is told again: {news:?}"
        );
    }

    #[test]
    fn a_group_is_abandoned_when_nobody_lives_or_waits_there() {
        let mut group = group();
        let start = Instant::now();
        assert!(!group.is_abandoned());
        group.observe(Some(start));
        group.unwatch("uid-1");
        assert!(!group.is_abandoned());
        look(&mut group, start + SECOND);
        assert!(group.is_abandoned());
    }
}
