//! What every reconciliation needs.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Client, ResourceExt};
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard, mpsc};
use tokio::time::Instant;

use super::catalogue::Catalogue;
use super::claims::Claims;
use super::connection::grants::Namespaces;
use super::connection::surveys::Surveys;
use super::connection::views::Connections;
use super::memory::Memories;
use super::programs::Programs;
use super::scope::Scope;
use super::tell::events::Events;
use super::uninstall::Uninstalls;
use crate::aicore::{
    Batcher, ClientOptions, GroupKey, Inventory, InventoryOptions, Realm, Snapshot,
};
use crate::api::{Connection, DeletionPolicy, Deployment};
use crate::lease::{Leadership, LeaseOptions};
use crate::lifecycle::identity::Identity;
use crate::metrics::Metrics;

/// Whether the operator writes to AI Core at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It does what each object asks for.
    Manage,
    /// It treats every object as one with the managementPolicy Observe.
    Observe,
}

/// How the operator behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether anything is written to AI Core.
    pub mode: Mode,
    /// Which namespaces to look at.
    pub scope: Scope,
    /// The only namespaces where Secrets may be read; wherever it looks when none is given.
    pub secret_namespaces: Vec<String>,
    /// The namespace that the operator itself lives in; the client's default namespace when none is given.
    pub own_namespace: Option<String>,
    /// Part of the name of every configuration that the operator creates; the uid of the namespace kube-system when none is given.
    pub cluster_id: Option<String>,
    /// What happens to the remote deployment of a deleted object whose spec says nothing.
    pub deletion_policy: DeletionPolicy,
    /// How the AI Core API is called.
    pub client: ClientOptions,
    /// How often resource groups are listed.
    pub inventory: InventoryOptions,
    /// How long a new deployment may be missing from AI Core's answers without being gone.
    pub create_grace: Duration,
    /// How long a deployment may stay in a passing state before a person is told.
    pub overdue: Duration,
    /// How often an object is looked at when nothing happens.
    pub resync: Duration,
    /// How often AI Core is asked which models it retires.
    pub model_check: Duration,
    /// How many objects of each kind are worked on at the same time. No namespace of several gets more than half of it.
    pub concurrency: u16,
    /// How the Lease of the leader is held.
    pub lease: LeaseOptions,
}

impl Mode {
    /// The mode as the command line has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Manage => "manage",
            Self::Observe => "observe",
        }
    }
}

impl Options {
    /// Whether the Secrets of a namespace may be read.
    pub(crate) fn reaches_secrets_of(&self, namespace: &str) -> bool {
        self.secret_namespaces.is_empty()
            || self
                .secret_namespaces
                .iter()
                .any(|other| other == namespace)
    }

    /// How long a create call whose answer was lost can still have its effect, or stay unseen after it: the call itself ends at the request
    /// timeout, and what it made may be missing from lists for the grace period.
    ///
    /// It is counted from when this process, leading, first saw the intent. A former leader's call does not make it longer: that one broke its
    /// calls off before its Lease ran out, and this process leads only since then. What a process sends that was paused between looking at the
    /// clock and writing to the connection may come later than that, as what the network holds back may: that is what lapsed calls are kept for.
    pub(crate) fn settle(&self) -> Duration {
        self.client.request_timeout + self.create_grace
    }

    /// How long lists may lack what a call has made, to be compared with times that AI Core tells. A settling time of years is no settling time.
    pub(crate) fn unseen(&self) -> SignedDuration {
        SignedDuration::try_from(self.settle()).unwrap_or(SignedDuration::MAX)
    }
}

/// A configuration: where it lives, and its id.
pub(crate) type ConfigurationKey = (GroupKey, String);

