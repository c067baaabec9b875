//! What a deployment runs on, from the part of its details whose form the contract leaves open.

use serde_json::Value;

/// What a deployment got (`details.resources` of `AiDeployment`), as far as the documentation shows its form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// The resource plan of its server.
    pub resource_plan: Option<String>,
    /// The instance type of its server.
    pub instance_type: Option<String>,
    /// The name of the hosted model.
    pub model_name: Option<String>,
    /// The version of the hosted model.
    pub model_version: Option<String>,
}

impl Resources {
    /// What the details say, or nothing. The live service writes their keys in two ways, and the same in each.
    pub(super) fn of(details: &Value) -> Option<Self> {
        let components = field(&details["resources"], "backendDetails", "backend_details")?;
        let model = &components["model"];
        // A component is named by its template, `predictor` most often.
        let of_component = |camel, snake| {
            let mut components = components.as_object()?.values();
            components.find_map(|component| text(field(component, camel, snake)?))
        };
        let resources = Self {
            resource_plan: of_component("resourcePlan", "resource_plan"),
            instance_type: of_component("instanceType", "instance_type"),
            model_name: text(&model["name"]),
            model_version: text(&model["version"]),
        };
        (resources != Self::default()).then_some(resources)
    }
}

fn field<'a>(object: &'a Value, camel: &str, snake: &str) -> Option<&'a Value> {
    [camel, snake]
        .into_iter()
        .find_map(|name| object.get(name).filter(|value| !value.is_null()))
}

fn text(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_plan_and_the_model_are_read_in_both_spellings() {
        let plan =
            |key: &str, field: &str| json!({"resources": {key: {"predictor": {field: "infer.s"}}}});
        for details in [
            plan("backendDetails", "resourcePlan"),
            plan("backend_details", "resource_plan"),
        ] {
            let found = Resources::of(&details).unwrap_or_default();
            assert_eq!(found.resource_plan.as_deref(), Some("infer.s"), "{details}");
        }
        let model = json!({"name": "gpt-4o", "version": "2024-11-20"});
        let model =
            json!({"resources": {"backendDetails": null, "backend_details": {"model": model}}});
        let found = Resources::of(&model).unwrap_or_default();
        let told = (found.model_name.as_deref(), found.model_version.as_deref());
        assert_eq!(told, (Some("gpt-4o"), Some("2024-11-20")));
    }

    #[test]
    fn details_of_any_other_form_say_nothing() {
        for details in [
            json!(null),
            json!("predictor"),
            json!([1]),
            json!({"resources": null}),
            json!({"resources": {"backendDetails": [1, {"a": null}]}}),
            json!({"resources": {"backendDetails": {"predictor": "infer.s", "model": 7}}}),
            json!({"resources": {"backendDetails": {"predictor": {"resourcePlan": ""}}}}),
        ] {
            assert_eq!(Resources::of(&details), None, "{details}");
        }
    }
}
