//! The tables of the rules, in the order in which they are read.

use crate::aspect::Point;
use crate::chapters::{self, alone, kept, recording, undisturbed};
use crate::situation::{Record, Remote, Resolution, Situation};
use crate::step::Step;
use crate::table::{Table, Verdict};
use crate::walk;

/// All tables.
pub struct Tables {
    first: Table,
    way: Table,
    nothing: Table,
    call: Table,
    missing: Table,
    listed: Table,
    guard: Table,
    grant: Table,
    others: Table,
    retiring: Table,
    retiring_listed: Table,
}

impl Tables {
    /// Makes the tables from what the rules say.
    pub fn new() -> Self {
        let first = chapters::first();
        // What goes further with any record does so with a create call.
        let goes_further = |surroundings: &Situation| {
            let situation = Situation {
                record: Record::Intent(Resolution::Pending),
                ..*surroundings
            };
            first.read(&Point::from(situation)) == Verdict::Further
        };
        let further: Vec<Situation> = walk::surroundings().filter(goes_further).collect();
        let alone = kept(&further, alone);
        let undisturbed: Vec<Situation> = recording(&kept(&further, undisturbed)).collect();
        Self {
            way: chapters::way(&undisturbed),
            nothing: chapters::nothing(&undisturbed),
            call: chapters::call(&undisturbed),
            missing: chapters::missing(&undisturbed),
            listed: chapters::listed(&undisturbed),
            guard: chapters::guard(&alone),
            grant: chapters::grant(&alone),
            others: chapters::others(&further),
            retiring: chapters::retiring(),
            retiring_listed: chapters::retiring_listed(),
            first,
        }
    }

    /// The next step, as the tables say it.
    pub fn read(&self, situation: &Situation) -> Step {
        let point = Point::from(*situation);
        if let Verdict::Step(step) = self.first.read(&point) {
            return step;
        }
        let mut said = match self.way.read(&point) {
            Verdict::Step(step) => step,
            _ => self.by_record(&point),
        };
        for table in [&self.guard, &self.grant, &self.others] {
            said = after(table, situation, said);
        }
        said
    }

    fn by_record(&self, point: &Point) -> Step {
        let table = match point.situation.record {
            Record::Nothing { .. } => &self.nothing,
            Record::Intent(_) => &self.call,
            Record::Deployment {
                remote: Remote::Present(_),
                ..
            } => &self.listed,
            Record::Deployment { .. } => &self.missing,
        };
        step(table, point)
    }

    /// The next step for a retiring deployment, as the tables say it. The record of `situation` is that deployment.
    pub fn read_retiring(&self, situation: &Situation) -> Step {
        let point = Point::from(*situation);
        let said = match self.retiring.read(&point) {
            Verdict::Step(step) => step,
            _ => step(&self.retiring_listed, &point),
        };
        after(&self.guard, situation, said)
    }

    /// The tables in the order in which they are read.
    pub fn in_order(&self) -> [&Table; 11] {
        [
            &self.first,
            &self.way,
            &self.nothing,
            &self.call,
            &self.missing,
            &self.listed,
            &self.guard,
            &self.grant,
            &self.others,
            &self.retiring,
            &self.retiring_listed,
        ]
    }
}

/// What a table says that is the last of its kind.
fn step(table: &Table, point: &Point) -> Step {
    match table.read(point) {
        Verdict::Step(step) => step,
        verdict => panic!("{verdict:?} is no step for {point:?}"),
    }
}

/// What is left of a step after one more table.
fn after(table: &Table, situation: &Situation, said: Step) -> Step {
    match table.read(&Point::after(situation, said)) {
        Verdict::Step(step) => step,
        Verdict::Stands => said,
        verdict => panic!("{verdict:?} after {said:?} for {situation:?}"),
    }
}
