//! What runs remotely, by one list per (tenant, resource group), however many objects live there.
//!
//! A poller looks while anybody watches: fast while something moves, slowly otherwise, and at once for a decision that needs a list
//! requested after its last write. It wakes only those whose deployment changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::client::Client;
use super::error::Error;
use super::group::Group;
use super::poller::{self, Poller};
use super::realm::GroupKey;

pub use super::snapshot::Snapshot;

/// How often a resource group is listed.
#[derive(Clone, Copy, Debug)]
pub struct InventoryOptions {
    /// From one list to the next while nothing moves.
    pub idle: Duration,
    /// From one list to the next while something moves; also the first wait after a failure.
    pub busy: Duration,
}

impl Default for InventoryOptions {
    /// 30 seconds idle, 2 seconds busy.
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(30),
            busy: Duration::from_secs(2),
        }
    }
}

/// What a poller has to tell.
#[derive(Clone, Debug)]
pub enum Event {
    /// Deployments changed, the first list came, or one that was waited for.
    Changed(Change),
    /// Looking fails: since now, for another reason than before, or while somebody waited. Polling goes on.
    Failed {
        /// The resource group.
        key: GroupKey,
        /// Why.
        error: Arc<Error>,
    },
    /// Looking works again.
    Recovered {
        /// The resource group.
        key: GroupKey,
    },
    /// AI Core has accepted the credentials with which alone this group was looked at. It is not looked at under this key any more, but under that
    /// which the credentials have now.
    Accepted {
        /// The resource group, as it was known until now.
        key: GroupKey,
    },
}

/// A list that brought something.
#[derive(Clone, Debug)]
pub struct Change {
    /// The resource group.
    pub key: GroupKey,
    /// The deployments that are new, changed or gone; empty when only somebody waited for the list.
    pub ids: BTreeSet<String>,
    /// The list.
    pub snapshot: Arc<Snapshot>,
}

/// What is known of a resource group.
#[derive(Clone, Debug)]
pub enum Observed {
    /// The newest list, requested after the moment that was asked for.
    Fresh(Arc<Snapshot>),
    /// No such list yet. One is made as soon as the server permits, and an [`Event`] tells its outcome.
    Waiting,
    /// The newest attempt failed, and it was requested after the moment that was asked for.
    Failed(Arc<Error>),
}

/// Watches resource groups. Dropping it ends all polling.
pub struct Inventory {
    shared: Arc<Shared>,
    _ends_polling: DropGuard,
}

/// What the pollers share with the inventory.
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) events: UnboundedSender<Event>,
    /// An attempt ended somewhere, or a group is no longer polled.
    pub(super) progress: Notify,
    pub(super) stop: CancellationToken,
    options: InventoryOptions,
}

#[derive(Default)]
pub(super) struct State {
    /// The client of each connection, by `namespace/name`.
    connections: BTreeMap<String, Client>,
    pub(super) groups: HashMap<GroupKey, Polled>,
    /// Where each watching object lives.
    homes: HashMap<String, GroupKey>,
}

/// A group that has a poller.
pub(super) struct Polled {
    pub(super) group: Group,
    pub(super) wake: Arc<Notify>,
    /// Since when it is polled.
    since: Instant,
    /// The connection whose credentials were accepted last.
    pub(super) preferred: Option<String>,
}

// === impl Inventory ===

impl Inventory {
    /// Makes an inventory that tells its events to `changes`.
    pub fn new(options: InventoryOptions, changes: UnboundedSender<Event>) -> Arc<Self> {
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        let shared = Shared {
            state: Mutex::default(),
            events: changes,
            progress: Notify::new(),
            stop,
            options,
        };
        Arc::new(Self {
            shared: Arc::new(shared),
            _ends_polling: guard,
        })
    }

    /// Registers the credentials of a connection (`namespace/name`), in place of those that it had before, also when those were of another tenant.
    /// They are used for the groups of their realm: once AI Core has accepted them, for whoever shares that, and at once where looking fails.
    pub fn attach(&self, connection: &str, client: Client) {
        let mut state = self.shared.state();
        let before = state
            .connections
            .insert(connection.to_owned(), client.clone());
        if before.is_none_or(|before| before.fingerprint() != client.fingerprint()) {
            state.retry(&client);
        }
    }

    /// Tries credentials that AI Core has just accepted at once where looking fails, and ends looking with them alone.
    pub fn accepted(&self, client: &Client) {
        self.shared.state().retry(client);
    }

    /// Forgets the credentials of a connection.
    pub fn detach(&self, connection: &str) {
        self.shared.state().connections.remove(connection);
    }

    /// The object `who` (its uid) lives in this resource group, and in no other one: it is polled as long as anybody lives there.
    ///
    /// Must be called within a Tokio runtime, like every method that may start a poller.
    pub fn watch(&self, key: &GroupKey, who: &str) {
        let mut state = self.shared.state();
        match state.homes.insert(who.to_owned(), key.clone()) {
            Some(home) if home == *key => return,
            Some(home) => state.leave(&home, who),
            None => {}
        }
        self.polled(&mut state, key).group.watch(who);
    }

