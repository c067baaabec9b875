//! Whatever is deleted first, and in whatever manner, everything ends by itself and no model is left.

use aicore_emulator::Effect;
use aicore_emulator::Operation::CreateDeployment;
use harness::scene::{CONNECTION, GROUP, LIMIT, SECRET, Scene};
use serde_json::{Value, json};

use crate::manifests::{adoption, deployment, deployment_that_ends, scene, wish};

/// Objects in several states, and the id of a deployment that is to stay.
async fn populated() -> (Scene, String) {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let kept = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.put(&deployment("running")).await;
    scene.put(&deployment("stopped")).await;
    scene.put(&deployment_that_ends("dead", "DEAD")).await;
    scene
        .put(&deployment_that_ends("starting", "STUCK_PENDING"))
        .await;
    scene.put(&adoption("kept", &kept, "Orphan")).await;
    scene.until_ready("running", "Running").await;
    scene.until_ready("stopped", "Running").await;
    scene.until_stalled("dead", "DeploymentDead").await;
    scene.until_state("starting", "PENDING").await;
    scene.until_ready("kept", "Running").await;
    wish(&scene, "stopped", "Stopped").await;
    scene.until_ready("stopped", "Stopped").await;
    (scene, kept)
}

/// Only the deployment that was to stay is left.
async fn assert_only_kept(scene: Scene, kept: &str) {
    let left = scene.ai_core.deployments().await;
    let left: Vec<&str> = left
        .iter()
        .map(|deployment| deployment.id.as_str())
        .collect();
    assert_eq!(left, [kept]);
    scene.finish(4).await;
}

/// Has these objects deleted and then the namespace, and waits for its end.
async fn namespace_ends_after(first: &[(&str, &str)]) {
    let (scene, kept) = populated().await;
    for (kind, name) in first {
        scene.delete(kind, name).await;
    }
    scene.delete_namespace().await;
    scene.until_namespace_is_gone().await;
    assert_only_kept(scene, &kept).await;
}

#[tokio::test]
async fn a_namespace_ends_where_everything_is_deleted_at_once() {
    namespace_ends_after(&[]).await;
}

#[tokio::test]
async fn a_namespace_ends_where_the_secret_is_deleted_first() {
    namespace_ends_after(&[("Secret", SECRET)]).await;
}

#[tokio::test]
async fn a_namespace_ends_where_the_connection_is_deleted_first() {
    namespace_ends_after(&[("Connection", CONNECTION), ("Secret", SECRET)]).await;
}

#[tokio::test]
async fn a_namespace_ends_where_a_deployment_is_deleted_first() {
    namespace_ends_after(&[("Deployment", "running"), ("Connection", CONNECTION)]).await;
}

#[tokio::test]
async fn a_namespace_ends_that_was_deleted_while_the_operator_was_down() {
    let (mut scene, kept) = populated().await;
    scene.operator.kill().await;
    scene.delete_namespace().await;
    let deleted = |object: &Value| object["metadata"]["deletionTimestamp"].is_string();
    scene
        .until("Deployment", "running", "it is deleted", deleted)
        .await;
    scene.operator.start_again();
    scene.until_namespace_is_gone().await;
    assert_only_kept(scene, &kept).await;
}

#[tokio::test]
async fn all_objects_of_a_namespace_that_stays_can_be_deleted_in_one_command() {
    let (scene, kept) = populated().await;
    let all = ["delete", "aid,aiconn", "--all", "--timeout=60s"];
    let deleted = scene.kubectl(&all).await;
    assert!(deleted.succeeded, "{}", deleted.errors);
    scene.delete("Secret", SECRET).await;
    scene.until_gone("Secret", SECRET).await;
    assert_only_kept(scene, &kept).await;
}

#[tokio::test]
async fn a_namespace_that_is_deleted_during_a_create_call_ends_without_a_trace() {
    let scene = scene().await;
    let slow = Effect::AnswerLatencyMs(1_500);
    scene
        .ai_core
        .fault("slow", &[CreateDeployment], Some(1), slow)
        .await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    scene.delete_namespace().await;
    scene.until_namespace_is_gone().await;
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(1).await;
}

#[tokio::test]
async fn a_namespace_that_is_deleted_after_a_crash_in_a_create_call_ends_without_a_trace() {
    let mut scene = scene().await;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropAfter)
        .await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    scene.operator.kill().await;
    scene.delete_namespace().await;
    scene.operator.start_again();
    scene.until_namespace_is_gone().await;
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(1).await;
}

/// Deletes a running deployment's object in this manner of garbage collection.
async fn is_deleted_with(cascade: &str) {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let manner = format!("--cascade={cascade}");
    let deleted = scene
        .kubectl(&["delete", "aid", "churn", &manner, "--timeout=60s"])
        .await;
    assert!(deleted.succeeded, "{}", deleted.errors);
    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deletion_in_the_foreground_deletes_the_model() {
    is_deleted_with("foreground").await;
}

#[tokio::test]
async fn a_deletion_that_orphans_kubernetes_dependents_deletes_the_model_all_the_same() {
    is_deleted_with("orphan").await;
}

#[tokio::test]
async fn an_object_that_is_deleted_before_anybody_has_looked_at_it_creates_nothing() {
    let mut scene = scene().await;
    scene.operator.kill().await;
    scene.put(&deployment("churn")).await;
    let mut held = deployment("held");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    scene.put(&held).await;
    scene.delete_and_wait("churn").await;
    scene.delete("Deployment", "held").await;

    scene.operator.start_again();

    // One that comes later has its turn after them.
    scene.put(&deployment("later")).await;
    let id = scene.until_ready("later", "Running").await;
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(id))]
    );
    let object = scene.get("Deployment", "held").await;
    assert_eq!(
        object["metadata"]["finalizers"],
        json!(["example.com/hold"])
    );
    let freed = json!({"metadata": {"finalizers": null}});
    scene.change("Deployment", "held", freed).await;
    scene.until_gone("Deployment", "held").await;
    scene.delete_and_wait("later").await;
    scene.finish(1).await;
}
