//! One object at work, and what its spec asks for.

use std::sync::Arc;

use kube::ResourceExt;
use parking_lot::Mutex;

use super::context::{Context, Mode};
use super::finalizers;
use super::memory::Memory;
use crate::api::{
    DeletionPolicy, Deployment, DesiredState, FORCE_RELEASE_ANNOTATION, ManagementPolicy,
    PAUSED_ANNOTATION, PROTECTED_ANNOTATION,
};
use crate::lifecycle::Hand;
use crate::lifecycle::identity::content_hash;
use crate::lifecycle::situation::{Goal, Order};

/// One object, what is remembered of it, and everything around it.
pub(crate) struct Subject<'a> {
    pub(crate) context: &'a Context,
    pub(crate) object: Arc<Deployment>,
    pub(crate) uid: &'a str,
    pub(crate) memory: &'a Mutex<Memory>,
}

impl Subject<'_> {
    /// What is remembered of the object.
    pub(crate) fn remember<T>(&self, read: impl FnOnce(&mut Memory) -> T) -> T {
        read(&mut self.memory.lock())
    }
}

/// The configuration that the spec asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// None in particular.
    Nothing,
    /// One whose content is written in the spec and that was not looked for in AI Core yet.
    Unprepared {
        /// The hash of what the spec says of it.
        hash: String,
    },
    /// The configuration with this id.
    Configuration(String),
}

/// The configuration that the spec asks for, and whether its id is known.
pub(crate) fn wanted(object: &Deployment) -> Wanted {
    if let Some(id) = &object.spec.configuration_id {
        return Wanted::Configuration(id.clone());
    }
    let Some(template) = &object.spec.configuration else {
        return Wanted::Nothing;
    };
    let hash = content_hash(template);
    let recorded = object
        .status
        .as_ref()
        .and_then(|status| status.configuration.as_ref());
    match recorded {
        Some(recorded) if recorded.is_of_template(&hash) => {
            Wanted::Configuration(recorded.id.clone())
        }
        _ => Wanted::Unprepared { hash },
    }
}

/// The configuration to create a deployment from: the wanted one, or that of an adopted deployment that is gone by our own doing.
pub(crate) fn configuration_to_create(object: &Deployment) -> Wanted {
    let last = || {
        object
            .status
            .as_ref()
            .and_then(|status| status.configuration.as_ref())
            .map(|recorded| recorded.id.clone())
    };
    match wanted(object) {
        Wanted::Nothing => last().map_or(Wanted::Nothing, Wanted::Configuration),
        wanted => wanted,
    }
}

/// Whether a configuration was made for the object, so that nobody else creates from it.
pub(crate) fn bears_our_name(object: &Deployment, configuration_id: &str) -> bool {
    let recorded = object
        .status
        .as_ref()
        .and_then(|status| status.configuration.as_ref());
    recorded
        .is_some_and(|recorded| recorded.id == configuration_id && recorded.content_hash.is_some())
}

/// The id that the object adopts, unless that deployment was its own already and is gone, or has to go.
pub(crate) fn adopts(object: &Deployment) -> Option<&str> {
    let id = object
        .spec
        .adopt
        .as_ref()
        .map(|adopt| adopt.deployment_id.as_str())?;
    let done_with = object.status.as_ref().is_some_and(|status| {
        status.previous_ids.iter().any(|previous| previous == id)
            || status.retiring.iter().any(|retiring| retiring.id == id)
    });
    (!done_with).then_some(id)
}

/// What a person has ordered for the object by annotation.
pub(crate) fn order(object: &Deployment) -> Order {
    if force_release_reason(object).is_some() {
        Order::LetGo
    } else if is_protected(object) {
        Order::Hold
    } else {
        Order::None
    }
}

/// Why a person forces the object's release. Without a reason it is not forced.
pub(crate) fn force_release_reason(object: &Deployment) -> Option<&str> {
    annotation(object, FORCE_RELEASE_ANNOTATION).filter(|reason| !reason.is_empty())
}

/// Whether a person holds the object. What somebody may have meant by another value than `true` is not guessed.
fn is_protected(object: &Deployment) -> bool {
    annotation(object, PROTECTED_ANNOTATION).is_some_and(|value| value != "false")
}

/// How free the operator is with the object. A pause holds also where nothing but looking is done anyway.
pub(crate) fn hand(object: &Deployment, mode: Mode) -> Hand {
    if annotation(object, PAUSED_ANNOTATION).is_some_and(|value| value != "false") {
        Hand::Paused
    } else if mode == Mode::Observe || is_observed(object) {
        Hand::Observe
    } else if is_observed_only(object) {
        Hand::Unclaimed
    } else {
        Hand::Manage
    }
}

/// Whether the recorded deployment was only looked at.
fn is_observed_only(object: &Deployment) -> bool {
    let status = object.status.as_ref();
    status.is_some_and(|status| status.observed_only && status.deployment.is_some())
}

/// Whether the object itself asks only to be shown something.
pub(crate) fn is_observed(object: &Deployment) -> bool {
    object.spec.management_policy == ManagementPolicy::Observe
}

/// Whether the object looks on at a deployment that it neither holds nor keeps from anybody.
pub(crate) fn looks_on(object: &Deployment) -> bool {
    is_observed(object) && !has_created(object)
}

/// Whether what the object has in AI Core is its own to end: it has created that, or it is to manage it and has not only looked at it.
pub(crate) fn owns(object: &Deployment) -> bool {
    has_created(object) || !(is_observed(object) || is_observed_only(object))
}

/// Whether the object records something that it has created itself, be it the create call for it: an open one, or one whose late result may come.
fn has_created(object: &Deployment) -> bool {
    let Some(status) = object.status.as_ref().filter(|it| it.create_serial > 0) else {
        return false;
    };
    let adopt = object.spec.adopt.as_ref();
    let is_adopted = |id: &String| adopt.is_some_and(|adopt| adopt.deployment_id == *id);
    let current = status.deployment.iter().map(|deployment| &deployment.id);
    let mut recorded = current.chain(status.retiring.iter().map(|retiring| &retiring.id));
    let has_called = status.intent.is_some() || !status.lapsed.is_empty();
    has_called || recorded.any(|id| !is_adopted(id))
}

fn annotation<'a>(object: &'a Deployment, name: &str) -> Option<&'a str> {
    object.annotations().get(name).map(|value| value.trim())
}

/// The state that is wanted: what the schedule says, as it is recorded, or what the spec does.
pub(crate) fn desired_state(object: &Deployment) -> DesiredState {
    let status = object.status.as_ref();
    let scheduled =
        status.filter(|status| object.spec.schedule.is_some() && status.schedule.is_some());
    let scheduled = scheduled.and_then(|status| status.desired_state);
    scheduled.or(object.spec.desired_state).unwrap_or_default()
}

/// Where the object is to be driven.
pub(crate) fn goal(object: &Deployment, default_policy: DeletionPolicy) -> Goal {
    let policy = object.spec.deletion_policy.unwrap_or(default_policy);
    match (
        finalizers::is_terminating(object),
        policy,
        desired_state(object),
    ) {
        (true, DeletionPolicy::Delete, _) => Goal::Released,
        (true, DeletionPolicy::Orphan, _) => Goal::Orphaned,
        (false, _, DesiredState::Running) => Goal::Running,
        (false, _, DesiredState::Stopped) => Goal::Stopped,
        (false, _, DesiredState::Deleted) => Goal::Deleted,
    }
}
