//! What a configuration binds, for configurations that are copied.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::client::{Client, get};
use super::error::Error;
use super::text::Text;
use super::types::{ArtifactBinding, NewConfiguration, ParameterBinding};
use super::wire::{self, Checked};

/// The content of a configuration (`AiConfiguration`), by which two of them are the same whatever their names are. Its maps are sorted, so the
/// same content always has the same JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationContent {
    /// The scenario of the executable.
    pub scenario_id: String,
    /// The executable.
    pub executable_id: String,
    /// Values of parameters, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// Ids of artifacts, by the names of the inputs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub input_artifacts: BTreeMap<String, String>,
}

impl ConfigurationContent {
    /// A configuration of this name with this content.
    pub fn named(&self, name: String) -> NewConfiguration {
        let parameter = |(key, value): (&String, &String)| ParameterBinding {
            key: key.clone(),
            value: value.clone(),
        };
        let artifact = |(key, id): (&String, &String)| ArtifactBinding {
            key: key.clone(),
            artifact_id: id.clone(),
        };
        NewConfiguration {
            name,
            executable_id: self.executable_id.clone(),
            scenario_id: self.scenario_id.clone(),
            parameter_bindings: self.parameters.iter().map(parameter).collect(),
            input_artifact_bindings: self.input_artifacts.iter().map(artifact).collect(),
        }
    }
}

impl Client {
    /// The content of one configuration.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::NotFound`], and [`Error::Malformed`] where its scenario or executable is left out.
    pub async fn configuration_content(
        &self,
        group: &str,
        id: &str,
    ) -> Result<ConfigurationContent, Error> {
        let path = ["lm", "configurations", id];
        let answer = self.transport.fetch(&get(&path, Some(group))).await?;
        wire::object::<ContentJson>(&answer.body)
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContentJson {
    scenario_id: Text,
    executable_id: Text,
    parameter_bindings: Option<Vec<ParameterJson>>,
    input_artifact_bindings: Option<Vec<ArtifactJson>>,
}

#[derive(Deserialize)]
struct ParameterJson {
    key: String,
    #[serde(default)]
    value: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactJson {
    key: String,
    artifact_id: String,
}

impl Checked for ContentJson {
    type Object = ConfigurationContent;

    fn check(self) -> Result<ConfigurationContent, &'static str> {
        let parameters = self.parameter_bindings.unwrap_or_default();
        let artifacts = self.input_artifact_bindings.unwrap_or_default();
        Ok(ConfigurationContent {
            scenario_id: self.scenario_id.0.ok_or("scenarioId")?,
            executable_id: self.executable_id.0.ok_or("executableId")?,
            parameters: parameters
                .into_iter()
                .map(|binding| (binding.key, binding.value.0.unwrap_or_default()))
                .collect(),
            input_artifacts: artifacts
                .into_iter()
                .map(|binding| (binding.key, binding.artifact_id))
                .collect(),
        })
    }
}
