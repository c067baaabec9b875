//! The status of a Deployment, as a pure function of what is known and of the next step.

use jiff::Timestamp;

use super::events::shortened;
use super::words::{Mood, Verdict, say};
use crate::aicore::{self, Status};
use crate::api::{
    Condition, ConditionKind, Deployment, DeploymentStatus, Intent, Reason, RecordedDeployment,
    RecordedResources, set_conditions,
};
use crate::controller::connection::reference;
use crate::controller::observe::Observation;
use crate::controller::problem::Failure;
use crate::controller::subject::{Wanted, desired_state, looks_on, wanted};
use crate::lifecycle::Step;
use crate::lifecycle::situation::{Connection, Goal, Record, Remote};
use crate::lifecycle::step::{Done, Wait};

/// The longest text of AI Core's that a status keeps, in bytes.
const MAXIMUM_TEXT: usize = 512;

/// The longest message of a condition, in bytes (`message` of `meta/v1 Condition` allows 32768).
const MAXIMUM_MESSAGE: usize = 1024;

/// The status of `object` before `step` is taken, or the one it has where there is nothing new to say.
pub(crate) fn status(
    object: &Deployment,
    observation: &Observation,
    step: Step,
    now: Timestamp,
) -> DeploymentStatus {
    let mut status = object.status.clone().unwrap_or_default();
    if let Some(remote) = &observation.remote {
        status.deployment = Some(recorded(remote));
    }
    if let Some(connection) = &observation.moved_to {
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        reference::note(&mut status, namespace, connection);
    }
    if let Some(retiring) = &observation.retiring
        && let Some(remote) = &retiring.deployment
        && let Some(record) = status.retiring.iter_mut().find(|it| it.id == retiring.id)
    {
        let seen = recorded(remote);
        record.state = seen.state;
        record.target_state = seen.target_state;
        record.url = seen.url.filter(|_| record.serves_until_replaced);
    }
    let failed = |id: &str| wanted(object) == Wanted::Configuration(id.to_owned());
    // Once the spec asks for another configuration, the failed one may be tried again.
    status
        .rolled_back
        .take_if(|rolled_back| !failed(&rolled_back.configuration_id));
    let is_over = |call: &Intent| observation.calls_over.contains(&call.key());
    status.lapsed.retain(|call| !is_over(call));
    if matches!(step, Step::Stop | Step::Delete) && observation.situation.goal == Goal::Released {
        status.deletion_begun = true;
    }
    if looks_on(object) {
        status.observed_only = status.deployment.is_some();
    }
    status.endpoint = observation.endpoint.config_map.clone();
    if step == Step::Done(Done::Running) && observation.stop_is_over {
        // A stop that was announced but had no effect must not explain a later stop by somebody else.
        status.stop_sent_for = None;
    }
    if says_nothing_new(object, &status, observation, step) {
        return status;
    }
    apply(
        &mut status,
        object,
        &say(object, observation, step),
        available(object, observation),
        now,
    );
    status
}

/// The status of `object` after a step failed.
pub(crate) fn failed(object: &Deployment, failure: &Failure, now: Timestamp) -> DeploymentStatus {
    let mut status = object.status.clone().unwrap_or_default();
    let passing = matches!(
        failure.problem.reason,
        Reason::RateLimited | Reason::Unreachable | Reason::Unavailable
    );
    if passing
        && status
            .conditions
            .iter()
            .any(|condition| condition.kind == ConditionKind::Stalled)
    {
        // The first cause stays: that AI Core is busy now explains nothing.
        return status;
    }
    let verdict = Verdict {
        mood: if failure.stalled {
            Mood::Stalled
        } else {
            Mood::Reconciling
        },
        reason: failure.problem.reason,
        message: failure.problem.message.clone(),
        next: status.next_step.clone(),
    };
    apply(&mut status, object, &verdict, was_available(object), now);
    status
}

/// While a list is fetched there is nothing to tell. While AI Core does not answer for a while, a reached goal stays reached, and what a person
/// has to do stays to be done.
fn says_nothing_new(
    object: &Deployment,
    status: &DeploymentStatus,
    observation: &Observation,
    step: Step,
) -> bool {
    let looked_at = Some(status.observed_generation) == object.metadata.generation;
    let at_rest = status.conditions.iter().any(|condition| {
        matches!(
            condition.kind,
            ConditionKind::Ready | ConditionKind::Stalled
        ) && condition.status == true.into()
    });
    match step {
        Step::Wait(Wait::Observation) => looked_at,
        Step::Wait(Wait::Unreachable) => {
            looked_at && at_rest && observation.situation.connection == Connection::Unreachable
        }
        _ => false,
    }
}

