//! Deployments as the API shows them.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::lifecycle::{Status, TargetStatus};
use crate::settings::Settings;

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
    ttl: Field<&'a str>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    details: Field<Value>,
    created_at: String,
    modified_at: String,
    #[serde(skip_serializing_if = "Field::is_absent")]
    submission_time: Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    start_time: Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    completion_time: Field<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    extra: Option<ExtraFields>,
}

/// Fields that the documentation shows and the OpenAPI document does not have.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtraFields {
    created_by: &'static str,
    modified_by: &'static str,
    version_id: &'static str,
    configuration_executable_id: String,
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
    details: Field<Value>,
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
            ttl: Field::of(deployment.ttl.as_ref().map(|ttl| ttl.text()), nulls),
            details: details(deployment, nulls),
            created_at: seconds(deployment.created_at),
            modified_at: seconds(deployment.modified_at),
            submission_time: Field::of(deployment.submission_time.map(seconds), nulls),
            start_time: Field::of(deployment.start_time.map(seconds), nulls),
            completion_time: Field::of(deployment.completion_time.map(seconds), nulls),
            extra: settings.extra_fields.then(|| ExtraFields {
                created_by: "somebody@example.com",
                modified_by: "somebody@example.com",
                version_id: "0.0.1",
                configuration_executable_id: configuration.executable_id.clone(),
            }),
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

/// `details` of a running deployment. The live service repeats the details in snake case, and so do we.
fn details(deployment: &Deployment, nulls: bool) -> Field<Value> {
    if deployment.status != Status::Running {
        return if nulls { Field::Null } else { Field::Absent };
    }
    let configuration = &deployment.configuration;
    let resources = match (
        configuration.parameter("modelName"),
        configuration.parameter("resourcePlan"),
    ) {
        (Some(name), _) => {
            json!({"model": {"name": name, "version": configuration.parameter("modelVersion").unwrap_or("latest")}})
        }
        (None, plan) => json!({"predictor": {"resourcePlan": plan.unwrap_or("starter")}}),
    };
    let scaling = json!({"predictor": {"minReplicas": 1, "maxReplicas": 1, "runningReplicas": 1}});
    Field::Present(json!({
        "scaling": {"backendDetails": scaling, "backend_details": scaling},
        "resources": {"backendDetails": resources, "backend_details": resources},
    }))
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
