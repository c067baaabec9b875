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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::later_ms;
    use crate::configuration::Configuration;
    use crate::lifecycle::{Outcome, Status};

    /// A deployment comes after 1 second, runs after 2, is gone after 3.
    fn life() -> (History, Deployment) {
        let second = |number: u64| later_ms(Timestamp::UNIX_EPOCH, number * 1_000);
        let configuration = Configuration {
            id: "c-1".to_owned(),
            name: "one".to_owned(),
            scenario_id: "orchestration".to_owned(),
            executable_id: "orchestration".to_owned(),
            parameter_bindings: Vec::new(),
            input_artifact_bindings: Vec::new(),
            created_at: second(0),
            outcome: Outcome::Running,
        };
        let new = Deployment::new(
            "d-1".to_owned(),
            Arc::new(configuration),
            None,
            "",
            second(1),
        );
        let mut running = new.clone();
        running.enter(Status::Running, second(2));
        let mut history = History::default();
        history.record(second(1), "d-1", None);
        history.record(second(2), "d-1", Some(new));
        history.record(second(3), "d-1", Some(running.clone()));
        (history, running)
    }

    fn seen(
        history: &History,
        now: &BTreeMap<String, Deployment>,
        milliseconds: u64,
    ) -> Option<Status> {
        let view = history.view(now, later_ms(Timestamp::UNIX_EPOCH, milliseconds));
        view.get("d-1").map(|deployment| deployment.status.clone())
    }

    #[test]
    fn each_moment_shows_what_was_there_then() {
        let (history, _) = life();
        let now = BTreeMap::new();
        let moments = [500, 1_500, 2_500, 3_500].map(|moment| seen(&history, &now, moment));
        assert_eq!(
            moments,
            [None, Some(Status::Unknown), Some(Status::Running), None]
        );
    }

    #[test]
    fn what_is_older_than_ten_minutes_is_forgotten() {
        let (mut history, running) = life();
        let at = later_ms(Timestamp::UNIX_EPOCH, 700_000);
        history.record(at, "d-2", None);
        let now = BTreeMap::from([("d-1".to_owned(), running)]);
        assert_eq!(seen(&history, &now, 500), Some(Status::Running));
    }
}
