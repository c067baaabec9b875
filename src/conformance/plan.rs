//! What a run is to do.

use std::time::Duration;

use rand::Rng;

use super::trouble::Trouble;
use crate::aicore::{Client, Deployment, Error, NewConfiguration, ParameterBinding};

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The resource group to do it in.
    pub group: String,
    /// What the deployment is created from.
    pub source: Source,
    /// How long the deployment may stay in one state before the run is given up.
    pub wait: Duration,
    /// From one look to the next.
    pub poll: Duration,
    /// Whether there may be other deployments in the group.
    pub beside_others: bool,
}

/// What a deployment is created from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A configuration that exists.
    Existing(String),
    /// A configuration to create.
    New {
        /// The scenario of the executable.
        scenario_id: String,
        /// The executable.
        executable_id: String,
        /// Values of its parameters.
        parameters: Vec<(String, String)>,
    },
}

impl Plan {
    /// Makes sure that the group can be used, and gives the deployments in it.
    ///
    /// # Errors
    ///
    /// When it cannot be listed, or holds deployments although it should be a sandbox.
    pub async fn check(&self, client: &Client) -> Result<Vec<Deployment>, Trouble> {
        let list = client.list_deployments(&self.group).await;
        let deployments = list.map_err(unreadable)?.deployments;
        if !deployments.is_empty() && !self.beside_others {
            return Err(Trouble::NoSandbox {
                group: self.group.clone(),
                deployments: deployments.len(),
            });
        }
        Ok(deployments)
    }

    /// A time to live that outlasts the run, so that AI Core ends by itself what this run cannot end: some hours, in minutes, by a number that
    /// hardly any other deployment has.
    pub(super) fn time_to_live(&self) -> String {
        const HOUR: u64 = 60;
        // Starting, stopping and deleting are waited for, and all that once more when it is cleaned up.
        let minutes = self.wait.as_secs().div_ceil(60) * 6 + HOUR;
        let odd = rand::rng().random_range(1..HOUR);
        format!("{}m", minutes.next_multiple_of(HOUR) + odd)
    }
}

fn unreadable(error: Error) -> Trouble {
    Trouble::Failed {
        what: "the deployments of the resource group could not be listed",
        source: error,
    }
}

impl Source {
    /// The configuration to create; none when it exists.
    pub(super) fn configuration(&self) -> Option<NewConfiguration> {
        let Self::New {
            scenario_id,
            executable_id,
            parameters,
        } = self
        else {
            return None;
        };
        let bindings = parameters.iter().map(|(key, value)| ParameterBinding {
            key: key.clone(),
            value: value.clone(),
        });
        Some(NewConfiguration {
            // By its name it is found again when the answer to its creation is lost.
            name: format!("aicore-operator conformance {:016x}", rand::random::<u64>()),
            executable_id: executable_id.clone(),
            scenario_id: scenario_id.clone(),
            parameter_bindings: bindings.collect(),
            input_artifact_bindings: Vec::new(),
        })
    }
}
