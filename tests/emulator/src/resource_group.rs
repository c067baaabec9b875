//! A resource group and what it holds.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::later_ms;
use crate::configuration::Configuration;
use crate::deployment::Deployment;
use crate::history::History;
use crate::settings::Settings;

/// A label of a resource group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// A resource group of a tenant.
#[derive(Debug)]
pub(crate) struct ResourceGroup {
    pub(crate) id: String,
    pub(crate) labels: Vec<Label>,
    pub(crate) created_at: Timestamp,
    /// It came by a call: it is PROVISIONING for `groupProvisioningMs`.
    pub(crate) fresh: bool,
    /// When its deletion was accepted.
    pub(crate) deleted_at: Option<Timestamp>,
    pub(crate) configurations: BTreeMap<String, Arc<Configuration>>,
    deployments: BTreeMap<String, Deployment>,
    history: History,
}

impl ResourceGroup {
    /// An empty group that can be used at once.
    pub(crate) fn new(id: String, created_at: Timestamp) -> Self {
        Self {
            id,
            labels: Vec::new(),
            created_at,
            fresh: false,
            deleted_at: None,
            configurations: BTreeMap::new(),
            deployments: BTreeMap::new(),
            history: History::default(),
        }
    }

    /// Whether it is PROVISIONED.
    pub(crate) fn is_ready(&self, now: Timestamp, settings: &Settings) -> bool {
        !self.fresh || later_ms(self.created_at, settings.group_provisioning_ms) <= now
    }

    /// When it is gone with everything in it, if its deletion was accepted.
    pub(crate) fn gone_at(&self, settings: &Settings) -> Option<Timestamp> {
        self.deleted_at
            .map(|deleted_at| later_ms(deleted_at, settings.group_deleting_ms))
    }

    /// All deployments by id, also those that callers do not see yet.
    pub(crate) fn deployments(&self) -> &BTreeMap<String, Deployment> {
        &self.deployments
    }

    /// Stores a deployment, new or changed.
    pub(crate) fn put(&mut self, deployment: Deployment, at: Timestamp) {
        let id = deployment.id.clone();
        let before = self.deployments.insert(id.clone(), deployment);
        self.history.record(at, &id, before);
    }

    /// Removes a deployment.
    pub(crate) fn remove(&mut self, id: &str, at: Timestamp) -> Option<Deployment> {
        let removed = self.deployments.remove(id)?;
        self.history.record(at, id, Some(removed.clone()));
        Some(removed)
    }

    /// The deployments as they were at a time, which is now for most readers.
    pub(crate) fn view(
        &self,
        time: Timestamp,
        now: Timestamp,
    ) -> Cow<'_, BTreeMap<String, Deployment>> {
        if time < now {
            Cow::Owned(self.history.view(&self.deployments, time))
        } else {
            Cow::Borrowed(&self.deployments)
        }
    }
}
