//! The JSON of AI Core, read with tolerance where it does no harm and with none where it would.
//!
//! Null and missing are the same, unknown fields are ignored, a number may stand where a text is expected. But an object without its
//! id makes the whole answer [`Error::Malformed`]: a deployment that was left out of a list would look as if it were gone.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::error::Error;
use super::types::{
    ArtifactBinding, Configuration, Deployment, GroupStatus, Meta, ParameterBinding, ResourceGroup,
    Status, TargetStatus,
};

/// A list as every list endpoint sends it.
#[derive(Deserialize)]
pub(super) struct List<T> {
    /// How many objects the list holds. More than it has means that it was cut.
    pub(super) count: Option<u64>,
    /// Without it, the answer is no list.
    pub(super) resources: Vec<T>,
}

/// An object as it stands in JSON, before it is known to have what it needs.
pub(super) trait Checked: DeserializeOwned {
    /// What it is when nothing is missing.
    type Object;
    /// The object, or the name of the first field that is missing.
    fn check(self) -> Result<Self::Object, &'static str>;
}

/// Reads one object.
pub(super) fn object<T: Checked>(body: &[u8]) -> Result<T::Object, Error> {
    parse::<T>(body)?.check().map_err(lacking)
}

/// Reads a list, and the count that it states.
pub(super) fn list<T: Checked>(body: &[u8]) -> Result<(Vec<T::Object>, Option<u64>), Error> {
    let list: List<T> = parse(body)?;
    let objects = list
        .resources
        .into_iter()
        .map(T::check)
        .collect::<Result<Vec<_>, _>>()
        .map_err(lacking)?;
    Ok((objects, list.count))
}

/// Reads a list that must hold everything there is.
pub(super) fn whole_list<T: Checked>(body: &[u8]) -> Result<Vec<T::Object>, Error> {
    let (objects, count) = list::<T>(body)?;
    match count {
        Some(count) if count > objects.len() as u64 => Err(Error::Incomplete {
            message: format!(
                "the list says that it has {count} entries, but it has {}",
                objects.len()
            ),
            source: None,
        }),
        _ => Ok(objects),
    }
}

/// Reads the id that the answer to a creation holds.
pub(super) fn created_id(body: &[u8]) -> Result<String, Error> {
    object::<Created>(body)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            return Error::Incomplete {
                message: format!("the JSON ends after {} bytes", body.len()),
                source: None,
            };
        }
        let what = if body.trim_ascii_start().starts_with(b"<") {
            "it is a page, not JSON"
        } else {
            "it is not the expected JSON"
        };
        Error::Malformed {
            message: format!("{what} (line {}, column {})", error.line(), error.column()),
            source: Some(Arc::new(error)),
        }
    })
}

fn lacking(field: &'static str) -> Error {
    Error::Malformed {
        message: format!("an object lacks its {field}"),
        source: None,
    }
}

// === objects ===

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DeploymentJson {
    id: Text,
    configuration_id: Text,
    configuration_name: Text,
    scenario_id: Text,
    executable_id: Text,
    status: Text,
    status_message: Text,
    target_status: Text,
    deployment_url: Text,
    latest_running_configuration_id: Text,
    last_operation: Text,
    ttl: Text,
    created_at: Text,
    submission_time: Text,
    start_time: Text,
    completion_time: Text,
}

impl Checked for DeploymentJson {
    type Object = Deployment;

    fn check(self) -> Result<Deployment, &'static str> {
        Ok(Deployment {
            id: self.id.0.ok_or("id")?,
            configuration_id: self.configuration_id.0.ok_or("configurationId")?,
            configuration_name: self.configuration_name.0,
            scenario_id: self.scenario_id.0,
            executable_id: self.executable_id.0,
            status: Status::from(self.status.0.ok_or("status")?.as_str()),
            status_message: self.status_message.0,
            target_status: self.target_status.0.as_deref().map(TargetStatus::from),
            deployment_url: self.deployment_url.0,
            latest_running_configuration_id: self.latest_running_configuration_id.0,
            last_operation: self.last_operation.0,
            ttl: self.ttl.0,
            created_at: self.created_at.0,
            submission_time: self.submission_time.0,
            start_time: self.start_time.0,
            completion_time: self.completion_time.0,
        })
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConfigurationJson {
    id: Text,
    name: Text,
    scenario_id: Text,
    executable_id: Text,
    parameter_bindings: Option<Vec<BindingJson>>,
    input_artifact_bindings: Option<Vec<BindingJson>>,
    created_at: Text,
}

/// A parameter's or an artifact's binding.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct BindingJson {
    key: Text,
    value: Text,
    artifact_id: Text,
}

