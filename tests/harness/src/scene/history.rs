//! What each Deployment object has recorded over time, from a watch.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use futures::StreamExt as _;
use jiff::Timestamp;
use kube::api::DynamicObject;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, ResourceExt as _};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{LIMIT, condition};
use crate::laws::{ObjectHistory, contradiction};

/// The finalizer that the operator takes off when it lets an object go.
const FINALIZER: &str = "aicore.dev/deployment";

/// The annotation with which a person forces an object's release.
const FORCE_RELEASE: &str = "aicore.dev/force-release";

/// What is known of all objects, by uid.
type ByUid = BTreeMap<String, Known>;

/// What is known of one object.
#[derive(Default)]
struct Known {
    history: ObjectHistory,
    /// The reasons of its condition Ready, each once in a row.
    reasons: Vec<String>,
    /// The newest resourceVersion that the watch has shown.
    version: u64,
}

/// Watches until it is dropped.
pub(super) struct Histories {
    objects: watch::Sender<ByUid>,
    task: JoinHandle<()>,
}

impl Histories {
    /// Begins to watch. It has to be called before there are objects, for a watch does not tell what was before it.
    pub(super) fn watch(deployments: Api<DynamicObject>) -> Self {
        let objects = watch::Sender::new(ByUid::new());
        let sender = objects.clone();
        let task = tokio::spawn(async move {
            let mut events = pin!(watcher(deployments, watcher::Config::default()));
            let mut found = BTreeSet::new();
            while let Some(event) = events.next().await {
                match event {
                    Ok(Event::Apply(object)) => {
                        sender.send_modify(|objects| note(objects, &object, false));
                    }
                    Ok(Event::Delete(object)) => {
                        sender.send_modify(|objects| note(objects, &object, true));
                    }
                    // The watch begins anew by itself, for instance when the API server is restarted. What vanished meanwhile it does not tell.
                    Ok(Event::Init) => found.clear(),
                    Ok(Event::InitApply(object)) => {
                        found.extend(object.uid());
                        sender.send_modify(|objects| note(objects, &object, false));
                    }
                    Ok(Event::InitDone) => {
                        sender.send_modify(|objects| miss(objects, &found));
                    }
                    Err(_) => {}
                }
            }
        });
        Self { objects, task }
    }

    /// Notes what a person has just been answered. The watch may be far behind, or pass over what was changed while it was interrupted.
    pub(super) fn told(&self, object: &DynamicObject) {
        self.objects.send_modify(|objects| {
            let known = objects.entry(object.uid().unwrap_or_default()).or_default();
            known.history.name = object.name_any();
            known.history.adopts.extend(adopts(object));
        });
    }

    /// The histories as soon as every object that is not in `live` is known to be released, and what `live` says of the others is known. It gives
    /// their resourceVersion by uid.
    pub(super) async fn complete(&self, live: &BTreeMap<String, u64>) -> Vec<ObjectHistory> {
        let mut objects = self.objects.subscribe();
        let complete = objects.wait_for(|objects| {
            let released = |(uid, object): (&String, &Known)| {
                live.contains_key(uid) || object.history.released.is_some()
            };
            let seen = |(uid, version): (&String, &u64)| {
                objects
                    .get(uid)
                    .is_some_and(|object| object.version >= *version)
            };
            objects.iter().all(released) && live.iter().all(seen)
        });
        let complete = tokio::time::timeout(LIMIT, complete)
            .await
            .expect("the watch tells what has become of every object")
            .expect("the watch goes on as long as the scene");
        complete
            .values()
            .map(|object| object.history.clone())
            .collect()
    }

    /// The reasons of the condition Ready of the objects of this name, in their order, each once in a row.
    pub(super) fn reasons(&self, name: &str) -> Vec<String> {
        let objects = self.objects.borrow();
        let named = objects
            .values()
            .filter(|object| object.history.name == name);
        named.flat_map(|object| object.reasons.clone()).collect()
    }
}

impl Drop for Histories {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Notes that all objects but these are gone.
fn miss(objects: &mut ByUid, found: &BTreeSet<String>) {
    for (_, object) in objects.iter_mut().filter(|(uid, _)| !found.contains(*uid)) {
        object.history.released.get_or_insert_with(Timestamp::now);
    }
}

/// The deployment that an object is told to adopt.
fn adopts(object: &DynamicObject) -> Option<String> {
    let id = object.data.pointer("/spec/adopt/deploymentId");
    id?.as_str().map(str::to_owned)
}

/// Whether an object asks only to be shown something, and has not created what it records.
fn looks_on(object: &DynamicObject, history: &ObjectHistory) -> bool {
    let policy = object.data.pointer("/spec/managementPolicy");
    let created = object.data.pointer("/status/createSerial");
    let has_created = created.is_some_and(|serial| serial.as_u64() != Some(0));
    let adopted = |id: &String| history.adopts.contains(id);
    let is_its_own = has_created && !history.current.as_ref().is_some_and(adopted);
    policy.is_some_and(|policy| policy == "Observe") && !is_its_own
}

/// The resourceVersion of an object, which grows with every write to the cluster's store.
pub(super) fn version_of(object: &DynamicObject) -> u64 {
    let version = object.resource_version();
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or_default()
}

fn note(objects: &mut ByUid, object: &DynamicObject, vanished: bool) {
    let text = |pointer: &str| {
        let text = object.data.pointer(pointer).and_then(|text| text.as_str());
        text.map(str::to_owned)
    };
    let Known {
        history,
        reasons,
        version,
    } = objects.entry(object.uid().unwrap_or_default()).or_default();
    history.name = object.name_any();
    *version = version_of(object);
    if let Some(reason) = condition(&object.data, "Ready")["reason"].as_str()
        && reasons.last().is_none_or(|last| last != reason)
    {
        reasons.push(reason.to_owned());
    }
    let let_go = object.metadata.deletion_timestamp.is_some()
        && !object
            .finalizers()
            .iter()
            .any(|finalizer| finalizer == FINALIZER);
    if let_go || vanished {
        history.released.get_or_insert_with(Timestamp::now);
    }
    history.contradictions.extend(contradiction(&object.data));
    history.adopts.extend(adopts(object));
    let forced = object.annotations().get(FORCE_RELEASE);
    history.current = text("/status/deployment/id");
    history.orphans = text("/spec/deletionPolicy").as_deref() == Some("Orphan")
        || forced.is_some_and(|reason| !reason.trim().is_empty())
        || looks_on(object, history);
    history.recorded.extend(history.current.clone());
    let retiring = object.data.pointer("/status/retiring");
    let retiring = retiring
        .and_then(|all| all.as_array())
        .into_iter()
        .flatten();
    for one in retiring {
        let id = one["id"].as_str().map(str::to_owned);
        let serves = one["servesUntilReplaced"] == true;
        history.replaced.extend(id.clone().filter(|_| serves));
        history.retired.extend(id);
    }
    history.deletion_begun = object.data.pointer("/status/deletionBegun") == Some(&true.into());
}
