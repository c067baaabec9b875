//! Each law fails on a log that breaks it, and holds on one that only looks like it.

use std::collections::BTreeSet;

use aicore_emulator::{Entry, Kind, Operation, State};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Evidence, Law, ObjectHistory, violations};

/// A log under construction. One entry a second.
#[derive(Default)]
struct Log(Vec<Entry>);

fn state(text: &str) -> Option<State> {
    let (status, target) = text.split_once('/')?;
    Some(State {
        status: status.to_owned(),
        target_status: target.to_owned(),
    })
}

impl Log {
    fn append(
        &mut self,
        kind: Kind,
        operation: Operation,
        id: &str,
        states: [&str; 2],
    ) -> &mut Entry {
        let seq = self.0.len() as u64 + 1;
        let entry: Entry = serde_json::from_value(json!({
            "seq": seq,
            "at": time(seq),
            "kind": kind,
            "operation": operation,
            "tenant": "zone-1",
            "resourceGroup": "team-a",
            "deploymentId": (!id.is_empty()).then_some(id),
            "bulk": false,
            "httpStatus": 202,
            "accepted": true,
            "before": state(states[0]),
            "after": state(states[1]),
        }))
        .expect("it is an entry");
        self.0.push(entry);
        self.0.last_mut().expect("there is one now")
    }

    /// A call that has its effect.
    fn call(&mut self, operation: Operation, id: &str, before: &str, after: &str) -> &mut Entry {
        self.append(Kind::Call, operation, id, [before, after])
    }

    /// A call that is refused.
    fn refused(&mut self, operation: Operation, id: &str, before: &str) -> &mut Entry {
        let entry = self.append(Kind::Call, operation, id, [before, before]);
        entry.accepted = false;
        entry.http_status = Some(412);
        entry
    }

    fn moves(&mut self, id: &str, before: &str, after: &str) {
        self.append(Kind::Transition, Operation::Transition, id, [before, after]);
    }

    fn list(&mut self) -> &mut Entry {
        let entry = self.append(Kind::Call, Operation::ListDeployments, "", ["", ""]);
        entry.http_status = Some(200);
        entry
    }

    /// `d1` is created and runs.
    fn running() -> Self {
        let mut log = Self::default();
        log.call(Operation::CreateDeployment, "d1", "", UNKNOWN);
        log.moves("d1", UNKNOWN, PENDING);
        log.moves("d1", PENDING, RUNNING);
        log.list();
        log
    }

    /// `d1` is created and has stopped.
    fn stopped() -> Self {
        let mut log = Self::running();
        log.call(Operation::StopDeployment, "d1", RUNNING, "RUNNING/STOPPED");
        log.moves("d1", "RUNNING/STOPPED", STOPPED);
        log.list();
        log
    }

    /// `d1` is created, stopped, deleted and gone.
    fn gone() -> Self {
        let mut log = Self::stopped();
        log.call(Operation::DeleteDeployment, "d1", STOPPED, DELETING);
        log.moves("d1", DELETING, "");
        log.list();
        log
    }

    fn broken_by(self, object: ObjectHistory, creations: usize) -> BTreeSet<Law> {
        let evidence = Evidence {
            audit: self.0,
            objects: vec![object],
            creations,
        };
        let violations = violations(&evidence);
        violations.iter().map(|violation| violation.law).collect()
    }
}

const UNKNOWN: &str = "UNKNOWN/RUNNING";
const PENDING: &str = "PENDING/RUNNING";
const RUNNING: &str = "RUNNING/RUNNING";
const STOPPED: &str = "STOPPED/STOPPED";
const DELETING: &str = "STOPPED/DELETED";

fn time(second: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second.try_into().expect("it is small"))
}

/// An object that records `d1` to the end.
fn holder() -> ObjectHistory {
    ObjectHistory {
        name: "churn".to_owned(),
        recorded: BTreeSet::from(["d1".to_owned()]),
        current: Some("d1".to_owned()),
        ..ObjectHistory::default()
    }
}

fn released(second: u64) -> ObjectHistory {
    ObjectHistory {
        released: Some(time(second)),
        ..holder()
    }
}

