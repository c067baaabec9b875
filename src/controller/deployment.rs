//! Reconciling a Deployment: observe, decide, report, act. One step at a time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use tracing::{debug, info, instrument, warn};

use super::act::obstacle::{Obstacle, backoff};
use super::act::status::write_status;
use super::context::Context;
use super::observe::{Observation, observe};
use super::office_hours::Followed;
use super::problem::{Failure, Problem};
use super::restraint::{self, Looked};
use super::subject::{Subject, hand, wanted};
use super::tell::events::News;
use super::tell::words::{Mood, recorded_id, say};
use super::tell::{log, report};
use super::{act, endpoint, expiry, finalizers, model, office_hours, wake};
use crate::api::{ConditionKind, Deployment, DeploymentStatus, Reason};
use crate::lease;
use crate::lifecycle::step::{Done, Stall, Wait};
use crate::lifecycle::{Hand, Step, next_step};

/// After so many attempts without effect, which take some minutes, a person is told.
const HOPELESS: u32 = 8;

/// How soon an object that may not use its Connection is looked at again at the latest: nothing tells of a label that its namespace is given.
const DENIED: Duration = Duration::from_secs(30);

/// Takes the next step of an object, and says when to look at it again.
#[instrument(
    skip_all,
    fields(kind = "Deployment", namespace = object.namespace(), object = object.name_any(), uid = object.uid())
)]
pub(crate) async fn reconcile(
    object: Arc<Deployment>,
    context: Arc<Context>,
) -> Result<Action, kube::Error> {
    let Some(uid) = object.uid().filter(|_| context.leadership.is_held()) else {
        return Ok(Action::await_change());
    };
    let memory = context.memories.of(&uid);
    let newest = {
        let mut memory = memory.lock();
        memory.meet(&object);
        memory.newest(object)
    };
    let subject = Subject {
        context: &context,
        object: newest,
        uid: &uid,
        memory: &memory,
    };
    match work(&subject).await {
        Ok(action) => Ok(action),
        Err(error) if finalizers::is_stale(&error) => {
            debug!(%error, "the object has changed meanwhile; looking again");
            Ok(Action::requeue(pause(&subject, None)))
        }
        // Everything is looked at when this process leads again.
        Err(error) if lease::is_refusal(&error) => Ok(Action::await_change()),
        Err(error) => Err(error),
    }
}

/// When to try again after the Kubernetes API failed.
pub(crate) fn after_error(
    object: Arc<Deployment>,
    error: &kube::Error,
    context: Arc<Context>,
) -> Action {
    let failures = object.uid().map_or(1, |uid| {
        let memory = context.memories.of(&uid);
        let mut memory = memory.lock();
        memory.failures += 1;
        memory.failures
    });
    warn!(namespace = object.namespace(), object = object.name_any(), uid = object.uid(), %error, "the Kubernetes API failed");
    Action::requeue(backoff(failures))
}

