//! The operator is killed with -9 at every point of a deployment's life and started again: nothing is made twice, and every wish is reached.

use std::collections::BTreeSet;

use aicore_emulator::Operation::{
    self, CreateConfiguration, CreateDeployment, DeleteDeployment, StopDeployment,
};
use aicore_emulator::{Effect, Response};
use harness::scene::{GROUP, LIMIT, Scene, condition};
use serde_json::{Value, json};

use crate::manifests::{deployment, deployment_from, make_exclusive, scene, wish};

/// So late that the operator is always killed before the answer.
const NEVER: Effect = Effect::AnswerLatencyMs(20_000);

/// Has one call answered so late that the operator can be killed between its effect and its answer, and does that.
pub async fn kill_between(
    scene: &mut Scene,
    operation: Operation,
    begin: impl AsyncFnOnce(&Scene),
) {
    scene
        .ai_core
        .fault("late answer", &[operation], Some(1), NEVER)
        .await;
    let before = scene.ai_core.calls(operation).await.len();
    begin(scene).await;
    scene.ai_core.called(operation, before + 1, LIMIT).await;
    scene.operator.kill().await;
}

/// The same, and starts the operator again.
async fn kill_during(scene: &mut Scene, operation: Operation, begin: impl AsyncFnOnce(&Scene)) {
    kill_between(scene, operation, begin).await;
    scene.operator.start_again();
}

