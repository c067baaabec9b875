//! Configurations: what a deployment runs. They are never changed and never deleted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::lifecycle::Outcome;

/// The parameter by which a test tells how a deployment of this configuration ends up. Every executable takes it.
pub(crate) const OUTCOME_PARAMETER: &str = "emulator.outcome";

/// A parameter and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ParameterBinding {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// An input artifact of the executable and the id of the artifact that is bound to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InputArtifactBinding {
    pub(crate) key: String,
    pub(crate) artifact_id: String,
}

/// A configuration of a resource group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Configuration {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) scenario_id: String,
    pub(crate) executable_id: String,
    pub(crate) parameter_bindings: Vec<ParameterBinding>,
    pub(crate) input_artifact_bindings: Vec<InputArtifactBinding>,
    pub(crate) created_at: Timestamp,
    pub(crate) outcome: Outcome,
}

impl Configuration {
    /// The value that a parameter is bound to.
    pub(crate) fn parameter(&self, key: &str) -> Option<&str> {
        parameter(&self.parameter_bindings, key)
    }
}

/// The value that `bindings` give to a parameter.
pub(crate) fn parameter<'a>(bindings: &'a [ParameterBinding], key: &str) -> Option<&'a str> {
    bindings
        .iter()
        .find(|binding| binding.key == key)
        .map(|binding| binding.value.as_str())
}
