//! The task that lists one resource group for as long as anybody needs it.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::client::Client;
use super::error::Error;
use super::group::News;
use super::inventory::{Change, Event, GroupKey, Shared};
use super::snapshot::Snapshot;
use super::types::DeploymentList;

/// The poller of one group.
pub(super) struct Poller {
    shared: Arc<Shared>,
    key: GroupKey,
    /// Something changed that may move the next look.
    wake: Arc<Notify>,
}

/// What a poller does next.
enum Next {
    End,
    LookAt(Instant),
    LookNow,
}

impl Poller {
    pub(super) fn new(shared: Arc<Shared>, key: GroupKey, wake: Arc<Notify>) -> Self {
        Self { shared, key, wake }
    }

    /// Runs until the group is abandoned or the inventory is dropped.
    pub(super) async fn run(self) {
        let stop = self.shared.stop.clone();
        stop.run_until_cancelled(self.poll()).await;
    }

    async fn poll(&self) {
        loop {
            match self.next() {
                Next::End => return,
                Next::LookNow => self.look().await,
                Next::LookAt(due) => {
                    tokio::select! {
                        () = sleep_until(due) => {}
                        () = self.wake.notified() => {}
                    }
                }
            }
        }
    }

    /// Decides under the lock, so that an object that comes back meets either a living poller or none.
    fn next(&self) -> Next {
        let mut state = self.shared.state();
        let Some(polled) = state.groups.get(&self.key) else {
            return Next::End;
        };
        if polled.group.is_abandoned() {
            state.groups.remove(&self.key);
            self.shared.progress.notify_waiters();
            return Next::End;
        }
        match polled.group.due() {
            Some(due) if due > Instant::now() => Next::LookAt(due),
            _ => Next::LookNow,
        }
    }

    async fn look(&self) {
        let requested_at = Instant::now();
        if let Some(polled) = self.shared.state().groups.get_mut(&self.key) {
            polled.group.begin(requested_at);
        }
        let (accepted, outcome) = list(self.shared.clients(&self.key), &self.key).await;
        let mut state = self.shared.state();
        if let Some(polled) = state.groups.get_mut(&self.key) {
            polled.preferred = accepted.or(polled.preferred.take());
            let news = match outcome {
                Ok(list) => polled.group.succeed(Snapshot::new(requested_at, list)),
                Err(error) => polled.group.fail(requested_at, error, Instant::now()),
            };
            // Told under the lock: whoever observes the outcome next cannot overtake it.
            news.into_iter().for_each(|news| self.tell(news));
        }
        self.shared.progress.notify_waiters();
    }

    fn tell(&self, news: News) {
        let key = self.key.clone();
        let event = match news {
            News::Changed(ids, snapshot) => Event::Changed(Change { key, ids, snapshot }),
            News::Failed(error) => Event::Failed { key, error },
            News::Recovered => Event::Recovered { key },
        };
        // Nobody listens any more while the operator shuts down.
        let _ = self.shared.events.send(event);
    }
}

/// Lists a group with the first client whose credentials are accepted, and tells which one that was.
pub(super) async fn list(
    clients: Vec<(String, Client)>,
    key: &GroupKey,
) -> (Option<String>, Result<DeploymentList, Error>) {
    let mut first_error = None;
    for (connection, client) in clients {
        match client.list_deployments(&key.group).await {
            Err(error) if error.depends_on_credentials() => {
                first_error.get_or_insert(error);
            }
            outcome => return (Some(connection), outcome),
        }
    }
    (
        None,
        Err(first_error.unwrap_or_else(|| Error::NoConnection(key.tenant.clone()))),
    )
}
