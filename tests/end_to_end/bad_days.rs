//! Bad days of AI Core, and bad input that only AI Core knows: each is told in a condition that a person can act on, and goes by itself once its
//! cause has gone.

use aicore_emulator::Operation::{
    self, CreateConfiguration, CreateDeployment, DeleteDeployment, ListDeployments, StopDeployment,
};
use aicore_emulator::{Effect, Response};
use harness::scene::{GROUP, LIMIT, Scene, Setting, condition};
use serde_json::{Value, json};

use crate::manifests::{
    OPERATOR, adoption, configuration, deployment, deployment_that_ends, scene, wish, with,
};

/// A scene whose operator loses its patience after two seconds, and looks at what is at rest every second.
async fn impatient_scene() -> Scene {
    let setting = Setting {
        arguments: &["--overdue-seconds", "2", "--resync-seconds", "1"],
        ..Setting::of(OPERATOR)
    };
    Scene::start(setting).await
}

fn answer(status: u16, content_type: &str, body: &str) -> Response {
    Response {
        status,
        body: body.to_owned(),
        content_type: Some(content_type.to_owned()),
        retry_after: None,
    }
}

/// A page for people, as a proxy on the way sends it.
fn page(status: u16) -> Response {
    let body = "<html><head><title>Sign in</title></head><body>Please sign in</body></html>";
    answer(status, "text/html", body)
}

fn too_large() -> Effect {
    let body = "<html><body>413 Request Entity Too Large</body></html>";
    Effect::Respond(answer(413, "text/html", body))
}

async fn assert_gone(scene: Scene, id: &str, creations: usize) {
    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.status_of(id).await, None);
    scene.finish(creations).await;
}

/// Waits until a deleted object is not Ready for this reason, and returns what it says.
async fn until_deletion_says(scene: &Scene, reason: &str) -> String {
    let says = |object: &Value| {
        object["metadata"]["deletionTimestamp"].is_string()
            && condition(object, "Ready")["reason"] == reason
    };
    let what = format!("deleted, and Ready has the reason {reason}");
    let object = scene.until("Deployment", "churn", &what, says).await;
    condition(&object, "Ready")["message"].to_string()
}

