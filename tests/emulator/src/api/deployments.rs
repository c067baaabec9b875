//! `/lm/deployments`: creating and changing

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::MethodFilter;
use serde::Deserialize;
use serde_json::json;

use super::{bulk, identifiers, reading};
use crate::call::{Answer, Call, Created, Operation, Subject};
use crate::catalogue;
use crate::configuration::Configuration;
use crate::deployment::Deployment;
use crate::endpoint::{Context, Endpoint, Outcome, Run, classified, endpoint};
use crate::errors::ApiError;
use crate::lifecycle;
use crate::resource_group::ResourceGroup;
use crate::settings::SameConfigurationPatch;
use crate::time_to_live::TimeToLive;
use crate::world::Shared;

/// Answer to an accepted PATCH.
pub(super) const MODIFIED: &str = "Deployment modification scheduled";

pub(super) fn routes() -> Router<Shared> {
    let create = Endpoint {
        run: Run::Group(create),
        subjects: creation_subject,
        operation: Operation::CreateDeployment,
        bulk: false,
    };
    let modify = Endpoint {
        run: Run::Group(modify),
        subjects: modification_subject,
        operation: Operation::Other,
        bulk: false,
    };
    Router::new()
        .route(
            "/deployments",
            endpoint(
                MethodFilter::GET,
                Operation::ListDeployments,
                Run::Group(reading::list),
            )
            .merge(classified(MethodFilter::POST, create))
            .merge(classified(MethodFilter::PATCH, bulk::ENDPOINT)),
        )
        .route(
            "/deployments/$count",
            endpoint(
                MethodFilter::GET,
                Operation::CountDeployments,
                Run::Group(reading::count),
            ),
        )
        .route(
            "/deployments/{deploymentId}",
            endpoint(
                MethodFilter::GET,
                Operation::GetDeployment,
                Run::Group(reading::get),
            )
            .merge(classified(MethodFilter::PATCH, modify))
            .merge(endpoint(
                MethodFilter::DELETE,
                Operation::DeleteDeployment,
                Run::Group(delete),
            )),
        )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreationRequest {
    configuration_id: String,
    ttl: Option<String>,
}

fn create(context: &mut Context<'_>) -> Outcome {
    let (settings, now, base_url) = (context.settings, context.now, context.base_url);
    let request: CreationRequest = context.call.json()?;
    let ttl = request
        .ttl
        .as_deref()
        .map(TimeToLive::parse)
        .transpose()
        .map_err(ApiError::bad_request)?;
    let group = context.group()?;
    let configuration = usable_configuration(group, &request.configuration_id)?;
    if let Some(limit) = settings
        .max_deployments
        .filter(|limit| group.deployments().len() >= *limit)
    {
        return Err(ApiError::over_quota(limit, settings.quota_status));
    }
    let mut deployment = Deployment::new(
        identifiers::new_deployment_id(),
        configuration,
        ttl,
        base_url,
        now,
    );
    deployment.fresh = true;
    let id = deployment.id.clone();
    let mut body = json!({
        "id": id,
        "message": "Deployment scheduled.",
        "deploymentUrl": deployment.url(),
        "status": deployment.status,
    });
    if let Some(ttl) = &deployment.ttl {
        body["ttl"] = json!(ttl.text());
    }
    let created = Created {
        deployment_id: Some(id.clone()),
        configuration_id: deployment.configuration.id.clone(),
    };
    group.put(deployment, now);
    let mut answer = Answer::json(StatusCode::ACCEPTED, &body);
    if settings.location_header {
        let location = format!("{base_url}/v2/lm/deployments/{id}");
        answer = answer.with_header(header::LOCATION, &location);
    }
    Ok(Answer {
        created: Some(created),
        ..answer
    })
}

fn creation_subject(call: &Call) -> Vec<Subject> {
    let configuration_id = call.value()["configurationId"].as_str().map(str::to_owned);
    vec![Subject {
        operation: Operation::CreateDeployment,
        deployment_id: None,
        configuration_id,
    }]
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModificationRequest {
    target_status: Option<String>,
    configuration_id: Option<String>,
}

fn modify(context: &mut Context<'_>) -> Outcome {
    let id = context.call.parameter("deploymentId").to_owned();
    let request: ModificationRequest = context.call.json()?;
    match (request.target_status.as_deref(), request.configuration_id) {
        (Some("STOPPED"), None) => stop(context, &id)?,
        (None, Some(configuration_id)) => change_configuration(context, &id, &configuration_id)?,
        (Some("STOPPED"), Some(_)) => {
            return Err(ApiError::bad_request(
                "Give either targetStatus or configurationId, not both",
            ));
        }
        (Some(other), _) => {
            return Err(ApiError::bad_request(format!(
                "targetStatus is {other:?}, but can only become STOPPED"
            )));
        }
        (None, None) => {
            return Err(ApiError::bad_request(
                "Give targetStatus or configurationId",
            ));
        }
    }
    Ok(Answer::json(
        StatusCode::ACCEPTED,
        &json!({"id": id, "message": MODIFIED}),
    ))
}

/// The operation of a PATCH, for faults and the audit log.
fn modification_subject(call: &Call) -> Vec<Subject> {
    let body = call.value();
    let configuration_id = body["configurationId"].as_str().map(str::to_owned);
    let operation = if body["targetStatus"].is_string() {
        Operation::StopDeployment
    } else if configuration_id.is_some() {
        Operation::ChangeConfiguration
    } else {
        Operation::Other
    };
    let deployment_id = Some(call.parameter("deploymentId").to_owned());
    vec![Subject {
        operation,
        deployment_id,
        configuration_id,
    }]
}

/// Stops a deployment.
pub(super) fn stop(context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    let (settings, now) = (context.settings, context.now);
    let mut deployment = context.deployment(id)?;
    lifecycle::may_stop(&deployment, settings)
        .map_err(|refused| ApiError::refused(&refused, settings.illegal_stop_status))?;
    deployment.stop(now, settings);
    context.group()?.put(deployment, now);
    Ok(())
}

/// Deletes a deployment.
pub(super) fn mark_deleted(context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    let (settings, now) = (context.settings, context.now);
    let mut deployment = context.deployment(id)?;
    lifecycle::may_delete(&deployment, settings)
        .map_err(|refused| ApiError::refused(&refused, settings.illegal_delete_status))?;
    deployment.delete(now);
    context.group()?.put(deployment, now);
    Ok(())
}

/// Gives a deployment another configuration of the same executable.
fn change_configuration(
    context: &mut Context<'_>,
    id: &str,
    configuration_id: &str,
) -> Result<(), ApiError> {
    let (settings, now) = (context.settings, context.now);
    let mut deployment = context.deployment(id)?;
    lifecycle::may_change_configuration(&deployment)
        .map_err(|refused| ApiError::refused(&refused, settings.illegal_stop_status))?;
    let configuration = usable_configuration(context.group()?, configuration_id)?;
    let present = &deployment.configuration;
    let is_same_program = present.scenario_id == configuration.scenario_id
        && present.executable_id == configuration.executable_id;
    if !is_same_program {
        let why = "it must have the scenario and the executable of the present one";
        return Err(ApiError::unusable_configuration(configuration_id, why));
    }
    let refuses_same = settings.same_configuration_patch == SameConfigurationPatch::Refuse;
    if present.id == configuration.id && refuses_same {
        return Err(ApiError::bad_request(
            "The deployment already has this configuration",
        ));
    }
    deployment.change_configuration(configuration, now);
    context.group()?.put(deployment, now);
    Ok(())
}

fn delete(context: &mut Context<'_>) -> Outcome {
    let id = context.call.parameter("deploymentId").to_owned();
    mark_deleted(context, &id)?;
    let mut body = json!({"id": id, "message": "Deletion scheduled"});
    if context.settings.target_in_delete_answer {
        body["targetStatus"] = json!("DELETED");
    }
    Ok(Answer::json(StatusCode::ACCEPTED, &body))
}

/// A configuration of this group that has everything its executable needs.
fn usable_configuration(group: &ResourceGroup, id: &str) -> Result<Arc<Configuration>, ApiError> {
    let unusable = |why: &str| ApiError::unusable_configuration(id, why);
    let configuration = group
        .configurations
        .get(id)
        .ok_or_else(|| unusable("it does not exist in this resource group"))?;
    let missing = catalogue::missing_parameters(configuration);
    if missing.is_empty() {
        Ok(Arc::clone(configuration))
    } else {
        Err(unusable(&format!(
            "Missing input parameter {}",
            missing.join(", ")
        )))
    }
}
