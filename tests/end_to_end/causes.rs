//! Why a deployment does not run: AI Core's own message in the conditions, and the end of its log in an event, once.

use aicore_emulator::Operation::{DeploymentLogs, ListDeployments};
use aicore_emulator::{Effect, Response};
use harness::scene::{LIMIT, Scene, Setting, condition, id_of};
use serde_json::{Value, json};

use crate::manifests::{OPERATOR, deployment_that_ends, scene, wish};

async fn notes(scene: &Scene, reason: &str) -> Vec<String> {
    let events = scene.events().await.into_iter();
    events
        .filter(|(told, _)| told == reason)
        .map(|(_, note)| note)
        .collect()
}

#[tokio::test]
async fn a_dead_deployment_tells_its_cause_and_the_end_of_its_log_once() {
    let mut scene = scene().await;
    scene.put(&deployment_that_ends("churn", "DEAD")).await;
    let message = scene.until_stalled("churn", "DeploymentDead").await;
    let object = scene.get("Deployment", "churn").await;
    let cause = object["status"]["deployment"]["message"]
        .as_str()
        .unwrap_or_default();
    assert!(
        !cause.is_empty() && message.contains(cause),
        "{cause} is not in: {message}"
    );
    let note = scene.until_told("LastLogLines").await;
    for words in [id_of(&object).as_str(), "Pulling the image\n", cause] {
        assert!(note.contains(words), "{words} is not in: {note}");
    }
    assert!(note.len() <= 1024, "{note}");

    // Neither further lists nor another process tell it again.
    scene.operator.kill().await;
    scene.operator.start_again();
    scene.ai_core.listed_again(3, LIMIT).await;
    assert_eq!(scene.ai_core.calls(DeploymentLogs).await.len(), 1);
    assert_eq!(notes(&scene, "LastLogLines").await.len(), 1);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deployment_that_stays_pending_tells_why_and_the_end_of_its_log() {
    let setting = Setting {
        arguments: &["--overdue-seconds", "2", "--resync-seconds", "1"],
        ..Setting::of(OPERATOR)
    };
    let scene = Scene::start(setting).await;
    scene
        .put(&deployment_that_ends("churn", "STUCK_PENDING"))
        .await;
    let id = scene.until_state("churn", "PENDING").await;
    let why = "no node of this resource plan is free";
    scene
        .ai_core
        .force(&id, json!({"statusMessage": why}))
        .await;
    let told = |object: &Value| {
        let stalled = condition(object, "Stalled");
        let message = stalled["message"].as_str().unwrap_or_default();
        let whole = ["PENDING", why].iter().all(|words| message.contains(words));
        stalled["reason"] == "Overdue" && whole
    };
    scene
        .until("Deployment", "churn", "it says why it is overdue", told)
        .await;
    let note = scene.until_told("LastLogLines").await;
    assert!(note.contains("Pulling the image"), "{note}");
    scene.ai_core.listed_again(3, LIMIT).await;
    assert_eq!(scene.ai_core.calls(DeploymentLogs).await.len(), 1);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_left_out_and_not_asked_for_again() {
    let scene = scene().await;
    let refusal = Response {
        status: 500,
        body: String::new(),
        content_type: None,
        retry_after: None,
    };
    scene
        .ai_core
        .fault("no logs", &[DeploymentLogs], None, Effect::Respond(refusal))
        .await;
    scene.put(&deployment_that_ends("churn", "DEAD")).await;
    scene.until_stalled("churn", "DeploymentDead").await;
    scene.ai_core.called(DeploymentLogs, 1, LIMIT).await;
    scene.ai_core.listed_again(3, LIMIT).await;
    assert_eq!(scene.ai_core.calls(DeploymentLogs).await.len(), 1);
    assert_eq!(notes(&scene, "LastLogLines").await, [""; 0]);
    wish(&scene, "churn", "Deleted").await;
    scene.until_ready("churn", "Deleted").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_dead_deployment_at_rest_costs_no_more_than_a_running_one() {
    let scene = scene().await;
    scene.put(&deployment_that_ends("churn", "DEAD")).await;
    scene.until_stalled("churn", "DeploymentDead").await;
    scene.until_told("LastLogLines").await;
    let before = scene.ai_core.audit().await.len();
    scene.ai_core.listed_again(4, LIMIT).await;
    let later = scene.ai_core.audit().await.split_off(before);
    let others = later
        .iter()
        .filter(|entry| entry.operation != ListDeployments);
    let others: Vec<_> = others.map(|entry| entry.operation).collect();
    assert_eq!(others, [], "besides lists nothing is asked");
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}
