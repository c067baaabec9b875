//! Whether a server takes bulk requests, and how large: what it says of itself, and what was found out. All of it is forgotten after a while.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, timeout};

use crate::aicore::bulk::MAX_ITEMS;
use crate::aicore::client::Client;
use crate::aicore::error::Error;
use crate::aicore::realm::Realm;

/// A server that could not be asked is asked again after this part of the memory.
const SHORT_MEMORY: u32 = 10;
/// How long changes wait for the answer to that question.
const PATIENCE: Duration = Duration::from_secs(5);
/// After so many requests in a row without a clear answer, single calls are made.
const STRIKES: u32 = 2;

/// What the servers of the tenants say of themselves (`GET /lm/meta`).
pub(super) struct Abilities {
    known: Mutex<HashMap<Realm, Known>>,
    memory: Duration,
}

struct Known {
    takes_bulk: bool,
    until: Instant,
}

/// The largest bulk request of a group, as far as it was found out.
#[derive(Default)]
pub(super) struct Limit {
    found: Option<(usize, Instant)>,
    strikes: u32,
}

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
    /// What has happened is not known. If that happens again, they cannot be relied on.
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
    pub(super) fn known(&self, realm: &Realm, now: Instant) -> Option<bool> {
        let known = self.known.lock();
        let known = known.get(realm).filter(|known| now < known.until);
        known.map(|known| known.takes_bulk)
    }

    /// Asks the server, unless it is known. A server that cannot be asked is not known to take them.
    pub(super) async fn take_bulk(&self, client: &Client) -> bool {
        let realm = client.realm();
        if let Some(known) = self.known(&realm, Instant::now()) {
            return known;
        }
        let short = self.memory / SHORT_MEMORY;
        let (takes_bulk, memory) = match timeout(PATIENCE, client.meta()).await {
            Ok(Ok(meta)) => (meta.bulk_updates, self.memory),
            Ok(Err(Error::NotFound(_) | Error::Rejected(_) | Error::Malformed { .. })) => {
                (false, self.memory)
            }
            Ok(Err(error)) => (false, error.retry_after().unwrap_or(short)),
            Err(_) => (false, short),
        };
        tracing::info!(tenant = ?client.tenant(), takes_bulk, "asked whether AI Core takes bulk requests");
        let known = Known {
            takes_bulk,
            until: Instant::now() + memory,
        };
        self.known.lock().insert(realm, known);
        takes_bulk
    }
}

// === impl Limit ===

impl Limit {
    /// How many changes a request may hold; with one, single calls are made.
    pub(super) fn items(&self, now: Instant) -> usize {
        match self.found {
            Some((items, until)) if now < until => items,
            _ => MAX_ITEMS,
        }
    }

    pub(super) fn set(&mut self, items: usize, until: Instant) {
        self.found = Some((items, until));
        self.strikes = 0;
    }

    /// Takes note of a request without a clear answer.
    pub(super) fn strike(&mut self, until: Instant) {
        self.strikes += 1;
        if self.strikes >= STRIKES {
            self.set(1, until);
        }
    }

    /// Takes note of a request whose answer was clear.
    pub(super) fn no_strike(&mut self) {
        self.strikes = 0;
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
