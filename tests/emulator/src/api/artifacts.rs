//! `/lm/artifacts`: the same ones in every resource group. There is no object store behind them.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::MethodFilter;
use serde_json::{Value, json};

use crate::call::{Answer, Operation};
use crate::catalogue::{ARTIFACTS, Artifact, CREATED_AT};
use crate::endpoint::{Context, Outcome, Run, endpoint};
use crate::errors::ApiError;
use crate::world::Shared;

pub(super) fn routes() -> Router<Shared> {
    let read = |operation, function| endpoint(MethodFilter::GET, operation, Run::Group(function));
    Router::new()
        .route("/artifacts", read(Operation::ListArtifacts, list))
        .route("/artifacts/{artifactId}", read(Operation::GetArtifact, get))
}

fn list(context: &mut Context<'_>) -> Outcome {
    let page = context.call.query.page(context.settings)?;
    context.group()?;
    let resources: Vec<Value> = page.of(ARTIFACTS.iter()).into_iter().map(view).collect();
    Ok(Answer::json(
        StatusCode::OK,
        &json!({"count": resources.len(), "resources": resources}),
    ))
}

fn get(context: &mut Context<'_>) -> Outcome {
    let id = context.call.parameter("artifactId").to_owned();
    context.group()?;
    let artifact = ARTIFACTS.iter().find(|artifact| artifact.id == id);
    let artifact =
        artifact.ok_or_else(|| ApiError::not_found(format!("Artifact ID {id} not found")))?;
    Ok(Answer::json(StatusCode::OK, &view(artifact)))
}

fn view(artifact: &Artifact) -> Value {
    json!({
        "id": artifact.id,
        "name": artifact.name,
        "kind": "model",
        "url": format!("ai://default/{}", artifact.name),
        "scenarioId": artifact.scenario_id,
        "labels": [],
        "createdAt": CREATED_AT,
        "modifiedAt": CREATED_AT,
    })
}
