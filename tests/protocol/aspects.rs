//! Everything that the tables and the diagrams tell apart.

use crate::aspect::{Aspect, Point};
use crate::chapters::has_call;
use crate::situation::{
    Claim, Connection, Ending, Fit, Look, Order, Others, Preparation, Present, Proof, Record,
    Remote, Replacement, Resolution, Source, State, Target, Uninstall,
};
use crate::step::Step;
use crate::walk;
use crate::words;

/// Where the object is to be driven.
pub fn goal() -> Aspect {
    let word = |goal| format!("{goal:?}");
    Aspect::new("goal", &walk::GOALS, word, |point: &Point| {
        point.situation.goal
    })
}

/// Whether our finalizer is on.
pub fn finalizer() -> Aspect {
    Aspect::flag("finalizer is on", |point: &Point| point.situation.finalizer)
}

/// Whether a create call is recorded.
pub fn call() -> Aspect {
    Aspect::flag("create call is open", |point: &Point| {
        has_call(&point.situation)
    })
}

/// What a person has ordered.
pub fn order() -> Aspect {
    let word = |order| match order {
        Order::None => "nothing",
        Order::Hold => "hold",
        Order::LetGo => "let go",
    };
    Aspect::new("ordered", &walk::ORDERS, word, |point: &Point| {
        point.situation.order
    })
}

/// Whether everything is uninstalled.
pub fn uninstall() -> Aspect {
    let word = |uninstall| match uninstall {
        Uninstall::Unchecked => "not known",
        Uninstall::No => "no",
        Uninstall::Yes => "yes",
    };
    Aspect::new("uninstall", &walk::UNINSTALLS, word, |point: &Point| {
        point.situation.uninstall
    })
}

/// The way to AI Core.
pub fn connection() -> Aspect {
    let word = |connection| match connection {
        Connection::Ready => "ready",
        Connection::Unreachable => "unreachable",
        Connection::Unusable => "no working key",
        Connection::OtherTenant => "other tenant",
        Connection::Withdrawn => "grant withdrawn",
    };
    Aspect::new("connection", &walk::CONNECTIONS, word, |point: &Point| {
        point.situation.connection
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Recorded {
    Nothing,
    Intent,
    Deployment,
    ClaimedDeployment,
}

/// What kind of record there is.
pub fn record() -> Aspect {
    let values = [
        Recorded::Nothing,
        Recorded::Intent,
        Recorded::Deployment,
        Recorded::ClaimedDeployment,
    ];
    let word = |recorded| match recorded {
        Recorded::Nothing => "nothing",
        Recorded::Intent => "create call",
        Recorded::Deployment => "deployment",
        Recorded::ClaimedDeployment => "deployment that another object holds",
    };
    Aspect::new("recorded", &values, word, |point: &Point| {
        match point.situation.record {
            Record::Nothing { .. } => Recorded::Nothing,
            Record::Intent(_) => Recorded::Intent,
            Record::Deployment {
                claim: Claim::Ours, ..
            } => Recorded::Deployment,
            Record::Deployment {
                claim: Claim::Another,
                ..
            } => Recorded::ClaimedDeployment,
        }
    })
}

/// Where a first deployment comes from.
pub fn source() -> Aspect {
    let word = |source| match source {
        Source::Create(Preparation::NoConfiguration) => "no configuration",
        Source::Create(Preparation::ConfigurationMissing) => "configuration not prepared",
        Source::Create(Preparation::ChainBroken) => "Connection not held",
        Source::Create(Preparation::Complete) => "all is there",
        Source::Adopt => "adopt",
    };
    Aspect::new(
        "source",
        &walk::SOURCES,
        word,
        |point: &Point| match point.situation.record {
            Record::Nothing { source, .. } => source,
            record => panic!("{record:?} has no source"),
        },
    )
}

/// Whether a deployment that exists is to become the object's.
pub fn adopts() -> Aspect {
    Aspect::flag("adopts", |point: &Point| {
        matches!(
            point.situation.record,
            Record::Nothing {
                source: Source::Adopt,
                ..
            }
        )
    })
}

/// What a look has found.
pub fn look() -> Aspect {
    let word = |look| match look {
        Look::Pending => "no fresh list yet",
        Look::Nothing => "none found",
        Look::One => "one found",
        Look::Several => "several found",
        Look::Claimed => "another object holds it",
    };
    Aspect::new("look", &walk::LOOKS, word, |point: &Point| {
        match point.situation.record {
            Record::Nothing { look, .. } => look,
            record => panic!("{record:?} is not looked for"),
        }
    })
}

/// What has become of a create call, in words.
pub fn resolution_word(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Pending => "not known yet",
        Resolution::Found => "it made a deployment",
        Resolution::NoEffect => "it had no effect",
        Resolution::Ambiguous => "candidates without proof",
        Resolution::Foreign => "another operator announced it",
    }
}

/// What has become of a create call.
pub fn resolution() -> Aspect {
    Aspect::new(
        "outcome",
        &walk::RESOLUTIONS,
        resolution_word,
        |point: &Point| match point.situation.record {
            Record::Intent(resolution) => resolution,
            record => panic!("{record:?} is no create call"),
        },
    )
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Absent(Option<Proof>),
    Present,
}

const ABSENT: [Seen; 4] = [
    Seen::Absent(None),
    Seen::Absent(Some(Proof::None)),
    Seen::Absent(Some(Proof::Gone)),
    Seen::Absent(Some(Proof::NeverSeen)),
];

/// How a recorded deployment appears that is not listed.
pub fn absence() -> Aspect {
    appearance(&ABSENT)
}

/// How a recorded deployment appears.
pub fn seen() -> Aspect {
    appearance(&[ABSENT.as_slice(), &[Seen::Present]].concat())
}

/// How far it is proven that a deployment is gone, in words.
pub fn proof_word(proof: Proof) -> &'static str {
    match proof {
        Proof::None => "absent without proof",
        Proof::Gone => "gone",
        Proof::NeverSeen => "gone and never seen",
    }
}

fn appearance(values: &[Seen]) -> Aspect {
    let word = |seen| match seen {
        Seen::Absent(None) => "no fresh list yet",
        Seen::Absent(Some(proof)) => proof_word(proof),
        Seen::Present => "present",
    };
    Aspect::new(
        "AI Core shows",
        values,
        word,
        |point: &Point| match remote(point) {
            Remote::Unobserved => Seen::Absent(None),
            Remote::Absent { proof, .. } => Seen::Absent(Some(proof)),
            Remote::Present(_) => Seen::Present,
        },
    )
}

/// Why a deployment is gone, in words.
pub fn ending_word(ending: Ending) -> &'static str {
    match ending {
        Ending::Ours => "the operator ended it",
        Ending::Expired => "its ttl ran out",
        Ending::Inactive => "it had stopped or died",
        Ending::Unexplained => "unexplained",
    }
}

