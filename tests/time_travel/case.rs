//! One object: what it looks like in Kubernetes, and what is done with it.

use harness::emulated::RemoteDeployment;
use harness::manifests::{configuration, with};
use harness::scene::{CONNECTION, GROUP, Scene};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::rows::{After, Before, Deployment, Row, Source};

/// The Connection of the objects whose configurations nobody else creates deployments from.
pub const EXCLUSIVE: &str = "exclusive";

/// Somebody else's finalizer.
const FOREIGN_FINALIZER: &str = "example.com/held";

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
    executable: &'a str,
    policy: &'a str,
    /// Instead of what it adopts from the beginning.
    adopt: Option<&'a str>,
}

const RUN: Wish<'_> = Wish {
    state: "Running",
    tag: "1",
    executable: "churn-server",
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

const RUN_ANOTHER: Wish<'_> = Wish {
    executable: "churn-server-gpu",
    ..RUN
};

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
    pub async fn begin(scene: &Scene, row: &'static Row) -> Self {
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
    pub async fn others_create_too(&mut self, scene: &Scene) {
        if let (Source::Plain, Some(configuration)) = (self.row.source, &self.configuration) {
            let stranger = scene.ai_core.add_deployment(GROUP, configuration).await;
            self.strangers.push(stranger);
        }
    }

    /// Brings the object to what it is when the backup is made, except for what takes a dead operator.
    pub async fn prepare(&self, scene: &Scene) {
        let name = self.row.name;
        match self.row.before {
            Before::Absent | Before::CreateCut => {}
            Before::Runs | Before::Terminating | Before::Outgrown => self.run(scene).await,
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
    pub async fn live_on(&self, scene: &Scene) {
        let name = self.row.name;
        match self.row.after {
            After::Kept | After::CreatedAtLast | After::DeletedAtLast | After::ReplacedAtLast => {}
            After::Replaced => self.until_replaced(scene).await,
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
    pub async fn wish_again(&self, scene: &Scene) {
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
            After::Replaced | After::ReplacedAtLast => self.outgrow(scene).await,
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
    pub async fn choose(&self, scene: &Scene, id: &str) {
        let chosen = Wish {
            adopt: Some(id),
            ..RUN
        };
        self.put(scene, &chosen).await;
    }

    /// Asks for another executable, which AI Core does not give to an existing deployment.
    pub async fn outgrow(&self, scene: &Scene) {
        self.put(scene, &RUN_ANOTHER).await;
    }

    async fn until_replaced(&self, scene: &Scene) {
        let replaced = |object: &Value| {
            let status = &object["status"];
            status["previousIds"] == json!([self.first]) && status["retiring"].is_null()
        };
        scene
            .until("Deployment", self.row.name, "it is replaced", replaced)
            .await;
    }

    async fn run(&self, scene: &Scene) {
        self.put(scene, &RUN).await;
        scene.until_ready(self.row.name, "Running").await;
    }

    async fn rest(&self, scene: &Scene) {
        self.put(scene, &REST).await;
        scene.until_ready(self.row.name, "Stopped").await;
    }

    /// Has it applied so that it is to run, and does not wait for it.
    pub async fn apply_to_run(&self, scene: &Scene) {
        self.put(scene, &RUN).await;
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
                let parameters = json!({"imageTag": wish.tag, "modelName": self.row.name});
                spec["configuration"] = configuration(&parameters);
                spec["configuration"]["executableId"] = json!(wish.executable);
            }
            Source::Plain | Source::Exclusive => {
                spec["configurationId"] = json!(self.configuration);
            }
            Source::Adopted => {}
        }
        if let Some(id) = wish.adopt.or(self.adopted.as_deref()) {
            spec["adopt"] = json!({"deploymentId": id});
        }
        scene.put(&with(self.row.name, spec)).await;
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

    /// The deployment that belongs to the object; empty when there is none. One that it had before and that has a successor does not count.
    pub async fn own_deployment(&self, scene: &Scene) -> String {
        let mut own = self.own_deployments(&scene.ai_core.deployments().await);
        if own.len() > 1 {
            own.retain(|id| *id != self.first);
        }
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
            Deployment::Strangers => self.strangers.last().map_or("", String::as_str),
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
