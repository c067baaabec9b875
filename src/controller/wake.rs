//! From news of AI Core to the objects that it concerns.

use std::collections::HashSet;

use kube::runtime::reflector::{ObjectRef, Store};
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::connection::reference;
use super::context::Context;
use crate::aicore::{Change, Event, GroupKey};
use crate::api::{Connection, Deployment};

/// Wakes the objects whose deployment changed, and those that waited for a list, until the inventory ends.
pub(crate) async fn run(context: &Context, mut events: mpsc::UnboundedReceiver<Event>) {
    while let Some(event) = events.recv().await {
        match event {
            Event::Changed(change) => {
                context
                    .surveys
                    .listed(change.key.clone(), change.snapshot.clone());
                let concerned = change
                    .ids
                    .iter()
                    .flat_map(|id| context.claims.concerned(&change.key.group, id));
                deployments(context, concerned.chain(waiting(context, &change.key)));
                deployments(context, with_lapsed_calls(context, &change));
                if !change.ids.is_empty() {
                    wake_connections(context, &change.key);
                }
            }
            Event::Failed { key, error } => {
                warn!(group = key.group, api = key.tenant().api_url, %error, "deployments cannot be listed");
                // The group itself may be gone, or the key may not count any more: that concerns everybody there.
                let everybody = living_in(context, &key.group).into_iter();
                deployments(context, waiting(context, &key).into_iter().chain(everybody));
                wake_connections(context, &key);
            }
            Event::Accepted { key } => {
                let everybody = living_in(context, &key.group).into_iter();
                deployments(context, waiting(context, &key).into_iter().chain(everybody));
            }
            Event::Recovered { key } => {
                info!(
                    group = key.group,
                    api = key.tenant().api_url,
                    "deployments can be listed again"
                );
                let everybody = living_in(context, &key.group).into_iter();
                deployments(context, waiting(context, &key).into_iter().chain(everybody));
                wake_connections(context, &key);
            }
        }
    }
}

/// Wakes everything whenever this process begins to lead, or can write again: until then nothing was looked at.
pub(crate) async fn in_each_term(context: &Context, all_connections: &Store<Connection>) {
    let mut term = 0;
    loop {
        term = context.leadership.term_after(term).await;
        deployments(context, objects(context, |_| true));
        let all = all_connections.state();
        connections(context, all.iter().map(|one| ObjectRef::from_obj(&**one)));
    }
}

/// Objects that have given up a create call, where a deployment has come that nobody knows: it may be the late result.
fn with_lapsed_calls(context: &Context, change: &Change) -> Vec<ObjectRef<Deployment>> {
    let group = &change.key.group;
    let is_news = |id: &String| {
        change.snapshot.get(id).is_some() && context.claims.concerned(group, id).is_empty()
    };
    if !change.ids.iter().any(is_news) {
        return Vec::new();
    }
    let has_lapsed = |object: &Deployment| {
        let status = object.status.as_ref();
        status.is_some_and(|status| !status.lapsed.is_empty())
    };
    objects(context, |object| {
        object.spec.resource_group == *group && has_lapsed(object)
    })
}

fn living_in(context: &Context, group: &str) -> Vec<ObjectRef<Deployment>> {
    objects(context, |object| object.spec.resource_group == group)
}

fn objects(
    context: &Context,
    concerned: impl Fn(&Deployment) -> bool,
) -> Vec<ObjectRef<Deployment>> {
    let objects = context.deployments.state();
    objects
        .iter()
        .filter(|object| concerned(object))
        .map(|object| ObjectRef::from_obj(&**object))
        .collect()
}

fn waiting(context: &Context, key: &GroupKey) -> HashSet<ObjectRef<Deployment>> {
    context.waiting.lock().remove(key).unwrap_or_default()
}

/// Has Deployments looked at.
pub(crate) fn deployments(
    context: &Context,
    objects: impl IntoIterator<Item = ObjectRef<Deployment>>,
) {
    for object in objects {
        // The receiver lives as long as the operator runs.
        let _ = context.wake_deployment.send(object);
    }
}

fn wake_connections(context: &Context, key: &GroupKey) {
    let leading = context.connections.leading_to(key.tenant()).into_iter();
    connections(
        context,
        leading.map(|(namespace, name)| ObjectRef::new(&name).within(&namespace)),
    );
}

/// Has Connections looked at.
pub(crate) fn connections(
    context: &Context,
    connections: impl IntoIterator<Item = ObjectRef<Connection>>,
) {
    for connection in connections {
        // The receiver lives as long as the operator runs.
        let _ = context.wake_connection.send(connection);
    }
}

/// Every Connection that an object names or has used.
pub(crate) fn connections_of(object: &Deployment) -> Vec<ObjectRef<Connection>> {
    let names = std::iter::once(reference::named(object)).chain(reference::used(object));
    names
        .map(|(namespace, name)| ObjectRef::new(&name).within(&namespace))
        .collect()
}