#[tokio::test]
async fn a_deployment_that_stays_unknown_is_told_and_goes_on_when_it_moves() {
    let scene = impatient_scene().await;
    scene
        .put(&deployment_that_ends("churn", "STUCK_UNKNOWN"))
        .await;
    let message = scene.until_stalled("churn", "Overdue").await;
    assert!(message.contains("UNKNOWN"), "{message}");
    let stuck = scene.ai_core.only_deployment().await;
    scene
        .ai_core
        .force(&stuck.id, json!({"status": "RUNNING"}))
        .await;
    assert_eq!(scene.until_ready("churn", "Running").await, stuck.id);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deployment_that_stays_unknown_cannot_be_stopped_but_deleted() {
    let scene = impatient_scene().await;
    scene
        .put(&deployment_that_ends("churn", "STUCK_UNKNOWN"))
        .await;
    scene.until_stalled("churn", "Overdue").await;
    wish(&scene, "churn", "Stopped").await;
    scene.until_stalled("churn", "Overdue").await;
    assert_eq!(scene.ai_core.calls(StopDeployment).await.len(), 0);
    wish(&scene, "churn", "Deleted").await;
    scene.until_ready("churn", "Deleted").await;
    assert_eq!(scene.ai_core.calls(StopDeployment).await.len(), 0);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deployment_that_never_ends_stopping_is_told_and_holds_its_object() {
    let scene = impatient_scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.set(json!({"stoppingMs": 600_000})).await;
    scene.delete("Deployment", "churn").await;
    scene.until_stop_is_accepted("churn").await;
    scene
        .ai_core
        .force(&id, json!({"status": "STOPPING"}))
        .await;
    let message = until_deletion_says(&scene, "Overdue").await;
    for part in [id.as_str(), "STOPPING", "SAP support"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    assert_eq!(scene.ai_core.calls(StopDeployment).await.len(), 1);
    scene.ai_core.set(json!({"stoppingMs": 50})).await;
    assert_gone(scene, &id, 1).await;
}

#[tokio::test]
async fn a_deployment_that_is_never_deleted_is_told_and_holds_its_object() {
    let scene = impatient_scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.set(json!({"deletingMs": 600_000})).await;
    scene.delete("Deployment", "churn").await;
    let message = until_deletion_says(&scene, "Overdue").await;
    assert!(message.contains(&id), "{message}");
    assert_eq!(scene.ai_core.calls(DeleteDeployment).await.len(), 1);
    scene.ai_core.set(json!({"deletingMs": 50})).await;
    assert_gone(scene, &id, 1).await;
}

#[tokio::test]
async fn a_deployment_that_vanishes_while_it_stops_is_as_good_as_deleted() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.set(json!({"stoppingMs": 600_000})).await;
    scene.delete("Deployment", "churn").await;
    scene.until_stop_is_accepted("churn").await;
    scene.ai_core.remove(&id).await;
    assert_gone(scene, &id, 1).await;
}

/// A call of a deletion is refused as too large.
async fn a_deletion_is_refused(operation: Operation, reason: &str) {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene
        .ai_core
        .fault("too large", &[operation], None, too_large())
        .await;
    scene.delete("Deployment", "churn").await;
    let message = until_deletion_says(&scene, reason).await;
    assert!(message.contains("413"), "{message}");
    scene.ai_core.heal().await;
    assert_gone(scene, &id, 1).await;
}

#[tokio::test]
async fn a_stop_that_is_refused_as_too_large_is_told_and_made_again() {
    a_deletion_is_refused(StopDeployment, "StopRefused").await;
}

#[tokio::test]
async fn a_delete_that_is_refused_as_too_large_is_told_and_made_again() {
    a_deletion_is_refused(DeleteDeployment, "DeleteRefused").await;
}

#[tokio::test]
async fn lists_that_are_refused_as_too_large_are_told_and_prove_nothing() {
    a_deletion_is_refused(ListDeployments, "Refused").await;
}

/// A call that a new deployment needs is refused as too large.
async fn a_creation_is_refused(operation: Operation) {
    let scene = scene().await;
    scene
        .ai_core
        .fault("too large", &[operation], None, too_large())
        .await;
    scene.put(&deployment("churn")).await;
    let message = scene.until_stalled("churn", "InvalidConfiguration").await;
    assert!(message.contains("413"), "{message}");
    scene.ai_core.heal().await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_configuration_that_is_refused_as_too_large_is_told_and_made_again() {
    a_creation_is_refused(CreateConfiguration).await;
}

#[tokio::test]
async fn a_create_call_that_is_refused_as_too_large_is_told_and_made_again() {
    a_creation_is_refused(CreateDeployment).await;
}

/// Pages for people come in place of the answers to a creation, whether the calls had their effect or not.
async fn pages_in_place_of_answers(effect: impl Fn(Response) -> Effect) {
    let scene = scene().await;
    for status in [200, 202, 502] {
        let name = format!("churn-{status}");
        for operation in [CreateConfiguration, CreateDeployment] {
            scene
                .ai_core
                .fault("page", &[operation], Some(1), effect(page(status)))
                .await;
        }
        scene.put(&deployment(&name)).await;
        scene.until_ready(&name, "Running").await;
        scene.delete_and_wait(&name).await;
    }
    scene.finish(3).await;
}

#[tokio::test]
async fn pages_in_place_of_calls_make_no_second_deployment() {
    pages_in_place_of_answers(Effect::Respond).await;
}

#[tokio::test]
async fn pages_in_place_of_answers_make_no_second_deployment() {
    pages_in_place_of_answers(Effect::RespondAfter).await;
}

#[tokio::test]
async fn a_deletion_survives_pages_from_a_broken_gateway() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene
        .ai_core
        .fault("page", &[], None, Effect::Respond(page(502)))
        .await;
    scene.delete("Deployment", "churn").await;
    let message = until_deletion_says(&scene, "Unavailable").await;
    assert!(message.contains("502"), "{message}");
    scene.ai_core.heal().await;
    assert_gone(scene, &id, 1).await;
}

#[tokio::test]
async fn a_deployment_of_another_resource_group_is_not_found_and_not_touched() {
    let scene = scene().await;
    let elsewhere = scene.ai_core.add_configuration("team-b").await;
    let id = scene.ai_core.add_deployment("team-b", &elsewhere).await;
    scene.put(&adoption("churn", &id, "Delete")).await;
    let message = scene.until_stalled("churn", "NeverSeen").await;
    for part in [id.as_str(), GROUP] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    scene.delete_and_wait("churn").await;
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );

    let mut corrected = adoption("churn", &id, "Delete");
    corrected["spec"]["resourceGroup"] = json!("team-b");
    scene.put(&corrected).await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    assert_eq!(scene.ai_core.effects().await, []);
    scene.delete_and_wait("churn").await;
    scene.finish(0).await;
}

/// A resource group that is deleted under a running deployment, and made again.
async fn scene_without_group(recreate_policy: &str) -> (Scene, String) {
    let scene = impatient_scene().await;
    scene.ai_core.add_group("team-c").await;
    let spec = json!({
        "configuration": configuration(&json!({})),
        "resourceGroup": "team-c",
        "recreatePolicy": recreate_policy,
    });
    scene.put(&with("churn", spec)).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.remove_group("team-c").await;
    (scene, id)
}

#[tokio::test]
async fn a_resource_group_that_an_administrator_deletes_is_told_until_a_person_decides() {
    let (scene, id) = scene_without_group("Never").await;
    let message = scene.until_stalled("churn", "DeploymentMissing").await;
    assert!(message.contains(&id), "{message}");
    scene.ai_core.add_group("team-c").await;
    wish(&scene, "churn", "Deleted").await;
    scene.until_ready("churn", "Deleted").await;
    wish(&scene, "churn", "Running").await;
    assert_ne!(scene.until_ready("churn", "Running").await, id);
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn a_deployment_is_made_anew_as_soon_as_its_resource_group_is_back() {
    let (scene, id) = scene_without_group("Always").await;
    let stalled = |object: &Value| {
        object["status"].get("deployment").is_none()
            && condition(object, "Stalled")["status"] == "True"
    };
    let told = scene
        .until("Deployment", "churn", "without a group, Stalled", stalled)
        .await;
    let message = condition(&told, "Stalled")["message"].to_string();
    assert!(message.contains("resource group"), "{message}");
    scene.ai_core.add_group("team-c").await;
    assert_ne!(scene.until_ready("churn", "Running").await, id);
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn a_wish_is_followed_although_the_first_calls_for_it_get_no_sensible_answer() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    for operation in [StopDeployment, DeleteDeployment] {
        scene
            .ai_core
            .fault("page", &[operation], Some(1), Effect::Respond(page(200)))
            .await;
    }
    wish(&scene, "churn", "Deleted").await;
    scene.until_ready("churn", "Deleted").await;
    scene.ai_core.called(DeleteDeployment, 2, LIMIT).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}
