//! One test's world: a namespace of a control plane or several, an AI Core, a Secret, a Connection and the operator.

mod awaiting;
mod despair;
mod ending;
mod history;
mod places;
mod uninstall;

use std::ops::Deref;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use aicore_emulator::Settings;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::control_plane::ControlPlane;
use crate::emulated::{Emulated, TENANT};
use crate::operator::Operator;
use places::Place;

/// How long anything may take that a test waits for.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The names of the Connection and of its Secret in every scene.
pub const CONNECTION: &str = "aicore";
/// See [`CONNECTION`].
pub const SECRET: &str = "aicore-key";

/// The resource group that the objects of a scene live in.
pub const GROUP: &str = "team-a";

/// What a scene starts with.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// The path of the operator's program.
    pub binary: &'a str,
    /// Timings and switches of AI Core.
    pub ai_core: Settings,
    /// Further arguments of the operator.
    pub arguments: &'a [&'a str],
    /// Environment variables of the operator, besides those that it needs.
    pub variables: &'a [(String, String)],
    /// The URL at which the operator reaches the API server, for instance that of a [`crate::proxy::Proxy`]; the server's own when absent.
    pub api_server: Option<String>,
    /// Whether Secret and Connection are there, and ready, from the start.
    pub connected: bool,
    /// Whether the operator looks at all namespaces, and not only at that of the scene. Then nobody else may use the control plane.
    pub everywhere: bool,
    /// Whether the operator may be refused a right, because the test takes it away, or because the API server starts under it and refuses
    /// everything for a moment.
    pub may_lack_rights: bool,
}

/// The end of a `kubectl` command.
#[derive(Debug)]
pub struct Outcome {
    /// Whether it succeeded.
    pub succeeded: bool,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

/// One test's world. [`Scene::finish`] holds it against the laws.
///
/// # Panics
///
/// Every function panics when something that the test relies on does not happen in time, and then shows what there is: objects, events, the
/// end of the operator's log and the end of AI Core's.
pub struct Scene {
    /// The namespace that every function is about. [`Scene::enter`] changes it.
    pub namespace: String,
    /// AI Core, which a scene beside this one shares.
    pub ai_core: Arc<Emulated>,
    /// The operator.
    pub operator: Operator,
    /// Operators at work beside it. The end of the test holds them to the same conduct.
    pub beside: Vec<Operator>,
    client: Client,
    places: Vec<Place>,
    may_lack_rights: bool,
    /// How much was in the API server's audit log before it; nothing on an existing cluster, whose log cannot be read.
    log_begins: Option<u64>,
    /// Whether the CustomResourceDefinitions were deleted.
    uninstalled: bool,
    control_plane: Stage,
}

/// The control plane that a scene is on.
enum Stage {
    /// That of all scenes of the process.
    Shared(&'static ControlPlane),
    /// One of its own, which goes with it.
    Own(Box<ControlPlane>),
}

impl Stage {
    async fn own() -> Self {
        match ControlPlane::start_with_answers().await {
            Ok(control_plane) => Self::Own(Box::new(control_plane)),
            Err(error) => panic!("{}", error.with_causes()),
        }
    }
}

impl Deref for Stage {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        match self {
            Self::Shared(control_plane) => control_plane,
            Self::Own(control_plane) => control_plane,
        }
    }
}

impl Setting<'_> {
    /// Everything is fast, and the Connection is ready.
    #[must_use]
    pub fn of(binary: &str) -> Setting<'_> {
        Setting {
            binary,
            ai_core: Settings::fast(),
            arguments: &[],
            variables: &[],
            api_server: None,
            connected: true,
            everywhere: false,
            may_lack_rights: false,
        }
    }
}

impl Scene {
    /// Makes a namespace of the shared control plane, and everything in it.
    pub async fn start(setting: Setting<'_>) -> Self {
        Self::start_on(Stage::Shared(ControlPlane::shared().await), setting).await
    }

