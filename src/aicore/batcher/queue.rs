//! What waits to be sent, and what goes into a request together. No clock and no I/O.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{BatcherOptions, StillWanted};
use crate::aicore::bulk::Verb;
use crate::aicore::client::Client;
use crate::aicore::error::Error;

/// A change that waits.
pub(super) struct Item {
    pub(super) client: Client,
    pub(super) id: String,
    pub(super) verb: Verb,
    pub(super) still_wanted: StillWanted,
    pub(super) reply: oneshot::Sender<Verdict>,
    /// When it came.
    pub(super) since: Instant,
}

/// What a caller is told.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Its change was sent in this request, and this is what came of it.
    Sent(Arc<str>, Result<(), Error>),
    /// It was not wanted any more, and was not sent.
    Withdrawn,
    /// Nothing was sent: it makes a single call itself.
    Alone,
}

/// Changes in the order in which they came.
#[derive(Default)]
pub(super) struct Queue {
    items: VecDeque<Item>,
}

/// Changes of distinct deployments that go into one request: the same verb, sent with the same credentials.
pub(super) struct Batch {
    pub(super) client: Client,
    pub(super) verb: Verb,
    changes: Vec<Change>,
}

/// A change, and everyone who has asked for it.
struct Change {
    id: String,
    items: Vec<Item>,
}

// === impl Queue ===

impl Queue {
    pub(super) fn push(&mut self, item: Item) {
        self.items.push_back(item);
    }

    /// Takes back what could not be sent as one request, before everything else.
    pub(super) fn put_back(&mut self, batch: Batch) {
        let items = batch.changes.into_iter().flat_map(|change| change.items);
        for item in items.rev() {
            self.items.push_front(item);
        }
    }

    /// Whether there is enough of one verb for a request of `limit` changes.
    pub(super) fn is_full(&self, limit: usize) -> bool {
        let stops = self.items.iter().filter(|item| item.verb == Verb::Stop);
        let stops = stops.count();
        stops.max(self.items.len() - stops) >= limit
    }

    /// When the next request is to be made, if the one before it was made at `last_request`; none when nothing waits.
    pub(super) fn due(
        &self,
        options: &BatcherOptions,
        limit: usize,
        last_request: Option<Instant>,
    ) -> Option<Instant> {
        let (oldest, newest) = (self.items.front()?.since, self.items.back()?.since);
        if self.is_full(limit) {
            return Some(oldest);
        }
        let gathered = (newest + options.lull).min(oldest + options.longest_wait);
        Some(last_request.map_or(gathered, |last| gathered.max(last + options.spacing)))
    }

    /// Takes the next changes with this verb: those of the client that has waited longest, at most `limit`. Whoever asks for a change that is
    /// among them already shares it. Who has given up is forgotten.
    pub(super) fn take(&mut self, verb: Verb, limit: usize) -> Option<Batch> {
        let mut batch: Option<Batch> = None;
        let items = std::mem::take(&mut self.items);
        for item in items.into_iter().filter(|item| !item.reply.is_closed()) {
            let fits =
                item.verb == verb && batch.as_ref().is_none_or(|batch| batch.takes(&item, limit));
            if fits {
                batch.get_or_insert_with(|| Batch::new(&item)).add(item);
            } else {
                self.items.push_back(item);
            }
        }
        batch
    }
}

// === impl Batch ===

impl Batch {
    fn new(item: &Item) -> Self {
        Self {
            client: item.client.clone(),
            verb: item.verb,
            changes: Vec::new(),
        }
    }

    fn takes(&self, item: &Item, limit: usize) -> bool {
        self.client.is(&item.client)
            && (self.changes.len() < limit || self.changes.iter().any(|one| one.id == item.id))
    }

    fn add(&mut self, item: Item) {
        match self.changes.iter_mut().find(|one| one.id == item.id) {
            Some(change) => change.items.push(item),
            None => self.changes.push(Change {
                id: item.id.clone(),
                items: vec![item],
            }),
        }
    }

    /// How many deployments are to be changed.
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        self.changes.iter().map(|one| one.id.as_str()).collect()
    }

    /// Drops the changes that nobody wants any more, and tells those who had asked for them.
    pub(super) fn keep_wanted(&mut self) {
        for change in &mut self.changes {
            let items = std::mem::take(&mut change.items).into_iter();
            for item in items.filter(|item| !item.reply.is_closed()) {
                if (item.still_wanted)() {
                    change.items.push(item);
                } else {
                    item.tell(Verdict::Withdrawn);
                }
            }
        }
        self.changes.retain(|change| !change.items.is_empty());
    }

    /// Tells everyone the outcome of their own change in this request. They are in the order of the ids.
    pub(super) fn tell(self, request_id: &str, outcomes: Vec<Result<(), Error>>) {
        let request_id: Arc<str> = request_id.into();
        for (change, outcome) in self.changes.into_iter().zip(outcomes) {
            for item in change.items {
                item.tell(Verdict::Sent(Arc::clone(&request_id), outcome.clone()));
            }
        }
    }

    /// Tells everyone why the whole request failed.
    pub(super) fn fail(self, request_id: &str, error: &Error) {
        let outcomes = vec![Err(error.clone()); self.changes.len()];
        self.tell(request_id, outcomes);
    }

    /// Has everyone make a single call.
    pub(super) fn send_alone(self) {
        for item in self.changes.into_iter().flat_map(|change| change.items) {
            item.tell(Verdict::Alone);
        }
    }
}

