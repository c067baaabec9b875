//! Deployments from a configuration that the spec names, which are an object's although its status does not say so.
//!
//! Such a configuration does not bear the object's name. But a status can be older than the deployment, after etcd was restored from a backup,
//! and a second deployment would be a copy that nobody asked for.

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use super::access::Access;
use super::calls;
use super::signs::{self, Reader, time};
use crate::aicore::{self, Snapshot};
use crate::api::Deployment;
use crate::controller::subject::Subject;
use crate::lifecycle::belonging::Signs;

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
    let reader = Reader::new(subject, access);
    let with_signs = |deployment| {
        let signs = reader.read(deployment);
        let younger = is_younger(object, deployment, snapshot.date) == Some(true);
        let younger = may_be_unrecorded && younger;
        (deployment, Signs { younger, ..signs })
    };
    let candidates = signs::gather(
        subject,
        access,
        snapshot.iter().map(with_signs),
        Signs::may_be_lost,
    );
    if candidates.is_empty() {
        return Lost::Nothing;
    }
    if subject.context.is_creating(&access.key, configuration) {
        return Lost::Undecided;
    }
    if !open.is_empty() {
        // They are the results of other objects' calls, or those objects are told that nothing proves it. What was forgotten is older than that.
        return match candidates.iter().any(|(_, signs)| signs.forgotten) {
            true => Lost::Undecided,
            false => Lost::Nothing,
        };
    }
    match candidates.as_slice() {
        [(id, signs)] if signs.exclusive && signs.late => Lost::Found(id.clone()),
        _ => Lost::Ambiguous(candidates.into_iter().map(|(id, _)| id).collect()),
    }
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
