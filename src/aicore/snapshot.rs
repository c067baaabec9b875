//! A resource group at one moment, and what differs between two moments.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tokio::time::Instant;

use super::types::{Deployment, DeploymentList};

/// Every deployment of a resource group, from one complete list.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When the list was asked for: whatever happened before it is in the snapshot.
    pub requested_at: Instant,
    /// The server's clock when it answered.
    pub date: Option<Timestamp>,
    /// Ordered by id.
    deployments: Vec<Deployment>,
}

impl Snapshot {
    pub(super) fn new(requested_at: Instant, list: DeploymentList) -> Self {
        let mut deployments = list.deployments;
        deployments.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        // It is kept until the next list, so no room is kept that nothing fills.
        deployments.shrink_to_fit();
        Self {
            requested_at,
            date: list.date,
            deployments,
        }
    }

    /// The deployment with this id; none when the list did not have it.
    pub fn get(&self, id: &str) -> Option<&Deployment> {
        let position = self
            .deployments
            .binary_search_by(|deployment| deployment.id.as_str().cmp(id));
        self.deployments.get(position.ok()?)
    }

    /// All deployments, ordered by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Deployment> {
        self.deployments.iter()
    }
}

/// The ids that are new, gone or changed. Everything is new when there is nothing to compare with.
pub(super) fn changed_ids(before: Option<&Snapshot>, after: &Snapshot) -> BTreeSet<String> {
    let new_or_changed = after
        .deployments
        .iter()
        .filter(|now| before.and_then(|before| before.get(&now.id)) != Some(now));
    let gone = before
        .into_iter()
        .flat_map(|before| before.deployments.iter())
        .filter(|gone| after.get(&gone.id).is_none());
    new_or_changed
        .chain(gone)
        .map(|deployment| deployment.id.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aicore::wire::{DeploymentJson, list};

    fn snapshot(deployments: &[(&str, &str)]) -> Snapshot {
        let resources: Vec<_> = deployments
            .iter()
            .map(|(id, rest)| format!(r#"{{"id":"{id}","configurationId":"c1",{rest}}}"#))
            .collect();
        let body = format!(r#"{{"resources":[{}]}}"#, resources.join(","));
        let deployments = list::<DeploymentJson>(body.as_bytes()).unwrap().objects;
        Snapshot::new(
            Instant::now(),
            DeploymentList {
                deployments,
                date: None,
            },
        )
    }

    #[test]
    fn what_is_new_gone_or_changed_is_told_and_nothing_else() {
        let before = snapshot(&[
            ("same", r#""status":"RUNNING""#),
            ("moved", r#""status":"RUNNING""#),
            ("gone", r#""status":"DEAD""#),
        ]);
        let after = snapshot(&[
            ("same", r#""status":"RUNNING""#),
            ("moved", r#""status":"STOPPING""#),
            ("new", r#""status":"UNKNOWN""#),
        ]);
        assert_eq!(
            changed_ids(Some(&before), &after),
            BTreeSet::from(["gone", "moved", "new"].map(str::to_owned))
        );
        assert_eq!(changed_ids(None, &after).len(), 3);
    }

    #[test]
    fn a_touch_without_a_change_is_none() {
        let before = snapshot(&[(
            "d1",
            r#""status":"RUNNING","modifiedAt":"2026-01-01T00:00:00Z""#,
        )]);
        let after = snapshot(&[(
            "d1",
            r#""status":"RUNNING","modifiedAt":"2026-01-01T00:01:00Z""#,
        )]);
        assert!(changed_ids(Some(&before), &after).is_empty());
    }
}
