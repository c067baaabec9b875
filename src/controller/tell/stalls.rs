//! What a person has to do, in words.

use super::doubts;
use super::facts::{problem, remark, remote_state};
use super::restraints;
use super::words::{Verdict, present, stalled};
use crate::api::{Deployment, FORCE_RELEASE_ANNOTATION, PROTECTED_ANNOTATION, Reason, RolledBack};
use crate::controller::observe::Observation;
use crate::controller::observe::access::DENIED;
use crate::lifecycle::situation::{Fit, Goal};
use crate::lifecycle::step::Stall;

/// What stands still until a person acts.
pub(super) fn say_stall(
    stall: Stall,
    object: &Deployment,
    observation: &Observation,
    id: &str,
) -> Verdict {
    let candidates = observation.candidates.join(", ");
    match stall {
        Stall::ConnectionUnusable | Stall::TenantChanged => {
            let (reason, mut message) = problem_in_group(object, observation);
            if observation.situation.goal == Goal::Released {
                let left = recorded_ids(object).join(", ");
                message = format!(
                    "{message}. What may be left in AI Core: deployment {left}. To let go of it without deleting it, set deletionPolicy to Orphan, or annotate \
                     this object with {FORCE_RELEASE_ANNOTATION}=<reason>"
                );
            }
            stalled(
                reason,
                message,
                "wait for a key that leads to the deployment",
            )
        }
        Stall::AccessDenied => {
            let (reason, message) = problem_in_group(object, observation);
            stalled(reason, message, "wait for the Connection to allow it")
        }
        Stall::Claimed => {
            let id = if id.is_empty() { &candidates } else { id };
            stalled(
                Reason::Claimed,
                format!(
                    "deployment {id} belongs to another object, or was made for one of a namespace that another operator looks at; name another deployment, or delete one of the two objects"
                ),
                "wait for the other object to let go",
            )
        }
        Stall::Ambiguous => doubts::ambiguous(object, observation),
        Stall::OperatorConflict => doubts::operator_conflict(object),
        Stall::DeploymentDead => stalled(
            Reason::DeploymentDead,
            say_dead(object, observation, id),
            "wait for a new configuration",
        ),
        Stall::RolledBack => {
            let what = rolled_back(object).map(|rolled_back| {
                let cause = rolled_back.message.as_deref().unwrap_or(NO_CAUSE);
                format!(
                    "configuration {} has failed ({cause}), so deployment {id} runs with configuration {} again",
                    rolled_back.configuration_id, rolled_back.restored_configuration_id
                )
            });
            stalled(
                Reason::RolledBack,
                format!(
                    "{}. Ask for another configuration; the same one is tried again only after the spec has asked for another one",
                    what.unwrap_or_default()
                ),
                "wait for another configuration",
            )
        }
        Stall::ReplacementForbidden => stalled(
            Reason::ReplacementForbidden,
            format!(
                "the configuration of the spec is of another scenario or executable than deployment {id}, which was adopted with deletionPolicy Orphan and so is not replaced; ask for a configuration of the same executable, or set deletionPolicy to Delete to have {id} replaced and deleted, or make another object"
            ),
            "wait for a person to decide",
        ),
        Stall::StoppedElsewhere => stalled(
            Reason::StoppedElsewhere,
            format!(
                "deployment {id} was stopped by somebody else and cannot be started again; set recreatePolicy to Always, or desiredState to Stopped, or to Deleted and back to Running for a new one"
            ),
            "wait for a person to decide",
        ),
        Stall::DeploymentMissing => stalled(
            Reason::DeploymentMissing,
            format!(
                "deployment {id} was deleted by somebody else; set recreatePolicy to Always, or desiredState to Deleted and back to Running for a new one"
            ),
            "wait for a person to decide",
        ),
        Stall::NeverSeen => {
            let id = if id.is_empty() { &candidates } else { id };
            let group = &object.spec.resource_group;
            stalled(
                Reason::NeverSeen,
                format!(
                    "AI Core shows no deployment {id} in resource group {group}; correct the id or the group"
                ),
                "look for it in the next list",
            )
        }
        Stall::NoConfiguration => stalled(
            Reason::NoConfiguration,
            "the adopted deployment is gone and the spec says nothing to create a new one from; add configuration or configurationId",
            "wait for a configuration",
        ),
        Stall::Protected => stalled(
            Reason::Protected,
            format!(
                "this object carries the annotation {PROTECTED_ANNOTATION}, so nothing of it is stopped, deleted or let go; remove the annotation to go on, or set desiredState back"
            ),
            "wait for the annotation to be removed",
        ),
        Stall::Paused => restraints::paused(object, observation),
        Stall::Observing => restraints::observing(object, observation),
        Stall::Overdue => stalled(
            Reason::Overdue,
            format!(
                "deployment {id} has been {} for too long{}; look at it in SAP AI Launchpad, or ask SAP support",
                remote_state(observation),
                remark(observation)
            ),
            format!(
                "wait for {id} to leave the state {}",
                remote_state(observation)
            ),
        ),
    }
}

/// What stands in the place of a message that AI Core did not send.
const NO_CAUSE: &str = "AI Core gives no cause";

pub(super) fn cause_of_death(observation: &Observation) -> String {
    let remote = observation.remote.as_ref();
    let message = remote.and_then(|remote| remote.status_message.clone());
    message.unwrap_or_else(|| NO_CAUSE.to_owned())
}

fn rolled_back(object: &Deployment) -> Option<&RolledBack> {
    object.status.as_ref()?.rolled_back.as_ref()
}

fn say_dead(object: &Deployment, observation: &Observation, id: &str) -> String {
    let mut message = format!("deployment {id} is dead: {}", cause_of_death(observation));
    let failed = present(observation)
        .filter(|present| present.configuration == Fit::RolledBack)
        .and_then(|_| rolled_back(object));
    if let Some(failed) = failed {
        message = format!(
            "{message}. It was given back configuration {} after configuration {} had failed",
            failed.restored_configuration_id, failed.configuration_id
        );
    }
    if let Some(predecessor) = observation.predecessor.as_ref().filter(|it| it.serves) {
        message = format!("{message}. Deployment {} serves on", predecessor.id);
    }
    format!("{message}. Change the configuration, or set desiredState to Deleted")
}

/// What is in the way, with the resource group where access to it is what is missing.
fn problem_in_group(object: &Deployment, observation: &Observation) -> (Reason, String) {
    let (reason, message) = problem(observation);
    match reason {
        DENIED => {
            let group = &object.spec.resource_group;
            (reason, format!("resource group {group}: {message}"))
        }
        _ => (reason, message),
    }
}

/// The ids of the recorded deployment and of those that are retiring, or what is known of an open create call.
fn recorded_ids(object: &Deployment) -> Vec<String> {
    let status = object.status.clone().unwrap_or_default();
    let call = status.intent.map(|intent| {
        format!(
            "that a create call from configuration {} may have made",
            intent.configuration_id
        )
    });
    let recorded = status.deployment.map(|deployment| deployment.id);
    let retiring = status.retiring.into_iter().map(|other| other.id);
    recorded.into_iter().chain(retiring).chain(call).collect()
}
