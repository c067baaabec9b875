//! A batcher at work against the emulator, and what the emulator has seen of it.

use std::sync::Arc;

use aicore_emulator::{Entry, Operation};
use aicore_operator::aicore::{Batcher, BatcherOptions, Client, Error, GroupKey, Verb};
use futures::future::{BoxFuture, FutureExt, join_all};
use reqwest::Method;
use serde_json::{Value, json};

use crate::remote::{GROUP, Remote};

pub(crate) type Outcome = Result<(), Error>;

/// A server, and a batcher that sends to it.
pub(crate) struct Gathering {
    pub(crate) remote: Remote,
    pub(crate) client: Client,
    pub(crate) key: GroupKey,
    pub(crate) batcher: Arc<Batcher>,
}

impl Gathering {
    /// A server that takes bulk requests.
    pub(crate) async fn start() -> Self {
        Self::with(BatcherOptions::default(), "present").await
    }

    pub(crate) async fn with(options: BatcherOptions, bulk_updates: &str) -> Self {
        let remote = Remote::start().await;
        remote.set(json!({"bulkUpdates": bulk_updates})).await;
        Self {
            client: remote.client().await,
            key: remote.key(GROUP).await,
            batcher: Batcher::new(options),
            remote,
        }
    }

    /// Somebody's deployments, and their ids.
    pub(crate) async fn deployments(&self, count: usize, status: &str) -> Vec<String> {
        let before = self.ids().await;
        let seed = json!({"resourceGroup": GROUP, "count": count, "status": status});
        self.remote
            .control(Method::POST, "deployments/seed", &seed)
            .await;
        let mut ids = self.ids().await;
        ids.retain(|id| !before.contains(id));
        assert_eq!(ids.len(), count);
        ids
    }

    async fn ids(&self) -> Vec<String> {
        let path = format!("deployments?resourceGroup={GROUP}");
        let found = self.remote.control(Method::GET, &path, &Value::Null).await;
        let found = found["deployments"].as_array().unwrap().iter();
        found
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn send(&self, verb: Verb, id: &str) -> BoxFuture<'static, Outcome> {
        self.send_while(verb, id, || true)
    }

    pub(crate) fn send_while(
        &self,
        verb: Verb,
        id: &str,
        still_wanted: impl Fn() -> bool + Send + Sync + 'static,
    ) -> BoxFuture<'static, Outcome> {
        let (batcher, client) = (Arc::clone(&self.batcher), self.client.clone());
        let (key, id) = (self.key.clone(), id.to_owned());
        async move { batcher.send(&client, &key, &id, verb, still_wanted).await }.boxed()
    }

    pub(crate) async fn send_all(&self, verb: Verb, ids: &[String]) -> Vec<Outcome> {
        join_all(ids.iter().map(|id| self.send(verb, id))).await
    }

    /// The stops and deletions so far, request by request.
    pub(crate) async fn requests(&self) -> Vec<Request> {
        let audit = self
            .remote
            .control(Method::GET, "audit", &Value::Null)
            .await;
        let entries: Vec<Entry> = serde_json::from_value(audit["entries"].clone()).unwrap();
        let mut requests: Vec<(Option<String>, Request)> = Vec::new();
        for entry in entries {
            let verb = match entry.operation {
                Operation::StopDeployment => Verb::Stop,
                Operation::DeleteDeployment => Verb::Delete,
                _ => continue,
            };
            let request = Request {
                verb,
                bulk: entry.bulk,
                ids: entry.deployment_id.into_iter().collect(),
            };
            match requests.last_mut() {
                Some((id, last)) if *id == entry.request_id => last.ids.extend(request.ids),
                _ => requests.push((entry.request_id, request)),
            }
        }
        requests.into_iter().map(|(_, request)| request).collect()
    }

    /// How many ids each bulk request named; none of one that was refused as a whole.
    pub(crate) async fn bulk_requests(&self) -> Vec<usize> {
        let requests = self.requests().await.into_iter();
        requests
            .filter(|request| request.bulk)
            .map(|request| request.ids.len())
            .collect()
    }

    pub(crate) async fn single_calls(&self) -> usize {
        let requests = self.requests().await.into_iter();
        requests.filter(|request| !request.bulk).count()
    }

    pub(crate) async fn meta_calls(&self) -> usize {
        self.remote.count(Operation::Meta).await
    }
}

/// A request for a stop or a deletion.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) verb: Verb,
    pub(crate) bulk: bool,
    /// None when a bulk request was refused as a whole.
    pub(crate) ids: Vec<String>,
}

pub(crate) fn assert_all_accepted(outcomes: &[Outcome]) {
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}
