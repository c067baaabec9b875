//! Office hours of a deployment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DesiredState;

/// When a deployment is wanted to run.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OfficeHours {
    /// The time zone of both times, as the IANA database names it, for example Europe/Berlin or UTC.
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: String,

    /// From when the deployment is wanted, as a crontab expression: minute, hour, day of month, month, day of week. For example
    /// `0 7 * * 1-5`: at 7:00 from Monday to Friday.
    #[schemars(regex(pattern = r"^\S+ +\S+ +\S+ +\S+ +\S+$"), length(max = 128))]
    pub start: String,

    /// From when it is not wanted any more, as a crontab expression: it is stopped and deleted, because AI Core counts what is stopped and cannot
    /// start it again. For example `0 19 * * 1-5`. At a time that start says too, it is not wanted.
    #[schemars(regex(pattern = r"^\S+ +\S+ +\S+ +\S+ +\S+$"), length(max = 128))]
    pub stop: String,
}

/// What office hours said, and what they say next.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct OfficeHoursStatus {
    /// When they said something for the last time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,

    /// The desiredState that the spec had then. Another one, given later, counts until they say something again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wish: Option<DesiredState>,

    /// The next change: the state, and when (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_change: Option<String>,
}
