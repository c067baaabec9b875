//! What AI Core refuses, or takes without effect, is tried again after ever longer pauses. All along the object says why it waits, and an edit
//! is followed at once.

use std::time::Duration;

use aicore_emulator::Operation::{
    self, ChangeConfiguration, CreateConfiguration, CreateDeployment, DeleteDeployment,
    GetDeployment, StopDeployment,
};
use aicore_emulator::{Effect, Response};
use harness::scene::{GROUP, LIMIT, Scene, condition};
use serde_json::{Value, json};

use crate::manifests::{configuration, deployment, deployment_from, scene, wish};

/// The first pauses are at least so long, in seconds. The one after them is 8 s or more.
const PAUSES: [u64; 3] = [1, 2, 4];

fn answer(status: u16, body: &Value) -> Effect {
    Effect::Respond(Response {
        status,
        body: body.to_string(),
        content_type: Some("application/json".to_owned()),
        retry_after: None,
    })
}

fn bad_request() -> Effect {
    let error = json!({"error": {"code": "01010050", "message": "imageTag has no such value"}});
    answer(400, &error)
}

/// Waits until a call was made one time more than there are [`PAUSES`], and holds what was between the calls against these.
async fn assert_pauses_grow(scene: &Scene, operation: Operation) {
    scene
        .ai_core
        .called(operation, PAUSES.len() + 1, LIMIT)
        .await;
    let calls = scene.ai_core.calls(operation).await;
    let between = calls
        .iter()
        .zip(&calls[1..])
        .map(|(call, next)| next.at.duration_since(call.at).unsigned_abs());
    let between: Vec<Duration> = between.collect();
    let grown = between
        .iter()
        .zip(PAUSES)
        .all(|(pause, least)| *pause >= Duration::from_secs(least));
    if !grown || between.len() != PAUSES.len() {
        scene
            .despair(&format!("between {operation:?} there was {between:?}"))
            .await;
    }
}

/// Whatever was tried, the object never stopped giving this reason.
async fn assert_reason_stayed(scene: &Scene, reason: &str) {
    let others = scene.reasons_after("churn", reason);
    if !others.is_empty() {
        scene
            .despair(&format!("after {reason} it said {others:?}"))
            .await;
    }
}

