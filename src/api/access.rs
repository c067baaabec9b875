//! Who besides its own namespace may use a Connection, and for which resource groups.

use std::collections::BTreeMap;

use kube::KubeSchema;
use kube::core::{Expression, Selector, SelectorExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The word that stands for every resource group.
const EVERY_GROUP: &str = "*";

/// Namespaces that may use a Connection of another one, and the resource groups that they may use it for.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AccessGrant {
    /// The labels of the namespaces. An empty selector selects every namespace. One namespace is selected by its label
    /// kubernetes.io/metadata.name.
    pub namespace_selector: NamespaceSelector,

    /// The resource groups in which Deployments of these namespaces may create and adopt, or "*" alone for all of them.
    #[schemars(
        length(min = 1, max = 100),
        inner(regex(pattern = r"^(\*|[a-zA-Z0-9][a-zA-Z0-9.-]{1,251}[a-zA-Z0-9])$"))
    )]
    #[x_kube(
        validation = Rule::new("!('*' in self) || self.size() == 1")
            .message("\"*\" stands for every resource group, so it is given alone")
    )]
    pub resource_groups: Vec<String>,
}

/// Labels that a namespace must have. All requirements have to hold.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// Labels that the namespace must have, with these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 20))]
    pub match_labels: BTreeMap<String, String>,

    /// Requirements on single labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub match_expressions: Vec<LabelRequirement>,
}

/// A requirement on one label of a namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)")
        .message("In and NotIn need values, Exists and DoesNotExist take none")
)]
pub struct LabelRequirement {
    /// The label.
    #[schemars(length(min = 1, max = 317))]
    pub key: String,

    /// In: the label has one of the values. NotIn: it has none of them, or is missing. Exists: it is there. DoesNotExist: it is missing.
    pub operator: LabelOperator,

    /// The values for In and NotIn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(max = 63)))]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(inline)]
#[allow(
    missing_docs,
    reason = "the field's text explains the values, and a text here would split the schema's enum"
)]
pub enum LabelOperator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl AccessGrant {
    /// Whether namespaces with these labels may use the Connection for this resource group.
    pub fn allows(&self, labels: &BTreeMap<String, String>, resource_group: &str) -> bool {
        self.names(resource_group) && self.namespace_selector.selects(labels)
    }

    /// Whether it is about this resource group.
    pub fn names(&self, resource_group: &str) -> bool {
        let mut groups = self.resource_groups.iter();
        groups.any(|group| group == EVERY_GROUP || group == resource_group)
    }
}

impl NamespaceSelector {
    fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        let expressions = self.match_expressions.iter().map(Expression::from);
        Selector::from_iter(self.match_labels.clone()).matches(labels)
            && Selector::from_iter(expressions).matches(labels)
    }
}

impl From<&LabelRequirement> for Expression {
    fn from(requirement: &LabelRequirement) -> Self {
        let key = requirement.key.clone();
        let values = requirement.values.iter().cloned().collect();
        match requirement.operator {
            LabelOperator::In => Self::In(key, values),
            LabelOperator::NotIn => Self::NotIn(key, values),
            LabelOperator::Exists => Self::Exists(key),
            LabelOperator::DoesNotExist => Self::DoesNotExist(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn allows(selector: Value, groups: &[&str], labels: &[(&str, &str)], group: &str) -> bool {
        let grant = json!({"namespaceSelector": selector, "resourceGroups": groups});
        let grant: AccessGrant = serde_json::from_value(grant).expect("it is a grant");
        let labels = labels
            .iter()
            .map(|&(key, value)| (key.into(), value.into()));
        grant.allows(&labels.collect(), group)
    }

    #[test]
    fn a_grant_is_for_the_groups_that_it_lists() {
        let team = || json!({"matchLabels": {"team": "a"}});
        let labels = [("team", "a"), ("stage", "test")];
        assert!(allows(team(), &["a", "b"], &labels, "b"));
        assert!(!allows(team(), &["a", "b"], &labels, "c"));
        assert!(allows(team(), &["*"], &labels, "c"));
    }

    #[test]
    fn a_grant_is_for_the_namespaces_that_its_selector_selects() {
        let team = || json!({"matchLabels": {"team": "a", "stage": "test"}});
        assert!(!allows(team(), &["*"], &[("team", "a")], "a"));
        assert!(!allows(team(), &["*"], &[], "a"));
        assert!(
            allows(json!({}), &["*"], &[], "a"),
            "an empty selector selects all"
        );
    }

    #[test]
    fn every_operator_is_that_of_kubernetes() {
        let selects = |requirement: Value, labels: &[(&str, &str)]| {
            allows(
                json!({"matchExpressions": [requirement]}),
                &["*"],
                labels,
                "a",
            )
        };
        let of = |operator: &str, values: &[&str]| json!({"key": "team", "operator": operator, "values": values});
        assert!(selects(of("In", &["a", "b"]), &[("team", "b")]));
        assert!(!selects(of("In", &["a"]), &[]));
        assert!(!selects(of("NotIn", &["a"]), &[("team", "a")]));
        assert!(
            selects(of("NotIn", &["a"]), &[]),
            "a missing label has none of the values"
        );
        assert!(selects(of("Exists", &[]), &[("team", "")]));
        assert!(!selects(of("Exists", &[]), &[]));
        assert!(selects(of("DoesNotExist", &[]), &[]));
        assert!(!selects(of("DoesNotExist", &[]), &[("team", "a")]));
    }

    #[test]
    fn labels_and_expressions_have_to_hold_both() {
        let both = json!({
            "matchLabels": {"team": "a"},
            "matchExpressions": [{"key": "stage", "operator": "Exists"}],
        });
        assert!(!allows(both.clone(), &["*"], &[("team", "a")], "a"));
        assert!(!allows(both.clone(), &["*"], &[("stage", "test")], "a"));
        assert!(allows(
            both,
            &["*"],
            &[("team", "a"), ("stage", "test")],
            "a"
        ));
    }
}
