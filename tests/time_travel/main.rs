//! Time travel: the cluster's etcd is restored from a backup, and what was asked for in between is forgotten, while AI Core remembers all of it.
//!
//! A person may rely on this: nothing is made a second time, nothing is stopped or deleted that nobody asked to stop or delete, in the wishes of
//! the backup or in the last ones, and what cannot be decided is Stalled with the candidates named. `rows` has one object for each case.

mod judge;
mod rows;
mod world;

use harness::control_plane::{Backup, Revisions};
use harness::scene::LIMIT;

use judge::Moment;
use rows::State;
use world::World;

/// Lives until the backup, makes it, and lives on.
async fn live() -> (World, Backup) {
    let mut world = World::begin().await;
    world.live_until_backup().await;
    let backup = world.scene.control_plane().back_up().await;
    let backup = backup.unwrap_or_else(|error| panic!("{}", error.with_causes()));
    world.live_on().await;
    (world, backup)
}

async fn set_back(world: &World, backup: &Backup, revisions: Revisions) {
    let set_back = world
        .scene
        .control_plane()
        .set_back(backup, revisions)
        .await;
    set_back.unwrap_or_else(|error| panic!("{}", error.with_causes()));
}

/// Everything has to be right with the wishes of the backup, and again when the last wishes are made a second time. Then a person answers.
async fn prove(world: &mut World, restored: Moment) {
    world.release_what_was_held_back().await;
    world.expect(restored, |case| &case.row.restored).await;
    let again = Moment::now(&world.scene).await;
    world.wish_again().await;
    world.expect(again, |case| &case.row.again).await;
    for case in &world.cases {
        if let State::Asks(deployment) = case.row.again.state {
            let id = case.id_of(deployment);
            case.choose(&world.scene, id).await;
            assert_eq!(world.scene.until_ready(case.row.name, "Running").await, id);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_while_the_operator_was_away_nothing_is_doubled_and_nothing_is_lost() {
    let (mut world, backup) = live().await;
    world.scene.operator.kill().await;
    let restored = Moment::now(&world.scene).await;
    set_back(&world, &backup, Revisions::SetBack).await;
    world.scene.operator.start_again();
    prove(&mut world, restored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_under_a_running_operator_it_starts_anew_and_nothing_is_doubled_and_nothing_is_lost()
 {
    let (mut world, backup) = live().await;
    let restored = Moment::now(&world.scene).await;
    set_back(&world, &backup, Revisions::SetBack).await;
    let end = world.scene.operator.ends_by_itself(LIMIT).await;
    assert!(!end.success(), "it ended with {end}");
    world.scene.operator.says("set back").await;
    world.scene.operator.start_again();
    prove(&mut world, restored).await;
}
