//! What each step means, in words: the reason and message of the conditions, and what comes next.

use super::restraints::{say_left, say_observed};
use super::stalls::{cause_of_death, say_stall};
use super::waiting::say_wait;
use crate::api::{Deployment, Reason};
use crate::controller::observe::Observation;
use crate::lifecycle::Step;
use crate::lifecycle::situation::{Goal, Present, Record, Remote, State};
use crate::lifecycle::step::{Done, Release};

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
    pub(crate) reason: Reason,
    /// A sentence.
    pub(crate) message: String,
    /// What the operator does next or waits for.
    pub(crate) next: Option<String>,
}

pub(super) fn settled(reason: Reason, message: impl Into<String>) -> Verdict {
    Verdict {
        mood: Mood::Settled,
        reason,
        message: message.into(),
        next: None,
    }
}

pub(super) fn going(
    reason: Reason,
    message: impl Into<String>,
    next: impl Into<String>,
) -> Verdict {
    Verdict {
        mood: Mood::Reconciling,
        reason,
        message: message.into(),
        next: Some(next.into()),
    }
}

pub(super) fn stalled(
    reason: Reason,
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
            Reason::Preparing,
            "the object is being prepared",
            "put the finalizer on this object",
        ),
        Step::Release(Release::Orphaned) if observation.situation.goal == Goal::Released => going(
            Reason::Releasing,
            say_left(object, &id),
            "take the finalizer off this object",
        ),
        Step::Release(release) => doubted(say_release(release, &id), observation),
        Step::Take => {
            let found = observation.candidates.join(", ");
            going(
                Reason::Taking,
                format!("deployment {found} was found to be this object's"),
                format!("record deployment {found}"),
            )
        }
        Step::PrepareConfiguration => going(
            Reason::PreparingConfiguration,
            "the configuration of the spec is being looked for in AI Core, and created where it is missing",
            "find or create the configuration",
        ),
        Step::Create => going(
            Reason::Creating,
            "a deployment is being created",
            "create a deployment",
        ),
        Step::Replace => going(
            Reason::Replacing,
            format!(
                "the configuration of the spec is of another scenario or executable than deployment {id}: a new deployment is created, and {id} serves until that runs"
            ),
            format!("create the deployment that replaces {id}"),
        ),
        Step::TakeBack => going(
            Reason::Replacing,
            format!(
                "deployment {id} was to take the place of another one and is not wanted any more"
            ),
            format!("record the deployment that {id} was to replace, and let {id} go"),
        ),
        Step::ClearIntent => going(
            Reason::Creating,
            "the last create call had no effect in AI Core",
            "forget the create call that had no effect",
        ),
        Step::Forget => going(
            Reason::DeploymentGone,
            format!("deployment {id} is gone"),
            format!("forget deployment {id}"),
        ),
        Step::Retire => {
            let ids = observation.unrecorded.join(", ");
            going(
                Reason::Retiring,
                format!("deployment {ids} was made for this object besides the one it has"),
                format!("record deployment {ids}, so that it is stopped and deleted"),
            )
        }
        Step::Stop => say_stop(observation, &id),
        Step::Delete => say_delete(observation, &id),
        Step::ChangeConfiguration => going(
            Reason::Updating,
            format!("deployment {id} is being given the configuration of the spec"),
            format!("change the configuration of {id}"),
        ),
        Step::RollBack => going(
            Reason::RollingBack,
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
            _ => doubted(say_done(done, object, observation, &id), observation),
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
    going(Reason::Stopping, message, format!("stop {id}"))
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
    going(Reason::Deleting, message, format!("delete {id}"))
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
    going(
        Reason::Releasing,
        message,
        "take the finalizer off this object",
    )
}

fn say_done(done: Done, object: &Deployment, observation: &Observation, id: &str) -> Verdict {
    match done {
        Done::Running => settled(Reason::Running, format!("deployment {id} runs")),
        Done::Stopped if id.is_empty() => settled(
            Reason::Stopped,
            "there is no deployment, and none is wanted to run",
        ),
        Done::Stopped => settled(
            Reason::Stopped,
            format!(
                "deployment {id} does not run; AI Core cannot start it again, so going back to Running makes a new one"
            ),
        ),
        Done::Deleted => settled(Reason::Deleted, "AI Core has no deployment of this object"),
        Done::Expired => settled(
            Reason::Expired,
            format!(
                "the ttl of deployment {id} has run out and AI Core has deleted it; set desiredState to Deleted and back to Running for a new one"
            ),
        ),
        Done::Observed => say_observed(object, observation),
        Done::Released => settled(
            Reason::Released,
            format!(
                "this operator is done with {}; other finalizers still hold it",
                object.metadata.name.as_deref().unwrap_or_default()
            ),
        ),
    }
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
