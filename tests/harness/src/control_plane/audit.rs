//! The API server's audit log: who did what, and how it was answered.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;

use super::ControlPlaneError;

/// What the API server records; [`super::ControlPlane::audit_entries`] reads the outcome.
pub(super) const POLICY: &str = include_str!("audit-policy.yaml");

/// One request to the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When the API server received it.
    pub at: Timestamp,
    /// Who sent it, for instance `system:serviceaccount:demo:operator`.
    pub user: String,
    /// The client's `User-Agent`; empty when it sent none.
    pub user_agent: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// The API group; empty for the core group and for what is no resource.
    pub group: String,
    /// The plural, for instance `leases`; empty for what is no resource.
    pub resource: String,
    /// For instance `status`; empty for the object itself.
    pub subresource: String,
    /// The namespace; empty for what has none.
    pub namespace: String,
    /// The object; empty for a list, and for a create whose name the server chose.
    pub name: String,
    /// The path and query.
    pub uri: String,
    /// The HTTP status code. A watch has it as soon as it has begun.
    pub code: u16,
}

/// Reads a whole audit log, in the order in which the requests were answered. A watch is one entry.
pub(super) fn read(log: &Path) -> Result<Vec<AuditEntry>, ControlPlaneError> {
    let content = std::fs::read_to_string(log).map_err(|source| ControlPlaneError::File {
        path: log.to_owned(),
        source,
    })?;
    parse(&content).map_err(|source| ControlPlaneError::AuditLog {
        path: log.to_owned(),
        source,
    })
}

fn parse(content: &str) -> Result<Vec<AuditEntry>, serde_json::Error> {
    // The API server may be in the middle of the last line.
    let whole_lines = content.rfind('\n').map_or("", |end| &content[..end]);
    let mut seen = BTreeSet::new();
    let mut entries = Vec::new();
    for line in whole_lines.lines() {
        let event: Event = serde_json::from_str(line)?;
        // A watch is logged when it begins and again when it ends.
        if seen.insert(event.audit_id.clone()) {
            entries.push(event.into());
        }
    }
    Ok(entries)
}

/// The parts of `audit.k8s.io/v1` Event that tests look at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(rename = "auditID")]
    audit_id: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    verb: String,
    user: User,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    object_ref: ObjectReference,
    #[serde(default)]
    response_status: ResponseStatus,
    request_received_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectReference {
    api_group: String,
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResponseStatus {
    code: u16,
}

impl From<Event> for AuditEntry {
    fn from(event: Event) -> Self {
        Self {
            at: event.request_received_timestamp,
            user: event.user.username,
            user_agent: event.user_agent,
            verb: event.verb,
            group: event.object_ref.api_group,
            resource: event.object_ref.resource,
            subresource: event.object_ref.subresource,
            namespace: event.object_ref.namespace,
            name: event.object_ref.name,
            uri: event.request_uri,
            code: event.response_status.code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    const WATCH: &str = r#"{"auditID":"1","stage":"ResponseStarted","requestURI":"/api/v1/secrets?watch=1","verb":"watch","user":{"username":"u"},"objectRef":{"resource":"secrets"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-01-01T00:00:00.000001Z"}"#;

    #[test]
    fn a_watch_that_has_ended_is_one_entry() {
        let entries = parse(&format!("{WATCH}\n{WATCH}\n")).expect("two whole lines");
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].resource, "secrets");
    }

    #[test]
    fn a_line_that_is_still_being_written_is_left_out() {
        let entries = parse(&format!("{WATCH}\n{}", &WATCH[..40])).expect("one whole line");
        assert_eq!(entries.len(), 1);
    }

    #[test]
    fn a_broken_line_is_an_error() {
        assert!(parse("{\"auditID\":\n").is_err());
    }
}
