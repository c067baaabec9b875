//! Creating a deployment without an idempotency key: announce, call, record.
//!
//! The intent is written with the version of the object that was looked at, so a stale view fails before any harm. Once it is written, this is
//! the only place that makes the call, and only once: whoever finds an intent later looks for its result and never calls.

use std::time::Duration;

use kube::ResourceExt;
use kube::api::PostParams;
use tracing::{info, warn};

use super::obstacle::Obstacle;
use super::replace::{make_way, take_back};
use super::status::{record, write_status};
use crate::aicore::{Error, Observed};
use crate::api::{Deployment, DeploymentStatus, Intent, Reason};
use crate::controller::finalizers;
use crate::controller::observe::access::Access;
use crate::controller::problem::{Failure, Problem};
use crate::controller::subject::{Subject, Wanted, configuration_to_create};
use crate::controller::tell::events::News;
use crate::controller::tell::words::recorded_id;

/// How often writing the new id is tried before the intent is left to tell the tale.
const ATTEMPTS: u32 = 5;

/// Creates the object's deployment, or the successor of the one that it has.
pub(crate) async fn create(subject: &Subject<'_>, access: &Access) -> Result<(), Obstacle> {
    let Wanted::Configuration(configuration) = configuration_to_create(&subject.object) else {
        return Ok(());
    };
    let Some(_alone) = subject.context.create_alone(&access.key, &configuration) else {
        return Err(Obstacle::Early(subject.context.options.inventory.busy));
    };
    let intent = announce(subject, access, &configuration).await?;
    subject.remember(|memory| memory.is_new = false);
    let answer = access
        .client
        .create_deployment(&access.key.group, &configuration, intent.ttl.as_deref())
        .await;
    subject.remember(|memory| memory.unsettle());
    match answer {
        Ok(id) => {
            let kept = keep(subject, access, &intent, &id).await;
            if matches!(kept, Ok(false)) || kept.as_ref().is_err_and(Obstacle::is_refusal) {
                // The open intent leads back to the deployment; a reservation that no status backs would hide it.
                subject.context.claims.unreserve(subject.uid);
            }
            kept.map(drop)
        }
        Err(error) if error.outcome_unknown() => {
            warn!(%error, "the create call may or may not have had its effect");
            Err(Obstacle::remote(
                access,
                &error,
                Some(Reason::CreateUnresolved),
                false,
            ))
        }
        Err(error) => {
            let replaces = !recorded_id(&subject.object).is_empty();
            let obstacle = refused(access, &error, replaces);
            // A configuration that AI Core does not take, and that this process has not seen there, may be one of another tenant or of a
            // former group: it is looked for anew.
            let prepared = subject.remember(|memory| memory.prepared.clone())
                == Some((access.key.clone(), configuration.clone()));
            let doubtful = !prepared
                && matches!(&obstacle, Obstacle::Remote { failure, .. } if failure.stalled);
            close(subject, &intent, |status| {
                status.intent = None;
                take_back(status);
                status
                    .configuration
                    .take_if(|configuration| doubtful && configuration.content_hash.is_some());
            })
            .await?;
            Err(obstacle)
        }
    }
}

/// Writes the intent. It is too early when no fresh list is at hand: the deployments that exist before the call must be known.
async fn announce(
    subject: &Subject<'_>,
    access: &Access,
    configuration: &str,
) -> Result<Intent, Obstacle> {
    let since = subject.remember(|memory| memory.unsettled_since);
    let Observed::Fresh(snapshot) = subject.context.inventory.observe(&access.key, Some(since))
    else {
        return Err(Obstacle::Early(subject.context.options.inventory.busy));
    };
    // Also what belongs to somebody: it may be let go before this call is resolved.
    let known = snapshot
        .iter()
        .filter(|deployment| [configuration, ""].contains(&deployment.configuration_id.as_str()))
        .map(|deployment| deployment.id.clone())
        .collect();
    let serial = subject
        .object
        .status
        .as_ref()
        .map_or(0, |status| status.create_serial)
        + 1;
    let intent = Intent {
        serial,
        nonce: subject.object.resource_version().unwrap_or_default(),
        configuration_id: configuration.to_owned(),
        ttl: subject.object.spec.ttl.clone(),
        known,
        announced_at: snapshot.date.map(|date| date.to_string()),
        holder: Some(subject.context.lease.clone()),
    };
    write_status(subject, |status| {
        make_way(status);
        status.intent = Some(intent.clone());
        status.create_serial = serial;
        access.note(status);
    })
    .await?;
    let replaced = recorded_id(&subject.object);
    if !replaced.is_empty() {
        let note = format!(
            "deployment {replaced} cannot be given configuration {configuration}, which is of another scenario or executable: a new deployment with a new \
             id and a new URL is created, and {replaced} serves until that runs"
        );
        let news = News::good(Reason::Replacing, &replaced, note);
        subject.context.events.publish(&*subject.object, news).await;
    }
    Ok(intent)
}

