//! What each step means, in words: the reason and message of the conditions, and what comes next.

use super::doubts;
use super::events::shortened;
use crate::api::{Deployment, FORCE_RELEASE_ANNOTATION, PROTECTED_ANNOTATION, RolledBack};
use crate::controller::observe::Observation;
use crate::controller::observe::access::DENIED;
use crate::lifecycle::Step;
use crate::lifecycle::situation::{Fit, Goal, Present, Record, Remote, State};
use crate::lifecycle::step::{Done, Release, Stall, Wait};

/// The longest message of AI Core's in a sentence, in bytes (`statusMessage` of `AiDeployment` has at most 256 characters).
const MAXIMUM_REMARK: usize = 512;

/// Whether a person has to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// The goal is reached.
    Settled,
    /// It goes on by itself.
    Reconciling,
    /// A person must act.
    Stalled,
}

/// What to tell about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) mood: Mood,
    /// One word in CamelCase.
    pub(crate) reason: &'static str,
    /// A sentence.
    pub(crate) message: String,
    /// What the operator does next or waits for.
    pub(crate) next: Option<String>,
}

fn settled(reason: &'static str, message: impl Into<String>) -> Verdict {
    Verdict {
        mood: Mood::Settled,
        reason,
        message: message.into(),
        next: None,
    }
}

fn going(reason: &'static str, message: impl Into<String>, next: impl Into<String>) -> Verdict {
    Verdict {
        mood: Mood::Reconciling,
        reason,
        message: message.into(),
        next: Some(next.into()),
    }
}

pub(super) fn stalled(
    reason: &'static str,
    message: impl Into<String>,
    next: impl Into<String>,
) -> Verdict {
    Verdict {
        mood: Mood::Stalled,
        reason,
        message: message.into(),
        next: Some(next.into()),
    }
}

/// What a step means for an object.
pub(crate) fn say(object: &Deployment, observation: &Observation, step: Step) -> Verdict {
    let id = recorded_id(object);
    match step {
        Step::AddFinalizer => going(
            "Preparing",
            "the object is being prepared",
            "put the finalizer on this object",
        ),
        Step::Release(release) => doubted(say_release(release, &id), observation),
        Step::Take => {
            let found = observation.candidates.join(", ");
            going(
                "Taking",
                format!("deployment {found} was found to be this object's"),
                format!("record deployment {found}"),
            )
        }
        Step::PrepareConfiguration => going(
            "PreparingConfiguration",
            "the configuration of the spec is being looked for in AI Core, and created where it is missing",
            "find or create the configuration",
        ),
        Step::Create => going(
            "Creating",
            "a deployment is being created",
            "create a deployment",
        ),
        Step::Replace => going(
            "Replacing",
            format!(
                "the configuration of the spec is of another scenario or executable than deployment {id}: a new deployment is created, and {id} serves until that runs"
            ),
            format!("create the deployment that replaces {id}"),
        ),
        Step::TakeBack => going(
            "Replacing",
            format!(
                "deployment {id} was to take the place of another one and is not wanted any more"
            ),
            format!("record the deployment that {id} was to replace, and let {id} go"),
        ),
        Step::ClearIntent => going(
            "Creating",
            "the last create call had no effect in AI Core",
            "forget the create call that had no effect",
        ),
        Step::Forget => going(
            "DeploymentGone",
            format!("deployment {id} is gone"),
            format!("forget deployment {id}"),
        ),
        Step::Retire => {
            let ids = observation.unrecorded.join(", ");
            going(
                "Retiring",
                format!("deployment {ids} was made for this object besides the one it has"),
                format!("record deployment {ids}, so that it is stopped and deleted"),
            )
        }
        Step::Stop => say_stop(observation, &id),
        Step::Delete => say_delete(observation, &id),
        Step::ChangeConfiguration => going(
            "Updating",
            format!("deployment {id} is being given the configuration of the spec"),
            format!("change the configuration of {id}"),
        ),
        Step::RollBack => going(
            "RollingBack",
            format!(
                "deployment {id} is dead with the configuration of the spec: {}. It is given back the configuration that ran before",
                cause_of_death(observation)
            ),
            format!("change the configuration of {id} back"),
        ),
        Step::Done(done) => match &observation.endpoint.problem {
            Some(problem) if done == Done::Running => stalled(
                problem.reason,
                format!(
                    "deployment {id} runs, but applications are not told so: {}",
                    problem.message
                ),
                "write the ConfigMap of spec.endpoint",
            ),
            _ => doubted(say_done(done, object, &id), observation),
        },
        Step::Wait(wait) => say_wait(wait, observation, &id),
        Step::Stall(stall) => say_stall(stall, object, observation, &id),
    }
}

