//! From an object and what AI Core says to a [`Situation`], and to the details that an effect needs.

pub(crate) mod access;

mod admission;
mod calls;
mod findings;
mod fit;
mod group;
pub(crate) mod look;
mod lost;
pub(crate) mod others;
mod out_of_sight;
pub(crate) mod remote;
pub(crate) mod signs;

use std::time::Duration;

use crate::aicore;
use crate::api::{DEPLOYMENT_FINALIZER, Deployment, DeploymentStatus, RecreatePolicy};
use crate::controller::connection::reference;
use crate::controller::connection::views::ConnectionName;
use crate::controller::endpoint::Endpoint;
use crate::controller::finalizers;
use crate::controller::problem::Problem;
use crate::controller::subject::{Subject, Wanted, adopts, configuration_to_create, goal, order};
use crate::lifecycle::Situation;
use crate::lifecycle::situation::{
    Claim, Connection, Fit, Goal, Look, Order, Others, Preparation, Record, Remote, Replacement,
    Resolution, Source, Uninstall,
};
use access::{Access, Blocked};
use findings::Findings;
pub(crate) use others::{Predecessor, Retiring};

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
    /// The deployment that has to go next besides the recorded one.
    pub(crate) retiring: Option<Retiring>,
    /// The deployment that serves until the recorded one does.
    pub(crate) predecessor: Option<Predecessor>,
    /// Deployments that are this object's besides the recorded one, and that it does not record.
    pub(crate) unrecorded: Vec<String>,
    /// Whether what was found is not the result of the open create call, which may still have one.
    pub(crate) call_stays_open: bool,
    /// Create calls that were given up and of which nothing can come any more.
    pub(crate) calls_over: Vec<(i64, String)>,
    /// Whether a stop that the status records can have no effect any more.
    pub(crate) stop_is_over: bool,
    /// The name of the configuration that the spec asks for and that AI Core lacks, where nothing may be created.
    pub(crate) missing_configuration: Option<String>,
    /// What is in the way, for a person.
    pub(crate) problem: Option<Problem>,
    /// What applications are told.
    pub(crate) endpoint: Endpoint,
    /// When time alone may change the situation.
    pub(crate) recheck: Option<Duration>,
    /// The Connection that what is recorded is reached through from now on, where it is another one than before.
    pub(crate) moved_to: Option<ConnectionName>,
}

impl Observation {
    /// Whether the object may create and adopt nothing through its Connection.
    pub(crate) fn is_denied(&self) -> bool {
        match &self.access {
            Some(access) => access.denied.is_some(),
            None => {
                let problem = self.problem.as_ref();
                problem.is_some_and(|problem| problem.reason == access::DENIED)
            }
        }
    }

    /// Deployments that may be the object's, where none is recorded and nothing proves that any is.
    pub(crate) fn doubtful(&self) -> &[String] {
        match self.situation.record {
            Record::Nothing {
                source: Source::Create(_),
                look: Look::Nothing,
            } => &self.candidates,
            _ => &[],
        }
    }
}

/// Looks at everything that the next step of the object depends on.
pub(crate) async fn observe(subject: &Subject<'_>) -> Result<Observation, kube::Error> {
    let object = &subject.object;
    let goal = goal(object, subject.context.options.deletion_policy);
    let mut observation = Observation {
        situation: Situation {
            goal,
            finalizer: finalizers::has(&**object, DEPLOYMENT_FINALIZER),
            order: order(object),
            uninstall: Uninstall::No,
            connection: Connection::Ready,
            record: unobserved(object),
            others: others_of(object),
            recreate: object.spec.recreate_policy == RecreatePolicy::Always,
        },
        access: None,
        remote: None,
        candidates: Vec::new(),
        retiring: None,
        predecessor: None,
        unrecorded: Vec::new(),
        call_stays_open: false,
        calls_over: Vec::new(),
        stop_is_over: false,
        missing_configuration: None,
        problem: None,
        endpoint: Endpoint::default(),
        recheck: None,
        moved_to: None,
    };
    let situation = &mut observation.situation;
    if !situation.finalizer || is_let_go(situation) {
        return Ok(observation);
    }
    if goal.is_terminating() {
        match uninstall(subject).await {
            Ok(found) => situation.uninstall = found,
            Err(problem) => {
                situation.uninstall = Uninstall::Unchecked;
                observation.problem = Some(problem);
            }
        }
        if situation.uninstall == Uninstall::Yes {
            return Ok(observation);
        }
    }
    match access::find(subject.context, object).await {
        Err(blocked) => block(&mut observation, blocked),
        Ok(access) => {
            look_at_everything(subject, &access, &mut observation).await?;
            observation.access = Some(access);
        }
    }
    Ok(observation)
}

/// Whether the object goes, or may go, without anything being asked.
fn is_let_go(situation: &Situation) -> bool {
    let forced = situation.goal.is_terminating() && situation.order == Order::LetGo;
    let leaves = situation.goal == Goal::Orphaned && situation.order != Order::Hold;
    // What an open call has made must be known before it is left.
    forced || leaves && !matches!(situation.record, Record::Intent(_))
}

