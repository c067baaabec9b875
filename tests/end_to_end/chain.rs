//! A Connection and every Secret that it has ever used are held as long as a deployment may need them, and no longer.

use harness::emulated::{OTHER_TENANT, TENANT};
use harness::scene::{CONNECTION, SECRET, Scene, secret};
use serde_json::{Value, json};

use crate::manifests::{deployment, scene};

/// The Secret with the key of [`OTHER_TENANT`].
const OTHER_SECRET: &str = "other-key";

/// A running deployment whose Connection then is given the key of another tenant.
async fn moved_to_another_tenant() -> Scene {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    let key = scene.ai_core.service_key(OTHER_TENANT).await.to_string();
    scene.put(&secret(OTHER_SECRET, &json!({"key": key}))).await;
    use_secret(&scene, OTHER_SECRET).await;
    scene.until_stalled("churn", "TenantChanged").await;
    until_names(&scene, &[SECRET, OTHER_SECRET]).await;
    scene
}

async fn use_secret(scene: &Scene, name: &str) {
    let edit = json!({"spec": {"secretRef": {"name": name}}});
    scene.change("Connection", CONNECTION, edit).await;
}

async fn until_names(scene: &Scene, secrets: &[&str]) {
    let what = format!("it names the Secrets {secrets:?}");
    scene
        .until("Connection", CONNECTION, &what, |object| {
            object["status"]["secrets"] == json!(secrets)
        })
        .await;
}

async fn assert_held(scene: &Scene, name: &str) {
    let held = scene.get("Secret", name).await;
    assert_eq!(held["metadata"]["finalizers"], json!(["aicore.dev/in-use"]));
}

async fn until_free(scene: &Scene, name: &str) {
    let free = |secret: &Value| secret["metadata"]["finalizers"].is_null();
    scene
        .until("Secret", name, "its finalizer is off", free)
        .await;
}

#[tokio::test]
async fn a_key_of_another_tenant_by_mistake_is_healed_by_the_former_one() {
    let scene = moved_to_another_tenant().await;
    assert_held(&scene, SECRET).await;

    use_secret(&scene, SECRET).await;

    scene.until_ready("churn", "Running").await;
    until_free(&scene, OTHER_SECRET).await;
    until_names(&scene, &[SECRET]).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_former_key_that_is_deleted_stays_and_serves_until_its_deployment_is_gone() {
    let scene = moved_to_another_tenant().await;
    let deleted = scene
        .kubectl(&["delete", "secret", SECRET, "--wait=false"])
        .await;
    assert!(deleted.succeeded, "{}", deleted.errors);
    scene.until_stalled("churn", "TenantChanged").await;
    assert_held(&scene, SECRET).await;

    use_secret(&scene, SECRET).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;

    use_secret(&scene, OTHER_SECRET).await;
    scene.until_gone("Secret", SECRET).await;
    until_names(&scene, &[OTHER_SECRET]).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_former_key_is_freed_by_itself_when_its_deployment_is_given_up() {
    let scene = moved_to_another_tenant().await;
    scene.delete("Secret", SECRET).await;
    assert_held(&scene, SECRET).await;

    let given_up = json!({"spec": {"deletionPolicy": "Orphan"}});
    scene.change("Deployment", "churn", given_up).await;
    scene.delete_and_wait("churn").await;

    scene.until_gone("Secret", SECRET).await;
    until_names(&scene, &[OTHER_SECRET]).await;
    scene.finish(1).await;
}

/// Deletes the Connection of a running deployment and takes its finalizer off by hand.
async fn force_the_connection_away(scene: &Scene) {
    scene.delete("Connection", CONNECTION).await;
    let patch = r#"[{"op": "remove", "path": "/metadata/finalizers"}]"#;
    let forced = scene
        .kubectl(&["patch", "aiconn", CONNECTION, "--type=json", "-p", patch])
        .await;
    assert!(forced.succeeded, "{}", forced.errors);
    scene.until_gone("Connection", CONNECTION).await;
}

/// The deployment is deleted after all with a new key.
async fn connect_again_and_end(scene: Scene) {
    scene.connect(TENANT).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_secret_that_is_deleted_after_its_connection_was_forced_away_goes() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    force_the_connection_away(&scene).await;
    scene.until_stalled("churn", "ConnectionMissing").await;
    scene.delete("Secret", SECRET).await;
    scene.until_gone("Secret", SECRET).await;
    connect_again_and_end(scene).await;
}

#[tokio::test]
async fn a_secret_that_is_deleted_before_its_connection_is_forced_away_goes() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.delete("Secret", SECRET).await;
    assert_held(&scene, SECRET).await;
    force_the_connection_away(&scene).await;
    scene.until_gone("Secret", SECRET).await;
    connect_again_and_end(scene).await;
}
