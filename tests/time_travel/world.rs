//! The life of all objects: until the backup, after it, and once it is restored.

use std::collections::BTreeMap;

use aicore_emulator::{Effect, Operation};
use futures::future::join_all;
use harness::manifests::exclusive_connection;
use harness::scene::{LIMIT, SECRET, Scene, Setting};
use jiff::SignedDuration;
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::case::{Case, EXCLUSIVE};
use crate::rows::{After, Before, ROWS, State};

/// So late that everything ends before the answer.
const NEVER: Effect = Effect::AnswerLatencyMs(20_000);

/// How much longer ago the backup is made than it is: restoring a cluster takes longer than the restore of a test.
const BACKUP_TAKES: SignedDuration = SignedDuration::from_secs(30);

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
        scene.put(&exclusive_connection(EXCLUSIVE, SECRET)).await;
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
            case.apply_to_run(scene).await;
        }
        scene
            .ai_core
            .called(Operation::CreateDeployment, calls + cut.len(), LIMIT)
            .await;
        self.scene.operator.kill().await;
        self.scene.operator.set_lease_back(BACKUP_TAKES).await;
        self.scene.ai_core.heal().await;
        for case in self.cases.iter().filter(are(Before::Terminating)) {
            self.scene.delete("Deployment", case.row.name).await;
        }
        for case in &mut self.cases {
            case.first = case.own_deployment(&self.scene).await;
        }
        for case in self.cases.iter().filter(are(Before::Outgrown)) {
            case.outgrow(&self.scene).await;
        }
        let frozen = json!({"frozen": true});
        for case in self.after(After::ReplacedAtLast) {
            self.scene.ai_core.force(&case.first, frozen.clone()).await;
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
        for case in self.after(After::ReplacedAtLast) {
            let stopping =
                |object: &Value| object["status"]["retiring"][0]["targetState"] == "STOPPED";
            let name = case.row.name;
            let what = "its predecessor is being stopped";
            scene.until("Deployment", name, what, stopping).await;
        }
        let calls = scene.ai_core.calls(Operation::CreateDeployment).await.len();
        self.hold_creations_back().await;
        let created: Vec<&Case> = self.after(After::CreatedAtLast).collect();
        for case in &created {
            case.apply_to_run(scene).await;
        }
        scene
            .ai_core
            .called(Operation::CreateDeployment, calls + created.len(), LIMIT)
            .await;
    }

    /// Has what was under way when everything ended go on in AI Core.
    pub async fn release_what_was_held_back(&self) {
        self.scene.ai_core.heal().await;
        let at_last = [After::DeletedAtLast, After::ReplacedAtLast];
        for case in at_last.into_iter().flat_map(|after| self.after(after)) {
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
