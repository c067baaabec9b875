//! The state diagrams of the rules, and the world that they are drawn in: an AI Core that keeps its promises (`walk::fair`).

use crate::aspects;
use crate::diagram::Diagram;
use crate::situation::{
    Claim, Connection, Fit, Goal, Look, Preparation, Present, Proof, Record, Remote, Resolution,
    Situation, Source, State, Target,
};
use crate::step::{Step, Wait};
use crate::walk;

/// The diagrams with the names of their places in the page.
pub fn all() -> [(&'static str, Diagram); 4] {
    [
        ("released", goal(Goal::Released)),
        ("stopped", goal(Goal::Stopped)),
        ("running", goal(Goal::Running)),
        ("created", created()),
    ]
}

/// What becomes of a deployment under a goal.
fn goal(goal: Goal) -> Diagram {
    let listed = walk::presents()
        .into_iter()
        .filter(|present| !present.overdue)
        .map(Remote::Present);
    let gone = walk::ENDINGS.map(|ending| Remote::Absent {
        proof: Proof::Gone,
        ending,
    });
    let deployments = listed.chain(gone).map(deployment);
    let records: Vec<Record> = deployments
        .chain([nothing(Look::Nothing, ALL_IS_THERE)])
        .collect();
    let situations: Vec<Situation> = records
        .into_iter()
        .flat_map(|record| {
            [false, true].map(|recreate| Situation {
                record,
                recreate,
                ..walk::plain(goal, Connection::Ready)
            })
        })
        .collect();
    let conditions = vec![
        aspects::configuration(),
        aspects::expired(),
        aspects::stop_sent(),
        aspects::recreate(),
    ];
    Diagram::new(&situations, conditions, |situation, step| {
        let record = match (situation.record, step) {
            (_, Step::Forget) => nothing(Look::Nothing, ALL_IS_THERE),
            (_, Step::Create) => deployment(Remote::Present(NEW)),
            (Record::Deployment { remote, .. }, _) => deployment(walk::fair(remote, step)),
            (record, _) => record,
        };
        vec![Situation {
            record,
            ..*situation
        }]
    })
}

/// How an object that is to run comes to a deployment.
fn created() -> Diagram {
    let looks = [Look::Pending, Look::One, Look::Several, Look::Claimed];
    let looks = looks.map(|look| nothing(look, ALL_IS_THERE)).into_iter();
    let sources = walk::SOURCES.map(|source| nothing(Look::Nothing, source));
    let calls = walk::RESOLUTIONS.map(Record::Intent);
    let records = looks
        .chain(sources)
        .chain(calls)
        .chain([deployment(Remote::Unobserved)]);
    let in_surroundings = |record| Situation {
        record,
        ..walk::plain(Goal::Running, Connection::Ready)
    };
    let situations: Vec<Situation> = records.map(in_surroundings).collect();
    Diagram::new(&situations, vec![], |situation, step| {
        let records = what_can_follow(situation.record, step).into_iter();
        records.map(in_surroundings).collect()
    })
}

/// What can follow where nothing or a create call is recorded. The call can be answered, be refused, or be left without an answer.
fn what_can_follow(record: Record, step: Step) -> Vec<Record> {
    let prepared = |preparation| nothing(Look::Nothing, Source::Create(preparation));
    match (record, step) {
        (
            Record::Nothing {
                look: Look::Pending,
                source,
            },
            _,
        ) => {
            let sources = walk::SOURCES.map(|source| nothing(Look::Nothing, source));
            let looks = [Look::One, Look::Several, Look::Claimed];
            let found = looks.map(|look| nothing(look, source));
            [sources.as_slice(), &found].concat()
        }
        (Record::Intent(Resolution::Pending), _) => {
            let known = [
                Resolution::Found,
                Resolution::NoEffect,
                Resolution::Ambiguous,
                Resolution::Foreign,
            ];
            known.map(Record::Intent).to_vec()
        }
        (_, Step::PrepareConfiguration) => {
            vec![
                prepared(Preparation::ChainBroken),
                prepared(Preparation::Complete),
            ]
        }
        (_, Step::Wait(Wait::Chain)) => vec![prepared(Preparation::Complete)],
        (_, Step::Create) => vec![
            deployment(Remote::Unobserved),
            nothing(Look::Pending, ALL_IS_THERE),
            Record::Intent(Resolution::Pending),
        ],
        (_, Step::Take) => vec![deployment(Remote::Unobserved)],
        (_, Step::ClearIntent) => vec![nothing(Look::Pending, ALL_IS_THERE)],
        _ => Vec::new(),
    }
}

const ALL_IS_THERE: Source = Source::Create(Preparation::Complete);

/// A deployment as a create call makes it.
const NEW: Present = Present {
    state: State::Unknown,
    target: Target::Running,
    configuration: Fit::Wanted,
    stop_sent: false,
    expired: false,
    overdue: false,
};

fn nothing(look: Look, source: Source) -> Record {
    Record::Nothing { source, look }
}

fn deployment(remote: Remote) -> Record {
    Record::Deployment {
        claim: Claim::Ours,
        remote,
    }
}
