//! The operator is refused what it needs for a decision that cannot be taken back: it waits, says which right is missing, and goes on once it has
//! that.

use std::time::Instant;

use harness::control_plane::ControlPlane;
use harness::manifests::{adoption, configuration, deployment, with};
use harness::operator;
use harness::scene::{CONNECTION, GROUP, LIMIT, Scene, Setting, condition};
use serde_json::{Value, json};

use crate::neighbours::{Neighbours, access, elsewhere};
use crate::{OPERATOR, Turn, scene_alone};

async fn scene() -> (Turn, Scene) {
    let setting = Setting {
        may_lack_rights: true,
        ..Setting::of(OPERATOR)
    };
    scene_alone(setting).await
}

const CLUSTER_ROLE: [&str; 2] = ["clusterrole", "aicore-operator"];
const ROLE: [&str; 4] = [
    "role",
    "aicore-operator",
    "--namespace",
    operator::NAMESPACE,
];

/// Takes the operator's right to a resource away from each role that gives it, and waits until that counts.
async fn take_right(scene: &Scene, roles: &[&[&str]], verb: &str, resource: &str) {
    for role in roles {
        take_rule(scene, role, resource).await;
    }
    let may = [
        "auth",
        "can-i",
        verb,
        resource,
        "--namespace",
        operator::NAMESPACE,
        "--as",
        operator::USER,
    ];
    let begun = Instant::now();
    while scene.kubectl(&may).await.succeeded {
        assert!(
            begun.elapsed() < LIMIT,
            "another role lets the operator {verb} {resource}"
        );
    }
}

/// Takes the rule about a resource out of a role.
async fn take_rule(scene: &Scene, role: &[&str], resource: &str) {
    let found = scene
        .kubectl(&[&["get", "-o", "json"], role].concat())
        .await;
    let found: Value = serde_json::from_str(&found.output).expect("kubectl shows the role");
    let rules = found["rules"].as_array().expect("a role has rules");
    let (kind, _) = resource.split_once('/').unwrap_or((resource, ""));
    let others: Vec<&Value> = rules
        .iter()
        .filter(|rule| rule["resources"] != json!([kind]))
        .collect();
    assert_eq!(others.len() + 1, rules.len(), "one rule is about {kind}");
    let patch = json!({"rules": others}).to_string();
    let taken = scene
        .kubectl(&[&["patch", "--type=merge", "-p", &patch], role].concat())
        .await;
    assert!(taken.succeeded, "{}", taken.errors);
}

/// Has the operator have all its rights again.
async fn give_rights_back() {
    operator::install(ControlPlane::shared().await).await;
}

fn is_told(reason: &str) -> impl Fn(&Value) -> bool + Send + use<'_> {
    move |object| {
        object["metadata"]["deletionTimestamp"].is_string()
            && condition(object, "Ready")["reason"] == reason
    }
}

#[tokio::test]
async fn nothing_is_stopped_while_nobody_knows_whether_everything_is_uninstalled() {
    let (_turn, scene) = scene().await;
    scene.put(&deployment("churn")).await;
    let orphan = json!({"configuration": configuration(&json!({})), "deletionPolicy": "Orphan"});
    scene.put(&with("orphan", orphan)).await;
    let id = scene.until_ready("churn", "Running").await;
    let left = scene.until_ready("orphan", "Running").await;
    let definition = "customresourcedefinitions/deployments.aicore.dev";
    take_right(&scene, &[&CLUSTER_ROLE], "get", definition).await;

    scene.delete("Deployment", "churn").await;
    scene.delete_and_wait("orphan").await;

    let what = "it says that the definition cannot be read";
    let told = scene
        .until("Deployment", "churn", what, is_told("UninstallUnchecked"))
        .await;
    let message = condition(&told, "Reconciling")["message"].to_string();
    assert!(message.contains("deploy/install.yaml"), "{message}");
    for id in [&id, &left] {
        assert_eq!(
            scene.ai_core.status_of(id).await.as_deref(),
            Some("RUNNING")
        );
    }

    give_rights_back().await;

    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(2).await;
}

#[tokio::test]
async fn nothing_is_let_go_by_force_before_it_is_written_down() {
    let (_turn, scene) = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let roles: [&[&str]; 2] = [&CLUSTER_ROLE, &ROLE];
    take_right(&scene, &roles, "create", "configmaps").await;

    let forced =
        json!({"metadata": {"annotations": {"aicore.dev/force-release": "the tenant is gone"}}});
    scene.change("Deployment", "churn", forced).await;
    scene.delete("Deployment", "churn").await;

    let what = "it says that the record cannot be written";
    let told = scene
        .until("Deployment", "churn", what, is_told("RecordNotWritten"))
        .await;
    let message = condition(&told, "Stalled")["message"].to_string();
    assert!(message.contains(operator::NAMESPACE), "{message}");
    assert_eq!(
        told["metadata"]["finalizers"],
        json!(["aicore.dev/deployment"])
    );

    give_rights_back().await;

    scene.until_gone("Deployment", "churn").await;
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );
    scene.finish(1).await;
}

#[tokio::test]
async fn a_grant_that_is_withdrawn_counts_also_while_the_secret_cannot_be_read() {
    let (_turn, mut scene) =
        Neighbours::with_an_operator_that_may_lack_rights(access(&[GROUP])).await;
    // The group is looked at, so that a list is there at once.
    scene.put(&elsewhere(&scene, deployment("before"))).await;
    scene.until_ready("before", "Running").await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let free = scene.ai_core.add_deployment(GROUP, &configuration).await;
    let role = ["clusterrole", "aicore-operator-secrets"];
    take_right(&scene, &[&role], "get", "secrets").await;

    let owner = scene.owner.clone();
    scene.enter(&owner);
    let withdrawn = json!({"spec": {"access": []}});
    scene.change("Connection", CONNECTION, withdrawn).await;
    scene.enter_neighbour();
    for state in ["Running", "Deleted"] {
        let mut object = elsewhere(&scene, adoption("late", &free, "Delete"));
        object["spec"]["desiredState"] = json!(state);
        scene.put(&object).await;
        scene.until_stalled("late", "AccessDenied").await;
    }
    assert_eq!(
        scene.ai_core.status_of(&free).await.as_deref(),
        Some("RUNNING")
    );

    give_rights_back().await;

    scene.delete_and_wait("late").await;
    scene.delete_and_wait("before").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn nothing_is_made_through_a_connection_elsewhere_while_labels_cannot_be_read_and_all_can_be_ended()
 {
    let (_turn, scene) = Neighbours::with_an_operator_that_may_lack_rights(access(&[GROUP])).await;
    scene.put(&elsewhere(&scene, deployment("before"))).await;
    scene.until_ready("before", "Running").await;
    take_right(&scene, &[&CLUSTER_ROLE], "get", "namespaces").await;

    scene.put(&elsewhere(&scene, deployment("churn"))).await;
    scene.delete_and_wait("before").await;
    let told = scene
        .until_reason("Deployment", "churn", "ConnectionNotReady")
        .await;
    let message = condition(&told, "Reconciling")["message"].to_string();
    assert!(message.contains("namespaces"), "{message}");

    give_rights_back().await;

    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}
