//! A key is exchanged, spoiled, or taken away while deployments depend on it: nothing is released without proof, the object says what is missing,
//! and a good key heals everything.

use aicore_emulator::Operation::{CreateDeployment, StopDeployment, Token};
use harness::emulated::TENANT;
use harness::scene::{CONNECTION, LIMIT, SECRET, Scene, Setting, condition, secret};
use serde_json::{Value, json};

use crate::manifests::{OPERATOR, deployment, scene};

/// A running deployment whose stop takes until [`let_it_stop`].
async fn scene_with_one() -> (Scene, String) {
    with_one(scene().await).await
}

async fn with_one(scene: Scene) -> (Scene, String) {
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.set(json!({"stoppingMs": 600_000})).await;
    (scene, id)
}

async fn let_it_stop(scene: &Scene) {
    scene.ai_core.set(json!({"stoppingMs": 50})).await;
}

async fn begin_deletion(scene: &Scene) {
    scene.delete("Deployment", "churn").await;
    scene.until_stop_is_accepted("churn").await;
}

/// Waits until the deleted object is Stalled, and returns why and what it says.
async fn until_stalled(scene: &Scene) -> (String, String) {
    let stalled = |object: &Value| {
        object["metadata"]["deletionTimestamp"].is_string()
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
            && condition(object, "Stalled")["status"] == "True"
    };
    let object = scene
        .until("Deployment", "churn", "deleted, and Stalled", stalled)
        .await;
    let text = |field: &str| {
        let text = condition(&object, "Stalled")[field].as_str();
        text.unwrap_or_default().to_owned()
    };
    (text("reason"), text("message"))
}

async fn assert_ends(scene: Scene, id: &str) {
    let_it_stop(&scene).await;
    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.status_of(id).await, None);
    let stops = scene.ai_core.calls(StopDeployment).await;
    assert_eq!(stops.iter().filter(|call| call.accepted).count(), 1);
    scene.finish(1).await;
}

async fn delete_secret(scene: &Scene, name: &str) {
    scene.delete("Secret", name).await;
    let deleted = |object: &Value| object["metadata"]["deletionTimestamp"].is_string();
    scene.until("Secret", name, "it is deleted", deleted).await;
}

/// The key under a new name, as kustomize gives it to a Secret whose content has changed. Returns the name.
async fn put_hashed_key(scene: &Scene) -> &'static str {
    let key = scene.ai_core.service_key(TENANT).await.to_string();
    let name = "aicore-key-7m5k2";
    scene.put(&secret(name, &json!({"key": key}))).await;
    name
}

async fn use_secret(scene: &Scene, name: &str) {
    let edit = json!({"spec": {"secretRef": {"name": name}}});
    scene.change("Connection", CONNECTION, edit).await;
}

#[tokio::test]
async fn a_secret_under_a_new_name_takes_over_and_the_pruned_one_goes_in_the_middle_of_a_deletion()
{
    let (scene, id) = scene_with_one().await;
    begin_deletion(&scene).await;
    let name = put_hashed_key(&scene).await;
    use_secret(&scene, name).await;
    scene.delete("Secret", SECRET).await;
    scene.until_gone("Secret", SECRET).await;
    assert_ends(scene, &id).await;
}

#[tokio::test]
async fn a_secret_that_is_pruned_before_its_connection_is_edited_serves_until_then() {
    let (scene, id) = scene_with_one().await;
    delete_secret(&scene, SECRET).await;
    scene
        .until_reason("Connection", CONNECTION, "SecretTerminating")
        .await;
    begin_deletion(&scene).await;
    let name = put_hashed_key(&scene).await;
    use_secret(&scene, name).await;
    scene.until_gone("Secret", SECRET).await;
    scene
        .until_reason("Connection", CONNECTION, "Connected")
        .await;
    assert_ends(scene, &id).await;
}

#[tokio::test]
async fn a_secret_that_is_being_deleted_is_used_for_what_there_is_and_for_nothing_new() {
    let (scene, id) = scene_with_one().await;
    delete_secret(&scene, SECRET).await;
    let told = scene
        .until_reason("Connection", CONNECTION, "SecretTerminating")
        .await;
    let message = condition(&told, "Ready")["message"].to_string();
    assert!(message.contains(SECRET), "{message}");

    scene.put(&deployment("later")).await;
    let waiting = scene
        .until_reason("Deployment", "later", "ConnectionNotReady")
        .await;
    assert_eq!(condition(&waiting, "Reconciling")["status"], "True");
    assert_eq!(scene.ai_core.calls(CreateDeployment).await.len(), 1);
    scene.delete_and_wait("later").await;

    begin_deletion(&scene).await;
    scene.delete("Connection", CONNECTION).await;
    let_it_stop(&scene).await;
    scene.until_gone("Secret", SECRET).await;
    assert_ends(scene, &id).await;
}

/// As when a ServiceBinding is deleted: its operator deletes the Secret and revokes the key at once. The tokens of that key live on.
#[tokio::test]
async fn a_key_that_is_revoked_while_its_secret_is_deleted_serves_as_long_as_its_token_lives() {
    let (scene, id) = scene_with_one().await;
    scene.ai_core.revoke_key().await;
    scene.delete("Secret", SECRET).await;
    scene.delete("Connection", CONNECTION).await;
    begin_deletion(&scene).await;
    let_it_stop(&scene).await;
    scene.until_gone("Connection", CONNECTION).await;
    scene.until_gone("Secret", SECRET).await;
    let refused = scene.ai_core.calls(Token).await;
    assert!(refused.iter().all(|call| call.accepted), "{refused:#?}");
    assert_ends(scene, &id).await;
}

