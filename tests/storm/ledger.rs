//! What became of each object, from the API server's audit log: every state that it ever had, in order.

use std::collections::{BTreeMap, BTreeSet};

use harness::control_plane::AuditEntry;
use harness::operator;
use harness::scene::condition;
use jiff::Timestamp;
use serde_json::Value;

/// The finalizer that the operator takes off when it lets an object go.
const FINALIZER: &str = "aicore.dev/deployment";

/// Everything that was ever written about Deployment objects.
#[derive(Debug, Default)]
pub struct Ledger {
    objects: BTreeMap<String, History>,
    /// By namespace and name, the writes of the operator that failed, as when their connection was cut: they may have had their effect.
    failed: BTreeMap<String, Vec<Failed>>,
}

/// A write of the operator that failed, and may have had its effect all the same.
#[derive(Clone, Debug)]
pub struct Failed {
    /// When the API server received it.
    pub received: Timestamp,
    /// When it had answered.
    pub answered: Timestamp,
    /// Whether it was about the finalizers: everything else is written by an update of the status.
    pub patch: bool,
}

/// One object, by its uid.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Namespace and name.
    pub name: String,
    /// Its Connection.
    pub connection: String,
    /// Its states, one after the other.
    pub writes: Vec<Write>,
    /// The writes of the operator about an object of this name that failed.
    pub failed: Vec<Failed>,
}

/// The state in which one write left an object.
#[derive(Clone, Debug)]
pub struct Write {
    /// The version of the object.
    pub version: u64,
    /// When the API server received the request: the write happened after it.
    pub received: Timestamp,
    /// When it had answered.
    pub answered: Timestamp,
    /// Whether the operator wrote it.
    pub by_operator: bool,
    /// Whether somebody has asked for its deletion.
    pub terminating: bool,
    /// Whether it carries the operator's finalizer.
    pub held: bool,
    /// Whether its deployment is to stay when it goes.
    pub orphans: bool,
    /// The deployment that it adopts.
    pub adopts: Option<String>,
    /// The deployments that its status records as its own.
    pub recorded: BTreeSet<String>,
    /// The open create call.
    pub intent: Option<Intent>,
    /// The reason of its condition Ready.
    pub reason: String,
}

/// An announcement of a create call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Its number among all of the object's, and what tells it from another one of the same number.
    pub serial: (i64, String),
    /// The configuration.
    pub configuration: String,
}

impl Ledger {
    /// Takes further entries of the log in.
    pub fn take(&mut self, entries: Vec<AuditEntry>) {
        let writes = ["create", "update", "patch", "delete"];
        for entry in entries {
            if entry.resource != "deployments" || !writes.contains(&entry.verb.as_str()) {
                continue;
            }
            let name = format!("{}/{}", entry.namespace, entry.name);
            if entry.code >= 500 && entry.user == operator::USER {
                self.failed.entry(name).or_default().push(Failed {
                    received: entry.at,
                    answered: entry.answered,
                    patch: entry.verb == "patch",
                });
                continue;
            }
            let accepted = (200..300).contains(&entry.code);
            let Some(object) = entry.answer.as_ref().filter(|_| accepted) else {
                continue;
            };
            let uid = object["metadata"]["uid"].as_str();
            if let (Some(uid), "Deployment") = (uid, object["kind"].as_str().unwrap_or_default()) {
                let history = self.objects.entry(uid.to_owned()).or_default();
                let connection = object["spec"]["connectionRef"]["name"].as_str();
                history.name = name;
                history.connection = connection.unwrap_or_default().to_owned();
                history.writes.push(Write::of(&entry, object));
            }
        }
    }

    /// The histories of all objects, by uid. The log has requests in the order of their answers; an object's own versions say what came first.
    pub fn histories(&self) -> BTreeMap<String, History> {
        let mut objects = self.objects.clone();
        for history in objects.values_mut() {
            history.writes.sort_by_key(|write| write.version);
            history.failed = self.failed.get(&history.name).cloned().unwrap_or_default();
        }
        objects
    }

