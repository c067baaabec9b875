//! Deployments of an object besides the one that its status records.

use std::time::Duration;

use jiff::Timestamp;

use super::access::{Access, Blocked};
use super::calls;
use super::look;
use super::lost;
use super::remote;
use super::time_to_live;
use crate::aicore::{self, Observed, Snapshot, Status, TargetStatus};
use crate::api::{Deployment, Intent, RecordedDeployment, RetiringDeployment};
use crate::controller::subject::{Subject, adopts, bears_our_name};
use crate::lifecycle::late;
use crate::lifecycle::situation::{
    Claim, Ending, Fit, Goal, Look, Others, Present, Proof, Record, Remote, Replacement,
};
use crate::lifecycle::{Situation, Step, retiring_step};

/// A deployment that has to go, as AI Core sees it.
#[derive(Debug)]
pub(crate) struct Retiring {
    pub(crate) id: String,
    pub(crate) claim: Claim,
    /// In the words of the rules.
    pub(crate) seen: Remote,
    pub(crate) deployment: Option<aicore::Deployment>,
    /// Whether it serves until the recorded deployment does.
    pub(crate) serves: bool,
    /// When time alone may change what is seen.
    pub(crate) recheck: Option<Duration>,
}

impl Retiring {
    /// What is done next about it.
    pub(crate) fn step(&self, situation: &Situation) -> Step {
        retiring_step(situation, self.claim, self.seen, self.serves)
    }
}

/// The first of the deployments that are retiring. The next one has its turn when that is gone; one that still serves is the last.
pub(crate) async fn retiring(
    subject: &Subject<'_>,
    access: &Access,
    predecessor: Option<&Predecessor>,
) -> Result<Option<Retiring>, Blocked> {
    let serves = |id: &String| predecessor.is_some_and(|it| it.serves && it.id == *id);
    let status = subject.object.status.iter();
    let all = status.flat_map(|status| &status.retiring);
    let Some(first) = all.min_by_key(|retiring| serves(&retiring.id)) else {
        return Ok(None);
    };
    let findings = remote::find(subject, access, &recorded(first)).await?;
    let Record::Deployment { claim, remote } = findings.record else {
        return Ok(None);
    };
    Ok(Some(Retiring {
        id: first.id.clone(),
        claim,
        seen: remote,
        deployment: findings.remote,
        serves: serves(&first.id),
        recheck: findings.recheck,
    }))
}

/// A deployment that was recorded as one that serves until the recorded one does.
#[derive(Debug)]
pub(crate) struct Predecessor {
    pub(crate) id: String,
    /// Whether it does, as far as is known.
    pub(crate) serves: bool,
    pub(crate) deployment: Option<aicore::Deployment>,
}

/// The deployment that serves until the recorded one does. What has died or was stopped serves no more.
pub(crate) fn predecessor(subject: &Subject<'_>, access: &Access) -> Option<Predecessor> {
    let status = subject.object.status.as_ref()?;
    let recorded = status.retiring.iter().find(|it| it.serves_until_replaced)?;
    let since = subject.remember(|memory| memory.unsettled_since);
    let inventory = &subject.context.inventory;
    let Observed::Fresh(snapshot) = inventory.observe(&access.key, Some(since)) else {
        return Some(Predecessor {
            id: recorded.id.clone(),
            serves: true,
            deployment: None,
        });
    };
    let deployment = snapshot.get(&recorded.id).cloned();
    let serves = deployment.as_ref().is_some_and(|deployment| {
        let ends = matches!(
            deployment.target_status,
            Some(TargetStatus::Stopped | TargetStatus::Deleted)
        );
        matches!(deployment.status, Status::Running | Status::Pending) && !ends
    });
    Some(Predecessor {
        id: recorded.id.clone(),
        serves,
        deployment,
    })
}

fn recorded(retiring: &RetiringDeployment) -> RecordedDeployment {
    RecordedDeployment {
        id: retiring.id.clone(),
        state: retiring.state.clone(),
        target_state: retiring.target_state.clone(),
        ..Default::default()
    }
}

/// Deployments that are the object's, or may be, and that it does not record.
#[derive(Debug, Default)]
pub(crate) struct Unrecorded {
    pub(crate) ids: Vec<String>,
    /// Whether nothing proves that they are the object's.
    pub(crate) doubtful: bool,
}

/// Deployments that are the object's and that it does not record: late results of create calls that were given up; all that bear its name, once
/// the recorded deployment is gone or before it is replaced; and once it is gone, the one that a person names, or those that may have taken its
/// place.
pub(crate) async fn unrecorded(
    subject: &Subject<'_>,
    goal: Goal,
    access: &Access,
    record: &Record,
) -> Result<Unrecorded, Blocked> {
    // Without a recorded deployment such a one is not another one, but looked for as the object's own.
    let Record::Deployment { remote, .. } = record else {
        return Ok(Unrecorded::default());
    };
    let gone = is_gone(remote);
    let status = subject.object.status.as_ref();
    let lapsed = status.is_some_and(|status| !status.lapsed.is_empty());
    // While nobody knows whether the recorded one is gone, a late result may be the one that has taken its place.
    let is_there = matches!(remote, Remote::Present(_));
    let replaced = is_replaced(remote);
    if !(gone || replaced || lapsed && is_there) {
        return Ok(Unrecorded::default());
    }
    let Observed::Fresh(snapshot) = subject.context.inventory.observe(&access.key, None) else {
        return Ok(Unrecorded::default());
    };
    // Only the answer to a question is read: what an object ends by itself is not replaced by what its spec names.
    let asked = is_unexplained(remote) && stays(goal) && access.denied.is_none();
    let chosen = adopts(&subject.object).filter(|id| asked && !is_known(&subject.object, id));
    if let Some(id) = chosen
        && look::adopted(subject, access, &snapshot, id).look == Look::One
    {
        return Ok(Unrecorded {
            ids: vec![id.to_owned()],
            doubtful: false,
        });
    }
    let mut found = late_results(subject, access, &snapshot);
    if gone || replaced {
        found.extend(look::bearing_name(subject, access, &snapshot).await?);
        found.sort();
        found.dedup();
    }
    let doubtful = found.is_empty() && is_unexplained(remote);
    if doubtful {
        found = lost::in_place_of_recorded(subject, access, &snapshot);
    }
    Ok(Unrecorded {
        ids: found,
        doubtful,
    })
}

