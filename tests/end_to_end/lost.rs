//! An object's status is lost, as when an administrator empties it or a backup tool leaves it out: its deployment is found again, and no second one
//! is made.

use aicore_emulator::Effect;
use aicore_emulator::Operation::CreateDeployment;
use harness::scene::{GROUP, LIMIT, Scene, condition};
use jiff::SignedDuration;
use serde_json::json;

use crate::manifests::{adoption, deployment, deployment_from, make_exclusive, scene, wish};

/// Empties the status, as an administrator.
async fn lose_status(scene: &Scene, name: &str) {
    let patch = r#"[{"op": "replace", "path": "/status", "value": {}}]"#;
    let lost = scene
        .kubectl(&[
            "patch",
            "aid",
            name,
            "--subresource=status",
            "--type=json",
            "-p",
            patch,
        ])
        .await;
    assert!(lost.succeeded, "{}", lost.errors);
}

/// The object has found this deployment, which is the only one that was ever made.
async fn assert_found(scene: Scene, id: &str) {
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(id.to_owned()))]
    );
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_status_that_is_lost_under_the_eyes_of_the_operator_is_written_again() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    lose_status(&scene, "churn").await;
    assert_found(scene, &id).await;
}

#[tokio::test]
async fn a_status_that_is_lost_while_the_operator_is_down_is_written_again() {
    let mut scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.operator.kill().await;
    lose_status(&scene, "churn").await;
    scene.operator.start_again();
    assert_found(scene, &id).await;
}

/// Loses the status of an object whose deployment bears no name of its own, and has a person answer what it asks then.
async fn is_asked_about(mut scene: Scene) {
    let id = scene.until_ready("churn", "Running").await;
    scene.operator.kill().await;
    lose_status(&scene, "churn").await;
    scene.operator.start_again();

    let message = scene.until_stalled("churn", "Ambiguous").await;
    assert!(message.contains(&id), "{message}");

    let choice = json!({"spec": {"adopt": {"deploymentId": id}, "deletionPolicy": "Delete"}});
    scene.change("Deployment", "churn", choice).await;
    assert_found(scene, &id).await;
}

/// An object that was created some seconds before its deployment, because AI Core had no room for it at first.
async fn older_than_its_deployment(scene: &Scene) {
    scene.ai_core.set(json!({"maxDeployments": 0})).await;
    put_from_configuration(scene).await;
    scene.ai_core.called(CreateDeployment, 3, LIMIT).await;
    scene.ai_core.set(json!({"maxDeployments": null})).await;
}

async fn put_from_configuration(scene: &Scene) {
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    scene.put(&deployment_from("churn", &configuration)).await;
}

#[tokio::test]
async fn a_deployment_that_others_may_have_made_is_named_to_a_person() {
    let scene = scene().await;
    older_than_its_deployment(&scene).await;
    is_asked_about(scene).await;
}

#[tokio::test]
async fn a_deployment_that_others_may_have_made_is_named_to_a_person_although_it_was_made_at_once()
{
    let scene = scene().await;
    put_from_configuration(&scene).await;
    is_asked_about(scene).await;
}

/// Nobody else creates from it, but another object may have let it go.
#[tokio::test]
async fn a_deployment_from_a_configuration_that_nobody_else_uses_is_named_to_a_person() {
    let scene = scene().await;
    make_exclusive(&scene).await;
    put_from_configuration(&scene).await;
    is_asked_about(scene).await;
}

