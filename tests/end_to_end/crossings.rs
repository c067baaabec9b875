//! A wish that changes while the operator is down, or between a call and its answer: the last wish counts, and nothing is made twice.

use aicore_emulator::Effect;
use aicore_emulator::Operation::{
    ChangeConfiguration, CreateDeployment, ListDeployments, StopDeployment,
};
use harness::emulated::{OTHER_TENANT, TENANT};
use harness::scene::{CONNECTION, GROUP, LIMIT, Scene, connection, id_of, secret};
use serde_json::{Value, json};

use crate::crashes::kill_between;
use crate::manifests::{
    adoption, configuration, deployment, deployment_from, make_exclusive, scene, wish,
};

/// The object ended with the deployment of the interrupted call, and with another configuration than that was made from.
async fn assert_changed_in_place(scene: Scene) {
    let id = scene.until_ready("churn", "Running").await;
    assert_eq!(
        scene.ai_core.effects().await,
        [CreateDeployment, ChangeConfiguration].map(|effect| (effect, Some(id.clone())))
    );
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_configuration_that_is_edited_between_the_create_call_and_a_restart_is_given_to_its_result()
 {
    let mut scene = scene().await;
    kill_between(&mut scene, CreateDeployment, async |scene| {
        scene.put(&deployment("churn")).await;
    })
    .await;
    let edit = json!({"spec": {"configuration": configuration(&json!({"imageTag": "2"}))}});
    scene.change("Deployment", "churn", edit).await;
    scene.operator.start_again();
    assert_changed_in_place(scene).await;
}

#[tokio::test]
async fn the_same_holds_for_existing_configurations_that_nobody_else_uses() {
    let mut scene = scene().await;
    make_exclusive(&scene).await;
    let first = scene.ai_core.add_configuration(GROUP).await;
    let second = scene.ai_core.add_configuration(GROUP).await;
    kill_between(&mut scene, CreateDeployment, async |scene| {
        scene.put(&deployment_from("churn", &first)).await;
    })
    .await;
    let edit = json!({"spec": {"configurationId": second}});
    scene.change("Deployment", "churn", edit).await;
    scene.operator.start_again();
    scene.until_ready("churn", "Running").await;
    let deployment = scene.ai_core.only_deployment().await;
    assert_eq!(deployment.configuration_id, second);
    assert_changed_in_place(scene).await;
}

#[tokio::test]
async fn an_existing_configuration_that_others_may_use_is_named_to_a_person_after_the_edit_too() {
    let mut scene = scene().await;
    let first = scene.ai_core.add_configuration(GROUP).await;
    let second = scene.ai_core.add_configuration(GROUP).await;
    kill_between(&mut scene, CreateDeployment, async |scene| {
        scene.put(&deployment_from("churn", &first)).await;
    })
    .await;
    let edit = json!({"spec": {"configurationId": second}});
    scene.change("Deployment", "churn", edit).await;
    scene.operator.start_again();
    let message = scene.until_stalled("churn", "Ambiguous").await;
    let candidate = scene.ai_core.only_deployment().await;
    assert!(message.contains(&candidate.id), "{message}");
    let answer =
        json!({"spec": {"adopt": {"deploymentId": candidate.id}, "deletionPolicy": "Delete"}});
    scene.change("Deployment", "churn", answer).await;
    assert_changed_in_place(scene).await;
}

#[tokio::test]
async fn a_change_of_mind_after_a_stop_and_a_crash_makes_a_new_deployment_once_the_old_one_is_gone()
{
    let mut scene = scene().await;
    scene.put(&deployment("churn")).await;
    let first = scene.until_ready("churn", "Running").await;
    scene.ai_core.set(json!({"stoppingMs": 3_000})).await;
    kill_between(&mut scene, StopDeployment, async |scene| {
        wish(scene, "churn", "Stopped").await;
    })
    .await;
    wish(&scene, "churn", "Running").await;
    scene.operator.start_again();
    let another = |object: &Value| {
        let id = object["status"]["deployment"]["id"].as_str();
        id.is_some_and(|id| id != first)
    };
    scene
        .until("Deployment", "churn", "it has another id", another)
        .await;
    assert_eq!(scene.ai_core.status_of(&first).await, None);
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn a_change_of_mind_before_the_stop_is_sent_leaves_the_deployment_running() {
    let mut scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.operator.kill().await;
    wish(&scene, "churn", "Stopped").await;
    wish(&scene, "churn", "Running").await;
    scene.operator.start_again();
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(id))]
    );
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_object_that_is_deleted_after_a_call_without_effect_goes_once_that_is_certain() {
    let mut scene = scene().await;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropBefore)
        .await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    scene.operator.kill().await;
    scene.delete("Deployment", "churn").await;
    scene.operator.start_again();
    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.calls(CreateDeployment).await.len(), 1);
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(0).await;
}

