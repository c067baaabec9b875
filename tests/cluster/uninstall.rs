//! Deleting the custom resource definitions deletes every object, and no model.

use std::collections::BTreeSet;

use aicore_emulator::{Effect, Kind, Operation};
use harness::emulated::TENANT;
use harness::manifests::{adoption, deployment, wish};
use harness::scene::{GROUP, SECRET, Scene, Setting};
use serde_json::{Value, json};

use crate::{OPERATOR, Turn, scene_alone};

async fn scene() -> (Turn, Scene) {
    scene_alone(Setting::of(OPERATOR)).await
}

async fn assert_status(scene: &Scene, id: &str, status: &str) {
    assert_eq!(scene.ai_core.status_of(id).await.as_deref(), Some(status));
}

fn is_deleted(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

#[tokio::test]
async fn every_object_goes_with_the_definitions_and_every_model_stays_and_is_found_again() {
    let (_turn, mut scene) = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let adopted = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.put(&deployment("churn")).await;
    scene.put(&deployment("stopped")).await;
    scene.put(&adoption("adopted", &adopted, "Delete")).await;
    let running = scene.until_ready("churn", "Running").await;
    scene.until_ready("stopped", "Running").await;
    scene.until_ready("adopted", "Running").await;
    wish(&scene, "stopped", "Stopped").await;
    let stopped = scene.until_ready("stopped", "Stopped").await;
    let before = scene.ai_core.audit().await.len();

    scene.begin_uninstall().await;
    scene.until_uninstalled().await;

    for (id, status) in [
        (&running, "RUNNING"),
        (&stopped, "STOPPED"),
        (&adopted, "RUNNING"),
    ] {
        assert_status(&scene, id, status).await;
        scene.until_told_of("Orphaned", id).await;
    }
    let written = scene.ai_core.audit().await.into_iter().skip(before);
    let written: Vec<_> = written
        .filter(|entry| entry.kind == Kind::Call && entry.operation != Operation::Token)
        .filter(|entry| entry.method.as_deref() != Some("GET"))
        .collect();
    assert_eq!(written, []);
    scene.delete("Secret", SECRET).await;
    scene.until_gone("Secret", SECRET).await;

    scene.install().await;
    scene.connect(TENANT).await;
    scene.put(&deployment("churn")).await;
    assert_eq!(scene.until_ready("churn", "Running").await, running);
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn a_deletion_that_had_begun_goes_on_to_its_end() {
    let (_turn, mut scene) = scene().await;
    scene.put(&deployment("churn")).await;
    scene.put(&deployment("bystander")).await;
    let id = scene.until_ready("churn", "Running").await;
    let bystander = scene.until_ready("bystander", "Running").await;
    scene.ai_core.set(json!({"stoppingMs": 600_000})).await;
    scene.delete("Deployment", "churn").await;
    scene.until_stop_is_accepted("churn").await;

    scene.begin_uninstall().await;
    scene.until_gone("Deployment", "bystander").await;
    scene.ai_core.set(json!({"stoppingMs": 50})).await;
    scene.until_uninstalled().await;

    assert_eq!(scene.ai_core.status_of(&id).await, None);
    assert_status(&scene, &bystander, "RUNNING").await;
    scene.install().await;
    scene.finish(2).await;
}

#[tokio::test]
async fn a_deletion_whose_stop_was_sent_goes_on_after_a_crash_too() {
    let (_turn, mut scene) = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.set(json!({"stoppingMs": 600_000})).await;
    scene.delete("Deployment", "churn").await;
    scene.until_stop_is_accepted("churn").await;
    scene.operator.kill().await;

    scene.begin_uninstall().await;
    scene.ai_core.set(json!({"stoppingMs": 50})).await;
    scene.operator.start_again();
    scene.until_uninstalled().await;

    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.install().await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_operator_that_was_down_lets_everything_go_when_it_is_back() {
    let (_turn, mut scene) = scene().await;
    scene.put(&deployment("churn")).await;
    scene.put(&deployment("deleted-before")).await;
    let ids = BTreeSet::from([
        scene.until_ready("churn", "Running").await,
        scene.until_ready("deleted-before", "Running").await,
    ]);
    scene.operator.kill().await;
    scene.delete("Deployment", "deleted-before").await;
    scene.begin_uninstall().await;
    scene
        .until("Deployment", "churn", "it is deleted", is_deleted)
        .await;

    scene.operator.start_again();
    scene.until_uninstalled().await;

    for id in &ids {
        assert_status(&scene, id, "RUNNING").await;
        scene.until_told_of("Orphaned", id).await;
    }
    scene.install().await;
    scene.finish(2).await;
}

#[tokio::test]
async fn an_outage_of_ai_core_does_not_hold_an_uninstall_up() {
    let (_turn, mut scene) = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.fault("outage", &[], None, Effect::Down).await;

    scene.begin_uninstall().await;
    scene.until_uninstalled().await;

    assert_status(&scene, &id, "RUNNING").await;
    scene.ai_core.heal().await;
    scene.install().await;
    scene.finish(1).await;
}
