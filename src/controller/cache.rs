//! Following the watch of Deployments: the register of claims is filled from it, and what has gone is forgotten.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher;
use parking_lot::Mutex;

use super::context::Context;
use super::memory;
use super::rewind;
use super::wake;
use crate::api::{Connection, Deployment};

/// What an object's status records, as a number that changes with it: somebody who takes the record away, or puts an older one back, is news.
pub(crate) fn recorded(object: &Deployment) -> Option<u64> {
    let status = object.status.as_ref()?;
    let deployment = status.deployment.as_ref().map(|deployment| &deployment.id);
    let intent = status.intent.as_ref();
    let intent = intent.map(|intent| (intent.serial, &intent.holder));
    let retiring: Vec<&String> = status.retiring.iter().map(|other| &other.id).collect();
    let mut hasher = DefaultHasher::new();
    (deployment, intent, retiring, status.create_serial).hash(&mut hasher);
    Some(hasher.finish())
}

/// The objects that the watch has shown, by uid.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    objects: Mutex<Objects>,
}

type Shown = HashMap<String, Entry>;

/// What was shown of an object last.
#[derive(Debug)]
struct Entry {
    version: u64,
    /// The Connections that it has used.
    used: Vec<ObjectRef<Connection>>,
}

#[derive(Debug, Default)]
struct Objects {
    present: Shown,
    /// What a relist has shown so far.
    relisted: Shown,
}

impl Seen {
    /// Takes in one event of the watch.
    pub(crate) fn follow(&self, context: &Context, event: &watcher::Event<Deployment>) {
        let mut objects = self.objects.lock();
        if let watcher::Event::InitApply(object) | watcher::Event::Apply(object) = event {
            objects.compare(context, object);
        }
        match event {
            watcher::Event::Init => objects.relisted.clear(),
            watcher::Event::InitApply(object) => show(&mut objects.relisted, context, object),
            watcher::Event::Apply(object) => show(&mut objects.present, context, object),
            watcher::Event::InitDone => {
                // What a relist does not show any more has gone while nobody watched.
                let relisted = std::mem::take(&mut objects.relisted);
                let mut before = std::mem::replace(&mut objects.present, relisted);
                before.retain(|uid, _| !objects.present.contains_key(uid));
                before
                    .into_iter()
                    .for_each(|(uid, entry)| forget(context, &uid, entry.used));
            }
            watcher::Event::Delete(object) => {
                let uid = object.uid().unwrap_or_default();
                objects.present.remove(&uid);
                forget(context, &uid, wake::connections_of(object));
            }
        }
    }
}

impl Objects {
    /// An object that comes back in an older version than before comes from a backup.
    fn compare(&self, context: &Context, object: &Deployment) {
        let uid = object.uid().unwrap_or_default();
        let version = memory::version(object);
        let shown = self.present.get(&uid).map(|entry| entry.version);
        if shown.is_some_and(|shown| version < shown) {
            rewind::notice(context, version, shown.unwrap_or_default());
        }
    }
}

fn show(shown: &mut Shown, context: &Context, object: &Deployment) {
    wake::deployments(context, context.claims.observe(object));
    let entry = Entry {
        version: memory::version(object),
        used: wake::connections_of(object),
    };
    shown.insert(object.uid().unwrap_or_default(), entry);
}

fn forget(context: &Context, uid: &str, used: Vec<ObjectRef<Connection>>) {
    wake::deployments(context, context.claims.forget(uid));
    if let Some((phase, time)) = context.memories.forget(uid) {
        context.metrics.phase_over(phase, time);
    }
    context.inventory.unwatch(uid);
    wake::connections(context, used);
}
