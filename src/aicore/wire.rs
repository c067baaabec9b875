//! The JSON of AI Core, read with tolerance where it does no harm and with none where it would.
//!
//! Null and missing are the same, unknown fields are ignored, a number may stand where a text is expected. Of a deployment only the id
//! must be there: that it exists is what counts, and one odd entry must not hide all others. But an entry without its id makes the
//! whole answer [`Error::Malformed`]: a deployment that was left out of a list would look as if it were gone.

use std::fmt;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};
use serde_json::error::Category;

use super::error::Error;
use super::resources;
use super::sketch::Sketch;
use super::text::Text;
use super::types::{
    Configuration, Deployment, GroupStatus, Meta, ResourceGroup, Status, TargetStatus,
};

/// More entries than this are not the truth: it is the largest page that AI Core gives (`$top` of `GET /lm/deployments`). An entry takes more memory
/// than its text, so a limit in bytes alone would not bound what a list costs.
pub(super) const MAX_ENTRIES: usize = 100_000;

/// A list as every list endpoint sends it.
#[derive(Deserialize)]
#[serde(bound = "T: Checked")]
struct ListJson<T: Checked> {
    #[serde(default)]
    count: Text,
    resources: Option<Resources<T>>,
}

/// The entries of a list. Each is checked as soon as it was read, so that they are in memory once.
struct Resources<T: Checked> {
    objects: Vec<T::Object>,
    /// The first field that is missing in an entry.
    lacking: Option<&'static str>,
}

/// A list, or one page of it.
pub(super) struct List<T> {
    pub(super) objects: Vec<T>,
    /// What the server counts: by contract the objects of this answer, but it may be everything that there is.
    pub(super) count: Option<u64>,
}

/// An object as it stands in JSON, before it is known to have what it needs.
pub(super) trait Checked: DeserializeOwned + 'static {
    /// What it is when nothing is missing.
    type Object: Send;
    /// The object, or the name of the first field that is missing.
    fn check(self) -> Result<Self::Object, &'static str>;
}

impl<'de, T: Checked> Deserialize<'de> for Resources<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let none = Self {
            objects: Vec::new(),
            lacking: None,
        };
        deserializer.deserialize_seq(none)
    }
}

impl<'de, T: Checked> Visitor<'de> for Resources<T> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        let mut read = 0;
        while let Some(json) = list.next_element::<T>()? {
            read += 1;
            if read > MAX_ENTRIES {
                let message = format_args!("a list of more than {MAX_ENTRIES} entries");
                return Err(serde::de::Error::custom(message));
            }
            match json.check() {
                Ok(object) => self.objects.push(object),
                Err(field) => {
                    self.lacking.get_or_insert(field);
                }
            }
        }
        Ok(self)
    }
}

/// Reads one object.
pub(super) fn object<T: Checked>(body: &[u8]) -> Result<T::Object, Error> {
    parse::<T>(body)?.check().map_err(lacking)
}

/// Reads a list. Without `resources` it is empty when its `count` says so, and otherwise no list.
pub(super) fn list<T: Checked>(body: impl BufRead) -> Result<List<T::Object>, Error> {
    let list: ListJson<T> = parse(body)?;
    let count = list.count.0.and_then(|text| text.trim().parse().ok());
    let objects = match list.resources {
        Some(resources) => match resources.lacking {
            Some(field) => return Err(lacking(field)),
            None => resources.objects,
        },
        None if count == Some(0) => Vec::new(),
        None => return Err(malformed("a list lacks its resources".to_owned())),
    };
    Ok(List { objects, count })
}

/// Reads a bare number, as the `$count` endpoints send it: as JSON, as text, or as text in quotes.
pub(super) fn count(body: &[u8]) -> Result<u64, Error> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim().trim_matches('"').trim();
    // What stands there instead is not told: it may be the token that was sent.
    text.parse()
        .map_err(|_| malformed("the number of entries is no number".to_owned()))
}

/// Reads the id that the answer to a creation holds.
pub(super) fn created_id(body: &[u8]) -> Result<String, Error> {
    object::<Created>(body)
}

/// Reads a body as one JSON object of this form.
pub(super) fn parse<T: DeserializeOwned>(mut body: impl BufRead) -> Result<T, Error> {
    match first_byte(&mut body) {
        Some(b'<') => return Err(malformed("it is a page, not JSON".to_owned())),
        // The parser would take a JSON array for an object, field by field.
        Some(b'[') => return Err(malformed("it is an array, not an object".to_owned())),
        _ => {}
    }
    // Reads to the end: nothing may follow the object.
    serde_json::from_reader(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        // The parser's own message quotes the answer, in which the token may stand that was sent: only the place is passed on.
        let problem = match error.classify() {
            Category::Eof => {
                return Error::Incomplete {
                    message: format!("the JSON breaks off (line {line}, column {column})"),
                    source: None,
                };
            }
            Category::Data => "it is JSON, but not of the expected form and size",
            Category::Syntax | Category::Io => "it is no JSON",
        };
        malformed(format!("{problem} (line {line}, column {column})"))
    })
}

/// The first byte that is no white space. It stays where it is.
fn first_byte(body: &mut impl BufRead) -> Option<u8> {
    loop {
        let buffer = body.fill_buf().ok()?;
        let text = buffer.trim_ascii_start();
        let (byte, blanks) = (text.first().copied(), buffer.len() - text.len());
        body.consume(blanks);
        if byte.is_some() || blanks == 0 {
            return byte;
        }
    }
}

