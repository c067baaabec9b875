//! The Kubernetes API as patient people use it: what fails is tried again until it works, for the API server is away now and then.

use std::time::{Duration, Instant};

use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::objects::NAMESPACES;

/// How long one try may take, and how long all of them.
const TRY: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(120);

/// From one try to the next.
const PAUSE: Duration = Duration::from_millis(200);

/// A client that may do everything.
#[derive(Clone)]
pub struct Kubernetes {
    client: Client,
}

impl Kubernetes {
    /// With the rights of this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Creates or changes an object by server-side apply.
    pub async fn apply(&self, namespace: &str, object: &Value) {
        let kind = object["kind"].as_str().expect("the object has a kind");
        let name = object["metadata"]["name"].as_str().expect("it has a name");
        let api = self.api(kind, namespace);
        let parameters = PatchParams::apply("user").force();
        let patch = Patch::Apply(object);
        persist(format!("applying {kind} {name}"), || {
            api.patch(name, &parameters, &patch)
        })
        .await;
    }

    /// Changes fields of an object. False when it is not there.
    pub async fn change(&self, kind: &str, namespace: &str, name: &str, fields: &Value) -> bool {
        let api = self.api(kind, namespace);
        let parameters = PatchParams {
            field_manager: Some("user".to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(fields);
        let changed = persist(format!("changing {name}"), || {
            api.patch(name, &parameters, &patch)
        });
        changed.await.is_some()
    }

    /// Asks for the deletion of a Deployment. False when it is not there.
    pub async fn delete(&self, namespace: &str, name: &str) -> bool {
        let api = self.api("Deployment", namespace);
        let parameters = DeleteParams::default();
        let deleted = persist(format!("deleting {name}"), || api.delete(name, &parameters));
        deleted.await.is_some()
    }

    /// Asks for the deletion of all Deployments with a label.
    pub async fn sweep(&self, label: &str) {
        let parameters = DeleteParams::default();
        let labelled = ListParams::default().labels(label);
        for namespace in NAMESPACES {
            let api = self.api("Deployment", namespace);
            persist(format!("deleting all with {label}"), || {
                api.delete_collection(&parameters, &labelled)
            })
            .await;
        }
    }

    /// An object as it is now; nothing when it is not there.
    pub async fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let api = self.api(kind, namespace);
        let found = persist(format!("reading {kind} {name}"), || api.get(name));
        found.await.map(|object| json!(object))
    }

    /// All Deployments of both namespaces.
    pub async fn deployments(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for namespace in NAMESPACES {
            let api = self.api("Deployment", namespace);
            let parameters = ListParams::default();
            let listed = persist("listing Deployments".to_owned(), || api.list(&parameters));
            all.extend(
                listed
                    .await
                    .into_iter()
                    .flatten()
                    .map(|object| json!(object)),
            );
        }
        all
    }

    fn api(&self, kind: &str, namespace: &str) -> Api<DynamicObject> {
        let (group, version) = match kind {
            "Deployment" | "Connection" => ("aicore.dev", "v1alpha1"),
            _ => ("", "v1"),
        };
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        if kind == "Namespace" {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), namespace, &resource)
        }
    }
}

/// Tries until it works. Nothing when the object is not there.
///
/// # Panics
///
/// When the API server says that the request is wrong, or does not answer for two minutes.
async fn persist<T, F>(what: String, attempt: impl Fn() -> F) -> Option<T>
where
    F: Future<Output = kube::Result<T>>,
{
    let started = Instant::now();
    loop {
        let failure = match tokio::time::timeout(TRY, attempt()).await {
            Ok(Ok(done)) => return Some(done),
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => return None,
            // 401 and 403 come from an API server that has only just started.
            Ok(Err(kube::Error::Api(status)))
                if status.code < 500 && ![401, 403, 409, 429].contains(&status.code) =>
            {
                panic!("{what} is refused: {status:?}")
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {TRY:?}"),
        };
        assert!(
            started.elapsed() < PATIENCE,
            "{what} does not work for {PATIENCE:?}: {failure}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}
