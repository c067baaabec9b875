//! Looking for a deployment that is an object's already, before one is created and before an object without a record goes.

use std::collections::BTreeSet;

use kube::ResourceExt;

use super::access::{Access, Blocked};
use super::findings::Findings;
use super::group::{self, Standing};
use super::time_to_live;
use crate::aicore::{self, ConfigurationFilter, Observed, Snapshot, Status, TargetStatus};
use crate::api::{Deployment, Intent};
use crate::controller::subject::{Subject, adopts};
use crate::lifecycle::intent::{self, OpenIntent, Outcome};
use crate::lifecycle::situation::{Goal, Look, Record, Resolution};

/// What a look found.
pub(crate) struct Sight {
    pub(crate) look: Look,
    /// The deployments that were found.
    pub(crate) candidates: Vec<String>,
}

impl Sight {
    fn of(look: Look) -> Self {
        Self {
            look,
            candidates: Vec::new(),
        }
    }
}

/// Looks for a deployment of an object whose status records none.
pub(crate) async fn for_own(
    subject: &Subject<'_>,
    goal: Goal,
    access: &Access,
) -> Result<Sight, Blocked> {
    let (since, looked) = subject.remember(|memory| {
        (
            memory.unsettled_since,
            memory.looked.as_ref() == Some(&access.key),
        )
    });
    if looked && goal != Goal::Running && adopts(&subject.object).is_none() {
        return Ok(Sight::of(Look::Nothing));
    }
    let snapshot = match subject.context.inventory.observe(&access.key, Some(since)) {
        Observed::Fresh(snapshot) => snapshot,
        Observed::Waiting => return Ok(Sight::of(Look::Pending)),
        Observed::Failed(error)
            if goal != Goal::Running
                && group::standing(subject, access, &error).await == Standing::Gone =>
        {
            return Ok(Sight::of(Look::Nothing));
        }
        Observed::Failed(error) => return Err(Blocked::from(&*error)),
    };
    subject.remember(|memory| memory.group_found());
    let sight = match adopts(&subject.object) {
        Some(id) => adopted(subject, access, &snapshot, id),
        None => by_name(subject, access, &snapshot).await?,
    };
    let looked = (sight.look == Look::Nothing).then(|| access.key.clone());
    subject.remember(|memory| memory.looked = looked);
    Ok(sight)
}

fn adopted(subject: &Subject<'_>, access: &Access, snapshot: &Snapshot, id: &str) -> Sight {
    let holder = subject
        .context
        .claims
        .holder(&access.key, id, &subject.context.tenant_of());
    let look = match (snapshot.get(id), holder) {
        (_, Some(holder)) if holder != subject.uid => Look::Claimed,
        (None, _) => Look::Nothing,
        (Some(_), _) => Look::One,
    };
    Sight {
        look,
        candidates: vec![id.to_owned()],
    }
}

/// Deployments whose configuration bears the object's name and that no object holds.
async fn by_name(
    subject: &Subject<'_>,
    access: &Access,
    snapshot: &Snapshot,
) -> Result<Sight, Blocked> {
    let identity = subject.context.identity(&subject.object);
    let mut own = BTreeSet::new();
    if let Some(template) = &subject.object.spec.configuration {
        let filter = ConfigurationFilter {
            scenario_id: &template.scenario_id,
            executable_id: &template.executable_id,
        };
        let found = access
            .client
            .find_configurations(&access.key.group, &filter)
            .await
            .map_err(|error| Blocked::from(&error))?;
        own.extend(
            found
                .into_iter()
                .filter(|configuration| identity.owns(&configuration.name))
                .map(|configuration| configuration.id),
        );
    }
    let bears_our_name = |deployment: &aicore::Deployment| {
        own.contains(&deployment.configuration_id)
            || deployment
                .configuration_name
                .as_ref()
                .is_some_and(|name| identity.owns(name))
    };
    let unclaimed = subject
        .context
        .unclaimed(&access.key, snapshot, Some(subject.uid));
    let previous = subject
        .object
        .status
        .clone()
        .unwrap_or_default()
        .previous_ids;
    let candidates: Vec<String> = snapshot
        .iter()
        .filter(|deployment| bears_our_name(deployment) && !is_going(deployment))
        .map(|deployment| deployment.id.clone())
        .filter(|id| unclaimed.contains(id) && !previous.contains(id))
        .collect();
    let look = match candidates.len() {
        0 => Look::Nothing,
        1 => Look::One,
        _ => Look::Several,
    };
    Ok(Sight { look, candidates })
}

/// Whether AI Core is deleting it already: it is nobody's any more.
fn is_going(deployment: &aicore::Deployment) -> bool {
    deployment.status == Status::Deleting || deployment.target_status == Some(TargetStatus::Deleted)
}

