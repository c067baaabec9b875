//! `/lm/deployments`: lists, counts and single deployments

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use super::view::{DeploymentView, StatusView};
use crate::call::Answer;
use crate::deployment::Deployment;
use crate::endpoint::{Context, Outcome};
use crate::errors::ApiError;
use crate::lifecycle::Status;
use crate::query::Query;
use crate::settings::{ListCount, Settings, UnknownStatusFilter};

#[derive(Serialize)]
struct DeploymentList<T> {
    count: usize,
    resources: Vec<T>,
}

pub(super) fn list(context: &mut Context<'_>) -> Outcome {
    let (call, settings, now, seen_at) =
        (context.call, context.settings, context.now, context.seen_at);
    let filter = Filter::read(&call.query, settings)?;
    let page = call.query.page(settings)?;
    let select_status = call.query.selects_status()?;
    let view = context.group()?.view(seen_at, now);
    let matching = view.values().filter(|deployment| {
        deployment.is_visible(seen_at, settings) && filter.matches(deployment)
    });
    let matching: Vec<_> = matching.collect();
    let total = matching.len();
    let shown = page.of(matching.into_iter());
    let count = match settings.list_count {
        ListCount::Page => shown.len(),
        ListCount::Total => total,
    };
    if select_status {
        let resources: Vec<_> = shown
            .into_iter()
            .map(|deployment| StatusView::new(deployment, settings))
            .collect();
        return Ok(Answer::json(
            StatusCode::OK,
            &DeploymentList { count, resources },
        ));
    }
    let resources: Vec<_> = shown
        .into_iter()
        .map(|deployment| DeploymentView::new(deployment, settings))
        .collect();
    Ok(Answer::json(
        StatusCode::OK,
        &DeploymentList { count, resources },
    ))
}

pub(super) fn count(context: &mut Context<'_>) -> Outcome {
    let (settings, now, seen_at) = (context.settings, context.now, context.seen_at);
    let filter = Filter::read(&context.call.query, settings)?;
    let view = context.group()?.view(seen_at, now);
    let count = view
        .values()
        .filter(|deployment| deployment.is_visible(seen_at, settings) && filter.matches(deployment))
        .count();
    Ok(Answer::text(StatusCode::OK, count.to_string()))
}

pub(super) fn get(context: &mut Context<'_>) -> Outcome {
    let (call, settings, now, seen_at) =
        (context.call, context.settings, context.now, context.seen_at);
    let select_status = call.query.selects_status()?;
    let id = call.parameter("deploymentId");
    let view = context.group()?.view(seen_at, now);
    let deployment = view
        .get(id)
        .filter(|deployment| deployment.is_visible(seen_at, settings));
    let deployment = deployment.ok_or_else(|| ApiError::deployment_not_found(id, settings))?;
    if select_status {
        return Ok(Answer::json(
            StatusCode::OK,
            &WithStatusDetails::new(StatusView::new(deployment, settings)),
        ));
    }
    Ok(Answer::json(
        StatusCode::OK,
        &WithStatusDetails::new(DeploymentView::new(deployment, settings)),
    ))
}

/// A single deployment has one field more than one in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WithStatusDetails<T> {
    #[serde(flatten)]
    deployment: T,
    status_details: Map<String, Value>,
}

impl<T> WithStatusDetails<T> {
    fn new(deployment: T) -> Self {
        Self {
            deployment,
            status_details: Map::new(),
        }
    }
}

/// The filters of a list and a count.
struct Filter<'a> {
    executable_ids: Option<BTreeSet<&'a str>>,
    configuration_id: Option<&'a str>,
    scenario_id: Option<&'a str>,
    status: Option<Status>,
}

impl<'a> Filter<'a> {
    fn read(query: &'a Query, settings: &Settings) -> Result<Self, ApiError> {
        let status = query
            .get("status")
            .map(|text| Status::from(text.to_owned()));
        let status = match (status, settings.unknown_status_filter) {
            (Some(Status::Other(text)), UnknownStatusFilter::Refuse) => {
                return Err(ApiError::bad_request(format!(
                    "status is {text:?}, which is not a status"
                )));
            }
            (Some(Status::Other(_)), UnknownStatusFilter::Ignore) => None,
            (status, _) => status,
        };
        let executable_ids = query.list("executableIds");
        if executable_ids.as_ref().is_some_and(|ids| ids.len() > 1_000) {
            return Err(ApiError::bad_request(
                "executableIds takes at most 1000 ids",
            ));
        }
        Ok(Self {
            executable_ids: executable_ids.map(|ids| ids.into_iter().collect()),
            configuration_id: query.get("configurationId"),
            scenario_id: query.get("scenarioId"),
            status,
        })
    }

    fn matches(&self, deployment: &Deployment) -> bool {
        let configuration = &deployment.configuration;
        self.executable_ids
            .as_ref()
            .is_none_or(|ids| ids.contains(configuration.executable_id.as_str()))
            && self
                .configuration_id
                .is_none_or(|id| id == configuration.id)
            && self
                .scenario_id
                .is_none_or(|id| id == configuration.scenario_id)
            && self
                .status
                .as_ref()
                .is_none_or(|status| *status == deployment.status)
    }
}
