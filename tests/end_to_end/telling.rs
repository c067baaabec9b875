//! What a Connection says that it sees, and what a Deployment says that comes next.

use harness::scene::{CONNECTION, GROUP, condition};

use crate::manifests::{deployment, deployment_that_ends, scene};

#[tokio::test]
async fn a_connection_tells_what_its_key_sees() {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let strangers = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene
        .ai_core
        .force(
            &strangers,
            serde_json::json!({"status": "RUNNING", "frozen": true}),
        )
        .await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;

    let connection = scene
        .until(
            "Connection",
            CONNECTION,
            "counts both deployments",
            |object| object["status"]["running"] == 2 && object["status"]["unclaimed"] == 1,
        )
        .await;
    let status = &connection["status"];
    assert_eq!(status["host"], "127.0.0.1");
    assert_eq!(condition(&connection, "Ready")["status"], "True");
    let groups = status["resourceGroups"]
        .as_array()
        .expect("the groups are a list");
    assert!(groups.iter().any(|group| group == GROUP), "{groups:?}");

    scene.delete_and_wait("churn").await;
    scene
        .until(
            "Connection",
            CONNECTION,
            "counts the stranger's only",
            |object| object["status"]["running"] == 1 && object["status"]["unclaimed"] == 1,
        )
        .await;
    scene.finish(1).await;
}

#[tokio::test]
async fn what_comes_next_is_said_in_words_until_there_is_nothing_more_to_do() {
    let scene = scene().await;
    scene
        .put(&deployment_that_ends("stuck", "STUCK_PENDING"))
        .await;
    let id = scene.until_state("stuck", "PENDING").await;
    let expected = format!("wait for {id} to run");
    scene
        .until("Deployment", "stuck", "says what it waits for", |object| {
            object["status"]["nextStep"] == expected.as_str()
        })
        .await;
    scene.delete_and_wait("stuck").await;

    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    let settled = scene.get("Deployment", "churn").await;
    assert!(settled["status"].get("nextStep").is_none(), "{settled:#}");
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}
