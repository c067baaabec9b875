//! How long phases take, and the choices that SAP's contract leaves open.

use std::fmt;
use std::str::FromStr;

use clap::{ArgAction, Args, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::offers::{OfferedExecutable, OfferedModel};

/// Timings, quota and switches. Each one can be set at the start (field, flag or environment variable) and changed
/// while the emulator runs with `PATCH /_emulator/settings`. All `ms` are milliseconds of real time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// How long a new deployment stays UNKNOWN, in milliseconds.
    #[arg(long, env = "AICORE_EMULATOR_UNKNOWN_MS", default_value_t = Settings::default().unknown_ms)]
    pub unknown_ms: u64,
    /// How long a deployment stays PENDING before it runs, in milliseconds.
    #[arg(long, env = "AICORE_EMULATOR_PENDING_MS", default_value_t = Settings::default().pending_ms)]
    pub pending_ms: u64,
    /// From an accepted stop to STOPPED, in milliseconds. For the first tenth the old status is still reported, then
    /// STOPPING.
    #[arg(long, env = "AICORE_EMULATOR_STOPPING_MS", default_value_t = Settings::default().stopping_ms)]
    pub stopping_ms: u64,
    /// From an accepted deletion until the deployment is gone, in milliseconds.
    #[arg(long, env = "AICORE_EMULATOR_DELETING_MS", default_value_t = Settings::default().deleting_ms)]
    pub deleting_ms: u64,
    /// How long a deployment is PENDING after its configuration was changed, in milliseconds.
    #[arg(long, env = "AICORE_EMULATOR_RUNNING_UPDATE_MS", default_value_t = Settings::default().running_update_ms)]
    pub running_update_ms: u64,
    /// How long a deployment that was just created answers 404 and is missing from lists, in milliseconds. The
    /// troubleshooting pages of AI Core know the effect ("a few minutes").
    #[arg(long, env = "AICORE_EMULATOR_FRESH_NOT_FOUND_MS", default_value_t = Settings::default().fresh_not_found_ms)]
    pub fresh_not_found_ms: u64,
    /// How long a new resource group is PROVISIONING, in milliseconds.
    #[arg(long, env = "AICORE_EMULATOR_GROUP_PROVISIONING_MS", default_value_t = Settings::default().group_provisioning_ms)]
    pub group_provisioning_ms: u64,
    /// From the accepted deletion of a resource group until it is gone, in milliseconds.
    #[arg(long, env = "AICORE_EMULATOR_GROUP_DELETING_MS", default_value_t = Settings::default().group_deleting_ms)]
    pub group_deleting_ms: u64,
    /// How many virtual seconds pass in one real second, for `ttl`, for the removal of DEAD deployments after seven
    /// days, and for the log lines of a running deployment (one each virtual second). Must be above 0.
    #[arg(long, env = "AICORE_EMULATOR_TTL_SCALE", default_value_t = Settings::default().ttl_scale)]
    pub ttl_scale: f64,
    /// Lifetime of a token, in seconds.
    #[arg(long, env = "AICORE_EMULATOR_TOKEN_SECONDS", default_value_t = Settings::default().token_seconds)]
    pub token_seconds: u64,

    /// How many deployments a resource group may hold, stopped ones included. No limit when absent.
    #[arg(long, env = "AICORE_EMULATOR_MAX_DEPLOYMENTS")]
    pub max_deployments: Option<usize>,
    /// HTTP status of a POST that is over the quota.
    #[arg(long, env = "AICORE_EMULATOR_QUOTA_STATUS", default_value_t = Settings::default().quota_status)]
    pub quota_status: ErrorStatus,

    /// HTTP status of a stop, or a change of configuration, that the deployment's status does not allow.
    #[arg(long, env = "AICORE_EMULATOR_ILLEGAL_STOP_STATUS", default_value_t = Settings::default().illegal_stop_status)]
    pub illegal_stop_status: ErrorStatus,
    /// HTTP status of a DELETE that the deployment's status does not allow.
    #[arg(long, env = "AICORE_EMULATOR_ILLEGAL_DELETE_STATUS", default_value_t = Settings::default().illegal_delete_status)]
    pub illegal_delete_status: ErrorStatus,
    /// The answer to a resource group that does not exist.
    #[arg(
        long,
        env = "AICORE_EMULATOR_UNKNOWN_GROUP",
        default_value = "forbidden403"
    )]
    pub unknown_group: UnknownGroup,
    /// What `/v2/lm/meta` says of the capability `bulkUpdates.deployments`, and whether bulk calls work.
    #[arg(long, env = "AICORE_EMULATOR_BULK_UPDATES", default_value = "absent")]
    pub bulk_updates: BulkUpdates,
    /// Take a bulk PATCH also as `application/json`; the contract names `application/merge-patch+json`.
    #[arg(long, env = "AICORE_EMULATOR_BULK_ACCEPTS_APPLICATION_JSON")]
    pub bulk_accepts_application_json: bool,
    /// Send null for what is not known, as the live service was seen to do, instead of leaving it out.
    #[arg(long, env = "AICORE_EMULATOR_NULL_FIELDS")]
    pub null_fields: bool,
    /// The body of an error that the API itself answers.
    #[arg(long, env = "AICORE_EMULATOR_ERROR_SHAPE", default_value = "envelope")]
    pub error_shape: ErrorShape,
    /// `$top` of a list that names none.
    #[arg(long, env = "AICORE_EMULATOR_LIST_DEFAULT_TOP", default_value_t = Settings::default().list_default_top)]
    pub list_default_top: usize,
    /// Whether `top` and `skip` without `$` count, as the Python SDK sends them.
    #[arg(long, env = "AICORE_EMULATOR_BARE_TOP", default_value = "ignore")]
    pub bare_top: BareTop,
    /// The answer to a change to the configuration that a deployment already has.
    #[arg(
        long,
        env = "AICORE_EMULATOR_SAME_CONFIGURATION_PATCH",
        default_value = "accept"
    )]
    pub same_configuration_patch: SameConfigurationPatch,
    /// Whether logs need the header `AI-Resource-Group`. The documentation sends it, the OpenAPI document does not name
    /// it.
    #[arg(long, env = "AICORE_EMULATOR_LOGS_NEED_GROUP", action = ArgAction::Set, default_value_t = Settings::default().logs_need_group)]
    pub logs_need_group: bool,
    /// Send fields that the OpenAPI document does not know but the documentation shows (`createdBy` and others).
    #[arg(long, env = "AICORE_EMULATOR_EXTRA_FIELDS")]
    pub extra_fields: bool,
    /// Report the status DELETING, which the public enumeration lacks, while a deployment is being deleted.
    #[arg(long, env = "AICORE_EMULATOR_EMIT_DELETING")]
    pub emit_deleting: bool,
    /// Executables that are shown in place of those of the catalogue, or besides them. They only concern who reads them: a configuration needs an
    /// executable of the catalogue.
    #[arg(skip)]
    pub executables: Vec<OfferedExecutable>,
    /// Models that are shown in place of those of the catalogue, or besides them.
    #[arg(skip)]
    pub models: Vec<OfferedModel>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            unknown_ms: 14_000,
            pending_ms: 64_000,
            stopping_ms: 30_000,
            deleting_ms: 25_000,
            running_update_ms: 120_000,
            fresh_not_found_ms: 0,
            group_provisioning_ms: 3_000,
            group_deleting_ms: 3_000,
            ttl_scale: 1.0,
            token_seconds: 43_199,
            max_deployments: None,
            quota_status: ErrorStatus(400),
            illegal_stop_status: ErrorStatus(400),
            illegal_delete_status: ErrorStatus(412),
            unknown_group: UnknownGroup::Forbidden403,
            bulk_updates: BulkUpdates::Absent,
            bulk_accepts_application_json: false,
            null_fields: false,
            error_shape: ErrorShape::Envelope,
            list_default_top: 10_000,
            bare_top: BareTop::Ignore,
            same_configuration_patch: SameConfigurationPatch::Accept,
            logs_need_group: true,
            extra_fields: false,
            emit_deleting: false,
            executables: Vec::new(),
            models: Vec::new(),
        }
    }
}

