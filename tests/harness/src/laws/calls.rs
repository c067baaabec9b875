//! The laws about single calls: each is judged by what the operator could know.

use std::collections::{BTreeMap, BTreeSet};

use aicore_emulator::{Entry, Operation, State};

use super::timeline::{Timeline, calls, is_stale};
use super::{Evidence, Law, Violation};

pub(super) fn violations(evidence: &Evidence, timeline: &Timeline<'_>) -> Vec<Violation> {
    let audit = &evidence.audit;
    let mut violations = Vec::new();
    violations.extend(
        calls(audit, Operation::DeleteDeployment)
            .filter_map(|call| deletes_what_runs(audit, timeline, call)),
    );
    violations.extend(strangers(evidence));
    for operation in [Operation::StopDeployment, Operation::DeleteDeployment] {
        violations.extend(repetitions(audit, timeline, operation));
    }
    violations.extend(
        calls(audit, Operation::GetDeployment)
            .filter_map(|call| reads_what_is_listed(timeline, call)),
    );
    violations
}

/// Law 1. A refused call is forgiven when UNKNOWN became something else after the operator's last list, or when that list was an old one.
fn deletes_what_runs(audit: &[Entry], timeline: &Timeline<'_>, call: &Entry) -> Option<Violation> {
    let state = call.before.as_ref()?;
    if !["RUNNING", "PENDING", "STOPPING"].contains(&state.status.as_str()) {
        return None;
    }
    let list = timeline.last_list(call);
    let could_not_know = list.is_some_and(|list| {
        let moved = audit.iter().any(|entry| {
            entry.deployment_id == call.deployment_id
                && entry.seq > list.seq
                && entry.seq < call.seq
                && entry
                    .before
                    .as_ref()
                    .is_some_and(|before| before.status == "UNKNOWN")
        });
        is_stale(list) || moved
    });
    let forgiven = could_not_know && !call.accepted;
    let id = call.deployment_id.as_deref().unwrap_or_default();
    (!forgiven).then(|| {
        Law::NeverDeleteWhatRuns.broken(format!(
            "call {} deletes {id}, which is {}",
            call.seq, state.status
        ))
    })
}

/// Law 4.
fn strangers(evidence: &Evidence) -> Vec<Violation> {
    let writes = [
        Operation::StopDeployment,
        Operation::ChangeConfiguration,
        Operation::DeleteDeployment,
    ];
    let mut ours: BTreeSet<&str> = evidence
        .objects
        .iter()
        .flat_map(|object| object.adopts.iter().map(String::as_str))
        .collect();
    ours.extend(
        calls(&evidence.audit, Operation::CreateDeployment)
            .filter(|call| call.accepted)
            .filter_map(|call| call.deployment_id.as_deref()),
    );
    ours.extend(bearing_a_name(&evidence.audit));
    let writes = writes
        .into_iter()
        .flat_map(|operation| calls(&evidence.audit, operation));
    writes
        .filter_map(|call| {
            let id = call.deployment_id.as_deref()?;
            (!ours.contains(id)).then(|| {
                Law::LeaveStrangersAlone.broken(format!(
                    "call {} ({:?}) is about {id}, which is somebody else's",
                    call.seq, call.operation
                ))
            })
        })
        .collect()
}

/// The deployments from configurations that the operator has made under an object's name, whoever created them.
fn bearing_a_name(audit: &[Entry]) -> impl Iterator<Item = &str> {
    let made: BTreeSet<&str> = calls(audit, Operation::CreateConfiguration)
        .filter(|call| call.accepted)
        .filter_map(|call| call.configuration_id.as_deref())
        .collect();
    audit
        .iter()
        .filter(move |entry| {
            let configuration = entry.configuration_id.as_deref();
            entry.before.is_none() && configuration.is_some_and(|id| made.contains(id))
        })
        .filter_map(|entry| entry.deployment_id.as_deref())
}

/// Law 5.
fn repetitions(audit: &[Entry], timeline: &Timeline<'_>, operation: Operation) -> Vec<Violation> {
    let mut last: BTreeMap<&str, &Entry> = BTreeMap::new();
    let mut violations = Vec::new();
    for call in calls(audit, operation) {
        let Some(id) = call.deployment_id.as_deref() else {
            continue;
        };
        let Some(before) = last.insert(id, call) else {
            continue;
        };
        let asked_for = timeline
            .lists_between(call, before.seq, call.seq)
            .any(|list| {
                is_stale(list)
                    || timeline
                        .state_before(id, list.seq)
                        .is_some_and(|state| calls_for(operation, state))
            });
        if !asked_for && !answer_was_lost(before) {
            violations.push(Law::NeverRepeatBlindly.broken(format!(
                "call {} repeats {operation:?} of {id} (call {}), and no list in between shows a reason",
                call.seq, before.seq
            )));
        }
    }
    violations
}

/// Whether a deployment in this state is to be stopped, or deleted.
fn calls_for(operation: Operation, state: &State) -> bool {
    let status = state.status.as_str();
    if operation == Operation::StopDeployment {
        ["RUNNING", "PENDING"].contains(&status) && state.target_status == "RUNNING"
    } else {
        ["UNKNOWN", "STOPPED", "DEAD", "COMPLETED"].contains(&status)
            && state.target_status != "DELETED"
    }
}

/// No answer, a fault, or a token that was not accepted: the caller cannot know that its call had an effect, or knows that it had none.
fn answer_was_lost(call: &Entry) -> bool {
    call.fault.is_some()
        || call
            .http_status
            .is_none_or(|status| status >= 500 || [401, 408, 429].contains(&status))
}

/// Law 7. The last list may have been answered while the call was on its way, so that the one before it counts as well.
fn reads_what_is_listed(timeline: &Timeline<'_>, call: &Entry) -> Option<Violation> {
    let id = call.deployment_id.as_deref()?;
    let missing = timeline
        .lists_between(call, 0, call.seq)
        .rev()
        .take(2)
        .any(|list| is_stale(list) || timeline.state_before(id, list.seq).is_none());
    (!missing).then(|| {
        Law::ObserveByList.broken(format!(
            "call {} reads {id} by its id, although the last two lists had it",
            call.seq
        ))
    })
}
