//! Each verdict is reached on a log that breaks its rule, and not on one that only looks like it.

use std::collections::BTreeSet;

use aicore_emulator::{Entry, Kind, Operation};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Creations, Evidence, Verdict, findings};
use crate::ledger::{Failed, History, Intent, Write};
use crate::objects::{EXCLUSIVE, SHARED};

/// The configuration that everything is made from.
const CONFIGURATION: &str = "c1";

const RUNNING: &str = "RUNNING";
const STOPPING: &str = "STOPPING";
const STOPPED: &str = "STOPPED";
const UNKNOWN: &str = "UNKNOWN";

fn time(second: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second.try_into().expect("it is small"))
}

/// Both logs under construction. The object is `churn`, its uid `one`, and its deployment `d1`.
#[derive(Default)]
struct Storm {
    evidence: Evidence,
}

/// The state of an object right after its finalizer was put on.
fn held() -> Write {
    Write {
        version: 0,
        received: time(0),
        answered: time(0),
        by_operator: true,
        terminating: false,
        held: true,
        orphans: false,
        adopts: None,
        recorded: BTreeSet::new(),
        intent: None,
        reason: "Creating".to_owned(),
    }
}

impl Storm {
    /// A call or a transition at a second, by which a deployment changes its status. An empty status is none.
    fn entry(
        &mut self,
        second: u64,
        operation: Operation,
        id: &str,
        [before, after]: [&str; 2],
    ) -> &mut Entry {
        let kind = match operation {
            Operation::Transition => Kind::Transition,
            Operation::Control => Kind::Control,
            _ => Kind::Call,
        };
        let state = |status: &str| {
            (!status.is_empty()).then(|| json!({"status": status, "targetStatus": "RUNNING"}))
        };
        let audit = &mut self.evidence.audit;
        let entry = json!({
            "seq": audit.len() + 1,
            "at": time(second),
            "receivedAt": time(second),
            "kind": kind,
            "operation": operation,
            "resourceGroup": "team-a",
            "deploymentId": (!id.is_empty()).then_some(id),
            "configurationId": CONFIGURATION,
            "bulk": false,
            "httpStatus": 202,
            "accepted": true,
            "before": state(before),
            "after": state(after),
        });
        audit.push(serde_json::from_value(entry).expect("it is an entry"));
        audit.last_mut().expect("there is one now")
    }

    fn create(&mut self, second: u64, id: &str) -> &mut Entry {
        self.entry(second, Operation::CreateDeployment, id, ["", UNKNOWN])
    }

    fn moves(&mut self, second: u64, id: &str, states: [&str; 2]) {
        self.entry(second, Operation::Transition, id, states);
    }

    fn delete(&mut self, second: u64, id: &str, status: &str) -> &mut Entry {
        self.entry(second, Operation::DeleteDeployment, id, [status, status])
    }

    /// Changes an object at a second.
    fn write(&mut self, second: u64, uid: &str, change: impl FnOnce(&mut Write)) {
        let history = self.evidence.histories.entry(uid.to_owned()).or_default();
        if history.writes.is_empty() {
            *history = History {
                name: "storm-north/churn".to_owned(),
                connection: EXCLUSIVE.to_owned(),
                writes: vec![held()],
                failed: Vec::new(),
            };
        }
        let mut next = history.writes.last().expect("there is one").clone();
        next.version += 1;
        next.received = time(second);
        next.answered = time(second);
        change(&mut next);
        history.writes.push(next);
    }

    fn announce(&mut self, second: u64, uid: &str, serial: i64) {
        self.write(second, uid, |write| {
            write.intent = Some(Intent {
                serial: (serial, String::new()),
                configuration: CONFIGURATION.to_owned(),
            });
        });
    }

    fn record(&mut self, second: u64, uid: &str, id: &str) {
        self.write(second, uid, |write| {
            write.intent = None;
            write.recorded = BTreeSet::from([id.to_owned()]);
        });
    }

    fn release(&mut self, second: u64, uid: &str) {
        self.write(second, uid, |write| {
            write.terminating = true;
            write.held = false;
        });
    }

    /// `d1` is announced at 1, made at 2, recorded at 3, and runs from 4 on.
    fn running() -> Self {
        let mut storm = Self::default();
        storm.announce(1, "one", 1);
        storm.create(2, "d1");
        storm.record(3, "one", "d1");
        storm.moves(4, "d1", [UNKNOWN, RUNNING]);
        storm
    }

    /// The same, and `d1` is stopped, deleted and gone at 23.
    fn gone() -> Self {
        let mut storm = Self::running();
        storm.entry(20, Operation::StopDeployment, "d1", [RUNNING, RUNNING]);
        storm.moves(21, "d1", [RUNNING, STOPPED]);
        storm.delete(22, "d1", STOPPED);
        storm.moves(23, "d1", [STOPPED, ""]);
        storm
    }

    fn verdicts(&self) -> BTreeSet<Verdict> {
        let findings = findings(&self.evidence);
        findings.iter().map(|finding| finding.verdict).collect()
    }

