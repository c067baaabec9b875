//! What is left of a step where the operator is held back.

use std::collections::HashMap;

use crate::aspect::Aspect;
use crate::chapters::{retire, retired};
use crate::lifecycle::{Hand, next_step, restrain};
use crate::situation::{Goal, Others, Situation};
use crate::step::Step;
use crate::table::{Table, Verdict};
use crate::walk;
use crate::words::{kind_of, of};

/// What the operator is held back from. The situation is one in which the rules say the step.
#[derive(Clone, Debug)]
pub struct Held {
    hand: Hand,
    is_own: bool,
    situation: Situation,
    step: Step,
}

const HANDS: [Hand; 3] = [Hand::Observe, Hand::Unclaimed, Hand::Paused];

impl Held {
    fn has_others(&self) -> bool {
        matches!(self.situation.others, Others::Retiring | Others::Serving)
    }

    fn left(&self) -> Step {
        restrain(self.hand, &self.situation, self.is_own, self.step)
    }

    fn verdict(&self) -> Verdict {
        match self.left() {
            left if left == self.step => Verdict::Stands,
            left => Verdict::Step(left),
        }
    }
}

/// All steps that can be left where the operator is held back.
pub fn steps() -> impl Iterator<Item = Step> {
    cases().into_iter().map(|case| case.left())
}

/// The table in Markdown. Every case is looked up in it.
pub fn markdown() -> String {
    let cases = cases();
    let known = cases.iter().cloned();
    let table = Table::new(
        "15. Where the operator is held back",
        "It changes what all tables before say: for an object that is observed or paused, and for one that is to manage what it has only looked at.",
        vec![
            hand(),
            goal(),
            Aspect::flag("has others that go", Held::has_others),
            Aspect::flag("its own", |held: &Held| held.is_own),
            said(&cases),
        ],
        vec![Aspect::only("step")],
        known.map(|case| (case.clone(), case.verdict())),
    );
    for case in &cases {
        assert_eq!(table.read(case), case.verdict(), "{case:?}");
    }
    table.markdown()
}

/// One case for each combination of what the table tells apart.
fn cases() -> Vec<Held> {
    let records = walk::records();
    let recorded = walk::surroundings().flat_map(|surroundings| {
        records.iter().map(move |record| Situation {
            record: *record,
            ..surroundings
        })
    });
    let recorded = recorded.map(|situation| (situation, next_step(&situation)));
    let retiring = retired().map(|situation| (situation, retire(&situation)));
    let mut wishes: HashMap<(Goal, Others), Vec<(Situation, Step)>> = HashMap::new();
    for (situation, step) in recorded.chain(retiring) {
        let alike = wishes
            .entry((situation.goal, situation.others))
            .or_default();
        if alike.iter().all(|(_, known)| *known != step) {
            alike.push((situation, step));
        }
    }
    let held = wishes
        .into_values()
        .flatten()
        .flat_map(|(situation, step)| {
            HANDS.into_iter().flat_map(move |hand| {
                [false, true].map(|is_own| Held {
                    hand,
                    is_own,
                    situation,
                    step,
                })
            })
        });
    held.collect()
}

fn hand() -> Aspect<Held> {
    let word = |hand| match hand {
        Hand::Manage => "managed",
        Hand::Observe => "observed",
        Hand::Unclaimed => "looked at only",
        Hand::Paused => "paused",
    };
    Aspect::new("the object is", &HANDS, word, |held: &Held| held.hand)
}

fn goal() -> Aspect<Held> {
    let word = |goal| format!("{goal:?}");
    Aspect::new("goal", &walk::GOALS, word, |held: &Held| {
        held.situation.goal
    })
}

fn said(cases: &[Held]) -> Aspect<Held> {
    let mut steps: Vec<Step> = Vec::new();
    for case in cases {
        if !steps.contains(&case.step) {
            steps.push(case.step);
        }
    }
    steps.sort_by_key(|step| format!("{step:?}"));
    let mut aspect = Aspect::new("step so far", &steps, of, |held: &Held| held.step);
    for (word, step) in aspect.words.iter_mut().zip(&steps) {
        word.kind = Some(kind_of(*step));
    }
    aspect
}