impl BindingJson {
    fn parameter(self) -> Result<ParameterBinding, &'static str> {
        // An empty value is a value.
        Ok(ParameterBinding {
            key: self.key.0.ok_or("key")?,
            value: self.value.0.unwrap_or_default(),
        })
    }

    fn artifact(self) -> Result<ArtifactBinding, &'static str> {
        Ok(ArtifactBinding {
            key: self.key.0.ok_or("key")?,
            artifact_id: self.artifact_id.0.ok_or("artifactId")?,
        })
    }
}

impl Checked for ConfigurationJson {
    type Object = Configuration;

    fn check(self) -> Result<Configuration, &'static str> {
        let parameters = self.parameter_bindings.unwrap_or_default().into_iter();
        let artifacts = self.input_artifact_bindings.unwrap_or_default().into_iter();
        Ok(Configuration {
            id: self.id.0.ok_or("id")?,
            name: self.name.0.unwrap_or_default(),
            scenario_id: self.scenario_id.0.ok_or("scenarioId")?,
            executable_id: self.executable_id.0.ok_or("executableId")?,
            parameter_bindings: parameters
                .map(BindingJson::parameter)
                .collect::<Result<_, _>>()?,
            input_artifact_bindings: artifacts
                .map(BindingJson::artifact)
                .collect::<Result<_, _>>()?,
            created_at: self.created_at.0,
        })
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ResourceGroupJson {
    resource_group_id: Text,
    status: Text,
    status_message: Text,
}

impl Checked for ResourceGroupJson {
    type Object = ResourceGroup;

    fn check(self) -> Result<ResourceGroup, &'static str> {
        Ok(ResourceGroup {
            id: self.resource_group_id.0.ok_or("resourceGroupId")?,
            status: self.status.0.as_deref().map(GroupStatus::from),
            status_message: self.status_message.0,
        })
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Created {
    id: Text,
}

impl Checked for Created {
    type Object = String;