    fn assert_good(&self) {
        assert_eq!(findings(&self.evidence), []);
    }

    fn assert_only(&self, verdict: Verdict) {
        assert_eq!(
            self.verdicts(),
            BTreeSet::from([verdict]),
            "{:?}",
            findings(&self.evidence)
        );
    }
}

#[test]
fn a_whole_life_in_good_order_is_beyond_reproach() {
    Storm::running().assert_good();
    let mut storm = Storm::gone();
    storm.release(24, "one");
    storm.assert_good();
}

#[test]
fn a_deployment_that_was_made_and_that_nobody_has_is_leaked() {
    let mut storm = Storm::default();
    storm.announce(1, "one", 1);
    storm.create(2, "d1");
    storm.write(9, "one", |write| write.intent = None);
    storm.assert_only(Verdict::Leaked);
}

#[test]
fn a_deployment_that_an_object_leaves_by_its_policy_is_not_leaked_even_if_it_was_never_recorded() {
    let leave = |mut storm: Storm| {
        storm.write(30, "one", |write| {
            write.orphans = true;
            write.terminating = true;
            write.held = false;
        });
        storm.assert_good();
    };
    leave(Storm::running());
    let mut storm = Storm::default();
    storm.announce(1, "one", 1);
    storm.create(2, "d1");
    leave(storm);
}

#[test]
fn an_unfinished_create_call_that_is_left_by_policy_explains_one_deployment_and_no_more() {
    let mut storm = Storm::default();
    storm.announce(1, "one", 1);
    storm.announce(1, "two", 1);
    storm.create(2, "d1");
    storm.create(2, "d2");
    storm.write(9, "one", |write| {
        write.orphans = true;
        write.held = false;
    });
    storm.write(9, "two", |write| write.intent = None);
    storm.assert_only(Verdict::Leaked);
    assert_eq!(findings(&storm.evidence).len(), 1);
}

#[test]
fn a_deployment_of_somebody_else_is_not_leaked() {
    let mut storm = Storm::default();
    storm.entry(1, Operation::Control, "d1", ["", RUNNING]);
    storm.assert_good();
}

#[test]
fn a_second_call_for_one_announcement_is_a_duplicate_also_when_its_answer_is_lost() {
    let mut storm = Storm::default();
    storm.announce(1, "one", 1);
    storm.create(2, "d1").http_status = None;
    let second = storm.create(3, "");
    (second.accepted, second.http_status, second.after) = (false, None, None);
    storm.record(4, "one", "d1");
    storm.assert_only(Verdict::Duplicate);
}

#[test]
fn a_call_that_ai_core_refused_may_be_made_again() {
    for status in [401, 429] {
        let mut storm = Storm::default();
        storm.announce(1, "one", 1);
        let refused = storm.create(2, "");
        (refused.accepted, refused.http_status, refused.after) = (false, Some(status), None);
        storm.create(3, "d1");
        storm.record(4, "one", "d1");
        storm.assert_good();
    }
}

#[test]
fn an_announcement_that_was_taken_back_covers_no_later_call() {
    let mut storm = Storm::default();
    storm.announce(1, "one", 1);
    storm.write(10, "one", |write| write.intent = None);
    storm.create(20, "d1");
    storm.record(21, "one", "d1");
    storm.assert_only(Verdict::Duplicate);
}

#[test]
fn announcements_of_two_objects_for_one_configuration_cover_two_calls() {
    let mut storm = Storm::default();
    storm.announce(1, "one", 1);
    storm.announce(1, "two", 1);
    storm.create(2, "d1");
    storm.create(2, "d2");
    storm.record(3, "one", "d2");
    storm.record(3, "two", "d1");
    storm.assert_good();
}

#[test]
fn an_announcement_that_has_just_ended_covers_a_call_only_where_that_has_no_other_one() {
    let mut storm = Storm::default();
    storm.announce(1, "one", 1);
    storm.write(2, "one", |write| write.intent = None);
    storm.announce(3, "two", 1);
    storm.create(3, "d1");
    let maker = |storm: &Storm, id| {
        let creations = Creations::of(&storm.evidence.audit, &storm.evidence.histories);
        creations.maker(id).map(str::to_owned)
    };
    assert_eq!(maker(&storm, "d1").as_deref(), Some("two"));
    // That one was on the way, then.
    storm.create(4, "d2");
    assert_eq!(maker(&storm, "d1").as_deref(), Some("one"));
    assert_eq!(maker(&storm, "d2").as_deref(), Some("two"));
}

#[test]
fn two_deployments_of_one_object_at_the_same_time_are_a_duplicate() {
    let second = |mut storm: Storm| {
        storm.announce(24, "one", 2);
        storm.create(25, "d2");
        storm.record(26, "one", "d2");
        storm
    };
    second(Storm::gone()).assert_good();
    let mut storm = second(Storm::running());
    storm.moves(40, "d1", [RUNNING, ""]);
    storm.assert_only(Verdict::Duplicate);
}

