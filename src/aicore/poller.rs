//! The task that lists one resource group for as long as anybody needs it.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::client::Client;
use super::error::Error;
use super::group::News;
use super::inventory::{Change, Event, Polled, Shared, State};
use super::realm::GroupKey;
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
    LookNow(Vec<(String, Client)>),
    /// There are no credentials to look with.
    Rest,
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

    async fn poll(mut self) {
        loop {
            match self.next() {
                Next::End => return,
                Next::LookNow(clients) => self.look(clients).await,
                Next::LookAt(due) => {
                    tokio::select! {
                        () = sleep_until(due) => {}
                        () = self.wake.notified() => {}
                    }
                }
                Next::Rest => self.wake.notified().await,
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
            self.end(&mut state);
            return Next::End;
        }
        let due = polled.group.due();
        let clients = state.clients(&self.key);
        if clients.is_empty() {
            if self.key.realm.is_unproven() {
                // They have been accepted, or are not used any more: who waits finds out.
                self.end(&mut state);
                self.send(Event::Accepted {
                    key: self.key.clone(),
                });
                return Next::End;
            }
            self.shared.progress.notify_waiters();
            return Next::Rest;
        }
        match due {
            Some(due) if due > Instant::now() => Next::LookAt(due),
            _ => Next::LookNow(clients),
        }
    }

    fn end(&self, state: &mut State) -> Option<Polled> {
        self.shared.progress.notify_waiters();
        state.groups.remove(&self.key)
    }

    async fn look(&mut self, clients: Vec<(String, Client)>) {
        let requested_at = Instant::now();
        if let Some(polled) = self.shared.state().groups.get_mut(&self.key) {
            polled.group.begin(requested_at);
        }
        let (by, outcome) = list(&clients, &self.key).await;
        if let Err(error) = &outcome
            && self.key.realm.is_unproven()
        {
            be_let_in(&clients, error).await;
        }
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        let mut accepted = clients.iter().map(|(_, client)| client);
        if let Some(client) = accepted.find(|client| client.realm() != self.key.realm)
            && !self.move_on(&mut state, client)
        {
            return;
        }
        if let Some(polled) = state.groups.get_mut(&self.key) {
            polled.preferred = by.or(polled.preferred.take());
            let news = match outcome {
                Ok(list) => polled.group.succeed(Snapshot::new(requested_at, list)),
                Err(error) => polled.group.fail(requested_at, error, Instant::now()),
            };
            // Told under the lock: whoever observes the outcome next cannot overtake it.
            news.into_iter().for_each(|news| self.tell(news));
        }
        self.shared.progress.notify_waiters();
    }

    /// AI Core has just accepted the credentials with which alone the group was looked at. From now on it is looked at for everybody of their realm.
    /// Tells whether it is this poller that does.
    fn move_on(&mut self, state: &mut State, client: &Client) -> bool {
        let polled = self.end(state);
        state.retry(client);
        let key = client.group_key(&self.key.group);
        let before = std::mem::replace(&mut self.key, key);
        let moves = polled.filter(|_| !state.groups.contains_key(&self.key));
        let has_moved = moves.is_some();
        if let Some(polled) = moves {
            state.rename(&before, &self.key);
            state.groups.insert(self.key.clone(), polled);
        }
        self.send(Event::Accepted { key: before });
        has_moved
    }

    fn tell(&self, news: News) {
        let key = self.key.clone();
        self.send(match news {
            News::Changed(ids, snapshot) => Event::Changed(Change { key, ids, snapshot }),
            News::Failed(error) => Event::Failed { key, error },
            News::Recovered => Event::Recovered { key },
        });
    }

    fn send(&self, event: Event) {
        // Nobody listens any more while the operator shuts down.
        let _ = self.shared.events.send(event);
    }
}

/// Lists a group with the first client whose credentials are accepted, and tells which one has brought the list.
pub(super) async fn list(
    clients: &[(String, Client)],
    key: &GroupKey,
) -> (Option<String>, Result<DeploymentList, Error>) {
    let mut first_error = None;
    for (connection, client) in clients {
        match client.list_deployments(&key.group).await {
            Ok(list) => return (Some(connection.clone()), Ok(list)),
            Err(error) if error.depends_on_credentials() => {
                first_error.get_or_insert(error);
            }
            Err(error) => return (None, Err(error)),
        }
    }
    (
        None,
        Err(first_error.unwrap_or_else(|| Error::NoConnection(key.tenant().clone()))),
    )
}

/// AI Core may refuse this one group alone, as when it is gone: the list of groups tells whether the credentials are let in at all.
async fn be_let_in(clients: &[(String, Client)], error: &Error) {
    let may_be_the_group = matches!(
        error,
        Error::Forbidden(_) | Error::NotFound(_) | Error::Rejected(_)
    );
    if let (true, Some((_, client))) = (may_be_the_group, clients.first()) {
        // What it says does not matter here, only that it comes.
        let _ = client.list_resource_groups().await;
    }
}
