//! Late results of create calls that were given up, which an object has besides the deployment that it records. They are stopped and deleted where
//! nobody else can have made them, and no object goes before them.

use aicore_emulator::Effect;
use aicore_emulator::Operation::{CreateDeployment, DeleteDeployment, StopDeployment};
use harness::scene::{GROUP, LIMIT, Scene};
use serde_json::{Value, json};

use crate::manifests::{
    configuration_of, deployment, deployment_from, make_exclusive, scene, wish,
};

/// Far later than the operator waits for the outcome of a create call: the request timeout of 3 s and the grace period of 2 s.
const LATE: Effect = Effect::LatencyMs(14_000);

/// A deployment that came too late was stopped and deleted, with events that say why, and the object runs on with the one that it has.
async fn assert_retired(scene: &Scene, late: &str, current: &str) {
    scene.ai_core.until_gone(late, LIMIT).await;
    let told = |object: &Value| object["status"].get("retiring").is_none();
    scene
        .until("Deployment", "churn", "nothing is left to retire", told)
        .await;
    assert_eq!(scene.until_ready("churn", "Running").await, current);
    let effects = scene.ai_core.effects().await;
    let about_the_late: Vec<_> = effects
        .into_iter()
        .filter(|(operation, id)| *operation != CreateDeployment && id.as_deref() == Some(late))
        .map(|(operation, _)| operation)
        .collect();
    assert_eq!(about_the_late, [StopDeployment, DeleteDeployment]);
    let events = scene.events().await;
    assert!(
        events
            .iter()
            .any(|(reason, note)| reason == "Retiring" && note.contains(late)),
        "{events:#?}"
    );
}

/// Waits until so many create calls have had their effect, the late one last. Returns the id of its result.
async fn result_of_the_last_of(scene: &Scene, calls: usize) -> String {
    scene.ai_core.called(CreateDeployment, calls, LIMIT).await;
    let calls = scene.ai_core.calls(CreateDeployment).await;
    let last = calls.last().and_then(|call| call.deployment_id.clone());
    last.expect("the late call was accepted")
}

#[tokio::test]
async fn the_late_result_of_a_call_that_was_given_up_is_retired_by_its_name() {
    let scene = scene().await;
    scene
        .ai_core
        .fault("late", &[CreateDeployment], Some(1), LATE)
        .await;
    scene.put(&deployment("churn")).await;
    let current = scene.until_ready("churn", "Running").await;
    let late = result_of_the_last_of(&scene, 2).await;
    assert_ne!(late, current);

    assert_retired(&scene, &late, &current).await;

    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn a_result_that_comes_after_a_crash_and_a_second_call_is_retired() {
    let mut scene = scene().await;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropBefore)
        .await;
    scene.put(&deployment("churn")).await;
    scene.until_announced("churn").await;
    scene.operator.kill().await;
    scene.operator.start_again();
    let current = scene.until_ready("churn", "Running").await;
    scene.operator.kill().await;
    let configuration = configuration_of(&scene, "churn").await;
    let late = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.operator.start_again();

    assert_retired(&scene, &late, &current).await;

    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_late_result_from_a_configuration_that_nobody_else_uses_is_retired() {
    let scene = scene().await;
    make_exclusive(&scene).await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    scene
        .ai_core
        .fault("late", &[CreateDeployment], Some(1), LATE)
        .await;
    scene.put(&deployment_from("churn", &configuration)).await;
    let current = scene.until_ready("churn", "Running").await;
    let late = result_of_the_last_of(&scene, 2).await;
    assert_ne!(late, current);

    assert_retired(&scene, &late, &current).await;

    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn what_may_be_a_late_result_or_somebody_elses_is_never_touched() {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropBefore)
        .await;
    scene.put(&deployment_from("churn", &configuration)).await;
    let current = scene.until_ready("churn", "Running").await;
    let strange = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.ai_core.listed_again(5, LIMIT).await;
    assert_eq!(scene.until_ready("churn", "Running").await, current);

    scene.delete_and_wait("churn").await;

    let effects = scene.ai_core.effects().await;
    let about_it = |(_, id): &(_, Option<String>)| id.as_ref() == Some(&strange);
    assert!(!effects.iter().any(about_it), "{effects:?}");
    assert_eq!(
        scene.ai_core.status_of(&strange).await.as_deref(),
        Some("RUNNING")
    );
    scene.finish(1).await;
}

#[tokio::test]
async fn a_late_result_that_comes_while_the_object_is_being_deleted_goes_first() {
    let mut scene = scene().await;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropBefore)
        .await;
    scene.put(&deployment("churn")).await;
    let current = scene.until_ready("churn", "Running").await;
    let configuration = configuration_of(&scene, "churn").await;
    scene.ai_core.set(json!({"stoppingMs": 600_000})).await;
    scene.delete("Deployment", "churn").await;
    assert_eq!(scene.until_stop_is_accepted("churn").await, current);
    scene.operator.kill().await;
    let late = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.operator.start_again();
    scene.ai_core.set(json!({"stoppingMs": 50})).await;

    scene.until_gone("Deployment", "churn").await;

    for id in [&late, &current] {
        assert_eq!(scene.ai_core.status_of(id).await, None);
    }
    scene.finish(1).await;
}

/// An object that wants nothing any more by the time at which the result of its first call comes. Returns the id of that.
async fn late_for_an_object_that_is(desired_state: &str) -> (Scene, String) {
    let scene = scene().await;
    let late = late_for(&scene, &deployment("churn"), desired_state).await;
    (scene, late)
}

async fn late_for(scene: &Scene, object: &Value, desired_state: &str) -> String {
    scene
        .ai_core
        .fault("late", &[CreateDeployment], Some(1), LATE)
        .await;
    scene.put(object).await;
    scene.until_announced("churn").await;
    wish(scene, "churn", desired_state).await;
    assert_eq!(scene.until_ready("churn", desired_state).await, "");
    result_of_the_last_of(scene, 1).await
}

#[tokio::test]
async fn a_late_result_goes_although_its_object_says_deleted() {
    let (scene, late) = late_for_an_object_that_is("Deleted").await;
    scene.ai_core.until_gone(&late, LIMIT).await;
    scene.until_ready("churn", "Deleted").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_late_result_from_a_configuration_that_nobody_else_uses_goes_although_its_object_says_deleted()
 {
    let scene = scene().await;
    make_exclusive(&scene).await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let late = late_for(&scene, &deployment_from("churn", &configuration), "Deleted").await;
    scene.ai_core.until_gone(&late, LIMIT).await;
    scene.until_ready("churn", "Deleted").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_late_result_is_stopped_although_its_object_says_stopped() {
    let (scene, late) = late_for_an_object_that_is("Stopped").await;
    let stopped = |object: &Value| object["status"]["deployment"]["state"] == "STOPPED";
    scene
        .until("Deployment", "churn", "the late one has stopped", stopped)
        .await;
    assert_eq!(scene.until_ready("churn", "Stopped").await, late);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_object_that_said_deleted_before_a_late_result_takes_it_along() {
    let (scene, late) = late_for_an_object_that_is("Deleted").await;
    scene.ai_core.listed_again(2, LIMIT).await;
    scene.delete_and_wait("churn").await;
    assert_eq!(scene.ai_core.status_of(&late).await, None);
    scene.finish(1).await;
}
