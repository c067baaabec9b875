//! Open create calls: which deployment is the result of one, and whose calls may be mistaken for it.

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;

use super::access::{Access, Blocked};
use super::findings::Findings;
use super::group::{self, Standing};
use super::look::{adopted, is_exclusive, lost};
use super::signs::may_be_of;
use crate::aicore::time_to_live;
use crate::aicore::{self, Observed, Snapshot};
use crate::api::{Deployment, Intent};
use crate::controller::connection::reference;
use crate::controller::subject::{Subject, adopts, bears_our_name};
use crate::lifecycle::evidence::{self, Rivalry, Settling};
use crate::lifecycle::intent::{self, OpenIntent, Outcome};
use crate::lifecycle::situation::{Look, Record, Resolution};

/// Looks for the result of a create call whose answer was lost.
pub(crate) async fn for_result(
    subject: &Subject<'_>,
    access: &Access,
    intent: &Intent,
) -> Result<Findings, Blocked> {
    let holder = intent.holder.as_ref();
    if holder.is_some_and(|holder| *holder != subject.context.lease) {
        return Ok(Findings::of(Record::Intent(Resolution::Foreign)));
    }
    let since = subject.remember(|memory| memory.unsettled_since);
    let snapshot = match subject.context.inventory.observe(&access.key, Some(since)) {
        Observed::Fresh(snapshot) => snapshot,
        Observed::Waiting => {
            // The time begins to run with the first look.
            known_for(subject, subject.uid, intent);
            return Ok(Findings::of(Record::Intent(Resolution::Pending)));
        }
        // Nothing is left where the call could have had its effect.
        Observed::Failed(error)
            if group::standing(subject, access, &error).await == Standing::Gone =>
        {
            return Ok(Findings::of(Record::Intent(Resolution::NoEffect)));
        }
        Observed::Failed(error) => return Err(access.blocked(&error)),
    };
    subject.remember(|memory| memory.group_found());
    if let Some(id) = returned(subject, access, intent) {
        return Ok(found(id));
    }
    let result = resolve(subject, access, intent, &snapshot);
    let chosen = chosen(subject, access, intent, &snapshot, &result).await?;
    Ok(chosen.unwrap_or(result.findings))
}

/// What a person has chosen by naming a deployment, unless another object holds it. It is taken only when the call has settled and its own result
/// was not found: that may still be on its way, and a person may be wrong.
async fn chosen(
    subject: &Subject<'_>,
    access: &Access,
    intent: &Intent,
    snapshot: &Snapshot,
    result: &Searched,
) -> Result<Option<Findings>, Blocked> {
    let named = adopts(&subject.object).filter(|_| access.denied.is_none());
    let own_found = result.findings.record == Record::Intent(Resolution::Found);
    let in_time = result.settling == Settling::Over && !own_found;
    let named = named.and_then(|id| snapshot.get(id)).filter(|_| in_time);
    let Some(chosen) = named else {
        return Ok(None);
    };
    let sight = adopted(subject, access, snapshot, &chosen.id).await?;
    Ok((sight.look == Look::One).then(|| Findings {
        // Who names one of several candidates has answered what came of the call, and has not asked for the end of the others.
        call_stays_open: !may_be_of(intent, chosen),
        ..found(chosen.id.clone())
    }))
}

/// What a search for the result of a call has found, and whether it was late enough.
struct Searched {
    findings: Findings,
    settling: Settling,
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
    let (_, id) = created.filter(|(call, _)| *call == intent.key())?;
    let context = subject.context;
    let holder = context.claims.holder(&access.key, &id, &context.realm_of());
    holder
        .is_none_or(|holder| holder == subject.uid)
        .then_some(id)
}

fn resolve(
    subject: &Subject<'_>,
    access: &Access,
    intent: &Intent,
    snapshot: &Snapshot,
) -> Searched {
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
    let bears_our_name = bears_our_name(&subject.object, &intent.configuration_id);
    let is_ours = |deployment: &aicore::Deployment| {
        !deployment.configuration_id.is_empty()
            && (bears_our_name || is_exclusive(subject, access, deployment))
    };
    let provable = (bears_our_name || access.exclusive)
        && candidates
            .iter()
            .all(|id| snapshot.get(id).is_some_and(is_ours));

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
        .chain([known_for(subject, subject.uid, intent)])
        .min()
        .unwrap_or_default();
    let options = &subject.context.options;
    let settle = options.settle();
    let settling = Settling::of(youngest, settle, snapshot.requested_at.elapsed());
    let outcome = intent::resolve(subject.uid, &open, &candidates, provable);
    let left = candidates.iter().any(|id| !intent.known.contains(id));
    let rivalry = Rivalry {
        rivals: !others.is_empty(),
        left,
        settling,
    };
    let resolution = evidence::resolution(&outcome, rivalry);
    let candidates = match outcome {
        Outcome::NoCandidate => Vec::new(),
        Outcome::Found(id) => vec![id],
        Outcome::Ambiguous(ids) => ids,
    };
    let recheck = match settling {
        Settling::Going => Some(settle.saturating_sub(youngest)),
        Settling::Unseen => {
            subject.remember(|memory| memory.unsettled_since = tokio::time::Instant::now());
            Some(options.inventory.busy)
        }
        // Another object has been given what this one could have made.
        Settling::Over if resolution == Resolution::Pending => Some(options.inventory.busy),
        Settling::Over => None,
    };
    // A person's choice may have to wait as long, too.
    let waits = resolution == Resolution::Pending || adopts(&subject.object).is_some();
    let findings = Findings {
        candidates,
        // What was found need not be this very call's result, and then that is still to come.
        call_stays_open: resolution == Resolution::Found,
        recheck: recheck.filter(|_| waits),
        ..Findings::of(Record::Intent(resolution))
    };
    Searched { findings, settling }
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
        if is_elsewhere(subject, access, other) {
            return None;
        }
        let same = status.tenant.as_ref() == Some(access.key.tenant())
            && other.spec.resource_group == access.key.group
            && open.configuration_id == configuration_id
            && time_to_live::may_be_equal(open.ttl.as_deref(), ttl);
        same.then(|| OpenCall {
            intent: open_intent(&uid, open),
            known_for: known_for(subject, &uid, open),
        })
    };
    let context = subject.context;
    let others = context.deployments.state();
    // The cache may be older than what this process has itself written.
    let newest = |other: &Arc<Deployment>| {
        let memory = context.memories.of(&other.uid().unwrap_or_default());
        memory.lock().newest(other.clone())
    };
    others
        .iter()
        .filter_map(|other| same_call(&newest(other)))
        .collect()
}

/// Whether the Connection that the object has used certainly leads elsewhere, whatever tenant is recorded. As long as AI Core has not accepted its
/// credentials nobody knows, and then the call counts.
fn is_elsewhere(subject: &Subject<'_>, access: &Access, other: &Deployment) -> bool {
    let used = reference::used(other);
    let realm = used.and_then(|used| subject.context.connections.realm(&used));
    realm.is_some_and(|realm| !realm.is_unproven() && realm != access.key.realm)
}

/// How long this process has known of a call.
fn known_for(subject: &Subject<'_>, uid: &str, call: &Intent) -> Duration {
    let memory = subject.context.memories.of(uid);
    memory.lock().intent_known_for(call.key())
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
