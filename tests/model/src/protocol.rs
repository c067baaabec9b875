//! The rules under test: the operator's own pure functions, or these with one rule broken.

use std::collections::BTreeSet;

use aicore_operator::lifecycle::evidence::{Rivalry, resolution};
use aicore_operator::lifecycle::intent::{self, OpenIntent, Outcome};
use aicore_operator::lifecycle::situation::{
    Goal, Preparation, Record, Remote, Resolution, Source, State,
};
use aicore_operator::lifecycle::step::{Release, Wait};
use aicore_operator::lifecycle::{self, Situation, Step};

use crate::mutant::Mutant;

/// How long things may take, in ticks. A tick is the time in which everything that is bounded by nothing else has happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// So many ticks after it was sent, a call has had its effect or never will.
    pub timeout: u8,
    /// So many ticks after a change, lists show it.
    pub lag: u8,
}

impl Timing {
    /// How long the operator waits for the result of a create call: longer than its effect and its showing can take together.
    pub fn settle(self) -> u8 {
        self.timeout + self.lag + 1
    }

    /// How long a new deployment may be missing without being gone.
    pub fn create_grace(self) -> u8 {
        self.lag + 1
    }
}

/// The rules, and how the surroundings are set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Protocol {
    /// The rule that is broken on purpose.
    pub mutant: Option<Mutant>,
    /// Whether nobody else creates from the configurations that objects name.
    pub exclusive: bool,
    /// How long things may take.
    pub timing: Timing,
}

impl Protocol {
    /// Whether this rule is broken.
    pub fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// The next step.
    pub fn next_step(&self, situation: &Situation) -> Step {
        let step = lifecycle::next_step(situation);
        let Some(mutant) = self.mutant else {
            return step;
        };
        match (mutant, step, situation.record) {
            (Mutant::DeleteInsteadOfStop, Step::Stop, _)
            | (Mutant::DeleteWhileStopping, Step::Wait(Wait::Stopping), _)
                if step == Step::Stop || present_in(situation, State::Stopping) =>
            {
                Step::Delete
            }
            (Mutant::ReleaseWithoutProof, Step::Wait(Wait::Absence), _)
                if situation.goal == Goal::Released =>
            {
                Step::Release(Release::Gone)
            }
            (Mutant::ReleaseWithOpenIntent, Step::Wait(Wait::Resolution), _)
                if situation.goal == Goal::Released =>
            {
                Step::Release(Release::NeverCreated)
            }
            (Mutant::ReleaseOnDelete, Step::Wait(Wait::Deleting), _)
                if situation.goal == Goal::Released =>
            {
                Step::Release(Release::Gone)
            }
            (
                Mutant::CreateWhileTerminating,
                Step::Release(Release::NeverCreated),
                Record::Nothing {
                    source: Source::Create(Preparation::Complete),
                    ..
                },
            ) => Step::Create,
            _ => step,
        }
    }

    /// What became of a create call.
    pub fn resolution(&self, outcome: &Outcome, rivalry: Rivalry) -> Resolution {
        match self.mutant {
            Some(Mutant::SharedOutAtOnce) => resolution(
                outcome,
                Rivalry {
                    rivals: false,
                    ..rivalry
                },
            ),
            Some(Mutant::NothingLeftForOthers) => resolution(
                outcome,
                Rivalry {
                    left: false,
                    ..rivalry
                },
            ),
            _ => resolution(outcome, rivalry),
        }
    }

    /// The outcome of a create call for the set of all open ones.
    pub fn resolve(
        &self,
        object: &str,
        open: &[OpenIntent],
        candidates: &BTreeSet<String>,
        provable: bool,
    ) -> Outcome {
        let provable = provable || self.has(Mutant::TakeWithoutProof);
        if !self.has(Mutant::KnownForgotten) {
            return intent::resolve(object, open, candidates, provable);
        }
        let forgotten: Vec<_> = open
            .iter()
            .map(|open| OpenIntent {
                known: BTreeSet::new(),
                ..open.clone()
            })
            .collect();
        intent::resolve(object, &forgotten, candidates, provable)
    }
}

fn present_in(situation: &Situation, state: State) -> bool {
    matches!(situation.record, Record::Deployment { remote: Remote::Present(present), .. } if present.state == state)
}
