//! Letting an object go by force: only with a reason, only once it is deleted, and never without a record of what is left.

use aicore_emulator::Effect;
use aicore_emulator::Operation::CreateDeployment;
use harness::emulated::OTHER_TENANT;
use harness::operator;
use harness::scene::{GROUP, LIMIT, Scene, condition};
use serde_json::{Value, json};

use crate::manifests::{deployment, scene};

const FORCE_RELEASE: &str = "aicore.dev/force-release";

/// Why the tests force it.
const REASON: &str = "the tenant was closed, ticket 4711";

async fn annotate(scene: &Scene, name: &str, reason: &str) {
    let annotation = json!({"metadata": {"annotations": {FORCE_RELEASE: reason}}});
    scene.change("Deployment", name, annotation).await;
}

/// Waits until a deleted object says why it cannot go.
async fn until_stuck(scene: &Scene, name: &str) -> Value {
    let stuck = |object: &Value| {
        object["metadata"]["deletionTimestamp"].is_string()
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
            && condition(object, "Ready")["status"] == "False"
    };
    scene
        .until("Deployment", name, "it is deleted and cannot go", stuck)
        .await
}

/// What was written down about an object.
async fn record_of(scene: &Scene, object: &Value) -> Value {
    let name = record_name(object);
    let found = scene
        .kubectl(&[
            "get",
            "configmap",
            &name,
            "--namespace",
            operator::NAMESPACE,
            "-o",
            "json",
        ])
        .await;
    assert!(found.succeeded, "{}", found.errors);
    serde_json::from_str(&found.output).expect("kubectl shows the ConfigMap")
}

fn record_name(object: &Value) -> String {
    let uid = object["metadata"]["uid"].as_str();
    format!("force-release-{}", uid.expect("every object has a uid"))
}

#[tokio::test]
async fn a_release_is_forced_with_a_reason_and_written_down_before_the_finalizer_comes_off() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.fault("outage", &[], None, Effect::Down).await;
    scene.delete("Deployment", "churn").await;
    let object = until_stuck(&scene, "churn").await;

    annotate(&scene, "churn", REASON).await;

    scene.until_gone("Deployment", "churn").await;
    let record = record_of(&scene, &object).await;
    assert_eq!(
        record["metadata"]["labels"]["aicore.dev/record"],
        "force-release"
    );
    let data = &record["data"];
    for (field, value) in [
        ("namespace", scene.namespace.as_str()),
        ("name", "churn"),
        ("resourceGroup", GROUP),
        ("reason", REASON),
        ("deploymentIds", &id),
        ("identityZoneId", "zone-1"),
        ("apiUrl", scene.ai_core.url()),
    ] {
        assert_eq!(data[field], value, "{field} in {data:#}");
    }
    assert_recorded_first(&scene, &record_name(&object));
    scene.until_told_of("ForceReleased", &id).await;
    scene.ai_core.heal().await;
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(id.clone()))]
    );
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );
    scene.finish(1).await;
}

/// In the API server's log the record comes before the last write to the object.
fn assert_recorded_first(scene: &Scene, record: &str) {
    let records = scene.writes_to(operator::NAMESPACE);
    let written = records
        .iter()
        .find(|write| write.resource == "configmaps" && write.name == record)
        .unwrap_or_else(|| panic!("no write of {record}: {records:#?}"));
    assert_eq!((written.verb.as_str(), written.code), ("create", 201));
    let writes = scene.kubernetes_writes();
    let released = writes
        .iter()
        .rfind(|write| write.resource == "deployments" && write.subresource.is_empty())
        .expect("the finalizer was taken off");
    assert!(
        written.at < released.at,
        "{written:#?} has to come before {released:#?}"
    );
}

