//! How long it takes until another process leads. The times are those that the holders write into the Lease, so a busy machine adds little.

use aicore_emulator::Effect;
use aicore_emulator::Operation::{CreateDeployment, ListConfigurations, StopDeployment};
use harness::manifests::{deployment, wish};
use harness::operator::Operator;
use harness::scene::{LIMIT, Scene, Setting};
use jiff::{SignedDuration, Timestamp};

use crate::history::{History, Takeover};
use crate::{LEADING, OPERATOR, two};

/// Two seconds are promised, and this is what a busy machine may make of them: far less than the Lease of [`long`] lasts, or a call.
const HANDED_OVER: SignedDuration = SignedDuration::from_secs(5);

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

/// Ends the leader in order, and holds that it lets the Lease go and that the other one takes it in time. That is the scene's operator from here
/// on. Returns when the leader was told, and how the Lease went.
async fn hand_over(scene: &mut Scene, other: Operator, history: &History) -> (Timestamp, Takeover) {
    let told = Timestamp::now();
    let end = scene.operator.terminate().await;
    assert!(end.success(), "{end}");
    let takeover = history.taken_over().await;
    let let_go = takeover.let_go.expect("the Lease is let go");
    let after = |time: Timestamp| time.duration_since(told);
    println!(
        "let go after {:?}, taken after {:?}",
        after(let_go),
        after(takeover.taken)
    );
    assert!(after(takeover.taken) < HANDED_OVER);
    other.says(LEADING).await;
    scene.operator = other;
    (told, takeover)
}

/// Holds that nothing was written between the two leaders.
fn assert_quiet_between(scene: &Scene, takeover: &Takeover) {
    let let_go = takeover.let_go.expect("the Lease is let go");
    let writes = scene.kubernetes_writes();
    assert!(writes.iter().any(|write| write.at > takeover.taken));
    let between = |time: Timestamp| let_go < time && time < takeover.taken;
    let between: Vec<_> = writes.iter().filter(|write| between(write.at)).collect();
    assert!(between.is_empty(), "{between:?}");
}

#[tokio::test]
async fn told_to_end_a_leader_that_has_nothing_to_do_lets_its_lease_go_and_the_other_leads() {
    let (mut scene, other) = two(long()).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let history = History::of(&scene).await;
    let (_, takeover) = hand_over(&mut scene, other, &history).await;
    wish(&scene, "churn", "Stopped").await;
    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    assert_quiet_between(&scene, &takeover);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn told_to_end_in_a_create_call_that_is_not_answered_a_leader_does_not_wait_for_it() {
    let (mut scene, other) = two(long()).await;
    let history = History::of(&scene).await;
    let late = Effect::AnswerLatencyMs(SLOW);
    let create = [CreateDeployment];
    scene.ai_core.fault("late", &create, Some(1), late).await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    let (_, takeover) = hand_over(&mut scene, other, &history).await;

    let id = scene.until_ready("churn", "Running").await;
    assert_eq!(id, scene.ai_core.only_deployment().await.id);
    assert_quiet_between(&scene, &takeover);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn what_a_create_call_makes_after_its_caller_has_ended_is_found_and_nothing_else_is_created()
{
    let (mut scene, other) = two(long()).await;
    let history = History::of(&scene).await;
    let latency = SLOW / 2;
    let late = Effect::LatencyMs(latency);
    let create = [CreateDeployment];
    scene.ai_core.fault("late", &create, Some(1), late).await;
    scene.put(&deployment("churn")).await;
    scene.until_announced("churn").await;
    scene.ai_core.hit("late", LIMIT).await;
    let (told, _) = hand_over(&mut scene, other, &history).await;

    let id = scene.until_ready("churn", "Running").await;
    assert_eq!(id, scene.ai_core.only_deployment().await.id);
    let calls = scene.ai_core.calls(CreateDeployment).await;
    let [call] = calls.as_slice() else {
        panic!("it was not called once: {calls:?}");
    };
    assert!(call.received_at < Some(told) && call.at > told, "{call:?}");
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn told_to_end_in_a_stop_call_that_is_not_answered_a_leader_does_not_wait_for_it() {
    let (mut scene, other) = two(long()).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let history = History::of(&scene).await;
    let late = Effect::AnswerLatencyMs(SLOW);
    let stop = [StopDeployment];
    scene.ai_core.fault("late", &stop, Some(1), late).await;
    wish(&scene, "churn", "Stopped").await;
    scene.ai_core.called(StopDeployment, 1, LIMIT).await;
    let (_, takeover) = hand_over(&mut scene, other, &history).await;

    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    assert_quiet_between(&scene, &takeover);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn told_to_end_while_it_reads_a_leader_does_not_wait_for_that() {
    let (mut scene, other) = two(long()).await;
    let history = History::of(&scene).await;
    let late = Effect::LatencyMs(SLOW / 2);
    let list = [ListConfigurations];
    scene.ai_core.fault("late", &list, Some(1), late).await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.hit("late", LIMIT).await;
    let (told, takeover) = hand_over(&mut scene, other, &history).await;

    scene.until_ready("churn", "Running").await;
    assert_quiet_between(&scene, &takeover);
    scene.ai_core.called(ListConfigurations, 2, LIMIT).await;
    let calls = scene.ai_core.calls(ListConfigurations).await;
    let mut late = calls.iter().filter(|call| call.fault.is_some());
    assert!(late.all(|call| call.received_at < Some(told) && call.at > told));
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_leader_that_has_crashed_is_replaced_when_its_lease_has_run_out_and_not_before() {
    let lease = SignedDuration::from_secs(5);
    let setting = Setting {
        arguments: &["--lease-duration-seconds", "5"],
        ..Setting::of(OPERATOR)
    };
    let (mut scene, other) = two(setting).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let history = History::of(&scene).await;
    let crashed = Timestamp::now();
    scene.operator.crash().await;
    let takeover = history.taken_over().await;
    println!(
        "taken {:?} after the crash, {:?} after the last renewal",
        takeover.taken.duration_since(crashed),
        takeover.taken.duration_since(takeover.renewed)
    );
    assert_eq!(takeover.let_go, None, "nobody can have let it go");
    let waited = takeover.taken.duration_since(takeover.renewed);
    // One look to see the last renewal, and one to see that there is none any more: a second together. The rest is for a busy machine.
    assert!(
        lease <= waited && waited < lease + HANDED_OVER,
        "{waited:?}"
    );

    other.says(LEADING).await;
    wish(&scene, "churn", "Stopped").await;
    scene.operator = other;
    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}