#[tokio::test]
async fn an_object_that_names_the_deployment_of_another_one_goes_and_the_model_lives() {
    let mut scene = scene().await;
    scene.put(&deployment("owner")).await;
    let id = scene.until_ready("owner", "Running").await;
    scene.put(&adoption("thief", &id, "Delete")).await;
    scene.until_stalled("thief", "Claimed").await;
    scene.delete_and_wait("thief").await;

    // The same where both were never seen by the process that decides.
    scene.operator.kill().await;
    scene.put(&adoption("second-thief", &id, "Delete")).await;
    scene.operator.start_again();
    scene.until_stalled("second-thief", "Claimed").await;
    scene.delete_and_wait("second-thief").await;

    assert_eq!(scene.until_ready("owner", "Running").await, id);
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(id.clone()))]
    );
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );
    scene.delete_and_wait("owner").await;
    scene.finish(1).await;
}

/// The Connection `other`, with the key of a tenant.
async fn connect_other(scene: &Scene, tenant: &str) {
    let key = scene.ai_core.service_key(tenant).await.to_string();
    scene.put(&secret("other", &json!({"key": key}))).await;
    scene.put(&connection("other", "other")).await;
    scene.until_reason("Connection", "other", "Connected").await;
}

async fn move_to_other(scene: &Scene) {
    let moved = json!({"spec": {"connectionRef": {"name": "other"}}});
    scene.change("Deployment", "churn", moved).await;
}

#[tokio::test]
async fn a_create_call_is_resolved_in_the_tenant_that_it_was_sent_to() {
    let mut scene = scene().await;
    connect_other(&scene, OTHER_TENANT).await;
    kill_between(&mut scene, CreateDeployment, async |scene| {
        scene.put(&deployment("churn")).await;
    })
    .await;
    move_to_other(&scene).await;
    scene.operator.start_again();
    let recorded = |object: &Value| object["status"]["deployment"]["id"].is_string();
    let object = scene
        .until("Deployment", "churn", "the result is found", recorded)
        .await;
    assert_eq!(object["status"]["tenant"]["identityZoneId"], TENANT);
    let id = id_of(&object);
    scene.delete_and_wait("churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn an_object_that_moves_to_another_connection_of_its_tenant_frees_the_former_while_it_is_deleted()
 {
    let scene = scene().await;
    connect_other(&scene, TENANT).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.set(json!({"stoppingMs": 600_000})).await;
    scene.delete("Deployment", "churn").await;
    scene.until_stop_is_accepted("churn").await;
    move_to_other(&scene).await;
    scene.delete("Connection", CONNECTION).await;
    scene.until_gone("Connection", CONNECTION).await;
    scene.ai_core.set(json!({"stoppingMs": 50})).await;
    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn a_policy_that_becomes_orphan_in_the_middle_of_a_deletion_lets_go_at_once() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.set(json!({"stoppingMs": 600_000})).await;
    scene.delete("Deployment", "churn").await;
    scene.until_stop_is_accepted("churn").await;
    let orphan = json!({"spec": {"deletionPolicy": "Orphan"}});
    scene.change("Deployment", "churn", orphan).await;
    scene.until_gone("Deployment", "churn").await;
    assert!(scene.ai_core.status_of(&id).await.is_some());
    scene.finish(1).await;
}

#[tokio::test]
async fn a_connection_that_becomes_exclusive_answers_what_was_ambiguous() {
    let mut scene = scene().await;
    let existing = scene.ai_core.add_configuration(GROUP).await;
    kill_between(&mut scene, CreateDeployment, async |scene| {
        scene.put(&deployment_from("churn", &existing)).await;
    })
    .await;
    scene.operator.start_again();
    scene.until_stalled("churn", "Ambiguous").await;
    make_exclusive(&scene).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn nothing_is_created_on_lists_that_break_off() {
    let scene = scene().await;
    let stranger = scene.ai_core.add_configuration(GROUP).await;
    scene.ai_core.add_deployment(GROUP, &stranger).await;
    scene
        .ai_core
        .fault("cut", &[ListDeployments], None, Effect::TruncateBody(0.8))
        .await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.listed_again(3, LIMIT).await;
    assert_eq!(scene.ai_core.effects().await, []);
    scene.ai_core.heal().await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}
