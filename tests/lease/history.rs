//! The versions that a Lease has had, as the API server's watch has told of them.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use harness::operator::NAMESPACE;
use harness::scene::{LIMIT, Scene};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Api;
use kube::runtime::{WatchStreamExt as _, watcher};
use tokio::task::JoinHandle;

/// What a Lease has said, from when the history was begun.
pub(crate) struct History {
    versions: Arc<Mutex<Vec<LeaseSpec>>>,
    watching: JoinHandle<()>,
}

/// How a Lease went from one holder to another, by the times that they wrote into it. All of them have the clock of this machine.
pub(crate) struct Takeover {
    /// When the former holder renewed it for the last time.
    pub(crate) renewed: Timestamp,
    /// When the former holder let it go, if it did.
    pub(crate) let_go: Option<Timestamp>,
    /// When the other took it.
    pub(crate) taken: Timestamp,
}

impl History {
    /// Begins with what the Lease of a scene's operator says now.
    pub(crate) async fn of(scene: &Scene) -> Self {
        let client = scene.control_plane().admin_client();
        let leases: Api<Lease> = Api::namespaced(client, NAMESPACE);
        let only = format!("metadata.name=operator-{}", scene.namespace);
        let only = watcher::Config::default().fields(&only);
        let versions = Arc::new(Mutex::new(Vec::new()));
        let noted = versions.clone();
        let watching = tokio::spawn(async move {
            let leases = watcher(leases, only).default_backoff().applied_objects();
            let mut leases = pin!(leases);
            while let Some(lease) = leases.next().await {
                // A watch that was interrupted goes on.
                if let Some(version) = lease.ok().and_then(|lease| lease.spec) {
                    let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                    noted.push(version);
                }
            }
        });
        let history = Self { versions, watching };
        history
            .until("a first version", |versions| versions.first().map(drop))
            .await;
        history
    }

    /// Waits until somebody else has taken it than who held it at first.
    pub(crate) async fn taken_over(&self) -> Takeover {
        self.until("another holder", takeover).await
    }

    async fn until<T>(&self, what: &str, look: impl Fn(&[LeaseSpec]) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            let versions = self.versions.lock();
            let versions = versions.unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(found) = look(&versions) {
                return found;
            }
            assert!(
                begun.elapsed() < LIMIT,
                "the Lease does not come to {what}: {versions:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

fn takeover(versions: &[LeaseSpec]) -> Option<Takeover> {
    let former = versions.first()?.holder_identity.clone()?;
    let other = versions.iter().position(|version| {
        let holder = version.holder_identity.as_ref();
        holder.is_some_and(|holder| *holder != former)
    })?;
    let (before, after) = versions.split_at(other);
    let time = |time: &Option<MicroTime>| time.as_ref().map(|time| time.0);
    let held = |version: &&LeaseSpec| version.holder_identity.as_ref() == Some(&former);
    let last = before.last().filter(|last| last.holder_identity.is_none());
    Some(Takeover {
        renewed: time(&before.iter().rfind(held)?.renew_time)?,
        let_go: last.and_then(|last| time(&last.renew_time)),
        taken: time(&after.first()?.acquire_time)?,
    })
}
