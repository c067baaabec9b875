//! What an operator may do that is installed for less than the whole cluster.

use harness::manifests::deployment;
use serde_json::json;

use crate::manifest::is_told;
use crate::world::{EXAMPLE, MODEL, QUICK, RELEASE, USER, World, end};

/// A namespace beside the operator's own.
const TEAM: &str = "team-a";

async fn assert_may(world: &World, may: bool, verb: &str, resource: &str, namespace: &str) {
    let asked = [
        "auth",
        "can-i",
        verb,
        resource,
        "--as",
        USER,
        "--namespace",
        namespace,
    ];
    let answer = world.try_kubectl(&asked).await;
    assert_eq!(answer.succeeded, may, "{verb} {resource} in {namespace}");
}

#[tokio::test]
async fn one_namespace_and_two_objects_by_name_are_enough_for_one_namespace() {
    let world = World::start().await;
    world.kubectl(&["create", "namespace", TEAM]).await;
    world.install(&[QUICK, "watchNamespace=team-a"]).await;
    let operator = world.operator("operator").await;

    let id = world.run_example(TEAM).await;
    world.delete(TEAM, MODEL).await;
    world.assert_status(&id, None).await;
    // A Connection of another namespace is out of its sight.
    let mut elsewhere = deployment("elsewhere");
    elsewhere["spec"]["connectionRef"] = json!({"name": "aicore", "namespace": "default"});
    world.put(TEAM, &elsewhere).await;
    world
        .until(TEAM, &["aid", "elsewhere"], is_told("AccessDenied"))
        .await;
    world.delete(TEAM, "elsewhere").await;

    end(operator).await;
    world.assert_nothing_was_refused();
    assert_may(&world, true, "list", "deployments.aicore.dev", TEAM).await;
    for namespace in ["default", RELEASE] {
        assert_may(&world, false, "list", "deployments.aicore.dev", namespace).await;
        assert_may(&world, false, "get", "secrets", namespace).await;
    }
    assert_may(&world, false, "get", "namespaces/default", TEAM).await;
}

#[tokio::test]
async fn secrets_are_read_where_they_may_be_and_a_namespace_is_added_by_an_upgrade() {
    let world = World::start().await;
    world.kubectl(&["create", "namespace", TEAM]).await;
    world.install(&[QUICK]).await;
    let operator = world.operator("before").await;
    world.put_key(TEAM).await;
    world
        .kubectl(&["apply", "--namespace", TEAM, "-f", EXAMPLE])
        .await;
    world
        .until(TEAM, &["aiconn", "aicore"], is_told("SecretOutOfReach"))
        .await;
    assert_may(&world, false, "get", "secrets", TEAM).await;
    end(operator).await;

    world
        .upgrade(&[QUICK, "secrets.namespaces={aicore-operator,team-a}"])
        .await;

    let operator = world.operator("after").await;
    let id = world.until_ready(TEAM, MODEL).await;
    for namespace in [TEAM, RELEASE] {
        assert_may(&world, true, "get", "secrets", namespace).await;
    }
    assert_may(&world, false, "get", "secrets", "default").await;
    world.delete(TEAM, MODEL).await;
    world.assert_status(&id, None).await;
    end(operator).await;
    world.assert_nothing_was_refused();
}
