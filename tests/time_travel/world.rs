//! The life of all objects: until the backup, after it, and once it is restored.

use std::collections::BTreeMap;

use aicore_emulator::{Effect, Operation};
use futures::future::join_all;
use harness::emulated::RemoteDeployment;
use harness::scene::{CONNECTION, GROUP, LIMIT, SECRET, Scene, Setting, connection};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::rows::{After, Before, Deployment, ROWS, Row, Source, State};

/// The Connection of the objects whose configurations nobody else creates deployments from.
const EXCLUSIVE: &str = "exclusive";

/// Somebody else's finalizer.
pub const FOREIGN_FINALIZER: &str = "example.com/held";

/// So late that everything ends before the answer.
const NEVER: Effect = Effect::AnswerLatencyMs(20_000);

/// How long before the first object strangers have made what was there before it.
const LONG_BEFORE: SignedDuration = SignedDuration::from_hours(1);

/// An object, and the deployments that are its own.
pub struct Case {
    /// Its story.
    pub row: &'static Row,
    /// The existing configuration that it names, or that the deployment which it adopts was made from.
    configuration: Option<String>,
    /// What strangers have made from that configuration, besides what it adopts.
    strangers: Vec<String>,
    /// The deployment that it adopts.
    adopted: Option<String>,
    /// Its deployment when the backup was made; empty when it had none.
    pub first: String,
    /// Its deployment when everything ended; empty when it had none.
    pub last: String,
    /// The deployment that was made for it since the restore; empty when none was.
    pub new: String,
}

/// What a user wants an object to be.
struct Wish<'a> {
    state: &'a str,
    tag: &'a str,
    policy: &'a str,
    /// Instead of what it adopts from the beginning.
    adopt: Option<&'a str>,
}

const RUN: Wish<'_> = Wish {
    state: "Running",
    tag: "1",
    policy: "Delete",
    adopt: None,
};
const REST: Wish<'_> = Wish {
    state: "Stopped",
    ..RUN
};
const NOTHING: Wish<'_> = Wish {
    state: "Deleted",
    ..RUN
};

/// All objects in a scene of their own.
pub struct World {
    /// The control plane, AI Core and the operator.
    pub scene: Scene,
    /// The objects.
    pub cases: Vec<Case>,
    /// How many create calls each object had announced when the backup was made, or when its last wish was made again.
    pub announced: BTreeMap<String, i64>,
}

impl World {
    /// Has everything that is there before the first object.
    pub async fn begin(setting: Setting<'_>) -> Self {
        let scene = Scene::start_alone(setting).await;
        let mut exclusive = connection(EXCLUSIVE, SECRET);
        exclusive["spec"]["exclusive"] = json!(true);
        scene.put(&exclusive).await;
        scene
            .until_reason("Connection", EXCLUSIVE, "Connected")
            .await;
        let cases = join_all(ROWS.iter().map(|row| Case::begin(&scene, row))).await;
        Self {
            scene,
            cases,
            announced: BTreeMap::new(),
        }
    }

    /// Everything until the moment of the backup. The operator does not run then.
    pub async fn live_until_backup(&mut self) {
        let scene = &self.scene;
        join_all(self.cases.iter().map(|case| case.prepare(scene))).await;
        let are = |before| move |case: &&Case| case.row.before == before;
        let cut: Vec<&Case> = self.cases.iter().filter(are(Before::CreateCut)).collect();
        let calls = scene.ai_core.calls(Operation::CreateDeployment).await.len();
        self.hold_creations_back().await;
        for case in &cut {
            case.put(scene, &RUN).await;
        }
        scene
            .ai_core
            .called(Operation::CreateDeployment, calls + cut.len(), LIMIT)
            .await;
        self.scene.operator.kill().await;
        self.scene.ai_core.heal().await;
        for case in self.cases.iter().filter(are(Before::Terminating)) {
            self.scene.delete("Deployment", case.row.name).await;
        }
        for case in &mut self.cases {
            case.first = case.own_deployment(&self.scene).await;
        }
        self.count_announcements().await;
    }

