//! The last look through each Connection, and the newest list of each group.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::views::ConnectionName;
use crate::aicore::{GroupKey, Snapshot};
use crate::controller::problem::Failure;

/// How soon a look that failed is repeated at the earliest.
const RETRY: Duration = Duration::from_secs(5);

/// The last look through each Connection. It is repeated when the key changes, and now and then.
#[derive(Debug, Default)]
pub(crate) struct Surveys {
    made: Mutex<HashMap<ConnectionName, Arc<Made>>>,
    /// Why the last look failed, and until when that is not tried again.
    failed: Mutex<HashMap<ConnectionName, (Failure, Instant)>>,
    /// The newest list of each group, whoever asked for it.
    newest: Mutex<HashMap<GroupKey, Arc<Snapshot>>>,
}

/// When a survey was made, and which groups it saw.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) at: Instant,
    pub(crate) resource_groups: Vec<String>,
}

impl Surveys {
    /// Has the next survey of a Connection made anew.
    pub(crate) fn forget(&self, name: &ConnectionName) {
        self.made.lock().remove(name);
        self.failed.lock().remove(name);
    }

    /// Notes a list.
    pub(crate) fn listed(&self, key: GroupKey, snapshot: Arc<Snapshot>) {
        self.newest.lock().insert(key, snapshot);
    }

    /// The last survey of a Connection.
    pub(crate) fn made(&self, name: &ConnectionName) -> Option<Arc<Made>> {
        self.made.lock().get(name).cloned()
    }

    /// Keeps a failure, for as long as AI Core asks to be left alone, and for some seconds at least.
    pub(crate) fn fail(
        &self,
        name: &ConnectionName,
        failure: Failure,
        retry_after: Option<Duration>,
    ) {
        let until = Instant::now() + retry_after.unwrap_or_default().max(RETRY);
        self.failed.lock().insert(name.clone(), (failure, until));
    }

    /// Why the last look failed, while it is too early for another.
    pub(crate) fn failure(&self, name: &ConnectionName) -> Option<Failure> {
        let mut failed = self.failed.lock();
        if failed
            .get(name)
            .is_some_and(|(_, until)| *until <= Instant::now())
        {
            failed.remove(name);
        }
        failed.get(name).map(|(failure, _)| failure.clone())
    }

    /// Keeps a survey.
    pub(crate) fn keep(&self, name: &ConnectionName, made: Arc<Made>) {
        self.made.lock().insert(name.clone(), made);
    }

    /// The newest list of a group.
    pub(crate) fn newest(&self, key: &GroupKey) -> Option<Arc<Snapshot>> {
        self.newest.lock().get(key).cloned()
    }
}
