//! What this run has made and not yet removed. It is written before a call that may make something, so that whoever must end at once knows
//! what is left.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;

/// What a run has made and not yet removed. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    group: String,
    /// The configuration of a create call of which it is not known what it has made.
    open: Option<String>,
    deployments: Vec<String>,
    /// Deployments that may be the result of such a call, or somebody else's.
    candidates: Vec<String>,
}

/// Something that was left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// The deployment, where it is known.
    pub deployment_id: Option<String>,
    /// The configuration that it was created from, where no deployment is known.
    pub configuration_id: Option<String>,
    /// The resource group that it is in.
    pub resource_group: String,
    /// What it is, and how to remove it.
    pub advice: String,
}

impl Ledger {
    /// What is left now.
    pub fn left(&self) -> Vec<Left> {
        let entries = self.0.lock();
        let left = |deployment_id: Option<&String>,
                    configuration_id: Option<&String>,
                    advice: &str| Left {
            deployment_id: deployment_id.cloned(),
            configuration_id: configuration_id.cloned(),
            resource_group: entries.group.clone(),
            advice: advice.to_owned(),
        };
        let deployments = entries.deployments.iter().map(|id| {
            left(
                Some(id),
                None,
                "made by this run; stop it, wait until it is STOPPED, and delete it",
            )
        });
        let candidates = entries.candidates.iter().map(|id| {
            left(Some(id), None, "made by this run or by somebody else; ask who uses it before you stop and delete it")
        });
        let open = entries.open.iter().map(|configuration| {
            left(None, Some(configuration), "a deployment of this configuration may still appear; look for one, then stop and delete it")
        });
        deployments.chain(candidates).chain(open).collect()
    }

    /// A deployment is about to be created.
    pub(super) fn open(&self, group: &str, configuration: &str) {
        let mut entries = self.0.lock();
        entries.group = group.to_owned();
        entries.open = Some(configuration.to_owned());
    }

    /// Nothing was created.
    pub(super) fn nothing(&self) {
        self.0.lock().open = None;
    }

    /// These were created.
    pub(super) fn created(&self, ids: &[String]) {
        let mut entries = self.0.lock();
        entries.open = None;
        entries.deployments.extend_from_slice(ids);
    }

    /// One of these may have been created.
    pub(super) fn cannot_tell(&self, ids: &[String]) {
        let mut entries = self.0.lock();
        entries.open = None;
        entries.candidates.extend_from_slice(ids);
    }

    /// The deployments that this run has certainly made.
    pub(super) fn deployments(&self) -> Vec<String> {
        self.0.lock().deployments.clone()
    }

    /// This one is proven gone.
    pub(super) fn gone(&self, id: &str) {
        self.0.lock().deployments.retain(|other| other != id);
    }
}
