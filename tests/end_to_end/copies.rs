//! Copies of an object's deployment that a person has made by hand from its configuration. They are nobody's late result: they are left alone as
//! long as the object stays, and those that bear its name go with it.

use aicore_emulator::Effect;
use aicore_emulator::Operation::{CreateDeployment, DeleteDeployment, StopDeployment};
use harness::scene::{GROUP, LIMIT, Scene};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::manifests::{
    configuration_of, deployment, deployment_from, make_exclusive, scene, wish,
};

/// A running object, and a copy of its deployment that a person has made from its configuration.
async fn with_a_copy() -> (Scene, [String; 2]) {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let current = scene.until_ready("churn", "Running").await;
    let configuration = configuration_of(&scene, "churn").await;
    let copy = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.ai_core.listed_again(5, LIMIT).await;
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(current.clone()))],
        "a copy is nobody's late result, so it is left alone as long as the object runs"
    );
    (scene, [current, copy])
}

async fn assert_all_gone(scene: &Scene, ids: &[String]) {
    for id in ids {
        assert_eq!(scene.ai_core.status_of(id).await, None, "{id} is left");
    }
}

#[tokio::test]
async fn a_copy_that_bears_the_objects_name_is_gone_before_the_object_goes() {
    let (scene, ids) = with_a_copy().await;
    scene.delete_and_wait("churn").await;
    assert_all_gone(&scene, &ids).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_copy_that_bears_the_objects_name_is_gone_when_the_object_says_deleted() {
    let (scene, ids) = with_a_copy().await;
    wish(&scene, "churn", "Deleted").await;
    scene.until_ready("churn", "Deleted").await;
    assert_all_gone(&scene, &ids).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_copy_whose_stop_is_lost_and_that_is_slow_to_go_holds_the_object() {
    let (scene, ids) = with_a_copy().await;
    let [_, copy] = &ids;
    for operation in [StopDeployment, DeleteDeployment] {
        scene
            .ai_core
            .fault("lost", &[operation], Some(2), Effect::DropBefore)
            .await;
    }
    scene.delete("Deployment", "churn").await;
    let retiring = |object: &Value| object["status"]["retiring"][0]["id"] == copy.as_str();
    scene
        .until("Deployment", "churn", "the copy is to go too", retiring)
        .await;
    scene.until_gone("Deployment", "churn").await;
    assert_all_gone(&scene, &ids).await;
    scene.finish(1).await;
}

/// Makes an object whose first create call was given up two hours ago, and a copy of its deployment while the operator is away. Returns the ids of
/// its deployment and of the copy, once the call is not kept any more.
async fn with_a_copy_long_after_a_call_was_given_up(
    scene: &mut Scene,
    object: &Value,
) -> [String; 2] {
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropBefore)
        .await;
    scene.put(object).await;
    let current = scene.until_ready("churn", "Running").await;
    let configuration = configuration_of(scene, "churn").await;
    scene.operator.kill().await;
    let mut lapsed = scene.get("Deployment", "churn").await["status"]["lapsed"].take();
    let announced = lapsed[0]["announcedAt"]
        .as_str()
        .expect("AI Core tells the time");
    let announced: Timestamp = announced.parse().expect("it is a time");
    lapsed[0]["announcedAt"] = json!((announced - SignedDuration::from_hours(2)).to_string());
    scene
        .change_status("Deployment", "churn", json!({"lapsed": lapsed}))
        .await;
    let copy = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.operator.start_again();

    let forgotten = |object: &Value| object["status"].get("lapsed").is_none();
    scene
        .until("Deployment", "churn", "the call is forgotten", forgotten)
        .await;
    scene.ai_core.listed_again(3, LIMIT).await;
    assert_eq!(scene.until_ready("churn", "Running").await, current);
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(current.clone()))]
    );
    [current, copy]
}

#[tokio::test]
async fn a_copy_that_is_made_long_after_a_call_was_given_up_lives_as_long_as_the_object() {
    let mut scene = scene().await;
    let ids = with_a_copy_long_after_a_call_was_given_up(&mut scene, &deployment("churn")).await;
    scene.delete_and_wait("churn").await;
    assert_all_gone(&scene, &ids).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_copy_from_a_configuration_that_nobody_else_uses_outlives_the_object() {
    let mut scene = scene().await;
    make_exclusive(&scene).await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let object = deployment_from("churn", &configuration);
    let [_, copy] = with_a_copy_long_after_a_call_was_given_up(&mut scene, &object).await;
    scene.delete_and_wait("churn").await;
    assert_eq!(
        scene.ai_core.status_of(&copy).await.as_deref(),
        Some("RUNNING")
    );
    scene.finish(1).await;
}
