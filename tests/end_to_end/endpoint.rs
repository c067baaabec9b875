//! Applications find out from a ConfigMap how to reach a deployment.

use aicore_emulator::Effect;
use aicore_emulator::Operation::ListDeployments;
use harness::patience::until;
use harness::scene::{GROUP, LIMIT, Scene};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::manifests::{configuration, deployment, scene, wish, with};

const MAP: &str = "churn-endpoint";

fn published() -> Value {
    let spec = json!({
        "configuration": configuration(&json!({})),
        "endpoint": {"configMapName": MAP},
    });
    with("churn", spec)
}

/// Waits until the ConfigMap names this deployment, or none, and gives what it holds.
async fn until_told(scene: &Scene, id: &str) -> Value {
    let told = |map: &Value| map["data"]["AICORE_DEPLOYMENT_ID"] == id;
    let map = scene.until("ConfigMap", MAP, "it names the deployment", told);
    map.await["data"].clone()
}

#[tokio::test]
async fn the_config_map_follows_the_deployment_and_goes_with_the_object() {
    let scene = scene().await;
    scene.put(&published()).await;
    let id = scene.until_ready("churn", "Running").await;
    let data = until_told(&scene, &id).await;
    let url = data["AICORE_DEPLOYMENT_URL"].as_str().unwrap_or_default();
    assert!(url.ends_with(&id), "{data}");
    assert_eq!(data["AICORE_RESOURCE_GROUP"], GROUP);
    let headers: Value = serde_json::from_str(data["AICORE_DEPLOYMENT_HEADERS"].as_str().unwrap())
        .expect("the headers are JSON");
    assert_eq!(headers, json!({"AI-Resource-Group": GROUP}));
    assert_eq!(
        scene.get("Deployment", "churn").await["status"]["endpoint"],
        MAP
    );

    wish(&scene, "churn", "Deleted").await;
    scene.until_ready("churn", "Deleted").await;
    let data = until_told(&scene, "").await;
    assert_eq!(data["AICORE_DEPLOYMENT_URL"], "");
    wish(&scene, "churn", "Running").await;
    let next = scene.until_ready("churn", "Running").await;
    assert_ne!(next, id);
    until_told(&scene, &next).await;

    scene.delete_and_wait("churn").await;
    scene.until_gone("ConfigMap", MAP).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn a_config_map_that_is_somebody_elses_is_left_alone_and_the_object_says_so() {
    let scene = scene().await;
    let theirs = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": MAP},
        "data": {"AICORE_DEPLOYMENT_URL": "theirs"},
    });
    scene.put(&theirs).await;
    scene.put(&published()).await;
    scene.until_stalled("churn", "EndpointTaken").await;
    assert_eq!(scene.get("ConfigMap", MAP).await["data"], theirs["data"]);
    // Once it is out of the way, it heals by itself.
    scene.delete("ConfigMap", MAP).await;
    let id = scene.until_ready("churn", "Running").await;
    until_told(&scene, &id).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_config_map_that_is_named_no_more_is_taken_away() {
    let scene = scene().await;
    scene.put(&published()).await;
    let id = scene.until_ready("churn", "Running").await;
    until_told(&scene, &id).await;
    let other = json!({"spec": {"endpoint": {"configMapName": "other"}}});
    scene.change("Deployment", "churn", other).await;
    scene.until_gone("ConfigMap", MAP).await;
    let told = |map: &Value| map["data"]["AICORE_DEPLOYMENT_ID"] == id.as_str();
    let named = scene.until("ConfigMap", "other", "it names the deployment", told);
    named.await;
    let none = json!({"spec": {"endpoint": null}});
    scene.change("Deployment", "churn", none).await;
    scene.until_gone("ConfigMap", "other").await;
    let forgotten = |object: &Value| object["status"]["endpoint"].is_null();
    let object = scene.until("Deployment", "churn", "it is forgotten", forgotten);
    object.await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

/// The API server refuses every status that names a ConfigMap for applications, until the policy of this name is deleted.
async fn refuse_to_record(scene: &Scene, name: &str) {
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [{
                "apiGroups": ["aicore.dev"],
                "apiVersions": ["*"],
                "operations": ["UPDATE"],
                "resources": ["deployments/status"],
            }]},
            "validations": [{"expression": "!has(object.status.endpoint)"}],
        },
    });
    let here = json!({"kubernetes.io/metadata.name": scene.namespace});
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": here}},
        },
    });
    for object in [policy, binding] {
        let applied = scene.apply(&object).await;
        assert!(applied.succeeded, "{}", applied.errors);
    }
    let named = Patch::Merge(json!({"status": {"endpoint": MAP}}));
    let only_tried = PatchParams {
        dry_run: true,
        ..Default::default()
    };
    let deployments = scene.api("Deployment");
    until("the policy", async || {
        let tried = deployments.patch_status("churn", &only_tried, &named);
        let refusal = tried.await.err();
        refusal.ok_or_else(|| "the status is accepted".to_owned())
    })
    .await;
}

#[tokio::test]
async fn no_config_map_is_made_that_the_object_does_not_name_yet() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let policy = format!("{}-records-nothing", scene.namespace);
    refuse_to_record(&scene, &policy).await;
    let before = scene.kubernetes_writes().len();
    let named = json!({"spec": {"endpoint": {"configMapName": MAP}}});
    scene.change("Deployment", "churn", named).await;
    until("a third refusal", async || {
        let writes = scene.kubernetes_writes().split_off(before);
        let refused = writes.iter().filter(|write| write.code == 422).count();
        let again = (refused >= 3).then_some(());
        again.ok_or_else(|| format!("{writes:#?}"))
    })
    .await;
    let map = scene.api("ConfigMap").get_opt(MAP).await;
    assert_eq!(map.expect("an administrator may look"), None);
    let removed = scene
        .kubectl(&["delete", "validatingadmissionpolicy", &policy])
        .await;
    assert!(removed.succeeded, "{}", removed.errors);
    until_told(&scene, &id).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn what_is_known_to_serve_stays_told_while_ai_core_is_away() {
    let scene = scene().await;
    scene.put(&published()).await;
    let id = scene.until_ready("churn", "Running").await;
    let before = until_told(&scene, &id).await;
    let away = Effect::DropBefore;
    scene
        .ai_core
        .fault("away", &[ListDeployments], None, away)
        .await;
    let lists = scene.ai_core.calls(ListDeployments).await.len();
    scene
        .ai_core
        .called(ListDeployments, lists + 3, LIMIT)
        .await;
    assert_eq!(scene.get("ConfigMap", MAP).await["data"], before);
    scene.ai_core.heal().await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}
