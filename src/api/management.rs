//! Whether the operator acts for an object, or only looks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether anything is written to AI Core for an object.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(inline)]
pub enum ManagementPolicy {
    #[default]
    #[allow(missing_docs, reason = "the field's text explains the values")]
    Manage,
    #[allow(missing_docs, reason = "the field's text explains the values")]
    Observe,
}
