//! The namespaces of a scene.

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

use super::history::Histories;
use super::{Scene, api};

/// A namespace, and what its Deployments have recorded.
pub(super) struct Place {
    pub(super) namespace: String,
    pub(super) histories: Histories,
}

impl Place {
    /// Makes a namespace with these labels.
    pub(super) async fn found(client: &Client, labels: &Value) -> Self {
        let namespace = json!({"metadata": {"generateName": "scene-", "labels": labels}});
        let namespace: Namespace = serde_json::from_value(namespace).expect("it is a namespace");
        let created = Api::<Namespace>::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await
            .expect("an administrator may create it");
        let namespace = created.name_any();
        Self {
            histories: Histories::watch(api(client, &namespace, "Deployment")),
            namespace,
        }
    }
}

impl Scene {
    /// Makes another namespace, with these labels, and returns its name. The operator sees it only where it looks everywhere.
    pub async fn found(&mut self, labels: Value) -> String {
        let place = Place::found(&self.client, &labels).await;
        let namespace = place.namespace.clone();
        self.places.push(place);
        namespace
    }

    /// Has every function be about a namespace of the scene from now on.
    pub fn enter(&mut self, namespace: &str) {
        let known = self.places.iter().any(|place| place.namespace == namespace);
        assert!(known, "{namespace} is not a namespace of this scene");
        namespace.clone_into(&mut self.namespace);
    }

    /// Changes labels of a namespace; null removes one.
    pub async fn label(&self, namespace: &str, labels: Value) {
        let labels = json!({"metadata": {"labels": labels}});
        Api::<Namespace>::all(self.client.clone())
            .patch(namespace, &PatchParams::default(), &Patch::Merge(labels))
            .await
            .expect("an administrator may change it");
    }

    /// The objects of a kind in every namespace of the scene.
    pub(super) async fn everywhere(&self, kind: &str) -> Vec<DynamicObject> {
        let mut found = Vec::new();
        for place in &self.places {
            found.extend(self.listed(&place.namespace, kind).await);
        }
        found
    }

    /// The objects of a kind in one namespace.
    pub(super) async fn listed(&self, namespace: &str, kind: &str) -> Vec<DynamicObject> {
        let objects = api(&self.client, namespace, kind);
        let objects = objects.list(&ListParams::default()).await;
        objects.expect("an administrator may look").items
    }
}
