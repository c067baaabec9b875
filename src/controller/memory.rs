//! What the process remembers of each object beyond its status. All of it can be lost: after a restart the operator only waits longer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::endpoint::Published;
use crate::aicore::GroupKey;
use crate::api::{ConditionKind, Deployment, Reason};
use crate::lifecycle::Step;
use crate::lifecycle::situation::{Fit, State, Target};

/// The memories of all objects, by uid.
#[derive(Debug, Default)]
pub(crate) struct Memories {
    objects: Mutex<HashMap<String, Arc<Mutex<Memory>>>>,
}

impl Memories {
    /// The memory of one object, made at the first call.
    pub(crate) fn of(&self, uid: &str) -> Arc<Mutex<Memory>> {
        let mut objects = self.objects.lock();
        objects
            .entry(uid.to_owned())
            .or_insert_with(|| Arc::new(Mutex::new(Memory::new(Instant::now()))))
            .clone()
    }

    /// Forgets an object that is gone, and returns the last phase of its life and how long that was, where it is known.
    pub(crate) fn forget(&self, uid: &str) -> Option<(Reason, Duration)> {
        let memory = self.objects.lock().remove(uid)?;
        let phase = memory.lock().phase?;
        Some(phase.length())
    }
}

/// What tells a create call apart from every other one of its object: [`crate::api::Intent::key`].
type CallKey = (i64, String);

/// A state that a deployment passes through.
type Passing = (State, Target, Fit);

/// What is remembered of one object.
#[derive(Debug)]
pub(crate) struct Memory {
    /// The newest version of the object that one of our own writes returned, which a cache may not have yet.
    newest: Option<Arc<Deployment>>,
    /// Since when this process has known the object.
    pub(crate) known_since: Instant,
    /// When the last remote write of this object ended, or when the object was first seen. Only lists requested later count.
    pub(crate) unsettled_since: Instant,
    /// What is remembered of each remote deployment of the object, by its id.
    remotes: HashMap<String, RemoteMemory>,
    /// The last write about each deployment, or about none yet, in a remote state: how often it was made there, and when for the last time.
    sent: HashMap<String, (Step, String, u32, Instant)>,
    /// The configuration that this process has itself found or created for the object, and where.
    pub(crate) prepared: Option<(GroupKey, String)>,
    /// What the create call with this key has returned.
    pub(crate) created: Option<(CallKey, String)>,
    /// Where a look had no result, and no record and no remote write came since.
    pub(crate) looked: Option<GroupKey>,
    /// Whether this process saw the object before it had our finalizer and has made no create call since: nothing of it can have been lost.
    pub(crate) is_new: bool,
    /// Since when the object is known to be deleted.
    terminating: Option<Instant>,
    /// How many attempts in a row have failed.
    pub(crate) failures: u32,
    /// Until when AI Core asks to be left alone.
    leave_alone: Option<Instant>,
    /// What the condition Ready says of the object.
    phase: Option<Phase>,
    /// What applications were told last.
    pub(crate) published: Option<Published>,
    intent: Option<(CallKey, Instant)>,
    group_missing: Option<(String, Instant)>,
}

/// What the condition Ready says of an object, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Phase {
    reason: Reason,
    /// When this process saw it first.
    seen_at: Instant,
    /// How long it had been so by then.
    before: Duration,
}

impl Phase {
    /// What the status of an object tells that another process has looked at: its conditions keep since when they hold.
    fn recorded(object: &Deployment) -> Option<Self> {
        let conditions = &object.status.as_ref()?.conditions;
        let ready = conditions
            .iter()
            .find(|condition| condition.kind == ConditionKind::Ready)?;
        let reason = Reason::all()
            .iter()
            .find(|reason| reason.as_str() == ready.reason)?;
        // A reason may be younger than Ready being False, but not than the condition that came with it.
        let same = conditions
            .iter()
            .filter(|condition| condition.reason == ready.reason);
        let since = same.map(|condition| condition.last_transition_time).max()?;
        Some(Self {
            reason: *reason,
            seen_at: Instant::now(),
            before: Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or_default(),
        })
    }

    fn length(self) -> (Reason, Duration) {
        (self.reason, self.before + self.seen_at.elapsed())
    }
}

/// What is remembered of one remote deployment.
#[derive(Debug, Default)]
pub(crate) struct RemoteMemory {
    /// The last stop or delete that AI Core has accepted from this process.
    accepted: Option<(Target, Instant)>,
    /// Whether it is proven to be gone, as long as no list shows it again.
    pub(crate) gone: bool,
    absent: Option<Instant>,
    passing: Option<(Passing, Instant)>,
    unchanged: Option<(String, Instant)>,
    running_on: Option<Instant>,
}