#[tokio::test]
async fn killed_between_the_effect_and_the_answer_of_a_create_it_finds_the_deployment_by_its_name()
{
    let mut scene = scene().await;
    kill_during(&mut scene, CreateDeployment, async |scene| {
        scene.put(&deployment("churn")).await;
    })
    .await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn deleted_while_the_outcome_of_a_create_is_open_it_finds_the_deployment_and_deletes_it() {
    let mut scene = scene().await;
    kill_during(&mut scene, CreateDeployment, async |scene| {
        scene.put(&deployment("churn")).await;
    })
    .await;
    scene.delete_and_wait("churn").await;
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(1).await;
}

#[tokio::test]
async fn killed_between_the_effect_and_the_answer_of_a_new_configuration_it_uses_that_one() {
    let mut scene = scene().await;
    kill_during(&mut scene, CreateConfiguration, async |scene| {
        scene.put(&deployment("churn")).await;
    })
    .await;
    scene.until_ready("churn", "Running").await;
    let audit = scene.ai_core.audit().await;
    let made = audit
        .iter()
        .filter(|entry| entry.operation == CreateConfiguration && entry.accepted);
    assert_eq!(made.count(), 1);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn killed_between_the_effect_and_the_answer_of_a_stop_it_knows_that_the_stop_was_its_own() {
    let mut scene = scene().await;
    scene.put(&deployment("churn")).await;
    let first = scene.until_ready("churn", "Running").await;
    kill_during(&mut scene, StopDeployment, async |scene| {
        wish(scene, "churn", "Stopped").await;
    })
    .await;
    scene.until_ready("churn", "Stopped").await;
    wish(&scene, "churn", "Running").await;
    assert_ne!(scene.until_ready("churn", "Running").await, first);
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn killed_between_the_effect_and_the_answer_of_a_delete_it_ends_the_deletion() {
    let mut scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    kill_during(&mut scene, DeleteDeployment, async |scene| {
        scene.delete("Deployment", "churn").await;
    })
    .await;
    scene.until_gone("Deployment", "churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn killed_while_the_deployment_is_unknown_pending_running_stopping_or_being_deleted_it_goes_on()
 {
    let mut scene = scene().await;
    let slow = json!({
        "unknownMs": 600_000,
        "pendingMs": 600_000,
        "stoppingMs": 600_000,
        "stoppingAtOnce": true,
        "deletingMs": 600_000,
    });
    scene.ai_core.set(slow).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_state("churn", "UNKNOWN").await;
    restart_and_set(&mut scene, json!({"unknownMs": 0})).await;
    assert_eq!(scene.until_state("churn", "PENDING").await, id);
    restart_and_set(&mut scene, json!({"pendingMs": 0})).await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    restart_and_set(&mut scene, json!({})).await;
    scene.delete("Deployment", "churn").await;
    assert_eq!(scene.until_state("churn", "STOPPING").await, id);
    restart_and_set(&mut scene, json!({"stoppingMs": 0})).await;
    let deleting = |object: &Value| object["status"]["deployment"]["targetState"] == "DELETED";
    scene
        .until("Deployment", "churn", "it is being deleted", deleting)
        .await;
    restart_and_set(&mut scene, json!({"deletingMs": 0})).await;
    scene.until_gone("Deployment", "churn").await;
    scene.finish(1).await;
}

async fn restart_and_set(scene: &mut Scene, settings: Value) {
    scene.operator.kill().await;
    scene.ai_core.set(settings).await;
    scene.operator.start_again();
}

#[tokio::test]
async fn killed_again_and_again_while_ten_deployments_come_and_go_it_makes_each_of_them_once() {
    let mut scene = scene().await;
    let names: Vec<String> = (0..10).map(|number| format!("churn-{number}")).collect();
    for name in &names {
        scene.put(&deployment(name)).await;
    }
    for calls in [2, 5, 8] {
        scene.ai_core.called(CreateDeployment, calls, LIMIT).await;
        scene.operator.kill().await;
        scene.operator.start_again();
    }
    for name in &names {
        scene.until_ready(name, "Running").await;
        scene.delete("Deployment", name).await;
    }
    for (operation, calls) in [(StopDeployment, 5), (DeleteDeployment, 5)] {
        scene.ai_core.called(operation, calls, LIMIT).await;
        scene.operator.kill().await;
        scene.operator.start_again();
    }
    for name in &names {
        scene.until_gone("Deployment", name).await;
    }
    scene.finish(10).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_effect_makes_no_second_deployment() {
    let scene = scene().await;
    let lost = [
        ("dropped", Effect::DropAfter),
        ("broken off", Effect::TruncateBody(0.5)),
        ("replaced", Effect::RespondAfter(bad_gateway())),
    ];
    for (name, effect) in lost {
        scene
            .ai_core
            .fault(name, &[CreateDeployment], Some(1), effect)
            .await;
        let name = name.replace(' ', "-");
        scene.put(&deployment(&name)).await;
        scene.until_ready(&name, "Running").await;
        scene.delete_and_wait(&name).await;
    }
    scene.finish(3).await;
}

#[tokio::test]
async fn a_call_that_is_lost_before_its_effect_is_made_again_once_that_is_certain() {
    let scene = scene().await;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropBefore)
        .await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn stops_and_deletes_whose_calls_or_answers_are_lost_come_to_their_end() {
    let scene = scene().await;
    for (name, effect) in [
        ("before", Effect::DropBefore),
        ("after", Effect::DropAfter),
        ("replaced", Effect::RespondAfter(bad_gateway())),
    ] {
        scene.put(&deployment(name)).await;
        scene.until_ready(name, "Running").await;
        for operation in [StopDeployment, DeleteDeployment] {
            scene
                .ai_core
                .fault(name, &[operation], Some(1), effect.clone())
                .await;
        }
        scene.delete_and_wait(name).await;
    }
    scene.finish(3).await;
}

#[tokio::test]
async fn where_nothing_proves_whose_a_deployment_is_a_person_is_asked_and_can_answer() {
    let mut scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    kill_during(&mut scene, CreateDeployment, async |scene| {
        scene.put(&deployment_from("churn", &configuration)).await;
    })
    .await;
    let message = scene.until_stalled("churn", "Ambiguous").await;
    let candidate = scene.ai_core.only_deployment().await;
    assert!(message.contains(&candidate.id), "{message}");

    let answer =
        json!({"spec": {"adopt": {"deploymentId": candidate.id}, "deletionPolicy": "Delete"}});
    scene.change("Deployment", "churn", answer).await;

    assert_eq!(scene.until_ready("churn", "Running").await, candidate.id);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_exclusive_connection_proves_whose_a_deployment_is() {
    let mut scene = scene().await;
    make_exclusive(&scene).await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    kill_during(&mut scene, CreateDeployment, async |scene| {
        scene.put(&deployment_from("churn", &configuration)).await;
    })
    .await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_answer_that_outlasts_the_operators_patience_makes_no_second_deployment() {
    let scene = scene().await;
    let slow = Effect::AnswerLatencyMs(6_000);
    scene
        .ai_core
        .fault("slow", &[CreateDeployment], Some(1), slow)
        .await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

fn bad_gateway() -> Response {
    Response {
        status: 502,
        body: "<html><body>Bad Gateway</body></html>".to_owned(),
        content_type: Some("text/html".to_owned()),
        retry_after: None,
    }
}

#[tokio::test]
async fn a_deleted_object_whose_deployment_nothing_proves_waits_for_the_answer_and_then_goes() {
    let mut scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    kill_during(&mut scene, CreateDeployment, async |scene| {
        scene.put(&deployment_from("churn", &configuration)).await;
    })
    .await;
    scene.until_stalled("churn", "Ambiguous").await;
    scene.delete("Deployment", "churn").await;
    let waiting = |object: &Value| {
        object["metadata"]["deletionTimestamp"].is_string()
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    };
    let object = scene
        .until("Deployment", "churn", "its deletion is seen", waiting)
        .await;
    assert_eq!(condition(&object, "Stalled")["reason"], "Ambiguous");
    let candidate = scene.ai_core.only_deployment().await;
    let answer =
        json!({"spec": {"adopt": {"deploymentId": candidate.id}, "deletionPolicy": "Delete"}});
    scene.change("Deployment", "churn", answer).await;
    scene.until_gone("Deployment", "churn").await;
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(1).await;
}

#[tokio::test]
async fn three_objects_of_one_configuration_get_one_deployment_each_however_often_it_is_killed() {
    let mut scene = scene().await;
    make_exclusive(&scene).await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let names = ["first", "second", "third"];
    scene
        .ai_core
        .fault("late answer", &[CreateDeployment], Some(2), NEVER)
        .await;
    for name in names {
        scene.put(&deployment_from(name, &configuration)).await;
    }
    for calls in [1, 2] {
        scene.ai_core.called(CreateDeployment, calls, LIMIT).await;
        scene.operator.kill().await;
        scene.operator.start_again();
    }
    let mut ids = BTreeSet::new();
    for name in names {
        ids.insert(scene.until_ready(name, "Running").await);
    }
    assert_eq!(ids.len(), names.len(), "{ids:?}");
    for name in names {
        scene.delete_and_wait(name).await;
    }
    scene.finish(3).await;
}

#[tokio::test]
async fn the_longest_name_leads_back_to_its_object_too() {
    let mut scene = scene().await;
    let name = "n".repeat(63);
    kill_during(&mut scene, CreateConfiguration, async |scene| {
        scene.put(&deployment(&name)).await;
    })
    .await;
    scene.until_ready(&name, "Running").await;
    let audit = scene.ai_core.audit().await;
    let made = audit
        .iter()
        .filter(|entry| entry.operation == CreateConfiguration && entry.accepted);
    assert_eq!(made.count(), 1);
    scene.delete_and_wait(&name).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_is_not_asked_for_again_where_nothing_proves_whose_a_deployment_is()
{
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropAfter)
        .await;
    scene.put(&deployment_from("churn", &configuration)).await;
    scene.until_stalled("churn", "Ambiguous").await;
    let candidate = scene.ai_core.only_deployment().await;
    let answer =
        json!({"spec": {"adopt": {"deploymentId": candidate.id}, "deletionPolicy": "Delete"}});
    scene.change("Deployment", "churn", answer).await;
    assert_eq!(scene.until_ready("churn", "Running").await, candidate.id);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}
