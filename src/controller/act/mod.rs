//! The effects: one for each step that changes something, in Kubernetes or in AI Core.

pub(crate) mod obstacle;
pub(crate) mod status;

mod configuration;
mod create;
mod release;
mod replace;
mod retire;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::aicore::{Error, Rejection, Verb};
use crate::api::{
    DEPLOYMENT_FINALIZER, DeploymentStatus, Reason, RecordedConfiguration, SentConfiguration,
};
use crate::controller::finalizers;
use crate::controller::observe::Observation;
use crate::controller::observe::access::{self, Access};
use crate::controller::subject::{Subject, Wanted, hand, looks_on, wanted};
use crate::controller::tell::events::News;
use crate::controller::tell::words::{present, recorded_id, say};
use crate::lifecycle::situation::{Record, State, Target};
use crate::lifecycle::{Hand, Step};
use obstacle::Obstacle;
use status::{record, write_status};

/// How many ids of earlier deployments a status keeps.
const MAXIMUM_PREVIOUS: usize = 20;

/// How many create calls that were given up a status keeps.
const MAXIMUM_LAPSED: usize = 5;

/// What to do where AI Core does not take another configuration for a dead deployment any more.
const DEAD_FOR_TOO_LONG: &str = ". AI Core takes another configuration for a dead deployment for 7 days; after that set desiredState to Deleted and back to \
     Running for a new one";

/// Whether the object should be looked at again at once.
pub(crate) type Changed = bool;

pub(crate) use configuration::look as look_for_configuration;
pub(crate) use retire::go_on as retire;

/// Takes a step.
pub(crate) async fn take(
    subject: &Subject<'_>,
    observation: &Observation,
    step: Step,
) -> Result<Changed, Obstacle> {
    match step {
        Step::AddFinalizer => add_finalizer(subject).await?,
        Step::Release(release) => return release::release(subject, observation, release).await,
        Step::Wait(_) | Step::Stall(_) | Step::Done(_) => return Ok(false),
        Step::ClearIntent => give_up(subject).await?,
        Step::Forget => forget(subject).await?,
        Step::TakeBack => replace::return_to_predecessor(subject).await?,
        Step::Retire
        | Step::Take
        | Step::PrepareConfiguration
        | Step::Create
        | Step::Replace
        | Step::Stop
        | Step::Delete
        | Step::RollBack
        | Step::ChangeConfiguration => {
            let access = observation
                .access
                .as_ref()
                .expect("the rules allow these steps only with a ready connection");
            match step {
                Step::Retire => retire::record(subject, access, observation).await?,
                Step::Take => take_found(subject, access, observation).await?,
                Step::PrepareConfiguration => configuration::prepare(subject, access).await?,
                Step::Create | Step::Replace => create::create(subject, access).await?,
                Step::RollBack => replace::roll_back(subject, access, observation).await?,
                Step::Stop => {
                    let note = say(&subject.object, observation, Step::Stop).message;
                    let id = recorded_id(&subject.object);
                    announce_end(subject, &id).await?;
                    send_stop(subject, access, &id, note).await?;
                }
                Step::Delete => {
                    let note = say(&subject.object, observation, Step::Delete).message;
                    let id = recorded_id(&subject.object);
                    announce_end(subject, &id).await?;
                    delete(subject, access, &id, note).await?;
                }
                _ => change_configuration(subject, access, observation).await?,
            }
        }
    }
    Ok(true)
}

async fn add_finalizer(subject: &Subject<'_>) -> Result<(), Obstacle> {
    let api = subject
        .context
        .deployments_in(&subject.object.namespace().unwrap_or_default());
    let object = finalizers::add(&api, &*subject.object, DEPLOYMENT_FINALIZER).await?;
    subject.remember(|memory| {
        memory.wrote(object);
        memory.is_new = true;
    });
    Ok(())
}

/// Gives up a create call that had no effect for as long as a call can take. It is kept, so that an even later result is recognised.
async fn give_up(subject: &Subject<'_>) -> Result<(), Obstacle> {
    subject.remember(|memory| memory.unsettle());
    let given_up = write_status(subject, |status| {
        give_up_call(status);
        replace::take_back(status);
    });
    Ok(given_up.await?)
}

fn give_up_call(status: &mut DeploymentStatus) {
    status.lapsed.extend(status.intent.take());
    let surplus = status.lapsed.len().saturating_sub(MAXIMUM_LAPSED);
    status.lapsed.drain(..surplus);
}

