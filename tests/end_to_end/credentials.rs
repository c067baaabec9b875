//! Keys: wrong ones, changed ones, vanishing ones, and in every layout that they come in.

use aicore_emulator::Operation::CreateDeployment;
use harness::emulated::{OTHER_TENANT, TENANT};
use harness::scene::{CONNECTION, SECRET, Scene, Setting, condition, connection, secret};
use serde_json::{Value, json};

use crate::manifests::{OPERATOR, deployment, scene};

/// A scene without Secret and Connection.
async fn unconnected() -> Scene {
    let setting = Setting {
        connected: false,
        ..Setting::of(OPERATOR)
    };
    Scene::start(setting).await
}

#[tokio::test]
async fn a_wrong_key_is_told_by_both_objects_and_a_right_one_heals_them() {
    let scene = unconnected().await;
    let mut key = scene.ai_core.service_key(TENANT).await;
    key["clientsecret"] = json!("not-the-secret");
    scene
        .put(&secret(SECRET, &json!({"key": key.to_string()})))
        .await;
    scene.put(&connection(CONNECTION, SECRET)).await;
    scene.put(&deployment("churn")).await;

    let told = scene
        .until_reason("Connection", CONNECTION, "CredentialsRejected")
        .await;
    scene.until_stalled("churn", "CredentialsRejected").await;
    assert_eq!(condition(&told, "Ready")["status"], "False");
    assert!(!told.to_string().contains("not-the-secret"), "{told}");

    scene.put_key(TENANT).await;
    scene
        .until_reason("Connection", CONNECTION, "Connected")
        .await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    assert!(!scene.operator.log().contains("not-the-secret"));
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deployment_waits_for_its_connection_and_the_connection_for_its_secret() {
    let scene = unconnected().await;
    scene.put(&deployment("churn")).await;
    let message = scene.until_stalled("churn", "ConnectionMissing").await;
    assert!(message.contains(CONNECTION), "{message}");
    scene.put(&connection(CONNECTION, SECRET)).await;
    let told = scene
        .until_reason("Connection", CONNECTION, "SecretMissing")
        .await;
    assert!(told.to_string().contains(SECRET), "{told}");
    scene
        .put(&secret(SECRET, &json!({"unrelated": "text"})))
        .await;
    scene
        .until_reason("Connection", CONNECTION, "InvalidSecret")
        .await;
    scene.put_key(TENANT).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn nothing_is_released_while_the_key_leads_to_another_tenant() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.put_key(OTHER_TENANT).await;
    scene.until_stalled("churn", "TenantChanged").await;
    let told = scene
        .until_reason("Connection", CONNECTION, "TenantChanged")
        .await;
    let message = condition(&told, "Stalled")["message"].to_string();
    assert!(message.contains("churn"), "{message}");
    // The wrong key makes nothing in the wrong tenant either.
    scene.put(&deployment("later")).await;
    scene
        .until_reason("Deployment", "later", "ConnectionNotReady")
        .await;

    scene.delete("Deployment", "churn").await;

    let deleted = |object: &Value| {
        object["metadata"]["deletionTimestamp"].is_string()
            && condition(object, "Stalled")["reason"] == "TenantChanged"
    };
    scene
        .until("Deployment", "churn", "deleted, and TenantChanged", deleted)
        .await;
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(id.clone()))]
    );
    scene.put_key(TENANT).await;
    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene
        .until_reason("Connection", CONNECTION, "Connected")
        .await;
    scene.until_ready("later", "Running").await;
    scene.delete_and_wait("later").await;
    let audit = scene.ai_core.audit().await;
    let strange = audit.iter().find(|entry| {
        entry.tenant.as_deref() == Some(OTHER_TENANT) && entry.deployment_id.is_some()
    });
    assert_eq!(strange, None);
    scene.finish(2).await;
}

#[tokio::test]
async fn the_layouts_of_a_service_binding_are_understood() {
    let scene = unconnected().await;
    let key = scene.ai_core.service_key(TENANT).await;
    let mut flat = key.as_object().expect("a key is an object").clone();
    flat["serviceurls"] = json!(key["serviceurls"].to_string());
    flat.insert("type".to_owned(), json!("aicore"));
    flat.insert("plan".to_owned(), json!("extended"));
    let layouts = [
        ("one-entry-each", Value::Object(flat)),
        (
            "under-a-secret-key",
            json!({"credentials": key.to_string(), "plan": "extended"}),
        ),
        (
            "under-a-root-key",
            json!({"binding": with_instance(&key).to_string()}),
        ),
        (
            "under-both",
            json!({"binding": json!({"credentials": key, "plan": "extended"}).to_string()}),
        ),
    ];
    for (name, entries) in layouts {
        scene.put(&secret(name, &entries)).await;
        scene.put(&connection(name, name)).await;
        scene.until_reason("Connection", name, "Connected").await;
    }
    scene.finish(0).await;
}

