//! The tables of the deletion protocol and of its counterpart, creating.
//!
//! Laws that hold for every situation (`decide_tests.rs` walks all of them; `docs/protocol-tables.md` prints what follows in each):
//! 1. what is RUNNING, PENDING or STOPPING is never deleted;
//! 2. the finalizer comes off only on proof, or because the user said Orphan or forced it, or because everything is uninstalled, or because
//!    nothing is recorded, or because another object holds the deployment;
//! 3. nothing is created while the object is deleted, and never while a deployment or an intent is recorded;
//! 4. a deployment that another object claims is never written to;
//! 5. without a working key to the recorded tenant there is no remote effect;
//! 6. nothing of a protected object is stopped, deleted or replaced, and nothing of a deleted one is before it is known that not everything is
//!    uninstalled;
//! 7. nothing is created, adopted or changed through a Connection whose grant was withdrawn;
//! 8. what serves until its successor does goes only when that runs, or when nothing is to run any more.

use super::situation::{
    Claim, Connection, Ending, Fit, Goal, Look, Order, Others, Preparation, Present, Proof, Record,
    Remote, Replacement, Resolution, Situation, Source, State, Target, Uninstall,
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
    if goal.is_terminating() {
        match (situation.order, situation.uninstall) {
            (Order::LetGo, _) => return Step::Release(Release::Forced),
            (_, Uninstall::Yes) => return Step::Release(Release::Uninstalled),
            (Order::Hold, _) => return Step::Stall(Stall::Protected),
            (Order::None, _) if goal == Goal::Orphaned => return leave(situation),
            (Order::None, _) => {}
        }
    }
    let step = guarded(situation, by_record(situation));
    with_others(situation, allowed(situation, step))
}

/// The policy is Orphan. What an open create call has made is left like the rest, but its id must be known first: what nobody knows looks like the
/// result of another object's call. Where that cannot be found out, the object goes all the same.
fn leave(situation: &Situation) -> Step {
    match (situation.record, situation.connection) {
        (Record::Intent(_), Connection::Unreachable) => Step::Wait(Wait::Unreachable),
        (Record::Intent(resolution), connection) if connection.answers() => match resolution {
            Resolution::Ambiguous | Resolution::Foreign => Step::Release(Release::Orphaned),
            Resolution::Pending | Resolution::Found | Resolution::NoEffect => resolve(resolution),
        },
        _ => Step::Release(Release::Orphaned),
    }
}

/// The next step for a deployment that the object has besides the recorded one: whatever the goal is, it goes, but one that `serves` in the place
/// of the recorded one not before that does.
pub fn retiring_step(situation: &Situation, claim: Claim, remote: Remote, serves: bool) -> Step {
    if claim == Claim::Another {
        return Step::Forget;
    }
    let step = obstacle(situation.connection).unwrap_or_else(|| match remote {
        Remote::Unobserved => Step::Wait(Wait::Observation),
        Remote::Present(_) if serves && needs_predecessor(situation) => Step::Wait(Wait::Successor),
        Remote::Present(present) => drive_to_deleted(present),
        Remote::Absent {
            proof: Proof::None, ..
        } => Step::Wait(Wait::Absence),
        Remote::Absent { .. } => Step::Forget,
    });
    guarded(situation, step)
}

/// Whether something is to run, and the recorded deployment does not do so yet.
pub fn needs_predecessor(situation: &Situation) -> bool {
    let runs = matches!(
        situation.record,
        Record::Deployment {
            claim: Claim::Ours,
            remote: Remote::Present(Present {
                state: State::Running,
                target: Target::Running,
                ..
            })
        }
    );
    situation.goal == Goal::Running && !runs
}

