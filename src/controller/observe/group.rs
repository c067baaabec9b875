//! Whether a whole resource group is gone, and with it everything in it.

use super::access::Access;
use crate::aicore::Error;
use crate::controller::subject::Subject;

/// Whether a list failed because its resource group is gone: asked by its id the group answers 404, a complete list of groups lacks it, and that
/// has been so for the grace period. The API says of a failing list only that it is a 400; gateways answer 403, others 404.
pub(crate) async fn is_gone(subject: &Subject<'_>, access: &Access, error: &Error) -> bool {
    if !matches!(
        error,
        Error::Forbidden(_) | Error::NotFound(_) | Error::Rejected(_)
    ) {
        return false;
    }
    let group = &access.key.group;
    if !matches!(
        access.client.get_resource_group(group).await,
        Err(Error::NotFound(_))
    ) {
        return false;
    }
    let listed = access.client.list_resource_groups().await;
    let lacking = listed
        .is_ok_and(|groups| !groups.is_empty() && groups.iter().all(|other| other.id != *group));
    lacking
        && subject.remember(|memory| memory.group_missing_for(group))
            >= subject.context.options.create_grace
}
