//! Deployments that objects leave behind on purpose.
//!
//! They look like lost ones: nobody holds them. So the Connection through which they were made keeps their ids, written before the object goes.

use std::sync::Arc;

use kube::ResourceExt;
use kube::api::PostParams;

use super::reference;
use crate::aicore::{self, GroupKey, Snapshot};
use crate::api::{Connection, ConnectionStatus, Deployment, LeftCall, LeftDeployment};
use crate::controller::context::Context;
use crate::controller::finalizers;
use crate::controller::observe::signs::time;
use crate::lifecycle::late::{self, Age};

/// How many ids a Connection keeps.
const MAXIMUM: usize = 1000;

/// How many calls a Connection keeps.
const MAXIMUM_CALLS: usize = 100;

/// How often the write is tried while others write the same Connection.
const ATTEMPTS: u32 = 10;

/// Has the Connection of an object keep the ids of what the object leaves behind. Without that Connection nobody is left who could mistake them.
pub(crate) async fn keep(context: &Context, object: &Deployment) -> Result<(), kube::Error> {
    let left = left_by(object);
    let call = call_left_by(object);
    if left.is_empty() && call.is_none() {
        return Ok(());
    }
    let ids = left.iter().map(|left| left.id.clone());
    context.claims.leave(ids);
    context.claims.leave_calls(&call);
    let (namespace, name) = &reference::used(object).unwrap_or_else(|| reference::named(object));
    if !context.options.scope.contains(namespace) {
        return Ok(());
    }
    let api = context.connections_in(namespace);
    // Many objects may go at once, and each would make the write of another one stale.
    let _one_at_a_time = context.leaving.lock().await;
    let mut attempt = 0;
    loop {
        let Some(mut connection) = api.get_opt(name).await? else {
            return Ok(());
        };
        let status = connection.status.get_or_insert_default();
        let grown = [
            add(&mut status.left, &left, MAXIMUM),
            add(&mut status.left_calls, call.as_slice(), MAXIMUM_CALLS),
        ];
        if grown == [false, false] {
            return Ok(());
        }
        attempt += 1;
        match api
            .replace_status(name, &PostParams::default(), &connection)
            .await
        {
            Err(error) if finalizers::is_stale(&error) && attempt < ATTEMPTS => {}
            written => return written.map(drop),
        }
    }
}

/// Takes note of what a Connection keeps.
pub(crate) fn note(context: &Context, connection: &Connection) {
    let Some(status) = &connection.status else {
        return;
    };
    let ids = status.left.iter().map(|left| left.id.clone());
    context.claims.leave(ids);
    context.claims.leave_calls(&status.left_calls);
}

/// Adds what is new, and drops what is oldest beyond `limit`. Tells whether anything was new.
fn add<T: Clone + PartialEq>(kept: &mut Vec<T>, more: &[T], limit: usize) -> bool {
    let new: Vec<T> = more
        .iter()
        .filter(|it| !kept.contains(it))
        .cloned()
        .collect();
    let grown = !new.is_empty();
    kept.extend(new);
    let surplus = kept.len().saturating_sub(limit);
    kept.drain(..surplus);
    grown
}

/// Drops what is not to be found in AI Core any more, as far as the newest list of each group tells.
pub(super) fn prune(context: &Context, connection: &Connection, status: &mut ConnectionStatus) {
    let name = (
        connection.namespace().unwrap_or_default(),
        connection.name_any(),
    );
    let Some(realm) = context.connections.realm(&name) else {
        return;
    };
    let newest = |group: &str| {
        let key = GroupKey {
            realm: realm.clone(),
            group: group.to_owned(),
        };
        context.surveys.newest(&key)
    };
    let is_there = |list: Arc<Snapshot>, left: &LeftDeployment| list.get(&left.id).is_some();
    status
        .left
        .retain(|left| newest(&left.resource_group).is_none_or(|list| is_there(list, left)));
    let unseen = context.options.unseen();
    status.left_calls.retain(|call| {
        newest(&call.resource_group).is_none_or(|list| {
            let announced = time(call.announced_at.as_ref());
            !late::is_over(announced, list.date, unseen)
                || list
                    .iter()
                    .any(|deployment| may_have_made(call, deployment))
        })
    });
}

/// Whether a deployment may be the result of a call whose object was let go.
pub(crate) fn may_have_made(call: &LeftCall, deployment: &aicore::Deployment) -> bool {
    let announced = time(call.announced_at.as_ref());
    call.configuration_id == deployment.configuration_id
        && Age::of(announced, time(deployment.created_at.as_ref())) == Age::Fresh
}

fn call_left_by(object: &Deployment) -> Option<LeftCall> {
    let intent = object.status.as_ref()?.intent.as_ref()?;
    Some(LeftCall {
        configuration_id: intent.configuration_id.clone(),
        resource_group: object.spec.resource_group.clone(),
        announced_at: intent.announced_at.clone(),
    })
}

fn left_by(object: &Deployment) -> Vec<LeftDeployment> {
    let Some(status) = &object.status else {
        return Vec::new();
    };
    let recorded = status.deployment.iter().map(|deployment| &deployment.id);
    let retiring = status.retiring.iter().map(|retiring| &retiring.id);
    let ids = recorded.chain(retiring);
    ids.map(|id| LeftDeployment {
        id: id.clone(),
        resource_group: object.spec.resource_group.clone(),
    })
    .collect()
}
