//! The laws about what takes the place of a recorded deployment, held against every situation there is.

use super::tests::{check, present};
use super::*;

#[test]
fn a_successor_is_created_only_of_a_deployment_that_is_there_and_whose_configuration_cannot_be_changed()
 {
    check(
        "replace only what runs or is about to, where nothing else is the object's",
        |situation, step| {
            let replaceable = present(situation).is_some_and(|present| {
                matches!(present.state, State::Running | State::Pending)
                    && present.target == Target::Running
                    && present.configuration == Fit::Foreign(Replacement::CreateFirst)
            });
            step != Step::Replace
                || situation.goal == Goal::Running
                    && replaceable
                    && !matches!(situation.others, Others::Successor | Others::Successors)
        },
    );
}

fn is_proven_gone(situation: &Situation) -> bool {
    matches!(
        situation.record,
        Record::Deployment {
            remote: Remote::Absent {
                proof: Proof::Gone | Proof::NeverSeen,
                ..
            },
            ..
        }
    )
}

#[test]
fn a_forgotten_deployment_was_proven_gone() {
    check("forget only on proof", |situation, step| {
        step != Step::Forget || is_proven_gone(situation)
    });
}

#[test]
fn a_successor_is_taken_only_of_what_is_gone_has_ended_or_is_to_be_replaced() {
    check(
        "take another one only in the place of one that serves no more or not for long",
        |situation, step| {
            let makes_room = present(situation).is_some_and(|present| {
                let ended = matches!(
                    present.state,
                    State::Stopped | State::Completed | State::Dead
                );
                let replaced = matches!(
                    present.configuration,
                    Fit::Foreign(Replacement::CreateFirst | Replacement::Unheld)
                );
                let forbidden = present.configuration == Fit::Foreign(Replacement::Forbidden);
                situation.goal == Goal::Running && (ended || replaced) && !forbidden
            });
            let recorded = matches!(situation.record, Record::Deployment { .. });
            let takes_over = step == Step::Take && recorded;
            !takes_over
                || situation.others == Others::Successor
                    && (is_proven_gone(situation) || makes_room)
        },
    );
}

#[test]
fn what_has_stopped_is_a_question_only_where_nothing_has_taken_its_place() {
    check(
        "look for a successor before asking a person",
        |situation, step| {
            let asks = matches!(
                step,
                Step::Stall(
                    Stall::StoppedElsewhere | Stall::DeploymentDead | Stall::DeploymentMissing
                )
            );
            let forbidden = present(situation).is_some_and(|present| {
                present.configuration == Fit::Foreign(Replacement::Forbidden)
            });
            !asks
                || forbidden
                || !matches!(situation.others, Others::Successor | Others::Successors)
        },
    );
}