/// Whether the object is deleted because everything is uninstalled. What had begun before goes on.
async fn uninstall(subject: &Subject<'_>) -> Result<Uninstall, Problem> {
    let status = subject.object.status.as_ref();
    if status.is_some_and(|status| status.deletion_begun) {
        return Ok(Uninstall::No);
    }
    let context = subject.context;
    let since = subject.remember(|memory| memory.terminating_since());
    match context.uninstalls.under_way(&context.kube, since).await? {
        true => Ok(Uninstall::Yes),
        false => Ok(Uninstall::No),
    }
}

/// AI Core cannot be asked: what is recorded is all that is known.
fn block(observation: &mut Observation, blocked: Blocked) {
    observation.situation.connection = blocked.connection;
    observation.problem = Some(blocked.problem);
}

async fn look_at_everything(
    subject: &Subject<'_>,
    access: &Access,
    observation: &mut Observation,
) -> Result<(), kube::Error> {
    let goal = observation.situation.goal;
    observation.situation.connection = access.standing();
    if access.key.realm.is_unproven() {
        if let Some(blocked) = admission::obstacle(subject, access) {
            block(observation, blocked);
        }
        return Ok(());
    }
    observation.moved_to = moved_to(subject, access).await?;
    let findings = match findings(subject, goal, access).await? {
        Ok(findings) => findings,
        Err(blocked) => {
            block(observation, blocked.explained_by(access));
            return Ok(());
        }
    };
    let unrecorded = others::unrecorded(subject, goal, access, &findings.record).await;
    let predecessor = others::predecessor(subject, access);
    let retiring = others::retiring(subject, access, predecessor.as_ref()).await;
    match (unrecorded, retiring) {
        (Ok(unrecorded), Ok(retiring)) => {
            if let Some(others) = unrecorded.others {
                observation.situation.others = others;
            } else if predecessor.as_ref().is_some_and(|it| it.serves) {
                observation.situation.others = Others::Serving;
            }
            let rechecks = [
                findings.recheck,
                unrecorded.recheck,
                retiring.as_ref().and_then(|it| it.recheck),
            ];
            observation.recheck = rechecks.into_iter().flatten().min();
            observation.unrecorded = unrecorded.ids;
            observation.retiring = retiring;
            observation.predecessor = predecessor;
        }
        (Err(blocked), _) | (_, Err(blocked)) => {
            block(observation, blocked.explained_by(access));
            return Ok(());
        }
    }
    observation.situation.record = findings.record;
    observation.remote = findings.remote;
    observation.calls_over = others::calls_over(subject, access);
    observation.call_stays_open = findings.call_stays_open;
    observation.stop_is_over = findings.stop_is_over;
    observation.candidates = match findings.record {
        Record::Deployment { .. } => observation.unrecorded.clone(),
        _ => findings.candidates,
    };
    Ok(())
}

/// What is recorded besides.
fn others_of(object: &Deployment) -> Others {
    let status = object.status.as_ref();
    match status.is_some_and(|status| !status.retiring.is_empty()) {
        true => Others::Retiring,
        false => Others::None,
    }
}

/// Whether the spec names another Connection to the same tenant than the one that was used, and that one is held: then the former is free.
async fn moved_to(
    subject: &Subject<'_>,
    access: &Access,
) -> Result<Option<ConnectionName>, kube::Error> {
    let status = subject.object.status.as_ref();
    let records_something = status.is_some_and(DeploymentStatus::records_something);
    let used = reference::used(&subject.object).filter(|_| records_something);
    if used.is_none_or(|used| used == access.connection) {
        return Ok(None);
    }
    let held = access::chain_holds(subject.context, access).await?;
    Ok(held.then(|| access.connection.clone()))
}

/// A successor is created only while the Connection and its Secret are held, like any deployment.
async fn with_chain(
    subject: &Subject<'_>,
    goal: Goal,
    access: &Access,
    mut findings: Findings,
) -> Result<Findings, kube::Error> {
    if let Record::Deployment {
        remote: Remote::Present(present),
        ..
    } = &mut findings.record
        && present.configuration == Fit::Foreign(Replacement::CreateFirst)
        && goal == Goal::Running
        && !access::chain_holds(subject.context, access).await?
    {
        present.configuration = Fit::Foreign(Replacement::Unheld);
    }
    Ok(findings)
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
        return match remote::find(subject, access, &recorded).await {
            Ok(findings) => Ok(Ok(with_chain(subject, goal, access, findings).await?)),
            Err(blocked) => Ok(Err(blocked)),
        };
    }
    if let Some(intent) = status.intent {
        return Ok(calls::for_result(subject, access, &intent).await);
    }
    let sight = match look::for_own(subject, goal, access).await {
        Ok(sight) => sight,
        Err(blocked) => return Ok(Err(blocked)),
    };
    let may_create = goal == Goal::Running && sight.look == Look::Nothing;
    let chain = may_create && access::chain_holds(subject.context, access).await?;
    let record = Record::Nothing {
        source: source(&subject.object, chain),
        look: sight.look,
    };
    Ok(Ok(Findings {
        candidates: sight.candidates,
        recheck: sight.recheck,
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
