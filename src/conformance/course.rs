//! What comes next in the life of the deployment: while it is asked about, and when it is only to be removed. Without input or output.

use super::observations::{Look, Observations};
use super::question::{Question, RUNNING};
use crate::aicore::{Deployment, Status, TargetStatus};

/// What comes next while the deployment is asked about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Look again later.
    Wait,
    /// Ask what is asked while it runs.
    AskWhileRunning,
    /// Stop it.
    Stop,
    /// Delete it.
    Delete,
    /// It is gone.
    Gone,
    /// AI Core has refused what would come next.
    Refused(Question),
}

/// The next move, after the last look.
pub(super) fn next_move(look: &Look, seen: &Observations) -> Move {
    if look.is_absent() {
        // A new deployment may be missing for a while.
        let was_seen = seen.shown().next().is_some();
        return if was_seen { Move::Gone } else { Move::Wait };
    }
    let Some(shown) = look.single.shown() else {
        return Move::Wait;
    };
    if shown.is_going() {
        return Move::Wait;
    }
    let asked = |question| seen.exchanges.contains_key(&question);
    match (shown.status(), shown.target()) {
        ("RUNNING", "RUNNING" | "") => {
            if !RUNNING.iter().any(|question| asked(*question)) {
                return Move::AskWhileRunning;
            }
            once(
                seen,
                Question::Stop,
                &[Question::StopInBulk, Question::Stop],
                Move::Stop,
            )
        }
        ("STOPPED" | "DEAD" | "COMPLETED", _) => once(
            seen,
            Question::Delete,
            &[Question::DeleteInStopping, Question::Delete],
            Move::Delete,
        ),
        _ => Move::Wait,
    }
}

/// A call is made once. When it was accepted its effect is waited for.
fn once(seen: &Observations, question: Question, ways: &[Question], first: Move) -> Move {
    if seen.accepted(ways).is_some() {
        return Move::Wait;
    }
    match seen.reply(question) {
        Ok(reply) if (400..500).contains(&reply.status) => Move::Refused(question),
        // Whether it had an effect, the next looks tell.
        _ if seen.exchanges.contains_key(&question) => Move::Wait,
        _ => first,
    }
}

/// What removes a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// Nothing can be done now.
    Wait,
    /// It has to be stopped first.
    Stop,
    /// It can be deleted.
    Delete,
}

/// What removes a deployment in this state.
pub(super) fn duty(deployment: &Deployment) -> Duty {
    match (&deployment.status, &deployment.target_status) {
        (_, Some(TargetStatus::Deleted)) | (Status::Deleting, _) => Duty::Wait,
        (Status::Pending | Status::Running, Some(TargetStatus::Stopped)) => Duty::Wait,
        (Status::Pending | Status::Running, _) => Duty::Stop,
        (Status::Unknown | Status::Stopped | Status::Dead | Status::Completed, _) => Duty::Delete,
        (Status::Stopping | Status::Other(_), _) => Duty::Wait,
    }
}
