//! The API server's audit log: who did what, and how it was answered.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::ControlPlaneError;

/// What the API server records; [`super::ControlPlane::audit_entries`] reads the outcome.
pub(super) const POLICY: &str = include_str!("audit-policy.yaml");

/// The same, with the answers to all writes of custom resources.
pub(super) const POLICY_WITH_ANSWERS: &str = include_str!("audit-policy-with-answers.yaml");

/// One request to the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When the API server received it.
    pub at: Timestamp,
    /// When it had answered it; for a watch, when it had begun to.
    pub answered: Timestamp,
    /// Who sent it, for instance `system:serviceaccount:demo:operator`; empty for whom the API server did not know (401).
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
    /// Whether a role allowed it. Something that is allowed may still be refused with 403: whatever is to be created in a namespace that ends.
    pub allowed: bool,
    /// What it answered with: the object after a write, or the reason of a refusal. Only a control plane from
    /// [`super::ControlPlane::start_with_answers`] records it, and only for writes of custom resources.
    pub answer: Option<Value>,
}

/// Reads a whole audit log, in the order in which the requests were answered. A watch is one entry.
pub(super) fn read(log: &Path) -> Result<Vec<AuditEntry>, ControlPlaneError> {
    parse(log, &content_since(log, 0)?, |_| true)
}

/// Reads what was appended to an audit log since `position`, and moves that on. A watch may be there twice: begun and ended.
pub(super) fn read_on(
    log: &Path,
    position: &mut u64,
) -> Result<Vec<AuditEntry>, ControlPlaneError> {
    let content = content_since(log, *position)?;
    let entries = parse(log, &content, |_| true)?;
    *position += whole_lines(&content).len() as u64;
    Ok(entries)
}

/// Reads what was appended to an audit log since `position` about the objects of these namespaces. The log of all tests of a process is long, so
/// that only these lines are parsed.
pub(super) fn read_about(
    log: &Path,
    position: u64,
    namespaces: &[&str],
) -> Result<Vec<AuditEntry>, ControlPlaneError> {
    let fields: Vec<String> = namespaces
        .iter()
        .map(|namespace| format!(r#""namespace":"{namespace}""#))
        .collect();
    let names_one = |line: &str| fields.iter().any(|field| line.contains(field));
    let mut entries = parse(log, &content_since(log, position)?, names_one)?;
    entries.retain(|entry| namespaces.contains(&entry.namespace.as_str()));
    Ok(entries)
}

/// How long an audit log is, in bytes.
pub(super) fn length(log: &Path) -> Result<u64, ControlPlaneError> {
    let metadata = std::fs::metadata(log);
    Ok(metadata.map_err(file_error(log))?.len())
}

fn content_since(log: &Path, position: u64) -> Result<Vec<u8>, ControlPlaneError> {
    let mut file = File::open(log).map_err(file_error(log))?;
    let mut content = Vec::new();
    file.seek(SeekFrom::Start(position))
        .and_then(|_| file.read_to_end(&mut content))
        .map_err(file_error(log))?;
    Ok(content)
}

fn file_error(log: &Path) -> impl Fn(io::Error) -> ControlPlaneError + use<'_> {
    |source| ControlPlaneError::File {
        path: log.to_owned(),
        source,
    }
}

/// The API server may be in the middle of the last line.
fn whole_lines(content: &[u8]) -> &[u8] {
    let end = content.iter().rposition(|byte| *byte == b'\n');
    end.map_or(&[], |end| &content[..=end])
}

fn parse(
    log: &Path,
    content: &[u8],
    is_asked_for: impl Fn(&str) -> bool,
) -> Result<Vec<AuditEntry>, ControlPlaneError> {
    let mut seen = BTreeSet::new();
    let mut entries = Vec::new();
    let lines = String::from_utf8_lossy(whole_lines(content));
    for line in lines.lines().filter(|line| is_asked_for(line)) {
        let event = serde_json::from_str(line);
        let event: Event = event.map_err(|source| ControlPlaneError::AuditLog {
            path: log.to_owned(),
            source,
        })?;
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
    stage_timestamp: Timestamp,
    #[serde(default)]
    response_object: Option<Value>,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
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

#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotations {
    /// `allow` or `forbid`.
    #[serde(rename = "authorization.k8s.io/decision")]
    decision: String,
}

impl From<Event> for AuditEntry {
    fn from(event: Event) -> Self {
        Self {
            at: event.request_received_timestamp,
            answered: event.stage_timestamp,
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
            allowed: event.annotations.decision != "forbid",
            answer: event.response_object,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{AuditEntry, ControlPlaneError, read, read_about};

    const WATCH: &str = r#"{"auditID":"1","stage":"ResponseStarted","requestURI":"/api/v1/secrets?watch=1","verb":"watch","user":{"username":"u"},"objectRef":{"resource":"secrets"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-01-01T00:00:00.000001Z","stageTimestamp":"2026-01-01T00:00:00.000002Z"}"#;

    /// Has a log with this content read.
    fn reading<T>(content: &str, read: impl FnOnce(&Path) -> T) -> T {
        let log = tempfile::NamedTempFile::new().expect("a file can be made");
        std::fs::write(log.path(), content).expect("it can be written");
        read(log.path())
    }

    fn parse(content: &str) -> Result<Vec<AuditEntry>, ControlPlaneError> {
        reading(content, read)
    }

    #[test]
    fn a_watch_that_has_ended_is_one_entry() {
        let entries = parse(&format!("{WATCH}\n{WATCH}\n")).expect("two whole lines");
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].resource, "secrets");
    }

    #[test]
    fn whom_the_api_server_does_not_know_has_no_name() {
        let line = WATCH.replace(r#"{"username":"u"}"#, "{}");
        let entries = parse(&format!("{line}\n")).expect("one whole line");
        assert_eq!(entries[0].user, "");
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

    #[test]
    fn what_is_asked_of_some_namespaces_comes_from_their_lines_behind_the_position() {
        let line = |id: u8, namespace: &str, decision: &str| {
            let place = format!(r#""resource":"secrets","namespace":"{namespace}""#);
            let decided =
                format!(r#"}},"annotations":{{"authorization.k8s.io/decision":"{decision}"}}"#);
            let line = WATCH.replace(r#""auditID":"1""#, &format!(r#""auditID":"{id}""#));
            let line = line.replace(r#""resource":"secrets""#, &place);
            line.replace(
                r#"},"requestReceived"#,
                &format!(r#"{decided},"requestReceived"#),
            ) + "\n"
        };
        let before = line(1, "a", "allow");
        let lines = [
            &line(2, "a", "allow"),
            &line(3, "ab", "allow"),
            "not of any namespace\n",
            &line(4, "b", "forbid"),
        ];
        let position = before.len() as u64;
        let entries = reading(&(before + &lines.concat()), |log| {
            read_about(log, position, &["a", "b"])
        });
        let entries: Vec<_> = entries
            .expect("only these lines are read")
            .into_iter()
            .map(|entry| (entry.namespace, entry.allowed))
            .collect();
        assert_eq!(entries, [("a".to_owned(), true), ("b".to_owned(), false)]);
    }
}
