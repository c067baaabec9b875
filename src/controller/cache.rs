//! Following the watch of Deployments: the register of claims is filled from it, and what has gone is forgotten.

use std::collections::HashMap;
use std::sync::Mutex;

use kube::ResourceExt;
use kube::runtime::watcher;

use super::context::Context;
use super::wake::connections_of;
use crate::api::Deployment;

/// The objects that the watch has shown, by uid.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    objects: Mutex<Objects>,
}

#[derive(Debug, Default)]
struct Objects {
    present: HashMap<String, Deployment>,
    /// What a relist has shown so far.
    relisted: HashMap<String, Deployment>,
}

impl Seen {
    /// Takes in one event of the watch.
    pub(crate) fn follow(&self, context: &Context, event: &watcher::Event<Deployment>) {
        let mut objects = self
            .objects
            .lock()
            .expect("no code panics while it holds the map");
        match event {
            watcher::Event::Init => objects.relisted.clear(),
            watcher::Event::InitApply(object) => {
                context.claims.observe(object);
                objects
                    .relisted
                    .insert(object.uid().unwrap_or_default(), object.clone());
            }
            watcher::Event::InitDone => {
                let relisted = std::mem::take(&mut objects.relisted);
                let before = std::mem::replace(&mut objects.present, relisted);
                for (uid, object) in before {
                    if !objects.present.contains_key(&uid) {
                        gone(context, &uid, &object);
                    }
                }
            }
            watcher::Event::Apply(object) => {
                context.claims.observe(object);
                objects
                    .present
                    .insert(object.uid().unwrap_or_default(), object.clone());
            }
            watcher::Event::Delete(object) => {
                let uid = object.uid().unwrap_or_default();
                objects.present.remove(&uid);
                gone(context, &uid, object);
            }
        }
    }
}

fn gone(context: &Context, uid: &str, object: &Deployment) {
    context.claims.forget(uid);
    context.memories.forget(uid);
    context.inventory.unwatch(uid);
    connections_of(context, object);
}
