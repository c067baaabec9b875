//! Every situation, with every hand: what an observer and a paused operator may do.

use super::*;
use crate::lifecycle::situation::{Goal, Order};
use crate::lifecycle::{next_step, walk};

const HANDS: [Hand; 3] = [Hand::Manage, Hand::Observe, Hand::Paused];

/// What each hand makes of what the rules say, for every situation.
fn all() -> impl Iterator<Item = (Hand, Situation, bool, Step, Step)> {
    walk::situations().flat_map(|situation| {
        let wish = next_step(&situation);
        HANDS.into_iter().flat_map(move |hand| {
            [false, true].map(|created_here| {
                let step = restrain(hand, &situation, created_here, wish);
                (hand, situation, created_here, wish, step)
            })
        })
    })
}

#[test]
fn what_is_held_back_writes_nothing_and_whoever_manages_is_not_held_back() {
    for (hand, situation, created_here, wish, step) in all() {
        match hand {
            Hand::Manage => assert_eq!(step, wish, "{situation:?}"),
            Hand::Observe | Hand::Paused => {
                assert!(!writes(step), "{hand:?} {created_here} {situation:?}");
            }
        }
        let again = restrain(hand, &situation, created_here, step);
        assert_eq!(again, step, "{hand:?} {created_here} {situation:?}");
    }
}

#[test]
fn a_paused_object_keeps_what_it_records_and_its_finalizer_unless_it_is_forced() {
    for (hand, situation, _, wish, step) in all().filter(|(hand, ..)| *hand == Hand::Paused) {
        let forced = matches!(wish, Step::Release(Release::Forced | Release::Uninstalled));
        assert_eq!(
            matches!(step, Step::Release(_)),
            forced,
            "{hand:?} {situation:?}"
        );
        assert!(
            !matches!(step, Step::Take | Step::Forget | Step::ClearIntent),
            "{situation:?}"
        );
        let rests = matches!(wish, Step::Wait(_) | Step::Stall(_) | Step::Done(_));
        let others = matches!(situation.others, Others::Retiring | Others::Serving);
        if rests && !others {
            assert_eq!(step, wish, "{situation:?}");
        }
    }
}

#[test]
fn an_observer_lets_a_deleted_object_go_unless_it_is_held_or_has_created_something() {
    let deleted = all().filter(|(hand, situation, ..)| {
        *hand == Hand::Observe && situation.goal.is_terminating() && situation.finalizer
    });
    for (_, situation, created_here, wish, step) in deleted {
        let released = matches!(step, Step::Release(_));
        let wanted = matches!(wish, Step::Release(_));
        if created_here {
            assert_eq!(released, wanted, "{situation:?}");
        } else {
            let held = situation.order == Order::Hold && !wanted;
            assert_ne!(released, held, "{situation:?}");
        }
        if released && !wanted {
            assert_eq!(step, Step::Release(Release::Orphaned), "{situation:?}");
            assert_eq!(situation.goal, Goal::Released, "{situation:?}");
        }
    }
}

#[test]
fn an_observer_says_that_it_observes_only_instead_of_something_else() {
    for (_, situation, _, wish, step) in all().filter(|(hand, ..)| *hand == Hand::Observe) {
        if step == Step::Done(Done::Observed) {
            let others = matches!(situation.others, Others::Retiring | Others::Serving);
            assert!(writes(wish) || others, "{situation:?}");
            assert!(!situation.goal.is_terminating(), "{situation:?}");
        }
        if matches!(wish, Step::Stall(_)) && !situation.goal.is_terminating() {
            assert_eq!(step, wish, "what a person must do stays to be done");
        }
    }
}
