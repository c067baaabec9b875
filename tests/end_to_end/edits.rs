//! The spec is edited at awkward moments, or asks for little.

use aicore_emulator::Effect;
use aicore_emulator::Operation::{ChangeConfiguration, CreateDeployment};
use harness::scene::{GROUP, LIMIT, condition};
use serde_json::{Value, json};

use crate::manifests::{
    adoption, configuration, deployment, deployment_from, deployment_that_ends, scene, wish, with,
};

#[tokio::test]
async fn an_object_that_begins_stopped_creates_nothing() {
    let scene = scene().await;
    let spec = json!({"configuration": configuration(&json!({})), "desiredState": "Stopped"});
    scene.put(&with("churn", spec)).await;
    assert_eq!(scene.until_ready("churn", "Stopped").await, "");
    scene.delete_and_wait("churn").await;
    scene.finish(0).await;
}

#[tokio::test]
async fn a_wish_to_stop_that_comes_while_the_create_call_is_under_way_is_followed() {
    let scene = scene().await;
    let slow = Effect::AnswerLatencyMs(1_500);
    scene
        .ai_core
        .fault("slow", &[CreateDeployment], Some(1), slow)
        .await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    wish(&scene, "churn", "Stopped").await;
    assert_ne!(scene.until_ready("churn", "Stopped").await, "");
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_object_that_is_deleted_while_the_create_call_is_under_way_leaves_nothing() {
    let scene = scene().await;
    let slow = Effect::AnswerLatencyMs(1_500);
    scene
        .ai_core
        .fault("slow", &[CreateDeployment], Some(1), slow)
        .await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    scene.delete_and_wait("churn").await;
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(1).await;
}

#[tokio::test]
async fn an_object_that_is_deleted_before_its_new_deployment_can_be_seen_leaves_nothing() {
    let scene = scene().await;
    scene.ai_core.set(json!({"freshNotFoundMs": 1_000})).await;
    scene.put(&deployment("churn")).await;
    let recorded = |object: &Value| object["status"]["deployment"]["id"].is_string();
    scene
        .until("Deployment", "churn", "it has an id", recorded)
        .await;
    scene.delete_and_wait("churn").await;
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(1).await;
}

#[tokio::test]
async fn a_dead_deployment_lives_again_with_another_configuration() {
    let scene = scene().await;
    scene.put(&deployment_that_ends("churn", "DEAD")).await;
    scene.until_stalled("churn", "DeploymentDead").await;
    let better =
        json!({"spec": {"configuration": {"parameters": {"emulator.outcome": "RUNNING"}}}});
    scene.change("Deployment", "churn", better).await;
    let id = scene.until_ready("churn", "Running").await;
    assert_eq!(
        scene.ai_core.effects().await,
        [CreateDeployment, ChangeConfiguration].map(|effect| (effect, Some(id.clone())))
    );
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_change_that_ai_core_refuses_leaves_the_deployment_serving() {
    let scene = scene().await;
    let existing = scene.ai_core.add_configuration(GROUP).await;
    scene.put(&deployment_from("churn", &existing)).await;
    let id = scene.until_ready("churn", "Running").await;
    let missing = json!({"spec": {"configurationId": "00000000-0000-0000-0000-000000000000"}});
    scene.change("Deployment", "churn", missing).await;
    scene.until_stalled("churn", "InvalidConfiguration").await;
    let object = scene.get("Deployment", "churn").await;
    assert_eq!(condition(&object, "Available")["status"], "True");
    let back = json!({"spec": {"configurationId": existing}});
    scene.change("Deployment", "churn", back).await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_inline_configuration_takes_the_place_of_an_existing_one() {
    let scene = scene().await;
    let existing = scene.ai_core.add_configuration(GROUP).await;
    scene.put(&deployment_from("churn", &existing)).await;
    let id = scene.until_ready("churn", "Running").await;
    let inline =
        json!({"spec": {"configurationId": null, "configuration": configuration(&json!({}))}});
    scene.change("Deployment", "churn", inline).await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    let object = scene.get("Deployment", "churn").await;
    assert_ne!(object["status"]["deployment"]["configurationId"], existing);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_adopted_deployment_that_was_deleted_on_demand_is_made_anew_from_its_configuration() {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let former = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.put(&adoption("churn", &former, "Delete")).await;
    scene.until_ready("churn", "Running").await;
    wish(&scene, "churn", "Deleted").await;
    scene.until_ready("churn", "Deleted").await;
    wish(&scene, "churn", "Running").await;
    assert_ne!(scene.until_ready("churn", "Running").await, former);
    let object = scene.get("Deployment", "churn").await;
    assert_eq!(
        object["status"]["deployment"]["configurationId"],
        configuration
    );
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_finalizer_of_somebody_else_holds_the_object_but_brings_nothing_back() {
    let scene = scene().await;
    let mut object = deployment("churn");
    object["metadata"]["finalizers"] = json!(["example.com/hold"]);
    scene.put(&object).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.delete("Deployment", "churn").await;
    let only_theirs =
        |object: &Value| object["metadata"]["finalizers"] == json!(["example.com/hold"]);
    scene
        .until("Deployment", "churn", "our finalizer is off", only_theirs)
        .await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    let freed = json!({"metadata": {"finalizers": null}});
    scene.change("Deployment", "churn", freed).await;
    scene.until_gone("Deployment", "churn").await;
    scene.finish(1).await;
}
