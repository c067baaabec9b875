//! What a Connection says of itself: whether it works, and if not, whether a person must act.

use jiff::Timestamp;

use super::survey::Survey;
use super::{certificate, owner};
use crate::api::{Condition, ConditionKind, Connection, Reason, set_conditions};
use crate::controller::context::Mode;
use crate::controller::tell::events::shortened;

/// The longest message of a condition, in bytes.
const MAXIMUM_MESSAGE: usize = 1024;

/// The conditions of a Connection: Ready, and while it is not, the one of Stalled and Reconciling that says whether it heals by itself.
pub(super) fn conditions(
    mode: Mode,
    connection: &Connection,
    survey: &Survey,
    users: Option<&str>,
    now: Timestamp,
) -> Vec<Condition> {
    let (reason, mut message) = match &survey.failure {
        None => (Reason::Connected, survey.message()),
        Some(failure) => (failure.problem.reason, failure.problem.message.clone()),
    };
    let secret = &connection.spec.secret_ref.name;
    let ending = |validity| certificate::warning(validity, secret, now);
    if let Some(warning) = survey.certificate.and_then(ending) {
        message = format!("{message}. {warning}");
    }
    if let Some(owner) = &survey.owner {
        message = format!("{message}. {}", owner::warning(owner, secret));
    }
    if mode == Mode::Observe {
        message =
            format!("{message}. The operator runs with --mode=observe and writes nothing there");
    }
    if let Some(users) = users {
        message = format!("{message}. It stays until these Deployments are gone: {users}");
    }
    let condition = |kind, holds: bool| Condition {
        kind,
        status: holds.into(),
        reason: reason.to_string(),
        message: shortened(&message, MAXIMUM_MESSAGE),
        last_transition_time: now,
        observed_generation: connection.metadata.generation.unwrap_or_default(),
    };
    let mut conditions = vec![condition(ConditionKind::Ready, survey.failure.is_none())];
    conditions.extend(survey.failure.as_ref().map(|failure| {
        let kind = match failure.stalled {
            true => ConditionKind::Stalled,
            false => ConditionKind::Reconciling,
        };
        condition(kind, true)
    }));
    let before = connection.status.as_ref();
    let before = before.map_or(&[][..], |status| &status.conditions);
    set_conditions(before, conditions)
}

/// Whether what was told before explains more than what was seen now: a person has to mend something in this very key or spec, and that AI Core
/// does not answer at the moment has not mended it.
pub(super) fn first_cause_stays(connection: &Connection, survey: &Survey) -> bool {
    let heals = survey.failure.as_ref().is_some_and(|it| !it.stalled);
    let generation = connection.metadata.generation.unwrap_or_default();
    let before = connection.status.iter().flat_map(|it| &it.conditions);
    let mut stalls = before.filter(|it| it.kind == ConditionKind::Stalled);
    heals && stalls.any(|stall| stall.observed_generation == generation)
}