/// What every reconciliation shares.
pub(crate) struct Context {
    pub(crate) kube: Client,
    pub(crate) options: Options,
    pub(crate) cluster_id: String,
    pub(crate) metrics: Arc<Metrics>,
    /// Whether this process may write.
    pub(crate) leadership: Leadership,
    /// Namespace and name of the Lease by which it leads.
    pub(crate) lease: String,
    /// Where the operator keeps what must outlive the objects.
    pub(crate) own_namespace: String,
    pub(crate) inventory: Arc<Inventory>,
    pub(crate) batcher: Arc<Batcher>,
    pub(crate) claims: Claims,
    pub(crate) connections: Connections,
    pub(crate) namespaces: Namespaces,
    pub(crate) surveys: Surveys,
    pub(crate) memories: Memories,
    pub(crate) programs: Programs,
    pub(crate) events: Events,
    pub(crate) deployments: Store<Deployment>,
    /// Asks for another look at a Connection.
    pub(crate) wake_connection: mpsc::UnboundedSender<ObjectRef<Connection>>,
    /// Asks for another look at a Deployment.
    pub(crate) wake_deployment: mpsc::UnboundedSender<ObjectRef<Deployment>>,
    /// Deployments that wait for the next list of a group.
    pub(crate) waiting: Mutex<HashMap<GroupKey, HashSet<ObjectRef<Deployment>>>>,
    /// Whether a group whose list failed is missing, and when that was found out.
    pub(crate) missing_groups: Mutex<HashMap<GroupKey, (bool, Instant)>>,
    pub(crate) uninstalls: Uninstalls,
    pub(crate) catalogue: Catalogue,
    /// One Connection lets go of its Secrets at a time.
    pub(crate) releasing: AsyncMutex<()>,
    /// Told when the cluster's store shows an older state than before.
    pub(crate) rewound: Notify,
    /// One object at a time writes down what it leaves behind.
    pub(crate) leaving: AsyncMutex<()>,
    /// One create call at a time for each configuration: each must know the deployments that the one before it has made.
    pub(crate) creating: Mutex<HashMap<ConfigurationKey, Arc<AsyncMutex<()>>>>,
}

impl Context {
    /// The Deployments of an object's namespace.
    pub(crate) fn deployments_in(&self, namespace: &str) -> Api<Deployment> {
        Api::namespaced(self.kube.clone(), namespace)
    }

    /// The Connections of a namespace.
    pub(crate) fn connections_in(&self, namespace: &str) -> Api<Connection> {
        Api::namespaced(self.kube.clone(), namespace)
    }

    /// Who an object is, across clusters.
    pub(crate) fn identity(&self, object: &Deployment) -> Identity {
        Identity {
            cluster: self.cluster_id.clone(),
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
        }
    }

    /// The realm of a Connection's credentials.
    pub(crate) fn realm_of(&self) -> impl Fn(&(String, String)) -> Option<Realm> + '_ {
        |connection| self.connections.realm(connection)
    }

    /// Those deployments of a list that no object holds, as far as this operator can know: those that were made for objects which it does not look
    /// at are left out.
    pub(crate) fn unclaimed(&self, key: &GroupKey, snapshot: &Snapshot) -> BTreeSet<String> {
        let known = snapshot.iter().filter(|deployment| {
            let name = deployment.configuration_name.as_deref();
            !name.is_some_and(|name| self.made_out_of_sight(name))
        });
        let ids = known.map(|deployment| deployment.id.as_str());
        self.claims.unclaimed(key, ids, None, &self.realm_of())
    }

    /// Whether a configuration of this name was made for an object of this cluster that this operator does not look at. Who holds what comes of it is
    /// another operator's to know.
    pub(crate) fn made_out_of_sight(&self, configuration_name: &str) -> bool {
        Identity::of_configuration(configuration_name).is_some_and(|maker| {
            maker.cluster == self.cluster_id && !self.options.scope.contains(&maker.namespace)
        })
    }

    /// Has `object` woken, or not any more, at the next news of a group. It is asked for before a list is looked at, because the news may come
    /// at once.
    pub(crate) fn wait_for_list(&self, key: &GroupKey, object: &Deployment, wait: bool) {
        let object = ObjectRef::from_obj(object);
        let mut waiting = self.waiting.lock();
        let waiting = waiting.entry(key.clone()).or_default();
        if wait {
            waiting.insert(object);
        } else {
            waiting.remove(&object);
        }
    }

    /// Whether a create call for this configuration is under way.
    pub(crate) fn is_creating(&self, key: &GroupKey, configuration_id: &str) -> bool {
        let creating = self.creating.lock();
        let lock = creating.get(&(key.clone(), configuration_id.to_owned()));
        lock.is_some_and(|lock| lock.try_lock().is_err())
    }

    /// Keeps other create calls for this configuration away, or nothing while one is under way.
    pub(crate) fn create_alone(
        &self,
        key: &GroupKey,
        configuration_id: &str,
    ) -> Option<OwnedMutexGuard<()>> {
        let lock = {
            let mut creating = self.creating.lock();
            creating.retain(|_, lock| Arc::strong_count(lock) > 1);
            creating
                .entry((key.clone(), configuration_id.to_owned()))
                .or_default()
                .clone()
        };
        lock.try_lock_owned().ok()
    }
}
