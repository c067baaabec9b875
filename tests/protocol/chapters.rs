//! What the tables are made of: for each the situations that come to it, and what the rules say of them.

use crate::aspect::{Aspect, Point};
use crate::aspects;
use crate::lifecycle::{next_step, retiring_step};
use crate::situation::{
    Claim, Connection, Goal, Order, Others, Record, Remote, Situation, Uninstall,
};
use crate::step::{Done, Step};
use crate::table::{Table, Verdict};
use crate::walk;

/// The same situation, but nobody has ordered anything, and nothing else of the object has to go.
pub fn undisturbed(situation: &Situation) -> Situation {
    Situation {
        order: Order::None,
        uninstall: Uninstall::No,
        ..alone(situation)
    }
}

/// The same situation, but nothing else of the object has to go.
pub fn alone(situation: &Situation) -> Situation {
    let others = match situation.others {
        Others::Unrecorded | Others::Retiring => Others::None,
        others => others,
    };
    Situation {
        others,
        ..*situation
    }
}

/// The same situation for a retiring deployment, but nothing is to be left either.
fn unguarded(situation: &Situation) -> Situation {
    let goal = match situation.goal {
        Goal::Orphaned => Goal::Released,
        goal => goal,
    };
    Situation {
        goal,
        ..undisturbed(situation)
    }
}

/// The same situation, but no grant was withdrawn.
pub fn granted(situation: &Situation) -> Situation {
    let connection = match situation.connection {
        Connection::Withdrawn => Connection::Ready,
        connection => connection,
    };
    Situation {
        connection,
        ..*situation
    }
}

/// Those of `surroundings` that `change` leaves as they are.
pub fn kept(
    surroundings: &[Situation],
    change: impl Fn(&Situation) -> Situation,
) -> Vec<Situation> {
    let surroundings = surroundings.iter().copied();
    surroundings
        .filter(|situation| *situation == change(situation))
        .collect()
}

/// Every situation with these surroundings that table 1 leaves open.
pub fn recording(surroundings: &[Situation]) -> impl Iterator<Item = Situation> {
    let situations = walk::records().into_iter().flat_map(move |record| {
        let surroundings = surroundings.iter();
        surroundings.map(move |surroundings| Situation {
            record,
            ..*surroundings
        })
    });
    situations.filter(|situation| situation.goal != Goal::Orphaned || has_call(situation))
}

/// Whether a create call is recorded.
pub fn has_call(situation: &Situation) -> bool {
    matches!(situation.record, Record::Intent(_))
}

fn stepping(situation: &Situation) -> (Point, Verdict) {
    (Point::from(*situation), Verdict::Step(rule(situation)))
}

/// What the rules say while nobody waits for one that serves until its successor does: that such a one is waited for is said in table 8.
fn rule(situation: &Situation) -> Step {
    let alone = next_step(&Situation {
        others: Others::None,
        ..*situation
    });
    let leaves_nothing = matches!(
        alone,
        Step::Release(_) | Step::Done(Done::Deleted | Done::Stopped)
    );
    match situation.others {
        Others::Serving if leaves_nothing => alone,
        _ => next_step(situation),
    }
}

/// What becomes of the step that `before` leads to.
fn changing(before: Step, situation: &Situation, after: Step) -> (Point, Verdict) {
    let verdict = if after == before {
        Verdict::Stands
    } else {
        Verdict::Step(after)
    };
    (Point::after(situation, before), verdict)
}

/// What comes before anything else.
pub fn first() -> Table {
    Table::new(
        "1. Before anything else",
        "The finalizer, what a person has ordered by annotation, whether everything is uninstalled, and whether there is a create call whose result \
         would be left unknown.",
        vec![
            aspects::finalizer(),
            aspects::goal(),
            aspects::order(),
            aspects::uninstall(),
            aspects::call(),
        ],
        vec![Aspect::only("step")],
        walk::situations().map(|situation| stepping(&situation)),
    )
}

