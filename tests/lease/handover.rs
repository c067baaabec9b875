//! How long it takes until another process leads. The times are those that the holders write into the Lease, so a busy machine adds little.

use aicore_emulator::Effect;
use aicore_emulator::Operation::{CreateDeployment, ListConfigurations, StopDeployment};
use harness::manifests::{deployment, wish};
use harness::operator::Operator;
use harness::scene::{LIMIT, Scene, Setting};
use jiff::{SignedDuration, Timestamp};

use crate::history::History;
use crate::{LEADING, OPERATOR, two};

/// What a part of a hand-over in order may take: from the signal until the Lease is let go, and from there until another has it.
const HANDED_OVER: SignedDuration = SignedDuration::from_secs(2);

/// What a take-over after a crash may take beyond the Lease. One look sees the last renewal, and another that there is none any more: a second
/// together. The rest is for the requests.
const LOOKED: SignedDuration = SignedDuration::from_millis(1_500);

/// How often a hand-over is tried. A busy machine may hold up one; what the operator waits for would hold up all.
const ATTEMPTS: usize = 3;

/// Longer than a process may wait for a call when it is told to end.
const SLOW: u64 = 20_000;

/// An operator whose Lease lasts for so long that whoever takes it soon can only have found it let go, and that waits for slow calls.
fn long() -> Setting<'static> {
    Setting {
        arguments: &[
            "--lease-duration-seconds",
            "15",
            "--request-timeout-seconds",
            "30",
        ],
        ..Setting::of(OPERATOR)
    }
}

/// Holds that of some attempts one was in time. Each tells how long its parts took.
async fn assert_in_time<const PARTS: usize>(
    limit: SignedDuration,
    attempt: impl AsyncFn() -> [SignedDuration; PARTS],
) {
    let mut taken = Vec::new();
    for _ in 0..ATTEMPTS {
        let parts = attempt().await;
        println!("it took {parts:?}");
        if parts.iter().all(|part| *part < limit) {
            return;
        }
        taken.push(parts);
    }
    panic!("no part may take {limit:?}, and they took {taken:?}");
}

/// The end of a leader, and who leads then.
struct HandOver {
    /// When the leader was told to end.
    told: Timestamp,
    /// When it had let the Lease go.
    let_go: Timestamp,
    /// When the other had it.
    taken: Timestamp,
}

impl HandOver {
    fn parts(&self) -> [SignedDuration; 2] {
        [
            self.let_go.duration_since(self.told),
            self.taken.duration_since(self.let_go),
        ]
    }
}

/// Ends the leader in order, and holds that it lets the Lease go and that the other one takes it. That is the scene's operator from here on.
async fn hand_over(scene: &mut Scene, other: Operator, history: &History) -> HandOver {
    let told = Timestamp::now();
    let end = scene.operator.terminate().await;
    assert!(end.success(), "{end}");
    let takeover = history.taken_over().await;
    other.says(LEADING).await;
    scene.operator = other;
    HandOver {
        told,
        let_go: takeover.let_go.expect("the Lease is let go"),
        taken: takeover.taken,
    }
}

/// Holds that nothing was written between the two leaders.
fn assert_quiet_between(scene: &Scene, handed: &HandOver) {
    let writes = scene.kubernetes_writes();
    assert!(writes.iter().any(|write| write.at > handed.taken));
    let between = |time: Timestamp| handed.let_go < time && time < handed.taken;
    let between: Vec<_> = writes.iter().filter(|write| between(write.at)).collect();
    assert!(between.is_empty(), "{between:?}");
}

#[tokio::test]
async fn told_to_end_a_leader_that_has_nothing_to_do_lets_its_lease_go_and_the_other_leads() {
    assert_in_time(HANDED_OVER, nothing_to_do).await;
}

async fn nothing_to_do() -> [SignedDuration; 2] {
    let (mut scene, other) = two(long()).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let history = History::of(&scene).await;
    let handed = hand_over(&mut scene, other, &history).await;
    wish(&scene, "churn", "Stopped").await;
    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    assert_quiet_between(&scene, &handed);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
    handed.parts()
}

#[tokio::test]
async fn told_to_end_in_a_create_call_that_is_not_answered_a_leader_does_not_wait_for_it() {
    assert_in_time(HANDED_OVER, create_not_answered).await;
}

