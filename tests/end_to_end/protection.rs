//! What carries the annotation `aicore.dev/protected` is neither stopped nor deleted: the API server refuses it, by the policy in `deploy/install.yaml`.

use std::time::Instant;

use harness::scene::{LIMIT, Scene};
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};

use crate::manifests::{deployment, scene};

/// What every refusal tells.
const WAY_OUT: &str = "first remove that, in a change of its own";

/// The Deployment `churn` with the annotation, as somebody keeps it in Git.
fn protected() -> Value {
    let mut object = deployment("churn");
    object["metadata"]["annotations"] = json!({"aicore.dev/protected": "true"});
    object
}

/// A scene where [`protected`] was applied and runs. Returns the id of its deployment as well.
async fn scene_with_protected() -> (Scene, String) {
    let scene = scene().await;
    let applied = scene.apply(&protected()).await;
    assert!(applied.succeeded, "{}", applied.errors);
    let id = scene.until_ready("churn", "Running").await;
    until_refused(&scene, "churn").await;
    (scene, id)
}

/// Waits until the API server has taken up the policy, which it does soon after it was installed.
pub async fn until_refused(scene: &Scene, name: &str) {
    let started = Instant::now();
    loop {
        let trial = scene
            .kubectl(&["delete", "aid", name, "--dry-run=server"])
            .await;
        if !trial.succeeded {
            assert!(trial.errors.contains(WAY_OUT), "{}", trial.errors);
            return;
        }
        assert!(started.elapsed() < LIMIT, "the policy has no effect");
    }
}

async fn apply_refused(scene: &Scene, object: &Value) {
    let refused = scene.apply(object).await;
    assert!(
        !refused.succeeded && refused.errors.contains(WAY_OUT),
        "{}{}",
        refused.output,
        refused.errors
    );
}

async fn unprotect(scene: &Scene) {
    let done = scene
        .kubectl(&["annotate", "aid", "churn", "aicore.dev/protected-"])
        .await;
    assert!(done.succeeded, "{}", done.errors);
}

/// Nobody has touched the object or its deployment.
async fn assert_untouched(scene: &Scene, id: &str) {
    let object = scene.get("Deployment", "churn").await;
    assert!(object["metadata"]["deletionTimestamp"].is_null());
    assert_eq!(object["status"]["desiredState"], "Running");
    assert_eq!(
        scene.ai_core.status_of(id).await.as_deref(),
        Some("RUNNING")
    );
}

#[tokio::test]
async fn deleting_is_refused_until_the_annotation_was_removed() {
    let (scene, id) = scene_with_protected().await;

    let refused = scene.kubectl(&["delete", "aid", "churn"]).await;
    assert!(!refused.succeeded, "{}", refused.output);
    let told = "Deployment churn cannot be deleted, it is protected by its annotation aicore.dev/protected";
    assert!(refused.errors.contains(told), "{}", refused.errors);
    let collection = scene
        .api("Deployment")
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await;
    let refused = collection.expect_err("one of them is protected");
    assert!(refused.to_string().contains(WAY_OUT), "{refused}");
    assert_untouched(&scene, &id).await;

    unprotect(&scene).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn stopping_is_refused_until_the_annotation_was_removed_and_a_revert_may_not_do_both_at_once()
{
    let (scene, id) = scene_with_protected().await;

    for goal in ["Stopped", "Deleted"] {
        let mut edited = protected();
        edited["spec"]["desiredState"] = json!(goal);
        apply_refused(&scene, &edited).await;
        let mut reverted = deployment("churn");
        reverted["spec"]["desiredState"] = json!(goal);
        apply_refused(&scene, &reverted).await;
    }
    assert_untouched(&scene, &id).await;

    let released = scene.apply(&deployment("churn")).await;
    assert!(released.succeeded, "{}", released.errors);
    let mut stopped = deployment("churn");
    stopped["spec"]["desiredState"] = json!("Stopped");
    let stopped = scene.apply(&stopped).await;
    assert!(stopped.succeeded, "{}", stopped.errors);
    scene.until_ready("churn", "Stopped").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn what_stops_nothing_is_allowed() {
    let (scene, _) = scene_with_protected().await;

    let mut edited = protected();
    edited["metadata"]["labels"] = json!({"team": "x"});
    edited["spec"]["configuration"]["parameters"]["imageTag"] = json!("2");
    let edited = scene.apply(&edited).await;
    assert!(edited.succeeded, "{}", edited.errors);
    scene
        .until(
            "Deployment",
            "churn",
            "the new configuration runs",
            |object| {
                let deployment = &object["status"]["deployment"];
                let running = &deployment["latestRunningConfigurationId"];
                running == &object["status"]["configuration"]["id"] && running.is_string()
            },
        )
        .await;

    unprotect(&scene).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_annotation_that_says_false_protects_nothing() {
    let (scene, _) = scene_with_protected().await;
    let open = json!({"metadata": {"annotations": {"aicore.dev/protected": "false"}}});
    scene.change("Deployment", "churn", open).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_namespace_with_a_protected_object_stays_and_says_why_until_the_annotation_is_removed() {
    let (scene, id) = scene_with_protected().await;

    scene.delete_namespace().await;
    let namespace = format!("namespace/{}", scene.namespace);
    let failure = "--for=condition=NamespaceDeletionContentFailure";
    let failed = scene
        .kubectl(&["wait", failure, &namespace, "--timeout=60s"])
        .await;
    assert!(failed.succeeded, "{}", failed.errors);
    let message =
        r#"jsonpath={.status.conditions[?(@.type=="NamespaceDeletionContentFailure")].message}"#;
    let told = scene.kubectl(&["get", &namespace, "-o", message]).await;
    assert!(
        told.output.contains("Deployment churn cannot be deleted") && told.output.contains(WAY_OUT),
        "{}",
        told.output
    );
    assert_untouched(&scene, &id).await;

    unprotect(&scene).await;
    scene.until_namespace_is_gone().await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn a_forced_release_is_the_way_out_that_leaves_the_deployment_running() {
    let (scene, id) = scene_with_protected().await;
    let empty = json!({"metadata": {"annotations": {"aicore.dev/force-release": " "}}});
    scene.change("Deployment", "churn", empty).await;
    let refused = scene.kubectl(&["delete", "aid", "churn"]).await;
    assert!(refused.errors.contains(WAY_OUT), "{}", refused.errors);

    let reason =
        json!({"metadata": {"annotations": {"aicore.dev/force-release": "moved by hand"}}});
    scene.change("Deployment", "churn", reason).await;
    scene.delete_and_wait("churn").await;

    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );
    scene.ai_core.remove(&id).await;
    scene.finish(1).await;
}
