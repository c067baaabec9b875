//! Sixteen objects on one configuration, whose create calls have their effect while nobody learns of it.

use std::collections::BTreeSet;

use aicore_emulator::Effect;
use aicore_emulator::Operation::CreateDeployment;
use harness::scene::{GROUP, LIMIT, Scene};
use serde_json::json;

use crate::manifests::{deployment_from, make_exclusive, scene};

const OBJECTS: usize = 16;

/// Has the answers of all create calls lost, and kills the operator each time that so many have been made.
async fn make_sixteen(scene: &mut Scene, kills: &[usize]) -> Vec<String> {
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], None, Effect::DropAfter)
        .await;
    let names: Vec<String> = (0..OBJECTS)
        .map(|number| format!("churn-{number:02}"))
        .collect();
    for name in &names {
        scene.put(&deployment_from(name, &configuration)).await;
    }
    for calls in kills {
        scene.ai_core.called(CreateDeployment, *calls, LIMIT).await;
        scene.operator.kill().await;
        scene.operator.start_again();
    }
    names
}

/// Each object runs with a deployment of its own. Then all are deleted.
async fn finish(scene: Scene, names: &[String]) {
    let mut ids = BTreeSet::new();
    for name in names {
        ids.insert(scene.until_ready(name, "Running").await);
    }
    assert_eq!(ids.len(), OBJECTS, "{ids:?}");
    for name in names {
        scene.delete("Deployment", name).await;
    }
    for name in names {
        scene.until_gone("Deployment", name).await;
    }
    scene.finish(OBJECTS).await;
}

#[tokio::test]
async fn where_nobody_else_uses_the_configuration_all_find_one_of_their_own() {
    let mut scene = scene().await;
    make_exclusive(&scene).await;
    let names = make_sixteen(&mut scene, &[4, 8, 12, OBJECTS]).await;
    finish(scene, &names).await;
}

#[tokio::test]
async fn where_others_may_use_the_configuration_each_is_told_the_candidates_and_takes_the_one_it_is_given()
 {
    let mut scene = scene().await;
    // A kill before the last call may hit an object between its announcement and its call, which no list tells from one whose call was made.
    let names = make_sixteen(&mut scene, &[OBJECTS]).await;
    let made: Vec<String> = scene
        .ai_core
        .deployments()
        .await
        .into_iter()
        .map(|deployment| deployment.id)
        .collect();
    assert_eq!(made.len(), OBJECTS);
    for name in &names {
        let message = scene.until_stalled(name, "Ambiguous").await;
        assert!(made.iter().any(|id| message.contains(id)), "{message}");
    }
    for (name, id) in names.iter().zip(&made) {
        let choice = json!({"spec": {"adopt": {"deploymentId": id}, "deletionPolicy": "Delete"}});
        scene.change("Deployment", name, choice).await;
    }
    finish(scene, &names).await;
}