async fn create_not_answered() -> [SignedDuration; 2] {
    let (mut scene, other) = two(long()).await;
    let history = History::of(&scene).await;
    let late = Effect::AnswerLatencyMs(SLOW);
    let create = [CreateDeployment];
    scene.ai_core.fault("late", &create, Some(1), late).await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    let handed = hand_over(&mut scene, other, &history).await;

    let id = scene.until_ready("churn", "Running").await;
    assert_eq!(id, scene.ai_core.only_deployment().await.id);
    assert_quiet_between(&scene, &handed);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
    handed.parts()
}

#[tokio::test]
async fn what_a_create_call_makes_after_its_caller_has_ended_is_found_and_nothing_else_is_created()
{
    assert_in_time(HANDED_OVER, create_without_effect_yet).await;
}

async fn create_without_effect_yet() -> [SignedDuration; 2] {
    let (mut scene, other) = two(long()).await;
    let history = History::of(&scene).await;
    let latency = SLOW / 2;
    let late = Effect::LatencyMs(latency);
    let create = [CreateDeployment];
    scene.ai_core.fault("late", &create, Some(1), late).await;
    scene.put(&deployment("churn")).await;
    scene.until_announced("churn").await;
    scene.ai_core.hit("late", LIMIT).await;
    let handed = hand_over(&mut scene, other, &history).await;

    let id = scene.until_ready("churn", "Running").await;
    assert_eq!(id, scene.ai_core.only_deployment().await.id);
    let calls = scene.ai_core.calls(CreateDeployment).await;
    let [call] = calls.as_slice() else {
        panic!("it was not called once: {calls:?}");
    };
    assert!(
        call.received_at < Some(handed.told) && call.at > handed.told,
        "{call:?}"
    );
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
    handed.parts()
}

#[tokio::test]
async fn told_to_end_in_a_stop_call_that_is_not_answered_a_leader_does_not_wait_for_it() {
    assert_in_time(HANDED_OVER, stop_not_answered).await;
}

async fn stop_not_answered() -> [SignedDuration; 2] {
    let (mut scene, other) = two(long()).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let history = History::of(&scene).await;
    let late = Effect::AnswerLatencyMs(SLOW);
    let stop = [StopDeployment];
    scene.ai_core.fault("late", &stop, Some(1), late).await;
    wish(&scene, "churn", "Stopped").await;
    scene.ai_core.called(StopDeployment, 1, LIMIT).await;
    let handed = hand_over(&mut scene, other, &history).await;

    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    assert_quiet_between(&scene, &handed);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
    handed.parts()
}

#[tokio::test]
async fn told_to_end_while_it_reads_a_leader_does_not_wait_for_that() {
    assert_in_time(HANDED_OVER, read_not_answered).await;
}

async fn read_not_answered() -> [SignedDuration; 2] {
    let (mut scene, other) = two(long()).await;
    let history = History::of(&scene).await;
    let late = Effect::LatencyMs(SLOW / 2);
    let list = [ListConfigurations];
    scene.ai_core.fault("late", &list, Some(1), late).await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.hit("late", LIMIT).await;
    let handed = hand_over(&mut scene, other, &history).await;

    scene.until_ready("churn", "Running").await;
    assert_quiet_between(&scene, &handed);
    scene.ai_core.called(ListConfigurations, 2, LIMIT).await;
    let calls = scene.ai_core.calls(ListConfigurations).await;
    let mut late = calls.iter().filter(|call| call.fault.is_some());
    assert!(late.all(|call| call.received_at < Some(handed.told) && call.at > handed.told));
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
    handed.parts()
}

#[tokio::test]
async fn a_leader_that_has_crashed_is_replaced_when_its_lease_has_run_out_and_not_before() {
    assert_in_time(LOOKED, crash).await;
}

async fn crash() -> [SignedDuration; 1] {
    let lease = SignedDuration::from_secs(5);
    let setting = Setting {
        arguments: &["--lease-duration-seconds", "5"],
        ..Setting::of(OPERATOR)
    };
    let (mut scene, other) = two(setting).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let history = History::of(&scene).await;
    scene.operator.crash().await;
    let takeover = history.taken_over().await;
    assert_eq!(takeover.let_go, None, "nobody can have let it go");
    let waited = takeover.taken.duration_since(takeover.renewed);
    assert!(lease <= waited, "{waited:?}");

    other.says(LEADING).await;
    wish(&scene, "churn", "Stopped").await;
    scene.operator = other;
    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
    [waited - lease]
}