fn only(law: Law) -> BTreeSet<Law> {
    BTreeSet::from([law])
}

#[test]
fn a_whole_life_in_good_order_breaks_no_law() {
    assert_eq!(Log::gone().broken_by(released(100), 1), BTreeSet::new());
}

#[test]
fn deleting_what_runs_is_found_also_when_it_is_refused_and_also_in_a_bulk() {
    let mut log = Log::running();
    log.refused(Operation::DeleteDeployment, "d1", RUNNING);
    assert_eq!(log.broken_by(holder(), 1), only(Law::NeverDeleteWhatRuns));
    let mut log = Log::running();
    log.call(
        Operation::DeleteDeployment,
        "d1",
        RUNNING,
        "RUNNING/DELETED",
    )
    .bulk = true;
    assert_eq!(log.broken_by(holder(), 1), only(Law::NeverDeleteWhatRuns));
}

#[test]
fn deleting_what_was_unknown_in_the_last_list_is_forgiven_once_it_is_refused() {
    let create = || {
        let mut log = Log::default();
        log.call(Operation::CreateDeployment, "d1", "", UNKNOWN);
        log
    };
    let mut moved_after_the_list = create();
    moved_after_the_list.list();
    moved_after_the_list.moves("d1", UNKNOWN, PENDING);
    moved_after_the_list.refused(Operation::DeleteDeployment, "d1", PENDING);
    assert_eq!(moved_after_the_list.broken_by(holder(), 1), BTreeSet::new());

    let mut moved_before_the_list = create();
    moved_before_the_list.moves("d1", UNKNOWN, PENDING);
    moved_before_the_list.list();
    moved_before_the_list.refused(Operation::DeleteDeployment, "d1", PENDING);
    assert_eq!(
        moved_before_the_list.broken_by(holder(), 1),
        only(Law::NeverDeleteWhatRuns)
    );
}

#[test]
fn a_deployment_that_no_object_records_is_a_leak() {
    let nobody = ObjectHistory {
        current: None,
        ..holder()
    };
    assert_eq!(Log::running().broken_by(nobody, 1), only(Law::NeverLeak));
}

#[test]
fn a_deployment_that_an_object_leaves_by_its_policy_is_no_leak_and_no_early_release() {
    let orphaned = ObjectHistory {
        orphans: true,
        ..released(100)
    };
    assert_eq!(Log::running().broken_by(orphaned, 1), BTreeSet::new());
}

#[test]
fn a_second_deployment_while_the_first_exists_is_found() {
    let both = || ObjectHistory {
        recorded: BTreeSet::from(["d1".to_owned(), "d2".to_owned()]),
        current: Some("d2".to_owned()),
        ..holder()
    };
    let mut log = Log::stopped();
    log.call(Operation::CreateDeployment, "d2", "", UNKNOWN);
    log.call(Operation::DeleteDeployment, "d1", STOPPED, DELETING);
    log.moves("d1", DELETING, "");
    assert_eq!(log.broken_by(both(), 2), only(Law::OneDeploymentPerObject));

    let mut log = Log::gone();
    log.call(Operation::CreateDeployment, "d2", "", UNKNOWN);
    assert_eq!(log.broken_by(both(), 2), BTreeSet::new());
}

#[test]
fn a_creation_too_many_is_a_duplicate_even_when_it_is_cleared_away() {
    assert_eq!(
        Log::gone().broken_by(released(100), 0),
        only(Law::NoDuplicate)
    );
}

#[test]
fn a_write_to_a_strangers_deployment_is_found_unless_the_object_was_told_to_adopt_it() {
    let mut log = Log::default();
    log.append(Kind::Control, Operation::Control, "d1", ["", RUNNING]);
    log.call(Operation::StopDeployment, "d1", RUNNING, "RUNNING/STOPPED");
    let log = || Log(log.0.clone());
    assert_eq!(log().broken_by(holder(), 0), only(Law::LeaveStrangersAlone));
    let adopted = ObjectHistory {
        adopts: BTreeSet::from(["d1".to_owned()]),
        ..holder()
    };
    assert_eq!(log().broken_by(adopted, 0), BTreeSet::new());
}