impl Item {
    fn tell(self, verdict: Verdict) {
        // Who has given up meanwhile hears nothing.
        let _ = self.reply.send(verdict);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use k8s_openapi::ByteString;
    use serde_json::json;

    use super::*;
    use crate::aicore::{ClientOptions, ServiceKey};

    type Verdicts = Vec<oneshot::Receiver<Verdict>>;

    fn client() -> Client {
        let urls = json!({"AI_API_URL": "https://api.example.com"});
        let key = json!({"clientid": "c", "clientsecret": "secret-1", "url": "https://zone.example.com", "serviceurls": urls});
        let data = BTreeMap::from([("key".to_owned(), ByteString(key.to_string().into_bytes()))]);
        let key = ServiceKey::from_secret(&data, None).unwrap();
        Client::new(key, &ClientOptions::default()).unwrap()
    }

    fn push(queue: &mut Queue, client: &Client, verb: Verb, ids: &[&str]) -> Verdicts {
        let verdicts = ids.iter().map(|id| {
            let (reply, verdict) = oneshot::channel();
            queue.push(Item {
                client: client.clone(),
                id: (*id).to_owned(),
                verb,
                still_wanted: Arc::new(|| true),
                reply,
                since: Instant::now(),
            });
            verdict
        });
        verdicts.collect()
    }

    fn take(queue: &mut Queue, verb: Verb, limit: usize) -> Vec<String> {
        let batch = queue.take(verb, limit);
        let ids = batch.iter().flat_map(Batch::ids).map(str::to_owned);
        ids.collect()
    }

    #[test]
    fn a_change_goes_after_a_lull_but_not_right_after_another_request() {
        let options = BatcherOptions::default();
        let mut queue = Queue::default();
        assert_eq!(queue.due(&options, 100, None), None);
        let _verdicts = push(&mut queue, &client(), Verb::Stop, &["d1"]);
        let since = queue.items[0].since;
        assert_eq!(
            queue.due(&options, 100, None),
            Some(since + options.lull),
            "alone"
        );
        assert_eq!(
            queue.due(&options, 100, Some(since)),
            Some(since + options.spacing),
            "in a row"
        );
        assert_eq!(
            queue.due(&options, 1, Some(since)),
            Some(since),
            "enough for a request"
        );
    }

    #[test]
    fn changes_that_keep_coming_do_not_hold_the_first_for_long() {
        let options = BatcherOptions::default();
        let mut queue = Queue::default();
        let _verdicts = push(&mut queue, &client(), Verb::Stop, &["d1", "d2"]);
        let since = queue.items[0].since;
        queue.items[1].since = since + Duration::from_secs(1);
        assert_eq!(
            queue.due(&options, 100, None),
            Some(since + options.longest_wait)
        );
    }

    #[test]
    fn a_request_holds_one_verb_of_one_client_and_leaves_the_rest_in_order() {
        let (ours, others) = (client(), client());
        let mut queue = Queue::default();
        let _verdicts = [
            push(&mut queue, &ours, Verb::Delete, &["d1"]),
            push(&mut queue, &ours, Verb::Stop, &["d2"]),
            push(&mut queue, &others, Verb::Stop, &["d3", "d4"]),
            push(&mut queue, &ours.clone(), Verb::Stop, &["d5", "d6", "d2"]),
        ];
        assert_eq!(take(&mut queue, Verb::Stop, 2), ["d2", "d5"]);
        assert_eq!(take(&mut queue, Verb::Stop, 2), ["d3", "d4"]);
        assert_eq!(take(&mut queue, Verb::Stop, 2), ["d6"]);
        assert_eq!(take(&mut queue, Verb::Stop, 2), [""; 0]);
        assert_eq!(take(&mut queue, Verb::Delete, 2), ["d1"]);
        assert!(queue.items.is_empty());
    }

    #[test]
    fn what_is_put_back_comes_first_and_as_it_was() {
        let client = client();
        let mut queue = Queue::default();
        let _verdicts = push(&mut queue, &client, Verb::Stop, &["d1", "d2", "d1", "d3"]);
        let batch = queue.take(Verb::Stop, 2).unwrap();
        queue.put_back(batch);
        assert_eq!(take(&mut queue, Verb::Stop, 100), ["d1", "d2", "d3"]);
    }
}
