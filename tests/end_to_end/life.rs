//! A deployment's life: every wish is reached from every state, and nothing is left behind.

use aicore_emulator::Operation::{
    self, ChangeConfiguration, CreateDeployment, DeleteDeployment, StopDeployment,
};
use harness::scene::{Scene, id_of};
use serde_json::{Value, json};

use crate::manifests::{
    configuration, deployment, deployment_from, deployment_that_ends, scene, wish,
};

#[tokio::test]
async fn a_deployment_is_created_until_it_runs_and_deleted_until_it_is_gone() {
    let scene = scene().await;
    let applied = scene.apply(&deployment("churn")).await;
    assert!(applied.succeeded, "{}", applied.errors);
    let ready = scene
        .kubectl(&[
            "wait",
            "aid/churn",
            "--for=condition=Ready",
            "--timeout=60s",
        ])
        .await;
    assert!(ready.succeeded, "{}", ready.errors);
    let id = scene.until_ready("churn", "Running").await;

    let deleted = scene
        .kubectl(&["delete", "aid", "churn", "--timeout=60s"])
        .await;

    assert!(deleted.succeeded, "{}", deleted.errors);
    assert_effects(
        &scene,
        &id,
        &[CreateDeployment, StopDeployment, DeleteDeployment],
    )
    .await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn kubectl_get_and_describe_tell_the_story() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;

    let table = scene.kubectl(&["get", "aid"]).await.output;
    let wide = scene.kubectl(&["get", "aid", "-o", "wide"]).await.output;
    let story = scene.kubectl(&["describe", "aid", "churn"]).await.output;
    let connection = scene.kubectl(&["get", "aiconn"]).await.output;

    let columns = |table: &str| {
        let heads = table.lines().next().unwrap_or_default();
        heads
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        columns(&table),
        [
            "NAME", "DESIRED", "STATE", "READY", "REASON", "NEXT", "CHANGE", "AGE"
        ]
    );
    assert!(table.contains("RUNNING"), "{table}");
    for text in [
        "GROUP",
        "URL",
        "CONFIGURATION",
        "NEXT",
        &id,
        "/v2/inference",
    ] {
        assert!(wide.contains(text), "{text} is missing in:\n{wide}");
    }
    for text in ["Created", "was created from configuration", "Running", &id] {
        assert!(story.contains(text), "{text} is missing in:\n{story}");
    }
    assert!(connection.contains("Connected"), "{connection}");
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_pending_deployment_is_stopped_before_it_is_deleted() {
    let scene = scene().await;
    scene
        .put(&deployment_that_ends("churn", "STUCK_PENDING"))
        .await;
    let id = scene.until_state("churn", "PENDING").await;
    scene.delete_and_wait("churn").await;
    assert_effects(
        &scene,
        &id,
        &[CreateDeployment, StopDeployment, DeleteDeployment],
    )
    .await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_unknown_deployment_is_deleted_without_a_stop() {
    let scene = scene().await;
    scene
        .put(&deployment_that_ends("churn", "STUCK_UNKNOWN"))
        .await;
    let id = scene.until_state("churn", "UNKNOWN").await;
    scene.delete_and_wait("churn").await;
    assert_effects(&scene, &id, &[CreateDeployment, DeleteDeployment]).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_dead_deployment_says_why_and_is_deleted_without_a_stop() {
    let scene = scene().await;
    scene.put(&deployment_that_ends("churn", "DEAD")).await;
    let message = scene.until_stalled("churn", "DeploymentDead").await;
    let id = id_of(&scene.get("Deployment", "churn").await);
    assert!(message.contains(&id), "{message}");
    scene.delete_and_wait("churn").await;
    assert_effects(&scene, &id, &[CreateDeployment, DeleteDeployment]).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_stopped_deployment_is_kept_and_deleted_without_a_second_stop() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    wish(&scene, "churn", "Stopped").await;
    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("STOPPED")
    );
    scene.delete_and_wait("churn").await;
    assert_effects(
        &scene,
        &id,
        &[CreateDeployment, StopDeployment, DeleteDeployment],
    )
    .await;
    scene.finish(1).await;
}

#[tokio::test]
async fn desired_state_deleted_empties_ai_core_and_the_object_goes_at_once_afterwards() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    wish(&scene, "churn", "Deleted").await;
    assert_eq!(scene.until_ready("churn", "Deleted").await, "");
    assert_eq!(previous_ids(&scene, "churn").await, json!([id]));
    scene.delete_and_wait("churn").await;
    assert_effects(
        &scene,
        &id,
        &[CreateDeployment, StopDeployment, DeleteDeployment],
    )
    .await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_stopped_deployment_that_is_to_run_again_is_replaced_by_a_new_one_and_events_say_so() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let first = scene.until_ready("churn", "Running").await;
    wish(&scene, "churn", "Stopped").await;
    scene.until_ready("churn", "Stopped").await;

    wish(&scene, "churn", "Running").await;

    let second = scene.until_ready("churn", "Running").await;
    assert_ne!(first, second);
    assert_eq!(previous_ids(&scene, "churn").await, json!([first]));
    let events = scene.events().await;
    let position = |reason: &str, text: &str| {
        let found = events
            .iter()
            .position(|(other, note)| other == reason && note.contains(text));
        found.unwrap_or_else(|| panic!("there is no event {reason} with {text} in {events:#?}"))
    };
    let before = position("Deleting", "a new one with a new id and a new URL");
    assert!(before < position("Created", &second), "{events:#?}");
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn every_other_change_between_the_desired_states_is_made() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    for (state, has_deployment) in [
        ("Stopped", true),
        ("Deleted", false),
        ("Stopped", false),
        ("Running", true),
        ("Deleted", false),
        ("Running", true),
    ] {
        wish(&scene, "churn", state).await;
        let id = scene.until_ready("churn", state).await;
        assert_eq!(!id.is_empty(), has_deployment, "{state}");
    }
    scene.delete_and_wait("churn").await;
    scene.finish(3).await;
}

#[tokio::test]
async fn a_change_of_mind_while_it_starts_or_stops_is_followed() {
    let scene = scene().await;
    scene.ai_core.set(json!({"pendingMs": 600_000})).await;
    scene.put(&deployment("churn")).await;
    let first = scene.until_state("churn", "PENDING").await;
    let slow = json!({"stoppingMs": 600_000, "stoppingAtOnce": true});
    scene.ai_core.set(slow).await;
    wish(&scene, "churn", "Stopped").await;
    scene.until_state("churn", "STOPPING").await;

    wish(&scene, "churn", "Running").await;

    let fast = json!({"pendingMs": 50, "stoppingMs": 50});
    scene.ai_core.set(fast).await;
    let second = scene.until_ready("churn", "Running").await;
    assert_ne!(first, second);
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn a_changed_configuration_is_given_to_the_running_deployment_whose_url_stays() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let before = scene.get("Deployment", "churn").await["status"]["deployment"].clone();

    let changed = json!({"spec": {"configuration": configuration(&json!({"imageTag": "2"}))}});
    scene.change("Deployment", "churn", changed).await;

    assert_eq!(scene.until_ready("churn", "Running").await, id);
    let after = scene.get("Deployment", "churn").await["status"]["deployment"].clone();
    assert_ne!(before["configurationId"], after["configurationId"]);
    assert_eq!(before["url"], after["url"]);
    assert!(after["url"].is_string(), "{after}");
    assert_effects(&scene, &id, &[CreateDeployment, ChangeConfiguration]).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn the_same_configuration_is_made_once_however_often_a_deployment_is_made_from_it() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    wish(&scene, "churn", "Deleted").await;
    scene.until_ready("churn", "Deleted").await;
    wish(&scene, "churn", "Running").await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    let audit = scene.ai_core.audit().await;
    let made = audit
        .iter()
        .filter(|entry| entry.operation == Operation::CreateConfiguration && entry.accepted);
    assert_eq!(made.count(), 1);
    scene.finish(2).await;
}

#[tokio::test]
async fn an_existing_configuration_is_used_as_it_is() {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration("team-a").await;
    scene.put(&deployment_from("churn", &configuration)).await;
    scene.until_ready("churn", "Running").await;
    let object = scene.get("Deployment", "churn").await;
    assert_eq!(
        object["status"]["deployment"]["configurationId"],
        configuration
    );
    scene.delete_and_wait("churn").await;
    let audit = scene.ai_core.audit().await;
    assert!(
        audit
            .iter()
            .all(|entry| entry.operation != Operation::CreateConfiguration)
    );
    scene.finish(1).await;
}

async fn previous_ids(scene: &Scene, name: &str) -> Value {
    scene.get("Deployment", name).await["status"]["previousIds"].clone()
}

/// These calls about this deployment were accepted, in this order, and no others.
async fn assert_effects(scene: &Scene, id: &str, operations: &[Operation]) {
    let expected: Vec<_> = operations
        .iter()
        .map(|operation| (*operation, Some(id.to_owned())))
        .collect();
    assert_eq!(scene.ai_core.effects().await, expected);
}
