//! The laws of objects that go and leave their deployment behind.

use super::*;

#[test]
fn an_object_that_is_let_go_has_no_effect_but_to_go() {
    check("let go at once, or hold", |situation, step| {
        let let_go = situation.goal == Goal::Orphaned
            && !matches!(situation.record, Record::Intent(_))
            || situation.goal.is_terminating()
                && (situation.order == Order::LetGo || situation.uninstall == Uninstall::Yes);
        !let_go
            || matches!(
                step,
                Step::Release(Release::Orphaned | Release::Uninstalled | Release::Forced)
                    | Step::Done(Done::Released)
                    | Step::Stall(Stall::Protected)
            )
    });
}

#[test]
fn what_is_left_by_policy_is_not_touched() {
    check("Orphan writes nothing", |situation, step| {
        situation.goal != Goal::Orphaned || !writes_remotely(step)
    });
    for situation in surroundings().filter(|situation| situation.goal == Goal::Orphaned) {
        for remote in remotes() {
            let step = retiring_step(&situation, Claim::Ours, remote, false);
            assert!(
                !writes_remotely(step),
                "{situation:?}, {remote:?} -> {step:?}"
            );
        }
    }
}

#[test]
fn what_is_left_by_policy_is_known_by_its_id_where_that_can_be_found_out() {
    check("resolve, then leave", |situation, step| {
        step != Step::Release(Release::Orphaned)
            || !situation.connection.answers()
            || matches!(
                situation.record,
                Record::Nothing { .. }
                    | Record::Deployment { .. }
                    | Record::Intent(Resolution::Ambiguous | Resolution::Foreign)
            )
    });
}