    /// The same at the end, when only the objects with the uids `live` are left: what is gone without a write that says so was let go by one of
    /// those that failed.
    pub fn histories_at_the_end(&self, live: &BTreeSet<String>) -> BTreeMap<String, History> {
        let mut objects = self.histories();
        for (uid, history) in &mut objects {
            let last = history.writes.last().filter(|last| last.held);
            if let Some(last) = last.filter(|_| !live.contains(uid)) {
                let after = |failed: &&Failed| failed.patch && failed.received >= last.received;
                let release = history.failed.iter().find(after);
                let mut gone = Write {
                    by_operator: true,
                    terminating: true,
                    held: false,
                    ..last.clone()
                };
                (gone.received, gone.answered) = release
                    .map_or((Timestamp::MAX, Timestamp::MAX), |failed| {
                        (failed.received, failed.answered)
                    });
                history.writes.push(gone);
            }
        }
        objects
    }
}

impl History {
    /// The write with which the operator let the object go.
    pub fn release(&self) -> Option<&Write> {
        let pairs = self.writes.iter().zip(self.writes.iter().skip(1));
        pairs
            .filter(|(before, after)| before.held && !after.held && after.by_operator)
            .map(|(_, after)| after)
            .next()
    }

    /// Every deployment that it ever recorded as its own.
    pub fn recorded(&self) -> BTreeSet<&str> {
        let recorded = self.writes.iter().flat_map(|write| &write.recorded);
        recorded.map(String::as_str).collect()
    }

    /// Whether a write that failed may have had its effect in a span of time.
    pub fn may_have_changed(&self, from: Timestamp, until: Timestamp) -> bool {
        let mut failed = self.failed.iter();
        failed.any(|failed| failed.answered >= from && failed.received <= until)
    }

    /// When it first recorded a deployment.
    pub fn first_recorded(&self, id: &str) -> Option<Timestamp> {
        let first = self.writes.iter().find(|write| write.recorded.contains(id));
        first.map(|write| write.received)
    }

    /// The deployments that it records at the end, unless it is gone.
    pub fn holds(&self) -> BTreeSet<&str> {
        let last = self.writes.last().filter(|_| self.release().is_none());
        last.into_iter()
            .flat_map(|write| &write.recorded)
            .map(String::as_str)
            .collect()
    }

    /// Whether it recorded a deployment at a time.
    pub fn recorded_at(&self, id: &str, time: Timestamp) -> bool {
        let before = self.writes.partition_point(|write| write.received <= time);
        let now = self.writes[..before].last();
        now.is_some_and(|write| write.held && write.recorded.contains(id))
    }
}

