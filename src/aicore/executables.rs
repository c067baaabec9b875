//! What can be deployed: scenarios, their executables and what those take, and the artifacts of a resource group.

use serde::Deserialize;
use serde_json::Value;

use super::client::{Client, get};
use super::error::Error;
use super::paging::incomplete;
use super::text::Text;
use super::wire::{self, Checked};

/// An executable: something that a configuration gives values to (`AiExecutable`). What the server does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Executable {
    /// Its id.
    pub id: String,
    /// Whether it makes deployments; others make executions only.
    pub deployable: Option<bool>,
    /// The parameters that it takes.
    pub parameters: Option<Vec<Parameter>>,
    /// The names of the input artifacts that it takes.
    pub input_artifacts: Option<Vec<String>>,
}

/// A parameter of an executable (`AiExecutableParameter`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether it has a default, be it an empty text. One without has to be given.
    pub has_default: bool,
}

impl Client {
    /// One executable of a scenario.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::NotFound`].
    pub async fn get_executable(
        &self,
        group: &str,
        scenario_id: &str,
        id: &str,
    ) -> Result<Executable, Error> {
        let path = ["lm", "scenarios", scenario_id, "executables", id];
        let answer = self.transport.fetch(&get(&path, Some(group))).await?;
        wire::object::<ExecutableJson>(&answer.body)
    }

    /// The ids of all executables of a scenario.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::NotFound`], and [`Error::Incomplete`] when the list does not hold everything.
    pub async fn list_executables(
        &self,
        group: &str,
        scenario_id: &str,
    ) -> Result<Vec<String>, Error> {
        self.list_ids(group, &["lm", "scenarios", scenario_id, "executables"])
            .await
    }

    /// The ids of all scenarios.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::Incomplete`] when the list does not hold everything.
    pub async fn list_scenarios(&self, group: &str) -> Result<Vec<String>, Error> {
        self.list_ids(group, &["lm", "scenarios"]).await
    }

    /// Whether the resource group has an artifact with this id.
    ///
    /// # Errors
    ///
    /// The common ones.
    pub async fn has_artifact(&self, group: &str, id: &str) -> Result<bool, Error> {
        let path = ["lm", "artifacts", id];
        match self.transport.fetch(&get(&path, Some(group))).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn list_ids(&self, group: &str, path: &[&str]) -> Result<Vec<String>, Error> {
        let answer = self.transport.fetch(&get(path, Some(group))).await?;
        let list = wire::list::<Identified>(answer.body.as_slice())?;
        match list.count {
            Some(count) if count > list.objects.len() as u64 => Err(incomplete(format!(
                "there are {count} entries, but the list gives {}",
                list.objects.len()
            ))),
            _ => Ok(list.objects),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ExecutableJson {
    id: Text,
    deployable: Option<bool>,
    parameters: Option<Vec<ParameterJson>>,
    input_artifacts: Option<Vec<Named>>,
}

#[derive(Deserialize)]
struct ParameterJson {
    name: String,
    #[serde(default)]
    default: Value,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Checked for ExecutableJson {
    type Object = Executable;

    fn check(self) -> Result<Executable, &'static str> {
        let parameter = |parameter: ParameterJson| Parameter {
            name: parameter.name,
            has_default: !parameter.default.is_null(),
        };
        Ok(Executable {
            id: self.id.0.ok_or("id")?,
            deployable: self.deployable,
            parameters: self
                .parameters
                .map(|all| all.into_iter().map(parameter).collect()),
            input_artifacts: self
                .input_artifacts
                .map(|all| all.into_iter().map(|artifact| artifact.name).collect()),
        })
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Identified {
    id: Text,
}

impl Checked for Identified {
    type Object = String;

    fn check(self) -> Result<String, &'static str> {
        self.id.0.ok_or("id")
    }
}
