//! From an object and what AI Core says to a [`Situation`], and to the details that an effect needs.

pub(crate) mod access;

mod findings;
mod group;
mod look;
mod remote;
mod time_to_live;

use std::time::Duration;

use crate::aicore;
use crate::api::{DEPLOYMENT_FINALIZER, Deployment, RecreatePolicy};
use crate::controller::finalizers;
use crate::controller::problem::Problem;
use crate::controller::subject::{Subject, Wanted, adopts, configuration_to_create, goal};
use crate::lifecycle::Situation;
use crate::lifecycle::situation::{
    Claim, Connection, Goal, Look, Preparation, Record, Remote, Resolution, Source,
};
use access::{Access, Blocked};
use findings::Findings;

/// What is known of an object.
#[derive(Debug)]
pub(crate) struct Observation {
    /// In the words of the rules.
    pub(crate) situation: Situation,
    /// The way to AI Core.
    pub(crate) access: Option<Access>,
    /// The recorded deployment as AI Core lists it.
    pub(crate) remote: Option<aicore::Deployment>,
    /// Deployments that are or may be this object's.
    pub(crate) candidates: Vec<String>,
    /// What is in the way, for a person.
    pub(crate) problem: Option<Problem>,
    /// When time alone may change the situation.
    pub(crate) recheck: Option<Duration>,
    /// The Connection that what is recorded is reached through from now on, where it is another one than before.
    pub(crate) moved_to: Option<String>,
}

/// Looks at everything that the next step of the object depends on.
pub(crate) async fn observe(subject: &Subject<'_>) -> Result<Observation, kube::Error> {
    let object = &subject.object;
    let goal = goal(object, subject.context.options.deletion_policy);
    let mut situation = Situation {
        goal,
        finalizer: finalizers::has(&**object, DEPLOYMENT_FINALIZER),
        connection: Connection::Ready,
        record: unobserved(object),
        recreate: object.spec.recreate_policy == RecreatePolicy::Always,
    };
    let nothing_to_ask = !situation.finalizer || goal == Goal::Orphaned;
    if nothing_to_ask {
        return Ok(Observation {
            situation,
            access: None,
            remote: None,
            candidates: Vec::new(),
            problem: None,
            recheck: None,
            moved_to: None,
        });
    }

    let access = access::find(subject.context, object).await;
    let findings = match &access {
        Ok(access) => findings(subject, goal, access).await?,
        Err(blocked) => Err(blocked.clone()),
    };
    let (findings, problem) = match findings {
        Ok(findings) => (findings, None),
        Err(blocked) => {
            situation.connection = blocked.connection;
            (Findings::of(unobserved(object)), Some(blocked.problem))
        }
    };
    situation.record = findings.record;
    let moved_to = match &access {
        Ok(access) => moved_to(subject, access).await?,
        Err(_) => None,
    };
    Ok(Observation {
        situation,
        access: access.ok(),
        remote: findings.remote,
        candidates: findings.candidates,
        problem,
        recheck: findings.recheck,
        moved_to,
    })
}

/// Whether the spec names another Connection to the same tenant than the one that was used, and that one is held: then the former is free.
async fn moved_to(subject: &Subject<'_>, access: &Access) -> Result<Option<String>, kube::Error> {
    let status = subject.object.status.as_ref();
    let used = status.filter(|status| status.deployment.is_some() || status.intent.is_some());
    let used = used.and_then(|status| status.connection.as_ref());
    if used.is_none_or(|used| *used == access.connection) {
        return Ok(None);
    }
    let namespace = subject
        .object
        .metadata
        .namespace
        .as_deref()
        .unwrap_or_default();
    let held = access::chain_holds(subject.context, namespace, &access.connection).await?;
    Ok(held.then(|| access.connection.clone()))
}

/// What the status records, when AI Core was not asked.
fn unobserved(object: &Deployment) -> Record {
    let status = object.status.as_ref();
    if status.is_some_and(|status| status.deployment.is_some()) {
        Record::Deployment {
            claim: Claim::Ours,
            remote: Remote::Unobserved,
        }
    } else if status.is_some_and(|status| status.intent.is_some()) {
        Record::Intent(Resolution::Pending)
    } else {
        Record::Nothing {
            source: source(object, false),
            look: Look::Pending,
        }
    }
}

async fn findings(
    subject: &Subject<'_>,
    goal: Goal,
    access: &Access,
) -> Result<Result<Findings, Blocked>, kube::Error> {
    subject.context.inventory.watch(&access.key, subject.uid);
    subject
        .context
        .wait_for_list(&access.key, &subject.object, true);
    let status = subject.object.status.clone().unwrap_or_default();
    if let Some(recorded) = status.deployment {
        return Ok(remote::find(subject, access, &recorded).await);
    }
    if let Some(intent) = status.intent {
        return Ok(look::for_result(subject, access, &intent).await);
    }
    let sight = match look::for_own(subject, goal, access).await {
        Ok(sight) => sight,
        Err(blocked) => return Ok(Err(blocked)),
    };
    let may_create = goal == Goal::Running && sight.look == Look::Nothing;
    let namespace = subject
        .object
        .metadata
        .namespace
        .as_deref()
        .unwrap_or_default();
    let chain =
        may_create && access::chain_holds(subject.context, namespace, &access.connection).await?;
    let record = Record::Nothing {
        source: source(&subject.object, chain),
        look: sight.look,
    };
    Ok(Ok(Findings {
        candidates: sight.candidates,
        ..Findings::of(record)
    }))
}

fn source(object: &Deployment, chain: bool) -> Source {
    if adopts(object).is_some() {
        return Source::Adopt;
    }
    Source::Create(match configuration_to_create(object) {
        Wanted::Nothing => Preparation::NoConfiguration,
        Wanted::Unprepared { .. } => Preparation::ConfigurationMissing,
        Wanted::Configuration(_) if chain => Preparation::Complete,
        Wanted::Configuration(_) => Preparation::ChainBroken,
    })
}
