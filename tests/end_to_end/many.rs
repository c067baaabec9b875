//! Deleting many objects at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use aicore_emulator::{BulkUpdates, Entry, Kind, Operation, Settings};
use harness::scene::{Scene, Setting};
use serde_json::Value;

use crate::manifests::{OPERATOR, deployment};

const OBJECTS: usize = 300;
/// What AI Core documents for one bulk request (`PATCH /lm/deployments`).
const MAXIMUM_ITEMS: usize = 100;
const STOPPING: Duration = Duration::from_secs(10);
const DELETING: Duration = Duration::from_secs(8);

#[tokio::test]
async fn three_hundred_deployments_are_stopped_and_deleted_in_few_requests() {
    let scene = Scene::start(Setting {
        ai_core: Settings {
            bulk_updates: BulkUpdates::Present,
            stopping_ms: STOPPING.as_millis() as u64,
            deleting_ms: DELETING.as_millis() as u64,
            ..Settings::fast()
        },
        ..Setting::of(OPERATOR)
    })
    .await;
    let names: Vec<String> = (0..OBJECTS)
        .map(|number| format!("churn-{number}"))
        .collect();
    for name in &names {
        let mut object = deployment(name);
        object["metadata"]["labels"]["team"] = Value::from("x");
        scene.put(&object).await;
    }
    for name in &names {
        scene.until_ready(name, "Running").await;
    }
    let last = scene
        .ai_core
        .audit()
        .await
        .last()
        .map_or(0, |entry| entry.seq);

    let begin = Instant::now();
    // It waits until all are gone.
    let outcome = scene
        .kubectl(&["delete", "aid", "-l", "team=x", "--timeout=180s"])
        .await;
    assert!(outcome.succeeded, "{}", outcome.errors);
    let makespan = begin.elapsed();

    let calls: Vec<Entry> = scene
        .ai_core
        .audit_after(last)
        .await
        .into_iter()
        .filter(|entry| entry.kind == Kind::Call)
        .collect();
    let ratio = makespan.as_secs_f64() / (STOPPING + DELETING).as_secs_f64();
    println!(
        "makespan {makespan:?}, {ratio:.2} times stopping and deleting; requests: {:?}",
        requests(&calls)
    );
    for operation in [Operation::StopDeployment, Operation::DeleteDeployment] {
        let batches = batches(&calls, operation);
        let items: usize = batches.values().map(Vec::len).sum();
        let ids: BTreeSet<&String> = batches.values().flatten().collect();
        assert_eq!(
            (items, ids.len()),
            (OBJECTS, OBJECTS),
            "each once: {operation:?}"
        );
        assert!(batches.values().all(|items| items.len() <= MAXIMUM_ITEMS));
        // kubectl deletes one object after the other, so how many come together depends on how fast that is.
        assert!(
            batches.len() * 3 <= OBJECTS,
            "{operation:?} took {} requests for {OBJECTS} deployments",
            batches.len()
        );
    }
    scene.finish(OBJECTS).await;
}

/// The deployments of each request.
fn batches(calls: &[Entry], operation: Operation) -> BTreeMap<String, Vec<String>> {
    let mut batches: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.operation == operation) {
        let id = call.deployment_id.clone().unwrap_or_default();
        batches.entry(request(call)).or_default().push(id);
    }
    batches
}

/// How many requests of each kind there were.
fn requests(calls: &[Entry]) -> BTreeMap<String, usize> {
    let mut seen = BTreeSet::new();
    let mut requests = BTreeMap::new();
    for call in calls {
        if seen.insert(request(call)) {
            let method = call.method.clone().unwrap_or_default();
            *requests
                .entry(format!("{method} {:?}", call.operation))
                .or_default() += 1;
        }
    }
    requests
}

fn request(call: &Entry) -> String {
    call.request_id
        .clone()
        .unwrap_or_else(|| call.seq.to_string())
}
