//! A configuration of another scenario or executable, which AI Core does not give to an existing deployment: a successor is made, and one of the
//! two serves all the while unless the spec says otherwise.

use aicore_emulator::Effect;
use aicore_emulator::Operation::{
    self, ChangeConfiguration, CreateDeployment, DeleteDeployment, StopDeployment,
};
use harness::scene::{GROUP, LIMIT, Scene, condition, id_of};
use serde_json::{Value, json};

use crate::crashes::kill_between;
use crate::manifests::{adoption, configuration, deployment, deployment_from, scene, wish, with};

/// The name of the object, of which each test has one.
const CHURN: &str = "churn";

/// A deployment that cannot be given what `scene` asks for next.
const GPU: &str = "churn-server-gpu";

/// A scene with a deployment that runs, and its id.
async fn running() -> (Scene, String) {
    let scene = scene().await;
    scene.put(&deployment(CHURN)).await;
    let id = scene.until_ready(CHURN, "Running").await;
    (scene, id)
}

/// Asks for another executable, and for these fields of the spec besides.
async fn ask_for(scene: &Scene, executable: &str, fields: Value) {
    let mut spec = fields;
    spec["configuration"] = json!({"executableId": executable});
    scene
        .change("Deployment", CHURN, json!({"spec": spec}))
        .await;
}

/// Waits until a successor of `former` is recorded and PENDING, which is to last. Returns its id.
async fn until_successor_is_pending(scene: &Scene, former: &str) -> String {
    let object = scene
        .until("Deployment", CHURN, "its successor is PENDING", |object| {
            let recorded = &object["status"]["deployment"];
            recorded["state"] == "PENDING" && recorded["id"] != *former
        })
        .await;
    id_of(&object)
}

/// Waits until nothing retires any more, and the object says that it had `ids` before.
async fn until_previous_are(scene: &Scene, ids: &[&str]) {
    scene
        .until("Deployment", CHURN, "its predecessors are gone", |object| {
            let status = &object["status"];
            status["previousIds"] == json!(ids) && status["retiring"].is_null()
        })
        .await;
}

async fn assert_available(scene: &Scene) {
    let object = scene.get("Deployment", CHURN).await;
    assert_eq!(condition(&object, "Available")["status"], "True");
}

/// The former deployment was stopped only when its successor was RUNNING.
async fn assert_one_served_all_the_while(scene: &Scene, former: &str, successor: &str) {
    let audit = scene.ai_core.audit().await;
    let stop = audit
        .iter()
        .find(|entry| {
            entry.operation == StopDeployment
                && entry.accepted
                && entry.deployment_id.as_deref() == Some(former)
        })
        .expect("the former deployment was stopped");
    let state = audit
        .iter()
        .filter(|entry| entry.seq < stop.seq)
        .filter(|entry| entry.deployment_id.as_deref() == Some(successor))
        .filter_map(|entry| entry.after.as_ref())
        .next_back()
        .expect("its successor was there before");
    assert_eq!(state.status, "RUNNING", "{audit:#?}");
}

fn of<'a>(id: &'a str, operations: &'a [Operation]) -> impl Iterator<Item = Effected> + 'a {
    let id = Some(id.to_owned());
    operations
        .iter()
        .map(move |operation| (*operation, id.clone()))
}

type Effected = (Operation, Option<String>);

