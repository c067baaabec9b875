//! What a Connection says of others: whom it grants access, and who else has power over its Secret.

use harness::scene::{CONNECTION, GROUP, SECRET, Scene, condition, connection};
use serde_json::{Value, json};

use crate::manifests::{deployment, scene};

/// A Connection that grants this access.
fn granting(access: Value) -> Value {
    let mut object = connection("granting", SECRET);
    object["spec"]["access"] = access;
    object
}

async fn assert_refused(scene: &Scene, access: Value, sentence: &str) {
    let outcome = scene.apply(&granting(access.clone())).await;
    assert!(!outcome.succeeded, "this was accepted: {access}");
    assert!(
        outcome.errors.contains(sentence),
        "{access} was refused without {sentence:?}:\n{}",
        outcome.errors
    );
}

#[tokio::test]
async fn an_access_that_cannot_be_meant_is_refused_with_a_sentence() {
    let scene = scene().await;
    let to = |groups: &[&str]| json!([{"namespaceSelector": {}, "resourceGroups": groups}]);
    let where_label = |operator: &str, values: &[&str]| {
        let requirement = json!({"key": "team", "operator": operator, "values": values});
        json!([{"namespaceSelector": {"matchExpressions": [requirement]}, "resourceGroups": [GROUP]}])
    };
    let values_needed = "In and NotIn need values, Exists and DoesNotExist take none";
    let misspelt = json!([{"namespaceSelector": {"matchLabel": {}}, "resourceGroups": [GROUP]}]);
    for (access, sentence) in [
        (to(&[]), "resourceGroups"),
        (to(&["*", GROUP]), "is given alone"),
        (to(&["a/b"]), "resourceGroups"),
        (json!([{"resourceGroups": [GROUP]}]), "namespaceSelector"),
        (json!([{"namespaceSelector": {}}]), "resourceGroups"),
        (misspelt, "unknown field"),
        (where_label("In", &[]), values_needed),
        (where_label("Exists", &["a"]), values_needed),
        (where_label("Has", &["a"]), "supported values"),
        (json!(vec![to(&[GROUP])[0].clone(); 51]), "spec.access"),
    ] {
        assert_refused(&scene, access, sentence).await;
    }
    for access in [
        to(&["*"]),
        where_label("NotIn", &["a"]),
        where_label("Exists", &[]),
    ] {
        let outcome = scene.apply(&granting(access)).await;
        assert!(outcome.succeeded, "{}", outcome.errors);
    }
    scene.finish(0).await;
}

#[tokio::test]
async fn an_operator_of_one_namespace_uses_no_connection_of_another() {
    let scene = scene().await;
    let mut object = deployment("churn");
    object["spec"]["connectionRef"] = json!({"name": CONNECTION, "namespace": "elsewhere"});
    scene.put(&object).await;
    let message = scene.until_stalled("churn", "AccessDenied").await;
    assert!(message.contains("looks at namespace"), "{message}");
    object["spec"]["connectionRef"] = json!({"name": CONNECTION, "namespace": scene.namespace});
    scene.put(&object).await;
    scene.until_ready("churn", "Running").await;
    let object = scene.get("Deployment", "churn").await;
    assert!(
        object["status"]["connectionNamespace"].is_null(),
        "{object}"
    );
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_connection_warns_of_a_secret_that_another_operator_owns() {
    let scene = scene().await;
    let owner = json!({
        "apiVersion": "services.cloud.sap.com/v1",
        "kind": "ServiceBinding",
        "name": "aicore-binding",
        "uid": "2f7f5b5c-7f0b-4f0e-9a38-1d1f1b8b2c11",
        "controller": true,
        "blockOwnerDeletion": false,
    });
    let owned = json!({"metadata": {"ownerReferences": [owner]}});
    scene.change("Secret", SECRET, owned).await;
    let told = scene.until_told("CredentialsOwnedElsewhere").await;
    assert!(told.contains("ServiceBinding aicore-binding"), "{told}");
    let connection = scene
        .until("Connection", CONNECTION, "it warns", |object| {
            let ready = condition(object, "Ready");
            ready["message"].to_string().contains("aicore-binding")
        })
        .await;
    assert_eq!(condition(&connection, "Ready")["reason"], "Connected");
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    let warnings = scene.events().await.into_iter();
    let warnings = warnings.filter(|(reason, _)| reason == "CredentialsOwnedElsewhere");
    assert_eq!(warnings.count(), 1);
    scene.finish(1).await;
}
