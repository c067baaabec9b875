//! Stops and deletions of many deployments in few requests.
//!
//! Each change is handed in on its own and gets its own result. Those of one resource group that come within a moment go out as one bulk
//! request, where the server can do that. Everywhere else each caller makes a single call itself, a few of a group at a time, so that one that
//! hangs does not hold the others.
//!
//! - `queue`: what waits, and what goes into a request together;
//! - `courier`: the task that sends it;
//! - `ability`: whether a server takes bulk requests, and how large.

mod ability;
mod courier;
mod queue;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::bulk::Verb;
use super::client::Client;
use super::error::Error;
use super::paging::incomplete;
use super::realm::GroupKey;
use ability::{Abilities, Limit, Refused};
use courier::Courier;
use queue::{Item, Queue, Verdict};

/// How many single calls of a resource group are made at the same time.
const SINGLE_CALLS: usize = 8;

/// How changes are gathered.
#[derive(Clone, Copy, Debug)]
pub struct BatcherOptions {
    /// How long changes wait for more company after the newest one has come.
    pub lull: Duration,
    /// How long the first of them waits at most, when no request has gone out shortly before.
    pub longest_wait: Duration,
    /// From one request of a group to the next, unless that one is full. Deletions that trickle in, as `kubectl delete` sends them, become few
    /// requests in this way, while one that comes alone goes out at once.
    pub spacing: Duration,
    /// How long it is remembered that a server does not take bulk requests, or only smaller ones.
    pub memory: Duration,
}

impl Default for BatcherOptions {
    /// 25 milliseconds, 200 milliseconds, half a second, 10 minutes.
    fn default() -> Self {
        Self {
            lull: Duration::from_millis(25),
            longest_wait: Duration::from_millis(200),
            spacing: Duration::from_millis(500),
            memory: Duration::from_secs(10 * 60),
        }
    }
}

/// Whether a change is still wanted, asked right before it is sent.
type StillWanted = Arc<dyn Fn() -> bool + Send + Sync>;

/// Gathers stops and deletions. Dropping it ends its tasks.
pub struct Batcher {
    options: BatcherOptions,
    abilities: Arc<Abilities>,
    lanes: Mutex<HashMap<GroupKey, Arc<Lane>>>,
    stop: CancellationToken,
    _ends_couriers: DropGuard,
}

/// What belongs to one resource group.
struct Lane {
    state: Mutex<LaneState>,
    /// There is enough for a whole request.
    is_full: Notify,
    single_calls: Semaphore,
}

#[derive(Default)]
struct LaneState {
    queue: Queue,
    /// When the last request was made.
    last_request: Option<Instant>,
    limit: Limit,
    refused: Refused,
    /// Whether a task is under way that empties the queue.
    has_courier: bool,
}

// === impl Batcher ===

impl Batcher {
    /// Makes a batcher without anything to do.
    pub fn new(options: BatcherOptions) -> Arc<Self> {
        let stop = CancellationToken::new();
        Arc::new(Self {
            options,
            abilities: Arc::new(Abilities::new(options.memory)),
            lanes: Mutex::default(),
            _ends_couriers: stop.clone().drop_guard(),
            stop,
        })
    }

    /// Stops or deletes a deployment of a resource group, with the credentials of `client`, alone or together with others.
    ///
    /// `still_wanted` is asked right before the change is sent. A caller that gives up before that has nothing sent. Must be called within a
    /// Tokio runtime.
    ///
    /// # Errors
    ///
    /// Those of [`Client::stop_deployment`] and [`Client::delete_deployment`], and:
    ///
    /// - [`Error::Withdrawn`] when it was not wanted any more: nothing was sent;
    /// - [`Error::RefusedInBulk`] when this change was refused among others: as after 409 or 412, the deployment has to be looked at again;
    /// - when [`Error::outcome_unknown`] holds, also because a bulk answer cannot be read or does not mention the deployment, only a list tells
    ///   what is the case.
    pub async fn send(
        &self,
        client: &Client,
        key: &GroupKey,
        id: &str,
        verb: Verb,
        still_wanted: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let still_wanted: StillWanted = Arc::new(still_wanted);
        let lane = self.lane(key);
        if self.may_gather(client, &lane, id) {
            let (reply, verdict) = oneshot::channel();
            let item = Item {
                client: client.clone(),
                id: id.to_owned(),
                verb,
                still_wanted: Arc::clone(&still_wanted),
                reply,
                since: Instant::now(),
            };
            let queued = client.remote_calls().queued();
            self.enqueue(&lane, key, item);
            let verdict = verdict.await;
            drop(queued);
            match verdict {
                Ok(Verdict::Sent(request_id, outcome)) => {
                    let error = outcome.as_ref().err().map(tracing::field::display);
                    // The request was made for many. This line is in the caller's span, and so leads from its object to the request.
                    tracing::info!(
                        request_id = &*request_id,
                        id,
                        ?verb,
                        error,
                        "was part of a bulk request"
                    );
                    return outcome;
                }
                Ok(Verdict::Withdrawn) => return Err(Error::Withdrawn),
                Ok(Verdict::Alone) => {}
                Err(_) => return Err(incomplete("a bulk request was given up".to_owned())),
            }
        }
        lane.call(client, &key.group, id, verb, &still_wanted).await
    }

    /// Whether the change may be part of a bulk request, as far as is known.
    fn may_gather(&self, client: &Client, lane: &Lane, id: &str) -> bool {
        let now = Instant::now();
        let mut state = lane.state.lock();
        !state.refused.take(id)
            && state.limit.items(now) > 1
            && self.abilities.known(&client.realm(), now) != Some(false)
    }

    fn enqueue(&self, lane: &Arc<Lane>, key: &GroupKey, item: Item) {
        let mut state = lane.state.lock();
        state.queue.push(item);
        if state.queue.is_full(state.limit.items(Instant::now())) {
            lane.is_full.notify_one();
        }
        if !state.has_courier {
            state.has_courier = true;
            let courier = Courier::new(
                Arc::clone(lane),
                Arc::clone(&self.abilities),
                key.group.clone(),
                self.options,
            );
            let stop = self.stop.clone();
            tokio::spawn(async move { stop.run_until_cancelled(courier.run()).await });
        }
    }

    fn lane(&self, key: &GroupKey) -> Arc<Lane> {
        let mut lanes = self.lanes.lock();
        let lane = lanes.entry(key.clone()).or_insert_with(|| {
            Arc::new(Lane {
                state: Mutex::default(),
                is_full: Notify::new(),
                single_calls: Semaphore::new(SINGLE_CALLS),
            })
        });
        Arc::clone(lane)
    }
}

// === impl Lane ===

impl Lane {
    /// Makes a single call, when its turn comes.
    async fn call(
        &self,
        client: &Client,
        group: &str,
        id: &str,
        verb: Verb,
        still_wanted: &StillWanted,
    ) -> Result<(), Error> {
        // It is never closed.
        let _permit = self.single_calls.acquire().await;
        if !still_wanted() {
            return Err(Error::Withdrawn);
        }
        match verb {
            Verb::Stop => client.stop_deployment(group, id).await,
            Verb::Delete => client.delete_deployment(group, id).await,
        }
    }
}
