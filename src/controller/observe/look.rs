//! Looking for a deployment that is an object's already, before one is created and before an object without a record goes.

use std::collections::BTreeSet;

use kube::ResourceExt;

use super::access::{Access, Blocked};
use super::findings::Findings;
use super::group::{self, Standing};
use super::lost::{self, Lost};
use super::others::is_known;
use super::time_to_live;
use crate::aicore::{self, ConfigurationFilter, Observed, Snapshot, Status, TargetStatus};
use crate::api::{ConfigurationTemplate, Deployment, Intent};
use crate::controller::subject::{Subject, adopts, bears_our_name};
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
        None => unrecorded(subject, goal, access, &snapshot).await?,
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

/// Deployments whose configuration bears the object's name and that no object holds, or that come from a configuration from which nobody else
/// creates.
async fn unrecorded(
    subject: &Subject<'_>,
    goal: Goal,
    access: &Access,
    snapshot: &Snapshot,
) -> Result<Sight, Blocked> {
    let mut candidates = bearing_name(subject, access, snapshot).await?;
    if candidates.is_empty()
        && goal == Goal::Running
        && let Some(id) = &subject.object.spec.configuration_id
    {
        match lost::from_configuration(subject, access, snapshot, id) {
            Lost::Nothing => {}
            Lost::Found(id) => candidates.push(id),
            Lost::Undecided => return Ok(Sight::of(Look::Pending)),
            Lost::Ambiguous(candidates) => {
                return Ok(Sight {
                    look: Look::Several,
                    candidates,
                });
            }
        }
    }
    let look = match candidates.len() {
        0 => Look::Nothing,
        1 => Look::One,
        _ => Look::Several,
    };
    Ok(Sight { look, candidates })
}

/// Deployments whose configuration bears the object's name, that no object holds and that the object does not record. AI Core may leave the
/// names of configurations out of a list; only then they are asked for.
pub(crate) async fn bearing_name(
    subject: &Subject<'_>,
    access: &Access,
    snapshot: &Snapshot,
) -> Result<Vec<String>, Blocked> {
    let object = &*subject.object;
    let identity = subject.context.identity(object);
    let may_be_lost = |deployment: &&aicore::Deployment| {
        !is_going(deployment) && !is_known(object, &deployment.id)
    };
    let (named, nameless): (Vec<_>, Vec<_>) = snapshot
        .iter()
        .filter(may_be_lost)
        .partition(|deployment| deployment.configuration_name.is_some());
    let bears_name = |deployment: &&&aicore::Deployment| {
        let name = deployment.configuration_name.as_deref();
        identity.owns(name.unwrap_or_default())
    };
    let mut ids: Vec<&str> = named
        .iter()
        .filter(bears_name)
        .map(|deployment| deployment.id.as_str())
        .collect();
    let nameless_ids = nameless.iter().map(|deployment| deployment.id.as_str());
    let nameless_ids = unclaimed(subject, access, nameless_ids);
    if !nameless_ids.is_empty()
        && let Some(template) = &object.spec.configuration
    {
        let own = own_configurations(subject, access, template).await?;
        let nameless = nameless
            .iter()
            .filter(|deployment| nameless_ids.contains(&deployment.id))
            .filter(|deployment| own.contains(&deployment.configuration_id));
        ids.extend(nameless.map(|deployment| deployment.id.as_str()));
    }
    Ok(unclaimed(subject, access, ids.into_iter())
        .into_iter()
        .collect())
}

/// The ids of the configurations that were made for the object.
async fn own_configurations(
    subject: &Subject<'_>,
    access: &Access,
    template: &ConfigurationTemplate,
) -> Result<BTreeSet<String>, Blocked> {
    let identity = subject.context.identity(&subject.object);
    let filter = ConfigurationFilter {
        scenario_id: &template.scenario_id,
        executable_id: &template.executable_id,
    };
    let found = access
        .client
        .find_configurations(&access.key.group, &filter)
        .await
        .map_err(|error| Blocked::from(&error))?;
    let own = found
        .into_iter()
        .filter(|configuration| identity.owns(&configuration.name));
    Ok(own.map(|configuration| configuration.id).collect())
}

/// Those of `ids` that no other object holds.
pub(crate) fn unclaimed<'a>(
    subject: &Subject<'_>,
    access: &Access,
    ids: impl Iterator<Item = &'a str>,
) -> BTreeSet<String> {
    let context = subject.context;
    let tenant_of = context.tenant_of();
    context
        .claims
        .unclaimed(&access.key, ids, Some(subject.uid), &tenant_of)
}

/// Whether AI Core is deleting it already: it is nobody's any more.
pub(crate) fn is_going(deployment: &aicore::Deployment) -> bool {
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
    let fits = |deployment: &aicore::Deployment| {
        let same_ttl = time_to_live::may_be_equal(deployment.ttl.as_deref(), intent.ttl.as_deref());
        let may_use_it =
            [intent.configuration_id.as_str(), ""].contains(&deployment.configuration_id.as_str());
        may_use_it && same_ttl
    };
    let fitting = snapshot.iter().filter(|deployment| fits(deployment));
    let ids = fitting.map(|deployment| deployment.id.as_str());
    let candidates = unclaimed(subject, access, ids);
    // A deployment whose configuration AI Core does not tell may be anybody's.
    let told = |id: &String| {
        snapshot
            .get(id)
            .is_some_and(|deployment| !deployment.configuration_id.is_empty())
    };
    let bears_our_name = bears_our_name(&subject.object, &intent.configuration_id);
    let provable = candidates.iter().all(told) && (bears_our_name || access.exclusive);
    intent::resolve(
        subject.uid,
        &open_intents(subject, access, intent),
        &candidates,
        provable,
    )
}

/// The create calls whose results could be mistaken for this one's: open ones for the same configuration and ttl in the same place.
fn open_intents(subject: &Subject<'_>, access: &Access, intent: &Intent) -> Vec<OpenIntent> {
    let mut open = others_open(
        subject,
        access,
        &intent.configuration_id,
        intent.ttl.as_deref(),
    );
    open.push(open_intent(subject.uid, intent));
    open
}

/// The open create calls of other objects for a configuration and ttl in the same place.
pub(crate) fn others_open(
    subject: &Subject<'_>,
    access: &Access,
    configuration_id: &str,
    ttl: Option<&str>,
) -> Vec<OpenIntent> {
    let same_call = |other: &Deployment| -> Option<OpenIntent> {
        let uid = other.uid().filter(|uid| uid != subject.uid)?;
        let status = other.status.as_ref()?;
        let open = status.intent.as_ref()?;
        let same = status.tenant.as_ref() == Some(&access.key.tenant)
            && other.spec.resource_group == access.key.group
            && open.configuration_id == configuration_id
            && time_to_live::may_be_equal(open.ttl.as_deref(), ttl);
        same.then(|| open_intent(&uid, open))
    };
    let others = subject.context.deployments.state();
    others.iter().filter_map(|other| same_call(other)).collect()
}

/// Whether a create call for one of these configurations is under way, so that its result is nobody's yet.
pub(crate) fn is_being_created(subject: &Subject<'_>, access: &Access, calls: &[&Intent]) -> bool {
    calls.iter().any(|call| {
        let (configuration, ttl) = (&call.configuration_id, call.ttl.as_deref());
        subject.context.is_creating(&access.key, configuration)
            || !others_open(subject, access, configuration, ttl).is_empty()
    })
}

fn open_intent(uid: &str, intent: &Intent) -> OpenIntent {
    OpenIntent {
        object: uid.to_owned(),
        known: intent.known.iter().cloned().collect(),
    }
}