#[tokio::test]
async fn an_object_whose_status_is_lost_and_that_is_deleted_takes_its_deployment_along() {
    let mut scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.operator.kill().await;
    lose_status(&scene, "churn").await;
    scene.delete("Deployment", "churn").await;
    scene.operator.start_again();
    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

/// What only may be its own is not touched by an object that is to have nothing, and named before the object forgets about it.
#[tokio::test]
async fn an_object_whose_status_is_lost_and_that_goes_names_what_may_be_its_deployment() {
    let mut scene = scene().await;
    put_from_configuration(&scene).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.operator.kill().await;
    lose_status(&scene, "churn").await;
    wish(&scene, "churn", "Deleted").await;
    scene.operator.start_again();
    let object = scene.until_reason("Deployment", "churn", "Deleted").await;
    let ready = condition(&object, "Ready");
    assert_eq!(ready["status"], "True");
    let message = ready["message"].as_str().unwrap_or_default();
    assert!(message.contains(&id), "{message}");

    scene.delete_and_wait("churn").await;

    scene.until_told_of("Released", &id).await;
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );
    scene.put(&adoption("heir", &id, "Delete")).await;
    assert_eq!(scene.until_ready("heir", "Running").await, id);
    scene.delete_and_wait("heir").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_status_that_is_lost_during_a_create_call_makes_no_second_deployment() {
    let scene = scene().await;
    let slow = Effect::AnswerLatencyMs(1_500);
    scene
        .ai_core
        .fault("slow", &[CreateDeployment], Some(1), slow)
        .await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    lose_status(&scene, "churn").await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

/// The calls are counted in the status. When that is lost the count begins anew, and what a former call with the same number has returned is not
/// the result of the new one.
#[tokio::test]
async fn the_result_of_an_earlier_call_is_not_taken_for_that_of_a_call_with_the_same_number() {
    let scene = scene().await;
    make_exclusive(&scene).await;
    put_from_configuration(&scene).await;
    let first = scene.until_ready("churn", "Running").await;
    wish(&scene, "churn", "Deleted").await;
    scene.until_ready("churn", "Deleted").await;
    lose_status(&scene, "churn").await;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropAfter)
        .await;
    wish(&scene, "churn", "Running").await;
    assert_ne!(scene.until_ready("churn", "Running").await, first);
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

/// A stranger's deployment from a configuration, made at a time of which the store knows nothing when the operator starts.
async fn made_while_forgotten(scene: &mut Scene, configuration: &str) -> String {
    scene.operator.kill().await;
    let backup = SignedDuration::from_mins(10);
    scene.operator.set_lease_back(backup).await;
    let id = scene.ai_core.add_deployment(GROUP, configuration).await;
    scene.operator.start_again();
    id
}

#[tokio::test]
async fn what_was_made_at_a_time_that_the_store_has_forgotten_is_asked_about_until_a_person_answers()
 {
    let mut scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let made = made_while_forgotten(&mut scene, &configuration).await;
    scene.put(&deployment_from("churn", &configuration)).await;
    scene.put(&deployment_from("other", &configuration)).await;
    for name in ["churn", "other"] {
        let message = scene.until_stalled(name, "Ambiguous").await;
        assert!(message.contains(&made), "{message}");
        assert!(message.contains("aicore.dev/not-mine"), "{message}");
    }
    // The question outlives a restart.
    scene.operator.kill().await;
    scene.operator.start_again();
    let not_mine =
        json!({"metadata": {"annotations": {"aicore.dev/not-mine": format!("d0, {made}")}}});
    scene.change("Deployment", "churn", not_mine).await;
    assert_ne!(scene.until_ready("churn", "Running").await, made);
    scene.until_stalled("other", "Ambiguous").await;
    let mine = json!({"spec": {"adopt": {"deploymentId": made}, "deletionPolicy": "Delete"}});
    scene.change("Deployment", "other", mine).await;
    assert_eq!(scene.until_ready("other", "Running").await, made);
    scene.delete_and_wait("churn").await;
    scene.delete_and_wait("other").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn what_a_stranger_makes_while_the_operator_is_replaced_is_not_asked_about() {
    let mut scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    scene.operator.crash().await;
    let strangers = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.operator.start_again();
    scene.put(&deployment_from("churn", &configuration)).await;
    assert_ne!(scene.until_ready("churn", "Running").await, strangers);
    scene.delete_and_wait("churn").await;
    scene.ai_core.remove(&strangers).await;
    scene.finish(1).await;
}