    /// The object lives nowhere any more. The poller of a group in which nobody lives ends.
    pub fn unwatch(&self, who: &str) {
        let mut state = self.shared.state();
        if let Some(home) = state.homes.remove(who) {
            state.leave(&home, who);
        }
    }

    /// Tells whether something of this object is moving; the group is polled fast while that is so for any. It counts only for an
    /// object that watches the group.
    pub fn set_busy(&self, key: &GroupKey, who: &str, busy: bool) {
        if let Some(polled) = self.shared.state().groups.get_mut(key) {
            polled.group.set_busy(who, busy);
            polled.wake.notify_one();
        }
    }

    /// What is known from a list that was requested strictly after `not_before`, or from the newest one of all.
    ///
    /// A failure that is newer than the newest list goes before it: what was seen before the failure may be long over.
    pub fn observe(&self, key: &GroupKey, not_before: Option<Instant>) -> Observed {
        let mut state = self.shared.state();
        let polled = self.polled(&mut state, key);
        let observed = polled.group.observe(not_before);
        polled.wake.notify_one();
        observed
    }

    /// The deployments of a group for a report. Where a poller runs, its newest outcome is the answer and no call is made: it is not
    /// older than the idle interval and one request. Elsewhere one list call is made.
    ///
    /// # Errors
    ///
    /// The failure of the list, or of the poller's newest one.
    pub async fn list_once(&self, key: &GroupKey) -> Result<Arc<Snapshot>, Arc<Error>> {
        loop {
            let progress = self.shared.progress.notified();
            tokio::pin!(progress);
            // From here on nothing is missed between looking and waiting.
            progress.as_mut().enable();
            match self.shared.state().newest(key) {
                Some(Some(outcome)) => return outcome,
                Some(None) => {}
                None => break,
            }
            progress.await;
        }
        let requested_at = Instant::now();
        let clients = self.shared.state().clients(key);
        let (_, outcome) = poller::list(&clients, key).await;
        outcome
            .map(|list| Arc::new(Snapshot::new(requested_at, list)))
            .map_err(Arc::new)
    }

    /// How long ago the newest list that came was asked for, of each group that is polled; since when it is polled where none came yet.
    pub fn ages(&self) -> Vec<(GroupKey, Duration)> {
        let state = self.shared.state();
        let age = |(key, polled): (&GroupKey, &Polled)| {
            let since = polled.group.listed_at().unwrap_or(polled.since);
            (key.clone(), since.elapsed())
        };
        let shared = |(key, _): &(&GroupKey, &Polled)| !key.realm.is_unproven();
        state.groups.iter().filter(shared).map(age).collect()
    }

    /// The group with its poller, which is started when there is none.
    fn polled<'a>(&self, state: &'a mut State, key: &GroupKey) -> &'a mut Polled {
        state.groups.entry(key.clone()).or_insert_with(|| {
            let wake = Arc::new(Notify::new());
            tokio::spawn(
                Poller::new(Arc::clone(&self.shared), key.clone(), Arc::clone(&wake)).run(),
            );
            Polled {
                group: Group::new(self.shared.options),
                wake,
                since: Instant::now(),
                preferred: None,
            }
        })
    }
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// What the poller of a group has found out last, if it has ended an attempt yet; none where no poller looks.
    fn newest(&self, key: &GroupKey) -> Option<Option<Result<Arc<Snapshot>, Arc<Error>>>> {
        let polled = self.groups.get(key)?;
        let newest = polled.group.newest();
        let looks = newest.is_some() || !self.clients(key).is_empty();
        looks.then(|| {
            polled.wake.notify_one();
            newest
        })
    }

    /// The clients of a group's realm, by connection: first the one whose list came last, then those that have a token at hand, because the endpoint
    /// of the others may be out of order.
    pub(super) fn clients(&self, key: &GroupKey) -> Vec<(String, Client)> {
        let preferred = self
            .groups
            .get(key)
            .and_then(|polled| polled.preferred.as_deref());
        let of_realm = self
            .connections
            .iter()
            .filter(|(_, client)| client.realm() == key.realm);
        let mut clients: Vec<_> = of_realm
            .map(|(name, client)| (name.clone(), client.clone()))
            .collect();
        clients
            .sort_by_key(|(name, client)| (Some(name.as_str()) != preferred, !client.has_token()));
        clients
    }

    /// Has the groups that a client is used for, or was used for until AI Core accepted it, looked at again where looking fails.
    pub(super) fn retry(&mut self, client: &Client) {
        let realms = [client.realm(), client.unproven_realm()];
        for (_, polled) in self
            .groups
            .iter_mut()
            .filter(|(key, _)| realms.contains(&key.realm))
        {
            polled.group.retry_now();
            polled.wake.notify_one();
        }
    }

    /// Whoever lives in a group lives in it under another key from now on.
    pub(super) fn rename(&mut self, before: &GroupKey, now: &GroupKey) {
        for home in self.homes.values_mut().filter(|home| *home == before) {
            *home = now.clone();
        }
    }

    fn leave(&mut self, home: &GroupKey, who: &str) {
        if let Some(polled) = self.groups.get_mut(home) {
            polled.group.unwatch(who);
            polled.wake.notify_one();
        }
    }
}