#[tokio::test]
async fn a_key_that_is_revoked_with_its_tokens_in_the_middle_of_a_deletion_is_asked_for_by_name() {
    let (scene, id) = scene_with_one().await;
    begin_deletion(&scene).await;
    scene.ai_core.revoke_key().await;
    scene.ai_core.revoke_tokens().await;
    delete_secret(&scene, SECRET).await;

    let (reason, message) = until_stalled(&scene).await;
    assert_eq!(reason, "CredentialsRejected");
    for part in [id.as_str(), "aicore.dev/force-release", "Orphan"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    let_it_stop(&scene).await;

    scene.put_key(TENANT).await;

    assert_ends(scene, &id).await;
}

/// Gives the Secret an owner, as the SAP BTP service operator does.
async fn own_secret(scene: &Scene) {
    let owner = json!({
        "apiVersion": "services.cloud.sap.com/v1",
        "kind": "ServiceBinding",
        "name": "aicore-binding",
        "uid": "2f7f5b5c-7f0b-4f0e-9a38-1d1f1b8b2c11",
        "controller": true,
    });
    let owned = json!({"metadata": {"ownerReferences": [owner]}});
    scene.change("Secret", SECRET, owned).await;
    scene.until_told("CredentialsOwnedElsewhere").await;
}

/// As when a ServiceBinding is deleted, and the last token of its key ends before the deployment has stopped.
#[tokio::test]
async fn a_key_that_is_revoked_with_its_binding_is_told_as_that_and_another_secret_takes_over() {
    // The Connection asks for itself now and then whether its key still works.
    let setting = Setting {
        arguments: &["--resync-seconds", "1"],
        ..Setting::of(OPERATOR)
    };
    let (scene, id) = with_one(Scene::start(setting).await).await;
    own_secret(&scene).await;
    begin_deletion(&scene).await;
    delete_secret(&scene, SECRET).await;
    scene
        .until_reason("Connection", CONNECTION, "SecretTerminating")
        .await;
    scene.ai_core.revoke_key().await;
    scene.ai_core.revoke_tokens().await;

    let (reason, message) = until_stalled(&scene).await;
    assert_eq!(reason, "CredentialsRevoked");
    for part in [id.as_str(), "ServiceBinding aicore-binding", "Orphan"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    let told = scene
        .until_reason("Connection", CONNECTION, "CredentialsRevoked")
        .await;
    assert_eq!(condition(&told, "Stalled")["reason"], "CredentialsRevoked");

    let name = put_hashed_key(&scene).await;
    use_secret(&scene, name).await;

    scene.until_gone("Secret", SECRET).await;
    assert_ends(scene, &id).await;
}

#[tokio::test]
async fn a_key_is_rotated_without_a_deployment_or_the_operator_noticing() {
    let (scene, id) = scene_with_one().await;
    let asked = scene.ai_core.calls(Token).await.len();
    scene.ai_core.revoke_key().await;
    scene.put_key(TENANT).await;
    scene.ai_core.called(Token, asked + 1, LIMIT).await;
    // The tokens of the former key go with it.
    scene.ai_core.revoke_tokens().await;
    scene.put(&deployment("later")).await;
    scene.until_ready("later", "Running").await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    let told = scene.events().await.into_iter();
    let rejected: Vec<_> = told
        .filter(|(reason, _)| reason == "CredentialsRejected")
        .collect();
    assert_eq!(rejected, []);
    let_it_stop(&scene).await;
    for name in ["later", "churn"] {
        scene.delete_and_wait(name).await;
    }
    scene.finish(2).await;
}

#[tokio::test]
async fn a_key_that_is_revoked_before_a_deletion_is_asked_for_and_nothing_is_released() {
    let (scene, id) = scene_with_one().await;
    scene.ai_core.revoke_key().await;
    scene.ai_core.revoke_tokens().await;
    scene.delete("Deployment", "churn").await;

    let (reason, _) = until_stalled(&scene).await;
    assert_eq!(reason, "CredentialsRejected");
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );
    // A creation waits for the key as well.
    scene.put(&deployment("later")).await;
    scene.until_stalled("later", "CredentialsRejected").await;
    assert_eq!(scene.ai_core.calls(CreateDeployment).await.len(), 1);
    scene.delete_and_wait("later").await;

    scene.put_key(TENANT).await;

    assert_ends(scene, &id).await;
}

#[tokio::test]
async fn a_secret_that_is_replaced_by_garbage_holds_everything_until_it_is_put_right() {
    let (scene, id) = scene_with_one().await;
    let garbage = json!({"data": {"key": "bm90IGEga2V5"}});
    scene.change("Secret", SECRET, garbage).await;
    scene
        .until_reason("Connection", CONNECTION, "InvalidSecret")
        .await;
    scene.delete("Deployment", "churn").await;

    let (reason, message) = until_stalled(&scene).await;
    assert_eq!(reason, "InvalidSecret");
    for part in [SECRET, "aicore.dev/force-release"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );

    scene.put_key(TENANT).await;

    assert_ends(scene, &id).await;
}