    fn check(self) -> Result<String, &'static str> {
        self.id.0.ok_or("id")
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MetaJson {
    runtime_identifier: Text,
    runtime_api_version: Text,
    ai_api: Option<AiApiJson>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AiApiJson {
    version: Text,
    capabilities: Option<CapabilitiesJson>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct CapabilitiesJson {
    bulk_updates: Option<BulkUpdatesJson>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BulkUpdatesJson {
    deployments: Option<bool>,
}

impl Checked for MetaJson {
    type Object = Meta;

    fn check(self) -> Result<Meta, &'static str> {
        let ai_api = self.ai_api.unwrap_or_default();
        let bulk_updates = ai_api
            .capabilities
            .and_then(|capabilities| capabilities.bulk_updates);
        Ok(Meta {
            runtime_identifier: self.runtime_identifier.0,
            runtime_api_version: self.runtime_api_version.0,
            ai_api_version: ai_api.version.0,
            bulk_updates: bulk_updates
                .and_then(|bulk| bulk.deployments)
                .unwrap_or(false),
        })
    }
}

// === texts ===

/// A text, also when it was sent as a number or a truth value. Null, the empty text, lists and objects are none.
#[derive(Default)]
struct Text(Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok((!text.is_empty()).then_some(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"{"id":"d1","configurationId":"c1","status":"RUNNING"}"#;

    fn deployment(json: &str) -> Deployment {
        object::<DeploymentJson>(json.as_bytes()).unwrap()
    }

    fn deployments(json: &str) -> Result<Vec<Deployment>, Error> {
        whole_list::<DeploymentJson>(json.as_bytes())
    }

    #[test]
    fn null_missing_and_empty_are_the_same_and_unknown_fields_do_not_matter() {
        let nulls = r#"{"id":"d1","configurationId":"c1","status":"RUNNING","deploymentUrl":"","ttl":null,"executableId":null,
            "targetStatus":null,"statusMessage":null,"details":{"scaling":{"backend_details":[1,{"a":null}]}},"new":[]}"#;
        assert_eq!(deployment(nulls), deployment(MINIMAL));
    }

    #[test]
    fn a_number_may_stand_where_a_text_is_expected() {
        let numbers = r#"{"id":"d1","configurationId":4711,"status":"RUNNING","ttl":-1,"statusMessage":{"a":[1]}}"#;
        let found = deployment(numbers);
        assert_eq!(
            (
                found.configuration_id.as_str(),
                found.ttl.as_deref(),
                found.status_message
            ),
            ("4711", Some("-1"), None)
        );
    }

    #[test]
    fn a_list_with_a_deployment_that_lacks_what_identifies_it_counts_as_unreadable() {
        for field in ["id", "configurationId", "status"] {
            let broken = MINIMAL.replace(&format!("\"{field}\""), "\"other\"");
            let error = deployments(&format!(
                r#"{{"count":2,"resources":[{MINIMAL},{broken}]}}"#
            ))
            .unwrap_err();
            assert!(
                matches!(&error, Error::Malformed { message, .. } if message.ends_with(field)),
                "{error}"
            );
        }
    }

    #[test]
    fn a_list_counts_only_when_it_is_whole() {
        assert_eq!(
            deployments(&format!(r#"{{"count":1,"resources":[{MINIMAL}]}}"#))
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            deployments(&format!(r#"{{"count":null,"resources":[{MINIMAL}]}}"#))
                .unwrap()
                .len(),
            1
        );
        assert_eq!(deployments(r#"{"resources":[]}"#).unwrap().len(), 0);
        let short = format!(r#"{{"count":2,"resources":[{MINIMAL}]}}"#);
        let cut = format!(r#"{{"count":1,"resources":[{MINIMAL}]"#);
        for list in [short.as_str(), cut.as_str(), ""] {
            assert!(
                matches!(deployments(list), Err(Error::Incomplete { .. })),
                "{list}"
            );
        }
        for list in [
            r#"{"count":0}"#,
            r#"{"resources":null}"#,
            "[]",
            "null",
            "<html></html>",
        ] {
            assert!(
                matches!(deployments(list), Err(Error::Malformed { .. })),
                "{list}"
            );
        }
    }

    #[test]
    fn a_capability_that_is_not_mentioned_is_not_there() {
        for (json, bulk) in [
            (
                r#"{"aiApi":{"version":"2.18.0","capabilities":{"bulkUpdates":{"deployments":true}}}}"#,
                true,
            ),
            (
                r#"{"aiApi":{"version":"2.18.0","capabilities":{"bulkUpdates":{"deployments":false}}}}"#,
                false,
            ),
            (r#"{"aiApi":{"version":"2.18.0","capabilities":{}}}"#, false),
            (r#"{"aiApi":{"capabilities":{"bulkUpdates":null}}}"#, false),
            ("{}", false),
        ] {
            assert_eq!(
                object::<MetaJson>(json.as_bytes()).unwrap().bulk_updates,
                bulk,
                "{json}"
            );
        }
    }

    #[test]
    fn the_bindings_of_a_configuration_are_read() {
        let json = r#"{"id":"c1","name":"n","scenarioId":"s","executableId":"e","inputArtifactBindings":null,
            "parameterBindings":[{"key":"replicas","value":2},{"key":"empty","value":""}]}"#;
        let found = object::<ConfigurationJson>(json.as_bytes()).unwrap();
        let bindings: Vec<_> = found
            .parameter_bindings
            .iter()
            .map(|b| (b.key.as_str(), b.value.as_str()))
            .collect();
        assert_eq!(bindings, [("replicas", "2"), ("empty", "")]);
        assert!(found.input_artifact_bindings.is_empty());
    }
}
