//! Deployments of an object besides the one that its status records.

use std::time::Duration;

use super::access::{Access, Blocked};
use super::calls;
use super::look;
use super::remote;
use super::signs::{self, Reader};
use crate::aicore::{self, Observed, Snapshot, Status, TargetStatus};
use crate::api::{Intent, RecordedDeployment, RecreatePolicy, RetiringDeployment};
use crate::controller::subject::{Subject, adopts};
use crate::lifecycle::belonging::{self, Signs, Standing};
use crate::lifecycle::evidence::Settling;
use crate::lifecycle::late;
use crate::lifecycle::situation::{Claim, Goal, Look, Others, Record, Remote};
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
    /// What follows from them.
    pub(crate) others: Option<Others>,
    /// When time alone may change that.
    pub(crate) recheck: Option<Duration>,
}

/// Deployments that are the object's and that it does not record, as [`belonging`](crate::lifecycle::belonging) says: late results of create
/// calls that were given up; those that bear its name, once something is missing that they could stand for, or where the store has forgotten what
/// was made then; and the one that a person names, or those that may have taken the place of the recorded one.
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
    let Observed::Fresh(snapshot) = subject.context.inventory.observe(&access.key, None) else {
        return Ok(Unrecorded::default());
    };
    if let Some(id) = named(subject, goal, access, remote, &snapshot).await? {
        return Ok(Unrecorded {
            ids: vec![id.to_owned()],
            others: Some(Others::Successor),
            recheck: None,
        });
    }
    let settle = subject.context.options.settle();
    let known_for = subject.remember(|memory| memory.known_since.elapsed());
    let settling = Settling::of(known_for, settle, snapshot.requested_at.elapsed());
    let standing = Standing::of(goal, remote, settling);
    // What is to go only because another one serves has time until that is certain.
    let settled = Standing::of(goal, remote, Settling::Over);
    let Search {
        mut found,
        doubtful,
    } = search(subject, access, settled, &snapshot).await?;
    let before = found.len();
    found.retain(|(_, signs)| doubtful || standing.owns(*signs));
    let waits = found.len() < before;
    let options = &subject.context.options.inventory;
    let recheck = match settling {
        Settling::Going => settle.saturating_sub(known_for),
        Settling::Unseen | Settling::Over => options.idle,
    };
    let signs: Vec<Signs> = found.iter().map(|(_, signs)| *signs).collect();
    let mut ids: Vec<String> = found.into_iter().map(|(id, _)| id).collect();
    let mut others = belonging::others(goal, standing, &signs, doubtful);
    if others == Some(Others::Successors)
        && let Some(answer) =
            answer(subject, access).filter(|answer| ids.iter().any(|id| id == answer))
    {
        ids = vec![answer.to_owned()];
        others = Some(Others::Successor);
    }
    Ok(Unrecorded {
        ids,
        others,
        recheck: waits.then_some(recheck),
    })
}

/// What a search has found, in the order of ids.
struct Search {
    found: Vec<(String, Signs)>,
    /// Whether nothing proves that it is the object's.
    doubtful: bool,
}

async fn search(
    subject: &Subject<'_>,
    access: &Access,
    standing: Standing,
    snapshot: &Snapshot,
) -> Result<Search, Blocked> {
    let object = &*subject.object;
    let status = object.status.as_ref();
    let lapsed: Vec<&Intent> = status.iter().flat_map(|status| &status.lapsed).collect();
    let nothing = Search {
        found: Vec::new(),
        doubtful: false,
    };
    let looks_at_late_results_only = match standing {
        Standing::Unknown | Standing::Ending => return Ok(nothing),
        Standing::Serves | Standing::Unneeded => !subject.context.leadership.has_gaps(),
        Standing::There => true,
        _ => false,
    };
    if looks_at_late_results_only && lapsed.is_empty() {
        return Ok(nothing);
    }
    let too_early = calls::is_being_created(subject, access, &lapsed);
    let made = status
        .and_then(|status| status.deployment.as_ref())
        .and_then(|recorded| signs::time(recorded.created_at.as_ref()));
    let reader = Reader::new(subject, access);
    let with_signs = |deployment: &aicore::Deployment| {
        let created = signs::time(deployment.created_at.as_ref());
        let signs = reader.read(deployment);
        Signs {
            late: signs.late && !too_early,
            younger: made
                .zip(created)
                .is_some_and(|(made, created)| created >= made),
            ..signs
        }
    };
    let all: Vec<(&aicore::Deployment, Signs)> = snapshot
        .iter()
        .filter(|deployment| !signs::is_known(object, &deployment.id))
        .map(|deployment| (deployment, with_signs(deployment)))
        .collect();
    // Where AI Core does not tell the names of configurations they are asked for, so only if that could matter.
    let would_count = all.iter().filter(|(_, signs)| {
        standing.owns(Signs {
            bears_name: true,
            ..*signs
        })
    });
    let would_count: Vec<&aicore::Deployment> = would_count.map(|(it, _)| *it).collect();
    let namesakes = look::bearing_name(subject, access, &would_count).await?;
    let named = all.iter().map(|(deployment, signs)| {
        let bears_name = signs.bears_name || namesakes.contains(&deployment.id);
        let signs = Signs {
            bears_name,
            ..*signs
        };
        (*deployment, signs)
    });
    let found = signs::gather(subject, access, named, |signs| standing.owns(signs));
    if !found.is_empty() {
        return Ok(Search {
            found,
            doubtful: false,
        });
    }
    // A person is asked anyway, unless a new one is to be made without a word.
    let recreates = object.spec.recreate_policy == RecreatePolicy::Always;
    let is_asked = !recreates || access.exclusive;
    let from_wanted = object.spec.configuration_id.is_some();
    let possible = all.iter().filter(|_| from_wanted).copied();
    let found = signs::gather(subject, access, possible, |signs| {
        standing.may_own(signs, is_asked)
    });
    Ok(Search {
        found,
        doubtful: true,
    })
}

/// The deployment that a person names in place of the recorded one, which is missing for no known reason. What an object ends by itself is not
/// replaced by what its spec names.
async fn named<'a>(
    subject: &'a Subject<'_>,
    goal: Goal,
    access: &Access,
    remote: &Remote,
    snapshot: &Snapshot,
) -> Result<Option<&'a str>, Blocked> {
    let stays = matches!(goal, Goal::Running | Goal::Stopped);
    let missing = Standing::of(goal, remote, Settling::Going) == Standing::Missing;
    let Some(id) = answer(subject, access).filter(|_| missing && stays) else {
        return Ok(None);
    };
    let sight = look::adopted(subject, access, snapshot, id).await?;
    Ok((sight.look == Look::One).then_some(id))
}

/// What a person has answered to a question, by naming a deployment.
fn answer<'a>(subject: &'a Subject<'_>, access: &Access) -> Option<&'a str> {
    let named = adopts(&subject.object).filter(|_| access.denied.is_none());
    named.filter(|id| !signs::is_known(&subject.object, id))
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
            .filter(|deployment| signs::may_be_late(call, deployment))
            .map(|deployment| deployment.id.as_str())
            .filter(|id| !signs::is_known(object, id));
        !look::lost(subject, access, results).is_empty()
    };
    lapsed
        .filter(|call| {
            late::is_over(
                signs::time(call.announced_at.as_ref()),
                snapshot.date,
                unseen,
            )
        })
        .filter(|call| !shows(call))
        .map(Intent::key)
        .collect()
}