fn say_stop(observation: &Observation, id: &str) -> Verdict {
    let message = match observation.situation.goal {
        Goal::Running => format!(
            "deployment {id} is being stopped: the configuration of the spec is of another scenario or executable, so a new one with a new id and a new URL is created once it is gone"
        ),
        _ => format!("deployment {id} is being stopped"),
    };
    going("Stopping", message, format!("stop {id}"))
}

/// Names what nobody will look for once the object is at rest or gone.
fn doubted(verdict: Verdict, observation: &Observation) -> Verdict {
    let doubtful = observation.doubtful().join(", ");
    if doubtful.is_empty() {
        return verdict;
    }
    let message = format!(
        "{}, as far as its status tells. That may be older than {doubtful}, which nobody holds; delete what nobody needs",
        verdict.message
    );
    Verdict { message, ..verdict }
}

fn say_delete(observation: &Observation, id: &str) -> Verdict {
    let dead = present(observation).is_some_and(|present| present.state == State::Dead);
    let message = if observation.situation.goal == Goal::Running && dead {
        format!(
            "deployment {id} is dead, and the configuration of the spec is of another scenario or executable: it is deleted, and a new one with a new id and a new URL is created"
        )
    } else if observation.situation.goal == Goal::Running {
        format!(
            "deployment {id} has stopped, and AI Core cannot start it again: it is deleted, and a new one with a new id and a new URL is created"
        )
    } else {
        format!("deployment {id} is being deleted")
    };
    going("Deleting", message, format!("delete {id}"))
}

fn say_release(release: Release, id: &str) -> Verdict {
    let message = match release {
        Release::Gone => format!("deployment {id} is gone from AI Core"),
        Release::NeverSeen => format!("AI Core does not know deployment {id}, and it was never seen there"),
        Release::NeverCreated => "no deployment was created for this object".to_owned(),
        Release::Unchecked => "no deployment is recorded for this object; without a usable key nothing could be looked up in AI Core".to_owned(),
        Release::Orphaned if id.is_empty() => "deletionPolicy is Orphan; no deployment is recorded".to_owned(),
        Release::Orphaned => format!("deletionPolicy is Orphan: deployment {id} is left as it is and may go on costing money"),
        Release::Uninstalled => {
            let left = match id {
                "" => "no deployment is recorded".to_owned(),
                id => format!("deployment {id} is left as it is and may go on costing money"),
            };
            format!("the custom resource definition is being deleted, which is no wish to delete models: {left}")
        }
        Release::Forced => {
            let left = if id.is_empty() { "whatever this object had in AI Core" } else { id };
            format!("the release was forced: {left} may still be there and cost money; see the ConfigMap with label aicore.dev/record=force-release in the operator's namespace")
        }
        Release::ClaimedByAnother => format!("deployment {id} belongs to another object and is left to it"),
    };
    going("Releasing", message, "take the finalizer off this object")
}

fn say_done(done: Done, object: &Deployment, id: &str) -> Verdict {
    match done {
        Done::Running => settled("Running", format!("deployment {id} runs")),
        Done::Stopped if id.is_empty() => settled(
            "Stopped",
            "there is no deployment, and none is wanted to run",
        ),
        Done::Stopped => settled(
            "Stopped",
            format!(
                "deployment {id} does not run; AI Core cannot start it again, so going back to Running makes a new one"
            ),
        ),
        Done::Deleted => settled("Deleted", "AI Core has no deployment of this object"),
        Done::Expired => settled(
            "Expired",
            format!(
                "the ttl of deployment {id} has run out and AI Core has deleted it; set desiredState to Deleted and back to Running for a new one"
            ),
        ),
        Done::Released => settled(
            "Released",
            format!(
                "this operator is done with {}; other finalizers still hold it",
                object.metadata.name.as_deref().unwrap_or_default()
            ),
        ),
    }
}

