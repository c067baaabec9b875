//! What a deployment got from AI Core, and how long its model will be there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a deployment runs on, as AI Core reports it while it runs.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct RecordedResources {
    /// The resource plan, for example infer.s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_plan: Option<String>,
    /// The instance type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// The name of the hosted model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
    /// The version of the hosted model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
}

/// A model that AI Core will not offer much longer.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct ModelRetirement {
    /// The name of the model.
    pub model: String,
    /// The version that the configuration asks for, or latest.
    pub version: String,
    /// Whether AI Core calls it deprecated.
    pub deprecated: bool,
    /// When AI Core retires it, where it gives a date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retirement_date: Option<String>,
}
