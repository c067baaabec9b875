//! What differs from the rows. Pure, and knows nothing of the operator's code.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use aicore_emulator::{Entry, Kind, Operation};
use harness::control_plane::AuditEntry;
use harness::scene::{condition, id_of};
use serde_json::Value;

use crate::case::{Case, is_held};
use crate::rows::{Deployment, State, Then};

/// The finalizer that the operator takes off when it lets an object go.
const FINALIZER: &str = "aicore.dev/deployment";

/// In what an object differs from what it is to be; absent when it does not.
pub fn difference(case: &Case, expected: State, object: Option<&Value>) -> Option<String> {
    let name = case.row.name;
    let Some(object) = object else {
        return (expected != State::Gone)
            .then(|| format!("{name} is to be {expected:?}, but is gone"));
    };
    let ready = condition(object, "Ready");
    let stalled = condition(object, "Stalled");
    let id = id_of(object);
    let looked_at = object["status"]["observedGeneration"] == object["metadata"]["generation"];
    let lives = object["metadata"]["deletionTimestamp"].is_null();
    let settled = looked_at && lives;
    let as_expected = match expected {
        State::Gone => false,
        State::Held => is_held(object),
        State::Ready(reason, deployment) => {
            settled
                && ready["status"] == "True"
                && ready["reason"] == reason
                && case.is(deployment, &id)
        }
        State::Stalled(reason, deployment) => {
            settled && stalled["reason"] == reason && case.is(deployment, &id)
        }
        State::Asks(deployment) => {
            let named = case.id_of(deployment);
            let message = stalled["message"].as_str().unwrap_or_default();
            settled && stalled["reason"] == "Ambiguous" && message.contains(named)
        }
    };
    (!as_expected).then(|| {
        format!(
            "{name} (had {:?}) is to be {expected:?}, but is {}{} ({}) with deployment {id:?}",
            case.had().collect::<Vec<_>>(),
            if lives { "" } else { "terminating, " },
            ready["reason"],
            ready["message"],
        )
    })
}

/// Whether it is a call of the operator that changes something, or would have if it had been accepted.
pub fn writes_to_ai_core(entry: &Entry) -> bool {
    let writes = [
        Operation::CreateConfiguration,
        Operation::CreateDeployment,
        Operation::StopDeployment,
        Operation::ChangeConfiguration,
        Operation::DeleteDeployment,
    ];
    entry.kind == Kind::Call && writes.contains(&entry.operation)
}

/// The calls that write to AI Core, where they are not those that the rows expect.
pub fn unexpected_calls(
    cases: &[Case],
    then: impl Fn(&Case) -> Then,
    audit: &[Entry],
) -> Vec<String> {
    let mut calls: BTreeMap<&str, Vec<Operation>> = BTreeMap::new();
    for entry in audit.iter().filter(|entry| writes_to_ai_core(entry)) {
        let about = entry.deployment_id.as_deref().unwrap_or_default();
        calls.entry(about).or_default().push(entry.operation);
    }
    let mut findings = Vec::new();
    for case in cases {
        let mut expected: BTreeMap<&str, Vec<Operation>> = BTreeMap::new();
        for (operation, deployment) in then(case).calls {
            let id = case.id_of(*deployment);
            expected.entry(id).or_default().push(*operation);
        }
        for deployment in [Deployment::First, Deployment::Last, Deployment::New] {
            expected.entry(case.id_of(deployment)).or_default();
        }
        // Where there is no deployment, nothing can be called for it.
        expected.retain(|id, expected| !id.is_empty() || !expected.is_empty());
        for (id, expected) in expected {
            let made = calls.remove(id).unwrap_or_default();
            if made != expected {
                findings.push(format!(
                    "{}: of deployment {id}, {expected:?} was expected, and {made:?} was called",
                    case.row.name
                ));
            }
        }
    }
    findings.extend(calls.into_iter().map(|(id, made)| {
        format!("{made:?} was called for deployment {id:?}, which belongs to no object")
    }));
    findings
}

/// What the operator has told the API server of creating and letting go, where it is not what the rows expect. `announced` has the create
/// calls that each object had announced before.
pub fn unexpected_writes(
    cases: &[Case],
    then: impl Fn(&Case) -> Then,
    announced: &BTreeMap<String, i64>,
    writes: &[AuditEntry],
) -> Vec<String> {
    let mut serials = announced.clone();
    let mut let_go = BTreeSet::new();
    for write in writes {
        let Some(object) = &write.answer else {
            continue;
        };
        if let Some(serial) = object["status"]["createSerial"].as_i64() {
            serials.insert(write.name.clone(), serial);
        }
        let finalizers = object["metadata"]["finalizers"].as_array();
        let held = finalizers.is_some_and(|all| all.iter().any(|one| one == FINALIZER));
        if !held {
            let_go.insert(write.name.as_str());
        }
    }
    let mut findings = Vec::new();
    for case in cases {
        let (name, then) = (case.row.name, then(case));
        let count = |serials: &BTreeMap<String, i64>| serials.get(name).copied().unwrap_or(0);
        let made = then
            .calls
            .iter()
            .filter(|(operation, _)| *operation == Operation::CreateDeployment);
        let expected = made.count() as i64;
        let found = count(&serials) - count(announced);
        if found != expected {
            findings.push(format!(
                "{name} has announced {found} create calls, not {expected}"
            ));
        }
        if let_go.contains(name) && then.state != State::Gone {
            findings.push(format!("{name} was let go"));
        }
    }
    findings
}
