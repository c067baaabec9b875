//! What was done since a moment, by AI Core's log and by the API server's, held against the rows.

use std::collections::{BTreeMap, BTreeSet};

use aicore_emulator::{Entry, Kind, Operation};
use futures::future::join_all;
use harness::control_plane::AuditEntry;
use harness::operator;
use harness::scene::{LIMIT, Scene, condition, id_of};
use kube::api::DynamicObject;
use kube::runtime::wait::await_condition;
use serde_json::{Value, json};

use crate::rows::{Deployment, State, Then};
use crate::world::{Case, World, is_held};

/// The finalizer that the operator takes off when it lets an object go.
const FINALIZER: &str = "aicore.dev/deployment";

/// So many lists that whatever the operator would do is done: longer than a create call may take to be settled.
const LISTS_OF_QUIET: usize = 20;

/// A moment in both logs.
#[derive(Clone, Copy)]
pub struct Moment {
    ai_core: u64,
    api_server: u64,
}

impl Moment {
    /// Now.
    pub async fn now(scene: &Scene) -> Self {
        let mut moment = Self {
            ai_core: 0,
            api_server: 0,
        };
        moment.ai_core = moment
            .calls(scene)
            .await
            .last()
            .map_or(0, |entry| entry.seq);
        moment.writes(scene);
        moment
    }

    async fn calls(&self, scene: &Scene) -> Vec<Entry> {
        scene.ai_core.audit_after(self.ai_core).await
    }

    /// What the operator has written to Deployments since, each with the object that it left.
    fn writes(&mut self, scene: &Scene) -> Vec<AuditEntry> {
        let entries = scene
            .control_plane()
            .audit_entries_since(&mut self.api_server)
            .expect("the control plane is the test's own");
        let written = |entry: &AuditEntry| {
            entry.user == operator::USER
                && entry.resource == "deployments"
                && (200..300).contains(&entry.code)
        };
        entries.into_iter().filter(written).collect()
    }
}

impl World {
    /// Waits until every object is what `then` says of its row, and holds what was done since a moment against it: every call that writes to
    /// AI Core, and by the other log every create call that was announced and every object that was let go.
    pub async fn expect(&mut self, since: Moment, then: impl Fn(&Case) -> &Then) {
        let differences = join_all(self.cases.iter().map(|case| self.differs(case, then(case))));
        let mut findings: Vec<String> = differences.await.into_iter().flatten().collect();
        self.quiet().await;
        findings.extend(self.find_new().await);
        findings.extend(self.calls(since, &then).await);
        findings.extend(self.writes(since, &then));
        if !findings.is_empty() {
            self.scene.despair(&findings.join("\n")).await;
        }
    }

    /// Waits for whatever may still be done.
    async fn quiet(&self) {
        let ai_core = &self.scene.ai_core;
        let lists = ai_core.calls(Operation::ListDeployments).await.len();
        ai_core
            .called(Operation::ListDeployments, lists + LISTS_OF_QUIET, LIMIT)
            .await;
    }

    /// Finds what was made since the restore, and every object that has more than one deployment.
    async fn find_new(&mut self) -> Vec<String> {
        let remote = self.scene.ai_core.deployments().await;
        let mut findings = Vec::new();
        for case in &mut self.cases {
            let own = case.own_deployments(&remote);
            if own.len() > 1 {
                findings.push(format!("{} has more than one: {own:?}", case.row.name));
            }
            let mut own = own.into_iter();
            if let Some(new) = own.find(|id| case.is(Deployment::New, id)) {
                case.new = new;
            }
        }
        findings
    }

    /// In what an object differs from what it is to be, after some time.
    async fn differs(&self, case: &Case, then: &Then) -> Option<String> {
        let api = self.scene.api("Deployment");
        let reached = |object: Option<&DynamicObject>| {
            difference(
                case,
                then.state,
                object.map(|object| json!(object)).as_ref(),
            )
            .is_none()
        };
        let reached = await_condition(api.clone(), case.row.name, reached);
        // What it is in the end is looked up below.
        let _ = tokio::time::timeout(LIMIT, reached).await;
        let object = api.get_opt(case.row.name).await;
        let object = object.expect("an administrator may look");
        let object = object.map(|object| json!(object));
        difference(case, then.state, object.as_ref())
    }