/// The credentials with what the SAP BTP service operator adds of the instance.
fn with_instance(key: &Value) -> Value {
    let mut all = key.clone();
    all["type"] = json!("aicore");
    all["plan"] = json!("extended");
    all["instance_name"] = json!("aicore");
    all
}

#[tokio::test]
async fn deleting_the_namespace_with_everything_inside_ends_by_itself() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.delete_namespace().await;
    scene.until_namespace_is_gone().await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn secret_and_connection_stay_until_the_last_deployment_is_gone() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;

    scene.delete("Secret", SECRET).await;
    scene.delete("Connection", CONNECTION).await;
    let told = |object: &Value| {
        let message = condition(object, "Ready")["message"].as_str();
        message.is_some_and(|message| message.contains("churn"))
    };
    scene
        .until("Connection", CONNECTION, "it names who holds it", told)
        .await;
    scene.get("Secret", SECRET).await;

    scene.delete_and_wait("churn").await;
    scene.until_gone("Connection", CONNECTION).await;
    scene.until_gone("Secret", SECRET).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn nothing_is_created_through_a_connection_that_is_being_deleted() {
    let scene = scene().await;
    scene.put(&deployment("first")).await;
    scene.until_ready("first", "Running").await;
    scene.delete("Connection", CONNECTION).await;
    scene.put(&deployment("second")).await;
    scene
        .until_reason("Deployment", "second", "ConnectionNotReady")
        .await;
    scene.delete_and_wait("second").await;
    scene.delete_and_wait("first").await;
    scene.until_gone("Connection", CONNECTION).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn the_finalizers_are_put_on_from_the_outside_in_before_anything_is_created() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;

    let writes = scene.kubernetes_writes();
    let patched = |resource: &str| {
        let patch = writes.iter().find(|write| {
            write.verb == "patch" && write.resource == resource && write.subresource.is_empty()
        });
        patch
            .unwrap_or_else(|| panic!("no {resource} was patched: {writes:#?}"))
            .at
    };
    let audit = scene.ai_core.audit().await;
    let created = audit
        .iter()
        .find(|entry| entry.operation == CreateDeployment)
        .expect("a deployment was created")
        .at;
    let order = [
        patched("secrets"),
        patched("connections"),
        patched("deployments"),
        created,
    ];
    assert!(order.is_sorted(), "{order:?}");
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deployment_whose_connection_now_is_another_tenants_is_deleted_through_the_former_one() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let key = scene.ai_core.service_key(OTHER_TENANT).await.to_string();
    scene.put(&secret("other", &json!({"key": key}))).await;
    scene.put(&connection("other", "other")).await;
    scene.until_reason("Connection", "other", "Connected").await;
    let moved = json!({"spec": {"connectionRef": {"name": "other"}}});
    scene.change("Deployment", "churn", moved).await;
    scene.delete_and_wait("churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn a_secret_that_a_connection_needs_no_more_is_let_go() {
    let scene = scene().await;
    let key = scene.ai_core.service_key(TENANT).await.to_string();
    scene.put(&secret("new-key", &json!({"key": key}))).await;
    let renamed = json!({"spec": {"secretRef": {"name": "new-key"}}});
    scene.change("Connection", CONNECTION, renamed).await;
    let free = |secret: &Value| secret["metadata"]["finalizers"].is_null();
    scene
        .until("Secret", SECRET, "its finalizer is off", free)
        .await;
    scene
        .until("Connection", CONNECTION, "it names the new one", |object| {
            object["status"]["secrets"] == json!(["new-key"])
        })
        .await;
    scene.delete("Secret", SECRET).await;
    scene.until_gone("Secret", SECRET).await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_secret_of_two_connections_stays_until_both_are_gone() {
    let scene = scene().await;
    scene.put(&connection("second", SECRET)).await;
    scene
        .until_reason("Connection", "second", "Connected")
        .await;
    scene.delete("Connection", "second").await;
    scene.until_gone("Connection", "second").await;
    let held = scene.get("Secret", SECRET).await;
    assert_eq!(held["metadata"]["finalizers"], json!(["aicore.dev/in-use"]));
    scene.delete("Secret", SECRET).await;
    scene.get("Secret", SECRET).await;
    scene.delete("Connection", CONNECTION).await;
    scene.until_gone("Connection", CONNECTION).await;
    scene.until_gone("Secret", SECRET).await;
    scene.finish(0).await;
}

#[tokio::test]
async fn an_object_that_never_had_a_key_goes_at_once_when_it_is_deleted() {
    let scene = unconnected().await;
    scene.put(&deployment("churn")).await;
    scene.until_stalled("churn", "ConnectionMissing").await;
    scene.delete_and_wait("churn").await;
    scene.until_told_of("Released", "could be looked up").await;
    scene.finish(0).await;
}