    /// Makes the same on a control plane of its own, from [`ControlPlane::start_with_answers`].
    pub async fn start_alone(setting: Setting<'_>) -> Self {
        Self::start_on(Stage::own().await, setting).await
    }

    /// Makes a namespace of the same name, and everything in it, on another control plane, for the same AI Core.
    pub async fn start_beside(&self, setting: Setting<'_>) -> Self {
        let namespace = json!({"name": self.namespace});
        let ai_core = Arc::clone(&self.ai_core);
        Self::start_in(Stage::own().await, &namespace, ai_core, setting).await
    }

    async fn start_on(control_plane: Stage, setting: Setting<'_>) -> Self {
        let namespace = json!({"generateName": "scene-"});
        let ai_core = Arc::new(Emulated::start(setting.ai_core.clone()).await);
        Self::start_in(control_plane, &namespace, ai_core, setting).await
    }

    async fn start_in(
        control_plane: Stage,
        namespace: &Value,
        ai_core: Arc<Emulated>,
        setting: Setting<'_>,
    ) -> Self {
        let log_begins = control_plane.audit_position().ok();
        let client = control_plane.admin_client();
        let place = Place::found(&client, namespace).await;
        let namespace = place.namespace.clone();
        let operator = match setting.everywhere {
            true => Operator::start_everywhere(&control_plane, &setting).await,
            false => Operator::start(&control_plane, &namespace, &setting).await,
        };
        let scene = Self {
            namespace,
            ai_core,
            operator,
            beside: Vec::new(),
            client,
            places: vec![place],
            may_lack_rights: setting.may_lack_rights,
            log_begins,
            uninstalled: false,
            control_plane,
        };
        if setting.connected {
            scene.connect(TENANT).await;
        }
        scene
    }

    /// The control plane that it is on.
    #[must_use]
    pub fn control_plane(&self) -> &ControlPlane {
        &self.control_plane
    }

    /// Makes the Secret with the key of a tenant and the Connection to it, and waits until that is ready.
    pub async fn connect(&self, tenant: &str) {
        self.put_key(tenant).await;
        self.put(&connection(CONNECTION, SECRET)).await;
        self.until_reason("Connection", CONNECTION, "Connected")
            .await;
    }

    /// Makes the Secret hold the key of a tenant.
    pub async fn put_key(&self, tenant: &str) {
        let key = self.ai_core.service_key(tenant).await.to_string();
        self.put(&secret(SECRET, &json!({"key": key}))).await;
    }

    /// The objects of a kind in the namespace: `Deployment`, `Connection`, `Secret` or `Event`.
    #[must_use]
    pub fn api(&self, kind: &str) -> Api<DynamicObject> {
        api(&self.client, &self.namespace, kind)
    }

    /// Creates or changes an object by server-side apply.
    pub async fn put(&self, object: &Value) {
        let kind = object["kind"].as_str().expect("the object has a kind");
        let name = object["metadata"]["name"].as_str().expect("it has a name");
        let apply = PatchParams::apply("test").force();
        self.patch(kind, name, &apply, &Patch::Apply(object)).await;
    }

    /// Changes fields of an object; null removes one.
    pub async fn change(&self, kind: &str, name: &str, fields: Value) {
        self.patch(kind, name, &PatchParams::default(), &Patch::Merge(&fields))
            .await;
    }

    async fn patch(&self, kind: &str, name: &str, how: &PatchParams, patch: &Patch<&Value>) {
        let patched = self.api(kind).patch(name, how, patch).await;
        let object = patched.unwrap_or_else(|error| panic!("{kind} {name} is refused: {error}"));
        if kind == "Deployment" {
            self.place().histories.told(&object);
        }
    }

    /// Changes fields of what is recorded of an object, as a restored backup does.
    pub async fn change_status(&self, kind: &str, name: &str, fields: Value) {
        let status = Patch::Merge(json!({"status": fields}));
        self.api(kind)
            .patch_status(name, &PatchParams::default(), &status)
            .await
            .unwrap_or_else(|error| panic!("the change of {kind} {name} is refused: {error}"));
    }

