//! What nobody claims is counted, and what an object of the namespace has left behind is listed, told once, and can be taken up again.

use aicore_emulator::Effect;
use aicore_emulator::Operation::CreateDeployment;
use harness::emulated::TENANT;
use harness::scene::{CONNECTION, GROUP, Scene, Setting};
use serde_json::{Value, json};

use crate::manifests::{OPERATOR, adoption, deployment, scene};

/// Has an object make a deployment and leave it behind. Returns its id.
async fn left_behind(scene: &Scene) -> String {
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let orphan = json!({"spec": {"deletionPolicy": "Orphan"}});
    scene.change("Deployment", "churn", orphan).await;
    scene.delete_and_wait("churn").await;
    id
}

async fn until_counted(scene: &Scene, unclaimed: usize, orphans: usize) -> Value {
    let what = format!("{unclaimed} unclaimed, {orphans} of them orphans");
    let counted = |object: &Value| {
        object["status"]["unclaimed"] == unclaimed && object["status"]["orphanCount"] == orphans
    };
    let connection = scene.until("Connection", CONNECTION, &what, counted).await;
    connection["status"].clone()
}

async fn tellings(scene: &Scene) -> Vec<String> {
    let events = scene.events().await.into_iter();
    events
        .filter(|(reason, _)| reason == "OrphansFound")
        .map(|(_, note)| note)
        .collect()
}

#[tokio::test]
async fn what_an_object_has_left_behind_is_listed_told_once_and_can_be_adopted() {
    let mut scene = scene().await;
    let id = left_behind(&scene).await;

    let status = until_counted(&scene, 1, 1).await;
    let listed =
        json!([{"id": id, "resourceGroup": GROUP, "deployment": "churn", "state": "RUNNING"}]);
    assert_eq!(status["orphans"], listed);
    let told = scene.until_told("OrphansFound").await;
    assert!(told.contains(&id) && told.contains("spec.adopt"), "{told}");

    scene.operator.kill().await;
    scene.operator.start_again();
    scene.put(&adoption("again", &id, "Delete")).await;
    assert_eq!(scene.until_ready("again", "Running").await, id);
    let status = until_counted(&scene, 0, 0).await;
    assert!(status["orphans"].is_null(), "{status}");
    scene.delete_and_wait("again").await;
    assert_eq!(tellings(&scene).await.len(), 1);
    scene.finish(1).await;
}

/// Five deployments that nobody claims, of which one bears the name of this cluster and namespace, and one that of a namespace which another operator
/// looks at. Waits until so many are counted, and so many of them are orphans.
async fn five_of_which_are_counted(setting: Setting<'_>, unclaimed: usize, orphans: usize) {
    let scene = Scene::start(Setting {
        arguments: &["--cluster-id", "blue"],
        connected: false,
        ..setting
    })
    .await;
    let namespace = &scene.namespace;
    for name in [
        format!("aicore.dev/blue/{namespace}/churn/uid/hash"),
        format!("aicore.dev/green/{namespace}/churn/uid/hash"),
        "aicore.dev/blue/elsewhere/churn/uid/hash".to_owned(),
        format!("aicore.dev/blue/{namespace}/churn"),
        "made by hand".to_owned(),
    ] {
        let configuration = scene.ai_core.add_configuration_named(GROUP, &name).await;
        scene.ai_core.add_deployment(GROUP, &configuration).await;
    }
    scene.connect(TENANT).await;
    until_counted(&scene, unclaimed, orphans).await;
    scene.finish(0).await;
}

#[tokio::test]
async fn only_what_bears_the_name_of_this_cluster_and_namespace_is_an_orphan() {
    five_of_which_are_counted(Setting::of(OPERATOR), 4, 1).await;
}

#[tokio::test]
async fn what_does_not_tell_its_configurations_name_is_only_unclaimed() {
    let mut setting = Setting::of(OPERATOR);
    setting.ai_core.null_fields = true;
    five_of_which_are_counted(setting, 5, 0).await;
}

#[tokio::test]
async fn a_create_call_whose_answer_is_lost_and_a_new_start_make_no_orphan() {
    let mut scene = scene().await;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropAfter)
        .await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.operator.kill().await;
    scene.operator.start_again();
    scene.put(&deployment("second")).await;
    scene.until_ready("second", "Running").await;
    until_counted(&scene, 0, 0).await;
    scene.delete_and_wait("churn").await;
    scene.delete_and_wait("second").await;
    assert_eq!(tellings(&scene).await, Vec::<String>::new());
    scene.finish(2).await;
}