/// Whether a successor is to be made of a deployment that is there.
fn is_replaced(remote: &Remote) -> bool {
    matches!(
        remote,
        Remote::Present(Present {
            configuration: Fit::Foreign(Replacement::CreateFirst),
            ..
        })
    )
}

/// Whether the goal leaves something.
fn stays(goal: Goal) -> bool {
    matches!(goal, Goal::Running | Goal::Stopped)
}

/// Whether nothing that is known explains that the recorded deployment is gone.
fn is_unexplained(remote: &Remote) -> bool {
    let unexplained = matches!(
        remote,
        Remote::Absent {
            ending: Ending::Unexplained,
            ..
        }
    );
    unexplained && is_gone(remote)
}

/// What follows from the deployments that are the object's and that it does not record: where something is to be left, one of them takes the place
/// of the recorded one that is gone. Otherwise they have to go.
pub(crate) fn others(goal: Goal, record: &Record, unrecorded: &Unrecorded) -> Option<Others> {
    let gone = matches!(record, Record::Deployment { remote, .. } if is_gone(remote));
    match unrecorded.ids.len() {
        0 => None,
        1 if gone && stays(goal) && !unrecorded.doubtful => Some(Others::Successor),
        _ if gone && stays(goal) => Some(Others::Successors),
        // What may be somebody else's is nobody's business of an object that goes.
        _ if unrecorded.doubtful => None,
        _ => Some(Others::Unrecorded),
    }
}

fn is_gone(remote: &Remote) -> bool {
    matches!(
        remote,
        Remote::Absent {
            proof: Proof::Gone | Proof::NeverSeen,
            ..
        }
    )
}

/// Results of create calls that were given up. Only such as can be nobody else's.
fn late_results(subject: &Subject<'_>, access: &Access, snapshot: &Snapshot) -> Vec<String> {
    let object = &*subject.object;
    let identity = subject.context.identity(object);
    let provable = |deployment: &aicore::Deployment| {
        let name = deployment.configuration_name.as_deref();
        look::is_exclusive(subject, access, deployment)
            || bears_our_name(object, &deployment.configuration_id)
            || identity.owns(name.unwrap_or_default())
    };
    let calls: Vec<&Intent> = object
        .status
        .iter()
        .flat_map(|status| &status.lapsed)
        .collect();
    if calls.is_empty() || calls::is_being_created(subject, access, &calls) {
        return Vec::new();
    }
    let ids = snapshot
        .iter()
        .filter(|deployment| calls.iter().any(|call| may_be_late(call, deployment)))
        .filter(|deployment| provable(deployment) && !is_known(object, &deployment.id))
        .map(|deployment| deployment.id.as_str());
    look::lost(subject, access, ids).into_iter().collect()
}

/// Whether a deployment may be the result of a create call.
pub(crate) fn may_be_of(call: &Intent, deployment: &aicore::Deployment) -> bool {
    deployment.configuration_id == call.configuration_id
        && time_to_live::may_be_equal(deployment.ttl.as_deref(), call.ttl.as_deref())
        && !call.known.contains(&deployment.id)
        && !look::is_going(deployment)
}

/// Whether a deployment may be the result of a create call that was given up.
pub(crate) fn may_be_late(call: &Intent, deployment: &aicore::Deployment) -> bool {
    let created = time(deployment.created_at.as_ref());
    may_be_of(call, deployment) && late::is_in_time(time(call.announced_at.as_ref()), created)
}

/// The calls that were given up and of which nothing can come any more: each list would show it by now, and this one shows nothing.
pub(crate) fn calls_over(subject: &Subject<'_>, access: &Access) -> Vec<(i64, String)> {
    let object = &*subject.object;
    let lapsed = object.status.iter().flat_map(|status| &status.lapsed);
    let Observed::Fresh(snapshot) = subject.context.inventory.observe(&access.key, None) else {
        return Vec::new();
    };
    let unseen = subject.context.options.unseen();
    let shows = |call: &Intent| {
        let results = snapshot
            .iter()
            .filter(|deployment| may_be_late(call, deployment))
            .map(|deployment| deployment.id.as_str())
            .filter(|id| !is_known(object, id));
        !look::lost(subject, access, results).is_empty()
    };
    lapsed
        .filter(|call| late::is_over(time(call.announced_at.as_ref()), snapshot.date, unseen))
        .filter(|call| !shows(call))
        .map(Intent::key)
        .collect()
}

/// The time that a text of AI Core's tells.
pub(crate) fn time(text: Option<&String>) -> Option<Timestamp> {
    text?.parse().ok()
}

/// Whether the object records a deployment already, or has done so before.
pub(crate) fn is_known(object: &Deployment, id: &str) -> bool {
    object.status.as_ref().is_some_and(|status| {
        let current = status.deployment.as_ref();
        current.is_some_and(|deployment| deployment.id == id)
            || status.retiring.iter().any(|retiring| retiring.id == id)
            || status.previous_ids.iter().any(|previous| previous == id)
    })
}
