//! Each difference is found, and what is as the rows say is none.

use std::collections::BTreeMap;

use aicore_emulator::{Entry, Operation};
use harness::control_plane::AuditEntry;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{difference, unexpected_calls, unexpected_writes};
use crate::case::Case;
use crate::rows::{Deployment, ROWS, Row, State, Then};

/// The object of a row, which had `d1` at the backup and `d2` at the end, and got `d3`.
fn case(name: &str) -> Case {
    let row: &Row = ROWS
        .iter()
        .find(|row| row.name == name)
        .expect("there is such a row");
    let mut case = Case::new(row);
    case.first = "d1".to_owned();
    case.last = "d2".to_owned();
    case.new = "d3".to_owned();
    case
}

fn restored(case: &Case) -> Then {
    case.row.restored
}

fn calls(calls: &[(Operation, &str)]) -> Vec<Entry> {
    let entry = |(operation, id): &(Operation, &str)| {
        let entry = json!({
            "seq": 1,
            "at": Timestamp::UNIX_EPOCH,
            "kind": "call",
            "operation": operation,
            "deploymentId": id,
            "bulk": false,
            "accepted": true,
        });
        serde_json::from_value(entry).expect("it is an entry")
    };
    calls.iter().map(entry).collect()
}

fn findings_about(name: &str, made: &[(Operation, &str)]) -> usize {
    unexpected_calls(&[case(name)], restored, &calls(made)).len()
}

/// A write of the operator that leaves an object of this name as it is here.
fn write(name: &str, object: Value) -> AuditEntry {
    AuditEntry {
        at: Timestamp::UNIX_EPOCH,
        answered: Timestamp::UNIX_EPOCH,
        user: String::new(),
        user_agent: String::new(),
        verb: "update".to_owned(),
        group: "aicore.dev".to_owned(),
        resource: "deployments".to_owned(),
        subresource: "status".to_owned(),
        namespace: "scene".to_owned(),
        name: name.to_owned(),
        uri: String::new(),
        code: 200,
        allowed: true,
        answer: Some(object),
    }
}

fn object(id: &str, kind: &str, reason: &str, message: &str) -> Value {
    let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "reason": reason, "message": message});
    let mut conditions = vec![condition(kind, "True")];
    if kind != "Ready" {
        conditions.push(condition("Ready", "False"));
    }
    json!({
        "metadata": {"generation": 1, "finalizers": ["aicore.dev/deployment"]},
        "status": {"observedGeneration": 1, "deployment": {"id": id}, "conditions": conditions},
    })
}

#[test]
fn the_expected_calls_are_no_finding_and_all_others_are() {
    use Operation::{CreateDeployment, DeleteDeployment, StopDeployment};
    let asked_for = [(StopDeployment, "d2"), (DeleteDeployment, "d2")];
    assert_eq!(findings_about("removed-started", &asked_for), 0);
    assert_eq!(findings_about("recreated", &[(CreateDeployment, "d3")]), 0);
    assert_eq!(findings_about("kept", &[]), 0);

    assert_eq!(findings_about("recreated", &[]), 1, "a call is missing");
    let reversed = [(DeleteDeployment, "d2"), (StopDeployment, "d2")];
    assert_eq!(findings_about("removed-started", &reversed), 1);
    let twice = [(CreateDeployment, "d3"), (CreateDeployment, "d4")];
    assert_eq!(findings_about("recreated", &twice), 1);
    assert_eq!(findings_about("kept", &[(StopDeployment, "d1")]), 1);
    assert_eq!(findings_about("kept", &[(DeleteDeployment, "stranger")]), 1);
}

#[test]
fn a_create_call_that_the_rows_do_not_know_is_found_where_it_was_announced() {
    let writes = [write(
        "create-cut",
        json!({"metadata": {"finalizers": ["aicore.dev/deployment"]}, "status": {"createSerial": 1}}),
    )];
    let announced = |before| {
        let before = BTreeMap::from([("create-cut".to_owned(), before)]);
        unexpected_writes(&[case("create-cut")], restored, &before, &writes).len()
    };
    assert_eq!(announced(1), 0, "it was announced before the backup");
    assert_eq!(announced(0), 1);
    assert_eq!(
        unexpected_writes(&[case("recreated")], restored, &BTreeMap::new(), &[]).len(),
        1,
        "one that was to be announced was not"
    );
}

#[test]
fn an_object_that_is_let_go_is_found_unless_it_is_to_go() {
    let let_go = |name: &str| {
        let writes = [write(name, json!({"metadata": {"finalizers": []}}))];
        unexpected_writes(&[case(name)], restored, &BTreeMap::new(), &writes).len()
    };
    assert_eq!(let_go("terminating"), 0);
    assert_eq!(let_go("kept"), 1);
}

#[test]
fn an_object_differs_in_its_reason_its_deployment_its_generation_and_by_being_gone() {
    let runs = State::Ready("Running", Deployment::First);
    let differs =
        |state, object: Option<&Value>| difference(&case("kept"), state, object).is_some();
    let good = object("d1", "Ready", "Running", "");
    assert!(!differs(runs, Some(&good)));
    assert!(differs(runs, Some(&object("d2", "Ready", "Running", ""))));
    assert!(differs(runs, Some(&object("d1", "Ready", "Stopped", ""))));
    assert!(differs(runs, Some(&object("d1", "Stalled", "Running", ""))));
    let mut old = good.clone();
    old["metadata"]["generation"] = json!(2);
    assert!(differs(runs, Some(&old)));
    let mut terminating = good.clone();
    terminating["metadata"]["deletionTimestamp"] = json!(Timestamp::UNIX_EPOCH);
    assert!(differs(runs, Some(&terminating)));
    assert!(differs(runs, None) && differs(State::Held, Some(&good)));
    assert!(!differs(State::Gone, None) && differs(State::Gone, Some(&good)));
}

#[test]
fn an_object_that_is_to_ask_has_to_name_the_deployment() {
    let asks = State::Asks(Deployment::Last);
    let differs = |message: &str| {
        let object = object("", "Stalled", "Ambiguous", message);
        difference(&case("kept"), asks, Some(&object)).is_some()
    };
    assert!(!differs("each of d2, d9 may be this object's"));
    assert!(differs("each of d8, d9 may be this object's"));
}