async fn work(subject: &Subject<'_>) -> Result<Action, kube::Error> {
    let rest_of_hours = match office_hours::follow(subject).await? {
        Followed::Until(rest) => rest,
        Followed::Changed => return Ok(Action::requeue(Duration::ZERO)),
        Followed::Not(failure) => {
            fail(subject, &failure).await?;
            return Ok(Action::await_change());
        }
    };
    let mut observation = observe(subject).await?;
    let rechecks = [observation.recheck, rest_of_hours];
    observation.recheck = rechecks.into_iter().flatten().min();
    observation.endpoint = endpoint::publish(subject, &observation).await?;
    if restraint::claim(subject, &observation).await? {
        return Ok(Action::requeue(Duration::ZERO));
    }
    let wish = next_step(&observation.situation);
    let step = restraint::restrained(subject, &observation, wish);
    if step != wish && wish == Step::PrepareConfiguration {
        match restraint::look_for_configuration(subject, &mut observation, step).await {
            Ok(Looked::Found) => return Ok(Action::requeue(Duration::ZERO)),
            Ok(Looked::Nothing) => {}
            Err(obstacle) => return conclude(subject, &observation, step, 1, Err(obstacle)).await,
        }
    }
    debug!(?step, ?wish, situation = ?observation.situation, "decided");
    let sending = shown(subject, &observation, step);
    let id = recorded_id(&subject.object);
    let times = subject.remember(|memory| match &sending {
        Some(shown) => memory.times(&id, step, shown, backoff),
        None => Ok(1),
    });
    let times = match times {
        Ok(times) => times,
        Err(due) => return Ok(again(subject, &observation, due)),
    };

    // A finalizer goes on before anything is said, and a released object may be gone before anything can be. What is tried again has been told
    // before, and so has what came of it.
    let silent = matches!(
        step,
        Step::AddFinalizer | Step::Release(_) | Step::Done(Done::Released)
    );
    if times == 1 && !silent {
        let status = report::status(&subject.object, &observation, step, Timestamp::now());
        tell(subject, &observation, step, status).await?;
    }
    let outcome = act::take(subject, &observation, step).await;
    if let Some(shown) = sending.filter(|_| !matches!(outcome, Err(Obstacle::Early(_)))) {
        subject.remember(|memory| memory.sent(&id, step, shown, times));
    }
    let is_paused = hand(&subject.object, subject.context.options.mode) == Hand::Paused;
    if step == Step::Done(Done::Expired) && !is_paused {
        expiry::clean_up(subject).await?;
    }
    if matches!(outcome, Ok(false)) && !matches!(step, Step::Release(_)) {
        if step == Step::Done(Done::Running) || recorded_id(&subject.object).is_empty() {
            model::look(subject, &observation).await?;
        }
        let rest = rest(subject, &observation, step);
        return retire(subject, &observation, rest).await;
    }
    conclude(subject, &observation, step, times, outcome).await
}

/// While the recorded deployment needs nothing, one that is retiring has its turn. `rest` is when to look again in any case.
async fn retire(
    subject: &Subject<'_>,
    observation: &Observation,
    rest: Action,
) -> Result<Action, kube::Error> {
    let (Some(retiring), Some(access)) = (&observation.retiring, &observation.access) else {
        return Ok(rest);
    };
    let step = retiring.step(&observation.situation);
    let held_back = restraint::restrained(subject, observation, step) != step;
    // The recorded deployment brings the news.
    if held_back || step == Step::Wait(Wait::Successor) {
        return Ok(rest);
    }
    if !matches!(step, Step::Stop | Step::Delete | Step::Forget) {
        subject
            .context
            .inventory
            .set_busy(&access.key, subject.uid, true);
        subject
            .context
            .wait_for_list(&access.key, &subject.object, true);
        return Ok(rest);
    }
    let shown = format!("{:?}", retiring.seen);
    let times = match subject.remember(|memory| memory.times(&retiring.id, step, &shown, backoff)) {
        Ok(times) => times,
        Err(due) => return Ok(again(subject, observation, due)),
    };
    let outcome = act::retire(subject, access, observation, &retiring.id, step).await;
    if !matches!(outcome, Err(Obstacle::Early(_))) {
        subject.remember(|memory| memory.sent(&retiring.id, step, shown, times));
    }
    conclude(subject, observation, step, times, outcome.map(|()| true)).await
}

