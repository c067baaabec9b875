//! Open create calls: which deployment is the result of one, and whose calls may be mistaken for it.

use std::time::Duration;

use kube::ResourceExt;

use super::access::{Access, Blocked};
use super::findings::Findings;
use super::group::{self, Standing};
use super::look::{adopted, lost};
use super::others::may_be_of;
use super::time_to_live;
use crate::aicore::{self, Observed, Snapshot};
use crate::api::{Deployment, Intent};
use crate::controller::subject::{Subject, adopts, bears_our_name};
use crate::lifecycle::intent::{self, OpenIntent, Outcome};
use crate::lifecycle::situation::{Look, Record, Resolution};

/// Looks for the result of a create call whose answer was lost.
pub(crate) async fn for_result(
    subject: &Subject<'_>,
    access: &Access,
    intent: &Intent,
) -> Result<Findings, Blocked> {
    let since = subject.remember(|memory| memory.unsettled_since);
    let snapshot = match subject.context.inventory.observe(&access.key, Some(since)) {
        Observed::Fresh(snapshot) => snapshot,
        Observed::Waiting => {
            // The time begins to run with the first look.
            known_for(subject, subject.uid, intent.serial);
            return Ok(Findings::of(Record::Intent(Resolution::Pending)));
        }
        // Nothing is left where the call could have had its effect.
        Observed::Failed(error)
            if group::standing(subject, access, &error).await == Standing::Gone =>
        {
            return Ok(Findings::of(Record::Intent(Resolution::NoEffect)));
        }
        Observed::Failed(error) => return Err(Blocked::from(&*error)),
    };
    subject.remember(|memory| memory.group_found());
    if let Some(id) = returned(subject, access, intent) {
        return Ok(found(id));
    }
    // A person's choice comes first: naming a deployment makes this object its holder, unless another one holds it.
    let chosen = adopts(&subject.object).and_then(|id| snapshot.get(id));
    if let Some(chosen) = chosen
        && adopted(subject, access, &snapshot, &chosen.id).look == Look::One
    {
        return Ok(Findings {
            call_stays_open: !may_be_of(intent, chosen),
            ..found(chosen.id.clone())
        });
    }
    Ok(resolve(subject, access, intent, &snapshot))
}

fn found(id: String) -> Findings {
    Findings {
        candidates: vec![id],
        ..Findings::of(Record::Intent(Resolution::Found))
    }
}

/// What the call returned, where only the record of it failed and nobody else has taken it since.
fn returned(subject: &Subject<'_>, access: &Access, intent: &Intent) -> Option<String> {
    let created = subject.remember(|memory| memory.created.clone());
    let (_, id) = created.filter(|(serial, _)| *serial == intent.serial)?;
    let context = subject.context;
    let holder = context
        .claims
        .holder(&access.key, &id, &context.tenant_of());
    holder
        .is_none_or(|holder| holder == subject.uid)
        .then_some(id)
}