/// Records a deployment that was found to be the object's. Nothing is written to AI Core.
async fn take_found(
    subject: &Subject<'_>,
    access: &Access,
    observation: &Observation,
) -> Result<(), Obstacle> {
    // Where there are several, all of them go, and each is taken in its turn.
    let Some(id) = observation.candidates.first() else {
        return Ok(());
    };
    if adopted(subject) == Some(id) && !access::grant_stands(subject.context, access).await? {
        return Err(Obstacle::Early(subject.context.options.inventory.busy));
    }
    let claims = &subject.context.claims;
    // Another object may have held it and let it go since it was found.
    let is_result = matches!(observation.situation.record, Record::Intent(_));
    let is_past = is_result && adopted(subject) != Some(id) && claims.was_recorded(id);
    let realm_of = subject.context.realm_of();
    let looks_on = looks_on(&subject.object);
    let is_held = || looks_on || claims.reserve(subject.uid, &access.key, id, &realm_of);
    if is_past || !is_held() {
        // Another object has just taken it; a moment later that is seen.
        return Err(Obstacle::Early(subject.context.options.inventory.busy));
    }
    let present = present(observation).map(|present| present.state);
    let recorded = write_status(subject, |status| {
        match present {
            Some(State::Stopped | State::Completed | State::Dead) => replace::retire(status),
            Some(_) => replace::make_way(status),
            None => {}
        }
        let gone = status.deployment.take();
        if observation.call_stays_open {
            give_up_call(status);
        }
        record(status, access, id);
        status.observed_only = looks_on;
        if let Some(gone) = gone {
            remember_gone(status, gone.id, adopted(subject));
        }
    })
    .await;
    if let Err(error) = recorded {
        // Where the write may have been made all the same, nobody else may take it.
        if finalizers::is_stale(&error) {
            subject.context.claims.unreserve(subject.uid);
        }
        return Err(error.into());
    }
    let note = match looks_on {
        true => format!("deployment {id} is observed by this object from now on"),
        false => format!("deployment {id} is managed by this object from now on"),
    };
    subject
        .context
        .events
        .publish(&*subject.object, News::good(Reason::Taken, id, note))
        .await;
    Ok(())
}

async fn forget(subject: &Subject<'_>) -> Result<(), Obstacle> {
    let id = recorded_id(&subject.object);
    let keep_configuration = wanted(&subject.object) == Wanted::Nothing;
    subject.remember(|memory| memory.unsettle());
    write_status(subject, |status| {
        let gone = status.deployment.take().unwrap_or_default();
        if keep_configuration {
            // An adopted deployment can be made anew only from the configuration that it had.
            status.configuration = gone.configuration_id.map(|id| RecordedConfiguration {
                id,
                ..Default::default()
            });
        }
        remember_gone(status, gone.id, adopted(subject));
        status.stop_sent_for = None;
        status.observed_only = false;
        replace::take_back(status);
    })
    .await?;
    subject.context.claims.unreserve(subject.uid);
    subject.remember(|memory| memory.forget(&id));
    let note = format!("deployment {id} is gone from AI Core");
    subject
        .context
        .events
        .publish(
            &*subject.object,
            News::good(Reason::DeploymentGone, &id, note),
        )
        .await;
    Ok(())
}

/// The deployment that the spec names.
fn adopted<'a>(subject: &'a Subject<'_>) -> Option<&'a str> {
    let adopt = subject.object.spec.adopt.as_ref();
    adopt.map(|adopt| adopt.deployment_id.as_str())
}

/// Notes that a deployment is gone.
fn remember_gone(status: &mut DeploymentStatus, id: String, adopted: Option<&str>) {
    status.previous_ids.retain(|previous| *previous != id);
    status.previous_ids.push(id);
    while status.previous_ids.len() > MAXIMUM_PREVIOUS {
        // An adopted deployment that is forgotten would be adopted again.
        let mut ids = status.previous_ids.iter();
        let oldest = ids.position(|id| Some(id.as_str()) != adopted);
        status.previous_ids.remove(oldest.unwrap_or_default());
    }
}

/// Records that a stop or delete is ours before it is sent, so that nobody mistakes it for somebody else's after a crash.
async fn announce_end(subject: &Subject<'_>, id: &str) -> Result<(), Obstacle> {
    let announced = write_status(subject, |status| {
        status.stop_sent_for = Some(id.to_owned());
    });
    Ok(announced.await?)
}

async fn send_stop(
    subject: &Subject<'_>,
    access: &Access,
    id: &str,
    note: String,
) -> Result<(), Obstacle> {
    subject.remember(|memory| memory.about(id).stopping());
    let answer = send(subject, access, id, Verb::Stop).await;
    settle(
        subject,
        access,
        answer,
        Refusal::passing(Reason::StopRefused),
    )?;
    subject.remember(|memory| memory.about(id).accept(Target::Stopped));
    subject
        .context
        .events
        .publish(&*subject.object, News::good(Reason::Stopping, id, note))
        .await;
    Ok(())
}

