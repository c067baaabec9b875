//! The Kubernetes API is away at the worst moment: what was made in AI Core meanwhile is neither lost nor made twice.

use aicore_emulator::Effect;
use aicore_emulator::Operation::{self, CreateDeployment, DeleteDeployment};
use harness::control_plane::ControlPlane;
use harness::proxy::Proxy;
use harness::scene::{GROUP, LIMIT, Scene, Setting};
use serde_json::Value;

use crate::manifests::{OPERATOR, deployment, deployment_from};

/// What the operator logs when it cannot write the id of a new deployment down, each time that it tries.
const NOT_RECORDED: &str = "what became of the create call could not be recorded";

/// A scene whose operator reaches the API server only through the proxy.
async fn scene_behind(proxy: &Proxy) -> Scene {
    let setting = Setting {
        api_server: Some(proxy.url()),
        ..Setting::of(OPERATOR)
    };
    Scene::start(setting).await
}

async fn proxy() -> Proxy {
    Proxy::to(&ControlPlane::shared().await.server()).await
}

/// Cuts the operator off from the Kubernetes API between the effect and the answer of its next call of an operation.
async fn cut_during(
    scene: &Scene,
    proxy: &Proxy,
    operation: Operation,
    begin: impl AsyncFnOnce(&Scene),
) {
    // Half of what a call may take: a busy machine has as much time for the cut before the answer as for the answer.
    let slow = Effect::AnswerLatencyMs(1_500);
    scene
        .ai_core
        .fault("slow", &[operation], Some(1), slow)
        .await;
    begin(scene).await;
    scene.ai_core.called(operation, 1, LIMIT).await;
    proxy.cut();
}

/// Waits until the operator has stopped trying to write about the object.
async fn until_given_up(scene: &Scene) {
    let line = format!(
        r#"the Kubernetes API failed namespace="{}" object="churn""#,
        scene.namespace
    );
    scene.operator.says(&line).await;
}

/// The object has the only deployment that there is.
async fn assert_made_once(scene: &Scene) {
    let id = scene.until_ready("churn", "Running").await;
    let made = scene.ai_core.deployments().await;
    let made: Vec<&str> = made
        .iter()
        .map(|deployment| deployment.id.as_str())
        .collect();
    assert_eq!(made, [id]);
    assert_eq!(scene.ai_core.calls(CreateDeployment).await.len(), 1);
}

#[tokio::test]
async fn a_deployment_that_could_not_be_recorded_is_found_when_the_api_is_back() {
    let proxy = proxy().await;
    let scene = scene_behind(&proxy).await;
    cut_during(&scene, &proxy, CreateDeployment, async |scene| {
        scene.put(&deployment("churn")).await;
    })
    .await;
    until_given_up(&scene).await;

    proxy.restore();

    assert_made_once(&scene).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deployment_that_bears_no_name_and_could_not_be_recorded_needs_no_person_to_be_found() {
    let proxy = proxy().await;
    let scene = scene_behind(&proxy).await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    cut_during(&scene, &proxy, CreateDeployment, async |scene| {
        scene.put(&deployment_from("churn", &configuration)).await;
    })
    .await;
    until_given_up(&scene).await;

    proxy.restore();

    assert_made_once(&scene).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_object_that_is_deleted_while_its_deployment_cannot_be_recorded_leaves_nothing() {
    let proxy = proxy().await;
    let scene = scene_behind(&proxy).await;
    cut_during(&scene, &proxy, CreateDeployment, async |scene| {
        scene.put(&deployment("churn")).await;
    })
    .await;
    scene.delete("Deployment", "churn").await;
    until_given_up(&scene).await;

    proxy.restore();

    scene.until_gone("Deployment", "churn").await;
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deployment_is_recorded_at_once_when_the_api_is_back_in_time() {
    let proxy = proxy().await;
    let scene = scene_behind(&proxy).await;
    cut_during(&scene, &proxy, CreateDeployment, async |scene| {
        scene.put(&deployment("churn")).await;
    })
    .await;
    scene.operator.says(NOT_RECORDED).await;

    proxy.restore();

    assert_made_once(&scene).await;
    let reasons = scene.reasons_after("churn", "Creating");
    assert!(
        !reasons.contains(&"CreateUnresolved".to_owned()),
        "{reasons:?}"
    );
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deletion_that_is_wished_for_while_the_operator_is_cut_off_is_carried_out_later() {
    let proxy = proxy().await;
    let scene = scene_behind(&proxy).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    proxy.cut();
    scene.delete("Deployment", "churn").await;
    let deleted = |object: &Value| object["metadata"]["deletionTimestamp"].is_string();
    scene
        .until("Deployment", "churn", "it is deleted", deleted)
        .await;

    proxy.restore();

    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    assert_eq!(scene.ai_core.calls(DeleteDeployment).await.len(), 1);
    scene.finish(1).await;
}
