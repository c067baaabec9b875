//! Many objects that have to take turns do not keep others waiting.

use std::collections::BTreeSet;

use aicore_emulator::Effect;
use aicore_emulator::Operation::{CreateDeployment, StopDeployment};
use harness::scene::{GROUP, LIMIT, Scene, Setting};

use crate::manifests::{OPERATOR, deployment, deployment_from, make_exclusive};

/// More than the operator works on at the same time.
const OBJECTS: usize = 30;

#[tokio::test]
async fn thirty_objects_of_one_configuration_take_turns_and_keep_nobody_else_waiting() {
    let scene = Scene::start(Setting {
        arguments: &["--concurrency", "16"],
        ..Setting::of(OPERATOR)
    })
    .await;
    make_exclusive(&scene).await;
    scene.put(&deployment("stranger")).await;
    scene.until_ready("stranger", "Running").await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    // All turns together take far longer than anybody else may be kept waiting.
    let slow = Effect::AnswerLatencyMs(500);
    scene
        .ai_core
        .fault("slow", &[CreateDeployment], None, slow)
        .await;
    let names: Vec<String> = (0..OBJECTS)
        .map(|number| format!("churn-{number}"))
        .collect();
    for name in &names {
        scene.put(&deployment_from(name, &configuration)).await;
    }

    scene.ai_core.called(CreateDeployment, 2, LIMIT).await;
    scene.delete("Deployment", "stranger").await;
    scene.ai_core.called(StopDeployment, 1, LIMIT).await;
    let before = scene.ai_core.calls(CreateDeployment).await.len();
    assert!(before < OBJECTS / 2, "{before} had their turn before");

    scene.until_gone("Deployment", "stranger").await;
    let mut ids = BTreeSet::new();
    for name in &names {
        ids.insert(scene.until_ready(name, "Running").await);
    }
    assert_eq!(ids.len(), OBJECTS, "{ids:?}");
    assert_eq!(
        scene.ai_core.calls(CreateDeployment).await.len(),
        OBJECTS + 1
    );
    scene.ai_core.heal().await;
    for name in &names {
        scene.delete("Deployment", name).await;
    }
    for name in &names {
        scene.until_gone("Deployment", name).await;
    }
    scene.finish(OBJECTS + 1).await;
}