    /// Everything from the backup to the end.
    pub async fn live_on(&mut self) {
        self.scene.operator.start_again();
        let scene = &self.scene;
        join_all(self.cases.iter().map(|case| case.live_on(scene))).await;
        for case in &mut self.cases {
            case.others_create_too(&self.scene).await;
        }
        self.begin_what_will_not_end().await;
        for case in &mut self.cases {
            case.last = case.own_deployment(&self.scene).await;
        }
    }

    /// A create call and a deletion that are under way when everything ends.
    async fn begin_what_will_not_end(&self) {
        let scene = &self.scene;
        for case in self.after(After::DeletedAtLast) {
            let frozen = json!({"frozen": true});
            scene.ai_core.force(&case.first, frozen).await;
            scene.delete("Deployment", case.row.name).await;
            let stopping =
                |object: &Value| object["status"]["deployment"]["targetState"] == "STOPPED";
            scene
                .until("Deployment", case.row.name, "it is being stopped", stopping)
                .await;
        }
        let calls = scene.ai_core.calls(Operation::CreateDeployment).await.len();
        self.hold_creations_back().await;
        let created: Vec<&Case> = self.after(After::CreatedAtLast).collect();
        for case in &created {
            case.put(scene, &RUN).await;
        }
        scene
            .ai_core
            .called(Operation::CreateDeployment, calls + created.len(), LIMIT)
            .await;
    }

    /// Has what was under way when everything ended go on in AI Core.
    pub async fn release_what_was_held_back(&self) {
        self.scene.ai_core.heal().await;
        for case in self.after(After::DeletedAtLast) {
            let free = json!({"frozen": false});
            self.scene.ai_core.force(&case.first, free).await;
        }
    }

    /// Makes every last wish again.
    pub async fn wish_again(&mut self) {
        self.count_announcements().await;
        let scene = &self.scene;
        join_all(self.cases.iter().map(|case| case.wish_again(scene))).await;
    }

    /// Tells every object that asks for it which deployment is its own.
    pub async fn answer(&mut self) {
        self.count_announcements().await;
        for case in &self.cases {
            if let State::Asks(deployment) = case.row.again.state {
                case.choose(&self.scene, case.id_of(deployment)).await;
            }
        }
    }

    async fn count_announcements(&mut self) {
        let objects = self
            .scene
            .api("Deployment")
            .list(&ListParams::default())
            .await;
        let objects = objects.expect("an administrator may look");
        let serial = |data: &Value| data["status"]["createSerial"].as_i64().unwrap_or_default();
        self.announced = objects
            .iter()
            .map(|object| (object.name_any(), serial(&object.data)))
            .collect();
    }

    fn after(&self, after: After) -> impl Iterator<Item = &Case> {
        self.cases
            .iter()
            .filter(move |case| case.row.after == after)
    }

    async fn hold_creations_back(&self) {
        self.scene
            .ai_core
            .fault("late answer", &[Operation::CreateDeployment], None, NEVER)
            .await;
    }
}

impl Case {
    /// An object that has had no deployment yet.
    pub fn new(row: &'static Row) -> Self {
        Self {
            row,
            configuration: None,
            strangers: Vec::new(),
            adopted: None,
            first: String::new(),
            last: String::new(),
            new: String::new(),
        }
    }

    /// Makes what is there before the object.
    async fn begin(scene: &Scene, row: &'static Row) -> Self {
        let mut case = Self::new(row);
        if row.source == Source::Inline {
            return case;
        }
        let configuration = scene.ai_core.add_configuration(GROUP).await;
        if row.source == Source::Adopted {
            let adopted = scene.ai_core.add_deployment(GROUP, &configuration).await;
            case.adopted = Some(adopted);
        }
        case.configuration = Some(configuration);
        case.others_create_too(scene).await;
        for stranger in &case.strangers {
            let created = (Timestamp::now() - LONG_BEFORE).to_string();
            let aged = json!({"createdAt": created});
            scene.ai_core.force(stranger, aged).await;
        }
        case
    }

