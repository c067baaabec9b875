//! The task that empties the queue of one group: one request at a time, stops before deletions.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::ability::{Abilities, Lesson};
use super::queue::Batch;
use super::{BatcherOptions, Lane};
use crate::aicore::bulk::Verb;
use crate::aicore::error::Error;
use crate::aicore::transport::request_id;

/// Lives until the queue is empty.
pub(super) struct Courier {
    lane: Arc<Lane>,
    abilities: Arc<Abilities>,
    group: String,
    options: BatcherOptions,
    /// Whether the lane knows that it has no courier any more.
    has_left: bool,
}

impl Courier {
    pub(super) fn new(
        lane: Arc<Lane>,
        abilities: Arc<Abilities>,
        group: String,
        options: BatcherOptions,
    ) -> Self {
        Self {
            lane,
            abilities,
            group,
            options,
            has_left: false,
        }
    }

    pub(super) async fn run(mut self) {
        while let Some(due) = self.due() {
            if due > Instant::now() {
                // More may have come meanwhile, or enough.
                let _ = timeout_at(due, self.lane.is_full.notified()).await;
                continue;
            }
            // A stop takes long to have its effect, so it begins first.
            for verb in [Verb::Stop, Verb::Delete] {
                self.deliver_next(verb).await;
            }
        }
    }

    /// When to send something. Leaves under the lock when there is nothing: whoever comes next meets either a living courier or none.
    fn due(&mut self) -> Option<Instant> {
        let mut state = self.lane.state.lock();
        let limit = state.limit.items(Instant::now());
        let due = state.queue.due(&self.options, limit, state.last_request);
        if due.is_none() {
            state.has_courier = false;
            self.has_left = true;
        }
        due
    }

    async fn deliver_next(&self, verb: Verb) {
        let batch = {
            let mut state = self.lane.state.lock();
            let now = Instant::now();
            let limit = state.limit.items(now);
            let batch = state.queue.take(verb, limit);
            if batch.is_some() {
                state.last_request = Some(now);
            }
            batch
        };
        match batch {
            Some(batch) if batch.len() == 1 => batch.send_alone(),
            Some(batch) if !self.abilities.take_bulk(&batch.client).await => batch.send_alone(),
            Some(batch) => self.deliver(batch).await,
            None => {}
        }
    }

    async fn deliver(&self, mut batch: Batch) {
        batch.keep_wanted();
        if batch.len() < 2 {
            return batch.send_alone();
        }
        let (verb, ids) = (batch.verb, batch.ids());
        batch.client.remote_calls().batched(ids.len());
        let request = request_id();
        let answer = batch
            .client
            .change_deployments(&self.group, verb, &ids, &request)
            .await;
        let error = match answer {
            Ok(outcomes) => {
                self.learn(&ids, &outcomes);
                return batch.tell(&request, outcomes);
            }
            Err(error) => error,
        };
        let lesson = Lesson::of(&error);
        tracing::info!(request_id = request, group = self.group, ?verb, changes = ids.len(), %error, ?lesson, "a bulk request failed");
        let until = self.until();
        let mut state = self.lane.state.lock();
        match lesson {
            Lesson::None => batch.fail(&request, &error),
            Lesson::Unreliable => {
                state.limit.strike(until);
                batch.fail(&request, &error);
            }
            Lesson::Refused => {
                state.limit.set(1, until);
                batch.send_alone();
            }
            Lesson::TooLarge => {
                state.limit.set(batch.len() / 2, until);
                state.queue.put_back(batch);
            }
        }
    }

    /// Keeps what the parts of an answer say about bulk requests.
    fn learn(&self, ids: &[&str], outcomes: &[Result<(), Error>]) {
        let failures = ids.iter().zip(outcomes);
        let failures: Vec<_> = failures
            .filter_map(|(id, outcome)| Some((*id, outcome.as_ref().err()?)))
            .collect();
        let until = self.until();
        let mut state = self.lane.state.lock();
        if failures.iter().any(|(_, error)| error.outcome_unknown()) {
            state.limit.strike(until);
        } else {
            state.limit.no_strike();
        }
        let refused = failures
            .into_iter()
            .filter(|(_, error)| matches!(error, Error::RefusedInBulk(_)))
            .map(|(id, _)| id.to_owned());
        state.refused.add(refused, until);
    }

    /// Until when something that was learned now is remembered.
    fn until(&self) -> Instant {
        Instant::now() + self.options.memory
    }
}

impl Drop for Courier {
    /// Ended before its time, by a failure or with the batcher: nobody may wait for it in vain.
    fn drop(&mut self) {
        if !self.has_left {
            let mut state = self.lane.state.lock();
            state.has_courier = false;
            state.queue = Default::default();
        }
    }
}
