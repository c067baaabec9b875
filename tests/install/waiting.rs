//! Helm waits for the objects that a chart of somebody's own makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use harness::manifests::deployment_that_ends;
use harness::scene::condition;
use serde_json::{Value, json};

use crate::world::{EXAMPLE, MODEL, QUICK, RELEASE, ROOT, World, end};

/// The release of the models.
const MODELS: &str = "models";

/// A cluster with the operator's chart and a key.
async fn world() -> World {
    let world = World::start().await;
    world.install(&[QUICK]).await;
    world.put_key(RELEASE).await;
    world
}

/// A chart with the first example, whose Deployment is changed.
fn chart(world: &World, change: impl Fn(&mut Value)) -> PathBuf {
    let folder = world.control_plane.data_dir().join(MODELS);
    fs::create_dir_all(folder.join("templates")).expect("the folder is the test's own");
    let example = fs::read_to_string(Path::new(ROOT).join(EXAMPLE)).expect("there is one");
    let mut objects: Vec<Value> = serde_saphyr::from_multiple(&example).expect("it is YAML");
    let model = objects
        .iter_mut()
        .find(|object| object["kind"] == "Deployment");
    change(model.expect("it has one"));
    let objects: Vec<_> = objects.iter().map(Value::to_string).collect();
    let about = "apiVersion: v2\nname: models\nversion: 1.0.0\n".to_owned();
    for (file, text) in [
        ("Chart.yaml", about),
        ("templates/objects.yaml", objects.join("\n---\n")),
    ] {
        fs::write(folder.join(file), text).expect("there is room for it");
    }
    folder
}

/// Nothing is left of the models when the uninstall is over.
async fn uninstall(world: &World, id: &str) {
    let uninstall = ["uninstall", MODELS, "--wait", "--timeout=60s"];
    world.helm(&uninstall).await;
    world.assert_status(id, None).await;
    let left = ["get", "aid,aiconn", "--all-namespaces", "-o", "name"];
    assert_eq!(world.kubectl(&left).await, "");
}

#[tokio::test]
async fn an_install_is_over_when_the_model_runs_and_an_uninstall_when_it_is_gone() {
    let world = world().await;
    let operator = world.operator("operator").await;
    // Long enough that nobody takes what has only begun for what is over.
    world.ai_core.set(json!({"pendingMs": 3000})).await;
    let chart = chart(&world, |_| ()).display().to_string();

    let install = ["install", MODELS, &chart, "--wait", "--timeout=60s"];
    world.helm(&install).await;

    let object = world.get(RELEASE, &["aid", MODEL]).await;
    assert_eq!(condition(&object, "Ready")["status"], "True", "{object:#}");
    let id = object["status"]["deployment"]["id"].as_str();
    let id = id.expect("what is ready has a deployment");
    world.assert_status(id, Some("RUNNING")).await;
    world.ai_core.set(json!({"deletingMs": 3000})).await;
    uninstall(&world, id).await;
    end(operator).await;
    world.assert_nothing_was_refused();
}

#[tokio::test]
async fn an_install_of_a_model_that_is_dead_fails_at_once_and_says_why_and_can_be_uninstalled() {
    let world = world().await;
    let operator = world.operator("operator").await;
    let dead = deployment_that_ends(MODEL, "DEAD");
    let chart = chart(&world, |model| {
        for field in ["resourceGroup", "configuration"] {
            model["spec"][field] = dead["spec"][field].clone();
        }
    });
    let chart = chart.display().to_string();

    let begun = Instant::now();
    let install = ["install", MODELS, &chart, "--wait", "--timeout=60s"];
    let failed = world.try_helm(&install).await;

    assert!(!failed.succeeded, "{}", failed.output);
    // At once, and not when its time is over.
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(40), "{took:?}");
    let told = failed.errors.contains(MODEL) && failed.errors.contains(" is dead: ");
    assert!(told, "{}", failed.errors);
    let object = world.get(RELEASE, &["aid", MODEL]).await;
    let stalled = condition(&object, "Stalled");
    assert_eq!(stalled["reason"], "DeploymentDead", "{object:#}");
    let id = object["status"]["deployment"]["id"].as_str();
    uninstall(&world, id.expect("it is known")).await;
    end(operator).await;
    world.assert_nothing_was_refused();
}
