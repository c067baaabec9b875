//! What a test has the catalogue say, in place of what it says by itself.

use serde::{Deserialize, Serialize};

/// An executable as `/lm/scenarios/{scenarioId}/executables` shows it. What is left out is null there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfferedExecutable {
    /// The scenario that it belongs to, which must be one of the catalogue.
    pub scenario_id: String,
    /// Its id. One of the catalogue with the same id is not shown.
    pub id: String,
    /// Whether it can be deployed.
    #[serde(default)]
    pub deployable: Option<bool>,
    /// Its parameters.
    #[serde(default)]
    pub parameters: Option<Vec<OfferedParameter>>,
    /// The names of its input artifacts.
    #[serde(default)]
    pub input_artifacts: Option<Vec<String>>,
}

/// A parameter of an [`OfferedExecutable`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfferedParameter {
    /// Its name.
    pub name: String,
    /// Its default; without one it has to be bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// A model as `/lm/scenarios/{scenarioId}/models` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfferedModel {
    /// The scenario that it belongs to.
    pub scenario_id: String,
    /// Its name. One of the catalogue with the same name is not shown.
    pub model: String,
    /// The executable that serves it.
    pub executable_id: String,
    /// Its versions.
    pub versions: Vec<OfferedVersion>,
}

/// A version of an [`OfferedModel`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfferedVersion {
    /// Its name.
    pub name: String,
    /// Whether it is the newest one.
    #[serde(default)]
    pub is_latest: bool,
    /// Whether it should not be used any more.
    #[serde(default)]
    pub deprecated: bool,
    /// When it is retired (ISO 8601).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retirement_date: Option<String>,
}