    /// The calls since a moment that differ from the expected ones.
    async fn calls(&self, since: Moment, then: impl Fn(&Case) -> &Then) -> Vec<String> {
        let writes = [
            Operation::CreateConfiguration,
            Operation::CreateDeployment,
            Operation::StopDeployment,
            Operation::ChangeConfiguration,
            Operation::DeleteDeployment,
        ];
        let mut calls: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
        for entry in since.calls(&self.scene).await {
            if entry.kind == Kind::Call && writes.contains(&entry.operation) {
                let about = entry.deployment_id.unwrap_or_default();
                calls.entry(about).or_default().push(entry.operation);
            }
        }
        let mut findings = Vec::new();
        for case in &self.cases {
            let mut expected: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
            for (operation, deployment) in then(case).calls {
                let id = case.id_of(*deployment).to_owned();
                expected.entry(id).or_default().push(*operation);
            }
            for deployment in [Deployment::First, Deployment::Last, Deployment::New] {
                expected
                    .entry(case.id_of(deployment).to_owned())
                    .or_default();
            }
            // Where there is no deployment, nothing can be called for it.
            expected.retain(|id, expected| !id.is_empty() || !expected.is_empty());
            for (id, expected) in expected {
                let made = calls.remove(&id).unwrap_or_default();
                if made != expected {
                    findings.push(format!(
                        "{}: of deployment {id}, {expected:?} was expected, and {made:?} was called",
                        case.row.name
                    ));
                }
            }
        }
        findings.extend(calls.into_iter().map(|(id, made)| {
            format!("{made:?} was called for deployment {id}, which is nobody's")
        }));
        findings
    }

    /// What the operator has told the API server since a moment, and should not have.
    fn writes(&self, mut since: Moment, then: impl Fn(&Case) -> &Then) -> Vec<String> {
        let mut announced = self.announced.clone();
        let mut let_go = BTreeSet::new();
        for write in since.writes(&self.scene) {
            let object = write.answer.unwrap_or_default();
            if let Some(serial) = object["status"]["createSerial"].as_i64() {
                announced.insert(write.name.clone(), serial);
            }
            let finalizers = object["metadata"]["finalizers"].as_array();
            let held = finalizers.is_some_and(|all| all.iter().any(|one| one == FINALIZER));
            if !held {
                let_go.insert(write.name);
            }
        }
        let mut findings = Vec::new();
        for case in &self.cases {
            let (row, then) = (case.row, then(case));
            let before = self.announced.get(row.name).copied().unwrap_or_default();
            let after = announced.get(row.name).copied().unwrap_or_default();
            let creations = then
                .calls
                .iter()
                .filter(|(operation, _)| *operation == Operation::CreateDeployment);
            let expected = before + creations.count() as i64;
            if after != expected {
                findings.push(format!(
                    "{} has announced {after} create calls, not {expected}",
                    row.name
                ));
            }
            if let_go.contains(row.name) && then.state != State::Gone {
                findings.push(format!("{} was let go", row.name));
            }
        }
        findings
    }
}

/// In what an object differs from what it is to be.
fn difference(case: &Case, expected: State, object: Option<&Value>) -> Option<String> {
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
    let as_expected = match expected {
        State::Gone => false,
        State::Held => is_held(object),
        State::Ready(reason, deployment) => {
            ready["status"] == "True" && ready["reason"] == reason && case.is(deployment, &id)
        }
        State::Stalled(reason, deployment) => {
            stalled["reason"] == reason && case.is(deployment, &id)
        }
        State::Asks(deployment) => {
            let named = case.id_of(deployment);
            let message = stalled["message"].as_str().unwrap_or_default();
            stalled["reason"] == "Ambiguous" && message.contains(named)
        }
    };
    let settled = expected == State::Held || looked_at && lives;
    (!(as_expected && settled)).then(|| {
        format!(
            "{name} is to be {expected:?} ({:?}), but is {} ({}) with deployment {id:?}{}",
            case.had().collect::<Vec<_>>(),
            ready["reason"],
            ready["message"],
            if lives { "" } else { ", and is to be gone" }
        )
    })
}
