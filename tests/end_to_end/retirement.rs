//! Models that AI Core deprecates or retires are told in good time, and each announcement once.

use aicore_emulator::Operation::ListModels;
use harness::scene::{GROUP, LIMIT, Scene, Setting};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::manifests::{OPERATOR, deployment, scene, with};
use crate::observability::until_measured;

/// A scene whose operator asks for models every second.
async fn curious_scene() -> Scene {
    let setting = Setting {
        arguments: &["--resync-seconds", "1", "--model-check-seconds", "1"],
        ..Setting::of(OPERATOR)
    };
    Scene::start(setting).await
}

fn hosted(version: &str) -> Value {
    let configuration = json!({
        "scenarioId": "foundation-models",
        "executableId": "azure-openai",
        "parameters": {"modelName": "gpt-4o", "modelVersion": version},
    });
    with("assistant", json!({"configuration": configuration}))
}

/// A moment so many days from now.
fn in_days(days: i64) -> String {
    let now = Timestamp::now();
    let then = now.checked_add(SignedDuration::from_hours(24 * days));
    format!("{:.0}", then.expect("it is within the calendar"))
}

/// Waits until the status tells of a retirement, and returns it.
async fn until_announced(scene: &Scene, holds: impl Fn(&Value) -> bool + Send + Sync) -> Value {
    let what = "the retirement of the model is told";
    let told = |object: &Value| holds(&object["status"]["modelRetirement"]);
    let object = scene.until("Deployment", "assistant", what, told).await;
    object["status"]["modelRetirement"].clone()
}

async fn warnings(scene: &Scene) -> Vec<String> {
    let events = scene.events().await.into_iter();
    events
        .filter(|(reason, _)| reason == "ModelRetiring")
        .map(|(_, note)| note)
        .collect()
}

#[tokio::test]
async fn a_model_that_is_retired_soon_is_told_once_and_again_when_the_date_changes() {
    let mut scene = curious_scene().await;
    let (first, second) = (in_days(20), in_days(25));
    let version = |date: &str| json!([{"name": "2024-08-06", "retirementDate": date}]);
    scene.ai_core.announce(version(&first)).await;
    scene.put(&hosted("2024-08-06")).await;
    let id = scene.until_ready("assistant", "Running").await;
    let told = until_announced(&scene, Value::is_object).await;
    assert_eq!(
        told,
        json!({"model": "gpt-4o", "version": "2024-08-06", "deprecated": false, "retirementDate": first})
    );
    let note = scene.until_told("ModelRetiring").await;
    for words in ["gpt-4o", "2024-08-06", first.as_str(), "modelVersion"] {
        assert!(note.contains(words), "{words} is not in: {note}");
    }
    let retires_at: Timestamp = first.parse().expect("it is a moment");
    let metric = format!(
        "aicore_model_retirement_timestamp_seconds{{object_namespace=\"{}\",model=\"gpt-4o\",version=\"2024-08-06\"}} {}",
        scene.namespace,
        retires_at.as_second()
    );
    until_measured(&scene, &metric).await;

    scene.operator.kill().await;
    scene.operator.start_again();
    let asked = scene.ai_core.calls(ListModels).await.len();
    scene.ai_core.called(ListModels, asked + 3, LIMIT).await;
    assert_eq!(warnings(&scene).await.len(), 1);

    scene.ai_core.announce(version(&second)).await;
    until_announced(&scene, |told| told["retirementDate"] == json!(second)).await;
    scene
        .ai_core
        .announce(json!([{"name": "2024-08-06"}]))
        .await;
    until_announced(&scene, Value::is_null).await;
    assert_eq!(scene.until_ready("assistant", "Running").await, id);
    let warnings = warnings(&scene).await;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    scene.delete_and_wait("assistant").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deprecated_version_is_told_and_a_distant_date_is_not() {
    let scene = curious_scene().await;
    scene
        .ai_core
        .announce(json!([{"name": "2024-08-06", "retirementDate": in_days(40)}]))
        .await;
    scene.put(&hosted("2024-08-06")).await;
    scene.until_ready("assistant", "Running").await;
    scene.ai_core.called(ListModels, 3, LIMIT).await;
    let object = scene.get("Deployment", "assistant").await;
    assert_eq!(object["status"]["modelRetirement"], Value::Null);
    scene
        .ai_core
        .announce(json!([{"name": "2024-08-06", "deprecated": true}]))
        .await;
    let told = until_announced(&scene, Value::is_object).await;
    assert_eq!(told["deprecated"], json!(true));
    let note = scene.until_told("ModelRetiring").await;
    assert!(note.contains("is deprecated"), "{note}");
    scene.delete_and_wait("assistant").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn the_latest_version_is_told_only_when_every_version_goes() {
    let scene = curious_scene().await;
    let versions = |newest: bool| {
        json!([
            {"name": "2024-08-06", "deprecated": true},
            {"name": "2024-11-20", "deprecated": newest, "isLatest": true},
        ])
    };
    scene.ai_core.announce(versions(false)).await;
    scene.put(&hosted("latest")).await;
    scene.until_ready("assistant", "Running").await;
    scene.ai_core.called(ListModels, 3, LIMIT).await;
    assert_eq!(warnings(&scene).await, [""; 0]);
    scene.ai_core.announce(versions(true)).await;
    let told = until_announced(&scene, Value::is_object).await;
    assert_eq!(told["version"], "latest");
    scene.delete_and_wait("assistant").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn the_model_of_an_existing_configuration_is_known_from_the_deployment() {
    let scene = curious_scene().await;
    let parameters = json!({"modelName": "gpt-4o", "modelVersion": "2024-08-06"});
    let configuration = scene.ai_core.add_hosted_model(GROUP, &parameters).await;
    scene
        .ai_core
        .announce(json!([{"name": "2024-08-06", "deprecated": true}]))
        .await;
    scene
        .put(&with(
            "assistant",
            json!({"configurationId": configuration}),
        ))
        .await;
    scene.until_ready("assistant", "Running").await;
    let told = until_announced(&scene, Value::is_object).await;
    assert_eq!(told["model"], "gpt-4o");
    scene.delete_and_wait("assistant").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn models_are_asked_for_once_for_all_and_never_for_servers_of_ones_own() {
    let scene = scene().await;
    let names = ["first", "second", "third"];
    for name in names {
        let mut object = hosted("latest");
        object["metadata"]["name"] = json!(name);
        scene.put(&object).await;
    }
    let mut own = deployment("churn");
    own["spec"]["configuration"]["parameters"] = json!({"imageTag": "1"});
    scene.put(&own).await;
    for name in names.into_iter().chain(["churn"]) {
        scene.until_ready(name, "Running").await;
    }
    scene.ai_core.listed_again(2, LIMIT).await;
    assert_eq!(scene.ai_core.calls(ListModels).await.len(), 1);
    for name in names.into_iter().chain(["churn"]) {
        scene.delete_and_wait(name).await;
    }
    scene.finish(4).await;
}
