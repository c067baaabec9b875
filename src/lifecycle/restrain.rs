//! What is left of a step where nothing may be written to AI Core, or nothing be done at all. The rules themselves do not know of it: whoever
//! is told later to go on goes on with the very step that was held back.

use super::situation::{Goal, Others, Situation};
use super::step::{Done, Release, Stall, Step, Wait};

/// How free the operator is with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hand {
    /// It does what the rules say (`managementPolicy: Manage`).
    Manage,
    /// It looks, records what it sees, and writes nothing to AI Core (`managementPolicy: Observe`, or `--mode=observe`).
    Observe,
    /// It may do what the rules say, but what is recorded was only looked at, under `Observe`, and is not the object's own yet.
    Unclaimed,
    /// It looks, and changes neither AI Core nor what is recorded (annotation `aicore.dev/paused`).
    Paused,
}

/// What becomes of `step`. `is_own` tells whether what the object has in AI Core is its own to end, be it only because it manages that: then its
/// deletion needs remote writes, which an observer does not make.
pub fn restrain(hand: Hand, situation: &Situation, is_own: bool, step: Step) -> Step {
    match hand {
        Hand::Manage => step,
        Hand::Paused => paused(situation, step),
        Hand::Unclaimed if !writes(step) => step,
        // It becomes the object's own as soon as the object may have it.
        Hand::Unclaimed if situation.goal.is_terminating() => Step::Release(Release::Orphaned),
        Hand::Unclaimed => Step::Stall(Stall::AccessDenied),
        Hand::Observe if situation.goal.is_terminating() => {
            observed_deletion(situation, is_own, step)
        }
        Hand::Observe if is_kept_from_writing(situation, step) => Step::Done(Done::Observed),
        Hand::Observe => step,
    }
}

/// A person who lets go by force, or uninstalls everything, has the last word.
fn paused(situation: &Situation, step: Step) -> Step {
    let stands = match step {
        Step::Release(Release::Forced | Release::Uninstalled) => false,
        Step::Take | Step::ClearIntent | Step::Forget | Step::Release(_) => true,
        step => is_kept_from_writing(situation, step),
    };
    if stands {
        Step::Stall(Stall::Paused)
    } else {
        step
    }
}

fn observed_deletion(situation: &Situation, is_own: bool, step: Step) -> Step {
    match step {
        Step::Release(_) | Step::Done(_) | Step::Stall(Stall::Protected) => step,
        _ if !is_own && situation.goal == Goal::Released => Step::Release(Release::Orphaned),
        Step::Wait(Wait::Retiring) => Step::Stall(Stall::Observing),
        step if writes(step) => Step::Stall(Stall::Observing),
        step => step,
    }
}

/// Whether the step writes to AI Core, or rests only as far as the recorded deployment goes: another one of the object is to be ended.
fn is_kept_from_writing(situation: &Situation, step: Step) -> bool {
    let others = matches!(situation.others, Others::Retiring | Others::Serving);
    match step {
        Step::Done(Done::Released) => false,
        Step::Done(_) | Step::Wait(Wait::Retiring) => others,
        step => writes(step),
    }
}

/// Whether the step writes to AI Core, or decides that this is done next.
fn writes(step: Step) -> bool {
    match step {
        Step::PrepareConfiguration
        | Step::Create
        | Step::Replace
        | Step::TakeBack
        | Step::Retire
        | Step::Stop
        | Step::Delete
        | Step::ChangeConfiguration
        | Step::RollBack => true,
        Step::AddFinalizer
        | Step::Release(_)
        | Step::Take
        | Step::ClearIntent
        | Step::Forget
        | Step::Done(_)
        | Step::Wait(_)
        | Step::Stall(_) => false,
    }
}

#[cfg(test)]
#[path = "restrain_tests.rs"]
mod tests;
