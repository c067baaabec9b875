//! Deployments from a configuration that the spec names, which are an object's although its status does not say so.
//!
//! Such a configuration does not bear the object's name. But a status can be older than the deployment, after etcd was restored from a backup,
//! and a second deployment would be a copy that nobody asked for.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use super::access::Access;
use super::look;
use super::others::{is_known, may_be_of};
use super::time_to_live;
use crate::aicore::{self, Snapshot};
use crate::api::{Deployment, DesiredState};
use crate::controller::finalizers;
use crate::controller::subject::Subject;
use crate::lifecycle::intent::{self, OpenIntent, Outcome};

/// The three times that tell whether a deployment is younger than an object are whole seconds.
const ROUNDING: SignedDuration = SignedDuration::from_secs(2);

/// What a look for a lost deployment found.
pub(crate) enum Lost {
    /// Nothing that could be the object's.
    Nothing,
    /// This one is the object's.
    Found(String),
    /// A create call from the same configuration is under way, so it is too early to tell.
    Undecided,
    /// Each of these may be the object's, and nothing proves it.
    Ambiguous(Vec<String>),
}

/// Looks for a deployment from `configuration` that belongs to an object without a record.
///
/// Where nobody else creates from the configuration, what nobody holds is shared out among the objects that have none. Elsewhere somebody else
/// may have made it: it counts only when the object may have made it itself, and then a person is asked.
pub(crate) fn from_configuration(
    subject: &Subject<'_>,
    access: &Access,
    snapshot: &Snapshot,
    configuration: &str,
) -> Lost {
    let object = &*subject.object;
    let ttl = object.spec.ttl.as_deref();
    let fits = |deployment: &&aicore::Deployment| {
        deployment.configuration_id == configuration
            && time_to_live::may_be_equal(deployment.ttl.as_deref(), ttl)
            && !look::is_going(deployment)
            && !is_known(object, &deployment.id)
            && (access.exclusive || may_have_made(object, deployment, snapshot.date))
    };
    let fitting = snapshot.iter().filter(fits);
    let ids = fitting.map(|deployment| deployment.id.as_str());
    let candidates = look::unclaimed(subject, access, ids);
    if candidates.is_empty() {
        return Lost::Nothing;
    }
    if subject.context.is_creating(&access.key, configuration) {
        return Lost::Undecided;
    }
    if !look::others_open(subject, access, configuration, ttl).is_empty() {
        // They are the results of other objects' calls, or those objects are told that nothing proves it.
        return Lost::Nothing;
    }
    if !access.exclusive {
        return Lost::Ambiguous(candidates.into_iter().collect());
    }
    let without_record = without_record(subject, access, configuration);
    match intent::resolve(subject.uid, &without_record, &candidates, true) {
        Outcome::NoCandidate => Lost::Nothing,
        Outcome::Found(id) => Lost::Found(id),
        Outcome::Ambiguous(candidates) => Lost::Ambiguous(candidates),
    }
}

/// Whether an object may have made a deployment that its status does not know: as the result of a call that was given up, or, when its status
/// knows of no call at all, because the deployment is younger than the object.
fn may_have_made(
    object: &Deployment,
    deployment: &aicore::Deployment,
    date: Option<Timestamp>,
) -> bool {
    let status = object.status.as_ref();
    let mut lapsed = status.iter().flat_map(|status| &status.lapsed);
    if lapsed.any(|call| may_be_of(call, deployment)) {
        return true;
    }
    let never_called = status.is_none_or(|status| status.create_serial == 0);
    never_called && is_younger(object, deployment, date) == Some(true)
}

/// Whether a deployment is younger than an object, each by the clock that it was made by.
fn is_younger(
    object: &Deployment,
    deployment: &aicore::Deployment,
    date: Option<Timestamp>,
) -> Option<bool> {
    let created: Timestamp = deployment.created_at.as_ref()?.parse().ok()?;
    let age = date?.duration_since(created);
    let object_age = Timestamp::now().duration_since(object.creation_timestamp()?.0);
    Some(age + ROUNDING < object_age)
}

/// The objects that want a deployment of this configuration and record none, this one included.
fn without_record(subject: &Subject<'_>, access: &Access, configuration: &str) -> Vec<OpenIntent> {
    let is_one = |other: &Deployment| {
        let status = other.status.as_ref();
        let records =
            status.is_some_and(|status| status.deployment.is_some() || status.intent.is_some());
        let spec = &other.spec;
        !records
            && spec.configuration_id.as_deref() == Some(configuration)
            && spec.ttl == subject.object.spec.ttl
            && spec.resource_group == access.key.group
            && spec.desired_state == DesiredState::Running
            && spec.adopt.is_none()
            && !finalizers::is_terminating(other)
            && leads_here(subject, access, other)
    };
    let others = subject.context.deployments.state();
    let mut uids: BTreeSet<String> = others
        .iter()
        .filter(|other| is_one(other))
        .filter_map(|other| other.uid())
        .collect();
    uids.insert(subject.uid.to_owned());
    let nothing_known = |object| OpenIntent {
        object,
        known: BTreeSet::new(),
    };
    uids.into_iter().map(nothing_known).collect()
}

fn leads_here(subject: &Subject<'_>, access: &Access, other: &Deployment) -> bool {
    let connection = (
        other.namespace().unwrap_or_default(),
        other.spec.connection_ref.name.clone(),
    );
    subject.context.connections.tenant(&connection).as_ref() == Some(&access.key.tenant)
}
