//! A time to live that runs out is an end as it was wished: the object is Ready, and nothing is made anew.

use harness::scene::{GROUP, Scene};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::manifests::{configuration, scene, wish, with};

/// How long the deployment lives on after its age is changed: long enough to be seen in a list, on a busy machine too.
const REST: SignedDuration = SignedDuration::from_secs(10);

/// Lets a deployment with this recreatePolicy run out, and deletes its object.
async fn runs_out(recreate_policy: &str) {
    let scene = scene().await;
    let spec = json!({
        "configuration": configuration(&json!({})),
        "ttl": "10m",
        "recreatePolicy": recreate_policy,
    });
    scene.put(&with("churn", spec)).await;
    let id = scene.until_ready("churn", "Running").await;
    grow_old(&scene, &id).await;

    assert_eq!(scene.until_ready("churn", "Expired").await, id);
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    let deleted = scene.kubectl(&["delete", "aid", "churn"]).await;
    assert!(deleted.succeeded, "{}", deleted.errors);
    scene.until_gone("Deployment", "churn").await;
    let effects = scene.ai_core.effects().await;
    assert_eq!(effects.len(), 1, "only the create call: {effects:?}");
    scene.finish(1).await;
}

/// Makes the deployment of `churn` so old that its ten minutes are over in a moment.
async fn grow_old(scene: &Scene, id: &str) {
    nearly_outlive(scene, "churn", id, SignedDuration::from_mins(10)).await;
}

/// Makes a deployment so old that its time to live is over in a moment, and waits until the object has seen that.
pub async fn nearly_outlive(scene: &Scene, name: &str, id: &str, ttl: SignedDuration) {
    let created = Timestamp::now() - ttl + REST;
    let created = created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    scene.ai_core.force(id, json!({"createdAt": created})).await;
    let aged = |object: &Value| object["status"]["deployment"]["createdAt"] == created.as_str();
    scene
        .until("Deployment", name, "its age is seen", aged)
        .await;
}

#[tokio::test]
async fn a_time_to_live_that_has_run_out_is_ready() {
    runs_out("Never").await;
}

#[tokio::test]
async fn a_time_to_live_that_has_run_out_is_ready_even_where_losses_are_replaced() {
    runs_out("Always").await;
}

#[tokio::test]
async fn an_expired_deployment_is_made_anew_on_demand() {
    let scene = scene().await;
    let existing = scene.ai_core.add_configuration(GROUP).await;
    let spec = json!({"configurationId": existing, "ttl": "10m"});
    scene.put(&with("churn", spec)).await;
    let id = scene.until_ready("churn", "Running").await;
    grow_old(&scene, &id).await;
    scene.until_ready("churn", "Expired").await;
    wish(&scene, "churn", "Deleted").await;
    scene.until_ready("churn", "Deleted").await;
    wish(&scene, "churn", "Running").await;
    assert_ne!(scene.until_ready("churn", "Running").await, id);
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn an_object_goes_with_its_expired_deployment_where_its_spec_asks_for_that() {
    let scene = scene().await;
    let spec = json!({
        "configuration": configuration(&json!({})),
        "ttl": "10m",
        "expiryPolicy": "Delete",
    });
    scene.put(&with("churn", spec)).await;
    let id = scene.until_ready("churn", "Running").await;
    grow_old(&scene, &id).await;
    scene.until_gone("Deployment", "churn").await;
    scene.until_told("CleanedUp").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn a_protected_object_does_not_go_with_its_expired_deployment() {
    let scene = scene().await;
    let spec = json!({
        "configuration": configuration(&json!({})),
        "ttl": "10m",
        "expiryPolicy": "Delete",
    });
    let mut object = with("churn", spec);
    object["metadata"]["annotations"] = json!({"aicore.dev/protected": "true"});
    scene.put(&object).await;
    let id = scene.until_ready("churn", "Running").await;
    grow_old(&scene, &id).await;
    scene.until_ready("churn", "Expired").await;
    let unprotected = json!({"metadata": {"annotations": {"aicore.dev/protected": null}}});
    scene.change("Deployment", "churn", unprotected).await;
    scene.until_gone("Deployment", "churn").await;
    scene.finish(1).await;
}
