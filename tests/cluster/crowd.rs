//! A server that is slow for the objects of one namespace does not hold up those of others.

use aicore_emulator::Effect;
use aicore_emulator::Operation::{CreateDeployment, StopDeployment};
use harness::emulated::TENANT;
use harness::manifests::deployment;
use harness::scene::{LIMIT, Setting};
use serde_json::{Value, json};

use crate::{OPERATOR, scene_alone};

#[tokio::test]
async fn a_namespace_whose_calls_hang_takes_no_more_than_half_of_the_places() {
    let (_turn, mut scene) = scene_alone(Setting {
        everywhere: true,
        arguments: &["--concurrency", "8", "--request-timeout-seconds", "30"],
        ..Setting::of(OPERATOR)
    })
    .await;
    scene.put(&deployment("stranger")).await;
    scene.until_ready("stranger", "Running").await;
    let here = scene.namespace.clone();
    let crowded = scene.found(json!({})).await;
    scene.enter(&crowded);
    scene.connect(TENANT).await;
    let slow = Effect::AnswerLatencyMs(10_000);
    scene
        .ai_core
        .fault("slow", &[CreateDeployment], Some(12), slow)
        .await;
    let names: Vec<String> = (0..12).map(|number| format!("churn-{number}")).collect();
    for name in &names {
        scene.put(&deployment(name)).await;
    }
    // Besides that of the stranger: all that have a place.
    scene.ai_core.called(CreateDeployment, 1 + 4, LIMIT).await;

    scene.enter(&here);
    scene.delete("Deployment", "stranger").await;
    scene.ai_core.called(StopDeployment, 1, LIMIT).await;

    scene.enter(&crowded);
    for name in &names {
        let object = scene.get("Deployment", name).await;
        assert_eq!(object["status"]["deployment"], Value::Null, "{object:#}");
    }
    scene.enter(&here);
    scene.until_gone("Deployment", "stranger").await;
    scene.ai_core.heal().await;
    scene.enter(&crowded);
    for name in &names {
        scene.until_ready(name, "Running").await;
        scene.delete("Deployment", name).await;
    }
    for name in &names {
        scene.until_gone("Deployment", name).await;
    }
    scene.enter(&here);
    scene.finish(1 + names.len()).await;
}
