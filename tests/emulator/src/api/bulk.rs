//! `PATCH /lm/deployments`: stops and deletions of up to 100 deployments in one call.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::deployments;
use crate::call::{Answer, Call, Operation, Subject};
use crate::endpoint::{Context, Endpoint, Outcome, Run};
use crate::errors::ApiError;
use crate::settings::BulkUpdates;

/// Most items of a call [OpenAPI document, `AiDeploymentModificationRequestList`].
const MAXIMUM_ITEMS: usize = 100;

pub(super) const ENDPOINT: Endpoint = Endpoint {
    run: Run::Group(modify_many),
    subjects,
    operation: Operation::Other,
    bulk: true,
};

#[derive(Deserialize)]
struct Request {
    deployments: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    target_status: Target,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Target {
    Stopped,
    Deleted,
}

/// What the items ask for. Empty when the body cannot be read.
fn subjects(call: &Call) -> Vec<Subject> {
    let Ok(request) = call.json::<Request>() else {
        return Vec::new();
    };
    let subject = |item: Item| Subject {
        operation: match item.target_status {
            Target::Stopped => Operation::StopDeployment,
            Target::Deleted => Operation::DeleteDeployment,
        },
        deployment_id: Some(item.id),
        configuration_id: None,
    };
    request.deployments.into_iter().map(subject).collect()
}

fn modify_many(context: &mut Context<'_>) -> Outcome {
    let items = check(context)?;
    let mut answers = Vec::with_capacity(items.len());
    let mut refused = BTreeSet::new();
    for (index, item) in items.into_iter().enumerate() {
        match modify_one(context, index, &item) {
            Ok(()) => answers.push(json!({"id": item.id, "message": deployments::MODIFIED})),
            Err(error) => {
                answers.push(json!({"id": item.id, "error": error}));
                refused.insert(item.id);
            }
        }
    }
    let answer = Answer::json(StatusCode::ACCEPTED, &json!({"deployments": answers}));
    Ok(Answer { refused, ..answer })
}

/// What makes the service refuse a call as a whole.
fn check(context: &Context<'_>) -> Result<Vec<Item>, ApiError> {
    let settings = context.settings;
    if settings.bulk_updates != BulkUpdates::Present {
        return Err(ApiError::bad_request(
            "Bulk updates of deployments are not enabled",
        ));
    }
    let media_type = context.call.media_type();
    let json_is_fine = settings.bulk_accepts_application_json && media_type == "application/json";
    if media_type != "application/merge-patch+json" && !json_is_fine {
        return Err(ApiError::bad_request(
            "Send a bulk update as application/merge-patch+json",
        ));
    }
    let items = context.call.json::<Request>()?.deployments;
    if items.is_empty() || items.len() > MAXIMUM_ITEMS {
        return Err(ApiError::bad_request(format!(
            "Give 1 to {MAXIMUM_ITEMS} deployments"
        )));
    }
    let mut ids = BTreeSet::new();
    match items.iter().find(|item| !ids.insert(item.id.as_str())) {
        Some(repeated) => Err(ApiError::bad_request(format!(
            "Deployment {} is given twice",
            repeated.id
        ))),
        None => Ok(items),
    }
}

/// Carries out one item. The error is the `error` object of the answer.
fn modify_one(context: &mut Context<'_>, index: usize, item: &Item) -> Result<(), Value> {
    let request_id = context.call.request_id.clone();
    let target = format!("/lm/deployments/{}", item.id);
    if let Some(fault) = context
        .partial_bulk
        .filter(|fault| (index + 1).is_multiple_of(fault.every_nth))
    {
        let message = "The deployment could not be modified";
        return Err(
            json!({"code": fault.code, "message": message, "requestId": request_id, "target": target}),
        );
    }
    let result = match item.target_status {
        Target::Stopped => deployments::stop(context, &item.id),
        Target::Deleted => deployments::mark_deleted(context, &item.id),
    };
    result.map_err(|error| error.body(context.settings, &request_id, &target))
}