impl RemoteMemory {
    /// Notes that AI Core has accepted to drive it to `target`.
    pub(crate) fn accept(&mut self, target: Target) {
        self.accepted = Some((target, Instant::now()));
    }

    /// Where AI Core has agreed to drive it, and how long ago that was.
    pub(crate) fn accepted(&self) -> Option<(Target, Duration)> {
        self.accepted.map(|(target, at)| (target, at.elapsed()))
    }

    /// How long it has been missing from every list in this process.
    pub(crate) fn missing_for(&mut self) -> Duration {
        self.absent.get_or_insert_with(Instant::now).elapsed()
    }

    /// Notes that it is in a list.
    pub(crate) fn seen(&mut self) {
        self.absent = None;
        self.gone = false;
    }

    /// How long it has been in this state as far as this process has seen.
    pub(crate) fn passing_for(&mut self, state: Passing) -> Duration {
        since(&mut self.passing, state)
    }

    /// How long it has been seen to run although a stop is recorded for it.
    pub(crate) fn runs_on_for(&mut self) -> Duration {
        self.running_on.get_or_insert_with(Instant::now).elapsed()
    }

    /// Notes that it does not run, or that a stop was sent just now.
    pub(crate) fn stopping(&mut self) {
        self.running_on = None;
    }

    /// How long it has been seen to run with another configuration than the one with this id.
    pub(crate) fn running_unchanged_for(&mut self, configuration: String) -> Duration {
        since(&mut self.unchanged, configuration)
    }

    /// Notes that a change of configuration was accepted just now.
    pub(crate) fn changing(&mut self) {
        self.unchanged = None;
    }
}

impl Memory {
    fn new(now: Instant) -> Self {
        Self {
            newest: None,
            known_since: now,
            unsettled_since: now,
            remotes: HashMap::new(),
            sent: HashMap::new(),
            prepared: None,
            created: None,
            looked: None,
            is_new: false,
            terminating: None,
            failures: 0,
            leave_alone: None,
            phase: None,
            published: None,
            intent: None,
            group_missing: None,
        }
    }

    /// The newer one of the cached object and of what our own last write returned.
    pub(crate) fn newest(&self, cached: Arc<Deployment>) -> Arc<Deployment> {
        match &self.newest {
            Some(newest) if version(newest) > version(&cached) => newest.clone(),
            _ => cached,
        }
    }

    /// Remembers what one of our own writes returned.
    pub(crate) fn wrote(&mut self, object: Deployment) {
        self.newest = Some(Arc::new(object));
    }

    /// Notes that a remote write has just ended, however it ended.
    pub(crate) fn unsettle(&mut self) {
        self.unsettled_since = Instant::now();
        self.looked = None;
    }

    /// What is remembered of the remote deployment `id`.
    pub(crate) fn about(&mut self, id: &str) -> &mut RemoteMemory {
        self.remotes.entry(id.to_owned()).or_default()
    }

    /// Forgets everything about a remote deployment that is not the object's any more.
    pub(crate) fn forget(&mut self, id: &str) {
        self.remotes.remove(id);
        self.sent.remove(id);
        self.created.take_if(|(_, created)| created == id);
    }

    /// Since when this process has known that the object is deleted.
    pub(crate) fn terminating_since(&mut self) -> Instant {
        *self.terminating.get_or_insert_with(Instant::now)
    }

    /// How often `step` about the deployment `id` will have been sent for what is `shown`, this time included. What was sent before and shows no effect is sent again, but
    /// each time after a longer pause; the rest of that pause is the error.
    pub(crate) fn times(
        &self,
        id: &str,
        step: Step,
        shown: &str,
        pause: impl Fn(u32) -> Duration,
    ) -> Result<u32, Duration> {
        let asked = self
            .leave_alone
            .map(|until| until.saturating_duration_since(Instant::now()));
        if let Some(rest) = asked.filter(|rest| !rest.is_zero()) {
            return Err(rest);
        }
        let Some((_, _, times, at)) = self
            .sent
            .get(id)
            .filter(|(sent, state, ..)| *sent == step && state == shown)
        else {
            return Ok(1);
        };
        match pause(*times)
            .checked_sub(at.elapsed())
            .filter(|rest| !rest.is_zero())
        {
            Some(rest) => Err(rest),
            None => Ok(times + 1),
        }
    }

    /// Notes that `step` was sent for what is `shown`, so many times by now.
    pub(crate) fn sent(&mut self, id: &str, step: Step, shown: String, times: u32) {
        let sent = (step, shown, times, Instant::now());
        self.sent.insert(id.to_owned(), sent);
    }

    /// Notes that AI Core asks to be left alone for so long.
    pub(crate) fn leave_alone(&mut self, pause: Duration) {
        self.leave_alone = Some(Instant::now() + pause);
    }