/// Tells what came of a step, and says when to look again.
async fn conclude(
    subject: &Subject<'_>,
    observation: &Observation,
    step: Step,
    times: u32,
    outcome: Result<act::Changed, Obstacle>,
) -> Result<Action, kube::Error> {
    let id = recorded_id(&subject.object);
    let about_a_deployment = matches!(
        step,
        Step::Stop | Step::Delete | Step::ChangeConfiguration | Step::RollBack
    );
    let hopeless = about_a_deployment && times >= HOPELESS;
    match outcome {
        Ok(true) => {
            info!(?step, times, "done");
            subject.remember(|memory| memory.failures = 0);
            wake::connections(subject.context, wake::connections_of(&subject.object));
            if hopeless {
                fail(subject, &without_effect(&id, step, times)).await?;
            }
            Ok(Action::requeue(Duration::ZERO))
        }
        Ok(false) => Ok(rest(subject, observation, step)),
        Err(Obstacle::Kubernetes(error)) => Err(error),
        Err(Obstacle::Early(due)) => Ok(again(subject, observation, due)),
        Err(Obstacle::Unknown) if !hopeless => {
            Ok(again(subject, observation, pause(subject, None)))
        }
        Err(Obstacle::Unknown) => {
            fail(subject, &without_effect(&id, step, times)).await?;
            Ok(again(subject, observation, pause(subject, None)))
        }
        Err(Obstacle::Remote {
            mut failure,
            retry_after,
        }) => {
            failure.stalled |= hopeless;
            subject.remember(|memory| memory.leave_alone(retry_after.unwrap_or_default()));
            let pause = pause(subject, retry_after);
            warn!(?step, times, reason = %failure.problem.reason, message = failure.problem.message, retry_in = ?pause, "the step had no effect");
            fail(subject, &failure).await?;
            Ok(again(subject, observation, pause))
        }
    }
}

/// What a step that writes to AI Core is sent for: as long as it is the same, sending it again is a repetition.
fn shown(subject: &Subject<'_>, observation: &Observation, step: Step) -> Option<String> {
    let object = &subject.object;
    let remote = observation
        .remote
        .as_ref()
        .map(|remote| (&remote.id, &remote.status, &remote.target_status));
    match step {
        Step::Stop | Step::Delete => Some(format!("{remote:?}")),
        Step::ChangeConfiguration | Step::RollBack => {
            Some(format!("{remote:?} {:?}", wanted(object)))
        }
        Step::Create | Step::Replace | Step::PrepareConfiguration => {
            let previous = object
                .status
                .as_ref()
                .and_then(|status| status.previous_ids.last());
            let key = observation
                .access
                .as_ref()
                .map(|access| access.client.fingerprint());
            Some(format!(
                "{remote:?} {:?} {previous:?} {key:?}",
                object.metadata.generation
            ))
        }
        _ => None,
    }
}

/// Looks again after a pause. What is tried again then is not tried earlier because something else in the group changes.
fn again(subject: &Subject<'_>, observation: &Observation, pause: Duration) -> Action {
    if let Some(access) = &observation.access {
        subject
            .context
            .wait_for_list(&access.key, &subject.object, false);
    }
    Action::requeue(pause)
}

/// AI Core takes a call again and again and nothing comes of it.
fn without_effect(id: &str, step: Step, times: u32) -> Failure {
    let message = format!(
        "{step:?} was sent {times} times for deployment {id} and shows no effect; look at it in SAP AI Launchpad, or ask SAP support. It goes on being tried"
    );
    Failure {
        problem: Problem {
            reason: Reason::WithoutEffect,
            message,
        },
        stalled: true,
    }
}

/// Writes the status, and an event where a goal was reached or a person must act.
async fn tell(
    subject: &Subject<'_>,
    observation: &Observation,
    step: Step,
    status: DeploymentStatus,
) -> Result<(), kube::Error> {
    let told = |status: Option<&DeploymentStatus>| {
        status.and_then(|status| {
            status
                .conditions
                .iter()
                .find(|condition| condition.kind == ConditionKind::Ready)
                .map(|ready| ready.reason.clone())
        })
    };
    let before = subject.object.status.as_ref();
    let news = told(Some(&status)) != told(before);
    let wants_log = log::is_wanted(before, observation, step, news);
    write_status(subject, |current| *current = status).await?;
    if news {
        let verdict = say(&subject.object, observation, step);
        enter(subject, verdict.reason);
        let id = recorded_id(&subject.object);
        match verdict.mood {
            Mood::Settled => {
                let news = match observation.doubtful() {
                    [] => News::good(verdict.reason, &id, verdict.message),
                    _ => News::bad(verdict.reason, &id, verdict.message),
                };
                subject.context.events.publish(&*subject.object, news).await
            }
            Mood::Stalled => {
                subject
                    .context
                    .events
                    .publish(
                        &*subject.object,
                        News::bad(verdict.reason, &id, verdict.message),
                    )
                    .await
            }
            Mood::Reconciling => {}
        }
    }
    if wants_log {
        log::tell(subject, observation).await;
    }
    Ok(())
}

