//! Looking for a deployment that is an object's already, before one is created and before an object without a record goes.

use std::collections::BTreeSet;
use std::time::Duration;

use super::access::{Access, Blocked};
use super::group::{self, Standing};
use super::lost::{self, Lost};
use super::out_of_sight;
use super::signs::is_known;
use crate::aicore::{self, ConfigurationFilter, Observed, Snapshot, Status, TargetStatus};
use crate::api::ConfigurationTemplate;
use crate::controller::subject::{Subject, adopts, looks_on};
use crate::lifecycle::situation::{Goal, Look};

/// What a look found.
pub(crate) struct Sight {
    pub(crate) look: Look,
    /// The deployments that were found.
    pub(crate) candidates: Vec<String>,
    /// When time alone may change what is found.
    pub(crate) recheck: Option<Duration>,
}

impl Sight {
    fn of(look: Look) -> Self {
        Self {
            look,
            candidates: Vec::new(),
            recheck: None,
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
        let looked = memory.looked.as_ref() == Some(&access.key);
        // What comes to light before an object is deleted is still its own.
        let deleted = goal.is_terminating().then(|| memory.terminating_since());
        (deleted.max(Some(memory.unsettled_since)), looked)
    });
    // What a deleted object may leave is looked for once more: somebody else may have held it before.
    let at_rest = matches!(goal, Goal::Stopped | Goal::Deleted);
    let status = subject.object.status.as_ref();
    let lapsed = status.is_some_and(|status| !status.lapsed.is_empty());
    if looked && at_rest && !lapsed && adopts(&subject.object).is_none() {
        return Ok(Sight::of(Look::Nothing));
    }
    let snapshot = match subject.context.inventory.observe(&access.key, since) {
        Observed::Fresh(snapshot) => snapshot,
        Observed::Waiting => return Ok(Sight::of(Look::Pending)),
        Observed::Failed(error)
            if goal != Goal::Running
                && group::standing(subject, access, &error).await == Standing::Gone =>
        {
            return Ok(Sight::of(Look::Nothing));
        }
        Observed::Failed(error) => return Err(access.blocked(&error)),
    };
    subject.remember(|memory| memory.group_found());
    let sight = match adopts(&subject.object) {
        Some(id) => adopted(subject, access, &snapshot, id).await?,
        None => unrecorded(subject, goal, access, &snapshot).await?,
    };
    // As long as something may be the object's, it is looked whether that is still there.
    let nothing = sight.look == Look::Nothing && sight.candidates.is_empty();
    let looked = nothing.then(|| access.key.clone());
    subject.remember(|memory| memory.looked = looked);
    Ok(sight)
}

/// A deployment that a person names. One that another object holds is refused, and so is one that was made for an object which this operator does
/// not look at, and which may hold it.
pub(crate) async fn adopted(
    subject: &Subject<'_>,
    access: &Access,
    snapshot: &Snapshot,
    id: &str,
) -> Result<Sight, Blocked> {
    let holder = subject
        .context
        .claims
        .holder(&access.key, id, &subject.context.realm_of());
    let looks_on = looks_on(&subject.object);
    let look = match (snapshot.get(id), holder) {
        (_, Some(holder)) if holder != subject.uid && !looks_on => Look::Claimed,
        (None, _) => Look::Nothing,
        (Some(_), _) if looks_on => Look::One,
        (Some(named), _) if out_of_sight::may_be_held(subject, access, named).await? => {
            Look::Claimed
        }
        (Some(_), _) => Look::One,
    };
    Ok(Sight {
        candidates: vec![id.to_owned()],
        ..Sight::of(look)
    })
}

