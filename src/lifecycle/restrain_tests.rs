//! Every hand, with everything that it matters for: what an observer and a paused operator may do.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::*;
use crate::lifecycle::situation::{Connection, Goal, Order};
use crate::lifecycle::{next_step, walk};

const HANDS: [Hand; 4] = [Hand::Manage, Hand::Observe, Hand::Unclaimed, Hand::Paused];

/// What a hand makes of what the rules say.
struct Case {
    hand: Hand,
    is_own: bool,
    /// A situation in which the rules say it.
    situation: Situation,
    wish: Step,
    step: Step,
}

impl Case {
    fn told(&self) -> String {
        let Self {
            hand, situation, ..
        } = self;
        format!("{hand:?}, own: {}, {situation:?}", self.is_own)
    }

    fn has_others(&self) -> bool {
        matches!(self.situation.others, Others::Retiring | Others::Serving)
    }
}

/// One situation for each combination of what [`restrain`] and these tests tell apart: there are millions of situations, and they differ in little
/// that matters here.
static WISHES: LazyLock<Vec<(Situation, Step)>> = LazyLock::new(|| {
    let records = walk::records();
    let mut wishes: HashMap<_, Vec<(Situation, Step)>> = HashMap::new();
    for surroundings in walk::surroundings() {
        let Situation {
            goal,
            finalizer,
            order,
            others,
            ..
        } = surroundings;
        let known = wishes.entry((goal, finalizer, order, others)).or_default();
        for record in &records {
            let situation = Situation {
                record: *record,
                ..surroundings
            };
            let wish = next_step(&situation);
            if known.iter().all(|(_, known)| *known != wish) {
                known.push((situation, wish));
            }
        }
    }
    wishes.into_values().flatten().collect()
});

fn cases() -> impl Iterator<Item = Case> {
    WISHES.iter().flat_map(|&(situation, wish)| {
        HANDS.into_iter().flat_map(move |hand| {
            [false, true].map(|is_own| Case {
                hand,
                is_own,
                situation,
                wish,
                step: restrain(hand, &situation, is_own, wish),
            })
        })
    })
}

fn with(hand: Hand) -> impl Iterator<Item = Case> {
    cases().filter(move |case| case.hand == hand)
}

#[test]
fn what_is_held_back_writes_nothing_and_whoever_manages_is_not_held_back() {
    for case in cases() {
        let told = case.told();
        match case.hand {
            Hand::Manage => assert_eq!(case.step, case.wish, "{told}"),
            Hand::Observe | Hand::Unclaimed | Hand::Paused => assert!(!writes(case.step), "{told}"),
        }
        let again = restrain(case.hand, &case.situation, case.is_own, case.step);
        assert_eq!(again, case.step, "{told}");
    }
}

#[test]
fn every_step_that_the_rules_know_to_write_is_held_back() {
    for step in [
        Step::PrepareConfiguration,
        Step::Create,
        Step::Replace,
        Step::TakeBack,
        Step::Retire,
        Step::Stop,
        Step::Delete,
        Step::ChangeConfiguration,
        Step::RollBack,
    ] {
        let situation = walk::plain(Goal::Running, Connection::Ready);
        for (hand, held_back) in [
            (Hand::Observe, Step::Done(Done::Observed)),
            (Hand::Unclaimed, Step::Stall(Stall::AccessDenied)),
            (Hand::Paused, Step::Stall(Stall::Paused)),
        ] {
            assert_eq!(restrain(hand, &situation, true, step), held_back);
        }
    }
}

#[test]
fn a_paused_object_keeps_what_it_records_and_its_finalizer_unless_it_is_forced() {
    for case in with(Hand::Paused) {
        let told = case.told();
        let Case { wish, step, .. } = case;
        let forced = matches!(wish, Step::Release(Release::Forced | Release::Uninstalled));
        assert_eq!(matches!(step, Step::Release(_)), forced, "{told}");
        assert!(
            !matches!(step, Step::Take | Step::Forget | Step::ClearIntent),
            "{told}"
        );
        let rests = matches!(wish, Step::Wait(_) | Step::Stall(_) | Step::Done(_));
        if rests && !case.has_others() {
            assert_eq!(step, wish, "{told}");
        }
    }
}

#[test]
fn an_observer_lets_a_deleted_object_go_unless_it_is_held_or_has_something_of_its_own() {
    let deleted = with(Hand::Observe)
        .filter(|case| case.situation.goal.is_terminating() && case.situation.finalizer);
    for case in deleted {
        let told = case.told();
        let released = matches!(case.step, Step::Release(_));
        let wanted = matches!(case.wish, Step::Release(_));
        if case.is_own || case.situation.goal == Goal::Orphaned {
            assert_eq!(released, wanted, "{told}");
        } else {
            let held = case.situation.order == Order::Hold && !wanted;
            assert_ne!(released, held, "{told}");
        }
        if released && !wanted {
            assert_eq!(case.step, Step::Release(Release::Orphaned), "{told}");
        }
    }
}

#[test]
fn an_observer_says_that_it_observes_only_instead_of_something_else() {
    for case in with(Hand::Observe) {
        let told = case.told();
        if case.step == Step::Done(Done::Observed) {
            assert!(writes(case.wish) || case.has_others(), "{told}");
            assert!(!case.situation.goal.is_terminating(), "{told}");
        }
        if matches!(case.wish, Step::Stall(_)) && !case.situation.goal.is_terminating() {
            assert_eq!(
                case.step, case.wish,
                "what a person must do stays to be done"
            );
        }
    }
}

#[test]
fn an_object_that_may_not_have_what_it_has_looked_at_goes_on_in_all_that_writes_nothing() {
    for case in with(Hand::Unclaimed) {
        let told = case.told();
        if !writes(case.wish) {
            assert_eq!(case.step, case.wish, "{told}");
        } else if case.situation.goal.is_terminating() {
            assert_eq!(case.step, Step::Release(Release::Orphaned), "{told}");
        }
    }
}
