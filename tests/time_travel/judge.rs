//! Waits for what is to be, and gathers what was done since a moment, by AI Core's log and by the API server's.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use aicore_emulator::{Entry, Operation};
use futures::future::join_all;
use harness::control_plane::AuditEntry;
use harness::operator;
use harness::scene::{CONNECTION, LIMIT, Scene};
use kube::api::DynamicObject;
use kube::runtime::wait::await_condition;
use serde_json::{Value, json};

use crate::case::Case;
use crate::rows::{Deployment, Source, State, Then};
use crate::verdict::{difference, unexpected_calls, unexpected_writes, writes_to_ai_core};
use crate::world::World;

/// So many lists without anything done that nothing is to come: twice a second, longer than a create call may take to be settled.
const LISTS_OF_QUIET: usize = 12;

/// How long it may take until nothing is done any more.
const UNREST: Duration = Duration::from_secs(90);

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
    pub async fn expect(&mut self, mut since: Moment, then: impl Fn(&Case) -> Then) {
        // The backup may have the expected state already, before anybody has looked at the object.
        self.differences(&then).await;
        self.quiet(since).await;
        let mut findings = self.differences(&then).await;
        findings.extend(self.find_new().await);
        findings.extend(self.orphans(&then).await);
        let calls = since.calls(&self.scene).await;
        findings.extend(unexpected_calls(&self.cases, &then, &calls));
        let writes = since.writes(&self.scene);
        findings.extend(unexpected_writes(
            &self.cases,
            &then,
            &self.announced,
            &writes,
        ));
        if !findings.is_empty() {
            self.scene.despair(&findings.join("\n")).await;
        }
    }

    /// Waits until nothing is done any more, in AI Core and in Kubernetes.
    async fn quiet(&self, since: Moment) {
        let ai_core = &self.scene.ai_core;
        let started = Instant::now();
        let mut done = self.done(since).await;
        loop {
            let lists = ai_core.calls(Operation::ListDeployments).await.len();
            ai_core
                .called(Operation::ListDeployments, lists + LISTS_OF_QUIET, LIMIT)
                .await;
            let before = std::mem::replace(&mut done, self.done(since).await);
            if before == done {
                return;
            }
            if started.elapsed() > UNREST {
                self.scene.despair("it does not come to rest").await;
            }
        }
    }

    /// How much was written to AI Core and to Kubernetes since a moment.
    async fn done(&self, mut since: Moment) -> [usize; 2] {
        let calls = since.calls(&self.scene).await.into_iter();
        [
            calls.filter(writes_to_ai_core).count(),
            since.writes(&self.scene).len(),
        ]
    }

    /// In what the objects differ from what they are to be, after some time.
    async fn differences(&self, then: impl Fn(&Case) -> Then) -> Vec<String> {
        let differences = join_all(self.cases.iter().map(|case| self.differs(case, then(case))));
        differences.await.into_iter().flatten().collect()
    }

    /// In what an object differs from what it is to be, after some time.
    async fn differs(&self, case: &Case, then: Then) -> Option<String> {
        let api = self.scene.api("Deployment");
        let reached = |object: Option<&DynamicObject>| {
            let object = object.map(|object| json!(object));
            difference(case, then.state, object.as_ref()).is_none()
        };
        let reached = await_condition(api.clone(), case.row.name, reached);
        // What it is in the end is looked up below.
        let _ = tokio::time::timeout(LIMIT, reached).await;
        let object = api.get_opt(case.row.name).await;
        let object = object.expect("an administrator may look");
        difference(
            case,
            then.state,
            object.map(|object| json!(object)).as_ref(),
        )
    }

    /// Finds what was made since the restore, and every object that has more than one deployment.
    async fn find_new(&mut self) -> Vec<String> {
        let remote = self.scene.ai_core.deployments().await;
        let mut findings = Vec::new();
        for case in &mut self.cases {
            let own = case.own_deployments(&remote);
            if own.len() > 1 {
                findings.push(format!("{} has too many: {own:?}", case.row.name));
            }
            let mut own = own.into_iter();
            if let Some(new) = own.find(|id| case.is(Deployment::New, id)) {
                case.new = new;
            }
        }
        findings
    }

    /// In what the orphans that the Connection names differ from those that there are: what bears the name of an object that is gone.
    async fn orphans(&self, then: impl Fn(&Case) -> Then) -> Option<String> {
        let remote = self.scene.ai_core.deployments().await;
        let gone = self
            .cases
            .iter()
            .filter(|case| case.row.source == Source::Inline && then(case).state == State::Gone);
        let orphans: BTreeSet<String> = gone
            .flat_map(|case| case.own_deployments(&remote))
            .collect();
        let told = |object: Option<&DynamicObject>| {
            object.is_some_and(|connection| named_orphans(&json!(connection)) == orphans)
        };
        let told = await_condition(self.scene.api("Connection"), CONNECTION, told);
        // What it names in the end is looked up below.
        let _ = tokio::time::timeout(LIMIT, told).await;
        let named = named_orphans(&self.scene.get("Connection", CONNECTION).await);
        (named != orphans).then(|| {
            format!("the orphans are {orphans:?}, but Connection {CONNECTION} names {named:?}")
        })
    }
}

fn named_orphans(connection: &Value) -> BTreeSet<String> {
    let orphans = connection["status"]["orphans"].as_array();
    let ids = orphans.into_iter().flatten().map(|orphan| &orphan["id"]);
    ids.filter_map(Value::as_str).map(str::to_owned).collect()
}
