//! Every situation there is, and a remote that keeps its promises: for the tests, and for what is printed of the rules.

use super::evidence::Past;
use super::situation::{
    Claim, Connection, Ending, Fit, Goal, Look, Order, Others, Preparation, Present, Proof, Record,
    Remote, Replacement, Resolution, Situation, Source, State, Target, Uninstall,
};
use super::step::{Stall, Step, Wait};

/// Every goal.
pub const GOALS: [Goal; 5] = [
    Goal::Running,
    Goal::Stopped,
    Goal::Deleted,
    Goal::Released,
    Goal::Orphaned,
];

/// Every connection.
pub const CONNECTIONS: [Connection; 5] = [
    Connection::Ready,
    Connection::Unreachable,
    Connection::Unusable,
    Connection::OtherTenant,
    Connection::Withdrawn,
];

/// Every source of a first deployment.
pub const SOURCES: [Source; 5] = [
    Source::Create(Preparation::NoConfiguration),
    Source::Create(Preparation::ConfigurationMissing),
    Source::Create(Preparation::ChainBroken),
    Source::Create(Preparation::Complete),
    Source::Adopt,
];

/// Everything that a look can find.
pub const LOOKS: [Look; 5] = [
    Look::Pending,
    Look::Nothing,
    Look::One,
    Look::Several,
    Look::Claimed,
];

/// Everything that can become of a create call.
pub const RESOLUTIONS: [Resolution; 5] = [
    Resolution::Pending,
    Resolution::Found,
    Resolution::NoEffect,
    Resolution::Ambiguous,
    Resolution::Foreign,
];

/// Every holder.
pub const CLAIMS: [Claim; 2] = [Claim::Ours, Claim::Another];

/// Every state.
pub const STATES: [State; 9] = [
    State::Unknown,
    State::Pending,
    State::Running,
    State::Stopping,
    State::Stopped,
    State::Dead,
    State::Completed,
    State::Deleting,
    State::Other,
];

/// Every target state.
pub const TARGETS: [Target; 3] = [Target::Running, Target::Stopped, Target::Deleted];

/// Every relation of a deployment to the configuration that the spec asks for.
pub const FITS: [Fit; 11] = [
    Fit::Wanted,
    Fit::Other,
    Fit::Sent,
    Fit::Unprepared,
    Fit::Unknown,
    Fit::Foreign(Replacement::CreateFirst),
    Fit::Foreign(Replacement::Unheld),
    Fit::Foreign(Replacement::DeleteFirst),
    Fit::Foreign(Replacement::Forbidden),
    Fit::Failed,
    Fit::RolledBack,
];

/// Every degree of proof.
pub const PROOFS: [Proof; 3] = [Proof::None, Proof::Gone, Proof::NeverSeen];

/// Every ending.
pub const ENDINGS: [Ending; 4] = [
    Ending::Ours,
    Ending::Expired,
    Ending::Inactive,
    Ending::Unexplained,
];

/// Every order.
pub const ORDERS: [Order; 3] = [Order::None, Order::Hold, Order::LetGo];

/// Every state of an uninstall.
pub const UNINSTALLS: [Uninstall; 3] = [Uninstall::Unchecked, Uninstall::No, Uninstall::Yes];

/// Everything that an object can have besides.
pub const OTHERS: [Others; 6] = [
    Others::None,
    Others::Successor,
    Others::Successors,
    Others::Unrecorded,
    Others::Retiring,
    Others::Serving,
];

/// Everything that AI Core can say of a recorded deployment.
pub fn remotes() -> Vec<Remote> {
    let absent = PROOFS
        .into_iter()
        .flat_map(|proof| ENDINGS.map(|ending| Remote::Absent { proof, ending }));
    let mut remotes = vec![Remote::Unobserved];
    remotes.extend(absent);
    remotes.extend(presents().into_iter().map(Remote::Present));
    remotes
}

/// Every way in which a deployment can be listed.
pub fn presents() -> Vec<Present> {
    let mut presents = Vec::new();
    for state in STATES {
        for target in TARGETS {
            for configuration in FITS {
                for flags in 0..8u8 {
                    let flag = |bit: u8| flags & (1 << bit) != 0;
                    presents.push(Present {
                        state,
                        target,
                        configuration,
                        stop_sent: flag(0),
                        expired: flag(1),
                        overdue: flag(2),
                    });
                }
            }
        }
    }
    presents
}

