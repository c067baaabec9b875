//! The annotation `aicore.dev/paused`: nothing is done about the object, whatever is under way, and removing it goes on.

use aicore_emulator::Operation::{
    CreateConfiguration, CreateDeployment, DeleteDeployment, StopDeployment,
};
use harness::operator::Operator;
use harness::scene::{GROUP, LIMIT, Scene, Setting, condition, id_of};
use serde_json::{Value, json};

use crate::manifests::{OPERATOR, adoption, deployment, scene, wish};

/// The name of the object, of which each test has one.
const CHURN: &str = "churn";

fn annotation(value: Value) -> Value {
    json!({"metadata": {"annotations": {"aicore.dev/paused": value}}})
}

async fn pause(scene: &Scene) {
    let paused = annotation(json!("true"));
    scene.change("Deployment", CHURN, paused).await;
}

async fn go_on(scene: &Scene) {
    let free = annotation(Value::Null);
    scene.change("Deployment", CHURN, free).await;
}

/// Waits until the object is Stalled because of the pause, and says that this would be done next.
async fn until_paused(scene: &Scene, plan: &str) -> Value {
    let what = format!("it is paused and would {plan}");
    let next =
        format!("would {plan}, but waits for the annotation aicore.dev/paused to be removed");
    let told = |object: &Value| {
        let stalled = condition(object, "Stalled");
        stalled["reason"] == "Paused"
            && object["status"]["nextStep"] == next.as_str()
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    };
    scene.until("Deployment", CHURN, &what, told).await
}

/// Nothing is written to AI Core while some lists come and go.
async fn assert_still(scene: &Scene) {
    let before = scene.ai_core.effects().await;
    scene.ai_core.listed_again(3, LIMIT).await;
    assert_eq!(scene.ai_core.effects().await, before);
}

#[tokio::test]
async fn an_object_that_is_paused_at_any_step_stands_still_and_goes_on_afterwards() {
    let scene = scene().await;
    let ai_core = &scene.ai_core;
    scene.put(&deployment(CHURN)).await;
    let id = scene.until_ready(CHURN, "Running").await;

    // While it runs.
    pause(&scene).await;
    wish(&scene, CHURN, "Deleted").await;
    let object = until_paused(&scene, &format!("stop {id}")).await;
    assert_eq!(condition(&object, "Available")["status"], "True");
    assert_still(&scene).await;

    // While it stops.
    ai_core.set(json!({"stoppingMs": 600_000})).await;
    go_on(&scene).await;
    scene.until_stop_is_accepted(CHURN).await;
    pause(&scene).await;
    ai_core.set(json!({"stoppingMs": 50})).await;
    until_paused(&scene, &format!("delete {id}")).await;
    assert_still(&scene).await;

    // While it is deleted.
    ai_core.set(json!({"deletingMs": 600_000})).await;
    go_on(&scene).await;
    let deleting = |object: &Value| object["status"]["deployment"]["targetState"] == "DELETED";
    scene
        .until("Deployment", CHURN, "it is being deleted", deleting)
        .await;
    pause(&scene).await;
    ai_core.set(json!({"deletingMs": 50})).await;
    let object = until_paused(&scene, &format!("forget deployment {id}")).await;
    assert_eq!(id_of(&object), id);
    go_on(&scene).await;
    scene.until_ready(CHURN, "Deleted").await;

    // Before it is created.
    pause(&scene).await;
    wish(&scene, CHURN, "Running").await;
    until_paused(&scene, "create a deployment").await;
    assert_still(&scene).await;
    go_on(&scene).await;
    let second = scene.until_ready(CHURN, "Running").await;

    let of = |operation, id: &str| (operation, Some(id.to_owned()));
    let effects = [
        of(CreateDeployment, &id),
        of(StopDeployment, &id),
        of(DeleteDeployment, &id),
        of(CreateDeployment, &second),
    ];
    assert_eq!(ai_core.effects().await, effects);
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn what_is_being_replaced_and_deleted_stays_while_paused_also_under_another_replica() {
    let mut scene = scene().await;
    scene.put(&deployment(CHURN)).await;
    let former = scene.until_ready(CHURN, "Running").await;
    scene.ai_core.set(json!({"pendingMs": 600_000})).await;
    let gpu = json!({"spec": {"configuration": {"executableId": "churn-server-gpu"}}});
    scene.change("Deployment", CHURN, gpu).await;
    let pending = |object: &Value| {
        let recorded = &object["status"]["deployment"];
        recorded["state"] == "PENDING" && recorded["id"] != former.as_str()
    };
    let what = "its successor is PENDING";
    scene.until("Deployment", CHURN, what, pending).await;
    pause(&scene).await;
    scene.ai_core.set(json!({"pendingMs": 0})).await;
    let plan = format!("end deployment {former}, which it has besides");
    let object = until_paused(&scene, &plan).await;
    assert_eq!(object["status"]["deployment"]["state"], "RUNNING");
    assert_still(&scene).await;

    let setting = Setting::of(OPERATOR);
    let other = Operator::start_beside(scene.control_plane(), &scene.namespace, &setting).await;
    other.says("standing by").await;
    scene.operator.terminate().await;
    scene.operator = other;
    scene.operator.says("decided").await;
    scene.delete("Deployment", CHURN).await;
    until_paused(&scene, &format!("stop {}", id_of(&object))).await;
    assert_still(&scene).await;

    go_on(&scene).await;
    scene.until_gone("Deployment", CHURN).await;
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(2).await;
}

#[tokio::test]
async fn what_is_applied_with_a_pause_is_not_even_prepared_or_recorded() {
    let scene = scene().await;
    let mut object = deployment(CHURN);
    object["metadata"]["annotations"] = json!({"aicore.dev/paused": "while we talk about it"});
    scene.put(&object).await;
    until_paused(&scene, "find or create the configuration").await;
    assert_still(&scene).await;
    assert_eq!(scene.ai_core.calls(CreateConfiguration).await.len(), 0);
    // Nothing was ever made for it, but a pause holds even that it goes.
    scene.delete("Deployment", CHURN).await;
    until_paused(&scene, "take the finalizer off this object").await;
    go_on(&scene).await;
    scene.until_gone("Deployment", CHURN).await;

    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let id = scene.ai_core.add_deployment(GROUP, &configuration).await;
    let mut adopts = adoption(CHURN, &id, "Delete");
    adopts["metadata"]["annotations"] = json!({"aicore.dev/paused": "true"});
    scene.put(&adopts).await;
    let paused = until_paused(&scene, &format!("record deployment {id}")).await;
    assert!(paused["status"]["deployment"].is_null(), "{paused}");

    // Only `false` is no pause.
    let open = annotation(json!("false"));
    scene.change("Deployment", CHURN, open).await;
    assert_eq!(scene.until_ready(CHURN, "Running").await, id);
    pause(&scene).await;
    scene.delete("Deployment", CHURN).await;
    until_paused(&scene, &format!("stop {id}")).await;
    let force = json!({"metadata": {"annotations": {"aicore.dev/force-release": "a test"}}});
    scene.change("Deployment", CHURN, force).await;
    scene.until_gone("Deployment", CHURN).await;
    let status = scene.ai_core.status_of(&id).await;
    assert_eq!(status.as_deref(), Some("RUNNING"));
    scene.finish(0).await;
}