impl Write {
    fn of(entry: &AuditEntry, object: &Value) -> Self {
        let metadata = &object["metadata"];
        let status = &object["status"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let retiring = status["retiring"].as_array().into_iter().flatten();
        let recorded = retiring
            .map(|retiring| &retiring["id"])
            .chain([&status["deployment"]["id"]])
            .filter_map(text);
        let intent = &status["intent"];
        let finalizers = metadata["finalizers"].as_array();
        Self {
            version: text(&metadata["resourceVersion"])
                .and_then(|version| version.parse().ok())
                .unwrap_or_default(),
            received: entry.at,
            answered: entry.answered,
            by_operator: entry.user == operator::USER,
            terminating: metadata["deletionTimestamp"].is_string(),
            held: finalizers.is_some_and(|all| all.iter().any(|one| one == FINALIZER)),
            orphans: object["spec"]["deletionPolicy"] == "Orphan",
            adopts: text(&object["spec"]["adopt"]["deploymentId"]),
            recorded: recorded.collect(),
            intent: intent["serial"].as_i64().map(|serial| Intent {
                serial: (serial, text(&intent["nonce"]).unwrap_or_default()),
                configuration: text(&intent["configurationId"]).unwrap_or_default(),
            }),
            reason: text(&condition(object, "Ready")["reason"]).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A write of the operator that left the object so.
    fn entry(version: u64, change: impl FnOnce(&mut Value)) -> AuditEntry {
        let mut object = json!({
            "kind": "Deployment",
            "metadata": {
                "uid": "one", "namespace": "storm-north", "name": "churn",
                "resourceVersion": version.to_string(), "finalizers": [FINALIZER],
            },
            "spec": {"connectionRef": {"name": "plain"}, "deletionPolicy": "Delete"},
        });
        change(&mut object);
        AuditEntry {
            at: Timestamp::UNIX_EPOCH,
            answered: Timestamp::UNIX_EPOCH,
            user: operator::USER.to_owned(),
            user_agent: String::new(),
            verb: "update".to_owned(),
            group: "aicore.dev".to_owned(),
            resource: "deployments".to_owned(),
            subresource: "status".to_owned(),
            namespace: "storm-north".to_owned(),
            name: "churn".to_owned(),
            uri: String::new(),
            code: 200,
            allowed: true,
            answer: Some(object),
        }
    }

    fn history(entries: Vec<AuditEntry>) -> History {
        let mut ledger = Ledger::default();
        ledger.take(entries);
        let mut histories = ledger.histories();
        histories.remove("one").unwrap_or_default()
    }

    #[test]
    fn states_follow_each_other_by_version_whatever_was_answered_first() {
        let intent = json!({"serial": 1, "nonce": "n1", "configurationId": "c1"});
        let history = history(vec![
            entry(12, |object| {
                object["status"]["deployment"] = json!({"id": "d1"})
            }),
            entry(11, |object| object["status"]["intent"] = intent),
        ]);
        assert_eq!(history.name, "storm-north/churn");
        let [announced, recorded] = &history.writes[..] else {
            panic!("{history:?}");
        };
        let expected = Intent {
            serial: (1, "n1".to_owned()),
            configuration: "c1".to_owned(),
        };
        assert_eq!(announced.intent, Some(expected));
        assert_eq!(recorded.recorded, BTreeSet::from(["d1".to_owned()]));
        assert_eq!(history.holds(), BTreeSet::from(["d1"]));
    }

    #[test]
    fn a_deployment_that_is_being_retired_is_recorded_too() {
        let history = history(vec![entry(1, |object| {
            object["status"] = json!({"deployment": {"id": "d2"}, "retiring": [{"id": "d1"}]});
        })]);
        assert_eq!(history.recorded(), BTreeSet::from(["d1", "d2"]));
    }

    #[test]
    fn an_object_is_let_go_when_the_operator_takes_its_finalizer_off() {
        let kept = || entry(1, |_| ());
        let released = || {
            entry(2, |object| {
                object["metadata"]["finalizers"] = json!([]);
                object["spec"]["deletionPolicy"] = json!("Orphan");
            })
        };
        assert!(history(vec![kept()]).release().is_none());
        let released_history = history(vec![kept(), released()]);
        assert!(
            released_history
                .release()
                .is_some_and(|release| release.orphans)
        );
        assert!(released_history.holds().is_empty());
        let by_somebody = AuditEntry {
            user: "admin".to_owned(),
            ..released()
        };
        assert!(history(vec![kept(), by_somebody]).release().is_none());
    }

    #[test]
    fn what_is_gone_without_a_write_that_says_so_was_let_go_by_one_that_failed() {
        let failed = AuditEntry {
            verb: "patch".to_owned(),
            code: 504,
            answer: None,
            answered: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(9),
            ..entry(2, |_| ())
        };
        let mut ledger = Ledger::default();
        ledger.take(vec![entry(1, |_| ()), failed]);
        let live = ledger.histories_at_the_end(&BTreeSet::from(["one".to_owned()]));
        assert!(live["one"].release().is_none());
        let gone = ledger.histories_at_the_end(&BTreeSet::new());
        let release = gone["one"].release().expect("it is gone");
        assert_eq!(release.answered.as_second(), 9);
    }

    #[test]
    fn what_was_refused_or_only_read_is_no_state() {
        let refused = AuditEntry {
            code: 409,
            ..entry(1, |_| ())
        };
        let read = AuditEntry {
            verb: "get".to_owned(),
            ..entry(1, |_| ())
        };
        assert!(history(vec![refused, read]).writes.is_empty());
    }
}
