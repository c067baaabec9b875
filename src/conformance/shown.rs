//! A deployment as an answer shows it.

use serde_json::{Map, Value};

/// A deployment as AI Core shows it.
#[derive(Clone, Debug)]
pub(crate) struct Shown(pub(crate) Map<String, Value>);

impl Shown {
    /// A field that is a text and not empty.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        let text = self.0.get(field)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// `status`; empty when there is none.
    pub(crate) fn status(&self) -> &str {
        self.text("status").unwrap_or_default()
    }

    /// `targetStatus`; empty when there is none.
    pub(crate) fn target(&self) -> &str {
        self.text("targetStatus").unwrap_or_default()
    }

    /// Whether its deletion was accepted.
    pub(crate) fn is_going(&self) -> bool {
        self.target() == "DELETED" || self.status() == "DELETING"
    }
}
