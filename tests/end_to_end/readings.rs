//! Where AI Core's contract is silent, the operator works with every reading of it.

use aicore_emulator::{
    BulkUpdates, Effect, ErrorShape, ErrorStatus, Settings, StaleList, UnknownGroup,
};
use harness::emulated::TENANT;
use harness::scene::{Scene, Setting};
use serde_json::{Value, json};

use crate::manifests::{OPERATOR, deployment, scene, wish};

async fn scene_with(change: impl FnOnce(&mut Settings)) -> Scene {
    let mut setting = Setting::of(OPERATOR);
    change(&mut setting.ai_core);
    Scene::start(setting).await
}

/// Creates, stops, and deletes a deployment.
async fn life_of_one(scene: Scene) {
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    wish(&scene, "churn", "Stopped").await;
    scene.until_ready("churn", "Stopped").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

/// The same on lists that are old, so that AI Core has to refuse what they suggest.
async fn life_with_refusals(status: u16, shape: ErrorShape) {
    let status = ErrorStatus::try_from(status).expect("it is a client error");
    let scene = scene_with(|settings| {
        settings.illegal_stop_status = status;
        settings.illegal_delete_status = status;
        settings.error_shape = shape;
        settings.stopping_ms = 300;
    })
    .await;
    let stale = Effect::StaleList(StaleList { age_ms: 700 });
    scene.ai_core.fault("stale", &[], None, stale).await;
    life_of_one(scene).await;
}

#[tokio::test]
async fn an_illegal_operation_may_be_answered_with_400_in_plain_text() {
    life_with_refusals(400, ErrorShape::PlainText).await;
}

#[tokio::test]
async fn an_illegal_operation_may_be_answered_with_409_as_a_page() {
    life_with_refusals(409, ErrorShape::Html).await;
}

#[tokio::test]
async fn an_illegal_operation_may_be_answered_with_412_and_no_body() {
    life_with_refusals(412, ErrorShape::Empty).await;
}

#[tokio::test]
async fn bulk_updates_may_work() {
    life_of_one(scene_with(|settings| settings.bulk_updates = BulkUpdates::Present).await).await;
}

#[tokio::test]
async fn bulk_updates_may_go_unmentioned_and_fields_may_be_null() {
    let scene = scene_with(|settings| {
        settings.bulk_updates = BulkUpdates::Missing;
        settings.null_fields = true;
    });
    life_of_one(scene.await).await;
}

#[tokio::test]
async fn there_may_be_unknown_fields_and_the_undocumented_status_deleting() {
    let scene = scene_with(|settings| {
        settings.extra_fields = true;
        settings.emit_deleting = true;
        settings.deleting_ms = 500;
    });
    life_of_one(scene.await).await;
}

#[tokio::test]
async fn a_new_deployment_may_be_missing_for_a_while() {
    life_of_one(scene_with(|settings| settings.fresh_not_found_ms = 1_000).await).await;
}

#[tokio::test]
async fn an_unknown_status_is_told_and_waited_out_even_when_the_object_is_deleted() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let mystery = json!({"status": "MYSTERY", "frozen": true});
    scene.ai_core.force(&id, mystery).await;
    let told = scene
        .until_reason("Deployment", "churn", "UnknownState")
        .await;
    assert!(told["status"].to_string().contains("MYSTERY"), "{told}");
    scene.delete("Deployment", "churn").await;
    let waiting = |object: &Value| {
        object["metadata"]["deletionTimestamp"].is_string()
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    };
    scene
        .until("Deployment", "churn", "its deletion is seen", waiting)
        .await;
    let effects = scene.ai_core.effects().await;
    assert_eq!(effects.len(), 1, "{effects:?}");
    let running = json!({"status": "RUNNING", "frozen": false});
    scene.ai_core.force(&id, running).await;
    scene.until_gone("Deployment", "churn").await;
    scene.finish(1).await;
}

/// An object in a group that does not exist says so, and heals when it comes into being.
async fn unknown_group(reading: UnknownGroup) {
    let scene = scene_with(|settings| settings.unknown_group = reading).await;
    let mut object = deployment("churn");
    object["spec"]["resourceGroup"] = json!("team-c");
    scene.put(&object).await;
    let stalled = |object: &Value| harness::scene::condition(object, "Stalled")["status"] == "True";
    scene
        .until("Deployment", "churn", "it is Stalled", stalled)
        .await;
    scene.ai_core.add_group("team-c").await;
    let id = scene.until_ready("churn", "Running").await;

    scene.ai_core.remove_group("team-c").await;

    scene.delete_and_wait("churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn an_unknown_group_may_be_forbidden() {
    unknown_group(UnknownGroup::Forbidden403).await;
}

#[tokio::test]
async fn an_unknown_group_may_be_not_found() {
    unknown_group(UnknownGroup::NotFound404).await;
}

#[tokio::test]
async fn a_token_may_live_for_seconds_only() {
    let scene = scene_with(|settings| settings.token_seconds = 2).await;
    scene.put_key(TENANT).await;
    life_of_one(scene).await;
}
