//! The arguments of `aicore-operator conformance`.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use aicore_operator::aicore::{Client, ServiceKey};
use aicore_operator::conformance::{Plan, Source};
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use super::remote::RemoteArguments;
use super::seconds;

const EXIT_CODES: &str = "\
Exit codes:
  0  there is nothing that the operator cannot work with
  1  there is something that it cannot work with, or the run did not get to its end; no deployment was left behind
  2  the arguments are wrong, the resource group is no sandbox, or nobody agreed; nothing was done
  3  something was left behind, which the last lines name";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct ConformanceArguments {
    /// The service key of the tenant, a file with JSON as SAP BTP shows it; `-` is standard input
    #[arg(long, env = "AICORE_OPERATOR_SERVICE_KEY", value_name = "FILE")]
    service_key: PathBuf,

    /// The resource group to do it in. It should be a sandbox
    #[arg(long, env = "AICORE_OPERATOR_RESOURCE_GROUP", value_name = "GROUP")]
    resource_group: String,

    /// The configuration to deploy
    #[arg(
        long,
        env = "AICORE_OPERATOR_CONFIGURATION_ID",
        value_name = "ID",
        required_unless_present = "scenario_id",
        conflicts_with_all = ["scenario_id", "executable_id", "parameters"]
    )]
    configuration_id: Option<String>,

    /// The scenario of a new configuration to deploy. That configuration stays, since AI Core cannot delete one
    #[arg(
        long,
        env = "AICORE_OPERATOR_SCENARIO_ID",
        value_name = "ID",
        requires = "executable_id"
    )]
    scenario_id: Option<String>,

    /// The executable of a new configuration to deploy
    #[arg(
        long,
        env = "AICORE_OPERATOR_EXECUTABLE_ID",
        value_name = "ID",
        requires = "scenario_id"
    )]
    executable_id: Option<String>,

    /// A parameter of a new configuration to deploy; can be given more than once. In the variable each one stands on a line of its own
    #[arg(
        long = "parameter",
        env = "AICORE_OPERATOR_PARAMETERS",
        value_name = "KEY=VALUE",
        value_delimiter = '\n',
        value_parser = parameter,
        requires = "scenario_id"
    )]
    parameters: Vec<(String, String)>,

    /// Do not ask before it begins
    #[arg(long, env = "AICORE_OPERATOR_YES", value_parser = FalseyValueParser::new())]
    pub yes: bool,

    /// Go on in a resource group that holds deployments already. They are left alone
    #[arg(long, env = "AICORE_OPERATOR_BESIDE_OTHERS", value_parser = FalseyValueParser::new())]
    beside_others: bool,

    /// How to print the report
    #[arg(
        long,
        env = "AICORE_OPERATOR_OUTPUT",
        value_enum,
        default_value = "text"
    )]
    pub output: Output,

    /// How long the deployment may stay in one state before the run is given up, in seconds
    #[arg(long, env = "AICORE_OPERATOR_WAIT_SECONDS", value_name = "SECONDS", default_value = "1800", value_parser = seconds)]
    wait_seconds: Duration,

    /// From one look at the deployment to the next, in seconds
    #[arg(long, env = "AICORE_OPERATOR_LOOK_SECONDS", value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    look_seconds: Duration,

    #[command(flatten)]
    remote: RemoteArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A table for a person
    Text,
    /// One JSON object
    Json,
}

impl ConformanceArguments {
    /// A client with the service key.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or what is in it cannot be used. No sentence repeats any of the service key.
    pub fn client(&self) -> Result<Client, String> {
        let file = self.service_key.display();
        let unusable = |why: &dyn std::fmt::Display| format!("--service-key {file}: {why}");
        let text = self.read_key().map_err(|error| unusable(&error))?;
        let key = ServiceKey::from_json(&text).map_err(|error| unusable(&error))?;
        Client::new(key, &self.remote.options()?).map_err(|error| unusable(&error))
    }

    /// What to do.
    pub fn plan(&self) -> Plan {
        let source = match &self.configuration_id {
            Some(id) => Source::Existing(id.clone()),
            None => Source::New {
                scenario_id: self.scenario_id.clone().unwrap_or_default(),
                executable_id: self.executable_id.clone().unwrap_or_default(),
                parameters: self.parameters.clone(),
            },
        };
        Plan {
            group: self.resource_group.clone(),
            source,
            wait: self.wait_seconds,
            poll: self.look_seconds,
            beside_others: self.beside_others,
        }
    }

    fn read_key(&self) -> std::io::Result<Vec<u8>> {
        if self.service_key.as_os_str() != "-" {
            return std::fs::read(&self.service_key);
        }
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text)?;
        Ok(text)
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("give KEY=VALUE".to_owned()),
    }
}
