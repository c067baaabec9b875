//! Waiting for objects, by watches.

use std::pin::pin;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::DynamicObject;
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use super::{LIMIT, Scene, condition, id_of};

impl Scene {
    /// Waits until an object fulfils a condition, and returns it.
    pub async fn until(
        &self,
        kind: &str,
        name: &str,
        what: &str,
        holds: impl Fn(&Value) -> bool + Send,
    ) -> Value {
        let condition =
            |object: Option<&DynamicObject>| object.is_some_and(|object| holds(&json!(object)));
        let found = await_condition(self.api(kind), name, condition);
        match tokio::time::timeout(LIMIT, found).await {
            Ok(Ok(Some(object))) => json!(object),
            _ => {
                self.despair(&format!("{kind} {name} was awaited to fulfil: {what}"))
                    .await
            }
        }
    }

    /// Waits until the condition Ready of an object has a reason and speaks of its present spec. Returns the object.
    pub async fn until_reason(&self, kind: &str, name: &str, reason: &str) -> Value {
        self.until(
            kind,
            name,
            &format!("Ready has the reason {reason}"),
            |object| {
                let ready = condition(object, "Ready");
                ready["reason"] == reason
                    && object["status"]["observedGeneration"] == object["metadata"]["generation"]
            },
        )
        .await
    }

    /// Waits until a Deployment is Ready for this reason. Returns the id of its remote deployment, which is empty when there is none.
    pub async fn until_ready(&self, name: &str, reason: &str) -> String {
        let object = self.until_reason("Deployment", name, reason).await;
        assert_eq!(
            condition(&object, "Ready")["status"],
            "True",
            "{name} has the reason {reason}, but is not ready: {}",
            object["status"]
        );
        id_of(&object)
    }

    /// Waits until a Deployment is Stalled for this reason. Returns what it says.
    pub async fn until_stalled(&self, name: &str, reason: &str) -> String {
        let object = self.until_reason("Deployment", name, reason).await;
        assert_eq!(
            condition(&object, "Stalled")["reason"],
            reason,
            "{name} has the reason {reason}, but is not stalled: {}",
            object["status"]
        );
        condition(&object, "Stalled")["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Waits until AI Core has reported a state of a Deployment's remote deployment. Returns its id.
    pub async fn until_state(&self, name: &str, state: &str) -> String {
        let what = format!("AI Core reports {state}");
        let object = self.until("Deployment", name, &what, |object| {
            object["status"]["deployment"]["state"] == state
        });
        id_of(&object.await)
    }

    /// Waits until a create call of a Deployment is announced. Returns the Deployment.
    pub async fn until_announced(&self, name: &str) -> Value {
        self.until("Deployment", name, "a create call is announced", |object| {
            object["status"]["intent"].is_object()
        })
        .await
    }

    /// Waits until AI Core has agreed to stop a Deployment's remote deployment, whether it has begun to or not. Returns its id.
    pub async fn until_stop_is_accepted(&self, name: &str) -> String {
        let object = self.until("Deployment", name, "AI Core is to stop it", |object| {
            object["status"]["deployment"]["targetState"] == "STOPPED"
        });
        id_of(&object.await)
    }

    /// The reasons that the condition Ready of a Deployment has had after it first had `reason`, each once in a row. They come from a watch, so
    /// the latest may be missing.
    #[must_use]
    pub fn reasons_after(&self, name: &str, reason: &str) -> Vec<String> {
        let places = self.places.iter();
        let mut reasons = places.flat_map(|place| place.histories.reasons(name));
        assert!(
            reasons.any(|had| had == reason),
            "{name} never had the reason {reason}"
        );
        reasons.collect()
    }

    /// Waits until an event in the namespace has a reason, and returns its note.
    pub async fn until_told(&self, reason: &str) -> String {
        self.until_told_of(reason, "").await
    }

    /// Waits until an event in the namespace has a reason and a note that contains `text`, and returns that note. The last event of an object
    /// comes after its finalizer is off.
    pub async fn until_told_of(&self, reason: &str, text: &str) -> String {
        let note =
            |event: &DynamicObject| event.data["note"].as_str().unwrap_or_default().to_owned();
        let told = async {
            let events = watcher(self.api("Event"), watcher::Config::default());
            let events = events.default_backoff().applied_objects();
            let mut events = pin!(events);
            loop {
                let event = events.next().await.expect("a watch does not end");
                match event {
                    Ok(event) if event.data["reason"] == reason && note(&event).contains(text) => {
                        return note(&event);
                    }
                    // A watch that was interrupted goes on.
                    Ok(_) | Err(_) => {}
                }
            }
        };
        match tokio::time::timeout(LIMIT, told).await {
            Ok(note) => note,
            Err(_) => {
                self.despair(&format!(
                    "an event {reason} that tells of {text} was awaited"
                ))
                .await
            }
        }
    }

    /// Waits until an object is gone.
    pub async fn until_gone(&self, kind: &str, name: &str) {
        let gone = await_condition(self.api(kind), name, |object: Option<&DynamicObject>| {
            object.is_none()
        });
        if tokio::time::timeout(LIMIT, gone).await.is_err() {
            self.despair(&format!("{kind} {name} was awaited to be gone"))
                .await;
        }
    }

    /// Has a Deployment deleted, and waits until it is gone.
    pub async fn delete_and_wait(&self, name: &str) {
        self.delete("Deployment", name).await;
        self.until_gone("Deployment", name).await;
    }

    /// Waits until the namespace is gone.
    pub async fn until_namespace_is_gone(&self) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let Some(namespace) = namespaces
            .get_opt(&self.namespace)
            .await
            .expect("an administrator may look")
        else {
            return;
        };
        let uid = namespace.uid().unwrap_or_default();
        let gone = await_condition(namespaces, &self.namespace, conditions::is_deleted(&uid));
        if tokio::time::timeout(LIMIT, gone).await.is_err() {
            self.despair("the namespace is not gone").await;
        }
    }
}