#[tokio::test]
async fn no_object_is_forced_that_is_not_deleted() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;

    annotate(&scene, "churn", REASON).await;

    scene.ai_core.listed_again(4, LIMIT).await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    let object = scene.get("Deployment", "churn").await;
    assert_eq!(
        object["metadata"]["finalizers"],
        json!(["aicore.dev/deployment"])
    );
    let none = json!({"metadata": {"annotations": {FORCE_RELEASE: null}}});
    scene.change("Deployment", "churn", none).await;
    scene.delete_and_wait("churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn no_object_is_forced_without_a_reason() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.put_key(OTHER_TENANT).await;
    scene.until_stalled("churn", "TenantChanged").await;
    scene.delete("Deployment", "churn").await;
    let object = until_stuck(&scene, "churn").await;
    let message = condition(&object, "Stalled")["message"].to_string();
    assert!(message.contains(FORCE_RELEASE), "{message}");

    annotate(&scene, "churn", "  ").await;

    let edited = "the annotation without a reason is seen";
    let seen = |object: &Value| object["metadata"]["annotations"][FORCE_RELEASE] == "  ";
    scene.until("Deployment", "churn", edited, seen).await;
    scene.put_key(harness::emulated::TENANT).await;
    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    let events = scene.events().await;
    assert!(
        events.iter().all(|(reason, _)| reason != "ForceReleased"),
        "{events:#?}"
    );
    scene.finish(1).await;
}

#[tokio::test]
async fn a_namespace_that_cannot_end_during_an_outage_ends_by_a_forced_release() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.ai_core.fault("outage", &[], None, Effect::Down).await;
    scene.delete_namespace().await;
    let object = until_stuck(&scene, "churn").await;

    annotate(&scene, "churn", REASON).await;

    scene.until_namespace_is_gone().await;
    let record = record_of(&scene, &object).await;
    assert_eq!(record["data"]["deploymentIds"], id.as_str());
    scene.ai_core.heal().await;
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );
    scene.finish(1).await;
}

#[tokio::test]
async fn a_create_call_whose_outcome_is_open_is_written_down_too() {
    let mut scene = scene().await;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropBefore)
        .await;
    scene.put(&deployment("churn")).await;
    let object = scene.until_announced("churn").await;
    let configuration = object["status"]["intent"]["configurationId"].clone();
    scene.operator.kill().await;
    scene.ai_core.fault("outage", &[], None, Effect::Down).await;
    scene.delete("Deployment", "churn").await;
    annotate(&scene, "churn", REASON).await;
    scene.operator.start_again();

    scene.until_gone("Deployment", "churn").await;

    let data = record_of(&scene, &object).await["data"].clone();
    assert_eq!(data["createCallFromConfiguration"], configuration);
    assert_eq!(data["deploymentIds"], "");
    scene.ai_core.heal().await;
    scene.finish(0).await;
}

#[tokio::test]
async fn every_deployment_that_is_left_is_written_down() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let object = scene.get("Deployment", "churn").await;
    let configuration = object["status"]["deployment"]["configurationId"].as_str();
    let configuration = configuration.expect("its deployment has been seen");
    let copy = scene.ai_core.add_deployment(GROUP, configuration).await;
    scene.ai_core.force(&copy, json!({"frozen": true})).await;
    scene.delete("Deployment", "churn").await;
    let retiring = |object: &Value| object["status"]["retiring"][0]["id"] == copy.as_str();
    scene
        .until("Deployment", "churn", "the copy is to go too", retiring)
        .await;

    annotate(&scene, "churn", REASON).await;

    scene.until_gone("Deployment", "churn").await;
    let data = record_of(&scene, &object).await["data"].clone();
    assert_eq!(data["deploymentIds"], format!("{id} {copy}"));
    scene.finish(1).await;
}

#[tokio::test]
async fn what_is_protected_is_let_go_by_force_and_by_nothing_else() {
    let mut scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.operator.kill().await;
    scene.delete("Deployment", "churn").await;
    let protected = json!({"metadata": {"annotations": {"aicore.dev/protected": "true"}}});
    scene.change("Deployment", "churn", protected).await;
    scene.operator.start_again();
    scene.until_stalled("churn", "Protected").await;

    annotate(&scene, "churn", REASON).await;

    scene.until_gone("Deployment", "churn").await;
    assert_eq!(
        scene.ai_core.effects().await,
        [(CreateDeployment, Some(id))]
    );
    scene.finish(1).await;
}
