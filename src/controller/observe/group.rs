//! Whether a whole resource group is gone, and with it everything in it.

use std::time::Duration;

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
    if !matches!(
        error,
        Error::Forbidden(_) | Error::NotFound(_) | Error::Rejected(_)
    ) {
        return Standing::There;
    }
    let group = &access.key.group;
    if !matches!(
        access.client.get_resource_group(group).await,
        Err(Error::NotFound(_))
    ) {
        return Standing::There;
    }
    let listed = access.client.list_resource_groups().await;
    let lacking = listed
        .is_ok_and(|groups| !groups.is_empty() && groups.iter().all(|other| other.id != *group));
    if !lacking {
        return Standing::There;
    }
    let missing_for = subject.remember(|memory| memory.group_missing_for(group));
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
