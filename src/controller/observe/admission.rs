//! Before AI Core has accepted the credentials of a Connection, its objects learn nothing that other credentials have found out.

use super::access::{Access, Blocked};
use crate::aicore::Observed;
use crate::controller::subject::Subject;

/// What is in the way of credentials that have to be accepted first, if that is known yet. They look at the group of the object themselves, and when
/// they are let in, or found to be refused, the object is woken.
pub(super) fn obstacle(subject: &Subject<'_>, access: &Access) -> Option<Blocked> {
    let context = subject.context;
    context.inventory.watch(&access.key, subject.uid);
    context.wait_for_list(&access.key, &subject.object, true);
    match context.inventory.observe(&access.key, None) {
        Observed::Failed(error) => Some(access.blocked(&error).explained_by(access)),
        Observed::Fresh(_) | Observed::Waiting => None,
    }
}
