//! The hosted models of a scenario, and how long they stay.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::client::{Client, get};
use super::error::Error;
use super::http;
use super::text::Text;
use super::wire::{self, Checked};

/// The models of a scenario at one moment (`AiModelList`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelList {
    /// The models.
    pub models: Vec<Model>,
    /// The server's clock when it answered (`Date` header).
    pub date: Option<Timestamp>,
}

/// A hosted model (`AiModelBaseData`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name, as the parameter `modelName` takes it.
    pub name: String,
    /// The executable that serves it; the same model may be served by several.
    pub executable_id: Option<String>,
    /// Its versions.
    pub versions: Vec<ModelVersion>,
}

/// A version of a hosted model (`AiModelVersion`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelVersion {
    /// Its name, as the parameter `modelVersion` takes it.
    pub name: String,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// When it will be gone. A date without a time is its first moment in UTC.
    pub retirement: Option<Timestamp>,
}

impl Client {
    /// The hosted models of a scenario. Scenarios that host none have an empty list, or none at all.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::NotFound`] or [`Error::Rejected`] for a scenario that hosts none.
    pub async fn list_models(&self, group: &str, scenario_id: &str) -> Result<ModelList, Error> {
        let path = ["lm", "scenarios", scenario_id, "models"];
        let answer = self.transport.fetch(&get(&path, Some(group))).await?;
        let list = wire::list::<ModelJson>(answer.body.as_slice())?;
        Ok(ModelList {
            models: list.objects,
            date: http::date(&answer.headers),
        })
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ModelJson {
    model: Text,
    executable_id: Text,
    versions: Option<Vec<VersionJson>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct VersionJson {
    name: Text,
    deprecated: Option<bool>,
    retirement_date: Text,
}

impl Checked for ModelJson {
    type Object = Model;

    fn check(self) -> Result<Model, &'static str> {
        let version = |version: VersionJson| {
            Some(ModelVersion {
                name: version.name.0?,
                deprecated: version.deprecated.unwrap_or(false),
                retirement: version.retirement_date.0.as_deref().and_then(moment),
            })
        };
        Ok(Model {
            name: self.model.0.ok_or("model")?,
            executable_id: self.executable_id.0,
            versions: self
                .versions
                .unwrap_or_default()
                .into_iter()
                .filter_map(version)
                .collect(),
        })
    }
}

/// An ISO 8601 time, or the beginning of an ISO 8601 date.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let date: Date = text.parse().ok()?;
        let beginning = date.to_zoned(TimeZone::UTC).ok()?;
        Some(beginning.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retirement_date_is_read_with_and_without_a_time() {
        let midnight: Timestamp = "2026-05-20T00:00:00Z".parse().unwrap();
        for text in [
            "2026-05-20",
            "2026-05-20T00:00:00Z",
            "2026-05-20T02:00:00+02:00",
        ] {
            assert_eq!(moment(text), Some(midnight), "{text}");
        }
        for text in ["", "soon", "2026-13-01"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
