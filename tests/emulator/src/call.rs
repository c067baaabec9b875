//! A call and its answer.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::errors::ApiError;
use crate::query::Query;

/// What a call asks for, by the names that faults and the audit log use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// `POST /oauth/token`
    Token,
    /// `GET /v2/lm/deployments`
    ListDeployments,
    /// `GET /v2/lm/deployments/$count`
    CountDeployments,
    /// `GET /v2/lm/deployments/{id}`
    GetDeployment,
    /// `POST /v2/lm/deployments`
    CreateDeployment,
    /// `PATCH` with `targetStatus: STOPPED`, of one deployment or as an item of a bulk call
    StopDeployment,
    /// `PATCH /v2/lm/deployments/{id}` with a `configurationId`
    ChangeConfiguration,
    /// `DELETE /v2/lm/deployments/{id}`, or an item of a bulk call with `targetStatus: DELETED`
    DeleteDeployment,
    /// `GET /v2/lm/deployments/{id}/logs`
    DeploymentLogs,
    /// `GET /v2/lm/configurations`
    ListConfigurations,
    /// `GET /v2/lm/configurations/{id}`
    GetConfiguration,
    /// `GET /v2/lm/configurations/$count`
    CountConfigurations,
    /// `POST /v2/lm/configurations`
    CreateConfiguration,
    /// `GET /v2/lm/scenarios`
    ListScenarios,
    /// `GET /v2/lm/scenarios/{id}`
    GetScenario,
    /// `GET /v2/lm/scenarios/{id}/executables`
    ListExecutables,
    /// `GET /v2/lm/scenarios/{id}/executables/{id}`
    GetExecutable,
    /// `GET /v2/lm/scenarios/{id}/models`
    ListModels,
    /// `GET /v2/lm/artifacts`
    ListArtifacts,
    /// `GET /v2/lm/artifacts/{id}`
    GetArtifact,
    /// `GET /v2/lm/meta`
    Meta,
    /// `GET /v2/admin/resourceGroups`
    ListResourceGroups,
    /// `GET /v2/admin/resourceGroups/{id}`
    GetResourceGroup,
    /// `POST /v2/admin/resourceGroups`
    CreateResourceGroup,
    /// `PATCH /v2/admin/resourceGroups/{id}`
    PatchResourceGroup,
    /// `DELETE /v2/admin/resourceGroups/{id}`
    DeleteResourceGroup,
    /// `GET /v2/admin/resourceQuota/deployments`
    Quota,
    /// Anything else that was called
    Other,
    /// In the audit log only: the state machine moved
    Transition,
    /// In the audit log only: the control plane changed something
    Control,
}

/// One thing that a call is about: a bulk call has one for each item, any other call one.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) operation: Operation,
    pub(crate) deployment_id: Option<String>,
    pub(crate) configuration_id: Option<String>,
}

/// A request, read whole.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) subjects: Vec<Subject>,
    pub(crate) bulk: bool,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) raw_query: Option<String>,
    pub(crate) query: Query,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) request_id: String,
}

/// A response before it is sent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What was created, when a deployment or a configuration was.
    pub(crate) created: Option<Created>,
    /// The items of a bulk call that had no effect.
    pub(crate) refused: BTreeSet<String>,
}

/// A deployment with its configuration, or a configuration alone, that a call created.
#[derive(Clone, Debug)]
pub(crate) struct Created {
    pub(crate) deployment_id: Option<String>,
    pub(crate) configuration_id: String,
}

impl Call {
    /// The group that the path names, or else the header `AI-Resource-Group`.
    pub(crate) fn resource_group(&self) -> Option<&str> {
        if let Some(group) = self.parameters.get("resourceGroupId") {
            return Some(group);
        }
        self.header("ai-resource-group")
            .filter(|group| !group.is_empty())
    }

    /// A header, when it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type of the body, without its parameters.
    pub(crate) fn media_type(&self) -> &str {
        let content_type = self
            .header(header::CONTENT_TYPE.as_str())
            .unwrap_or_default();
        content_type.split(';').next().unwrap_or_default().trim()
    }

    /// A part of the path by its name in the route; empty when the route has none.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    }

    /// The body as JSON of a certain shape.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            ApiError::bad_request(format!("The request body cannot be used: {error}"))
        })
    }

    /// The body as any JSON, null when it is none.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Answer {
    /// An answer without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            created: None,
            refused: BTreeSet::new(),
        }
    }

    /// An answer in plain text.
    pub(crate) fn text(status: StatusCode, text: String) -> Self {
        let mut answer = Self::empty(status);
        answer.body = text.into();
        answer
            .headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        answer
    }

    /// An answer in JSON.
    pub(crate) fn json<T: Serialize>(status: StatusCode, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => {
                let mut answer = Self::empty(status);
                answer.body = body.into();
                answer.headers.insert(
                    header::CONTENT_TYPE,
                    HeaderValue::from_static("application/json"),
                );
                answer
            }
            Err(error) => Self::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }

    /// Adds a header. A value that HTTP does not allow is left out.
    pub(crate) fn with_header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}