impl Settings {
    /// Every phase in milliseconds instead of minutes, for tests that want the whole life of a deployment in a second.
    pub fn fast() -> Self {
        Self {
            unknown_ms: 50,
            pending_ms: 100,
            stopping_ms: 100,
            deleting_ms: 100,
            running_update_ms: 100,
            group_provisioning_ms: 50,
            group_deleting_ms: 50,
            ..Self::default()
        }
    }

    /// These settings with the fields of a JSON object replaced. Fails with a sentence on an unknown name or a value
    /// that does not fit.
    pub(crate) fn merged(&self, patch: &Value) -> Result<Self, String> {
        let mut merged = serde_json::to_value(self).map_err(|error| error.to_string())?;
        match (merged.as_object_mut(), patch.as_object()) {
            (Some(merged), Some(patch)) => merged.extend(patch.clone()),
            _ => return Err("send a JSON object that holds the settings to change".to_owned()),
        }
        let merged: Self = serde_json::from_value(merged).map_err(|error| error.to_string())?;
        if merged.ttl_scale.is_finite() && merged.ttl_scale > 0.0 {
            Ok(merged)
        } else {
            Err("ttlScale must be a number above 0".to_owned())
        }
    }
}

/// An HTTP status from 400 to 499, for refusals whose status the contract leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct ErrorStatus(u16);

