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
    /// Makes a namespace with this metadata.
    pub(super) async fn found(client: &Client, metadata: &Value) -> Self {
        let namespace = json!({"metadata": metadata});
        let namespace: Namespace = serde_json::from_value(namespace).expect("it is a namespace");
        let created = Api::<Namespace>::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await
            .expect("an administrator may create it");
        let namespace = created.name_any();
        Self::watch(client, namespace)
    }

    /// A namespace that is there, or that the test has made by other means.
    fn watch(client: &Client, namespace: String) -> Self {
        Self {
            histories: Histories::watch(api(client, &namespace, "Deployment")),
            namespace,
        }
    }
}

impl Scene {
    /// Makes another namespace, with these labels, and returns its name. The operator sees it only where it looks everywhere.
    pub async fn found(&mut self, labels: Value) -> String {
        let metadata = json!({"generateName": "scene-", "labels": labels});
        let place = Place::found(&self.client, &metadata).await;
        let namespace = place.namespace.clone();
        self.places.push(place);
        namespace
    }

    /// Makes a namespace part of the scene that is there already, or that the test makes by itself later. No object may be in it yet.
    pub fn include(&mut self, namespace: &str) {
        let place = Place::watch(&self.client, namespace.to_owned());
        self.places.push(place);
    }

    /// The namespace that every function is about.
    pub(super) fn place(&self) -> &Place {
        let mut places = self.places.iter();
        let entered = places.find(|place| place.namespace == self.namespace);
        entered.expect("only a namespace of the scene is entered")
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
