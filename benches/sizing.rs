//! Measures what docs/sizing.md tells of the operator, and prints it as a table: memory with 0, 100 and 300 running deployments, and the requests
//! that end 300 of them.
//!
//! `make sizing`, which is `cargo bench --bench sizing` with the control plane: the operator is the release build. It needs Linux.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use aicore_emulator::{BulkUpdates, Entry, Kind, Settings};
use harness::manifests::deployment;
use harness::scene::{Scene, Setting};
use serde_json::json;

/// So many objects are measured, one number after the other.
const OBJECTS: [usize; 3] = [0, 100, 300];

/// What has been needed only on the way is given back by then.
const REST: Duration = Duration::from_secs(10);

/// How long AI Core takes to stop a deployment, and to delete it.
const ENDING: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(8)];

/// How long a busy machine may take for that.
const PATIENCE: &str = "--timeout=10m";

#[tokio::main]
async fn main() {
    println!("| what | figure |\n|---|---|");
    for objects in OBJECTS {
        measure(objects).await;
    }
}

fn tell(what: &str, figure: &str) {
    println!("| {what} | {figure} |");
}

async fn measure(objects: usize) {
    let scene = Scene::start(Setting {
        ai_core: Settings {
            bulk_updates: BulkUpdates::Present,
            stopping_ms: ENDING[0].as_millis() as u64,
            deleting_ms: ENDING[1].as_millis() as u64,
            ..Settings::fast()
        },
        ..Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))
    })
    .await;
    let names: Vec<String> = (0..objects)
        .map(|number| format!("churn-{number}"))
        .collect();
    for name in &names {
        let mut object = deployment(name);
        object["metadata"]["labels"] = json!({"team": "x"});
        scene.put(&object).await;
    }
    for name in &names {
        scene.until_ready(name, "Running").await;
    }
    tokio::time::sleep(REST).await;
    let (present, peak) = scene.operator.memory();
    let figure = |kilobytes: u64| format!("{:.0} MB", kilobytes as f64 * 1024.0 / 1e6);
    tell(
        &format!("memory, {objects} running deployments"),
        &format!("{}, {} at the peak", figure(present), figure(peak)),
    );
    if objects > 0 {
        end(&scene, objects).await;
    }
    scene.finish(objects).await;
}

/// Has all objects deleted with one command, and counts what that took.
async fn end(scene: &Scene, objects: usize) {
    let before = scene.ai_core.audit().await;
    let last = before.last().map_or(0, |entry| entry.seq);
    let begin = Instant::now();
    let deleted = scene
        .kubectl(&["delete", "aid", "-l", "team=x", "--wait=false"])
        .await;
    assert!(deleted.succeeded, "{}", deleted.errors);
    let gone = scene
        .kubectl(&["wait", "aid", "-l", "team=x", "--for=delete", PATIENCE])
        .await;
    assert!(gone.succeeded, "{}", gone.errors);
    let took = begin.elapsed();
    let calls = scene.ai_core.audit_after(last).await;
    let mut requests: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.kind == Kind::Call) {
        let kind = format!("{:?}", call.operation);
        requests.entry(kind).or_default().insert(request(call));
    }
    let counts = requests
        .iter()
        .map(|(kind, ids)| format!("{} {kind}", ids.len()));
    tell(
        &format!("requests to end {objects} deployments"),
        &counts.collect::<Vec<_>>().join(", "),
    );
    let least: Duration = ENDING.iter().sum();
    tell(
        &format!("time to end {objects} deployments"),
        &format!("{took:.1?}, of which AI Core's {least:?}"),
    );
}

/// The request that a line of the audit log belongs to: one for many has a line for each deployment.
fn request(call: &Entry) -> String {
    let id = call.request_id.clone();
    id.unwrap_or_else(|| call.seq.to_string())
}
