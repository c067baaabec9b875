//! What the README says to type to somebody who begins, word for word.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use aicore_emulator::Operation::{CreateDeployment, DeleteDeployment, StopDeployment};
use harness::emulated::TENANT;
use serde_json::Value;

use crate::pages::blocks;
use crate::world::{EXAMPLE, ROOT, World, end};

const README: &str = "README.md";

const FIRST_MODEL: &str = "A first model in your own tenant";

#[tokio::test]
async fn the_readme_leads_from_an_empty_cluster_to_a_model_that_runs_and_is_gone_again() {
    let world = World::empty().await;
    let typed = blocks(README, "Install", "sh");
    let [images, install] = &typed[..] else {
        panic!("{typed:?}");
    };
    // There is nothing here that builds or pulls images; the operator is what the tests run.
    assert!(images.starts_with("make image"), "{images}");
    world.types(install).await;
    // The emulator speaks plain http, and nobody waits for minutes here.
    world.quicken().await;
    let operator = world.operator("operator").await;

    let folder = tempfile::tempdir().expect("there is room for it");
    let key = world.ai_core.service_key(TENANT).await.to_string();
    fs::write(folder.path().join("service-key.json"), key).expect("there is room for it");
    let sources = Path::new(ROOT).join("deploy");
    symlink(sources, folder.path().join("deploy")).expect("the folder is the test's own");
    let typed = blocks(README, FIRST_MODEL, "sh");
    let [secret, model] = &typed[..] else {
        panic!("{typed:?}");
    };
    let place = format!("cd '{}'\n", folder.path().display());
    world.types(&format!("{place}{secret}")).await;
    let told = world.types(&format!("{place}{model}")).await;

    let effects = world.ai_core.effects().await;
    let id = effects.first().and_then(|(_, id)| id.clone());
    let expected = [CreateDeployment, StopDeployment, DeleteDeployment];
    assert_eq!(
        effects,
        expected.map(|operation| (operation, id.clone())),
        "{told}"
    );
    let id = id.expect("what was created has an id");
    world.assert_status(&id, None).await;
    let url = told.lines().find(|line| line.contains("http"));
    assert!(url.is_some_and(|url| url.contains(&id)), "{told}");
    end(operator).await;
    world.assert_nothing_was_refused();
}

#[test]
fn the_readme_shows_the_objects_of_the_first_example() {
    let example = fs::read_to_string(Path::new(ROOT).join(EXAMPLE)).expect("there is one");
    let shown = blocks(README, FIRST_MODEL, "yaml").concat();
    let [shown, example] = [shown, example].map(|text| {
        let objects: Vec<Value> = serde_saphyr::from_multiple(&text).expect("it is YAML");
        objects
    });
    assert_eq!(shown.len(), 2);
    assert_eq!(shown, example);
}
