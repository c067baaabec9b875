//! The tables of the rules, in the order in which they are read.

use crate::aspect::{self, Aspect, Point};
use crate::lifecycle::{next_step, retiring_step};
use crate::situation::{Claim, Connection, Order, Others, Record, Remote, Situation, Uninstall};
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
    others: Table,
    retiring: Table,
    retiring_listed: Table,
}

impl Tables {
    /// Makes the tables from what the rules say.
    pub fn new() -> Self {
        let first = first();
        let goes_further =
            |situation: &Situation| first.read(&Point::from(*situation)) == Verdict::Further;
        let further = || walk::situations().filter(goes_further);
        let undisturbed: Vec<Situation> = further()
            .filter(|situation| *situation == undisturbed(situation))
            .collect();
        Self {
            way: way(&undisturbed),
            nothing: nothing(&undisturbed),
            call: call(&undisturbed),
            missing: missing(&undisturbed),
            listed: listed(&undisturbed),
            guard: guard(further),
            others: others(further),
            retiring: retiring(),
            retiring_listed: retiring_listed(),
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
        for table in [&self.guard, &self.others] {
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
    pub fn in_order(&self) -> [&Table; 10] {
        [
            &self.first,
            &self.way,
            &self.nothing,
            &self.call,
            &self.missing,
            &self.listed,
            &self.guard,
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
    match table.read(&after_that(situation, said)) {
        Verdict::Step(step) => step,
        Verdict::Stands => said,
        Verdict::Further => panic!("{said:?} is not settled for {situation:?}"),
    }
}

fn after_that(situation: &Situation, said: Step) -> Point {
    Point {
        said: Some(said),
        ..Point::from(*situation)
    }
}

/// The same situation, but nobody has ordered anything, and the object has nothing besides.
fn undisturbed(situation: &Situation) -> Situation {
    Situation {
        order: Order::None,
        uninstall: Uninstall::No,
        others: Others::None,
        ..*situation
    }
}

fn alone(situation: &Situation) -> Situation {
    Situation {
        others: Others::None,
        ..*situation
    }
}

fn stepping(situation: &Situation) -> (Point, Verdict) {
    (Point::from(*situation), Verdict::Step(next_step(situation)))
}

/// What becomes of the step that `before` leads to.
fn changing(before: Step, situation: &Situation, after: Step) -> (Point, Verdict) {
    let verdict = if after == before {
        Verdict::Stands
    } else {
        Verdict::Step(after)
    };
    (after_that(situation, before), verdict)
}

fn first() -> Table {
    Table::new(
        "1. Before anything else",
        "The finalizer, what a person has ordered by annotation, and whether everything is uninstalled.",
        vec![
            aspect::finalizer(),
            aspect::goal(),
            aspect::order(),
            aspect::uninstall(),
        ],
        vec![Aspect::only("step")],
        walk::situations().map(|situation| stepping(&situation)),
    )
}

fn way(undisturbed: &[Situation]) -> Table {
    Table::new(
        "2. The way to AI Core",
        "Whether AI Core can be asked, and whether the recorded deployment is this object's at all.",
        vec![aspect::record(), aspect::connection()],
        vec![aspect::goal()],
        undisturbed.iter().map(stepping),
    )
}

fn ready<'a>(
    undisturbed: &'a [Situation],
    is_meant: impl Fn(&Record) -> bool + 'a,
) -> impl Iterator<Item = (Point, Verdict)> + 'a {
    let ready = undisturbed
        .iter()
        .filter(|situation| situation.connection == Connection::Ready);
    ready
        .filter(move |situation| is_meant(&situation.record))
        .map(stepping)
}

fn nothing(undisturbed: &[Situation]) -> Table {
    Table::new(
        "3. Nothing is recorded",
        "A look for a deployment that is this object's comes before every create call and before every release.",
        vec![aspect::look(), aspect::source()],
        vec![aspect::goal()],
        ready(undisturbed, |record| {
            matches!(record, Record::Nothing { .. })
        }),
    )
}

fn call(undisturbed: &[Situation]) -> Table {
    Table::new(
        "4. A create call is recorded, and no deployment",
        "Whatever the goal is, the outcome of the call must be known first.",
        vec![aspect::resolution()],
        vec![aspect::goal()],
        ready(undisturbed, |record| matches!(record, Record::Intent(_))),
    )
}

fn is_ours(record: &Record, is_listed: bool) -> bool {
    match record {
        Record::Deployment {
            claim: Claim::Ours,
            remote,
        } => matches!(remote, Remote::Present(_)) == is_listed,
        _ => false,
    }
}

fn missing(undisturbed: &[Situation]) -> Table {
    Table::new(
        "5. A deployment is recorded, and AI Core does not show it",
        "Being in no list is not proof. What proof is, is told in [protocol.md](protocol.md#proof-that-a-deployment-is-gone).",
        vec![aspect::absence(), aspect::ending(), aspect::recreate()],
        vec![aspect::goal()],
        ready(undisturbed, |record| is_ours(record, false)),
    )
}

fn listed(undisturbed: &[Situation]) -> Table {
    Table::new(
        "6. A deployment is recorded, and AI Core shows it",
        "By its state and by the target state that AI Core drives it to. † When it has been so for too long: stalled: Overdue.",
        vec![
            aspect::state(),
            aspect::target(),
            aspect::configuration(),
            aspect::expired(),
            aspect::stop_sent(),
            aspect::recreate(),
        ],
        vec![aspect::goal(), aspect::overdue()],
        ready(undisturbed, |record| is_ours(record, true)),
    )
}

fn guard<I: Iterator<Item = Situation>>(further: impl Fn() -> I) -> Table {
    let recorded = || {
        let recorded = further().filter(|situation| *situation == alone(situation));
        recorded.map(|situation| {
            let before = next_step(&undisturbed(&situation));
            changing(before, &situation, next_step(&situation))
        })
    };
    let retiring = || {
        retired().map(|situation| {
            let before = retire(&undisturbed(&situation));
            changing(before, &situation, retire(&situation))
        })
    };
    let steps = said(recorded().chain(retiring()));
    Table::new(
        "7. What forbids to touch a deployment",
        "It changes what tables 2 to 6 say, and what tables 9 and 10 say of retiring deployments.",
        vec![
            aspect::said(&steps),
            aspect::order(),
            aspect::goal(),
            aspect::uninstall(),
        ],
        vec![Aspect::only("step")],
        recorded().chain(retiring()),
    )
}

fn others<I: Iterator<Item = Situation>>(further: impl Fn() -> I) -> Table {
    let known = || {
        further().map(|situation| {
            let before = next_step(&alone(&situation));
            changing(before, &situation, next_step(&situation))
        })
    };
    Table::new(
        "8. Other deployments of the object",
        "It changes what table 7 has left: an object whose goal leaves nothing running is not done, and does not go, while it has another deployment.",
        vec![
            aspect::others(),
            aspect::connection(),
            aspect::said(&said(known())),
        ],
        vec![Aspect::only("step")],
        known(),
    )
}

/// Every step that a table is about.
fn said(known: impl Iterator<Item = (Point, Verdict)>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for step in known.filter_map(|(point, _)| point.said) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    steps.sort_by_key(|step| format!("{step:?}"));
    steps
}

/// Every situation that matters to a retiring deployment, which takes the place of the recorded one here.
pub fn retired() -> impl Iterator<Item = Situation> {
    let surroundings = walk::surroundings()
        .filter(|situation| situation.finalizer && !situation.recreate)
        .filter(|situation| situation.others == Others::Retiring);
    surroundings.flat_map(|surroundings| {
        let records = walk::records().into_iter();
        let deployments = records.filter(|record| matches!(record, Record::Deployment { .. }));
        deployments.map(move |record| Situation {
            record,
            ..surroundings
        })
    })
}

/// What the rules say of a retiring deployment that takes the place of the recorded one.
pub fn retire(situation: &Situation) -> Step {
    match situation.record {
        Record::Deployment { claim, remote } => retiring_step(situation, claim, remote),
        record => panic!("{record:?} does not retire"),
    }
}

fn unguarded_retired() -> impl Iterator<Item = (Point, Verdict)> {
    retired()
        .map(|situation| undisturbed(&situation))
        .map(|situation| (Point::from(situation), Verdict::Step(retire(&situation))))
}

fn retiring() -> Table {
    Table::new(
        "9. A deployment that is retiring",
        "It is not the recorded one, and goes whatever the goal is. It has its turn while the recorded one needs nothing.",
        vec![aspect::claim(), aspect::connection(), aspect::seen()],
        vec![Aspect::only("step")],
        unguarded_retired(),
    )
}

fn retiring_listed() -> Table {
    let listed = |point: &Point| {
        point.situation.connection == Connection::Ready && is_ours(&point.situation.record, true)
    };
    Table::new(
        "10. A deployment that is retiring, and AI Core shows it",
        "",
        vec![aspect::state(), aspect::target()],
        vec![Aspect::only("step"), aspect::overdue()],
        unguarded_retired().filter(move |(point, _)| listed(point)),
    )
}
