//! A namespace uses the Connection of another one where that lets it, and stops and deletes what it has made when it is not let any more.

use aicore_emulator::Operation::{DeleteDeployment, StopDeployment};
use harness::emulated::TENANT;
use harness::manifests::{configuration, deployment, wish};
use harness::scene::{CONNECTION, GROUP, SECRET, Scene, connection, secret};
use serde_json::{Value, json};

use crate::neighbours::{Neighbours, OTHER_GROUP, access, elsewhere};

#[tokio::test]
async fn a_namespace_that_is_granted_a_group_runs_a_deployment_there_from_beginning_to_end() {
    let (_turn, scene) = Neighbours::with(access(&[GROUP])).await;
    scene.put(&elsewhere(&scene, deployment("churn"))).await;
    scene.until_ready("churn", "Running").await;
    let object = scene.get("Deployment", "churn").await;
    assert_eq!(object["status"]["connection"], CONNECTION);
    assert_eq!(object["status"]["connectionNamespace"], scene.owner);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_group_that_is_not_granted_is_out_of_reach_until_it_is() {
    let (_turn, mut scene) = Neighbours::with(access(&[OTHER_GROUP])).await;
    scene.put(&elsewhere(&scene, deployment("churn"))).await;
    let message = scene.until_stalled("churn", "AccessDenied").await;
    assert!(
        message.contains(GROUP) && message.contains("spec.access"),
        "{message}"
    );

    scene.grant(access(&[GROUP, OTHER_GROUP])).await;

    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn every_group_is_granted_only_by_its_word() {
    let (_turn, scene) = Neighbours::with(access(&["*"])).await;
    scene.put(&elsewhere(&scene, deployment("churn"))).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_refusal_says_the_same_whatever_there_is_to_be_refused() {
    let (_turn, mut scene) = Neighbours::with(json!([])).await;
    let told = async |scene: &Neighbours, name: &str, connection: &str, namespace: &str| {
        let mut object = deployment(name);
        object["spec"]["connectionRef"] = json!({"name": connection, "namespace": namespace});
        scene.put(&object).await;
        let message = scene.until_stalled(name, "AccessDenied").await;
        message
            .replace(connection, "CONNECTION")
            .replace(namespace, "NAMESPACE")
    };
    let owner = scene.owner.clone();
    let not_granted = told(&scene, "not-granted", CONNECTION, &owner).await;
    let missing = told(&scene, "missing", "missing", &owner).await;
    let nowhere = told(&scene, "nowhere", CONNECTION, "nowhere").await;
    scene.grant(access(&[OTHER_GROUP])).await;
    let other_group = told(&scene, "other-group", CONNECTION, &owner).await;
    let unready = connection("unready", "no-such-secret");
    scene.enter(&owner);
    scene.put(&unready).await;
    scene
        .until_reason("Connection", "unready", "SecretMissing")
        .await;
    scene.enter_neighbour();
    let unready = told(&scene, "unready", "unready", &owner).await;
    for other in [missing, nowhere, other_group, unready] {
        assert_eq!(other, not_granted);
    }
    for name in [
        "not-granted",
        "missing",
        "nowhere",
        "other-group",
        "unready",
    ] {
        scene.delete_and_wait(name).await;
    }
    scene.finish(0).await;
}

#[tokio::test]
async fn the_connections_grant_is_withdrawn_then_the_object_is_deleted() {
    let (_turn, mut scene) = Neighbours::with(access(&[GROUP])).await;
    scene.put(&elsewhere(&scene, deployment("churn"))).await;
    let id = scene.until_ready("churn", "Running").await;
    let before = scene.ai_core.effects().await.len();
    scene.grant(json!([])).await;

    scene.delete_and_wait("churn").await;

    assert_eq!(scene.ai_core.status_of(&id).await, None);
    assert_eq!(
        scene.ai_core.effects().await[before..],
        [StopDeployment, DeleteDeployment].map(|operation| (operation, Some(id.clone())))
    );
    scene.finish(1).await;
}

#[tokio::test]
async fn a_namespace_that_loses_its_label_keeps_what_runs_and_changes_nothing_of_it() {
    let (_turn, scene) = Neighbours::with(access(&[GROUP])).await;
    scene.put(&elsewhere(&scene, deployment("churn"))).await;
    let id = scene.until_ready("churn", "Running").await;
    let before = scene.ai_core.effects().await.len();
    scene.label(&scene.neighbour, json!({"team": null})).await;

    let other = json!({"spec": {"configuration": configuration(&json!({"imageTag": "2"}))}});
    // What was read of a namespace counts for a moment, but nothing is created without reading it again.
    scene.put(&elsewhere(&scene, deployment("late"))).await;
    scene.until_stalled("late", "AccessDenied").await;
    scene.change("Deployment", "churn", other).await;
    scene.until_stalled("churn", "AccessDenied").await;
    assert_eq!(scene.ai_core.effects().await.len(), before);
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );

    scene.label(&scene.neighbour, json!({"team": "a"})).await;

    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.until_ready("late", "Running").await;
    scene.delete_and_wait("late").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn what_was_stopped_is_not_started_again_without_the_grant_nor_deleted_for_it() {
    let (_turn, mut scene) = Neighbours::with(access(&[GROUP])).await;
    scene.put(&elsewhere(&scene, deployment("churn"))).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.grant(json!([])).await;
    wish(&scene, "churn", "Stopped").await;
    scene.until_ready("churn", "Stopped").await;

    wish(&scene, "churn", "Running").await;

    scene.until_stalled("churn", "AccessDenied").await;
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("STOPPED")
    );
    wish(&scene, "churn", "Deleted").await;
    scene.until_ready("churn", "Deleted").await;
    wish(&scene, "churn", "Running").await;
    scene.until_stalled("churn", "AccessDenied").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

/// Makes a Connection to the same tenant in the namespace that the scene is in.
async fn connect(scene: &Scene, name: &str, access: Value) {
    let key = scene.ai_core.service_key(TENANT).await.to_string();
    scene.put(&secret(SECRET, &json!({"key": key}))).await;
    let mut own = connection(name, SECRET);
    own["spec"]["access"] = access;
    scene.put(&own).await;
    scene.until_reason("Connection", name, "Connected").await;
}

#[tokio::test]
async fn an_object_moves_to_the_connection_of_another_namespace_only_with_its_grant() {
    let (_turn, mut scene) = Neighbours::with(json!([])).await;
    connect(&scene, "own", json!([])).await;
    let mut object = deployment("churn");
    object["spec"]["connectionRef"] = json!({"name": "own"});
    scene.put(&object).await;
    let id = scene.until_ready("churn", "Running").await;

    let moved = json!({"spec": {
        "connectionRef": {"name": CONNECTION, "namespace": scene.owner},
        "configuration": configuration(&json!({"imageTag": "2"})),
    }});
    scene.change("Deployment", "churn", moved).await;
    scene.until_stalled("churn", "AccessDenied").await;
    scene.grant(access(&[GROUP])).await;
    scene.until_ready("churn", "Running").await;
    let what = "the Connection of the other namespace is recorded";
    let owner = scene.owner.clone();
    scene
        .until("Deployment", "churn", what, |object| {
            object["status"]["connectionNamespace"] == owner
        })
        .await;

    scene.delete("Connection", "own").await;
    scene.until_gone("Connection", "own").await;
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_namespace_that_is_deleted_takes_its_models_with_it_and_leaves_the_connection_of_the_other()
 {
    let (_turn, mut scene) = Neighbours::with(access(&[GROUP])).await;
    scene.put(&elsewhere(&scene, deployment("churn"))).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.delete_namespace().await;
    scene.until_namespace_is_gone().await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    let owner = scene.owner.clone();
    scene.enter(&owner);
    scene
        .until_reason("Connection", CONNECTION, "Connected")
        .await;
    scene.delete("Connection", CONNECTION).await;
    scene.until_gone("Connection", CONNECTION).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn the_namespace_of_a_connection_waits_for_its_users_elsewhere_and_names_none() {
    let (_turn, mut scene) = Neighbours::with(access(&[GROUP])).await;
    scene.put(&elsewhere(&scene, deployment("churn"))).await;
    let id = scene.until_ready("churn", "Running").await;
    // Who is refused holds nothing.
    let mut refused = elsewhere(&scene, deployment("refused"));
    refused["spec"]["resourceGroup"] = json!(OTHER_GROUP);
    scene.put(&refused).await;
    scene.until_stalled("refused", "AccessDenied").await;
    let owner = scene.owner.clone();
    scene.enter(&owner);
    scene.delete_namespace().await;
    let what = "it says for how many it waits";
    let waiting = scene
        .until("Connection", CONNECTION, what, |object| {
            object["status"]["conditions"]
                .to_string()
                .contains("1 of another namespace")
        })
        .await;
    assert!(
        !waiting["status"].to_string().contains("churn"),
        "{waiting}"
    );

    scene.enter_neighbour();
    scene.delete_and_wait("churn").await;

    scene.enter(&owner);
    scene.until_namespace_is_gone().await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.enter_neighbour();
    scene.delete_and_wait("refused").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_orphan_of_another_namespace_is_listed_without_its_name() {
    let (_turn, mut scene) = Neighbours::with(access(&[GROUP])).await;
    let mut object = elsewhere(&scene, deployment("churn"));
    object["spec"]["deletionPolicy"] = json!("Orphan");
    scene.put(&object).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    let owner = scene.owner.clone();
    scene.enter(&owner);
    let what = "it lists the orphan";
    let connection = scene
        .until("Connection", CONNECTION, what, |object| {
            object["status"]["orphanCount"] == 1
        })
        .await;
    let status = &connection["status"];
    let listed = json!([{"id": id, "resourceGroup": GROUP, "state": "RUNNING"}]);
    assert_eq!(status["orphans"], listed);
    assert_eq!(status["left"], json!([{"id": id, "resourceGroup": GROUP}]));
    let told = scene.until_told("OrphansFound").await;
    assert!(told.contains(&id) && !told.contains("churn"), "{told}");
    scene.finish(1).await;
}

/// Runs `kubectl` without a namespace of its own.
async fn kubectl(scene: &Scene, arguments: &[&str]) {
    let output = scene.control_plane().kubectl().args(arguments).output();
    let output = output.await.expect("kubectl is there");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
}

#[tokio::test]
async fn the_example_of_a_shared_connection_runs_and_goes() {
    const EXAMPLE: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/deploy/examples/shared-connection.yaml"
    );
    let (_turn, scene) = Neighbours::with(json!([])).await;
    scene.ai_core.add_group("churn-test").await;
    kubectl(&scene, &["apply", "-f", EXAMPLE]).await;
    let key = scene.ai_core.service_key(TENANT).await;
    let key = format!("--from-literal=key={key}");
    let secret = [
        "create",
        "secret",
        "generic",
        "aicore-key",
        "-n",
        "ai-platform",
        &key,
    ];
    kubectl(&scene, &secret).await;
    let running = [
        "wait",
        "--for=condition=Ready",
        "--timeout=60s",
        "-n",
        "churn",
        "aid/churn",
    ];
    kubectl(&scene, &running).await;
    kubectl(&scene, &["delete", "--timeout=60s", "-f", EXAMPLE]).await;
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(1).await;
}