/// Everything that a status can record.
pub fn records() -> Vec<Record> {
    let nothing = SOURCES
        .into_iter()
        .flat_map(|source| LOOKS.map(|look| Record::Nothing { source, look }));
    let mut records: Vec<Record> = nothing.collect();
    records.extend(RESOLUTIONS.map(Record::Intent));
    for claim in CLAIMS {
        let deployment = |remote| Record::Deployment { claim, remote };
        records.extend(remotes().into_iter().map(deployment));
    }
    records
}

/// Every situation.
pub fn situations() -> impl Iterator<Item = Situation> {
    records().into_iter().flat_map(|record| {
        surroundings().map(move |surroundings| Situation {
            record,
            ..surroundings
        })
    })
}

/// Everything but the record.
pub fn surroundings() -> impl Iterator<Item = Situation> {
    let plain = GOALS
        .into_iter()
        .flat_map(|goal| CONNECTIONS.map(|connection| plain(goal, connection)));
    let flagged = plain.flat_map(|plain| {
        [(true, true), (true, false), (false, true), (false, false)].map(|(finalizer, recreate)| {
            Situation {
                finalizer,
                recreate,
                ..plain
            }
        })
    });
    let ordered = flagged.flat_map(|plain| ORDERS.map(|order| Situation { order, ..plain }));
    let checked =
        ordered.flat_map(|plain| UNINSTALLS.map(|uninstall| Situation { uninstall, ..plain }));
    checked.flat_map(|plain| OTHERS.map(|others| Situation { others, ..plain }))
}

/// A situation in which nobody has ordered anything, and all that is known is that a create call is open.
pub fn plain(goal: Goal, connection: Connection) -> Situation {
    Situation {
        goal,
        finalizer: true,
        order: Order::None,
        uninstall: Uninstall::No,
        connection,
        record: Record::Intent(Resolution::Pending),
        others: Others::None,
        recreate: false,
    }
}

/// A remote that does what AI Core documents, in one move: it obeys the step, or moves on by itself.
pub fn fair(remote: Remote, step: Step) -> Remote {
    let Remote::Present(present) = remote else {
        return remote;
    };
    let past = Past {
        ended_by_us: present.stop_sent,
        delete_accepted: false,
        expired: present.expired,
        inactive: false,
    };
    let gone = Remote::Absent {
        proof: Proof::Gone,
        ending: past.ending(),
    };
    let with = |state, target| {
        Remote::Present(Present {
            state,
            target,
            ..present
        })
    };
    match (step, present.state) {
        // Both are recorded as ours before they are sent.
        (Step::Stop, _) => Remote::Present(Present {
            target: Target::Stopped,
            stop_sent: true,
            ..present
        }),
        (Step::Delete, _) => Remote::Present(Present {
            target: Target::Deleted,
            stop_sent: true,
            ..present
        }),
        (Step::PrepareConfiguration, _) => Remote::Present(Present {
            configuration: Fit::Other,
            ..present
        }),
        (Step::ChangeConfiguration, _) => Remote::Present(Present {
            configuration: Fit::Sent,
            state: State::Pending,
            ..present
        }),
        (Step::RollBack, _) => Remote::Present(Present {
            configuration: Fit::RolledBack,
            state: State::Pending,
            ..present
        }),
        (Step::Wait(Wait::Comparison), _) => Remote::Present(Present {
            configuration: Fit::Foreign(Replacement::DeleteFirst),
            ..present
        }),
        (Step::Wait(Wait::Chain), _) => Remote::Present(Present {
            configuration: Fit::Foreign(Replacement::CreateFirst),
            ..present
        }),
        (_, State::Stopped | State::Completed)
            if present.expired && present.target != Target::Deleted =>
        {
            gone
        }
        (_, State::Deleting) => gone,
        _ if present.target == Target::Deleted => gone,
        (Step::Wait(Wait::Updating) | Step::Stall(Stall::Overdue), State::Running)
            if present.configuration == Fit::Sent && present.target == Target::Running =>
        {
            Remote::Present(Present {
                configuration: Fit::Wanted,
                ..present
            })
        }
        (_, State::Unknown | State::Other) => with(State::Pending, present.target),
        (_, State::Pending | State::Running) if present.target == Target::Stopped => {
            with(State::Stopping, present.target)
        }
        (_, State::Pending) => with(State::Running, present.target),
        (_, State::Stopping) => with(State::Stopped, Target::Stopped),
        _ => remote,
    }
}
