//! The laws, held against every situation there is.

use super::*;
use crate::lifecycle::walk::{fair, plain, presents, remotes, situations, surroundings};

#[path = "leaving_tests.rs"]
mod leaving;

pub(super) fn check(law: &str, holds: impl Fn(&Situation, Step) -> bool) {
    for situation in situations() {
        let step = next_step(&situation);
        assert!(holds(&situation, step), "{law}\n{situation:?}\n-> {step:?}");
    }
}

pub(super) fn present(situation: &Situation) -> Option<Present> {
    match situation.record {
        Record::Deployment {
            remote: Remote::Present(present),
            ..
        } => Some(present),
        _ => None,
    }
}

fn writes_remotely(step: Step) -> bool {
    matches!(
        step,
        Step::Stop
            | Step::Delete
            | Step::ChangeConfiguration
            | Step::RollBack
            | Step::Create
            | Step::Replace
            | Step::PrepareConfiguration
    )
}

#[test]
fn there_are_as_many_situations_as_the_types_say() {
    assert_eq!(
        situations().count(),
        (25 + 5 + 2 * (1 + 12 + 9 * 3 * 11 * 8)) * 5 * 5 * 4 * 3 * 3 * 6
    );
}

#[test]
fn what_runs_or_is_stopping_is_never_deleted() {
    check(
        "DELETE only in STOPPED, DEAD, COMPLETED and UNKNOWN",
        |situation, step| {
            let deletable = present(situation).is_some_and(|present| {
                matches!(
                    present.state,
                    State::Stopped | State::Dead | State::Completed | State::Unknown
                ) && present.target != Target::Deleted
            });
            step != Step::Delete || deletable
        },
    );
}

#[test]
fn only_what_runs_and_is_meant_to_run_is_stopped() {
    check(
        "STOP only in RUNNING and PENDING, once",
        |situation, step| {
            let stoppable = present(situation).is_some_and(|present| {
                matches!(present.state, State::Running | State::Pending)
                    && present.target == Target::Running
            });
            step != Step::Stop || stoppable
        },
    );
}