/// Records the id that the call returned. True when it is recorded.
async fn keep(
    subject: &Subject<'_>,
    access: &Access,
    intent: &Intent,
    id: &str,
) -> Result<bool, Obstacle> {
    info!(
        deployment = id,
        configuration = intent.configuration_id,
        serial = intent.serial,
        "deployment created"
    );
    if !subject
        .context
        .claims
        .reserve(subject.uid, &access.key, id, &subject.context.realm_of())
    {
        warn!(
            deployment = id,
            "another object has claimed the new deployment; the intent stays open"
        );
        return Ok(false);
    }
    subject.remember(|memory| memory.created = Some((intent.key(), id.to_owned())));
    if !close(subject, intent, |status| record(status, access, id)).await? {
        return Ok(false);
    }
    let mut note = format!(
        "deployment {id} was created from configuration {}",
        intent.configuration_id
    );
    let status = subject.object.status.as_ref();
    let replaced = recorded_id(&subject.object);
    if !replaced.is_empty() {
        note = format!("{note}; it takes the place of {replaced} as soon as it runs");
    } else if let Some(previous) = status.and_then(|status| status.previous_ids.last()) {
        note = format!("{note}; it takes the place of {previous}, with a new id and a new URL");
    }
    subject
        .context
        .events
        .publish(&*subject.object, News::good(Reason::Created, id, note))
        .await;
    Ok(true)
}

/// Writes what became of the call. The object may have been edited meanwhile, so this write starts from its newest version, and it is tried
/// several times. False when the object is not the one that announced the call any more.
async fn close(
    subject: &Subject<'_>,
    intent: &Intent,
    change: impl Fn(&mut DeploymentStatus),
) -> Result<bool, Obstacle> {
    let api = subject
        .context
        .deployments_in(&subject.object.namespace().unwrap_or_default());
    let mut attempt = 0;
    loop {
        let mut object =
            Deployment::clone(&subject.remember(|memory| memory.newest(subject.object.clone())));
        let status = object.status.get_or_insert_default();
        if status.intent.as_ref() != Some(intent) {
            return Ok(false);
        }
        change(status);
        let error = match api
            .replace_status(&object.name_any(), &PostParams::default(), &object)
            .await
        {
            Ok(written) => {
                subject.context.claims.refresh(&written);
                subject.remember(|memory| memory.wrote(written));
                return Ok(true);
            }
            Err(error) => error,
        };
        attempt += 1;
        if attempt == ATTEMPTS {
            return Err(error.into());
        }
        warn!(%error, "what became of the create call could not be recorded; trying again");
        tokio::time::sleep(Duration::from_millis(200) * attempt).await;
        if finalizers::is_stale(&error) {
            let newest = api.get(&object.name_any()).await?;
            subject.context.claims.refresh(&newest);
            subject.remember(|memory| memory.wrote(newest));
        }
    }
}

/// AI Core has refused to create. No error code is published for an exhausted quota, so it is recognised by its text.
fn refused(access: &Access, error: &Error, replaces: bool) -> Obstacle {
    let text = error.to_string();
    let about_quota = ["quota", "limit"]
        .iter()
        .any(|word| text.to_ascii_lowercase().contains(word));
    match error {
        Error::Rejected(_) if about_quota => {
            let advice = match replaces {
                true => {
                    "The present deployment serves on and counts, too; where there is no room for both, set update.replace to DeleteFirst"
                }
                false => "Deployments that are stopped count until they are deleted",
            };
            let message = format!("{text}. {advice}; it is tried again");
            let failure = Failure {
                problem: Problem {
                    reason: Reason::QuotaExceeded,
                    message,
                },
                stalled: false,
            };
            Obstacle::Remote {
                failure,
                retry_after: error.retry_after(),
            }
        }
        Error::Rejected(_) | Error::NotFound(_) => {
            Obstacle::remote(access, error, Some(Reason::InvalidConfiguration), true)
        }
        _ => Obstacle::remote(access, error, None, false),
    }
}
