//! Whether a deployment may be held by an object of this cluster that another operator looks at.
//!
//! The register of claims knows nothing of such objects. What tells of them is the name of the configuration.

use super::access::{Access, Blocked};
use super::signs::{may_be_late, may_be_of};
use crate::aicore::{self, Error};
use crate::controller::scope::Scope;
use crate::controller::subject::Subject;

/// Whether a deployment was made for an object out of sight, and not by a call of the object at work. AI Core may leave the name of the configuration
/// out of its lists; then it is asked for.
pub(super) async fn may_be_held(
    subject: &Subject<'_>,
    access: &Access,
    deployment: &aicore::Deployment,
) -> Result<bool, Blocked> {
    let context = subject.context;
    if context.options.scope == Scope::All || may_be_own(subject, deployment) {
        return Ok(false);
    }
    let made_out_of_sight = |name: &str| context.made_out_of_sight(name);
    let id = &deployment.configuration_id;
    match deployment.configuration_name.as_deref() {
        Some(name) => Ok(made_out_of_sight(name)),
        None if id.is_empty() => Ok(false),
        None => match access.client.get_configuration(&access.key.group, id).await {
            Ok(configuration) => Ok(made_out_of_sight(&configuration.name)),
            // Nobody can tell.
            Err(Error::NotFound(_) | Error::Rejected(_)) => Ok(false),
            Err(error) => Err(access.blocked(&error)),
        },
    }
}

/// Whether it may be the result of a call of the object itself: a spec can name any configuration.
fn may_be_own(subject: &Subject<'_>, deployment: &aicore::Deployment) -> bool {
    subject.object.status.as_ref().is_some_and(|status| {
        let open = status.intent.as_ref();
        let mut lapsed = status.lapsed.iter();
        open.is_some_and(|call| may_be_of(call, deployment))
            || lapsed.any(|call| may_be_late(call, deployment))
    })
}
