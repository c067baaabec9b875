//! From an object and what AI Core says to a [`Situation`], and to the details that an effect needs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::access::{self, Access, Blocked, Problem};
use super::context::Context;
use super::memory::Memory;
use super::{finalizers, look, remote};
use crate::aicore;
use crate::api::{DEPLOYMENT_FINALIZER, DeletionPolicy, Deployment, DesiredState, RecreatePolicy};
use crate::lifecycle::Situation;
use crate::lifecycle::identity::content_hash;
use crate::lifecycle::situation::{
    Claim, Connection, Goal, Look, Preparation, Record, Remote, Resolution, Source,
};

/// One object, what is remembered of it, and everything around it.
pub(super) struct Subject<'a> {
    pub(super) context: &'a Context,
    pub(super) object: Arc<Deployment>,
    pub(super) uid: &'a str,
    pub(super) memory: &'a Mutex<Memory>,
}

impl Subject<'_> {
    /// What is remembered of the object.
    pub(super) fn remember<T>(&self, read: impl FnOnce(&mut Memory) -> T) -> T {
        read(
            &mut self
                .memory
                .lock()
                .expect("no code panics while it holds the memory"),
        )
    }
}

/// What is known of an object.
#[derive(Debug)]
pub(super) struct Observation {
    /// In the words of the rules.
    pub(super) situation: Situation,
    /// The way to AI Core.
    pub(super) access: Option<Access>,
    /// The recorded deployment as AI Core lists it.
    pub(super) remote: Option<aicore::Deployment>,
    /// Deployments that are or may be this object's.
    pub(super) candidates: Vec<String>,
    /// What is in the way, for a person.
    pub(super) problem: Option<Problem>,
    /// When time alone may change the situation.
    pub(super) recheck: Option<Duration>,
}

/// The record of an object with the details behind it.
pub(super) struct Findings {
    pub(super) record: Record,
    pub(super) remote: Option<aicore::Deployment>,
    pub(super) candidates: Vec<String>,
    pub(super) recheck: Option<Duration>,
}

impl Findings {
    pub(super) fn of(record: Record) -> Self {
        Self {
            record,
            remote: None,
            candidates: Vec::new(),
            recheck: None,
        }
    }
}

/// The configuration that the spec asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// None in particular.
    Nothing,
    /// One whose content is written in the spec and that was not looked for in AI Core yet.
    Unprepared {
        /// The hash of its content.
        hash: String,
    },
    /// The configuration with this id.
    Configuration(String),
}

/// The configuration that the spec asks for, and whether its id is known.
pub(super) fn wanted(object: &Deployment) -> Wanted {
    if let Some(id) = &object.spec.configuration_id {
        return Wanted::Configuration(id.clone());
    }
    let Some(template) = &object.spec.configuration else {
        return Wanted::Nothing;
    };
    let hash = content_hash(template);
    let recorded = object
        .status
        .as_ref()
        .and_then(|status| status.configuration.as_ref());
    match recorded {
        Some(recorded) if recorded.content_hash.as_ref() == Some(&hash) => {
            Wanted::Configuration(recorded.id.clone())
        }
        _ => Wanted::Unprepared { hash },
    }
}

/// The configuration to create a deployment from: the wanted one, or that of an adopted deployment that is gone by our own doing.
pub(super) fn configuration_to_create(object: &Deployment) -> Wanted {
    let last = || {
        object
            .status
            .as_ref()
            .and_then(|status| status.configuration.as_ref())
            .map(|recorded| recorded.id.clone())
    };
    match wanted(object) {
        Wanted::Nothing => last().map_or(Wanted::Nothing, Wanted::Configuration),
        wanted => wanted,
    }
}

/// The id that the object adopts, unless that deployment was its own already and is gone.
pub(super) fn adopts(object: &Deployment) -> Option<&str> {
    let id = object
        .spec
        .adopt
        .as_ref()
        .map(|adopt| adopt.deployment_id.as_str())?;
    let gone = object
        .status
        .as_ref()
        .is_some_and(|status| status.previous_ids.iter().any(|previous| previous == id));
    (!gone).then_some(id)
}

/// Where the object is to be driven.
pub(super) fn goal(object: &Deployment, default_policy: DeletionPolicy) -> Goal {
    let policy = object.spec.deletion_policy.unwrap_or(default_policy);
    match (
        finalizers::is_terminating(object),
        policy,
        object.spec.desired_state,
    ) {
        (true, DeletionPolicy::Delete, _) => Goal::Released,
        (true, DeletionPolicy::Orphan, _) => Goal::Orphaned,
        (false, _, DesiredState::Running) => Goal::Running,
        (false, _, DesiredState::Stopped) => Goal::Stopped,
        (false, _, DesiredState::Deleted) => Goal::Deleted,
    }
}

/// Looks at everything that the next step of the object depends on.
pub(super) async fn observe(subject: &Subject<'_>) -> Result<Observation, kube::Error> {
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
    Ok(Observation {
        situation,
        access: access.ok(),
        remote: findings.remote,
        candidates: findings.candidates,
        problem,
        recheck: findings.recheck,
    })
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
        return Ok(look::for_result(subject, access, &intent));
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
