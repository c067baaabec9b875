//! The story that the emulator's audit log tells.

use std::collections::BTreeMap;

use aicore_emulator::{Entry, Kind, Operation};
use jiff::Timestamp;

use crate::error::DemoError;

/// What the operator called, in order.
pub struct Calls {
    /// The calls that change something, and the ones that prove an absence.
    telling: Vec<Entry>,
    /// How often anything else was called.
    others: BTreeMap<Operation, usize>,
}

impl Calls {
    /// Sorts the calls of an audit log into those that tell the story and the rest.
    pub fn new(audit: Vec<Entry>) -> Self {
        let calls = audit.into_iter().filter(|entry| entry.kind == Kind::Call);
        let (telling, rest): (Vec<_>, Vec<_>) = calls.partition(is_telling);
        let mut others = BTreeMap::new();
        for entry in rest {
            *others.entry(entry.operation).or_default() += 1;
        }
        Self { telling, others }
    }

    /// Prints the calls, and how long after `deleted_at` the stop came.
    pub fn show(&self, deleted_at: Timestamp) {
        for entry in &self.telling {
            println!("{}", line(entry));
        }
        let others: Vec<String> = self
            .others
            .iter()
            .map(|(operation, count)| format!("{count} {}", name(*operation)))
            .collect();
        println!("Besides these only reads: {}.", others.join(", "));
        let stop = self
            .telling
            .iter()
            .find(|entry| entry.operation == Operation::StopDeployment);
        if let Some(stop) = stop {
            let seconds = stop.at.duration_since(deleted_at).as_secs_f64();
            println!("The stop came {seconds:.2} s after `kubectl delete` was typed.");
        }
    }

    /// Fails unless the calls are those of one deployment that was created, stopped, deleted and found gone, each with
    /// success and once. Returns its id.
    pub fn expect_one_life(&self) -> Result<String, DemoError> {
        let found: Vec<(Operation, Option<u16>)> = self
            .telling
            .iter()
            .map(|entry| (entry.operation, entry.http_status))
            .collect();
        let id = self
            .telling
            .last()
            .and_then(|entry| entry.deployment_id.clone());
        let one_deployment = self
            .telling
            .iter()
            .skip(1)
            .all(|entry| entry.deployment_id == id);
        match (found.as_slice(), id) {
            (
                [
                    (Operation::CreateConfiguration, Some(201)),
                    (Operation::CreateDeployment, Some(202)),
                    (Operation::StopDeployment, Some(202)),
                    (Operation::DeleteDeployment, Some(202)),
                    (Operation::GetDeployment, Some(404)),
                ],
                Some(id),
            ) if one_deployment => Ok(id),
            _ => Err(DemoError::Unexpected {
                expected: "one deployment and these calls: configuration (201), creation, stop and deletion (202), and a look that is answered with 404".to_owned(),
                found: self.telling.iter().map(line).collect::<Vec<_>>().join("\n"),
            }),
        }
    }
}

fn is_telling(entry: &Entry) -> bool {
    match entry.operation {
        Operation::CreateConfiguration
        | Operation::CreateDeployment
        | Operation::StopDeployment
        | Operation::ChangeConfiguration
        | Operation::DeleteDeployment => true,
        Operation::GetDeployment => entry.http_status == Some(404),
        _ => false,
    }
}

fn line(entry: &Entry) -> String {
    let wish = match (entry.operation, entry.bulk) {
        (Operation::StopDeployment, _) => " STOPPED",
        (Operation::DeleteDeployment, true) => " DELETED",
        _ => "",
    };
    let call = format!(
        "{:6} {}{wish}",
        entry.method.as_deref().unwrap_or_default(),
        entry.path.as_deref().unwrap_or_default()
    );
    let status = entry
        .http_status
        .map_or("no answer".to_owned(), |status| status.to_string());
    let state = entry
        .before
        .as_ref()
        .map(|state| format!("   (was {})", state.status))
        .unwrap_or_default();
    format!("  {call:60} {status}{state}")
}

/// The name of an operation as the audit log writes it.
fn name(operation: Operation) -> String {
    serde_json::to_value(operation)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(operation: &str, method: &str, status: u16) -> Entry {
        serde_json::from_value(json!({
            "seq": 1, "at": "2026-01-01T00:00:00Z", "kind": "call", "bulk": false, "accepted": status < 400,
            "operation": operation, "method": method, "httpStatus": status, "path": "/v2/lm/deployments",
            "deploymentId": if operation == "createConfiguration" { None } else { Some("d1") },
        }))
        .expect("this is an entry of the audit log")
    }

    fn life() -> Vec<Entry> {
        vec![
            call("createConfiguration", "POST", 201),
            call("listDeployments", "GET", 200),
            call("createDeployment", "POST", 202),
            call("stopDeployment", "PATCH", 202),
            call("deleteDeployment", "DELETE", 202),
            call("getDeployment", "GET", 404),
        ]
    }

    #[test]
    fn one_whole_life_is_accepted() {
        let id = Calls::new(life()).expect_one_life();
        assert_eq!(id.ok().as_deref(), Some("d1"));
    }

    #[test]
    fn a_deletion_before_the_stop_is_not_accepted() {
        let mut calls = life();
        calls.swap(3, 4);
        assert!(Calls::new(calls).expect_one_life().is_err());
    }

    #[test]
    fn a_life_without_proof_of_its_end_is_not_accepted() {
        let mut calls = life();
        calls.pop();
        assert!(Calls::new(calls).expect_one_life().is_err());
    }

    #[test]
    fn a_second_deployment_is_not_accepted() {
        let mut calls = life();
        calls.insert(3, call("createDeployment", "POST", 202));
        assert!(Calls::new(calls).expect_one_life().is_err());
    }
}
