//! The CustomResourceDefinitions, generated from the types.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::CustomResourceExt;

use super::{Connection, Deployment};

/// The definitions of both kinds with their file names, as they are written to the folder `crds`.
pub fn custom_resource_definitions() -> Vec<(&'static str, CustomResourceDefinition)> {
    let finished = |mut definition: CustomResourceDefinition| {
        let schemas = definition
            .spec
            .versions
            .iter_mut()
            .filter_map(|version| version.schema.as_mut());
        for root in schemas.filter_map(|schema| schema.open_api_v3_schema.as_mut()) {
            refuse_null(root);
            give_status(root);
        }
        definition
    };
    vec![
        ("connections.yaml", finished(Connection::crd())),
        ("deployments.yaml", finished(Deployment::crd())),
    ]
}

/// Lets an absent field be absent only. The API server drops a null where null is not allowed, so that a rule such as `has(self.x)` cannot be
/// met by one.
fn refuse_null(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    if let Some(values) = &mut schema.enum_ {
        values.retain(|value| !value.0.is_null());
    }
    for property in schema
        .properties
        .iter_mut()
        .flat_map(|properties| properties.values_mut())
    {
        refuse_null(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        refuse_null(items);
    }
}

/// Gives a fresh object the status `observedGeneration: -1`. Without any status, kstatus takes an object that nobody has looked at yet for
/// a finished one.
fn give_status(root: &mut JSONSchemaProps) {
    if let Some(status) = root
        .properties
        .as_mut()
        .and_then(|properties| properties.get_mut("status"))
    {
        status.default = Some(JSON(serde_json::json!({"observedGeneration": -1})));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_may_be_null() {
        for (file, definition) in custom_resource_definitions() {
            let text = serde_json::to_string(&definition).expect("a definition serialises");
            assert!(
                !text.contains("nullable") && !text.contains("null"),
                "{file}"
            );
        }
    }
}