/// Looks for the result of a create call whose answer was lost.
pub(crate) async fn for_result(
    subject: &Subject<'_>,
    access: &Access,
    intent: &Intent,
) -> Result<Findings, Blocked> {
    let settle = subject.context.options.settle();
    let (since, known_for) = subject.remember(|memory| {
        (
            memory.unsettled_since,
            memory.intent_known_for(intent.serial),
        )
    });
    let pending = || Findings::of(Record::Intent(Resolution::Pending));
    let snapshot = match subject.context.inventory.observe(&access.key, Some(since)) {
        Observed::Fresh(snapshot) => snapshot,
        Observed::Waiting => return Ok(pending()),
        // Nothing is left where the call could have had its effect.
        Observed::Failed(error)
            if group::standing(subject, access, &error).await == Standing::Gone =>
        {
            return Ok(Findings::of(Record::Intent(Resolution::NoEffect)));
        }
        Observed::Failed(error) => return Err(Blocked::from(&*error)),
    };
    let found = |id: String| Findings {
        candidates: vec![id],
        ..Findings::of(Record::Intent(Resolution::Found))
    };
    subject.remember(|memory| memory.group_found());
    // What the call returned is known where only the record of it failed.
    let returned = subject
        .remember(|memory| memory.created.clone())
        .filter(|(serial, _)| *serial == intent.serial);
    if let Some((_, id)) = returned {
        return Ok(found(id));
    }
    // A person's choice comes first: naming a deployment makes this object its holder, unless another one holds it.
    let chosen = adopts(&subject.object).filter(|id| snapshot.get(id).is_some());
    if let Some(id) = chosen.filter(|id| adopted(subject, access, &snapshot, id).look == Look::One)
    {
        return Ok(found(id.to_owned()));
    }
    match resolve(subject, access, intent, &snapshot) {
        Outcome::Found(id) => Ok(found(id)),
        Outcome::Ambiguous(candidates) => Ok(Findings {
            candidates,
            ..Findings::of(Record::Intent(Resolution::Ambiguous))
        }),
        Outcome::NoCandidate if known_for < settle => Ok(Findings {
            recheck: Some(settle - known_for),
            ..pending()
        }),
        // Only a list that was requested after the settling time has passed proves that the call had no effect.
        Outcome::NoCandidate if snapshot.requested_at.elapsed() > known_for - settle => {
            subject.remember(|memory| memory.unsettled_since = tokio::time::Instant::now());
            Ok(Findings {
                recheck: Some(subject.context.options.inventory.busy),
                ..pending()
            })
        }
        Outcome::NoCandidate => Ok(Findings::of(Record::Intent(Resolution::NoEffect))),
    }
}

fn resolve(
    subject: &Subject<'_>,
    access: &Access,
    intent: &Intent,
    snapshot: &Snapshot,
) -> Outcome {
    let unclaimed = subject
        .context
        .unclaimed(&access.key, snapshot, Some(subject.uid));
    let fits = |deployment: &aicore::Deployment| {
        let same_ttl = time_to_live::may_be_equal(deployment.ttl.as_deref(), intent.ttl.as_deref());
        let may_use_it =
            [intent.configuration_id.as_str(), ""].contains(&deployment.configuration_id.as_str());
        may_use_it && same_ttl && unclaimed.contains(&deployment.id)
    };
    let candidates = snapshot
        .iter()
        .filter(|deployment| fits(deployment))
        .map(|deployment| deployment.id.clone())
        .collect();
    let recorded = subject
        .object
        .status
        .as_ref()
        .and_then(|status| status.configuration.as_ref());
    let bears_our_name = recorded.is_some_and(|recorded| {
        recorded.id == intent.configuration_id && recorded.content_hash.is_some()
    });
    // A deployment whose configuration AI Core does not tell may be anybody's.
    let all_told = snapshot
        .iter()
        .all(|deployment| !deployment.configuration_id.is_empty() || !fits(deployment));
    let provable = all_told && (bears_our_name || access.exclusive);
    intent::resolve(
        subject.uid,
        &open_intents(subject, access, intent),
        &candidates,
        provable,
    )
}

/// The create calls whose results could be mistaken for this one's: open ones for the same configuration and ttl in the same place.
fn open_intents(subject: &Subject<'_>, access: &Access, intent: &Intent) -> Vec<OpenIntent> {
    let same_call = |other: &Deployment| -> Option<OpenIntent> {
        let status = other.status.as_ref()?;
        let open = status.intent.as_ref()?;
        let same = status.tenant.as_ref() == Some(&access.key.tenant)
            && other.spec.resource_group == access.key.group
            && open.configuration_id == intent.configuration_id
            && time_to_live::may_be_equal(open.ttl.as_deref(), intent.ttl.as_deref());
        same.then(|| open_intent(&other.uid().unwrap_or_default(), open))
    };
    let mut open: Vec<OpenIntent> = subject
        .context
        .deployments
        .state()
        .iter()
        .filter_map(|other| same_call(other))
        .collect();
    if !open.iter().any(|other| other.object == subject.uid) {
        open.push(open_intent(subject.uid, intent));
    }
    open
}

fn open_intent(uid: &str, intent: &Intent) -> OpenIntent {
    OpenIntent {
        object: uid.to_owned(),
        known: intent.known.iter().cloned().collect(),
    }
}
