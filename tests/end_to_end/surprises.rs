//! What others do to a deployment, and what the object then says and does: by its policies, and never more than they allow.

use aicore_emulator::Operation::CreateDeployment;
use harness::scene::{GROUP, condition, id_of};
use serde_json::{Value, json};

use crate::manifests::{configuration, deployment, scene, wish, with};

fn recreated(name: &str) -> Value {
    with(
        name,
        json!({"configuration": configuration(&json!({})), "recreatePolicy": "Always"}),
    )
}

fn stopped() -> Value {
    json!({"status": "STOPPED", "targetStatus": "STOPPED"})
}

#[tokio::test]
async fn a_deployment_that_somebody_else_stopped_waits_for_a_person() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.force(&id, stopped()).await;
    let message = scene.until_stalled("churn", "StoppedElsewhere").await;
    assert!(message.contains("recreatePolicy"), "{message}");
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("STOPPED")
    );
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deployment_that_somebody_else_deleted_waits_for_a_person() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.remove(&id).await;
    let message = scene.until_stalled("churn", "DeploymentMissing").await;
    assert!(message.contains(&id), "{message}");

    wish(&scene, "churn", "Deleted").await;
    scene.until_ready("churn", "Deleted").await;
    wish(&scene, "churn", "Running").await;

    assert_ne!(scene.until_ready("churn", "Running").await, id);
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn recreate_policy_always_replaces_what_somebody_else_stopped_or_deleted() {
    let scene = scene().await;
    scene.put(&recreated("churn")).await;
    let first = scene.until_ready("churn", "Running").await;
    scene.ai_core.force(&first, stopped()).await;
    let another = |former: String| {
        move |object: &Value| {
            let id = object["status"]["deployment"]["id"].as_str();
            let ready = condition(object, "Ready");
            id.is_some_and(|id| id != former) && ready["status"] == "True"
        }
    };
    let object = scene
        .until("Deployment", "churn", "another id", another(first.clone()))
        .await;
    let second = id_of(&object);
    scene.ai_core.remove(&second).await;
    let object = scene
        .until("Deployment", "churn", "a third id", another(second.clone()))
        .await;
    assert_eq!(object["status"]["previousIds"], json!([first, second]));
    scene.delete_and_wait("churn").await;
    scene.finish(3).await;
}

#[tokio::test]
async fn a_deployment_whose_policy_is_orphan_stays_when_its_object_goes() {
    let scene = scene().await;
    let spec = json!({"configuration": configuration(&json!({})), "deletionPolicy": "Orphan"});
    scene.put(&with("churn", spec)).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );
    scene.until_told_of("Orphaned", &id).await;

    scene.put(&deployment("stranger")).await;
    scene.until_ready("stranger", "Running").await;
    scene.delete_and_wait("stranger").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn an_orphaned_deployment_is_found_again_by_its_name_when_the_object_comes_back() {
    let scene = scene().await;
    let spec = json!({"configuration": configuration(&json!({})), "deletionPolicy": "Orphan"});
    scene.put(&with("churn", spec.clone())).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;

    scene.put(&with("churn", spec)).await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    // Neither another deployment nor a change to this one: it has the configuration that the spec asks for.
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(id))]
    );

    let policy = json!({"spec": {"deletionPolicy": "Delete"}});
    scene.change("Deployment", "churn", policy).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_configuration_that_ai_core_refuses_is_told_until_it_is_corrected() {
    let scene = scene().await;
    let missing = "00000000-0000-0000-0000-000000000000";
    scene
        .put(&with("churn", json!({"configurationId": missing})))
        .await;
    scene.until_stalled("churn", "InvalidConfiguration").await;
    let existing = scene.ai_core.add_configuration(GROUP).await;
    let correction = json!({"spec": {"configurationId": existing}});
    scene.change("Deployment", "churn", correction).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_stopped_deployment_that_somebody_else_deletes_is_still_stopped_and_can_run_again() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    wish(&scene, "churn", "Stopped").await;
    let id = scene.until_ready("churn", "Stopped").await;
    scene.ai_core.remove(&id).await;
    wish(&scene, "churn", "Running").await;
    assert_ne!(scene.until_ready("churn", "Running").await, id);
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}
