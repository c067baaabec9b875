//! Whether a whole resource group is gone, and with it everything in it.

use std::time::Duration;

use tokio::time::Instant;

use super::access::Access;
use crate::aicore::Error;
use crate::controller::subject::Subject;

/// What is known of a resource group whose deployments cannot be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing says that it is gone.
    There,
    /// Asked by its id it answers 404, and a complete list of groups lacks it, but not for the grace period yet.
    Missing {
        /// The rest of the grace period.
        recheck: Duration,
    },
    /// The same, for longer than the grace period.
    Gone,
}

/// Finds out why a list failed. The API says of a failing list only that it is a 400; gateways answer 403, others 404.
pub(crate) async fn standing(subject: &Subject<'_>, access: &Access, error: &Error) -> Standing {
    let may_be_gone = matches!(
        error,
        Error::Forbidden(_) | Error::NotFound(_) | Error::Rejected(_)
    );
    if !may_be_gone || !is_missing(subject, access).await {
        subject.remember(|memory| memory.group_found());
        return Standing::There;
    }
    let missing_for = subject.remember(|memory| {
        // Its configurations are gone with it.
        memory.prepared = None;
        memory.group_missing_for(&access.key.group)
    });
    match subject
        .context
        .options
        .create_grace
        .checked_sub(missing_for)
        .filter(|rest| !rest.is_zero())
    {
        Some(recheck) => Standing::Missing { recheck },
        None => Standing::Gone,
    }
}

/// Whether AI Core has no such group. All objects of a group share the answer for as long as a list is good for.
async fn is_missing(subject: &Subject<'_>, access: &Access) -> bool {
    let options = &subject.context.options.inventory;
    let known = subject
        .context
        .missing_groups
        .lock()
        .get(&access.key)
        .copied();
    if let Some((missing, _)) = known.filter(|(_, at)| at.elapsed() < options.busy) {
        return missing;
    }
    let missing = ask(access).await;
    subject
        .context
        .missing_groups
        .lock()
        .insert(access.key.clone(), (missing, Instant::now()));
    missing
}

async fn ask(access: &Access) -> bool {
    let group = &access.key.group;
    if !matches!(
        access.client.get_resource_group(group).await,
        Err(Error::NotFound(_))
    ) {
        return false;
    }
    let listed = access.client.list_resource_groups().await;
    listed.is_ok_and(|groups| !groups.is_empty() && groups.iter().all(|other| other.id != *group))
}