#[tokio::test]
async fn the_former_deployment_serves_until_its_successor_runs() {
    let (scene, former) = running().await;
    ask_for(&scene, GPU, json!({})).await;
    let successor = scene.until_ready(CHURN, "Running").await;
    assert_ne!(former, successor);
    until_previous_are(&scene, &[&former]).await;
    assert_one_served_all_the_while(&scene, &former, &successor).await;
    assert_available(&scene).await;
    let expected: Vec<_> = of(&former, &[CreateDeployment])
        .chain(of(&successor, &[CreateDeployment]))
        .chain(of(&former, &[StopDeployment, DeleteDeployment]))
        .collect();
    assert_eq!(scene.ai_core.effects().await, expected);
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn while_the_successor_starts_the_object_is_available_and_shows_where() {
    let (scene, former) = running().await;
    scene.ai_core.set(json!({"pendingMs": 600_000})).await;
    let before = scene.get("Deployment", CHURN).await;
    ask_for(&scene, GPU, json!({})).await;
    until_successor_is_pending(&scene, &former).await;
    assert_available(&scene).await;
    let object = scene.get("Deployment", CHURN).await;
    let retiring = &object["status"]["retiring"][0];
    assert_eq!(retiring["id"], former);
    assert_eq!(retiring["servesUntilReplaced"], true);
    assert_eq!(retiring["url"], before["status"]["deployment"]["url"]);
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn with_delete_first_there_is_never_more_than_one() {
    let (scene, former) = running().await;
    ask_for(&scene, GPU, json!({"update": {"replace": "DeleteFirst"}})).await;
    let successor = scene.until_ready(CHURN, "Running").await;
    let expected: Vec<_> = of(
        &former,
        &[CreateDeployment, StopDeployment, DeleteDeployment],
    )
    .chain(of(&successor, &[CreateDeployment]))
    .collect();
    assert_eq!(scene.ai_core.effects().await, expected);
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn an_existing_configuration_of_another_executable_replaces_an_inline_one() {
    let (scene, former) = running().await;
    let other = scene.ai_core.add_configuration_of(GROUP, GPU).await;
    let existing = json!({"spec": {"configuration": null, "configurationId": other}});
    scene.change("Deployment", CHURN, existing).await;
    let successor = scene.until_ready(CHURN, "Running").await;
    until_previous_are(&scene, &[&former]).await;
    assert_one_served_all_the_while(&scene, &former, &successor).await;
    let object = scene.get("Deployment", CHURN).await;
    assert_eq!(object["status"]["deployment"]["configurationId"], other);
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn an_existing_configuration_of_the_same_executable_keeps_id_and_url() {
    let (scene, id) = running().await;
    let before = scene.get("Deployment", CHURN).await;
    let same = scene.ai_core.add_configuration(GROUP).await;
    let existing = json!({"spec": {"configuration": null, "configurationId": same}});
    scene.change("Deployment", CHURN, existing).await;
    assert_eq!(scene.until_ready(CHURN, "Running").await, id);
    let after = scene.get("Deployment", CHURN).await;
    let url = |object: &Value| object["status"]["deployment"]["url"].clone();
    assert_eq!(url(&before), url(&after));
    scene.delete_and_wait(CHURN).await;
    scene.finish(1).await;
}

/// The operator is killed between the effect and the answer of a call that a replacement makes.
async fn killed_during(operation: Operation) {
    let (mut scene, former) = running().await;
    kill_between(&mut scene, operation, async |scene| {
        ask_for(scene, GPU, json!({})).await;
    })
    .await;
    scene.operator.start_again();
    let successor = scene.until_ready(CHURN, "Running").await;
    until_previous_are(&scene, &[&former]).await;
    assert_one_served_all_the_while(&scene, &former, &successor).await;
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn killed_while_it_creates_the_successor_it_finds_that_one() {
    killed_during(CreateDeployment).await;
}

#[tokio::test]
async fn killed_while_it_stops_the_former_it_goes_on() {
    killed_during(StopDeployment).await;
}

#[tokio::test]
async fn killed_while_it_deletes_the_former_it_goes_on() {
    killed_during(DeleteDeployment).await;
}

#[tokio::test]
async fn killed_while_the_successor_starts_it_goes_on() {
    let (mut scene, former) = running().await;
    scene.ai_core.set(json!({"pendingMs": 600_000})).await;
    ask_for(&scene, GPU, json!({})).await;
    let successor = until_successor_is_pending(&scene, &former).await;
    scene.operator.kill().await;
    scene.operator.start_again();
    scene.ai_core.set(json!({"pendingMs": 0})).await;
    assert_eq!(scene.until_ready(CHURN, "Running").await, successor);
    until_previous_are(&scene, &[&former]).await;
    assert_one_served_all_the_while(&scene, &former, &successor).await;
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn a_create_call_that_is_lost_before_its_effect_costs_neither_the_former_nor_the_successor() {
    let (scene, former) = running().await;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), Effect::DropBefore)
        .await;
    ask_for(&scene, GPU, json!({})).await;
    let successor = scene.until_ready(CHURN, "Running").await;
    until_previous_are(&scene, &[&former]).await;
    assert_one_served_all_the_while(&scene, &former, &successor).await;
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn without_room_for_both_it_says_so_and_serves_on_until_delete_first_is_chosen() {
    let (scene, former) = running().await;
    scene.ai_core.set(json!({"maxDeployments": 1})).await;
    ask_for(&scene, GPU, json!({})).await;
    let object = scene
        .until_reason("Deployment", CHURN, "QuotaExceeded")
        .await;
    let message = condition(&object, "Ready")["message"].to_string();
    assert!(message.contains("DeleteFirst"), "{message}");
    assert_available(&scene).await;
    assert_eq!(
        scene.ai_core.status_of(&former).await.as_deref(),
        Some("RUNNING")
    );
    let delete_first = json!({"spec": {"update": {"replace": "DeleteFirst"}}});
    scene.change("Deployment", CHURN, delete_first).await;
    assert_ne!(scene.until_ready(CHURN, "Running").await, former);
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn edited_back_before_the_successor_runs_the_former_is_kept_and_the_successor_goes() {
    let (scene, former) = running().await;
    scene.ai_core.set(json!({"pendingMs": 600_000})).await;
    ask_for(&scene, GPU, json!({})).await;
    let successor = until_successor_is_pending(&scene, &former).await;
    ask_for(&scene, "churn-server", json!({})).await;
    assert_eq!(scene.until_ready(CHURN, "Running").await, former);
    until_previous_are(&scene, &[&successor]).await;
    assert_eq!(
        scene.ai_core.status_of(&former).await.as_deref(),
        Some("RUNNING")
    );
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn a_successor_that_dies_leaves_the_former_serving_until_it_is_mended() {
    let (scene, former) = running().await;
    let dead = json!({"executableId": GPU, "parameters": {"emulator.outcome": "DEAD"}});
    let spec = json!({"spec": {"configuration": dead}});
    scene.change("Deployment", CHURN, spec).await;
    let message = scene.until_stalled(CHURN, "DeploymentDead").await;
    assert!(
        message.contains(&format!("{former} serves on")),
        "{message}"
    );
    assert_available(&scene).await;
    assert_eq!(
        scene.ai_core.status_of(&former).await.as_deref(),
        Some("RUNNING")
    );
    let successor = id_of(&scene.get("Deployment", CHURN).await);
    let better = json!({"parameters": {"emulator.outcome": "RUNNING"}});
    let spec = json!({"spec": {"configuration": better}});
    scene.change("Deployment", CHURN, spec).await;
    assert_eq!(scene.until_ready(CHURN, "Running").await, successor);
    until_previous_are(&scene, &[&former]).await;
    assert_one_served_all_the_while(&scene, &former, &successor).await;
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

/// Another wish in the middle of a replacement ends both deployments.
async fn wished_in_the_middle(desired_state: &str) {
    let (scene, former) = running().await;
    scene.ai_core.set(json!({"pendingMs": 600_000})).await;
    ask_for(&scene, GPU, json!({})).await;
    let successor = until_successor_is_pending(&scene, &former).await;
    wish(&scene, CHURN, desired_state).await;
    scene.until_ready(CHURN, desired_state).await;
    assert_eq!(scene.ai_core.status_of(&former).await, None);
    assert_ne!(
        scene.ai_core.status_of(&successor).await.as_deref(),
        Some("PENDING")
    );
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn stopped_in_the_middle_nothing_runs() {
    wished_in_the_middle("Stopped").await;
}

#[tokio::test]
async fn deleted_by_wish_in_the_middle_nothing_is_left() {
    wished_in_the_middle("Deleted").await;
}

#[tokio::test]
async fn an_object_that_is_deleted_in_the_middle_leaves_nothing() {
    let (scene, former) = running().await;
    scene.ai_core.set(json!({"pendingMs": 600_000})).await;
    ask_for(&scene, GPU, json!({})).await;
    until_successor_is_pending(&scene, &former).await;
    scene.delete_and_wait(CHURN).await;
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(2).await;
}

#[tokio::test]
async fn what_is_protected_is_not_replaced() {
    let (scene, former) = running().await;
    let spec = json!({
        "metadata": {"annotations": {"aicore.dev/protected": "true"}},
        "spec": {"configuration": {"executableId": GPU}},
    });
    scene.change("Deployment", CHURN, spec).await;
    scene.until_stalled(CHURN, "Protected").await;
    scene.ai_core.listed_again(5, LIMIT).await;
    let made: Vec<_> = of(&former, &[CreateDeployment]).collect();
    assert_eq!(scene.ai_core.effects().await, made);
    let unprotected = json!({"metadata": {"annotations": {"aicore.dev/protected": null}}});
    scene.change("Deployment", CHURN, unprotected).await;
    assert_ne!(scene.until_ready(CHURN, "Running").await, former);
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn what_was_adopted_with_the_policy_orphan_is_not_replaced() {
    let scene = scene().await;
    let existing = scene.ai_core.add_configuration(GROUP).await;
    let id = scene.ai_core.add_deployment(GROUP, &existing).await;
    scene.put(&adoption(CHURN, &id, "Orphan")).await;
    scene.until_ready(CHURN, "Running").await;
    let other = configuration(&json!({"imageTag": "1"}));
    let spec = json!({"spec": {"configuration": other}});
    scene.change("Deployment", CHURN, spec).await;
    scene.until_ready(CHURN, "Running").await;
    ask_for(&scene, GPU, json!({})).await;
    let message = scene.until_stalled(CHURN, "ReplacementForbidden").await;
    assert!(message.contains(&id), "{message}");
    assert_available(&scene).await;
    assert_eq!(
        scene.ai_core.effects().await,
        of(&id, &[ChangeConfiguration]).collect::<Vec<_>>()
    );

    let delete = json!({"spec": {"deletionPolicy": "Delete"}});
    scene.change("Deployment", CHURN, delete).await;

    assert_ne!(scene.until_ready(CHURN, "Running").await, id);
    until_previous_are(&scene, &[&id]).await;
    scene.delete_and_wait(CHURN).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn what_is_dead_is_deleted_before_its_successor_is_created() {
    let scene = scene().await;
    let dead = configuration(&json!({"emulator.outcome": "DEAD"}));
    scene
        .put(&with(CHURN, json!({"configuration": dead})))
        .await;
    scene.until_stalled(CHURN, "DeploymentDead").await;
    let former = id_of(&scene.get("Deployment", CHURN).await);
    let better = json!({"executableId": GPU, "parameters": {"emulator.outcome": "RUNNING"}});
    let spec = json!({"spec": {"configuration": better}});
    scene.change("Deployment", CHURN, spec).await;
    let successor = scene.until_ready(CHURN, "Running").await;
    let expected: Vec<_> = of(&former, &[CreateDeployment, DeleteDeployment])
        .chain(of(&successor, &[CreateDeployment]))
        .collect();
    assert_eq!(scene.ai_core.effects().await, expected);
    scene.delete_and_wait(CHURN).await;
    scene.finish(2).await;
}

#[tokio::test]
async fn two_objects_from_one_configuration_are_replaced_each_by_its_own() {
    let scene = scene().await;
    let first = scene.ai_core.add_configuration(GROUP).await;
    let second = scene.ai_core.add_configuration_of(GROUP, GPU).await;
    let names = ["churn-1", "churn-2"];
    for name in names {
        scene.put(&deployment_from(name, &first)).await;
    }
    let mut former = Vec::new();
    for name in names {
        former.push(scene.until_ready(name, "Running").await);
    }
    for name in names {
        let other = json!({"spec": {"configurationId": second}});
        scene.change("Deployment", name, other).await;
    }
    let mut successors = Vec::new();
    for name in names {
        successors.push(scene.until_ready(name, "Running").await);
    }
    assert_ne!(successors[0], successors[1]);
    assert!(successors.iter().all(|id| !former.contains(id)));
    for name in names {
        scene.delete_and_wait(name).await;
    }
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(4).await;
}
