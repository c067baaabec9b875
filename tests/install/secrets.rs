//! The operator's account changes nothing of a Secret but one finalizer.

use std::time::Instant;

use harness::scene::{LIMIT, Outcome};
use serde_json::{Value, json};

use crate::world::{QUICK, RELEASE, USER, World};

const REFUSAL: &str = "changes nothing of a Secret but its own finalizer";

/// Patches the Secret as a user, without any effect that lasts.
async fn patch(world: &World, user: Option<&str>, change: &Value) -> Outcome {
    let patch = change.to_string();
    let mut arguments = vec!["patch", "secret", "aicore-key", "--namespace", RELEASE];
    arguments.extend(["--type=merge", "--dry-run=server", "-p", &patch]);
    arguments.extend(user.into_iter().flat_map(|user| ["--as", user]));
    world.try_kubectl(&arguments).await
}

/// A cluster where the policy is installed and has taken effect, and a Secret with a finalizer of somebody else.
async fn world() -> World {
    let world = World::start().await;
    world.install(&[QUICK]).await;
    world.put_key(RELEASE).await;
    let others = json!({"metadata": {"finalizers": ["example.com/keep"]}}).to_string();
    let patch_finalizers = ["patch", "secret", "aicore-key", "--namespace", RELEASE];
    let patch_finalizers = [&patch_finalizers[..], &["--type=merge", "-p", &others]].concat();
    world.kubectl(&patch_finalizers).await;
    let begun = Instant::now();
    while patch(&world, Some(USER), &json!({"data": {"key": "eA=="}}))
        .await
        .succeeded
    {
        assert!(begun.elapsed() < LIMIT, "the policy has no effect");
    }
    world
}

#[tokio::test]
async fn its_finalizer_is_all_that_the_operator_changes_of_a_secret() {
    let world = world().await;

    let key = json!({"data": {"key": "eA=="}});
    let refused = [
        key.clone(),
        json!({"data": {"more": "eA=="}}),
        json!({"data": {"key": null}}),
        json!({"stringData": {"key": "x"}}),
        json!({"type": "example.com/other"}),
        json!({"immutable": true}),
        json!({"metadata": {"labels": {"a": "b"}}}),
        json!({"metadata": {"annotations": {"a": "b"}}}),
        json!({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "b"}]}}),
        json!({"metadata": {"finalizers": ["aicore.dev/in-use"]}}),
        json!({"metadata": {"finalizers": ["example.com/keep", "example.com/mine"]}}),
    ];
    for change in &refused {
        let outcome = patch(&world, Some(USER), change).await;
        assert!(!outcome.succeeded, "{change} is taken");
        // The API server itself lets nobody change the type.
        let told = outcome.errors.contains(REFUSAL) || change["type"].is_string();
        assert!(told, "{change}: {}", outcome.errors);
    }
    for finalizers in [
        json!(["example.com/keep", "aicore.dev/in-use"]),
        json!(["example.com/keep"]),
    ] {
        let change = json!({"metadata": {"finalizers": finalizers}});
        let outcome = patch(&world, Some(USER), &change).await;
        assert!(outcome.succeeded, "{change}: {}", outcome.errors);
    }
}

#[tokio::test]
async fn nobody_else_is_concerned() {
    let world = world().await;
    let account = "system:serviceaccount:aicore-operator:default";
    let binding = ["create", "rolebinding", "other", "--clusterrole=edit"];
    let subject = [
        "--serviceaccount=aicore-operator:default",
        "--namespace",
        RELEASE,
    ];
    world.kubectl(&[&binding[..], &subject].concat()).await;

    let changes = [
        json!({"data": {"key": "eA=="}}),
        json!({"metadata": {"labels": {"a": "b"}}}),
        json!({"metadata": {"finalizers": ["example.com/mine"]}}),
    ];
    for change in changes {
        for user in [None, Some(account)] {
            let outcome = patch(&world, user, &change).await;
            assert!(outcome.succeeded, "{user:?} {change}: {}", outcome.errors);
        }
    }
}

#[tokio::test]
async fn a_role_that_lets_it_create_or_delete_a_secret_is_not_enough() {
    let world = world().await;
    let binding = [
        "create",
        "clusterrolebinding",
        "too-much",
        "--clusterrole=cluster-admin",
    ];
    let subject = ["--serviceaccount=aicore-operator:aicore-operator"];
    world.kubectl(&[&binding[..], &subject].concat()).await;
    let place = ["--namespace", RELEASE, "--dry-run=server", "--as", USER];
    let tries: [&[&str]; 2] = [
        &["create", "secret", "generic", "new", "--from-literal=a=b"],
        &["delete", "secret", "aicore-key"],
    ];
    for attempt in tries {
        let outcome = world.try_kubectl(&[attempt, &place].concat()).await;
        let told = outcome
            .errors
            .contains("neither creates nor deletes Secrets");
        assert!(
            !outcome.succeeded && told,
            "{attempt:?}: {}",
            outcome.errors
        );
    }
}
