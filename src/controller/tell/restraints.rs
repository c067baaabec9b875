//! What is said where a step is held back: because nothing may be written to AI Core, or because a person has paused the object.

use super::words::{Verdict, recorded_id, say, stalled};
use crate::api::{Deployment, PAUSED_ANNOTATION, Reason};
use crate::controller::observe::Observation;
use crate::controller::subject::is_observed;
use crate::controller::tell::words::Mood;
use crate::lifecycle::step::Wait;
use crate::lifecycle::{Step, next_step};

/// Nothing is written, and this would be done.
pub(super) fn say_observed(object: &Deployment, observation: &Observation) -> Verdict {
    let plan = plan(object, observation);
    Verdict {
        mood: Mood::Settled,
        reason: Reason::Observed,
        message: format!(
            "{}, so nothing is written to AI Core. To reach desiredState, Manage would {plan}",
            cause(object)
        ),
        next: Some(format!("would {plan}")),
    }
}

/// A person has paused the object.
pub(super) fn paused(object: &Deployment, observation: &Observation) -> Verdict {
    let plan = plan(object, observation);
    stalled(
        Reason::Paused,
        format!(
            "this object carries the annotation {PAUSED_ANNOTATION}, so nothing is done about it; remove the annotation to go on, which would {plan}"
        ),
        format!("would {plan}, but waits for the annotation {PAUSED_ANNOTATION} to be removed"),
    )
}

/// The object is deleted, and what it has in AI Core may not be touched.
pub(super) fn observing(object: &Deployment, observation: &Observation) -> Verdict {
    let plan = plan(object, observation);
    let way_on = if is_observed(object) {
        "set managementPolicy to Manage"
    } else {
        "let the operator run with --mode=manage"
    };
    stalled(
        Reason::Observing,
        format!(
            "this object is deleted, and what it has in AI Core is its own; but {}, so nothing is written there. To {plan}, {way_on}; to leave everything as it is, set deletionPolicy to Orphan",
            cause(object)
        ),
        format!("would {plan}, but waits for a person to decide"),
    )
}

/// An object goes that has only looked on.
pub(super) fn say_left(object: &Deployment, id: &str) -> String {
    let cause = cause(object);
    match id {
        "" => format!("{cause}, and no deployment is recorded"),
        id => format!(
            "{cause}, and this object has not created deployment {id}, which is left as it is and may go on costing money"
        ),
    }
}

/// Why nothing is written.
fn cause(object: &Deployment) -> &'static str {
    let status = object.status.as_ref();
    if is_observed(object) {
        "managementPolicy is Observe"
    } else if status.is_some_and(|status| status.observed_only) {
        "the deployment was looked at only"
    } else {
        "the operator runs with --mode=observe"
    }
}

/// What would be done next, to follow "would".
fn plan(object: &Deployment, observation: &Observation) -> String {
    let wish = next_step(&observation.situation);
    if matches!(wish, Step::Done(_) | Step::Wait(Wait::Retiring)) {
        return match &observation.retiring {
            Some(retiring) => format!("end deployment {}, which it has besides", retiring.id),
            None => "end the deployments that it has besides".to_owned(),
        };
    }
    match (&observation.missing_configuration, wish) {
        (Some(name), Step::PrepareConfiguration) => match recorded_id(object).as_str() {
            "" => format!("create configuration {name}, and a deployment from it"),
            id => format!("create configuration {name} for deployment {id}"),
        },
        _ => say(object, observation, wish).next.unwrap_or_default(),
    }
}
