//! Deployments from a configuration that the spec names, which are an object's although its status does not say so.
//!
//! Such a configuration does not bear the object's name. But a status can be older than the deployment, after etcd was restored from a backup,
//! and a second deployment would be a copy that nobody asked for.

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use super::access::Access;
use super::calls;
use super::look;
use super::others::{is_known, may_be_late, time};
use super::time_to_live;
use crate::aicore::{self, Snapshot};
use crate::api::{Deployment, NOT_MINE_ANNOTATION, RecreatePolicy};
use crate::controller::subject::Subject;

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

/// Looks for a deployment from `configuration` that belongs to an object without a record: the late result of a call that was given up, one
/// that is younger than an object whose status knows of no call at all, or one from a time that the cluster's store has forgotten. Who else may
/// have made it is a question for a person, except for late results where nobody else creates from the configuration.
pub(crate) fn from_configuration(
    subject: &Subject<'_>,
    access: &Access,
    snapshot: &Snapshot,
    configuration: &str,
) -> Lost {
    let object = &*subject.object;
    let ttl = object.spec.ttl.as_deref();
    let open = calls::open_calls(subject, access, configuration, ttl);
    let settle = subject.context.options.settle();
    if access.exclusive && open.iter().any(|call| call.known_for < settle) {
        // One more call would be one more that their results could be mistaken for.
        return Lost::Undecided;
    }
    // An object that was seen before it had our finalizer has made nothing; one that had it and knows of no call may have lost its status.
    let is_new = subject.remember(|memory| memory.is_new);
    let status = object.status.as_ref();
    let may_be_unrecorded = !is_new && status.is_none_or(|status| status.create_serial == 0);
    let fits = |deployment: &&aicore::Deployment| {
        deployment.configuration_id == configuration
            && time_to_live::may_be_equal(deployment.ttl.as_deref(), ttl)
            && !look::is_going(deployment)
            && !is_known(object, &deployment.id)
            && !is_disowned(object, &deployment.id)
            && (is_late(object, deployment)
                || may_be_unrecorded && is_younger(object, deployment, snapshot.date) == Some(true)
                || is_forgotten(subject, deployment))
    };
    let fitting = snapshot.iter().filter(fits);
    let ids = fitting.map(|deployment| deployment.id.as_str());
    let candidates: Vec<String> = look::lost(subject, access, ids).into_iter().collect();
    if candidates.is_empty() {
        return Lost::Nothing;
    }
    if subject.context.is_creating(&access.key, configuration) {
        return Lost::Undecided;
    }
    if !open.is_empty() {
        // They are the results of other objects' calls, or those objects are told that nothing proves it. What was forgotten is older than that.
        let forgotten = |id: &String| {
            snapshot
                .get(id)
                .is_some_and(|found| is_forgotten(subject, found))
        };
        return match candidates.iter().any(forgotten) {
            true => Lost::Undecided,
            false => Lost::Nothing,
        };
    }
    let is_certain = |id: &String| {
        snapshot.get(id).is_some_and(|found| {
            is_late(object, found) && look::is_exclusive(subject, access, found)
        })
    };
    match candidates.as_slice() {
        [id] if is_certain(id) => Lost::Found(id.clone()),
        _ => Lost::Ambiguous(candidates),
    }
}

/// Deployments from the configuration of the spec that may have taken the place of the recorded one, which is gone for no known reason: the status
/// may come from a backup. All that are younger count, where nobody else creates from the configuration, or where a person is asked anyway.
pub(crate) fn in_place_of_recorded(
    subject: &Subject<'_>,
    access: &Access,
    snapshot: &Snapshot,
) -> Vec<String> {
    let object = &*subject.object;
    let recreates = object.spec.recreate_policy == RecreatePolicy::Always;
    let recorded = object
        .status
        .as_ref()
        .and_then(|status| status.deployment.as_ref());
    let made = recorded.and_then(|recorded| time(recorded.created_at.as_ref()));
    let (Some(configuration), Some(made)) = (&object.spec.configuration_id, made) else {
        return Vec::new();
    };
    let fits = |deployment: &&aicore::Deployment| {
        deployment.configuration_id == *configuration
            && time_to_live::may_be_equal(deployment.ttl.as_deref(), object.spec.ttl.as_deref())
            && !look::is_going(deployment)
            && !is_known(object, &deployment.id)
            && !is_disowned(object, &deployment.id)
            && time(deployment.created_at.as_ref()).is_some_and(|created| created >= made)
            && (!recreates || access.exclusive || is_forgotten(subject, deployment))
    };
    let fitting = snapshot.iter().filter(fits);
    let ids = fitting.map(|deployment| deployment.id.as_str());
    look::lost(subject, access, ids).into_iter().collect()
}

/// Whether a deployment may have been made by an operator whose work the cluster's store has forgotten.
fn is_forgotten(subject: &Subject<'_>, deployment: &aicore::Deployment) -> bool {
    let created = time(deployment.created_at.as_ref());
    created.is_some_and(|created| subject.context.leadership.in_gap(created))
}

/// Whether a person has said that a deployment is not the object's.
fn is_disowned(object: &Deployment, id: &str) -> bool {
    let ids = object.annotations().get(NOT_MINE_ANNOTATION);
    ids.is_some_and(|ids| ids.split(',').any(|other| other.trim() == id))
}

/// Whether a deployment may be the result of a create call that was given up.
fn is_late(object: &Deployment, deployment: &aicore::Deployment) -> bool {
    let mut lapsed = object.status.iter().flat_map(|status| &status.lapsed);
    lapsed.any(|call| may_be_late(call, deployment))
}

/// Whether a deployment may be younger than an object, each by the clock that it was made by.
fn is_younger(
    object: &Deployment,
    deployment: &aicore::Deployment,
    date: Option<Timestamp>,
) -> Option<bool> {
    let created = time(deployment.created_at.as_ref())?;
    let age = date?.duration_since(created);
    let object_age = Timestamp::now().duration_since(object.creation_timestamp()?.0);
    Some(age < object_age + ROUNDING)
}