    /// Notes what the condition Ready says now, and returns what it said before and for how long, where that is over.
    pub(crate) fn enter(&mut self, reason: Reason) -> Option<(Reason, Duration)> {
        if self.phase.is_some_and(|present| present.reason == reason) {
            return None;
        }
        let begun = Phase {
            reason,
            seen_at: Instant::now(),
            before: Duration::ZERO,
        };
        self.phase.replace(begun).map(Phase::length)
    }

    /// Notes in which phase an object is that this process sees for the first time.
    pub(crate) fn meet(&mut self, object: &Deployment) {
        if self.phase.is_none() {
            self.phase = Phase::recorded(object);
        }
    }

    /// How long this process has known the resource group to be missing.
    pub(crate) fn group_missing_for(&mut self, group: &str) -> Duration {
        since(&mut self.group_missing, group.to_owned())
    }

    /// Notes that the resource group is there.
    pub(crate) fn group_found(&mut self) {
        self.group_missing = None;
    }

    /// How long this process has known of the open call with this key.
    pub(crate) fn intent_known_for(&mut self, call: CallKey) -> Duration {
        since(&mut self.intent, call)
    }
}

/// How long `slot` has held `value`, beginning now when it held another one.
fn since<T: PartialEq>(slot: &mut Option<(T, Instant)>, value: T) -> Duration {
    match slot {
        Some((held, since)) if *held == value => since.elapsed(),
        _ => {
            *slot = Some((value, Instant::now()));
            Duration::ZERO
        }
    }
}

/// Resource versions of one kind can be compared as numbers (Kubernetes API concepts, "Resource versions").
pub(crate) fn version(object: &Deployment) -> u64 {
    object
        .resource_version()
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_without_effect_is_repeated_only_after_a_pause() {
        let mut memory = Memory::new(Instant::now());
        let (long, none) = (|_| Duration::from_secs(3600), |_| Duration::ZERO);
        assert_eq!(memory.times("d1", Step::Stop, "RUNNING", long), Ok(1));
        assert_eq!(
            memory.times("d1", Step::Stop, "RUNNING", long),
            Ok(1),
            "asking is not sending"
        );
        memory.sent("d1", Step::Stop, "RUNNING".into(), 1);
        assert!(memory.times("d1", Step::Stop, "RUNNING", long).is_err());
        assert_eq!(memory.times("d1", Step::Stop, "RUNNING", none), Ok(2));
        assert_eq!(
            memory.times("d1", Step::Delete, "STOPPED", long),
            Ok(1),
            "another state is another matter"
        );
    }

    #[test]
    fn nothing_is_sent_while_ai_core_asks_to_be_left_alone() {
        let mut memory = Memory::new(Instant::now());
        memory.leave_alone(Duration::from_secs(3600));
        assert!(
            memory
                .times("d1", Step::Stop, "RUNNING", |_| Duration::ZERO)
                .is_err()
        );
    }

    #[test]
    fn a_phase_that_began_before_this_process_is_as_long_as_the_status_says() {
        let now = Timestamp::now();
        let condition = |kind: &str, status: &str, reason: &str, minutes: i64| {
            let since = now - jiff::SignedDuration::from_mins(minutes);
            serde_json::json!({"type": kind, "status": status, "reason": reason, "message": "",
                "lastTransitionTime": since.to_string()})
        };
        let object = serde_json::json!({
            "metadata": {"name": "churn"},
            "spec": {"resourceGroup": "team-a", "connectionRef": {"name": "prod"}, "configurationId": "c1"},
            "status": {"conditions": [
                condition("Ready", "False", "Overdue", 90),
                condition("Available", "False", "NotServing", 95),
                condition("Stalled", "True", "Overdue", 30),
            ]},
        });
        let object: Deployment = serde_json::from_value(object).expect("it is a Deployment");
        let mut memory = Memory::new(Instant::now());
        memory.meet(&object);
        let (reason, time) = memory.enter(Reason::Running).expect("a phase is over");
        assert_eq!((reason, time.as_secs() / 60), (Reason::Overdue, 30));
        memory.meet(&object);
        let (reason, time) = memory.enter(Reason::Stopping).expect("a phase is over");
        assert_eq!((reason, time.as_secs()), (Reason::Running, 0));
    }

    #[test]
    fn what_is_remembered_of_one_deployment_says_nothing_of_another() {
        let mut memory = Memory::new(Instant::now());
        memory.about("d1").accept(Target::Stopped);
        let accepted =
            |memory: &mut Memory, id| memory.about(id).accepted().map(|(target, _)| target);
        assert_eq!(accepted(&mut memory, "d1"), Some(Target::Stopped));
        assert_eq!(accepted(&mut memory, "d2"), None);
        memory.forget("d1");
        assert_eq!(accepted(&mut memory, "d1"), None);
    }
}
