//! A deployment that does not run with the configuration that it was given.

use aicore_emulator::Operation::ChangeConfiguration;
use harness::scene::{LIMIT, Scene, condition};
use serde_json::{Value, json};

use crate::crashes::kill_between;
use crate::manifests::{configuration, scene, with};

const CHURN: &str = "churn";

/// A scene with a deployment that runs under this policy, and its id.
async fn running(on_failure: &str) -> (Scene, String) {
    let scene = scene().await;
    let spec = json!({
        "configuration": configuration(&json!({"imageTag": "1"})),
        "update": {"onFailure": on_failure},
    });
    scene.put(&with(CHURN, spec)).await;
    let id = scene.until_ready(CHURN, "Running").await;
    (scene, id)
}

async fn ask_for(scene: &Scene, parameters: Value) {
    let spec = json!({"spec": {"configuration": {"parameters": parameters}}});
    scene.change("Deployment", CHURN, spec).await;
}

async fn recorded(scene: &Scene) -> Value {
    scene.get("Deployment", CHURN).await["status"]["deployment"].clone()
}

/// AI Core has accepted so many changes of configuration.
async fn assert_changes(scene: &Scene, expected: usize) {
    let effects = scene.ai_core.effects().await;
    let changes = effects
        .iter()
        .filter(|(operation, _)| *operation == ChangeConfiguration);
    assert_eq!(changes.count(), expected, "{effects:?}");
}

/// Lets nothing run, changes the configuration, and waits until AI Core has the change.
async fn begin_update(scene: &Scene) {
    scene
        .ai_core
        .set(json!({"runningUpdateMs": 600_000, "pendingMs": 600_000}))
        .await;
    ask_for(scene, json!({"imageTag": "2"})).await;
    scene.until_state(CHURN, "PENDING").await;
}

#[tokio::test]
async fn what_ran_before_is_given_back_once_and_the_object_says_so() {
    let (mut scene, id) = running("RollBack").await;
    let before = recorded(&scene).await;

    ask_for(&scene, json!({"emulator.outcome": "DEAD"})).await;

    let message = scene.until_stalled(CHURN, "RolledBack").await;
    let object = scene.get("Deployment", CHURN).await;
    let failed = object["status"]["rolledBack"]["configurationId"]
        .as_str()
        .expect("the failed configuration is recorded");
    for text in [failed, "failed to start", &id] {
        assert!(message.contains(text), "{text} is missing in: {message}");
    }
    let after = recorded(&scene).await;
    for field in ["id", "url", "configurationId"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    assert_eq!(condition(&object, "Available")["status"], "True");

    scene.operator.kill().await;
    scene.operator.start_again();
    scene.ai_core.listed_again(5, LIMIT).await;
    scene.until_stalled(CHURN, "RolledBack").await;
    assert_changes(&scene, 2).await;

    ask_for(
        &scene,
        json!({"emulator.outcome": "RUNNING", "imageTag": "3"}),
    )
    .await;
    assert_eq!(scene.until_ready(CHURN, "Running").await, id);
    let object = scene.get("Deployment", CHURN).await;
    assert!(object["status"]["rolledBack"].is_null(), "{object}");
    scene.delete_and_wait(CHURN).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn with_the_policy_stall_nothing_is_given_back() {
    let (scene, id) = running("Stall").await;
    ask_for(&scene, json!({"emulator.outcome": "DEAD"})).await;
    let message = scene.until_stalled(CHURN, "DeploymentDead").await;
    assert!(message.contains(&id), "{message}");
    scene.ai_core.listed_again(5, LIMIT).await;
    assert_changes(&scene, 1).await;
    let object = scene.get("Deployment", CHURN).await;
    assert_eq!(condition(&object, "Available")["status"], "False");
    scene.delete_and_wait(CHURN).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn what_never_ran_has_nothing_to_be_given_back() {
    let scene = scene().await;
    let spec = json!({
        "configuration": configuration(&json!({"emulator.outcome": "DEAD"})),
        "update": {"onFailure": "RollBack"},
    });
    scene.put(&with(CHURN, spec)).await;
    scene.until_stalled(CHURN, "DeploymentDead").await;
    scene.ai_core.listed_again(5, LIMIT).await;
    assert_changes(&scene, 0).await;
    scene.delete_and_wait(CHURN).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn when_what_is_given_back_fails_too_a_person_is_told_of_both_and_nothing_more_is_tried() {
    let (scene, id) = running("RollBack").await;
    begin_update(&scene).await;
    scene.ai_core.force(&id, json!({"status": "DEAD"})).await;
    scene.until_reason("Deployment", CHURN, "RollingBack").await;
    scene.ai_core.called(ChangeConfiguration, 2, LIMIT).await;
    scene.until_state(CHURN, "PENDING").await;
    scene.ai_core.force(&id, json!({"status": "DEAD"})).await;
    let message = scene.until_stalled(CHURN, "DeploymentDead").await;
    assert!(message.contains("It was given back"), "{message}");
    scene.ai_core.listed_again(5, LIMIT).await;
    assert_changes(&scene, 2).await;
    scene.delete_and_wait(CHURN).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn killed_between_the_effect_and_the_answer_of_the_way_back_it_is_not_made_twice() {
    let (mut scene, id) = running("RollBack").await;
    begin_update(&scene).await;
    scene.ai_core.called(ChangeConfiguration, 1, LIMIT).await;
    kill_between(&mut scene, ChangeConfiguration, async |scene| {
        scene.ai_core.force(&id, json!({"status": "DEAD"})).await;
    })
    .await;
    scene.operator.start_again();
    scene
        .ai_core
        .set(json!({"runningUpdateMs": 0, "pendingMs": 0}))
        .await;
    scene.until_stalled(CHURN, "RolledBack").await;
    assert_changes(&scene, 2).await;
    scene.delete_and_wait(CHURN).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn the_failed_configuration_is_tried_again_once_the_spec_has_asked_for_another() {
    let (scene, id) = running("RollBack").await;
    begin_update(&scene).await;
    scene.ai_core.force(&id, json!({"status": "DEAD"})).await;
    scene
        .ai_core
        .set(json!({"runningUpdateMs": 0, "pendingMs": 0}))
        .await;
    scene.until_stalled(CHURN, "RolledBack").await;
    ask_for(&scene, json!({"imageTag": "1"})).await;
    scene.until_ready(CHURN, "Running").await;
    ask_for(&scene, json!({"imageTag": "2"})).await;
    assert_eq!(scene.until_ready(CHURN, "Running").await, id);
    assert_changes(&scene, 3).await;
    scene.delete_and_wait(CHURN).await;
    scene.finish(1).await;
}
