//! Noticing that the cluster's own memory was set back.
//!
//! When etcd is restored from a backup, everything that was remembered here may be about objects that exist no more, or about versions that are
//! yet to come. Nothing remembered can be trusted then, so the operator ends and starts anew from what is stored. The revision of the store
//! (the `resourceVersion` of a list) never falls otherwise. A watch does not tell: it waits for a version that lies in the future. Where the
//! restored store begins with later revisions (`etcdutl snapshot restore --bump-revision`), the watch lists anew, and its objects come in older
//! versions than before.

use std::time::Duration;

use kube::Api;
use kube::api::ListParams;
use tracing::{error, warn};

use super::context::Context;
use crate::api::Deployment;

const SET_BACK: &str = "the cluster's store was set back, probably restored from a backup; starting anew from what it has now";

/// From one look at the store's revision to the next.
const INTERVAL: Duration = Duration::from_secs(5);

/// Notes that an object came in an older version than before.
pub(crate) fn notice(context: &Context, version: u64, before: u64) {
    error!(version, before, "{SET_BACK}");
    context.rewound.notify_one();
}

/// Returns when the store was set back.
pub(crate) async fn wait(context: &Context) {
    tokio::select! {
        () = watch_revision(context) => {}
        () = context.rewound.notified() => {}
    }
}

async fn watch_revision(context: &Context) {
    let deployments: Api<Deployment> = match &context.options.namespace {
        Some(namespace) => Api::namespaced(context.kube.clone(), namespace),
        None => Api::all(context.kube.clone()),
    };
    let mut highest = 0;
    loop {
        match revision(&deployments).await {
            Ok(Some(revision)) if revision < highest => {
                error!(revision, highest, "{SET_BACK}");
                return;
            }
            Ok(revision) => highest = revision.unwrap_or(highest),
            Err(error) => warn!(%error, "the revision of the cluster's store could not be read"),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The revision of the store; none where the API server gives no number.
async fn revision(deployments: &Api<Deployment>) -> Result<Option<u64>, kube::Error> {
    let list = deployments
        .list_metadata(&ListParams::default().limit(1))
        .await?;
    let version = list.metadata.resource_version;
    Ok(version.and_then(|version| version.parse().ok()))
}