fn lacking(field: &'static str) -> Error {
    malformed(format!("an object lacks its {field}"))
}

pub(super) fn malformed(message: String) -> Error {
    Error::Malformed { message }
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
    details: Sketch,
}

impl Checked for DeploymentJson {
    type Object = Deployment;

    fn check(self) -> Result<Deployment, &'static str> {
        Ok(Deployment {
            id: self.id.0.ok_or("id")?,
            configuration_id: self.configuration_id.0.unwrap_or_default(),
            configuration_name: self.configuration_name.0,
            scenario_id: self.scenario_id.0,
            executable_id: self.executable_id.0,
            status: Status::from(self.status.0.unwrap_or_default().as_str()),
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
            resources: resources::Resources::of(&self.details.0),
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
    created_at: Text,
}

impl Checked for ConfigurationJson {
    type Object = Configuration;

    fn check(self) -> Result<Configuration, &'static str> {
        Ok(Configuration {
            id: self.id.0.ok_or("id")?,
            name: self.name.0.unwrap_or_default(),
            scenario_id: self.scenario_id.0,
            executable_id: self.executable_id.0,
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

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"{"id":"d1","configurationId":"c1","status":"RUNNING"}"#;

    fn deployment(json: &str) -> Deployment {
        object::<DeploymentJson>(json.as_bytes()).unwrap()
    }

    fn deployments(json: &str) -> Result<List<Deployment>, Error> {
        list::<DeploymentJson>(json.as_bytes())
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
    fn one_odd_deployment_does_not_hide_the_others_as_long_as_it_has_an_id() {
        let list = deployments(&format!(
            r#"{{"count":2,"resources":[{MINIMAL},{{"id":"d2","status":null}}]}}"#
        ));
        let odd = &list.unwrap().objects[1];
        assert_eq!(
            (&odd.status, odd.configuration_id.as_str()),
            (&Status::Other(String::new()), "")
        );
        let broken = MINIMAL.replace("\"id\"", "\"other\"");
        let error = deployments(&format!(r#"{{"resources":[{MINIMAL},{broken}]}}"#)).err();
        assert!(
            matches!(&error, Some(Error::Malformed { message, .. }) if message.ends_with("id")),
            "{error:?}"
        );
    }

    #[test]
    fn a_list_is_empty_when_it_says_so_and_its_count_may_be_a_text() {
        for (json, length, count) in [
            (
                format!(r#"{{"count":1,"resources":[{MINIMAL}]}}"#),
                1,
                Some(1),
            ),
            (
                format!(r#"{{"count":" 7 ","resources":[{MINIMAL}]}}"#),
                1,
                Some(7),
            ),
            (
                format!(r#"{{"count":null,"resources":[{MINIMAL}]}}"#),
                1,
                None,
            ),
            (r#"{"resources":[]}"#.to_owned(), 0, None),
            (r#"{"count":0}"#.to_owned(), 0, Some(0)),
            (r#"{"count":"0","resources":null}"#.to_owned(), 0, Some(0)),
        ] {
            let list = deployments(&json).unwrap();
            assert_eq!((list.objects.len(), list.count), (length, count), "{json}");
        }
    }

    #[test]
    fn what_is_no_list_is_not_taken_for_an_empty_one() {
        let cut = format!(r#"{{"count":1,"resources":[{MINIMAL}]"#);
        for list in [cut.as_str(), ""] {
            let error = deployments(list).err();
            assert!(matches!(error, Some(Error::Incomplete { .. })), "{list}");
        }
        for list in [
            "{}",
            r#"{"count":2}"#,
            r#"{"resources":null}"#,
            r#"{"resources":[null]}"#,
            "[]",
            "[0]",
            "null",
            "<html></html>",
        ] {
            let error = deployments(list).err();
            assert!(matches!(error, Some(Error::Malformed { .. })), "{list}");
        }
    }

    #[test]
    fn a_bare_count_is_read_in_every_form() {
        for body in ["50", " 50\n", "\"50\""] {
            assert_eq!(count(body.as_bytes()).unwrap(), 50);
        }
        for body in ["", "many", "-1", "<html></html>"] {
            assert!(matches!(
                count(body.as_bytes()),
                Err(Error::Malformed { .. })
            ));
        }
    }

    #[test]
    fn no_error_quotes_the_answer() {
        let answer = r#"{"id":"d1","aiApi":"the-access-token"}"#;
        let errors = [
            object::<MetaJson>(answer.as_bytes()).err(),
            count(b"the-access-token").err(),
            deployments(r#"{"resources":"the-access-token"}"#).err(),
            deployments("the-access-token").err(),
        ];
        for error in errors {
            let error = error.unwrap();
            assert!(
                !format!("{error} {error:?}").contains("the-access"),
                "{error:?}"
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
    fn of_a_configuration_only_the_id_must_be_there() {
        let json = r#"{"id":"c1","parameterBindings":"odd","scenarioId":null}"#;
        let found = object::<ConfigurationJson>(json.as_bytes()).unwrap();
        assert_eq!(
            (found.id.as_str(), found.name.as_str(), found.scenario_id),
            ("c1", "", None)
        );
        let error = object::<ConfigurationJson>(br#"{"name":"n"}"#).err();
        assert!(matches!(error, Some(Error::Malformed { .. })), "{error:?}");
    }
}
