//! The log as a collector reads it: each line is an object that tells what it is about, and each call to AI Core can be found again.

use std::collections::{BTreeMap, BTreeSet};

use aicore_emulator::{BulkUpdates, Settings};
use harness::manifests::deployment;
use harness::scene::{Scene, Setting};
use kube::api::{DeleteParams, ListParams};
use serde::Deserialize;

/// So many that some of them come together, however long each of them takes.
const MANY: usize = 12;

/// A line. Where a key is there twice it is not read.
#[derive(Debug, Deserialize)]
struct Line {
    timestamp: String,
    level: String,
    target: String,
    message: String,
    span: Option<Span>,
    request_id: Option<String>,
    id: Option<String>,
    ids: Option<String>,
    method: Option<String>,
    path: Option<String>,
    status: Option<u16>,
    error: Option<String>,
}

/// What a line is about.
#[derive(Debug, Deserialize)]
struct Span {
    name: String,
    kind: Option<String>,
    namespace: Option<String>,
    object: Option<String>,
    uid: Option<String>,
}

fn lines(log: &str) -> Vec<Line> {
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[tokio::test]
async fn every_line_of_a_life_is_json_that_names_its_object_and_every_call_has_an_id() {
    let scene = Scene::start(Setting {
        arguments: &["--log-format", "json"],
        ..Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))
    })
    .await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    let object = scene.get("Deployment", "churn").await;
    let uid = object["metadata"]["uid"].as_str().expect("it has a uid");
    scene.delete_and_wait("churn").await;

    let log = scene.operator.log();
    let lines = lines(&log);
    for line in &lines {
        let texts = [&line.timestamp, &line.level, &line.target, &line.message];
        assert!(texts.iter().all(|text| !text.is_empty()), "{line:?}");
    }
    let calls: Vec<&Line> = lines
        .iter()
        .filter(|line| line.message == "called AI Core")
        .collect();
    let ids: BTreeSet<&str> = calls
        .iter()
        .filter_map(|call| call.request_id.as_deref())
        .collect();
    assert_eq!(ids.len(), calls.len(), "an id is missing or there twice");
    for call in &calls {
        let answered = call.status.is_some() || call.error.is_some();
        assert!(call.path.is_some() && answered, "{call:?}");
        let changes = call.method.as_deref() != Some("GET");
        assert_eq!(call.level == "INFO", changes, "{call:?}");
    }
    for method in ["GET", "POST", "PATCH", "DELETE"] {
        let made = calls
            .iter()
            .any(|call| call.method.as_deref() == Some(method));
        assert!(made, "no {method} is in the log:\n{log}");
    }
    let steps: Vec<&Span> = lines
        .iter()
        .filter(|line| line.message == "done")
        .filter_map(|line| line.span.as_ref())
        .collect();
    assert!(steps.len() >= 4, "too few steps are in the log:\n{log}");
    for step in steps {
        let about = [&step.kind, &step.namespace, &step.object, &step.uid].map(|it| it.as_deref());
        let expected = [
            Some("Deployment"),
            Some(&*scene.namespace),
            Some("churn"),
            Some(uid),
        ];
        assert_eq!(about, expected, "{step:?}");
        assert_eq!(step.name, "reconcile");
    }
    scene.finish(1).await;
}

#[tokio::test]
async fn a_request_for_many_names_them_all_and_each_object_leads_to_it() {
    let mut scene = Scene::start(Setting {
        arguments: &["--log-format", "json"],
        ai_core: Settings {
            bulk_updates: BulkUpdates::Present,
            ..Settings::fast()
        },
        ..Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))
    })
    .await;
    let names: Vec<String> = (0..MANY).map(|number| format!("churn-{number}")).collect();
    for name in &names {
        scene.put(&deployment(name)).await;
    }
    let mut owners = BTreeMap::new();
    for name in &names {
        owners.insert(scene.until_ready(name, "Running").await, name.as_str());
    }
    // It meets all deletions at once.
    scene.operator.kill().await;
    let deployments = scene.api("Deployment");
    let deleted = deployments
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await;
    deleted.expect("an administrator may delete them");
    scene.operator.start_again();
    for name in &names {
        scene.until_gone("Deployment", name).await;
    }

    let log = scene.operator.log();
    let lines = lines(&log);
    let requests: Vec<&Line> = lines
        .iter()
        .filter(|line| line.path.as_deref() == Some("lm/deployments") && line.ids.is_some())
        .collect();
    assert!(!requests.is_empty(), "no request was for many:\n{log}");
    for request in requests {
        assert_eq!(request.method.as_deref(), Some("PATCH"), "{request:?}");
        let ids: BTreeSet<&str> = request.ids.iter().flat_map(|ids| ids.split(',')).collect();
        assert!(ids.len() > 1, "one needs no request for many: {request:?}");
        for id in ids {
            let owner = owners.get(id).copied();
            assert!(owner.is_some(), "{id} is nobody's: {request:?}");
            let leads = lines.iter().any(|line| {
                let span = line.span.as_ref();
                let object = span.and_then(|span| span.object.as_deref());
                line.message == "was part of a bulk request"
                    && line.request_id == request.request_id
                    && line.id.as_deref() == Some(id)
                    && object == owner
            });
            assert!(leads, "{owner:?} does not lead to {request:?}:\n{log}");
        }
    }
    scene.finish(MANY).await;
}
