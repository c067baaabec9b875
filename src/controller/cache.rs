//! Following the watch of Deployments: the register of claims is filled from it, and what has gone is forgotten.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher;
use parking_lot::Mutex;

use super::context::Context;
use super::wake;
use crate::api::{Connection, Deployment};

/// What an object's status records, as a number that changes with it: somebody who takes the record away, or puts an older one back, is news.
pub(crate) fn recorded(object: &Deployment) -> Option<u64> {
    let status = object.status.as_ref()?;
    let deployment = status.deployment.as_ref().map(|deployment| &deployment.id);
    let intent = status.intent.as_ref().map(|intent| intent.serial);
    let retiring: Vec<&String> = status.retiring.iter().map(|other| &other.id).collect();
    let mut hasher = DefaultHasher::new();
    (deployment, intent, retiring, status.create_serial).hash(&mut hasher);
    Some(hasher.finish())
}

/// The objects that the watch has shown: by uid, the Connections that each has used.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    objects: Mutex<Objects>,
}

type Shown = HashMap<String, Vec<ObjectRef<Connection>>>;

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
                    .for_each(|(uid, used)| forget(context, &uid, used));
            }
            watcher::Event::Delete(object) => {
                let uid = object.uid().unwrap_or_default();
                objects.present.remove(&uid);
                forget(context, &uid, wake::connections_of(object));
            }
        }
    }
}

fn show(shown: &mut Shown, context: &Context, object: &Deployment) {
    context.claims.observe(object);
    shown.insert(
        object.uid().unwrap_or_default(),
        wake::connections_of(object),
    );
}

fn forget(context: &Context, uid: &str, used: Vec<ObjectRef<Connection>>) {
    context.claims.forget(uid);
    context.memories.forget(uid);
    context.inventory.unwatch(uid);
    wake::connections(context, used);
}