fn apply(
    status: &mut DeploymentStatus,
    object: &Deployment,
    verdict: &Verdict,
    available: bool,
    now: Timestamp,
) {
    let generation = object.metadata.generation.unwrap_or_default();
    let condition = |kind, holds: bool, reason: Reason, message: &str| Condition {
        kind,
        status: holds.into(),
        reason: reason.to_string(),
        message: shortened(message, MAXIMUM_MESSAGE),
        last_transition_time: now,
        observed_generation: generation,
    };
    let (reason, message) = (verdict.reason, verdict.message.as_str());
    let mut conditions = vec![
        condition(
            ConditionKind::Ready,
            verdict.mood == Mood::Settled,
            reason,
            message,
        ),
        match available {
            true => condition(
                ConditionKind::Available,
                true,
                Reason::Serving,
                "the deployment takes requests",
            ),
            false => condition(
                ConditionKind::Available,
                false,
                Reason::NotServing,
                "no deployment takes requests",
            ),
        },
    ];
    match verdict.mood {
        Mood::Settled => {}
        Mood::Reconciling => {
            conditions.push(condition(ConditionKind::Reconciling, true, reason, message))
        }
        Mood::Stalled => conditions.push(condition(ConditionKind::Stalled, true, reason, message)),
    }
    status.observed_generation = generation;
    status.desired_state = Some(desired_state(object));
    status.next_step = verdict
        .next
        .as_ref()
        .map(|next| shortened(next, MAXIMUM_TEXT));
    status.conditions = set_conditions(&status.conditions, conditions);
}

/// Whether a deployment of the object takes requests, be it one that serves until its successor does. Where nobody could look, nothing has changed.
pub(crate) fn available(object: &Deployment, observation: &Observation) -> bool {
    let predecessor = observation.predecessor.as_ref().filter(|it| it.serves);
    if predecessor.is_some_and(|it| it.deployment.as_ref().is_some_and(serves)) {
        return true;
    }
    let Some(remote) = &observation.remote else {
        let unseen = matches!(
            observation.situation.record,
            Record::Deployment {
                remote: Remote::Unobserved,
                ..
            }
        );
        return unseen && was_available(object);
    };
    serves(remote)
}

/// Whether a deployment takes requests: it runs, or it is being given another configuration while the one before goes on serving (AI Core
/// documentation, "Update a Deployment").
fn serves(remote: &aicore::Deployment) -> bool {
    let updating = remote.last_operation.as_deref() == Some("UPDATE")
        && remote.latest_running_configuration_id.is_some();
    match remote.status {
        Status::Running => true,
        Status::Pending => updating && remote.deployment_url.is_some(),
        _ => false,
    }
}

fn was_available(object: &Deployment) -> bool {
    let mut conditions = object.status.iter().flat_map(|status| &status.conditions);
    conditions.any(|condition| {
        condition.kind == ConditionKind::Available && condition.status == true.into()
    })
}

/// A deployment as it is kept in a status.
pub(crate) fn recorded(remote: &aicore::Deployment) -> RecordedDeployment {
    let text = |text: &Option<String>| text.as_ref().map(|text| shortened(text, MAXIMUM_TEXT));
    RecordedDeployment {
        id: remote.id.clone(),
        state: Some(shortened(&remote.status.to_string(), MAXIMUM_TEXT)),
        target_state: remote
            .target_status
            .as_ref()
            .map(|target| shortened(&target.to_string(), MAXIMUM_TEXT)),
        configuration_id: Some(remote.configuration_id.clone()),
        latest_running_configuration_id: text(&remote.latest_running_configuration_id),
        url: text(&remote.deployment_url),
        last_operation: text(&remote.last_operation),
        message: text(&remote.status_message),
        ttl: text(&remote.ttl),
        created_at: text(&remote.created_at),
        started_at: text(&remote.start_time),
        resources: remote.resources.as_ref().map(resources),
    }
}

/// What a deployment runs on, as it is kept in a status.
fn resources(resources: &aicore::Resources) -> RecordedResources {
    let text = |text: &Option<String>| text.as_ref().map(|text| shortened(text, MAXIMUM_TEXT));
    RecordedResources {
        resource_plan: text(&resources.resource_plan),
        instance_type: text(&resources.instance_type),
        model_name: text(&resources.model_name),
        model_version: text(&resources.model_version),
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