/// Measures the phase that is over, where another one begins.
fn enter(subject: &Subject<'_>, phase: Reason) {
    if let Some((phase, time)) = subject.remember(|memory| memory.enter(phase)) {
        subject.context.metrics.phase_over(phase, time);
    }
}

/// Reports a step that had no effect.
async fn fail(subject: &Subject<'_>, failure: &Failure) -> Result<(), kube::Error> {
    let object = subject.remember(|memory| memory.newest(subject.object.clone()));
    let status = report::failed(&object, failure, Timestamp::now());
    let news = Some(&status) != object.status.as_ref();
    write_status(subject, |current| *current = status).await?;
    if news {
        enter(subject, failure.problem.reason);
        let news = News::bad(failure.problem.reason, "", failure.problem.message.clone());
        subject.context.events.publish(&*object, news).await;
    }
    Ok(())
}

/// Nothing is to be done now: says what to wait for, and when to look again in any case.
fn rest(subject: &Subject<'_>, observation: &Observation, step: Step) -> Action {
    let context = subject.context;
    if observation.problem.is_none() && !matches!(step, Step::Wait(_)) {
        subject.remember(|memory| memory.failures = 0);
    }
    // The late result of a call that was given up may still come.
    let status = subject.object.status.as_ref();
    let lapsed = status.is_some_and(|status| !status.lapsed.is_empty());
    let gone = matches!(step, Step::Release(_) | Step::Done(Done::Released));
    let empty = step == Step::Done(Done::Deleted)
        || step == Step::Done(Done::Stopped) && observation.remote.is_none();
    let nothing_left = gone || empty && !lapsed && observation.doubtful().is_empty();
    if matches!(step, Step::Release(_)) {
        wake::connections(context, wake::connections_of(&subject.object));
    }
    match &observation.access {
        Some(access) if !nothing_left => {
            context
                .inventory
                .set_busy(&access.key, subject.uid, is_moving(step));
            context.wait_for_list(&access.key, &subject.object, needs_list(step));
        }
        access => {
            context.inventory.unwatch(subject.uid);
            if let Some(access) = access {
                context.wait_for_list(&access.key, &subject.object, false);
            }
        }
    }
    // A call besides the lists has failed or brought nothing, or the Connection is not held yet: no list brings news of that.
    let unannounced = matches!(
        step,
        Step::Wait(Wait::Chain | Wait::Comparison) | Step::Stall(Stall::AccessDenied)
    ) || observation.problem.is_some()
        || observation.endpoint.problem.is_some();
    if unannounced {
        let longest = if observation.is_denied() {
            DENIED
        } else {
            Duration::MAX
        };
        return Action::requeue(pause(subject, None).min(longest));
    }
    Action::requeue(observation.recheck.unwrap_or(context.options.resync))
}

/// Whether AI Core is changing the deployment, so that lists are worth asking for often.
fn is_moving(step: Step) -> bool {
    matches!(
        step,
        Step::Wait(
            Wait::Starting
                | Wait::Updating
                | Wait::RollingBack
                | Wait::Stopping
                | Wait::Deleting
                | Wait::Absence
                | Wait::Resolution
                | Wait::UnknownState
                | Wait::Retiring
        )
    )
}

/// Whether any news of the group may matter, and not only news of the object's own deployment.
fn needs_list(step: Step) -> bool {
    matches!(
        step,
        Step::Wait(
            Wait::Observation
                | Wait::Unreachable
                | Wait::Absence
                | Wait::Resolution
                | Wait::Retiring
        ) | Step::Stall(
            Stall::ConnectionUnusable | Stall::NeverSeen | Stall::Ambiguous | Stall::Claimed
        )
    )
}

fn pause(subject: &Subject<'_>, retry_after: Option<Duration>) -> Duration {
    let failures = subject.remember(|memory| {
        memory.failures += 1;
        memory.failures
    });
    backoff(failures).max(retry_after.unwrap_or_default())
}