fn say_wait(wait: Wait, observation: &Observation, id: &str) -> Verdict {
    match wait {
        Wait::Unreachable => {
            let (reason, message) = problem(observation);
            going(reason, message, "wait for AI Core to answer")
        }
        Wait::Observation => going(
            "Observing",
            "AI Core is being asked for the present state",
            "look at a fresh list of deployments",
        ),
        Wait::Chain => going(
            "ConnectionNotReady",
            "nothing is created before the Connection and its Secret carry the operator's finalizer, or while one of them is being deleted",
            "wait for the Connection to become ready",
        ),
        Wait::Resolution => going(
            "CreateUnresolved",
            "a create call was interrupted; whether it made a deployment is being found out before anything else is done",
            "wait until the interrupted create call shows its result or can have none",
        ),
        Wait::Starting => going(
            "Starting",
            format!("deployment {id} is starting{}", remark(observation)),
            format!("wait for {id} to run"),
        ),
        Wait::Updating => going(
            "Updating",
            format!("deployment {id} is taking on the configuration of the spec"),
            format!("wait for {id} to run with its new configuration"),
        ),
        Wait::Comparison => going(
            "Comparing",
            format!(
                "AI Core does not tell whether the configuration of the spec has the scenario and executable of deployment {id}, so it is neither changed nor replaced; it is asked again"
            ),
            "find out whether the deployment can be given the configuration",
        ),
        Wait::RollingBack => going(
            "RollingBack",
            format!("deployment {id} is taking on the configuration again that ran before"),
            format!("wait for {id} to run with its former configuration"),
        ),
        // This is said of a deployment besides the recorded one only.
        Wait::Successor => going(
            "Replacing",
            "a deployment serves until its successor runs",
            format!("wait for {id} to run"),
        ),
        Wait::Stopping => going(
            "Stopping",
            format!("deployment {id} is stopping"),
            format!("wait for {id} to stop"),
        ),
        Wait::Deleting => going(
            "Deleting",
            format!("AI Core is deleting deployment {id}"),
            format!("wait for {id} to be gone"),
        ),
        Wait::Absence => going(
            "ConfirmingAbsence",
            format!(
                "deployment {id} is in no list, which is not proof that it is gone; AI Core is asked again"
            ),
            format!("wait for proof that {id} is gone"),
        ),
        Wait::Uninstall => {
            let (reason, message) = problem(observation);
            going(
                reason,
                message,
                "find out whether everything is being uninstalled",
            )
        }
        Wait::Retiring => say_retiring(observation),
        Wait::UnknownState => going(
            "UnknownState",
            format!(
                "deployment {id} is in the state {}, which this operator does not know",
                remote_state(observation)
            ),
            format!(
                "wait for {id} to leave the state {}",
                remote_state(observation)
            ),
        ),
    }
}

/// Only another deployment of the object is left to wait for.
fn say_retiring(observation: &Observation) -> Verdict {
    let Some(retiring) = &observation.retiring else {
        return going(
            "Retiring",
            "another deployment of this object is still to be stopped and deleted",
            "look at it in a fresh list",
        );
    };
    let id = &retiring.id;
    let state = retiring
        .deployment
        .as_ref()
        .map(|deployment| deployment.status.to_string());
    let state = state.unwrap_or_else(|| "not listed any more".to_owned());
    let message = format!(
        "deployment {id}, which this object has besides, is {state}; it is stopped and deleted before this object goes"
    );
    let next = format!("wait for {id} to be gone");
    match retiring.step(&observation.situation) {
        Step::Stall(Stall::Overdue) => stalled(
            "Overdue",
            format!(
                "{message}. It has been so for too long; look at it in SAP AI Launchpad, or ask SAP support"
            ),
            next,
        ),
        _ => going("Retiring", message, next),
    }
}

