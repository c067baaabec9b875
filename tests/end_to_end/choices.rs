//! Where a person has to choose a deployment, exactly the chosen one is taken, and a wrong choice does no harm.

use aicore_emulator::Operation::{CreateDeployment, DeleteDeployment, StopDeployment};
use aicore_emulator::{Effect, Kind, Operation};
use harness::scene::{GROUP, LIMIT, Scene};
use serde_json::{Value, json};

use crate::manifests::{adoption, deployment_from, make_exclusive, scene};

/// An id that AI Core does not have.
const MISTYPED: &str = "d00000000000000f";

/// A person's choice.
fn choice(id: &str) -> Value {
    json!({"spec": {"adopt": {"deploymentId": id}, "deletionPolicy": "Delete"}})
}

/// Adopts a wrong id, corrects it, and returns the scene and the right id.
async fn corrected_adoption(desired_state: &str) -> (Scene, String) {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let id = scene.ai_core.add_deployment(GROUP, &configuration).await;
    let mut object = adoption("churn", MISTYPED, "Delete");
    object["spec"]["desiredState"] = json!(desired_state);
    scene.put(&object).await;
    let message = scene.until_stalled("churn", "NeverSeen").await;
    assert!(message.contains(MISTYPED), "{message}");
    assert_eq!(scene.ai_core.effects().await, []);

    scene.change("Deployment", "churn", choice(&id)).await;
    (scene, id)
}

#[tokio::test]
async fn a_mistyped_id_that_is_corrected_is_adopted() {
    let (scene, id) = corrected_adoption("Running").await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    assert_eq!(scene.ai_core.effects().await, []);
    scene.delete_and_wait("churn").await;
    scene.finish(0).await;
}

#[tokio::test]
async fn a_mistyped_id_that_is_corrected_is_adopted_to_be_stopped() {
    let (scene, id) = corrected_adoption("Stopped").await;
    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    scene.delete_and_wait("churn").await;
    assert_eq!(
        scene.ai_core.effects().await,
        [StopDeployment, DeleteDeployment].map(|operation| (operation, Some(id.clone())))
    );
    scene.finish(0).await;
}

#[tokio::test]
async fn an_object_with_a_mistyped_id_goes_and_nothing_is_written_to_ai_core() {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let stranger = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.put(&adoption("churn", MISTYPED, "Delete")).await;
    scene.until_stalled("churn", "NeverSeen").await;

    scene.delete_and_wait("churn").await;

    let audit = scene.ai_core.audit().await;
    let written = audit.iter().find(|entry| {
        entry.kind == Kind::Call
            && entry.operation != Operation::Token
            && entry.method.as_deref() != Some("GET")
    });
    assert_eq!(written, None);
    scene.until_told_of("Released", "never seen").await;
    assert_eq!(
        scene.ai_core.status_of(&stranger).await.as_deref(),
        Some("RUNNING")
    );
    scene.finish(0).await;
}

/// An interrupted create call, and somebody else's deployment of the same configuration that came at the same time. Returns the id of the own
/// one and that of the other.
async fn two_candidates(scene: &mut Scene) -> (String, String) {
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let late = Effect::AnswerLatencyMs(20_000);
    scene
        .ai_core
        .fault("late answer", &[CreateDeployment], Some(1), late)
        .await;
    scene.put(&deployment_from("churn", &configuration)).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    scene.operator.kill().await;
    let own = scene.ai_core.only_deployment().await;
    let stranger = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.operator.start_again();
    let message = scene.until_stalled("churn", "Ambiguous").await;
    for candidate in [&own.id, &stranger] {
        assert!(message.contains(candidate), "{message}");
    }
    (own.id.clone(), stranger)
}

#[tokio::test]
async fn of_two_candidates_the_one_that_a_person_names_is_taken_and_the_other_is_left_alone() {
    let mut scene = scene().await;
    let (own, stranger) = two_candidates(&mut scene).await;

    scene.change("Deployment", "churn", choice(&own)).await;

    assert_eq!(scene.until_ready("churn", "Running").await, own);
    scene.delete_and_wait("churn").await;
    assert_eq!(
        scene.ai_core.status_of(&stranger).await.as_deref(),
        Some("RUNNING")
    );
    scene.finish(1).await;
}

#[tokio::test]
async fn the_other_candidate_lives_on_although_nobody_else_is_to_use_the_configuration() {
    let mut scene = scene().await;
    make_exclusive(&scene).await;
    let (own, stranger) = two_candidates(&mut scene).await;

    scene.change("Deployment", "churn", choice(&own)).await;

    assert_eq!(scene.until_ready("churn", "Running").await, own);
    scene.ai_core.listed_again(5, LIMIT).await;
    scene.delete_and_wait("churn").await;
    assert_eq!(
        scene.ai_core.status_of(&stranger).await.as_deref(),
        Some("RUNNING")
    );
    scene.finish(1).await;
}

#[tokio::test]
async fn of_two_candidates_neither_is_taken_where_a_person_names_a_third_that_does_not_exist() {
    let mut scene = scene().await;
    let (own, stranger) = two_candidates(&mut scene).await;
    scene.change("Deployment", "churn", choice(MISTYPED)).await;
    let message = scene.until_stalled("churn", "Ambiguous").await;
    assert!(message.contains(&own), "{message}");
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(own.clone()))]
    );

    scene.change("Deployment", "churn", choice(&own)).await;

    assert_eq!(scene.until_ready("churn", "Running").await, own);
    scene.delete_and_wait("churn").await;
    assert_eq!(
        scene.ai_core.status_of(&stranger).await.as_deref(),
        Some("RUNNING")
    );
    scene.finish(1).await;
}
