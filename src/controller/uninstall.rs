//! Whether an object is deleted only because everything is uninstalled.
//!
//! Whoever deletes the custom resource definition deletes every object with it, and wants the operator gone, not the models. The definition
//! gets its deletionTimestamp before the objects get theirs, so reading it after an object's was seen tells the two apart, whichever watch
//! fires first.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::PartialObjectMeta;
use kube::{Api, Client, CustomResourceExt};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::finalizers;
use super::problem::{Problem, cause};
use crate::api::{Deployment, Reason};

/// The answers of the API server about the definition. One serves every object whose deletion was seen before it was asked for.
#[derive(Default)]
pub(crate) struct Uninstalls {
    newest: Mutex<Option<Answer>>,
}

#[derive(Clone, Copy)]
struct Answer {
    requested_at: Instant,
    under_way: bool,
}

impl Uninstalls {
    /// Whether the definition of Deployments is being deleted, from an answer that was requested at `since` or later.
    pub(crate) async fn under_way(&self, kube: &Client, since: Instant) -> Result<bool, Problem> {
        let mut newest = self.newest.lock().await;
        if let Some(answer) = newest.filter(|answer| answer.requested_at >= since) {
            return Ok(answer.under_way);
        }
        let requested_at = Instant::now();
        let under_way = ask(kube).await.map_err(|error| unanswered(&error))?;
        *newest = Some(Answer {
            requested_at,
            under_way,
        });
        Ok(under_way)
    }
}

async fn ask(kube: &Client) -> Result<bool, kube::Error> {
    let definitions: Api<CustomResourceDefinition> = Api::all(kube.clone());
    let name = Deployment::crd_name();
    let definition: Option<PartialObjectMeta<_>> = definitions.get_metadata_opt(name).await?;
    Ok(definition.is_none_or(|definition| finalizers::is_terminating(&definition)))
}

fn unanswered(error: &kube::Error) -> Problem {
    let message = format!(
        "the definition {} cannot be read ({}), and without it nobody knows whether this object is deleted or everything is uninstalled; allow the \
         operator to get it, as deploy/install.yaml does",
        Deployment::crd_name(),
        cause(error)
    );
    Problem {
        reason: Reason::UninstallUnchecked,
        message,
    }
}