/// Why an absent deployment is gone.
pub fn ending() -> Aspect {
    Aspect::new("why", &walk::ENDINGS, ending_word, |point: &Point| {
        match remote(point) {
            Remote::Absent { ending, .. } => ending,
            // It is not known to have ended, and so no row tells endings apart.
            _ => Ending::Unexplained,
        }
    })
}

/// Whether an ended deployment is made anew.
pub fn recreate() -> Aspect {
    let word = |recreate| if recreate { "Always" } else { "Never" };
    Aspect::new("recreatePolicy", &[false, true], word, |point: &Point| {
        point.situation.recreate
    })
}

/// The state of a listed deployment.
pub fn state() -> Aspect {
    let word = |state| match state {
        State::Other => "another word".to_owned(),
        state => format!("{state:?}").to_uppercase(),
    };
    Aspect::new("state", &walk::STATES, word, |point: &Point| {
        present(point).state
    })
}

/// The target state of a listed deployment.
pub fn target() -> Aspect {
    let word = |target: Target| format!("{target:?}").to_uppercase();
    Aspect::new("target", &walk::TARGETS, word, |point: &Point| {
        present(point).target
    })
}

/// How the configuration of a listed deployment relates to the spec.
pub fn configuration() -> Aspect {
    let word = |fit| match fit {
        Fit::Wanted => "as wanted",
        Fit::Other => "another",
        Fit::Sent => "change accepted",
        Fit::Unprepared => "not prepared",
        Fit::Unknown => "not comparable",
        Fit::Foreign(Replacement::CreateFirst) => "foreign, CreateFirst",
        Fit::Foreign(Replacement::Unheld) => "foreign, CreateFirst, Connection not held",
        Fit::Foreign(Replacement::DeleteFirst) => "foreign, DeleteFirst",
        Fit::Foreign(Replacement::Forbidden) => "foreign, adopted and Orphan",
        Fit::Failed => "failed",
        Fit::RolledBack => "rolled back",
    };
    Aspect::new("configuration", &walk::FITS, word, |point: &Point| {
        present(point).configuration
    })
}

/// Whether the ttl of a listed deployment has run out.
pub fn expired() -> Aspect {
    Aspect::flag("ttl ran out", |point: &Point| present(point).expired)
}

/// Whether the operator has stopped a listed deployment.
pub fn stop_sent() -> Aspect {
    Aspect::flag("our stop", |point: &Point| present(point).stop_sent)
}

/// Whether a listed deployment stays in a passing state for too long.
pub fn overdue() -> Aspect {
    Aspect::flag("overdue", |point: &Point| present(point).overdue)
}

/// Who holds the deployment.
pub fn claim() -> Aspect {
    let word = |claim| match claim {
        Claim::Ours => "this object or nobody",
        Claim::Another => "another object",
    };
    Aspect::new(
        "held by",
        &walk::CLAIMS,
        word,
        |point: &Point| match point.situation.record {
            Record::Deployment { claim, .. } => claim,
            record => panic!("{record:?} is held by nobody"),
        },
    )
}

/// What else the object has.
pub fn others() -> Aspect {
    let word = |others| match others {
        Others::None => "none",
        Others::Successor => "a successor",
        Others::Successors => "several successors",
        Others::Unrecorded => "one not recorded yet",
        Others::Retiring => "one retiring",
        Others::Serving => "one that serves until replaced",
    };
    Aspect::new("other deployments", &walk::OTHERS, word, |point: &Point| {
        point.situation.others
    })
}

/// What the tables before have said; `steps` is everything that they can say.
pub fn said(steps: &[Step]) -> Aspect {
    let mut aspect = Aspect::new("step so far", steps, words::of, |point: &Point| {
        point.said.expect("a table before has spoken")
    });
    for (word, step) in aspect.words.iter_mut().zip(steps) {
        word.kind = Some(words::kind_of(*step));
    }
    aspect
}

fn remote(point: &Point) -> Remote {
    match point.situation.record {
        Record::Deployment { remote, .. } => remote,
        record => panic!("{record:?} is no deployment"),
    }
}

/// What is not listed has no state, and no row tells any apart.
fn present(point: &Point) -> Present {
    match point.situation.record {
        Record::Deployment {
            remote: Remote::Present(present),
            ..
        } => present,
        _ => walk::presents()[0],
    }
}