    /// Where strangers use the same configuration, one of them creates a deployment from it.
    async fn others_create_too(&mut self, scene: &Scene) {
        if let (Source::Plain, Some(configuration)) = (self.row.source, &self.configuration) {
            let stranger = scene.ai_core.add_deployment(GROUP, configuration).await;
            self.strangers.push(stranger);
        }
    }

    /// Brings the object to what it is when the backup is made, except for what takes a dead operator.
    async fn prepare(&self, scene: &Scene) {
        let name = self.row.name;
        match self.row.before {
            Before::Absent | Before::CreateCut => {}
            Before::Runs | Before::Terminating => self.run(scene).await,
            Before::NeverRan => self.rest(scene).await,
            Before::Stopped => {
                self.run(scene).await;
                self.rest(scene).await;
            }
            Before::Removed => {
                self.run(scene).await;
                self.put(scene, &NOTHING).await;
                scene.until_ready(name, "Deleted").await;
            }
            Before::Held => {
                self.run(scene).await;
                let held = json!({"metadata": {"finalizers": ["aicore.dev/deployment", FOREIGN_FINALIZER]}});
                scene.change("Deployment", name, held).await;
                scene.delete("Deployment", name).await;
                let alone = |object: &Value| is_held(object);
                scene
                    .until("Deployment", name, "only another holds it", alone)
                    .await;
            }
        }
    }

    /// What becomes of the object after the backup, except for what does not end.
    async fn live_on(&self, scene: &Scene) {
        let name = self.row.name;
        match self.row.after {
            After::Kept | After::CreatedAtLast | After::DeletedAtLast => {}
            After::Deleted | After::Orphaned => self.wish_again(scene).await,
            After::Halted => self.rest(scene).await,
            After::Restarted => {
                self.rest(scene).await;
                self.run(scene).await;
            }
            After::Retagged => {
                self.wish_again(scene).await;
                scene.until_ready(name, "Running").await;
            }
            After::LetGo => self.wish_again(scene).await,
            After::Ended => scene.until_gone("Deployment", name).await,
            After::Resolved => {
                scene.until_ready(name, "Running").await;
            }
            After::GivenTheChoice => {
                scene.until_stalled(name, "Ambiguous").await;
                self.wish_again(scene).await;
                scene.until_ready(name, "Running").await;
            }
            After::Started | After::Created => self.run(scene).await,
            After::StartedAndStopped => {
                self.run(scene).await;
                self.rest(scene).await;
            }
        }
    }

    /// Makes the last wish, whether for the first or for the second time.
    async fn wish_again(&self, scene: &Scene) {
        let name = self.row.name;
        match self.row.after {
            After::Kept if self.row.before == Before::Removed => self.put(scene, &NOTHING).await,
            After::Kept if self.row.before != Before::Runs => self.put(scene, &REST).await,
            After::Halted | After::StartedAndStopped => self.put(scene, &REST).await,
            After::Kept
            | After::Restarted
            | After::Started
            | After::Resolved
            | After::Created
            | After::CreatedAtLast => self.put(scene, &RUN).await,
            After::Retagged => self.put(scene, &Wish { tag: "2", ..RUN }).await,
            After::GivenTheChoice => self.choose(scene, &self.first).await,
            After::Deleted | After::DeletedAtLast => scene.delete_and_wait(name).await,
            After::Orphaned => {
                let orphan = Wish {
                    policy: "Orphan",
                    ..RUN
                };
                self.put(scene, &orphan).await;
                scene.delete_and_wait(name).await;
            }
            After::LetGo => {
                let nobody = json!({"metadata": {"finalizers": null}});
                scene.change("Deployment", name, nobody).await;
                scene.until_gone("Deployment", name).await;
            }
            After::Ended => scene.until_gone("Deployment", name).await,
        }
    }