/// Deployments whose configuration bears the object's name and that no object holds, or that come from a configuration from which nobody else
/// creates. What is only possible stops an object that would make a copy; to the others it is told.
async fn unrecorded(
    subject: &Subject<'_>,
    goal: Goal,
    access: &Access,
    snapshot: &Snapshot,
) -> Result<Sight, Blocked> {
    let all: Vec<&aicore::Deployment> = snapshot.iter().collect();
    let mut candidates = bearing_name(subject, access, &all).await?;
    if candidates.is_empty()
        && let Some(id) = &subject.object.spec.configuration_id
    {
        let creates = goal == Goal::Running;
        match lost::from_configuration(subject, access, snapshot, id) {
            Lost::Found(id) => candidates.push(id),
            Lost::Undecided if creates => {
                return Ok(Sight {
                    recheck: Some(subject.context.options.inventory.busy),
                    ..Sight::of(Look::Pending)
                });
            }
            Lost::Ambiguous(candidates) => {
                let look = if creates {
                    Look::Several
                } else {
                    Look::Nothing
                };
                return Ok(Sight {
                    candidates,
                    ..Sight::of(look)
                });
            }
            Lost::Nothing | Lost::Undecided => {}
        }
    }
    let look = match candidates.len() {
        0 => Look::Nothing,
        1 => Look::One,
        _ => Look::Several,
    };
    Ok(Sight {
        candidates,
        ..Sight::of(look)
    })
}

/// Those of `deployments` whose configuration bears the object's name, that no object holds and that the object does not record. AI Core may leave the
/// names of configurations out of a list; only then they are asked for.
pub(crate) async fn bearing_name(
    subject: &Subject<'_>,
    access: &Access,
    deployments: &[&aicore::Deployment],
) -> Result<Vec<String>, Blocked> {
    let object = &*subject.object;
    let identity = subject.context.identity(object);
    let may_be_lost = |deployment: &&aicore::Deployment| {
        !is_going(deployment) && !is_known(object, &deployment.id)
    };
    let (named, nameless): (Vec<_>, Vec<_>) = deployments
        .iter()
        .copied()
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
        scenario_id: template.scenario_id.as_deref(),
        executable_id: template.executable_id.as_deref(),
    };
    let found = access
        .client
        .find_configurations(&access.key.group, &filter)
        .await
        .map_err(|error| access.blocked(&error))?;
    let own = found
        .into_iter()
        .filter(|configuration| identity.owns(&configuration.name));
    Ok(own.map(|configuration| configuration.id).collect())
}

/// Those of `ids` that no other object holds, nor has held in the time of this process: what was left alone on purpose is not lost.
pub(crate) fn lost<'a>(
    subject: &Subject<'_>,
    access: &Access,
    ids: impl Iterator<Item = &'a str>,
) -> BTreeSet<String> {
    let mut lost = unclaimed(subject, access, ids);
    lost.retain(|id| !subject.context.claims.was_recorded(id));
    lost
}

/// Whether nobody else creates from the configuration of a deployment, and it is not what the call of an object that was let go may have made. From a
/// configuration that was made for an object out of sight, that object may create at any time.
pub(crate) fn is_exclusive(
    subject: &Subject<'_>,
    access: &Access,
    deployment: &aicore::Deployment,
) -> bool {
    let name = deployment.configuration_name.as_deref();
    let anothers = name.is_some_and(|name| subject.context.made_out_of_sight(name));
    access.exclusive && !anothers && !subject.context.claims.may_be_left(deployment)
}

/// Those of `ids` that no other object holds.
pub(crate) fn unclaimed<'a>(
    subject: &Subject<'_>,
    access: &Access,
    ids: impl Iterator<Item = &'a str>,
) -> BTreeSet<String> {
    let context = subject.context;
    let realm_of = context.realm_of();
    context
        .claims
        .unclaimed(&access.key, ids, Some(subject.uid), &realm_of)
}

/// Whether AI Core is deleting it already: it is nobody's any more.
pub(crate) fn is_going(deployment: &aicore::Deployment) -> bool {
    deployment.status == Status::Deleting || deployment.target_status == Some(TargetStatus::Deleted)
}