fn resolve(
    subject: &Subject<'_>,
    access: &Access,
    intent: &Intent,
    snapshot: &Snapshot,
) -> Findings {
    let fits = |deployment: &aicore::Deployment| {
        let same_ttl = time_to_live::may_be_equal(deployment.ttl.as_deref(), intent.ttl.as_deref());
        let may_use_it =
            [intent.configuration_id.as_str(), ""].contains(&deployment.configuration_id.as_str());
        may_use_it && same_ttl
    };
    let fitting = snapshot.iter().filter(|deployment| fits(deployment));
    let ids = fitting.map(|deployment| deployment.id.as_str());
    let candidates = lost(subject, access, ids);
    // A deployment whose configuration AI Core does not tell may be anybody's.
    let told = |id: &String| {
        let deployment = snapshot.get(id);
        deployment.is_some_and(|deployment| !deployment.configuration_id.is_empty())
    };
    let bears_our_name = bears_our_name(&subject.object, &intent.configuration_id);
    let provable = candidates.iter().all(told) && (bears_our_name || access.exclusive);

    let others = open_calls(
        subject,
        access,
        &intent.configuration_id,
        intent.ttl.as_deref(),
    );
    let mut open: Vec<OpenIntent> = others.iter().map(|call| call.intent.clone()).collect();
    open.push(open_intent(subject.uid, intent));
    // Others' calls matter only where results are interchangeable.
    let youngest = others
        .iter()
        .filter(|_| provable)
        .map(|call| call.known_for)
        .chain([known_for(subject, subject.uid, intent.serial)])
        .min()
        .unwrap_or_default();
    let settling = Settling::of(subject, youngest, snapshot);
    let outcome = intent::resolve(subject.uid, &open, &candidates, provable);
    let alone = open.len() == 1;
    let resolution = intent::conclude(&outcome, alone, provable, settling == Settling::Over);
    let candidates = match outcome {
        Outcome::NoCandidate => Vec::new(),
        Outcome::Found(id) => vec![id],
        Outcome::Ambiguous(ids) => ids,
    };
    let recheck = match settling {
        Settling::For(rest) => Some(rest),
        Settling::NeedsList => {
            subject.remember(|memory| memory.unsettled_since = tokio::time::Instant::now());
            Some(subject.context.options.inventory.busy)
        }
        Settling::Over => None,
    };
    Findings {
        candidates,
        recheck: recheck.filter(|_| resolution == Resolution::Pending),
        ..Findings::of(Record::Intent(resolution))
    }
}

/// Whether a call can still have its effect, or its effect stay unseen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settling {
    /// For so long.
    For(Duration),
    /// Not any more, but only a list that was requested after that proves what came of it.
    NeedsList,
    /// Not any more.
    Over,
}

impl Settling {
    fn of(subject: &Subject<'_>, known_for: Duration, snapshot: &Snapshot) -> Self {
        let settle = subject.context.options.settle();
        match known_for.checked_sub(settle) {
            None => Self::For(settle - known_for),
            Some(over) if snapshot.requested_at.elapsed() > over => Self::NeedsList,
            Some(_) => Self::Over,
        }
    }
}

/// An open create call of another object.
pub(crate) struct OpenCall {
    pub(crate) intent: OpenIntent,
    /// How long this process has known of it.
    pub(crate) known_for: Duration,
}

/// The open create calls of other objects for a configuration and ttl in the same place: their results could be mistaken for each other's.
pub(crate) fn open_calls(
    subject: &Subject<'_>,
    access: &Access,
    configuration_id: &str,
    ttl: Option<&str>,
) -> Vec<OpenCall> {
    let same_call = |other: &Deployment| -> Option<OpenCall> {
        let uid = other.uid().filter(|uid| uid != subject.uid)?;
        let status = other.status.as_ref()?;
        let open = status.intent.as_ref()?;
        let same = status.tenant.as_ref() == Some(&access.key.tenant)
            && other.spec.resource_group == access.key.group
            && open.configuration_id == configuration_id
            && time_to_live::may_be_equal(open.ttl.as_deref(), ttl);
        same.then(|| OpenCall {
            intent: open_intent(&uid, open),
            known_for: known_for(subject, &uid, open.serial),
        })
    };
    let others = subject.context.deployments.state();
    others.iter().filter_map(|other| same_call(other)).collect()
}

/// How long this process has known of a call.
fn known_for(subject: &Subject<'_>, uid: &str, serial: i64) -> Duration {
    let memory = subject.context.memories.of(uid);
    memory.lock().intent_known_for(serial)
}

fn open_intent(uid: &str, intent: &Intent) -> OpenIntent {
    OpenIntent {
        object: uid.to_owned(),
        known: intent.known.iter().cloned().collect(),
    }
}

/// Whether a create call for one of these configurations is under way, so that its result is nobody's yet.
pub(crate) fn is_being_created(subject: &Subject<'_>, access: &Access, calls: &[&Intent]) -> bool {
    calls.iter().any(|call| {
        let (configuration, ttl) = (&call.configuration_id, call.ttl.as_deref());
        subject.context.is_creating(&access.key, configuration)
            || !open_calls(subject, access, configuration, ttl).is_empty()
    })
}
