//! The configuration of a deployment, as a user writes it, and as it was found or made in AI Core.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The content of an AI Core configuration.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.copyOf) ? !has(self.scenarioId) && !has(self.executableId) : has(self.scenarioId) && has(self.executableId)")
        .message("give either scenarioId and executableId, or copyOf, the id of a configuration that has both")
)]
pub struct ConfigurationTemplate {
    /// The id of the scenario, for example foundation-models. With another one the deployment is replaced, as update.replace says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[\w.-]{4,64}$"))]
    pub scenario_id: Option<String>,

    /// The id of the executable in that scenario, for example azure-openai. With another one the deployment is replaced, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[\w.-]{4,64}$"))]
    pub executable_id: Option<String>,

    /// The id of a configuration in the same resource group whose scenario, executable, parameters and input artifacts are taken over.
    /// Parameters and input artifacts that are given here as well replace those of the same name, and are added where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[\w.-]{4,64}$"))]
    pub copy_of: Option<String>,

    /// Values for the executable's parameters, by name, for example modelName and modelVersion, or the resource plan where the executable has
    /// a parameter for it. They are held against the executable before the configuration is created.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[x_kube(
        validation = Rule::new("self.all(key, key.size() <= 256 && self[key].size() <= 5000)")
            .message("a parameter's name has at most 256 characters and its value at most 5000")
    )]
    #[schemars(extend("maxProperties" = 1000))]
    pub parameters: BTreeMap<String, String>,

    /// Ids of the artifacts that the executable takes, by the name of its input artifact.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[x_kube(
        validation = Rule::new("self.all(key, key.size() <= 256 && self[key].size() <= 64)")
            .message("an input artifact's name has at most 256 characters and an artifact id at most 64")
    )]
    #[schemars(extend("maxProperties" = 1000))]
    pub input_artifacts: BTreeMap<String, String>,
}

/// The configuration that a spec asks for, and where AI Core keeps it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RecordedConfiguration {
    /// The id of the configuration in AI Core.
    pub id: String,
    /// For a configuration written in the spec: a hash of its content, which is also the end of its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_hash: Option<String>,
    /// For a configuration that copies another one: a hash of what the spec says, so that a change is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_hash: Option<String>,
}

impl RecordedConfiguration {
    /// Whether it was made from a template with this hash. A template that copies nothing is its own content.
    pub fn is_of_template(&self, hash: &str) -> bool {
        let recorded = self.template_hash.as_ref().or(self.content_hash.as_ref());
        recorded.is_some_and(|recorded| recorded == hash)
    }
}
