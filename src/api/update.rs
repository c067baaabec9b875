//! How a deployment comes to another configuration: the part of the spec that says so, and what the status records of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the deployment is brought to another configuration.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct UpdatePolicy {
    /// What to do when the new configuration has another scenario or executable: AI Core does not give it to an existing deployment, so the
    /// deployment is replaced, and its id and URL change. CreateFirst: it serves until its successor runs, so for a while both cost money and
    /// count for the quota. DeleteFirst: it is stopped and deleted before its successor is created, so for a while nothing serves. What is dead is
    /// deleted first in any case.
    #[serde(default)]
    pub replace: ReplacePolicy,

    /// What to do when the deployment is dead after it was given another configuration of the same scenario and executable. Stall: say so and
    /// wait for a person. RollBack: give it back the configuration that ran before, once, and say so; the new one is not tried again before
    /// the spec has asked for another one.
    #[serde(default)]
    pub on_failure: FailurePolicy,
}

/// What goes first when a deployment is replaced.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(inline)]
pub enum ReplacePolicy {
    #[default]
    #[allow(missing_docs, reason = "the field's text explains the values")]
    CreateFirst,
    #[allow(missing_docs, reason = "the field's text explains the values")]
    DeleteFirst,
}

/// What to do when a deployment does not run with its new configuration.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(inline)]
pub enum FailurePolicy {
    #[default]
    #[allow(missing_docs, reason = "the field's text explains the values")]
    Stall,
    #[allow(missing_docs, reason = "the field's text explains the values")]
    RollBack,
}

/// A change of a deployment's configuration that AI Core has accepted.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SentConfiguration {
    /// The id of the deployment.
    pub deployment_id: String,
    /// The id of the configuration that it was given.
    pub configuration_id: String,
}

/// A configuration with which the deployment did not run, and what it was given instead.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RolledBack {
    /// The id of the deployment.
    pub deployment_id: String,
    /// The id of the configuration that has failed.
    pub configuration_id: String,
    /// The id of the configuration that the deployment was given back, or is about to be.
    pub restored_configuration_id: String,
    /// What AI Core said about the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