fn say_stall(stall: Stall, object: &Deployment, observation: &Observation, id: &str) -> Verdict {
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
                "Claimed",
                format!(
                    "deployment {id} belongs to another object; name another deployment, or delete one of the two objects"
                ),
                "wait for the other object to let go",
            )
        }
        Stall::Ambiguous => doubts::ambiguous(object, observation),
        Stall::OperatorConflict => doubts::operator_conflict(object),
        Stall::DeploymentDead => stalled(
            "DeploymentDead",
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
                "RolledBack",
                format!(
                    "{}. Ask for another configuration; the same one is tried again only after the spec has asked for another one",
                    what.unwrap_or_default()
                ),
                "wait for another configuration",
            )
        }
        Stall::ReplacementForbidden => stalled(
            "ReplacementForbidden",
            format!(
                "the configuration of the spec is of another scenario or executable than deployment {id}, which was adopted with deletionPolicy Orphan and so is not replaced; ask for a configuration of the same executable, or set deletionPolicy to Delete to have {id} replaced and deleted, or make another object"
            ),
            "wait for a person to decide",
        ),
        Stall::StoppedElsewhere => stalled(
            "StoppedElsewhere",
            format!(
                "deployment {id} was stopped by somebody else and cannot be started again; set recreatePolicy to Always, or desiredState to Stopped, or to Deleted and back to Running for a new one"
            ),
            "wait for a person to decide",
        ),
        Stall::DeploymentMissing => stalled(
            "DeploymentMissing",
            format!(
                "deployment {id} was deleted by somebody else; set recreatePolicy to Always, or desiredState to Deleted and back to Running for a new one"
            ),
            "wait for a person to decide",
        ),
        Stall::NeverSeen => {
            let id = if id.is_empty() { &candidates } else { id };
            let group = &object.spec.resource_group;
            stalled(
                "NeverSeen",
                format!(
                    "AI Core shows no deployment {id} in resource group {group}; correct the id or the group"
                ),
                "look for it in the next list",
            )
        }
        Stall::NoConfiguration => stalled(
            "NoConfiguration",
            "the adopted deployment is gone and the spec says nothing to create a new one from; add configuration or configurationId",
            "wait for a configuration",
        ),
        Stall::Protected => stalled(
            "Protected",
            format!(
                "this object carries the annotation {PROTECTED_ANNOTATION}, so nothing of it is stopped, deleted or let go; remove the annotation to go on, or set desiredState back"
            ),
            "wait for the annotation to be removed",
        ),
        Stall::Overdue => stalled(
            "Overdue",
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

fn cause_of_death(observation: &Observation) -> String {
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
fn problem_in_group(object: &Deployment, observation: &Observation) -> (&'static str, String) {
    let (reason, message) = problem(observation);
    match reason {
        DENIED => {
            let group = &object.spec.resource_group;
            (reason, format!("resource group {group}: {message}"))
        }
        _ => (reason, message),
    }
}

fn problem(observation: &Observation) -> (&'static str, String) {
    let access = observation.access.as_ref();
    let denied = access.and_then(|access| access.denied.as_ref());
    match observation.problem.as_ref().or(denied) {
        Some(problem) => (problem.reason, problem.message.clone()),
        None => ("Unreachable", "AI Core did not answer".to_owned()),
    }
}

/// What AI Core adds to the state, to follow it in a sentence.
fn remark(observation: &Observation) -> String {
    let remote = observation.remote.as_ref();
    let message = remote.and_then(|remote| remote.status_message.as_deref());
    message.map_or_else(String::new, |message| {
        format!(" ({})", shortened(message, MAXIMUM_REMARK))
    })
}

fn remote_state(observation: &Observation) -> String {
    observation
        .remote
        .as_ref()
        .map(|remote| remote.status.to_string())
        .unwrap_or_default()
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

/// The id of the recorded deployment, or nothing.
pub(crate) fn recorded_id(object: &Deployment) -> String {
    object
        .status
        .as_ref()
        .and_then(|status| status.deployment.as_ref())
        .map(|deployment| deployment.id.clone())
        .unwrap_or_default()
}

/// The deployment as the rules see it, where it is listed.
pub(crate) fn present(observation: &Observation) -> Option<Present> {
    match observation.situation.record {
        Record::Deployment {
            remote: Remote::Present(present),
            ..
        } => Some(present),
        _ => None,
    }
}
