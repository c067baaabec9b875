//! Several operators in one cluster, of which one is uninstalled.

use std::time::Instant;

use harness::scene::LIMIT;
use serde_json::{Value, json};

use crate::emulator::told;
use crate::pages::blocks;
use crate::world::{CHART, EXAMPLE, MODEL, QUICK, RELEASE, World, end, set};

/// The namespace with an operator of its own, and that of this operator.
const TEAM: &str = "team-b";
const TEAMS_RELEASE: &str = "aicore-team-b";

/// What the page on uninstalling says to type where there are several operators.
fn typed() -> [String; 2] {
    let page = "docs/uninstalling.md";
    let blocks = blocks(page, "Where there are several operators", "sh");
    blocks.try_into().expect("there are two")
}

async fn world() -> World {
    let world = World::start().await;
    for namespace in [TEAM, TEAMS_RELEASE] {
        world.kubectl(&["create", "namespace", namespace]).await;
    }
    world
}

#[tokio::test]
async fn what_is_told_to_end_the_models_of_one_operator_ends_no_others() {
    let world = world().await;
    let exclude = format!("excludeNamespaces={{{TEAM}}}");
    let notes = world.install(&[QUICK, &exclude]).await;
    let operator = world.operator("operator").await;
    let id = world.run_example(RELEASE).await;
    let theirs = ["apply", "--namespace", TEAM, "-f", EXAMPLE];
    world.kubectl(&theirs).await;

    let [delete, _] = typed();
    assert_eq!(told(&notes, "kubectl delete"), delete);
    world.types(&delete).await;

    world.assert_status(&id, None).await;
    let ours = ["get", "aid,aiconn", "--namespace", RELEASE, "-o", "name"];
    assert_eq!(world.kubectl(&ours).await, "");
    for object in [["aid", MODEL], ["aiconn", "aicore"]] {
        let object = world.get(TEAM, &object).await;
        let deleted = &object["metadata"]["deletionTimestamp"];
        assert_eq!(deleted, &Value::Null, "{object:#}");
    }
    end(operator).await;
    world.assert_nothing_was_refused();
}

/// Waits until a model of the team is protected, or until it is not.
async fn until_protected(world: &World, protected: bool) {
    let delete = ["delete", "aid", MODEL, "--dry-run=server"];
    let delete = [&delete[..], &["--namespace", TEAM]].concat();
    let begun = Instant::now();
    loop {
        let outcome = world.try_kubectl(&delete).await;
        if outcome.succeeded != protected {
            assert!(outcome.succeeded || outcome.errors.contains("protected"));
            return;
        }
        assert!(begun.elapsed() < LIMIT, "not as expected: {outcome:?}");
    }
}

/// Whether there is the part of the cluster's role `edit` that has the new kinds.
async fn users_may_edit(world: &World) -> bool {
    let role = ["get", "clusterrole", "aicore-edit"];
    world.try_kubectl(&role).await.succeeded
}

#[tokio::test]
async fn what_goes_with_the_release_that_has_brought_it_is_given_to_another_one() {
    let world = world().await;
    let exclude = format!("excludeNamespaces={{{TEAM}}}");
    world.install(&[&exclude]).await;
    let others = format!(
        "watchNamespace={TEAM},crds.enabled=false,userRoles.enabled=false,protection.enabled=false"
    );
    let install = ["install", RELEASE, CHART, "--namespace", TEAMS_RELEASE];
    world.helm(&[&install, &set(&[&others])[..]].concat()).await;
    let theirs = ["apply", "--namespace", TEAM, "-f", EXAMPLE];
    world.kubectl(&theirs).await;
    let protect = json!({"metadata": {"annotations": {"aicore.dev/protected": "true"}}});
    let protect = protect.to_string();
    let patch = ["patch", "aid", MODEL, "--type=merge", "-p", &protect];
    world
        .kubectl(&[&patch[..], &["--namespace", TEAM]].concat())
        .await;
    until_protected(&world, true).await;
    assert!(users_may_edit(&world).await);

    world.helm(&["uninstall", RELEASE, "--wait"]).await;
    until_protected(&world, false).await;
    assert!(!users_may_edit(&world).await);

    let [_, take] = typed();
    world.types(&take).await;
    until_protected(&world, true).await;
    assert!(users_may_edit(&world).await);
}
