//! What the deployments of a group looked like a moment ago: lists that lag behind are served from here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;
use crate::deployment::Deployment;

/// How far back one can look.
const KEPT: Duration = Duration::from_secs(600);

/// A log of changes that can be undone.
#[derive(Debug, Default)]
pub(crate) struct History {
    changes: VecDeque<Change>,
}

#[derive(Debug)]
struct Change {
    at: Timestamp,
    id: String,
    before: Option<Deployment>,
}

impl History {
    /// Notes that a deployment changed (or came, when there was none `before`).
    pub(crate) fn record(&mut self, at: Timestamp, id: &str, before: Option<Deployment>) {
        while self
            .changes
            .front()
            .is_some_and(|oldest| later(oldest.at, KEPT) < at)
        {
            self.changes.pop_front();
        }
        self.changes.push_back(Change {
            at,
            id: id.to_owned(),
            before,
        });
    }

    /// The deployments as they were at `time`, given what they are now.
    pub(crate) fn view(
        &self,
        now: &BTreeMap<String, Deployment>,
        time: Timestamp,
    ) -> BTreeMap<String, Deployment> {
        let mut view = now.clone();
        let mut undone = BTreeSet::new();
        for change in self.changes.iter().filter(|change| change.at > time) {
            // The oldest change after that time holds what was there then.
            if !undone.insert(change.id.as_str()) {
                continue;
            }
            match &change.before {
                Some(before) => view.insert(change.id.clone(), before.clone()),
                None => view.remove(&change.id),
            };
        }
        view
    }
}
