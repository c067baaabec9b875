//! The ConfigMap that tells applications how to reach a deployment.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ObjectMeta, PostParams, Preconditions};
use kube::{Api, Resource, ResourceExt};
use serde_json::json;
use tokio::time::Instant;
use tracing::{info, warn};

use super::act::status::write_status;
use super::observe::Observation;
use super::problem::{Problem, cause};
use super::subject::Subject;
use super::tell::report;
use crate::api::{Deployment, Reason};
use crate::lifecycle::situation::{Others, Record, Remote};

const URL: &str = "AICORE_DEPLOYMENT_URL";
const ID: &str = "AICORE_DEPLOYMENT_ID";
const GROUP: &str = "AICORE_RESOURCE_GROUP";
const HEADERS: &str = "AICORE_DEPLOYMENT_HEADERS";

/// The header without which AI Core does not know where a deployment lives (AI Core API, `AI-Resource-Group`).
const GROUP_HEADER: &str = "AI-Resource-Group";

const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "aicore-operator");

/// What was written, and when.
pub(crate) type Published = (String, BTreeMap<String, String>, Instant);

/// How the ConfigMap stands.
#[derive(Debug, Default)]
pub(crate) struct Endpoint {
    /// Its name, where there is one of the object's.
    pub(crate) config_map: Option<String>,
    /// What is in the way.
    pub(crate) problem: Option<Problem>,
}

/// Keeps the ConfigMap up to date that the spec asks for, and takes away one that it asks for no more.
pub(crate) async fn publish(
    subject: &Subject<'_>,
    observation: &Observation,
) -> Result<Endpoint, kube::Error> {
    let object = &subject.object;
    let recorded = object
        .status
        .as_ref()
        .and_then(|status| status.endpoint.clone());
    let situation = &observation.situation;
    if situation.goal.is_terminating() || !situation.finalizer {
        // It goes with its object, and nothing can be made in a namespace that goes.
        return Ok(Endpoint {
            config_map: recorded,
            problem: None,
        });
    }
    let named = object.spec.endpoint.as_ref().map(|it| &it.config_map_name);
    let former = recorded.filter(|former| named != Some(former));
    if let Some(former) = &former {
        withdraw(subject, former).await?;
    }
    let Some(name) = named else {
        return Ok(Endpoint::default());
    };
    let problem = match data(object, observation) {
        Some(data) => keep(subject, name, data).await?,
        None => None,
    };
    // What could not be written may have been, all the same.
    let is_theirs = |problem: &Problem| problem.reason == Reason::EndpointTaken;
    let may_be_ours = !problem.as_ref().is_some_and(is_theirs);
    Ok(Endpoint {
        config_map: may_be_ours.then(|| name.clone()),
        problem,
    })
}

/// Writes what is new, and what was not looked at for a while. Gives what is in the way.
async fn keep(
    subject: &Subject<'_>,
    name: &str,
    data: BTreeMap<String, String>,
) -> Result<Option<Problem>, kube::Error> {
    let age = subject.context.options.resync;
    let is_known = subject.remember(|memory| {
        memory
            .published
            .as_ref()
            .is_some_and(|(at, written, since)| {
                at == name && *written == data && since.elapsed() < age
            })
    });
    if is_known {
        return Ok(None);
    }
    let maps = config_maps(subject);
    let written = match maps.get_opt(name).await {
        Ok(None) => {
            // Named before it is made: whatever interrupts what follows, it is known what to take away.
            write_status(subject, |status| status.endpoint = Some(name.to_owned())).await?;
            create(subject, &maps, name, &data).await
        }
        Ok(Some(present)) if is_ours(&subject.object, &present) => {
            update(&maps, name, present, &data).await.map(|()| true)
        }
        Ok(Some(_)) => Ok(false),
        Err(error) => Err(error),
    };
    let problem = match written {
        Ok(true) => {
            let published = (name.to_owned(), data, Instant::now());
            subject.remember(|memory| memory.published = Some(published));
            None
        }
        Ok(false) => Some(Problem {
            reason: Reason::EndpointTaken,
            message: format!(
                "ConfigMap {name} exists and was not made for this object, so it is left alone; delete it, or name another one in \
                 spec.endpoint.configMapName"
            ),
        }),
        Err(error) => Some(Problem {
            reason: Reason::EndpointNotWritten,
            message: format!(
                "ConfigMap {name} cannot be written ({}); it is tried again",
                cause(&error)
            ),
        }),
    };
    Ok(problem)
}

