//! What goes wrong, in words that reach a condition.

use crate::api::Reason;

/// Something that went wrong, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// One word, for a condition.
    pub(crate) reason: Reason,
    /// A sentence.
    pub(crate) message: String,
}

/// Something that went wrong, and whether it heals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// For a person.
    pub(crate) problem: Problem,
    /// Whether a person must act.
    pub(crate) stalled: bool,
}

/// What the Kubernetes API said, without the object that it said it with.
pub(crate) fn cause(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        error => error.to_string(),
    }
}
