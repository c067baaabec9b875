//! Taking the finalizer off, and keeping a record where a person has forced it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, ResourceExt};
use tracing::{info, warn};

use super::Changed;
use super::obstacle::Obstacle;
use crate::api::{DEPLOYMENT_FINALIZER, Deployment, Reason};
use crate::controller::connection::left;
use crate::controller::observe::Observation;
use crate::controller::problem::{Failure, Problem, cause};
use crate::controller::subject::{Subject, force_release_reason, owns};
use crate::controller::tell::events::News;
use crate::controller::tell::words::{recorded_id, say};
use crate::controller::{endpoint, finalizers};
use crate::lifecycle::Step;
use crate::lifecycle::step::Release;

/// The label that every record of a forced release carries.
const RECORD_LABEL: (&str, &str) = ("aicore.dev/record", "force-release");

/// Takes the finalizer off. The object may be gone at once, so everything about it is told before.
pub(super) async fn release(
    subject: &Subject<'_>,
    observation: &Observation,
    release: Release,
) -> Result<Changed, Obstacle> {
    match release {
        Release::Forced => {
            keep_record(subject).await?;
            // The record is what counts: a person has forced it, perhaps because nothing else works.
            if let Err(error) = left::keep(subject.context, &subject.object).await {
                warn!(%error, "the Connection could not keep what is left behind");
            }
        }
        // Who has only looked on leaves nothing: it may be another object's.
        Release::Orphaned if owns(&subject.object) => {
            left::keep(subject.context, &subject.object).await?
        }
        _ => {}
    }
    endpoint::leave(subject).await;
    let note = say(&subject.object, observation, Step::Release(release)).message;
    let id = recorded_id(&subject.object);
    let news = match release {
        Release::NeverCreated if !observation.doubtful().is_empty() => {
            News::bad(Reason::Released, &id, note)
        }
        Release::Gone | Release::NeverCreated => News::good(Reason::Released, &id, note),
        Release::Orphaned | Release::Uninstalled => News::bad(Reason::Orphaned, &id, note),
        Release::Forced => News::bad(Reason::ForceReleased, &id, note),
        Release::NeverSeen | Release::Unchecked | Release::ClaimedByAnother => {
            News::bad(Reason::Released, &id, note)
        }
    };
    let api = subject
        .context
        .deployments_in(&subject.object.namespace().unwrap_or_default());
    let object = finalizers::remove(&api, &*subject.object, DEPLOYMENT_FINALIZER).await?;
    info!(?release, deployment = id, "finalizer taken off");
    if release == Release::Forced {
        subject.context.metrics.forced_release();
    }
    subject.remember(|memory| memory.wrote(object));
    subject.context.events.publish(&*subject.object, news).await;
    Ok(false)
}

/// Writes down what a person lets go of, in the operator's own namespace: the object and its namespace may be gone a moment later. A record
/// that is there already is from a try whose release failed.
async fn keep_record(subject: &Subject<'_>) -> Result<(), Obstacle> {
    let context = subject.context;
    let records: Api<ConfigMap> = Api::namespaced(context.kube.clone(), &context.own_namespace);
    let record = record(&subject.object, Timestamp::now());
    let name = record.name_any();
    match records.create(&PostParams::default(), &record).await {
        Ok(_) => {
            warn!(
                record = name,
                namespace = context.own_namespace,
                "a person forces the release of this object"
            );
            Ok(())
        }
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        Err(error) => {
            let message = format!(
                "the release is forced, but its record cannot be written to ConfigMap {name} in namespace {} ({}); without a record nothing is let \
                 go. It is tried again",
                context.own_namespace,
                cause(&error)
            );
            Err(Obstacle::Remote {
                failure: Failure {
                    problem: Problem {
                        reason: Reason::RecordNotWritten,
                        message,
                    },
                    stalled: true,
                },
                retry_after: None,
            })
        }
    }
}

/// The record of a forced release: who, what is left where, why, and when.
fn record(object: &Deployment, now: Timestamp) -> ConfigMap {
    let status = object.status.clone().unwrap_or_default();
    let uid = object.uid().unwrap_or_default();
    let mut data = BTreeMap::from([
        ("namespace", object.namespace().unwrap_or_default()),
        ("name", object.name_any()),
        ("uid", uid.clone()),
        ("resourceGroup", object.spec.resource_group.clone()),
        (
            "reason",
            force_release_reason(object).unwrap_or_default().to_owned(),
        ),
        ("time", now.to_string()),
    ]);
    if let Some(tenant) = status.tenant {
        data.insert("apiUrl", tenant.api_url);
        data.insert("identityZoneId", tenant.identity_zone_id);
    }
    if let Some(intent) = status.intent {
        data.insert("createCallFromConfiguration", intent.configuration_id);
    }
    let retiring = status.retiring.into_iter().map(|retiring| retiring.id);
    let recorded = status.deployment.map(|deployment| deployment.id);
    let left: Vec<String> = recorded.into_iter().chain(retiring).collect();
    data.insert("deploymentIds", left.join(" "));
    let (key, value) = RECORD_LABEL;
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(format!("force-release-{uid}")),
            labels: Some(BTreeMap::from([(key.to_owned(), value.to_owned())])),
            ..Default::default()
        },
        data: Some(
            data.into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        ),
        immutable: Some(true),
        ..Default::default()
    }
}
