//! How long phases take, and the choices that SAP's contract leaves open.

use clap::{ArgAction, Args};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::choices::{
    BareTop, BulkUpdates, ErrorShape, ErrorStatus, InvalidErrorStatus, ListCount, MissingGroup,
    OperationAfterStop, RequestIdSpelling, SameConfigurationPatch, TtlInAnswers, UnknownGroup,
    UnknownStatusFilter,
};
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
    /// Whether the token endpoint takes a secret in the form, and not only as Basic authentication.
    #[arg(long, env = "AICORE_EMULATOR_TOKEN_FORM", action = ArgAction::Set, default_value_t = Settings::default().token_form)]
    pub token_form: bool,
    /// Whether answers have the header `Date`.
    #[arg(long, env = "AICORE_EMULATOR_DATE_HEADER", action = ArgAction::Set, default_value_t = Settings::default().date_header)]
    pub date_header: bool,
    /// By how many seconds the header `Date` is ahead of the machine's clock.
    #[arg(long, env = "AICORE_EMULATOR_CLOCK_AHEAD_SECONDS", allow_negative_numbers = true, default_value_t = Settings::default().clock_ahead_seconds)]
    pub clock_ahead_seconds: i64,
    /// What the request id is called in the body of an error.
    #[arg(
        long,
        env = "AICORE_EMULATOR_REQUEST_ID_SPELLING",
        default_value = "requestId"
    )]
    pub request_id_spelling: RequestIdSpelling,
    /// HTTP status of a call about a deployment that does not exist, or not any more.
    #[arg(long, env = "AICORE_EMULATOR_GONE_STATUS", default_value_t = Settings::default().gone_status)]
    pub gone_status: ErrorStatus,
    /// The answer to a call that needs a resource group and names none.
    #[arg(long, env = "AICORE_EMULATOR_MISSING_GROUP", default_value = "refuse")]
    pub missing_group: MissingGroup,
    /// The answer to a list that is filtered by a status that does not exist.
    #[arg(
        long,
        env = "AICORE_EMULATOR_UNKNOWN_STATUS_FILTER",
        default_value = "refuse"
    )]
    pub unknown_status_filter: UnknownStatusFilter,
    /// What `count` in a list of deployments counts.
    #[arg(long, env = "AICORE_EMULATOR_LIST_COUNT", default_value = "page")]
    pub list_count: ListCount,
    /// Whether the answer to the creation of a deployment has the header `Location`.
    #[arg(long, env = "AICORE_EMULATOR_LOCATION_HEADER", action = ArgAction::Set, default_value_t = Settings::default().location_header)]
    pub location_header: bool,
    /// How the `ttl` of a deployment is shown.
    #[arg(long, env = "AICORE_EMULATOR_TTL_IN_ANSWERS", default_value = "asSent")]
    pub ttl_in_answers: TtlInAnswers,
    /// Accept the stop of an UNKNOWN deployment.
    #[arg(long, env = "AICORE_EMULATOR_STOP_UNKNOWN")]
    pub stop_unknown: bool,
    /// Report STOPPING from an accepted stop on, instead of the old status for the first tenth.
    #[arg(long, env = "AICORE_EMULATOR_STOPPING_AT_ONCE")]
    pub stopping_at_once: bool,
    /// What `lastOperation` says after an accepted stop.
    #[arg(
        long,
        env = "AICORE_EMULATOR_OPERATION_AFTER_STOP",
        default_value = "update"
    )]
    pub operation_after_stop: OperationAfterStop,
    /// Accept the deletion of a PENDING, RUNNING or STOPPING deployment.
    #[arg(long, env = "AICORE_EMULATOR_DELETE_ACTIVE")]
    pub delete_active: bool,
    /// Accept a second deletion while the first one is under way. SAP's Python SDK sends a DELETE again when the answer was an error.
    #[arg(long, env = "AICORE_EMULATOR_DELETE_AGAIN", action = ArgAction::Set, default_value_t = Settings::default().delete_again)]
    pub delete_again: bool,
    /// Whether the answer to a deletion has `targetStatus`.
    #[arg(long, env = "AICORE_EMULATOR_TARGET_IN_DELETE_ANSWER", action = ArgAction::Set, default_value_t = Settings::default().target_in_delete_answer)]
    pub target_in_delete_answer: bool,
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
            quota_status: ErrorStatus::BAD_REQUEST,
            illegal_stop_status: ErrorStatus::BAD_REQUEST,
            illegal_delete_status: ErrorStatus::PRECONDITION_FAILED,
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
            token_form: true,
            date_header: true,
            clock_ahead_seconds: 0,
            request_id_spelling: RequestIdSpelling::RequestId,
            gone_status: ErrorStatus::NOT_FOUND,
            missing_group: MissingGroup::Refuse,
            unknown_status_filter: UnknownStatusFilter::Refuse,
            list_count: ListCount::Page,
            location_header: true,
            ttl_in_answers: TtlInAnswers::AsSent,
            stop_unknown: false,
            stopping_at_once: false,
            operation_after_stop: OperationAfterStop::Update,
            delete_active: false,
            delete_again: true,
            target_in_delete_answer: true,
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
