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
            walk(root, &mut |schema| {
                refuse_null(schema);
                flow(schema);
            });
            give_status(root);
        }
        definition
    };
    vec![
        ("connections.yaml", finished(Connection::crd())),
        ("deployments.yaml", finished(Deployment::crd())),
    ]
}

/// Shows a schema and all schemas inside it to `change`.
fn walk(schema: &mut JSONSchemaProps, change: &mut impl FnMut(&mut JSONSchemaProps)) {
    change(schema);
    for property in schema
        .properties
        .iter_mut()
        .flat_map(|properties| properties.values_mut())
    {
        walk(property, change);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        walk(items, change);
    }
}

/// Lets an absent field be absent only. The API server drops a null where null is not allowed, so that a rule such as `has(self.x)` cannot be
/// met by one.
fn refuse_null(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    if let Some(values) = &mut schema.enum_ {
        values.retain(|value| !value.0.is_null());
    }
}

/// Takes the line breaks of the source out of a description: `kubectl explain` breaks lines by itself.
fn flow(schema: &mut JSONSchemaProps) {
    if let Some(description) = &mut schema.description {
        let paragraphs: Vec<String> = description
            .split("\n\n")
            .map(|paragraph| paragraph.replace('\n', " "))
            .collect();
        *description = paragraphs.join("\n\n");
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
