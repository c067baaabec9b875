//! Time travel: the cluster's etcd is restored from a backup, and what was asked for in between is forgotten, while AI Core remembers all of it.
//!
//! A person may rely on this: nothing is made a second time, nothing is stopped or deleted that nobody asked to stop or delete, in the wishes of
//! the backup or in the last ones, and what cannot be decided is Stalled with the candidates named. `rows` has one object for each case.

mod case;
mod judge;
mod rows;
mod verdict;
mod world;

use harness::control_plane::{Backup, Revisions};
use harness::scene::{CONNECTION, GROUP, LIMIT, Scene, Setting, secret};
use kube::api::ListParams;
use serde_json::json;

use judge::Moment;
use world::World;

/// An operator that the API server always serves.
fn setting() -> Setting<'static> {
    Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))
}

/// An operator under which the API server starts.
fn setting_of_a_survivor() -> Setting<'static> {
    Setting {
        may_lack_rights: true,
        ..setting()
    }
}

async fn back_up(scene: &Scene) -> Backup {
    let backup = scene.control_plane().back_up().await;
    backup.unwrap_or_else(|error| panic!("{}", error.with_causes()))
}

async fn set_back(scene: &Scene, backup: &Backup, revisions: Revisions) {
    let set_back = scene.control_plane().set_back(backup, revisions).await;
    set_back.unwrap_or_else(|error| panic!("{}", error.with_causes()));
}

/// The operator notices by itself that the store was set back, and ends, whereupon it is started again, as a kubelet does it.
async fn begin_anew(scene: &mut Scene) {
    let end = scene.operator.ends_by_itself(LIMIT).await;
    assert!(!end.success(), "it ended with {end}");
    scene.operator.says("set back").await;
    scene.operator.start_again();
}

/// Lives until the backup, makes it, and lives on.
async fn live(setting: Setting<'_>) -> (World, Backup) {
    let mut world = World::begin(setting).await;
    world.live_until_backup().await;
    let backup = back_up(&world.scene).await;
    world.live_on().await;
    (world, backup)
}

/// Everything has to be right with the wishes of the backup, and again when the last wishes are made a second time. Then a person answers.
async fn prove(world: &mut World, restored: Moment) {
    world.release_what_was_held_back().await;
    world.expect(restored, |case| case.row.restored).await;
    let again = Moment::now(&world.scene).await;
    world.wish_again().await;
    world.expect(again, |case| case.row.again).await;
    let answered = Moment::now(&world.scene).await;
    world.answer().await;
    world.expect(answered, |case| case.row.answered()).await;
    world.scene.assert_good_conduct().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_while_the_operator_was_away_nothing_is_doubled_and_nothing_is_lost() {
    let (mut world, backup) = live(setting()).await;
    world.scene.operator.kill().await;
    let restored = Moment::now(&world.scene).await;
    set_back(&world.scene, &backup, Revisions::SetBack).await;
    world.scene.operator.start_again();
    prove(&mut world, restored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_under_a_running_operator_it_starts_anew_and_nothing_is_doubled_and_nothing_is_lost()
 {
    let (mut world, backup) = live(setting_of_a_survivor()).await;
    let restored = Moment::now(&world.scene).await;
    set_back(&world.scene, &backup, Revisions::SetBack).await;
    begin_anew(&mut world.scene).await;
    prove(&mut world, restored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_with_later_revisions_under_a_running_operator_it_starts_anew_as_well() {
    let (mut world, backup) = live(setting_of_a_survivor()).await;
    let restored = Moment::now(&world.scene).await;
    set_back(&world.scene, &backup, Revisions::MovedOn).await;
    begin_anew(&mut world.scene).await;
    prove(&mut world, restored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_moment_ago_is_noticed_although_the_store_is_soon_further_than_it_was() {
    let mut scene = Scene::start_alone(setting_of_a_survivor()).await;
    let churn = json!({
        "apiVersion": "aicore.dev/v1alpha1",
        "kind": "Deployment",
        "metadata": {"name": "churn"},
        "spec": {
            "resourceGroup": GROUP,
            "connectionRef": {"name": CONNECTION},
            "configuration": {"scenarioId": "churn", "executableId": "churn-server"},
        },
    });
    scene.put(&churn).await;
    scene.until_ready("churn", "Running").await;
    let backup = back_up(&scene).await;
    scene.delete_and_wait("churn").await;
    let last = revision(&scene).await;
    set_back(&scene, &backup, Revisions::SetBack).await;
    // What a whole cluster writes in a moment.
    let mut now = revision(&scene).await;
    while now <= last {
        let noise = secret("noise", &json!({"revision": now.to_string()}));
        scene.put(&noise).await;
        now = revision(&scene).await;
    }
    begin_anew(&mut scene).await;
    scene.until_stalled("churn", "DeploymentMissing").await;
    scene.assert_good_conduct().await;
}

/// The revision of the store.
async fn revision(scene: &Scene) -> u64 {
    let list = scene.api("Deployment").list(&ListParams::default()).await;
    let version = list
        .expect("the API server answers")
        .metadata
        .resource_version;
    let version = version.and_then(|version| version.parse().ok());
    version.expect("etcd counts its revisions")
}