    /// Somebody says which deployment is the object's.
    async fn choose(&self, scene: &Scene, id: &str) {
        let chosen = Wish {
            adopt: Some(id),
            ..RUN
        };
        self.put(scene, &chosen).await;
    }

    async fn run(&self, scene: &Scene) {
        self.put(scene, &RUN).await;
        scene.until_ready(self.row.name, "Running").await;
    }

    async fn rest(&self, scene: &Scene) {
        self.put(scene, &REST).await;
        scene.until_ready(self.row.name, "Stopped").await;
    }

    async fn put(&self, scene: &Scene, wish: &Wish<'_>) {
        let connection = match self.row.source {
            Source::Exclusive => EXCLUSIVE,
            _ => CONNECTION,
        };
        let mut spec = json!({
            "desiredState": wish.state,
            "resourceGroup": GROUP,
            "connectionRef": {"name": connection},
            "deletionPolicy": wish.policy,
        });
        if self.row.recreate {
            spec["recreatePolicy"] = json!("Always");
        }
        match self.row.source {
            Source::Inline => {
                spec["configuration"] = json!({
                    "scenarioId": "churn",
                    "executableId": "churn-server",
                    "parameters": {"imageTag": wish.tag, "modelName": self.row.name},
                });
            }
            Source::Plain | Source::Exclusive => {
                spec["configurationId"] = json!(self.configuration);
            }
            Source::Adopted => {}
        }
        if let Some(id) = wish.adopt.or(self.adopted.as_deref()) {
            spec["adopt"] = json!({"deploymentId": id});
        }
        let object = json!({
            "apiVersion": "aicore.dev/v1alpha1",
            "kind": "Deployment",
            "metadata": {"name": self.row.name},
            "spec": spec,
        });
        scene.put(&object).await;
    }

    /// The ids of all deployments that belong to the object, whether it knows them or not.
    pub fn own_deployments(&self, remote: &[RemoteDeployment]) -> Vec<String> {
        let own = remote.iter().filter(|remote| match self.row.source {
            Source::Inline => {
                remote.parameters.get("modelName").map(String::as_str) == Some(self.row.name)
            }
            _ => {
                Some(&remote.configuration_id) == self.configuration.as_ref()
                    && !self.strangers.contains(&remote.id)
            }
        });
        own.map(|remote| remote.id.clone()).collect()
    }

    /// The deployment that belongs to the object; empty when there is none.
    async fn own_deployment(&self, scene: &Scene) -> String {
        let mut own = self.own_deployments(&scene.ai_core.deployments().await);
        assert!(own.len() <= 1, "{} has {own:?}", self.row.name);
        own.pop().unwrap_or_default()
    }

    /// The id of one of the deployments that the object has had; empty where there is none.
    pub fn id_of(&self, deployment: Deployment) -> &str {
        match deployment {
            Deployment::Nothing => "",
            Deployment::First => &self.first,
            Deployment::Last => &self.last,
            Deployment::New => &self.new,
        }
    }

    /// The deployments that the object had, at the backup and at the end.
    pub fn had(&self) -> impl Iterator<Item = &str> {
        let had = [self.first.as_str(), self.last.as_str()];
        had.into_iter().filter(|id| !id.is_empty())
    }

    /// Whether `id` is what an object records that has this deployment.
    pub fn is(&self, deployment: Deployment, id: &str) -> bool {
        match deployment {
            Deployment::New => !id.is_empty() && self.had().all(|had| had != id),
            deployment => self.id_of(deployment) == id,
        }
    }
}

/// Whether nothing holds an object that is to be gone but somebody else's finalizer.
pub fn is_held(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
        && object["metadata"]["finalizers"] == json!([FOREIGN_FINALIZER])
}
