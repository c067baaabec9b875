//! What an object leaves behind while the outcome of a create call is open: it is left like the rest, and no other object takes it for its own.

use aicore_emulator::Effect;
use aicore_emulator::Operation::CreateDeployment;
use harness::scene::{CONNECTION, GROUP, Scene};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::crashes::kill_between;
use crate::manifests::{deployment_from, make_exclusive, scene, with};

/// The operator is killed between the effect and the answer of a create call, and its object is deleted before the operator is started again. Returns
/// the configuration, from which nobody else creates, and the id of the deployment that nobody has recorded.
async fn deleted_with_an_open_call(scene: &mut Scene, policy: &str) -> (String, String) {
    make_exclusive(scene).await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let object = with(
        "churn",
        json!({"configurationId": configuration, "deletionPolicy": policy}),
    );
    kill_between(scene, CreateDeployment, async |scene| {
        scene.put(&object).await;
    })
    .await;
    scene.delete("Deployment", "churn").await;
    let left = scene.ai_core.only_deployment().await.id;
    (configuration, left)
}

/// An object of the same configuration, whose create call has its effect and loses its answer.
async fn put_another(scene: &Scene, configuration: &str) {
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropAfter)
        .await;
    scene.put(&deployment_from("another", configuration)).await;
}

#[tokio::test]
async fn what_an_open_call_has_made_is_left_by_policy_under_its_id_and_taken_by_nobody() {
    let mut scene = scene().await;
    let (configuration, left) = deleted_with_an_open_call(&mut scene, "Orphan").await;
    put_another(&scene, &configuration).await;
    scene.operator.start_again();

    scene.until_gone("Deployment", "churn").await;
    scene.until_told_of("Orphaned", &left).await;
    let connection = scene.get("Connection", CONNECTION).await;
    let kept = json!([{"id": left, "resourceGroup": GROUP}]);
    assert_eq!(connection["status"]["left"], kept, "{connection:#}");
    assert!(connection["status"].get("leftCalls").is_none());

    let own = scene.until_ready("another", "Running").await;
    assert_ne!(own, left);
    scene.delete_and_wait("another").await;
    let status = scene.ai_core.status_of(&left).await;
    assert_eq!(status.as_deref(), Some("RUNNING"));
    scene.finish(2).await;
}

#[tokio::test]
async fn what_an_open_call_may_have_made_is_asked_about_for_an_hour_after_its_object_was_forced_to_go()
 {
    let mut scene = scene().await;
    let (configuration, left) = deleted_with_an_open_call(&mut scene, "Delete").await;
    let reason = json!({"metadata": {"annotations": {"aicore.dev/force-release": "test"}}});
    scene.change("Deployment", "churn", reason).await;
    scene.operator.start_again();
    scene.until_gone("Deployment", "churn").await;
    let connection = scene.get("Connection", CONNECTION).await;
    let call = &connection["status"]["leftCalls"][0];
    assert_eq!(call["configurationId"], configuration.as_str());
    let announced: Timestamp = serde_json::from_value(call["announcedAt"].clone())
        .expect("the call was announced at a time that AI Core told");

    put_another(&scene, &configuration).await;
    let message = scene.until_stalled("another", "Ambiguous").await;
    let deployments = scene.ai_core.deployments().await;
    let mut others = deployments.iter().filter(|it| it.id != left);
    let own = others.next().expect("the call had its effect").id.clone();
    assert!(message.contains(&own), "{message}");

    scene.operator.kill().await;
    let earlier = announced - SignedDuration::from_hours(2);
    let mut call = call.clone();
    call["announcedAt"] = json!(earlier.to_string());
    let calls = json!({"leftCalls": [call]});
    scene.change_status("Connection", CONNECTION, calls).await;
    scene.operator.start_again();

    assert_eq!(scene.until_ready("another", "Running").await, own);
    scene.delete_and_wait("another").await;
    let status = scene.ai_core.status_of(&left).await;
    assert_eq!(status.as_deref(), Some("RUNNING"));
    // Nobody but a person can end it now.
    scene.ai_core.remove(&left).await;
    scene.finish(2).await;
}