#[tokio::test]
async fn a_create_call_beyond_the_quota_is_repeated_patiently_until_there_is_room() {
    let scene = scene().await;
    scene.ai_core.set(json!({"maxDeployments": 0})).await;
    scene.put(&deployment("churn")).await;
    scene
        .until_reason("Deployment", "churn", "QuotaExceeded")
        .await;
    assert_pauses_grow(&scene, CreateDeployment).await;
    assert_reason_stayed(&scene, "QuotaExceeded").await;

    scene.ai_core.set(json!({"maxDeployments": 1})).await;

    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

/// Something that a create call needs is refused until the spec is corrected.
async fn refused_until_corrected(operation: Operation) {
    let scene = scene().await;
    scene
        .ai_core
        .fault("refused", &[operation], None, bad_request())
        .await;
    scene.put(&deployment("churn")).await;
    let message = scene.until_stalled("churn", "InvalidConfiguration").await;
    assert!(message.contains("imageTag"), "{message}");
    assert_pauses_grow(&scene, operation).await;
    assert_reason_stayed(&scene, "InvalidConfiguration").await;

    scene.ai_core.heal().await;
    let corrected = json!({"spec": {"configuration": configuration(&json!({"imageTag": "2"}))}});
    scene.change("Deployment", "churn", corrected).await;

    assert_next_comes_at_once(&scene, operation).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

/// The call after those that were awaited does not wait for the pause of 8 s that was due.
async fn assert_next_comes_at_once(scene: &Scene, operation: Operation) {
    scene
        .ai_core
        .called(operation, PAUSES.len() + 2, LIMIT)
        .await;
    let calls = scene.ai_core.calls(operation).await;
    let [.., refused, corrected] = &calls[..] else {
        panic!("{} calls were awaited, and more", PAUSES.len());
    };
    let pause = corrected.at.duration_since(refused.at).unsigned_abs();
    assert!(pause < Duration::from_secs(8), "it came after {pause:?}");
}

#[tokio::test]
async fn a_configuration_that_ai_core_refuses_to_make_stays_stalled_until_it_is_corrected() {
    refused_until_corrected(CreateConfiguration).await;
}

#[tokio::test]
async fn a_configuration_that_ai_core_refuses_to_run_stays_stalled_until_it_is_corrected() {
    refused_until_corrected(CreateDeployment).await;
}

#[tokio::test]
async fn a_change_that_is_refused_stays_stalled_until_it_is_corrected() {
    let scene = scene().await;
    let first = scene.ai_core.add_configuration(GROUP).await;
    scene.put(&deployment_from("churn", &first)).await;
    let id = scene.until_ready("churn", "Running").await;
    scene
        .ai_core
        .fault("refused", &[ChangeConfiguration], None, bad_request())
        .await;
    let unwelcome = scene.ai_core.add_configuration(GROUP).await;
    let edit = json!({"spec": {"configurationId": unwelcome}});
    scene.change("Deployment", "churn", edit).await;
    scene.until_stalled("churn", "InvalidConfiguration").await;
    assert_pauses_grow(&scene, ChangeConfiguration).await;
    assert_reason_stayed(&scene, "InvalidConfiguration").await;
    let object = scene.get("Deployment", "churn").await;
    assert_eq!(condition(&object, "Available")["status"], "True");

    scene.ai_core.heal().await;
    let welcome = scene.ai_core.add_configuration(GROUP).await;
    let edit = json!({"spec": {"configurationId": welcome}});
    scene.change("Deployment", "churn", edit).await;

    assert_next_comes_at_once(&scene, ChangeConfiguration).await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    let deployment = scene.ai_core.only_deployment().await;
    assert_eq!(deployment.configuration_id, welcome);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_stop_that_ai_core_takes_without_effect_is_repeated_patiently_until_it_has_one() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let taken = json!({"id": id, "message": "Deployment modification scheduled"});
    scene
        .ai_core
        .fault("no effect", &[StopDeployment], None, answer(202, &taken))
        .await;
    wish(&scene, "churn", "Stopped").await;
    assert_pauses_grow(&scene, StopDeployment).await;

    scene.ai_core.heal().await;

    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_stop_that_ai_core_is_slow_to_carry_out_is_not_sent_again() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.force(&id, json!({"frozen": true})).await;
    scene.delete("Deployment", "churn").await;
    let stopping = |object: &Value| {
        let deployment = &object["status"]["deployment"];
        deployment["state"] == "RUNNING" && deployment["targetState"] == "STOPPED"
    };
    scene
        .until("Deployment", "churn", "it is to be stopped", stopping)
        .await;
    scene.ai_core.listed_again(20, LIMIT).await;
    assert_eq!(scene.ai_core.calls(StopDeployment).await.len(), 1);

    scene.ai_core.force(&id, json!({"frozen": false})).await;

    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.calls(StopDeployment).await.len(), 1);
    scene.finish(1).await;
}

#[tokio::test]
async fn a_single_failure_of_the_last_question_does_not_hold_a_deletion_up() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    let busy = answer(503, &json!({"error": {"message": "try again"}}));
    scene
        .ai_core
        .fault("busy", &[GetDeployment], Some(1), busy)
        .await;

    scene.delete_and_wait("churn").await;

    assert_eq!(scene.ai_core.calls(DeleteDeployment).await.len(), 1);
    let asked = scene.ai_core.calls(GetDeployment).await;
    let [failed, .., last] = &asked[..] else {
        panic!("it was not asked again: {asked:#?}");
    };
    assert_eq!(
        (failed.http_status, last.http_status),
        (Some(503), Some(404))
    );
    let took = last.at.duration_since(failed.at).unsigned_abs();
    assert!(took < Duration::from_secs(8), "{took:?}");
    scene.finish(1).await;
}
