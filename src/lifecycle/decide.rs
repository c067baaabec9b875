//! The tables of the deletion protocol and of its counterpart, creating.
//!
//! Laws that hold for every situation (the tests below walk all of them):
//! 1. what is RUNNING, PENDING or STOPPING is never deleted;
//! 2. the finalizer comes off only on proof, or because the user said Orphan, or because nothing is recorded, or because another object holds the
//!    deployment;
//! 3. nothing is created while the object is deleted, and never while a deployment or an intent is recorded;
//! 4. a deployment that another object claims is never written to;
//! 5. without a working key to the recorded tenant there is no remote effect.

use super::situation::{
    Claim, Connection, Ending, Fit, Goal, Look, Preparation, Present, Proof, Record, Remote,
    Resolution, Situation, Source, State, Target,
};
use super::step::{Done, Release, Stall, Step, Wait};

/// The next step for one object.
pub fn next_step(situation: &Situation) -> Step {
    let goal = situation.goal;
    if !situation.finalizer {
        return if goal.is_terminating() {
            Step::Done(Done::Released)
        } else {
            Step::AddFinalizer
        };
    }
    match situation.record {
        _ if goal == Goal::Orphaned => Step::Release(Release::Orphaned),
        Record::Nothing { source, look } => without_record(situation, source, look),
        Record::Deployment {
            claim: Claim::Another,
            ..
        } if goal.is_terminating() => Step::Release(Release::ClaimedByAnother),
        Record::Deployment {
            claim: Claim::Another,
            ..
        } => Step::Stall(Stall::Claimed),
        Record::Intent(resolution) => {
            obstacle(situation.connection).unwrap_or_else(|| resolve(resolution))
        }
        Record::Deployment { remote, .. } => {
            obstacle(situation.connection).unwrap_or_else(|| with_deployment(situation, remote))
        }
    }
}

/// What stands in the way of asking AI Core at all.
fn obstacle(connection: Connection) -> Option<Step> {
    match connection {
        Connection::Ready => None,
        Connection::Unreachable => Some(Step::Wait(Wait::Unreachable)),
        Connection::Unusable => Some(Step::Stall(Stall::ConnectionUnusable)),
        Connection::OtherTenant => Some(Step::Stall(Stall::TenantChanged)),
    }
}

/// Nothing is recorded. A look comes before every create, and before every release: the record itself may have been lost.
fn without_record(situation: &Situation, source: Source, look: Look) -> Step {
    let terminating = situation.goal.is_terminating();
    match (situation.connection, source) {
        (Connection::Unusable | Connection::OtherTenant, _) if terminating => {
            return Step::Release(Release::Unchecked);
        }
        _ => {}
    }
    if let Some(step) = obstacle(situation.connection) {
        return step;
    }
    match look {
        Look::Pending => Step::Wait(Wait::Observation),
        Look::One => Step::Take,
        Look::Several => Step::Stall(Stall::Ambiguous),
        Look::Claimed if terminating => Step::Release(Release::ClaimedByAnother),
        Look::Claimed => Step::Stall(Stall::Claimed),
        Look::Nothing => match (situation.goal, source) {
            (_, Source::Adopt) if terminating => Step::Release(Release::NeverSeen),
            (_, Source::Adopt) => Step::Stall(Stall::NeverSeen),
            (Goal::Released | Goal::Orphaned, _) => Step::Release(Release::NeverCreated),
            (Goal::Deleted, _) => Step::Done(Done::Deleted),
            (Goal::Stopped, _) => Step::Done(Done::Stopped),
            (Goal::Running, Source::Create(preparation)) => create(preparation),
        },
    }
}

fn create(preparation: Preparation) -> Step {
    match preparation {
        Preparation::NoConfiguration => Step::Stall(Stall::NoConfiguration),
        Preparation::ConfigurationMissing => Step::PrepareConfiguration,
        Preparation::ChainBroken => Step::Wait(Wait::Chain),
        Preparation::Complete => Step::Create,
    }
}

/// A create call was announced. Whatever the goal is, its outcome must be known first.
fn resolve(resolution: Resolution) -> Step {
    match resolution {
        Resolution::Pending => Step::Wait(Wait::Resolution),
        Resolution::Found => Step::Take,
        Resolution::NoEffect => Step::ClearIntent,
        Resolution::Ambiguous => Step::Stall(Stall::Ambiguous),
    }
}

fn with_deployment(situation: &Situation, remote: Remote) -> Step {
    match remote {
        Remote::Unobserved => Step::Wait(Wait::Observation),
        Remote::Absent {
            proof: Proof::None, ..
        } => Step::Wait(Wait::Absence),
        Remote::Absent { proof, ending } => absent(situation, proof, ending),
        Remote::Present(present) => match situation.goal {
            Goal::Running => drive_to_running(present, situation.recreate),
            Goal::Stopped => drive_to_stopped(present),
            Goal::Deleted | Goal::Released | Goal::Orphaned => drive_to_deleted(present),
        },
    }
}

