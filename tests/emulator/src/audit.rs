//! The audit log: every call, every transition, every action of the control plane, in the order of their effects.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::Operation;

/// What an entry tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A call to the token endpoint or the API.
    Call,
    /// The state machine moved by itself.
    Transition,
    /// A call to the control plane that changed something.
    Control,
}

/// A deployment's status at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// `status`, for instance `RUNNING`.
    pub status: String,
    /// `targetStatus`, for instance `STOPPED`.
    pub target_status: String,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Position in the log, counted from 1 without gaps. It keeps counting when the log is emptied.
    pub seq: u64,
    /// When the effect took place; for a transition, when it was due.
    pub at: Timestamp,
    /// When the call had arrived whole: a fault may hold its effect back. Absent for what is no call.
    pub received_at: Option<Timestamp>,
    /// What the entry tells of.
    pub kind: Kind,
    /// What was called.
    pub operation: Operation,
    /// HTTP method; absent for a transition.
    pub method: Option<String>,
    /// Path without its query; absent for a transition.
    pub path: Option<String>,
    /// Query of the request as it was sent, if there was one.
    pub query: Option<String>,
    /// Identity zone of the caller, as far as the call proved it, or of the deployment.
    pub tenant: Option<String>,
    /// Client of the caller.
    pub client_id: Option<String>,
    /// The group in the path or in the header `AI-Resource-Group`, or the group of the deployment.
    pub resource_group: Option<String>,
    /// The deployment that the call is about; for an accepted creation the new one.
    pub deployment_id: Option<String>,
    /// The configuration that the call is about, or that the deployment has.
    pub configuration_id: Option<String>,
    /// Part of a bulk call: one entry for each item, all with one `requestId`.
    pub bulk: bool,
    /// Groups the entries of one call.
    pub request_id: Option<String>,
    /// HTTP status that was sent; absent when the caller got no answer, and for transitions.
    pub http_status: Option<u16>,
    /// The call had its effect (a reading call: it was answered with what was asked for), whatever the caller got to
    /// see.
    pub accepted: bool,
    /// The deployment before; absent when there was none.
    pub before: Option<State>,
    /// The deployment after; absent when there is none.
    pub after: Option<State>,
    /// Name of the fault that hit the call.
    pub fault: Option<String>,
}

/// The log itself.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    entries: Vec<Entry>,
    last_seq: u64,
}

impl Audit {
    /// Appends an entry and gives it its number.
    pub(crate) fn append(&mut self, mut entry: Entry) {
        self.last_seq += 1;
        entry.seq = self.last_seq;
        self.entries.push(entry);
    }

    /// The entries with a number above `seq`, in their order.
    pub(crate) fn after(&self, seq: u64) -> &[Entry] {
        let first = self.entries.partition_point(|entry| entry.seq <= seq);
        &self.entries[first..]
    }

    /// Forgets all entries.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

impl Entry {
    /// An entry about nothing yet. Its number comes with [`Audit::append`].
    pub(crate) fn new(kind: Kind, operation: Operation, at: Timestamp) -> Self {
        Self {
            seq: 0,
            at,
            received_at: None,
            kind,
            operation,
            method: None,
            path: None,
            query: None,
            tenant: None,
            client_id: None,
            resource_group: None,
            deployment_id: None,
            configuration_id: None,
            bulk: false,
            request_id: None,
            http_status: None,
            accepted: false,
            before: None,
            after: None,
            fault: None,
        }
    }
}