fn by_record(situation: &Situation) -> Step {
    let terminating = situation.goal.is_terminating();
    match situation.record {
        Record::Nothing { source, look } => without_record(situation, source, look),
        Record::Deployment {
            claim: Claim::Another,
            ..
        } if terminating => Step::Release(Release::ClaimedByAnother),
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

/// What runs is touched only where nothing forbids it. What replaces it, or is put back, has its end as a consequence.
fn guarded(situation: &Situation, step: Step) -> Step {
    let unchecked = situation.goal.is_terminating() && situation.uninstall != Uninstall::No;
    match step {
        Step::Stop | Step::Delete | Step::Replace | Step::TakeBack
            if situation.order == Order::Hold =>
        {
            Step::Stall(Stall::Protected)
        }
        Step::Stop | Step::Delete if unchecked => Step::Wait(Wait::Uninstall),
        // It is left, as soon as it is known what else is.
        Step::Stop | Step::Delete if situation.goal == Goal::Orphaned => {
            Step::Wait(Wait::Resolution)
        }
        step => step,
    }
}

/// What a namespace was once allowed to make it may always stop and delete. What serves to make, adopt or change something needs the grant, and so
/// does the end of a deployment that only makes room for another.
fn allowed(situation: &Situation, step: Step) -> Step {
    let adopts = matches!(
        situation.record,
        Record::Nothing {
            source: Source::Adopt,
            ..
        }
    );
    let needs_grant = match step {
        Step::PrepareConfiguration
        | Step::Create
        | Step::Replace
        | Step::ChangeConfiguration
        | Step::RollBack
        | Step::Wait(Wait::Chain) => true,
        Step::Take => adopts,
        Step::Stop | Step::Delete => situation.goal == Goal::Running,
        _ => false,
    };
    match situation.connection {
        Connection::Withdrawn if needs_grant => Step::Stall(Stall::AccessDenied),
        _ => step,
    }
}

/// A goal that leaves nothing running is not reached while another deployment of the object may run.
fn with_others(situation: &Situation, step: Step) -> Step {
    let at_rest = matches!(
        step,
        Step::Done(_) | Step::Wait(_) | Step::Stall(_) | Step::Release(_)
    );
    let nothing_runs = matches!(
        step,
        Step::Release(_) | Step::Done(Done::Deleted | Done::Stopped)
    );
    match situation.others {
        Others::Unrecorded if at_rest && situation.connection.answers() => Step::Retire,
        Others::Retiring | Others::Serving if nothing_runs => {
            obstacle(situation.connection).unwrap_or(Step::Wait(Wait::Retiring))
        }
        _ => step,
    }
}

/// What stands in the way of asking AI Core at all.
fn obstacle(connection: Connection) -> Option<Step> {
    match connection {
        Connection::Ready | Connection::Withdrawn => None,
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
        // Nothing is to be left, so all of them go, one after the other.
        Look::Several if terminating || situation.goal == Goal::Deleted => Step::Take,
        Look::Several => Step::Stall(Stall::Ambiguous),
        Look::Claimed if terminating => Step::Release(Release::ClaimedByAnother),
        Look::Claimed => Step::Stall(Stall::Claimed),
        Look::Nothing => match (situation.goal, source) {
            (_, Source::Adopt) if terminating => Step::Release(Release::NeverSeen),
            (_, Source::Adopt) => Step::Stall(Stall::NeverSeen),
            _ if terminating => Step::Release(Release::NeverCreated),
            (Goal::Deleted, _) => Step::Done(Done::Deleted),
            (Goal::Stopped, _) => Step::Done(Done::Stopped),
            (_, Source::Create(preparation)) => create(preparation),
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
        Resolution::Foreign => Step::Stall(Stall::OperatorConflict),
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
            Goal::Running => drive_to_running(situation, present),
            Goal::Stopped => drive_to_stopped(present),
            Goal::Deleted | Goal::Released | Goal::Orphaned => drive_to_deleted(present),
        },
    }
}

/// The deployment is proven to be gone.
fn absent(situation: &Situation, proof: Proof, ending: Ending) -> Step {
    match (situation.goal, ending) {
        (Goal::Released, _) if proof == Proof::NeverSeen => Step::Release(Release::NeverSeen),
        (Goal::Released | Goal::Orphaned, _) => Step::Release(Release::Gone),
        (Goal::Deleted, _) => Step::Forget,
        // The record was older than the deployment: a status comes from a backup.
        _ if situation.others == Others::Successor => Step::Take,
        _ if situation.others == Others::Successors => Step::Stall(Stall::Ambiguous),
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
fn drive_to_running(situation: &Situation, present: Present) -> Step {
    match (present.state, present.target) {
        (State::Deleting, _) | (_, Target::Deleted) => overdue_or(present, Wait::Deleting),
        (State::Stopped | State::Completed, _) if present.expired => {
            overdue_or(present, Wait::Deleting)
        }
        (State::Stopped | State::Completed, _) => {
            succeeded(situation, present, stopped(situation, present))
        }
        (State::Stopping, _) | (State::Running | State::Pending, Target::Stopped) => {
            overdue_or(present, Wait::Stopping)
        }
        (State::Other, _) => overdue_or(present, Wait::UnknownState),
        (State::Unknown, _) => overdue_or(present, Wait::Starting),
        (State::Running, Target::Running) => match present.configuration {
            Fit::Sent => overdue_or(present, Wait::Updating),
            Fit::RolledBack => Step::Stall(Stall::RolledBack),
            _ => configured(situation, present, Step::Done(Done::Running)),
        },
        (State::Pending, Target::Running) => match present.configuration {
            Fit::RolledBack => overdue_or(present, Wait::RollingBack),
            _ => configured(situation, present, overdue_or(present, Wait::Starting)),
        },
        (State::Dead, _) if present.configuration == Fit::Failed => Step::RollBack,
        (State::Dead, _) => {
            let dead = configured(situation, present, Step::Stall(Stall::DeploymentDead));
            succeeded(situation, present, dead)
        }
    }
}

/// What has stopped cannot be started again. A stop by somebody else is undone only by policy.
fn stopped(situation: &Situation, present: Present) -> Step {
    if present.stop_sent || situation.recreate {
        Step::Delete
    } else {
        Step::Stall(Stall::StoppedElsewhere)
    }
}

/// The record may be older than what has taken the place of the recorded deployment: a status comes from a backup. What must not be replaced
/// without a person's word keeps its place.
fn succeeded(situation: &Situation, present: Present, otherwise: Step) -> Step {
    let keeps_its_place = present.configuration == Fit::Foreign(Replacement::Forbidden);
    match situation.others {
        _ if keeps_its_place => otherwise,
        Others::Successor => Step::Take,
        Others::Successors => Step::Stall(Stall::Ambiguous),
        _ => otherwise,
    }
}

/// AI Core takes another configuration of the same scenario and executable while a deployment is PENDING, RUNNING or DEAD.
fn configured(situation: &Situation, present: Present, otherwise: Step) -> Step {
    match present.configuration {
        Fit::Wanted | Fit::Sent | Fit::Failed | Fit::RolledBack => otherwise,
        Fit::Other => Step::ChangeConfiguration,
        Fit::Unprepared => Step::PrepareConfiguration,
        Fit::Unknown => Step::Wait(Wait::Comparison),
        Fit::Foreign(replacement) => replaced(situation, present, replacement),
    }
}

/// The deployment cannot be given the wanted configuration. What is dead serves nobody, so it goes first in any case.
fn replaced(situation: &Situation, present: Present, replacement: Replacement) -> Step {
    // Of a successor that does not serve yet nobody needs to make another predecessor.
    if situation.others == Others::Serving && present.state != State::Running {
        return Step::TakeBack;
    }
    match replacement {
        Replacement::Forbidden => Step::Stall(Stall::ReplacementForbidden),
        _ if present.state == State::Dead => Step::Delete,
        Replacement::DeleteFirst => Step::Stop,
        Replacement::Unheld => succeeded(situation, present, Step::Wait(Wait::Chain)),
        Replacement::CreateFirst => succeeded(situation, present, Step::Replace),
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

#[cfg(test)]
#[path = "succession_tests.rs"]
mod succession_tests;
