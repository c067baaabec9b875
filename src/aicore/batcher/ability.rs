//! Whether a server takes bulk requests, and how large: what it says of itself, and what was found out. All of it is forgotten after a while.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::aicore::bulk::MAX_ITEMS;
use crate::aicore::client::Client;
use crate::aicore::credentials::Tenant;
use crate::aicore::error::Error;

/// A server that could not be asked is asked again after this part of the memory.
const SHORT_MEMORY: u32 = 60;

/// What the servers of the tenants say of themselves (`GET /lm/meta`).
pub(super) struct Abilities {
    known: Mutex<HashMap<Tenant, Known>>,
    memory: Duration,
}

struct Known {
    takes_bulk: bool,
    until: Instant,
}

/// The largest bulk request of a group, as far as it was found out.
#[derive(Default)]
pub(super) struct Limit(Option<(usize, Instant)>);

/// Deployments whose change was refused among others. The next one is made alone: a server may refuse in bulk requests what it takes alone.
#[derive(Default)]
pub(super) struct Refused(HashMap<String, Instant>);

/// What a failed bulk request says about bulk requests as such.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lesson {
    /// Nothing: whatever was sent would have failed so.
    None,
    /// The server refuses them, and nothing has happened.
    Refused,
    /// It was too large, and nothing has happened.
    TooLarge,
    /// What has happened is not known, so they cannot be relied on.
    Unreliable,
}

// === impl Abilities ===

impl Abilities {
    pub(super) fn new(memory: Duration) -> Self {
        Self {
            known: Mutex::default(),
            memory,
        }
    }

    /// What is known without asking.
    pub(super) fn known(&self, tenant: &Tenant, now: Instant) -> Option<bool> {
        let known = self.known.lock();
        let known = known.get(tenant).filter(|known| now < known.until);
        known.map(|known| known.takes_bulk)
    }

    /// Asks the server, unless it is known. A server that cannot be asked is not known to take them.
    pub(super) async fn take_bulk(&self, client: &Client) -> bool {
        if let Some(known) = self.known(client.tenant(), Instant::now()) {
            return known;
        }
        let (takes_bulk, memory) = match client.meta().await {
            Ok(meta) => (meta.bulk_updates, self.memory),
            Err(error) => {
                tracing::warn!(%error, "AI Core does not say whether it takes bulk requests; single calls are made");
                let short = error.retry_after().unwrap_or(self.memory / SHORT_MEMORY);
                let is_passing = error.is_transient();
                (false, if is_passing { short } else { self.memory })
            }
        };
        let known = Known {
            takes_bulk,
            until: Instant::now() + memory,
        };
        self.known.lock().insert(client.tenant().clone(), known);
        takes_bulk
    }
}

// === impl Limit ===

impl Limit {
    /// How many changes a request may hold; with one, single calls are made.
    pub(super) fn items(&self, now: Instant) -> usize {
        match self.0 {
            Some((items, until)) if now < until => items,
            _ => MAX_ITEMS,
        }
    }

    pub(super) fn set(&mut self, items: usize, until: Instant) {
        self.0 = Some((items, until));
    }
}

// === impl Refused ===

impl Refused {
    /// Remembers these ids until then, and forgets what is over.
    pub(super) fn add(&mut self, ids: impl IntoIterator<Item = String>, until: Instant) {
        let now = Instant::now();
        self.0.retain(|_, until| now < *until);
        self.0.extend(ids.into_iter().map(|id| (id, until)));
    }

    /// Whether the next change of this deployment is to be made alone. It is, once.
    pub(super) fn take(&mut self, id: &str) -> bool {
        self.0.remove(id).is_some()
    }
}

// === impl Lesson ===

impl Lesson {
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Rejected(rejection) if rejection.status == 413 => Self::TooLarge,
            Error::Rejected(_) | Error::NotFound(_) | Error::Forbidden(_) => Self::Refused,
            Error::Unavailable { status: 501, .. } => Self::Refused,
            // The whole service rests, or the way to it does.
            Error::Unavailable { status: 503, .. } => Self::None,
            error if error.outcome_unknown() => Self::Unreliable,
            _ => Self::None,
        }
    }
}