    /// Has an object deleted, and does not wait for it.
    pub async fn delete(&self, kind: &str, name: &str) {
        self.api(kind)
            .delete(name, &DeleteParams::default())
            .await
            .unwrap_or_else(|error| panic!("{kind} {name} cannot be deleted: {error}"));
    }

    /// Has the whole namespace deleted, and does not wait for it.
    pub async fn delete_namespace(&self) {
        Api::<Namespace>::all(self.client.clone())
            .delete(&self.namespace, &DeleteParams::default())
            .await
            .expect("an administrator may delete it");
    }

    /// An object as it is now.
    pub async fn get(&self, kind: &str, name: &str) -> Value {
        let object = self.api(kind).get(name).await;
        let object = object.unwrap_or_else(|error| panic!("{kind} {name} cannot be read: {error}"));
        json!(object)
    }

    /// Runs `kubectl` as administrator in the namespace.
    pub async fn kubectl(&self, arguments: &[&str]) -> Outcome {
        self.kubectl_with(arguments, &Value::Null).await
    }

    /// Runs `kubectl apply` on an object.
    pub async fn apply(&self, object: &Value) -> Outcome {
        self.kubectl_with(&["apply", "-f", "-"], object).await
    }

    /// Runs `kubectl apply` on an object as another user.
    pub async fn apply_as(&self, user: &str, object: &Value) -> Outcome {
        self.kubectl_with(&["apply", "--as", user, "-f", "-"], object)
            .await
    }

    async fn kubectl_with(&self, arguments: &[&str], input: &Value) -> Outcome {
        let mut child = self
            .control_plane
            .kubectl()
            .args(["--namespace", &self.namespace])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl is there");
        let mut pipe = child.stdin.take().expect("its input is a pipe");
        if !input.is_null() {
            pipe.write_all(input.to_string().as_bytes())
                .await
                .expect("kubectl reads its input");
        }
        drop(pipe);
        let end = child.wait_with_output().await.expect("kubectl ends");
        Outcome {
            succeeded: end.status.success(),
            output: String::from_utf8_lossy(&end.stdout).into_owned(),
            errors: String::from_utf8_lossy(&end.stderr).into_owned(),
        }
    }

    /// The reasons and notes of all events in the namespace so far, oldest first.
    pub async fn events(&self) -> Vec<(String, String)> {
        let events = self.api("Event").list(&ListParams::default()).await;
        let mut events = events.expect("an administrator may look").items;
        events.sort_by_key(|event| event.data["eventTime"].as_str().map(str::to_owned));
        let text = |event: &DynamicObject, field: &str| {
            event.data[field].as_str().unwrap_or_default().to_owned()
        };
        events
            .iter()
            .map(|event| (text(event, "reason"), text(event, "note")))
            .collect()
    }
}

/// A condition of an object, or null.
#[must_use]
pub fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions
        .and_then(|all| all.iter().find(|condition| condition["type"] == kind))
        .unwrap_or(&Value::Null)
}

/// The id of the remote deployment that a Deployment records, or nothing.
#[must_use]
pub fn id_of(object: &Value) -> String {
    let id = object["status"]["deployment"]["id"].as_str();
    id.unwrap_or_default().to_owned()
}

/// A Connection that uses a Secret.
#[must_use]
pub fn connection(name: &str, secret: &str) -> Value {
    json!({
        "apiVersion": "aicore.dev/v1alpha1",
        "kind": "Connection",
        "metadata": {"name": name},
        "spec": {"secretRef": {"name": secret}},
    })
}

/// A Secret with these entries.
#[must_use]
pub fn secret(name: &str, entries: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": entries,
    })
}

fn api(client: &Client, namespace: &str, kind: &str) -> Api<DynamicObject> {
    let (group, version) = match kind {
        "Deployment" | "Connection" => ("aicore.dev", "v1alpha1"),
        "Event" => ("events.k8s.io", "v1"),
        _ => ("", "v1"),
    };
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    Api::namespaced_with(client.clone(), namespace, &resource)
}
