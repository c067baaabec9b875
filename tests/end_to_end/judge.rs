//! The judge is awake: a test in which a law is broken fails.

use serde_json::json;

use crate::manifests::{deployment, scene};

#[tokio::test]
#[should_panic(expected = "NoDuplicate: 2 deployments were to be created")]
async fn a_test_with_another_number_of_creations_than_it_calls_for_fails() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.finish(2).await;
}

#[tokio::test]
#[should_panic(expected = "ReleaseOnProof: churn was let go")]
async fn a_test_in_which_an_object_is_let_go_before_its_deployment_is_gone_fails() {
    let mut scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.operator.kill().await;
    scene.delete("Deployment", "churn").await;
    let released = json!({"metadata": {"finalizers": null}});
    scene.change("Deployment", "churn", released).await;
    scene.until_gone("Deployment", "churn").await;
    scene.finish(1).await;
}
