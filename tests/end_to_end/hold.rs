//! The annotation `aicore.dev/protected`: nothing of the object is stopped, deleted or let go, and removing it goes on with what was wished.
//!
//! The wish comes first here, or together with the annotation: afterwards the admission policy refuses it.

use aicore_emulator::Operation::CreateDeployment;
use harness::scene::{LIMIT, Scene, condition};
use serde_json::{Value, json};

use crate::manifests::{configuration, deployment, scene, with};

fn protection(value: Value) -> Value {
    json!({"metadata": {"annotations": {"aicore.dev/protected": value}}})
}

async fn unprotect(scene: &Scene, name: &str) {
    scene
        .change("Deployment", name, protection(Value::Null))
        .await;
}

/// Nothing was sent about the deployment after it was created.
async fn assert_untouched(scene: &Scene, id: &str) {
    scene.ai_core.listed_again(5, LIMIT).await;
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(id.to_owned()))]
    );
}

/// Has an object deleted and protected, as when it was protected before it could go.
async fn delete_and_protect(scene: &mut Scene, name: &str) {
    scene.operator.kill().await;
    scene.delete("Deployment", name).await;
    scene
        .change("Deployment", name, protection(json!("true")))
        .await;
    scene.operator.start_again();
}

/// A protected object does not follow a wish until its protection ends.
async fn holds_against(desired_state: &str) {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let mut edit = protection(json!("true"));
    edit["spec"] = json!({"desiredState": desired_state});
    scene.change("Deployment", "churn", edit).await;

    let message = scene.until_stalled("churn", "Protected").await;
    assert!(message.contains("aicore.dev/protected"), "{message}");
    assert_untouched(&scene, &id).await;
    let object = scene.get("Deployment", "churn").await;
    assert_eq!(condition(&object, "Available")["status"], "True");

    unprotect(&scene, "churn").await;

    scene.until_ready("churn", desired_state).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_protected_deployment_is_not_stopped_until_its_protection_ends() {
    holds_against("Stopped").await;
}

#[tokio::test]
async fn a_protected_deployment_is_not_emptied_until_its_protection_ends() {
    holds_against("Deleted").await;
}

#[tokio::test]
async fn a_protected_object_that_is_deleted_waits_until_its_protection_ends() {
    let mut scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    delete_and_protect(&mut scene, "churn").await;

    scene.until_stalled("churn", "Protected").await;
    assert_untouched(&scene, &id).await;

    unprotect(&scene, "churn").await;

    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn a_protected_object_is_not_even_let_go_whose_deployment_would_stay() {
    let mut scene = scene().await;
    let orphan = json!({"configuration": configuration(&json!({})), "deletionPolicy": "Orphan"});
    scene.put(&with("churn", orphan)).await;
    let id = scene.until_ready("churn", "Running").await;
    delete_and_protect(&mut scene, "churn").await;

    scene.until_stalled("churn", "Protected").await;
    assert_untouched(&scene, &id).await;

    unprotect(&scene, "churn").await;

    scene.until_gone("Deployment", "churn").await;
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(id))]
    );
    scene.finish(1).await;
}

#[tokio::test]
async fn a_protected_deployment_that_somebody_else_stopped_is_not_replaced() {
    let scene = scene().await;
    let spec = json!({"configuration": configuration(&json!({})), "recreatePolicy": "Always"});
    let mut object = with("churn", spec);
    object["metadata"]["annotations"] = json!({"aicore.dev/protected": "true"});
    scene.put(&object).await;
    let id = scene.until_ready("churn", "Running").await;
    let stopped = json!({"status": "STOPPED", "targetStatus": "STOPPED"});
    scene.ai_core.force(&id, stopped).await;

    scene.until_stalled("churn", "Protected").await;
    assert_untouched(&scene, &id).await;

    unprotect(&scene, "churn").await;

    scene
        .until("Deployment", "churn", "it has another id", |object| {
            let ready = condition(object, "Ready");
            ready["status"] == "True" && object["status"]["deployment"]["id"] != id.as_str()
        })
        .await;
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn the_value_false_protects_nothing() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene
        .change("Deployment", "churn", protection(json!("false")))
        .await;
    scene.delete_and_wait("churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}
