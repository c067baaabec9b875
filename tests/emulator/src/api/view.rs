//! Deployments as the API shows them.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::catalogue::VERSION;
use crate::configuration::Configuration;
use crate::deployment::Deployment;
use crate::lifecycle::{Status, TargetStatus};
use crate::settings::{Settings, TtlInAnswers};

/// A field that can be there, null, or left out.
#[derive(Clone, Debug)]
pub(crate) enum Field<T> {
    Present(T),
    Null,
    Absent,
}

/// The whole deployment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeploymentView<'a> {
    id: &'a str,
    deployment_url: &'a str,
    configuration_id: &'a str,
    #[serde(skip_serializing_if = "Field::is_absent")]
    configuration_name: Field<&'a str>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    executable_id: Field<&'a str>,
    scenario_id: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Field::is_absent")]
    status_message: Field<&'a str>,
    target_status: &'a str,
    last_operation: &'static str,
    #[serde(skip_serializing_if = "Field::is_absent")]
    latest_running_configuration_id: Field<&'a str>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    ttl: Field<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    details: Field<Details<'a>>,
    created_at: String,
    modified_at: String,
    #[serde(skip_serializing_if = "Field::is_absent")]
    submission_time: Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    start_time: Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    completion_time: Field<String>,
    // Fields that the documentation shows and the OpenAPI document does not have.
    #[serde(skip_serializing_if = "Field::is_absent")]
    created_by: Field<&'a str>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    modified_by: Field<&'a str>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    version_id: Field<&'a str>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    configuration_executable_id: Field<&'a str>,
}

/// The few fields of `$select=status`. SAP's Python SDK refuses any others.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusView<'a> {
    id: &'a str,
    configuration_id: &'a str,
    status: &'a str,
    created_at: String,
    modified_at: String,
    #[serde(skip_serializing_if = "Field::is_absent")]
    details: Field<Details<'a>>,
}

/// `details`: how much of what the deployment runs on.
#[derive(Debug, Serialize)]
struct Details<'a> {
    scaling: Backend<Predictor<Replicas>>,
    resources: Backend<Resources<'a>>,
}

/// The live service repeats what the OpenAPI document names in snake case, and so do we.
#[derive(Debug, Serialize)]
struct Backend<T> {
    #[serde(rename = "backendDetails")]
    documented: T,
    #[serde(rename = "backend_details")]
    repeated: T,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Predictor<T> {
    predictor: T,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Replicas {
    min_replicas: u32,
    max_replicas: u32,
    running_replicas: u32,
}

/// A hosted model, or a server with its resource plan.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
enum Resources<'a> {
    Model { model: HostedModel<'a> },
    Server(Predictor<Plan<'a>>),
}

#[derive(Clone, Copy, Debug, Serialize)]
struct HostedModel<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan<'a> {
    resource_plan: &'a str,
}

impl<'a> DeploymentView<'a> {
    /// What callers get to see of a deployment.
    pub(crate) fn new(deployment: &'a Deployment, settings: &Settings) -> Self {
        let nulls = settings.null_fields;
        let configuration = &deployment.configuration;
        let seen = |text: &'a str| {
            if nulls {
                Field::Null
            } else {
                Field::Present(text)
            }
        };
        let extra = |text: &'a str| {
            if settings.extra_fields {
                Field::Present(text)
            } else {
                Field::Absent
            }
        };
        Self {
            id: &deployment.id,
            deployment_url: deployment.url(),
            configuration_id: &configuration.id,
            configuration_name: seen(&configuration.name),
            executable_id: seen(&configuration.executable_id),
            scenario_id: &configuration.scenario_id,
            status: shown_status(deployment, settings),
            status_message: Field::of(deployment.status_message.as_deref(), nulls),
            target_status: deployment.target_status.as_str(),
            last_operation: deployment.last_operation.as_str(),
            latest_running_configuration_id: Field::of(
                deployment.latest_running_configuration_id.as_deref(),
                nulls,
            ),
            ttl: Field::of(shown_ttl(deployment, settings), nulls),
            details: details(deployment, nulls),
            created_at: seconds(deployment.created_at),
            modified_at: seconds(deployment.modified_at),
            submission_time: Field::of(deployment.submission_time.map(seconds), nulls),
            start_time: Field::of(deployment.start_time.map(seconds), nulls),
            completion_time: Field::of(deployment.completion_time.map(seconds), nulls),
            created_by: extra("somebody@example.com"),
            modified_by: extra("somebody@example.com"),
            version_id: extra(VERSION),
            configuration_executable_id: extra(&configuration.executable_id),
        }
    }
}

impl<'a> StatusView<'a> {
    /// What `$select=status` shows of a deployment.
    pub(crate) fn new(deployment: &'a Deployment, settings: &Settings) -> Self {
        Self {
            id: &deployment.id,
            configuration_id: &deployment.configuration.id,
            status: shown_status(deployment, settings),
            created_at: seconds(deployment.created_at),
            modified_at: seconds(deployment.modified_at),
            details: details(deployment, settings.null_fields),
        }
    }
}

/// A time as deployments and configurations show it: whole seconds, `Z`.
pub(crate) fn seconds(time: Timestamp) -> String {
    format!("{time:.0}")
}

fn shown_status<'a>(deployment: &'a Deployment, settings: &Settings) -> &'a str {
    if settings.emit_deleting && deployment.target_status == TargetStatus::Deleted {
        "DELETING"
    } else {
        deployment.status.as_str()
    }
}

fn shown_ttl<'a>(deployment: &'a Deployment, settings: &Settings) -> Option<Cow<'a, str>> {
    let ttl = deployment.ttl.as_ref()?;
    match settings.ttl_in_answers {
        TtlInAnswers::AsSent => Some(Cow::Borrowed(ttl.text())),
        TtlInAnswers::Minutes => Some(Cow::Owned(format!("{}M", ttl.duration().as_secs() / 60))),
        TtlInAnswers::Absent => None,
    }
}

/// `details` of a running deployment.
fn details(deployment: &Deployment, nulls: bool) -> Field<Details<'_>> {
    let running = deployment.status == Status::Running;
    Field::of(
        running.then(|| Details::new(&deployment.configuration)),
        nulls,
    )
}

impl<'a> Details<'a> {
    fn new(configuration: &'a Configuration) -> Self {
        let scaling = Replicas {
            min_replicas: 1,
            max_replicas: 1,
            running_replicas: 1,
        };
        let resources = match configuration.parameter("modelName") {
            Some(name) => {
                let version = configuration.parameter("modelVersion").unwrap_or("latest");
                Resources::Model {
                    model: HostedModel { name, version },
                }
            }
            None => {
                let resource_plan = configuration.parameter("resourcePlan").unwrap_or("starter");
                Resources::Server(Predictor {
                    predictor: Plan { resource_plan },
                })
            }
        };
        Self {
            scaling: Backend::of(Predictor { predictor: scaling }),
            resources: Backend::of(resources),
        }
    }
}

impl<T: Copy> Backend<T> {
    fn of(details: T) -> Self {
        Self {
            documented: details,
            repeated: details,
        }
    }
}

impl<T> Field<T> {
    fn of(value: Option<T>, nulls: bool) -> Self {
        match value {
            Some(value) => Self::Present(value),
            None if nulls => Self::Null,
            None => Self::Absent,
        }
    }

    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Present(value) => value.serialize(serializer),
            Self::Null | Self::Absent => serializer.serialize_none(),
        }
    }
}