/// Whether there is a way to AI Core, and whether the deployment is the object's.
pub fn way(undisturbed: &[Situation]) -> Table {
    Table::new(
        "2. The way to AI Core",
        "Whether AI Core can be asked, and whether the recorded deployment is this object's at all.",
        vec![aspects::record(), aspects::connection()],
        vec![aspects::goal()],
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

/// Nothing is recorded.
pub fn nothing(undisturbed: &[Situation]) -> Table {
    Table::new(
        "3. Nothing is recorded",
        "A look for a deployment that is this object's comes before every create call and before every release.",
        vec![aspects::look(), aspects::source()],
        vec![aspects::goal()],
        ready(undisturbed, |record| {
            matches!(record, Record::Nothing { .. })
        }),
    )
}

/// A create call is recorded.
pub fn call(undisturbed: &[Situation]) -> Table {
    Table::new(
        "4. A create call is recorded, and no deployment",
        "Whatever the goal is, the outcome of the call must be known first.",
        vec![aspects::resolution()],
        vec![aspects::goal()],
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

/// A deployment is recorded that is not listed.
pub fn missing(undisturbed: &[Situation]) -> Table {
    Table::new(
        "5. A deployment is recorded, and AI Core does not show it",
        "Being in no list is not proof: see [what is](protocol.md#proof-that-a-deployment-is-gone), and tables 12 and 13.",
        vec![
            aspects::absence(),
            aspects::others(),
            aspects::ending(),
            aspects::recreate(),
        ],
        vec![aspects::goal()],
        ready(undisturbed, |record| is_ours(record, false)),
    )
}

/// A deployment is recorded that is listed.
pub fn listed(undisturbed: &[Situation]) -> Table {
    Table::new(
        "6. A deployment is recorded, and AI Core shows it",
        "By its state and by the target state that AI Core drives it to. † When it has been so for too long: stalled: Overdue.",
        vec![
            aspects::state(),
            aspects::target(),
            aspects::configuration(),
            aspects::expired(),
            aspects::stop_sent(),
            aspects::recreate(),
            aspects::others(),
        ],
        vec![aspects::goal(), aspects::overdue()],
        ready(undisturbed, |record| is_ours(record, true)),
    )
}

/// What forbids to touch a deployment.
pub fn guard(alone: &[Situation]) -> Table {
    let granted_ones = kept(alone, granted);
    let recorded = || {
        recording(&granted_ones).map(|situation| {
            let before = rule(&undisturbed(&situation));
            changing(before, &situation, rule(&situation))
        })
    };
    let retiring = || {
        retired().map(|situation| {
            let before = retire(&unguarded(&situation));
            changing(before, &situation, retire(&situation))
        })
    };
    let steps = said(recorded().chain(retiring()));
    Table::new(
        "7. What forbids to touch a deployment",
        "It changes what tables 2 to 6 say, and what tables 10 and 11 say of a retiring deployment.",
        vec![
            aspects::said(&steps),
            aspects::order(),
            aspects::goal(),
            aspects::uninstall(),
        ],
        vec![Aspect::only("step")],
        recorded().chain(retiring()),
    )
}

/// What needs that the object's namespace may use the Connection.
pub fn grant(alone: &[Situation]) -> Table {
    let known = || {
        recording(alone).map(|situation| {
            let before = rule(&granted(&situation));
            changing(before, &situation, rule(&situation))
        })
    };
    Table::new(
        "8. What needs a grant",
        "It changes what table 7 has left: a namespace whose grant was withdrawn may still stop and delete what it has made.",
        vec![
            aspects::said(&said(known())),
            aspects::connection(),
            aspects::goal(),
            aspects::adopts(),
        ],
        vec![Aspect::only("step")],
        known(),
    )
}

/// What other deployments of the object change.
pub fn others(further: &[Situation]) -> Table {
    let known = || {
        recording(further).map(|situation| {
            let before = rule(&alone(&situation));
            changing(before, &situation, next_step(&situation))
        })
    };
    Table::new(
        "9. Other deployments of the object",
        "It changes what tables 7 and 8 have left: an object whose goal leaves nothing running is not done, and does not go, while it has another deployment.",
        vec![
            aspects::others(),
            aspects::goal(),
            aspects::connection(),
            aspects::said(&said(known())),
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
        Record::Deployment { claim, remote } => retiring_step(situation, claim, remote, false),
        record => panic!("{record:?} does not retire"),
    }
}

fn unguarded_retired() -> impl Iterator<Item = (Point, Verdict)> {
    retired()
        .map(|situation| unguarded(&situation))
        .map(|situation| (Point::from(situation), Verdict::Step(retire(&situation))))
}

/// A deployment that is retiring.
pub fn retiring() -> Table {
    Table::new(
        "10. A deployment that is retiring",
        "It is not the recorded one, and goes whatever the goal is. It has its turn while the recorded one needs nothing.",
        vec![aspects::claim(), aspects::connection(), aspects::seen()],
        vec![Aspect::only("step")],
        unguarded_retired(),
    )
}

/// A deployment that is retiring and listed.
pub fn retiring_listed() -> Table {
    let listed = |point: &Point| {
        point.situation.connection == Connection::Ready && is_ours(&point.situation.record, true)
    };
    Table::new(
        "11. A deployment that is retiring, and AI Core shows it",
        "As table 6 says it for the goal Deleted. † When it has been so for too long: stalled: Overdue.",
        vec![aspects::state(), aspects::target()],
        vec![Aspect::only("step"), aspects::overdue()],
        unguarded_retired().filter(move |(point, _)| listed(point)),
    )
}
