//! Operators whose Leases have different names: side by side, each for its own namespace, and one in place of the other.

use aicore_emulator::Effect;
use aicore_emulator::Operation::CreateDeployment;
use harness::emulated::TENANT;
use harness::manifests::deployment;
use harness::operator::Operator;
use harness::scene::{CONNECTION, LIMIT, Scene, Setting};
use serde_json::json;

use crate::{LEADING, OPERATOR};

/// The page that says how to go on under another name.
const UPGRADING: &str = include_str!("../../docs/upgrading.md");

/// What it says, besides the name of the object.
const HAND_OVER: [&str; 2] = ["--subresource=status", "--type=json"];
const PATCH: &str = r#"[{"op": "remove", "path": "/status/intent/holder"}]"#;

#[tokio::test]
async fn two_operators_of_one_namespace_each_have_their_own_lease_and_leave_each_other_alone() {
    let mut scene = Scene::start(Setting::of(OPERATOR)).await;
    let here = scene.namespace.clone();
    let there = scene.found(json!({})).await;
    let neighbour = Operator::start(scene.control_plane(), &there, &Setting::of(OPERATOR)).await;
    // The same name, group and tenant.
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.enter(&there);
    scene.connect(TENANT).await;
    scene.put(&deployment("churn")).await;
    let other = scene.until_ready("churn", "Running").await;
    assert_ne!(id, other);
    let mut holders = Vec::new();
    for operator in [&scene.operator, &neighbour] {
        operator.says(LEADING).await;
        let lease = operator.lease().await.and_then(|lease| lease.spec);
        holders.push(lease.and_then(|spec| spec.holder_identity));
    }
    assert!(holders.iter().all(Option::is_some) && holders[0] != holders[1]);

    // One of them goes on when the other has crashed, and deletes its own and nothing else.
    scene.operator.crash().await;
    scene.delete_and_wait("churn").await;
    assert_eq!(scene.ai_core.status_of(&other).await, None);
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );
    scene.enter(&here);
    scene.operator.start_again();
    scene.delete_and_wait("churn").await;
    for namespace in [&here, &there] {
        scene.enter(namespace);
        let connection = scene.get("Connection", CONNECTION).await;
        assert_eq!(
            connection["status"]["orphans"].as_array().map(Vec::len),
            None
        );
    }
    scene.beside.push(neighbour);
    scene.finish(2).await;
}

/// A scene whose operator was killed in a create call, and one with another Lease that takes its place and finds the call announced. Returns the
/// former one as well.
async fn replaced_in_a_create_call() -> (Scene, Operator) {
    let mut scene = Scene::start(Setting::of(OPERATOR)).await;
    let late = Effect::AnswerLatencyMs(20_000);
    let create = [CreateDeployment];
    scene.ai_core.fault("late", &create, Some(1), late).await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    scene.operator.kill().await;
    let name = format!("elsewhere-{}", scene.namespace);
    let elsewhere = Setting {
        arguments: &["--lease-name", &name],
        ..Setting::of(OPERATOR)
    };
    let other = Operator::start_beside(scene.control_plane(), &scene.namespace, &elsewhere).await;
    let former = std::mem::replace(&mut scene.operator, other);
    let message = scene.until_stalled("churn", "OperatorConflict").await;
    let lease = format!("aicore-operator/operator-{}", scene.namespace);
    assert!(message.contains(&lease), "{message}");
    assert_eq!(scene.ai_core.effects().await.len(), 1);
    (scene, former)
}

#[tokio::test]
async fn a_create_call_that_another_operator_has_announced_is_left_to_it() {
    let (mut scene, former) = replaced_in_a_create_call().await;
    scene.operator = former;
    scene.operator.start_again();
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_operator_with_another_lease_goes_on_with_a_create_call_that_is_handed_over_to_it() {
    let told = format!(
        "kubectl patch aid <name> {} --patch='{PATCH}'",
        HAND_OVER.join(" ")
    );
    assert!(UPGRADING.contains(&told), "the page does not say {told}");
    let (scene, _former) = replaced_in_a_create_call().await;
    let patch = format!("--patch={PATCH}");
    let [status, json] = HAND_OVER;
    let outcome = scene
        .kubectl(&["patch", "aid", "churn", status, json, &patch])
        .await;
    assert!(outcome.succeeded, "{}", outcome.errors);
    let id = scene.until_ready("churn", "Running").await;
    assert_eq!(id, scene.ai_core.only_deployment().await.id);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}