#[test]
fn a_deployment_that_another_person_makes_from_a_configuration_with_our_name_is_no_strangers() {
    let mut log = Log::default();
    log.call(Operation::CreateConfiguration, "", "", "")
        .configuration_id = Some("c1".to_owned());
    log.append(Kind::Control, Operation::Control, "d1", ["", RUNNING])
        .configuration_id = Some("c1".to_owned());
    log.call(Operation::StopDeployment, "d1", RUNNING, "RUNNING/STOPPED");
    assert_eq!(log.broken_by(holder(), 0), BTreeSet::new());
}

#[test]
fn a_second_stop_needs_a_list_that_shows_the_reason_or_a_lost_answer() {
    let stopping = "RUNNING/STOPPED";
    let mut blind = Log::running();
    blind.call(Operation::StopDeployment, "d1", RUNNING, stopping);
    blind.list();
    blind.call(Operation::StopDeployment, "d1", stopping, stopping);
    assert_eq!(blind.broken_by(holder(), 1), only(Law::NeverRepeatBlindly));

    let mut answer_lost = Log::running();
    answer_lost
        .call(Operation::StopDeployment, "d1", RUNNING, stopping)
        .http_status = None;
    answer_lost.call(Operation::StopDeployment, "d1", stopping, stopping);
    assert_eq!(answer_lost.broken_by(holder(), 1), BTreeSet::new());

    let mut still_running = Log::running();
    still_running.refused(Operation::StopDeployment, "d1", RUNNING);
    still_running.list();
    still_running.call(Operation::StopDeployment, "d1", RUNNING, stopping);
    assert_eq!(still_running.broken_by(holder(), 1), BTreeSet::new());
}

#[test]
fn a_second_delete_without_a_list_in_between_is_found() {
    let mut log = Log::stopped();
    log.refused(Operation::DeleteDeployment, "d1", STOPPED);
    log.call(Operation::DeleteDeployment, "d1", STOPPED, DELETING);
    assert_eq!(log.broken_by(holder(), 1), only(Law::NeverRepeatBlindly));
}

#[test]
fn an_object_that_is_let_go_before_its_deployment_is_gone_is_found() {
    let gone_at = Log::gone().0.len() as u64 - 1;
    assert_eq!(
        Log::gone().broken_by(released(gone_at - 1), 1),
        only(Law::ReleaseOnProof)
    );
    assert_eq!(Log::gone().broken_by(released(gone_at), 1), BTreeSet::new());
}

#[test]
fn an_object_that_is_let_go_before_one_that_it_retires_is_gone_is_found() {
    let mut log = Log::gone();
    log.append(Kind::Control, Operation::Control, "d2", ["", RUNNING]);
    let retiring = ObjectHistory {
        retired: BTreeSet::from(["d2".to_owned()]),
        ..released(100)
    };
    assert_eq!(log.broken_by(retiring, 1), only(Law::ReleaseOnProof));
}

#[test]
fn reading_one_deployment_that_the_last_two_lists_had_is_found() {
    let mut log = Log::running();
    log.call(Operation::GetDeployment, "d1", RUNNING, RUNNING);
    assert_eq!(log.broken_by(holder(), 1), only(Law::ObserveByList));

    let seen_once = || {
        let mut log = Log::default();
        log.list();
        log.call(Operation::CreateDeployment, "d1", "", RUNNING);
        log.list();
        log
    };
    let mut log = seen_once();
    log.call(Operation::GetDeployment, "d1", RUNNING, RUNNING);
    assert_eq!(log.broken_by(holder(), 1), BTreeSet::new());
    let mut log = seen_once();
    log.list();
    log.call(Operation::GetDeployment, "d1", RUNNING, RUNNING);
    assert_eq!(log.broken_by(holder(), 1), only(Law::ObserveByList));

    let mut log = Log::gone();
    log.refused(Operation::GetDeployment, "d1", "");
    assert_eq!(log.broken_by(released(100), 1), BTreeSet::new());
}