async fn delete(
    subject: &Subject<'_>,
    access: &Access,
    id: &str,
    note: String,
) -> Result<(), Obstacle> {
    let answer = send(subject, access, id, Verb::Delete).await;
    settle(
        subject,
        access,
        answer,
        Refusal::passing(Reason::DeleteRefused),
    )?;
    subject.remember(|memory| memory.about(id).accept(Target::Deleted));
    subject
        .context
        .events
        .publish(&*subject.object, News::good(Reason::Deleting, id, note))
        .await;
    Ok(())
}

/// Stops or deletes a deployment, together with others where the server takes that.
async fn send(subject: &Subject<'_>, access: &Access, id: &str, verb: Verb) -> Result<(), Error> {
    let batcher = &subject.context.batcher;
    let still_wanted = still_wanted(subject);
    batcher
        .send(&access.client, &access.key, id, verb, still_wanted)
        .await
}

/// Whether the cache has no newer spec than the one that was decided about, nor another object of its name, nor a pause: a change may wait
/// before it is sent. A deletion makes a new generation, too.
fn still_wanted(subject: &Subject<'_>) -> impl Fn() -> bool + Send + Sync + 'static {
    let cache = subject.context.deployments.clone();
    let object = ObjectRef::from_obj(&*subject.object);
    let uid = subject.object.uid();
    let generation = subject.object.metadata.generation;
    let mode = subject.context.options.mode;
    move || {
        cache.get(&object).is_some_and(|newest| {
            newest.uid() == uid
                && newest.metadata.generation <= generation
                // The cache may not know yet that the deployment is the object's own by now.
                && matches!(hand(&newest, mode), Hand::Manage | Hand::Unclaimed)
        })
    }
}

async fn change_configuration(
    subject: &Subject<'_>,
    access: &Access,
    observation: &Observation,
) -> Result<(), Obstacle> {
    let id = recorded_id(&subject.object);
    let Wanted::Configuration(configuration) = wanted(&subject.object) else {
        return Ok(());
    };
    let dead = present(observation).is_some_and(|present| present.state == State::Dead);
    let refusal = Refusal {
        advice: match dead {
            true => DEAD_FOR_TOO_LONG,
            false => "",
        },
        ..Refusal::stalling(Reason::InvalidConfiguration)
    };
    change(subject, access, &id, &configuration, refusal).await?;
    let note = format!("deployment {id} is given configuration {configuration}; its URL stays");
    subject
        .context
        .events
        .publish(&*subject.object, News::good(Reason::Updating, &id, note))
        .await;
    Ok(())
}

/// Gives a deployment a configuration, and records that AI Core has accepted it.
async fn change(
    subject: &Subject<'_>,
    access: &Access,
    id: &str,
    configuration: &str,
    refusal: Refusal,
) -> Result<(), Obstacle> {
    let group = &access.key.group;
    let answer = access
        .client
        .change_configuration(group, id, configuration)
        .await;
    settle(subject, access, answer, refusal)?;
    subject.remember(|memory| memory.about(id).changing());
    let sent = SentConfiguration {
        deployment_id: id.to_owned(),
        configuration_id: configuration.to_owned(),
    };
    Ok(write_status(subject, |status| status.configuration_sent = Some(sent)).await?)
}

/// What a refused call means.
struct Refusal {
    reason: Reason,
    /// Whether a person must act. Otherwise our view was old, and it is told in case that it stays.
    stalled: bool,
    /// What to add for a person who must act.
    advice: &'static str,
}

impl Refusal {
    fn passing(reason: Reason) -> Self {
        Self {
            reason,
            stalled: false,
            advice: "",
        }
    }

    fn stalling(reason: Reason) -> Self {
        Self {
            stalled: true,
            ..Self::passing(reason)
        }
    }
}

/// Ends a call about a deployment. Whatever the answer was, only a list requested after it tells what is the case now.
fn settle(
    subject: &Subject<'_>,
    access: &Access,
    answer: Result<(), Error>,
    refusal: Refusal,
) -> Result<(), Obstacle> {
    subject.remember(|memory| memory.unsettle());
    match answer {
        Ok(()) => Ok(()),
        Err(Error::Withdrawn) => Err(Obstacle::Early(subject.context.options.inventory.busy)),
        Err(Error::NotFound(_)) if !refusal.stalled => Err(Obstacle::Unknown),
        // The same call may be accepted in another state, so a conflict says nothing against the configuration.
        Err(
            error @ (Error::Rejected(Rejection {
                status: 409 | 412, ..
            })
            | Error::RefusedInBulk(_)),
        ) => {
            let reason = if refusal.stalled {
                Reason::UpdateRefused
            } else {
                refusal.reason
            };
            Err(Obstacle::remote(access, &error, Some(reason), false))
        }
        Err(error @ (Error::Rejected(_) | Error::NotFound(_))) => {
            let obstacle = Obstacle::remote(access, &error, Some(refusal.reason), refusal.stalled);
            Err(obstacle.with_advice(refusal.advice))
        }
        Err(error) => Err(Obstacle::remote(access, &error, None, false)),
    }
}