/// The error of a status that is not a client error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an HTTP status from 400 to 499; choose one in that range")]
pub struct InvalidErrorStatus(String);

impl TryFrom<u16> for ErrorStatus {
    type Error = InvalidErrorStatus;

    fn try_from(status: u16) -> Result<Self, Self::Error> {
        if (400..500).contains(&status) {
            Ok(Self(status))
        } else {
            Err(InvalidErrorStatus(status.to_string()))
        }
    }
}

impl From<ErrorStatus> for u16 {
    fn from(status: ErrorStatus) -> Self {
        status.0
    }
}

impl FromStr for ErrorStatus {
    type Err = InvalidErrorStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<u16>()
            .map_err(|_| InvalidErrorStatus(text.to_owned()))?
            .try_into()
    }
}

impl fmt::Display for ErrorStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The answer to a resource group that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
#[value(rename_all = "camelCase")]
pub enum UnknownGroup {
    /// 403 with the plain text of the gateway.
    Forbidden403,
    /// 404 in the error envelope.
    NotFound404,
}

/// The capability to change many deployments in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
#[value(rename_all = "camelCase")]
pub enum BulkUpdates {
    /// Reported as true, and works.
    Present,
    /// Reported as false, and refused.
    Absent,
    /// Not reported at all, and refused.
    Missing,
}

/// The body of an API error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
#[value(rename_all = "camelCase")]
pub enum ErrorShape {
    /// `{"error":{"code":...,"message":...,"requestId":...,"target":...}}`
    Envelope,
    /// The message alone.
    PlainText,
    /// A page of HTML, as a proxy makes it.
    Html,
    /// No body.
    Empty,
}

/// Whether `top` and `skip` without `$` count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
#[value(rename_all = "camelCase")]
pub enum BareTop {
    /// They are unknown parameters and change nothing.
    Ignore,
    /// They mean `$top` and `$skip`.
    Honour,
}

/// The answer to a change to the configuration that a deployment already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
#[value(rename_all = "camelCase")]
pub enum SameConfigurationPatch {
    /// 202, and nothing changes.
    Accept,
    /// 400.
    Refuse,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let merged = Settings::default().merged(&json!({"unknownMs": 5, "bulkUpdates": "missing"}));
        let expected = Settings {
            unknown_ms: 5,
            bulk_updates: BulkUpdates::Missing,
            ..Settings::default()
        };
        assert_eq!(merged, Ok(expected));
    }

    #[test]
    fn a_misspelt_setting_or_an_impossible_value_is_refused() {
        for patch in [
            json!({"unknownMsec": 5}),
            json!({"quotaStatus": 200}),
            json!({"ttlScale": 0}),
            json!([1]),
        ] {
            assert!(
                Settings::default().merged(&patch).is_err(),
                "{patch} was accepted"
            );
        }
    }
}