/// The deployment is proven to be gone.
fn absent(situation: &Situation, proof: Proof, ending: Ending) -> Step {
    match (situation.goal, ending) {
        (Goal::Orphaned, _) => Step::Release(Release::Orphaned),
        (Goal::Released, _) if proof == Proof::NeverSeen => Step::Release(Release::NeverSeen),
        (Goal::Released, _) => Step::Release(Release::Gone),
        (Goal::Deleted, _) => Step::Forget,
        (Goal::Running, Ending::Expired) => Step::Done(Done::Expired),
        (Goal::Running, Ending::Ours) => Step::Forget,
        (Goal::Running, _) if situation.recreate => Step::Forget,
        (Goal::Stopped, Ending::Ours | Ending::Expired | Ending::Inactive) => {
            Step::Done(Done::Stopped)
        }
        (Goal::Running | Goal::Stopped, _) if proof == Proof::NeverSeen => {
            Step::Stall(Stall::NeverSeen)
        }
        (Goal::Running | Goal::Stopped, _) => Step::Stall(Stall::DeploymentMissing),
    }
}

/// The goals Deleted and Released: stop what runs, delete what has stopped, wait for everything else.
fn drive_to_deleted(present: Present) -> Step {
    match (present.state, present.target) {
        (State::Deleting, _) | (_, Target::Deleted) => overdue_or(present, Wait::Deleting),
        (State::Stopped | State::Dead | State::Completed | State::Unknown, _) => Step::Delete,
        (State::Running | State::Pending, Target::Running) => Step::Stop,
        (State::Running | State::Pending, Target::Stopped) | (State::Stopping, _) => {
            overdue_or(present, Wait::Stopping)
        }
        (State::Other, _) => overdue_or(present, Wait::UnknownState),
    }
}

/// The goal Stopped: stop what runs. UNKNOWN cannot be stopped; it becomes PENDING by itself.
fn drive_to_stopped(present: Present) -> Step {
    match (present.state, present.target) {
        (State::Deleting, _) | (_, Target::Deleted) => overdue_or(present, Wait::Deleting),
        (State::Stopped | State::Dead | State::Completed, _) => Step::Done(Done::Stopped),
        (State::Running | State::Pending, Target::Running) => Step::Stop,
        (State::Running | State::Pending, Target::Stopped) | (State::Stopping, _) => {
            overdue_or(present, Wait::Stopping)
        }
        (State::Unknown, _) => overdue_or(present, Wait::Starting),
        (State::Other, _) => overdue_or(present, Wait::UnknownState),
    }
}

/// The goal Running. What has stopped cannot be started again: it is deleted, proven gone, and a new one is created.
fn drive_to_running(present: Present, recreate: bool) -> Step {
    match (present.state, present.target) {
        (State::Deleting, _) | (_, Target::Deleted) => overdue_or(present, Wait::Deleting),
        (State::Stopped | State::Completed, _) if present.expired => {
            overdue_or(present, Wait::Deleting)
        }
        (State::Stopped | State::Completed, _) if present.stop_sent || recreate => Step::Delete,
        (State::Stopped | State::Completed, _) => Step::Stall(Stall::StoppedElsewhere),
        (State::Stopping, _) | (State::Running | State::Pending, Target::Stopped) => {
            overdue_or(present, Wait::Stopping)
        }
        (State::Other, _) => overdue_or(present, Wait::UnknownState),
        (State::Unknown, _) => overdue_or(present, Wait::Starting),
        (State::Running, Target::Running) if present.configuration == Fit::Sent => {
            overdue_or(present, Wait::Updating)
        }
        (State::Running, Target::Running) => configured(present, Step::Done(Done::Running)),
        (State::Pending, Target::Running) => {
            configured(present, overdue_or(present, Wait::Starting))
        }
        (State::Dead, _) => configured(present, Step::Stall(Stall::DeploymentDead)),
    }
}

/// AI Core takes another configuration while a deployment is PENDING, RUNNING or DEAD.
fn configured(present: Present, otherwise: Step) -> Step {
    match present.configuration {
        Fit::Wanted | Fit::Sent => otherwise,
        Fit::Other => Step::ChangeConfiguration,
        Fit::Unprepared => Step::PrepareConfiguration,
    }
}

fn overdue_or(present: Present, wait: Wait) -> Step {
    if present.overdue {
        Step::Stall(Stall::Overdue)
    } else {
        Step::Wait(wait)
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