/// What an application needs, or nothing where nobody knows at the moment whether it has changed.
fn data(object: &Deployment, observation: &Observation) -> Option<BTreeMap<String, String>> {
    let serving = match (&observation.remote, observation.situation.record) {
        (Some(remote), _) if report::available(object, observation) => {
            let url = remote.deployment_url.clone().unwrap_or_default();
            Some((url, remote.id.clone()))
        }
        // The one that is being replaced may serve, and the ConfigMap speaks of it.
        _ if observation.situation.others == Others::Retiring => return None,
        (Some(_), _) | (None, Record::Nothing { .. } | Record::Intent(_)) => None,
        (
            None,
            Record::Deployment {
                remote: Remote::Absent { .. },
                ..
            },
        ) => None,
        (None, Record::Deployment { .. }) => return None,
    };
    let (url, id) = serving.unwrap_or_default();
    let group = &object.spec.resource_group;
    let data = [
        (URL, url),
        (ID, id),
        (GROUP, group.clone()),
        (HEADERS, json!({GROUP_HEADER: group}).to_string()),
    ];
    Some(
        data.into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

/// Makes the ConfigMap; false where somebody was faster, and the next look tells who.
async fn create(
    subject: &Subject<'_>,
    maps: &Api<ConfigMap>,
    name: &str,
    data: &BTreeMap<String, String>,
) -> Result<bool, kube::Error> {
    let (label, value) = MANAGED_BY;
    let owner = subject.object.controller_owner_ref(&());
    let map = ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(BTreeMap::from([(label.to_owned(), value.to_owned())])),
            owner_references: owner.map(|owner| vec![owner]),
            ..Default::default()
        },
        data: Some(data.clone()),
        ..Default::default()
    };
    match maps.create(&PostParams::default(), &map).await {
        Ok(_) => {
            info!(config_map = name, "endpoint published");
            Ok(true)
        }
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes what is new into the object's ConfigMap.
async fn update(
    maps: &Api<ConfigMap>,
    name: &str,
    mut present: ConfigMap,
    data: &BTreeMap<String, String>,
) -> Result<(), kube::Error> {
    if present.data.as_ref() != Some(data) {
        present.data = Some(data.clone());
        maps.replace(name, &PostParams::default(), &present).await?;
        info!(config_map = name, "endpoint updated");
    }
    Ok(())
}

/// Takes the ConfigMap away before the object goes. Where that fails, the cluster's garbage collector does it later.
pub(crate) async fn leave(subject: &Subject<'_>) {
    let status = subject.object.status.as_ref();
    if let Some(name) = status.and_then(|status| status.endpoint.as_ref())
        && let Err(error) = withdraw(subject, name).await
    {
        warn!(config_map = name, %error, "the endpoint could not be taken away");
    }
}

/// Deletes a ConfigMap that the spec names no more, if it is the object's.
async fn withdraw(subject: &Subject<'_>, name: &str) -> Result<(), kube::Error> {
    let maps = config_maps(subject);
    subject.remember(|memory| memory.published = None);
    let Some(present) = maps
        .get_opt(name)
        .await?
        .filter(|map| is_ours(&subject.object, map))
    else {
        return Ok(());
    };
    let unchanged = DeleteParams {
        preconditions: Some(Preconditions {
            uid: present.uid(),
            resource_version: present.resource_version(),
        }),
        ..Default::default()
    };
    match maps.delete(name, &unchanged).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Whether a ConfigMap was made for the object.
fn is_ours(object: &Arc<Deployment>, map: &ConfigMap) -> bool {
    let owner = map
        .owner_references()
        .iter()
        .find(|owner| owner.controller == Some(true));
    owner.is_some_and(|owner| Some(&owner.uid) == object.meta().uid.as_ref())
}

fn config_maps(subject: &Subject<'_>) -> Api<ConfigMap> {
    let namespace = subject.object.namespace().unwrap_or_default();
    Api::namespaced(subject.context.kube.clone(), &namespace)
}