#[test]
fn the_finalizer_comes_off_only_on_proof_or_by_the_users_word() {
    check("no release without proof", |situation, step| match step {
        Step::Release(Release::NeverSeen)
            if matches!(
                situation.record,
                Record::Nothing {
                    source: Source::Adopt,
                    look: Look::Nothing
                }
            ) =>
        {
            situation.connection.answers()
        }
        Step::Release(Release::Gone | Release::NeverSeen) => {
            situation.connection.answers()
                && matches!(
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
        Step::Release(Release::NeverCreated | Release::Unchecked) => {
            matches!(situation.record, Record::Nothing { .. })
        }
        Step::Release(Release::Orphaned) => situation.goal == Goal::Orphaned,
        Step::Release(Release::Uninstalled) => situation.uninstall == Uninstall::Yes,
        Step::Release(Release::Forced) => situation.order == Order::LetGo,
        Step::Release(Release::ClaimedByAnother) => matches!(
            situation.record,
            Record::Deployment {
                claim: Claim::Another,
                ..
            } | Record::Nothing {
                look: Look::Claimed,
                ..
            }
        ),
        _ => true,
    });
}

#[test]
fn the_finalizer_comes_off_only_while_the_object_is_terminating() {
    check("release only what is terminating", |situation, step| {
        !matches!(step, Step::Release(_))
            || (situation.goal.is_terminating() && situation.finalizer)
    });
}

#[test]
fn nothing_is_created_while_deleting_or_while_something_is_recorded() {
    check(
        "create only from nothing, for the goal Running, with the finalizer on",
        |situation, step| {
            step != Step::Create
                || (situation.goal == Goal::Running
                    && situation.finalizer
                    && matches!(
                        situation.record,
                        Record::Nothing {
                            source: Source::Create(Preparation::Complete),
                            look: Look::Nothing
                        }
                    ))
        },
    );
}

#[test]
fn what_is_to_run_is_stopped_only_to_be_replaced_by_policy() {
    check(
        "no stop for the goal Running but DeleteFirst",
        |situation, step| {
            let replaced = present(situation).is_some_and(|present| {
                present.configuration == Fit::Foreign(Replacement::DeleteFirst)
            });
            step != Step::Stop || situation.goal != Goal::Running || replaced
        },
    );
}

#[test]
fn what_serves_until_its_successor_does_goes_only_when_that_runs_or_nothing_is_to_run() {
    let serving = Remote::Present(Present {
        state: State::Running,
        target: Target::Running,
        configuration: Fit::Wanted,
        stop_sent: false,
        expired: false,
        overdue: false,
    });
    for situation in situations().filter(|situation| situation.others == Others::Serving) {
        let step = retiring_step(&situation, Claim::Ours, serving, true);
        let runs = present(&situation).is_some_and(|present| {
            present.state == State::Running && present.target == Target::Running
        });
        let touched = matches!(step, Step::Stop | Step::Delete | Step::Forget);
        assert!(
            !touched || runs || situation.goal != Goal::Running,
            "{situation:?} -> {step:?}"
        );
        assert!(
            step != Step::Wait(Wait::Successor) || needs_predecessor(&situation),
            "{situation:?} -> {step:?}"
        );
    }
}

#[test]
fn a_configuration_is_taken_back_only_from_a_deployment_that_died_with_it() {
    check("roll back only what is dead", |situation, step| {
        let failed = present(situation).is_some_and(|present| {
            present.state == State::Dead && present.configuration == Fit::Failed
        });
        step != Step::RollBack || failed && situation.goal == Goal::Running
    });
}

#[test]
fn nothing_is_written_remotely_without_a_working_key_to_the_recorded_tenant() {
    check(
        "remote effects need a ready connection",
        |situation, step| !writes_remotely(step) || situation.connection.answers(),
    );
}

#[test]
fn nothing_is_made_changed_or_adopted_without_a_grant() {
    check("a withdrawn grant", |situation, step| {
        let adopts = matches!(
            situation.record,
            Record::Nothing {
                source: Source::Adopt,
                ..
            }
        );
        situation.connection != Connection::Withdrawn
            || match step {
                Step::Create
                | Step::Replace
                | Step::PrepareConfiguration
                | Step::ChangeConfiguration
                | Step::RollBack => false,
                Step::Stop | Step::Delete => situation.goal != Goal::Running,
                Step::Take => !adopts,
                _ => true,
            }
    });
}

#[test]
fn a_withdrawn_grant_takes_nothing_from_stopping_and_deleting() {
    check("stop and delete need no grant", |situation, step| {
        let adopts = matches!(
            situation.record,
            Record::Nothing {
                source: Source::Adopt,
                ..
            }
        );
        let with_grant = Situation {
            connection: Connection::Ready,
            ..*situation
        };
        situation.connection != Connection::Withdrawn
            || situation.goal == Goal::Running
            || adopts
            || step == next_step(&with_grant)
    });
}

#[test]
fn what_another_object_claims_is_left_alone() {
    check("claimed by another: no remote effect", |situation, step| {
        !matches!(
            situation.record,
            Record::Deployment {
                claim: Claim::Another,
                ..
            }
        ) || !writes_remotely(step)
    });
}

#[test]
fn a_create_call_that_another_operator_has_announced_is_left_alone() {
    check("hands off", |situation, step| {
        situation.record != Record::Intent(Resolution::Foreign)
            || !writes_remotely(step) && !matches!(step, Step::Take | Step::ClearIntent)
    });
}

#[test]
fn nothing_of_a_protected_object_is_stopped_deleted_or_let_go() {
    check("a hold holds", |situation, step| {
        situation.order != Order::Hold
            || !matches!(
                step,
                Step::Stop | Step::Delete | Step::Replace | Step::TakeBack | Step::Release(_)
            )
            || step == Step::Release(Release::Uninstalled)
    });
}

#[test]
fn an_uninstall_is_ruled_out_before_anything_of_a_deleted_object_is_stopped_or_deleted() {
    check("first look, then act", |situation, step| {
        !matches!(step, Step::Stop | Step::Delete)
            || !situation.goal.is_terminating()
            || situation.uninstall == Uninstall::No
    });
}

#[test]
fn nobody_goes_while_another_deployment_of_the_object_may_run() {
    check("retiring deployments are waited for", |situation, step| {
        matches!(
            situation.others,
            Others::None | Others::Successor | Others::Successors
        ) || match step {
            Step::Release(Release::Orphaned | Release::Uninstalled | Release::Forced) => true,
            Step::Release(_) | Step::Done(Done::Deleted | Done::Stopped) => {
                situation.others == Others::Unrecorded && !situation.connection.answers()
            }
            _ => true,
        }
    });
}

#[test]
fn a_retiring_deployment_is_stopped_and_deleted_by_the_same_table() {
    for situation in surroundings().filter(|situation| situation.goal != Goal::Orphaned) {
        for remote in remotes() {
            let step = retiring_step(&situation, Claim::Ours, remote, false);
            let deleted = Situation {
                goal: Goal::Deleted,
                others: Others::None,
                record: Record::Deployment {
                    claim: Claim::Ours,
                    remote,
                },
                finalizer: true,
                ..situation
            };
            let may_go_on = !situation.goal.is_terminating()
                || situation.uninstall == Uninstall::No
                || !matches!(step, Step::Stop | Step::Delete);
            assert!(may_go_on, "{situation:?} {remote:?} -> {step:?}");
            let expected = next_step(&deleted);
            assert!(
                step == expected || step == Step::Wait(Wait::Uninstall),
                "{situation:?} {remote:?} -> {step:?}, but {expected:?} for the recorded one"
            );
            assert_eq!(
                retiring_step(&situation, Claim::Another, remote, true),
                Step::Forget,
                "what another object holds is left to it"
            );
        }
    }
}

#[test]
fn recreating_is_never_silent() {
    check(
        "somebody else's stop or delete is undone only by policy",
        |situation, step| {
            let ours = match situation.record {
                Record::Deployment {
                    remote: Remote::Present(present),
                    ..
                } => present.stop_sent,
                Record::Deployment {
                    remote: Remote::Absent { ending, .. },
                    ..
                } => ending == Ending::Ours,
                _ => true,
            };
            situation.goal != Goal::Running
                || !matches!(step, Step::Delete | Step::Forget)
                || ours
                || situation.recreate
                || is_dead_and_replaced(situation)
        },
    );
}

/// A spec that asks for another program gives up what is dead.
fn is_dead_and_replaced(situation: &Situation) -> bool {
    present(situation).is_some_and(|present| {
        present.state == State::Dead && matches!(present.configuration, Fit::Foreign(_))
    })
}

#[test]
fn with_a_fair_remote_every_situation_comes_to_an_end() {
    for situation in situations().filter(|situation| {
        situation.finalizer
            && situation.connection == Connection::Ready
            && situation.others == Others::None
    }) {
        let Record::Deployment { claim, mut remote } = situation.record else {
            continue;
        };
        if matches!(
            remote,
            Remote::Unobserved
                | Remote::Absent {
                    proof: Proof::None,
                    ..
                }
        ) {
            continue;
        }
        let mut steps = Vec::new();
        let ended = (0..12).any(|_| {
            let step = next_step(&Situation {
                record: Record::Deployment { claim, remote },
                ..situation
            });
            steps.push((remote, step));
            remote = fair(remote, step);
            let overdue = step == Step::Stall(Stall::Overdue);
            matches!(
                step,
                Step::Done(_)
                    | Step::Release(_)
                    | Step::Forget
                    | Step::Replace
                    | Step::Wait(Wait::Uninstall)
            ) || (matches!(step, Step::Stall(_)) && !overdue)
        });
        assert!(ended, "{situation:?} goes on for ever: {steps:#?}");
    }
}

#[test]
fn deleting_a_fair_deployment_always_ends_in_its_release() {
    for present in presents() {
        let mut remote = Remote::Present(present);
        let released = (0..12).any(|_| {
            let step = next_step(&Situation {
                record: Record::Deployment {
                    claim: Claim::Ours,
                    remote,
                },
                ..plain(Goal::Released, Connection::Ready)
            });
            remote = fair(remote, step);
            step == Step::Release(Release::Gone)
        });
        assert!(released, "{present:?} is never released");
    }
}