#[test]
fn deleting_what_runs_or_stops_is_early_also_when_it_is_refused_and_also_in_a_bulk() {
    for status in [RUNNING, "PENDING", STOPPING] {
        for bulk in [false, true] {
            let mut storm = Storm::running();
            storm.moves(10, "d1", [RUNNING, status]);
            let call = storm.delete(20, "d1", status);
            (call.accepted, call.bulk) = (false, bulk);
            storm.assert_only(Verdict::EarlyDelete);
        }
    }
}

#[test]
fn deleting_what_could_be_deleted_a_moment_ago_is_forgiven_once_it_is_refused() {
    let mut storm = Storm::running();
    storm.delete(5, "d1", RUNNING).accepted = false;
    storm.assert_good();
    let mut storm = Storm::running();
    storm.delete(5, "d1", RUNNING);
    storm.assert_only(Verdict::EarlyDelete);
}

#[test]
fn a_call_that_was_held_back_is_judged_by_when_it_was_sent() {
    let mut storm = Storm::running();
    let call = storm.delete(20, "d1", RUNNING);
    (call.accepted, call.received_at) = (false, Some(time(5)));
    storm.assert_good();
}

#[test]
fn an_object_that_is_let_go_before_its_deployment_is_gone_is_early() {
    let mut storm = Storm::gone();
    storm.release(22, "one");
    storm.assert_only(Verdict::EarlyRelease);
}

#[test]
fn taking_what_another_object_had_recorded_is_found_unless_it_is_the_same_object_or_was_told_to() {
    let mut storm = Storm::running();
    storm.write(10, "one", |write| {
        write.orphans = true;
        write.held = false;
    });
    storm.record(20, "two", "d1");
    // Both are called `churn`.
    storm.assert_good();
    let other = storm.evidence.histories.get_mut("two");
    other.expect("it is there").name = "storm-south/other".to_owned();
    storm.assert_only(Verdict::Stolen);
    storm.write(30, "two", |write| write.adopts = Some("d1".to_owned()));
    storm.assert_good();
}

#[test]
fn an_object_may_go_when_another_one_has_its_deployment() {
    let mut storm = Storm::running();
    storm.record(5, "two", "d1");
    storm.release(10, "one");
    storm.assert_good();
}

#[test]
fn what_was_forgotten_has_to_be_gone_too() {
    let mut storm = Storm::running();
    storm.write(10, "one", |write| write.recorded = BTreeSet::new());
    storm.release(11, "one");
    assert!(storm.verdicts().contains(&Verdict::EarlyRelease));
}

#[test]
fn nothing_is_announced_for_an_object_that_is_being_deleted() {
    let mut storm = Storm::gone();
    storm.write(24, "one", |write| write.terminating = true);
    storm.announce(25, "one", 2);
    storm.assert_only(Verdict::CreatedWhileDeleting);
    let history = storm.evidence.histories.get_mut("one");
    history.expect("it is there").failed = vec![Failed {
        received: time(24),
        answered: time(25),
        patch: false,
    }];
    storm.assert_good();
}

#[test]
fn an_announcement_may_be_open_when_the_deletion_is_asked_for() {
    let mut storm = Storm::default();
    storm.announce(1, "one", 1);
    storm.create(2, "d1");
    storm.write(3, "one", |write| write.terminating = true);
    storm.record(4, "one", "d1");
    storm.assert_good();
}

#[test]
fn a_write_to_a_strangers_deployment_is_found_unless_an_object_names_it() {
    let stop = |storm: &mut Storm| {
        storm.entry(1, Operation::Control, "d9", ["", RUNNING]);
        storm.entry(2, Operation::StopDeployment, "d9", [RUNNING, RUNNING]);
    };
    let mut storm = Storm::running();
    stop(&mut storm);
    storm.assert_only(Verdict::StrangerTouched);
    storm.write(9, "one", |write| write.adopts = Some("d9".to_owned()));
    storm.assert_good();
}

#[test]
fn taking_a_strangers_deployment_is_found_even_if_nothing_is_written_to_it() {
    let mut storm = Storm::default();
    storm.entry(1, Operation::Control, "d9", ["", RUNNING]);
    storm.record(2, "one", "d9");
    storm.assert_only(Verdict::StrangerTouched);
}

#[test]
fn asking_a_person_is_found_unless_strangers_share_the_configuration() {
    let mut storm = Storm::running();
    storm.write(9, "one", |write| write.reason = "Ambiguous".to_owned());
    storm.assert_only(Verdict::Ambiguous);
    let history = storm.evidence.histories.get_mut("one");
    history.expect("it is there").connection = SHARED.to_owned();
    storm.assert_good();
}

#[test]
fn what_is_not_as_it_was_wished_for_and_what_ended_by_itself_is_told() {
    let mut storm = Storm::running();
    storm.evidence.unmet = vec!["churn is to be gone".to_owned()];
    storm.assert_only(Verdict::Stuck);
    let mut storm = Storm::running();
    storm.evidence.crashes = vec!["the operator ended by itself".to_owned()];
    storm.assert_only(Verdict::Crashed);
}
