//! With nothing to do the operator asks for one list a poll and group, however many objects there are, and writes nothing.

use aicore_emulator::{Entry, Kind, Operation};
use harness::scene::{LIMIT, Scene};
use jiff::Timestamp;

use crate::manifests::{deployment_from, scene};

const OBJECTS: usize = 20;

/// How many polls are watched.
const POLLS: usize = 10;

/// The least time from one poll to the next on average, in milliseconds: 0.5 s, and a busy machine may hold back the first call of a row.
const INTERVAL: usize = 400;

#[tokio::test]
async fn twenty_idle_objects_cost_one_list_a_poll_and_no_write() {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration("team-a").await;
    let names: Vec<String> = (0..OBJECTS)
        .map(|number| format!("churn-{number}"))
        .collect();
    for name in &names {
        scene.put(&deployment_from(name, &configuration)).await;
    }
    for name in &names {
        scene.until_ready(name, "Running").await;
    }
    // The last object says Running a moment before the operator has told its events and has found that nothing moves any more.
    let calm = async { while is_hasty(&next_polls(&scene, 4).await) {} };
    if tokio::time::timeout(LIMIT, calm).await.is_err() {
        scene
            .despair("AI Core was awaited to be left in peace")
            .await;
    }
    let begin = Timestamp::now();
    let watched = next_polls(&scene, POLLS).await;

    let others: Vec<&Entry> = watched
        .iter()
        .filter(|entry| entry.operation != Operation::ListDeployments)
        .collect();
    assert!(others.is_empty(), "{others:#?}");
    if is_hasty(&watched) {
        scene
            .despair("there was more than one list in an interval")
            .await;
    }
    let end = Timestamp::now();
    let mut writes = scene.kubernetes_writes();
    writes.retain(|write| begin <= write.at && write.at <= end);
    assert_eq!(writes, []);

    for name in &names {
        scene.delete("Deployment", name).await;
    }
    for name in &names {
        scene.until_gone("Deployment", name).await;
    }
    scene.finish(OBJECTS).await;
}

/// Whether these calls followed each other faster than polls do.
fn is_hasty(calls: &[Entry]) -> bool {
    let [first, .., last] = calls else {
        return false;
    };
    let took = last.at.duration_since(first.at).unsigned_abs().as_millis();
    took < ((calls.len() - 1) * INTERVAL) as u128
}

/// The calls of the operator until so many more lists were asked for.
async fn next_polls(scene: &Scene, polls: usize) -> Vec<Entry> {
    let before = scene.ai_core.audit().await;
    let lists = before
        .iter()
        .filter(|entry| entry.operation == Operation::ListDeployments)
        .count();
    scene
        .ai_core
        .called(Operation::ListDeployments, lists + polls, LIMIT)
        .await;
    let after = scene.ai_core.audit().await.into_iter();
    after
        .skip(before.len())
        .filter(|entry| entry.kind == Kind::Call)
        .collect()
}
