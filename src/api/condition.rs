//! Conditions as kstatus, Argo CD, Flux and `kubectl wait` read them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One condition of an object. The fields are those of the Kubernetes type `meta/v1 Condition`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// The name of the condition.
    #[serde(rename = "type")]
    pub kind: ConditionKind,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// One word for why, in CamelCase.
    pub reason: String,
    /// A sentence for a person: what is the case, and what to do where something has to be done.
    pub message: String,
    /// When the status changed last.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_transition_time: Timestamp,
    /// The generation of the spec that was looked at.
    #[serde(default)]
    pub observed_generation: i64,
}

/// The conditions that the operator sets.
#[derive(
    Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord,
)]
#[schemars(inline)]
pub enum ConditionKind {
    #[allow(missing_docs, reason = "explained where the conditions stand")]
    Ready,
    #[allow(missing_docs, reason = "explained where the conditions stand")]
    Available,
    #[allow(missing_docs, reason = "explained where the conditions stand")]
    Reconciling,
    #[allow(missing_docs, reason = "explained where the conditions stand")]
    Stalled,
}

/// Whether a condition holds.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(inline)]
pub enum ConditionStatus {
    #[allow(missing_docs, reason = "the words of the Kubernetes API")]
    True,
    #[allow(missing_docs, reason = "the words of the Kubernetes API")]
    False,
    #[allow(missing_docs, reason = "the words of the Kubernetes API")]
    Unknown,
}

impl From<bool> for ConditionStatus {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// Replaces all conditions by `wanted`, each keeping its transition time unless its status changed, so that equal news is no write.
pub fn set_conditions(old: &[Condition], wanted: Vec<Condition>) -> Vec<Condition> {
    let mut conditions = wanted;
    for condition in &mut conditions {
        let before = old
            .iter()
            .find(|other| other.kind == condition.kind && other.status == condition.status);
        if let Some(before) = before {
            condition.last_transition_time = before.last_transition_time;
        }
    }
    conditions.sort_by_key(|condition| condition.kind);
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(status: ConditionStatus, reason: &str, second: i64) -> Condition {
        Condition {
            kind: ConditionKind::Ready,
            status,
            reason: reason.to_owned(),
            message: String::new(),
            last_transition_time: Timestamp::from_second(second)
                .expect("a small number is a timestamp"),
            observed_generation: 1,
        }
    }

    #[test]
    fn a_new_reason_does_not_move_the_transition_time_but_a_new_status_does() {
        let old = vec![ready(ConditionStatus::False, "Creating", 1)];
        let same = set_conditions(&old, vec![ready(ConditionStatus::False, "Starting", 2)]);
        assert_eq!(same, vec![ready(ConditionStatus::False, "Starting", 1)]);
        let flipped = set_conditions(&old, vec![ready(ConditionStatus::True, "Running", 2)]);
        assert_eq!(flipped, vec![ready(ConditionStatus::True, "Running", 2)]);
    }
}
