//! Whether a namespace may use a Connection of another one. Its labels are read from the API server and count for some seconds.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::{Api, Client, ResourceExt};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::views::ConnectionName;
use crate::api::AccessGrant;
use crate::controller::context::Context;

/// How long the labels of a namespace count after they were read.
const FRESH: Duration = Duration::from_secs(2);

type Labels = BTreeMap<String, String>;

/// The labels of namespaces whose objects name a Connection of another one.
#[derive(Debug, Default)]
pub(crate) struct Namespaces {
    read: Mutex<HashMap<String, (Labels, Instant)>>,
}

impl Namespaces {
    /// Has the labels of a namespace read anew the next time.
    pub(crate) fn forget(&self, name: &str) {
        self.read.lock().remove(name);
    }

    /// The labels of a namespace. One that is gone has none.
    pub(crate) async fn labels(&self, kube: &Client, name: &str) -> Result<Labels, kube::Error> {
        let requested_at = Instant::now();
        let known = {
            let mut read = self.read.lock();
            read.retain(|_, (_, at)| at.elapsed() < FRESH);
            read.get(name).map(|(labels, _)| labels.clone())
        };
        if let Some(labels) = known {
            return Ok(labels);
        }
        let namespaces: Api<Namespace> = Api::all(kube.clone());
        let found: Option<PartialObjectMeta<_>> = namespaces.get_metadata_opt(name).await?;
        let labels = found.map_or_else(Labels::new, |found| found.labels().clone());
        let mut read = self.read.lock();
        read.insert(name.to_owned(), (labels.clone(), requested_at));
        Ok(labels)
    }
}

/// Whether objects of `namespace` may create and adopt in a resource group through a Connection that grants this access.
pub(crate) async fn allow(
    context: &Context,
    connection: &ConnectionName,
    access: &[AccessGrant],
    namespace: &str,
    group: &str,
) -> Result<bool, kube::Error> {
    if connection.0 == namespace {
        return Ok(true);
    }
    let labels = context.namespaces.labels(&context.kube, namespace).await?;
    Ok(access.iter().any(|grant| grant.allows(&labels, group)))
}
