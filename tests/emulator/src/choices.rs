//! The answers that SAP's contract leaves open: what a setting can choose between.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// An HTTP status from 400 to 499, for refusals whose status the contract leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct ErrorStatus(u16);

impl ErrorStatus {
    pub(crate) const BAD_REQUEST: Self = Self(400);
    pub(crate) const NOT_FOUND: Self = Self(404);
    pub(crate) const PRECONDITION_FAILED: Self = Self(412);
}

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

/// What the request id is called in the body of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum RequestIdSpelling {
    /// As the OpenAPI document has it.
    #[serde(rename = "requestId")]
    #[value(name = "requestId")]
    RequestId,
    /// As one troubleshooting page has it.
    #[serde(rename = "requestID")]
    #[value(name = "requestID")]
    RequestIdCapital,
    /// As another troubleshooting page has it.
    #[serde(rename = "request_id")]
    #[value(name = "request_id")]
    SnakeCase,
    /// There is none.
    #[serde(rename = "absent")]
    #[value(name = "absent")]
    Absent,
}

/// The answer to a call that needs a resource group and names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
#[value(rename_all = "camelCase")]
pub enum MissingGroup {
    /// 400.
    Refuse,
    /// It means the group `default`.
    Default,
}

/// The answer to a list that is filtered by a status that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
#[value(rename_all = "camelCase")]
pub enum UnknownStatusFilter {
    /// 400.
    Refuse,
    /// The list as if there were no filter.
    Ignore,
    /// An empty list.
    Empty,
}

/// What `count` in a list counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
#[value(rename_all = "camelCase")]
pub enum ListCount {
    /// The entries of that answer.
    Page,
    /// Everything that the filters let through.
    Total,
}

/// How the `ttl` of a deployment is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
#[value(rename_all = "camelCase")]
pub enum TtlInAnswers {
    /// As it was sent.
    AsSent,
    /// In minutes, with the unit in upper case.
    Minutes,
    /// Not at all.
    Absent,
}

/// What `lastOperation` says after an accepted stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
#[value(rename_all = "camelCase")]
pub enum OperationAfterStop {
    /// UPDATE.
    Update,
    /// What it said before.
    Unchanged,
}
