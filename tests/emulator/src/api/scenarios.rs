//! `/lm/scenarios`: scenarios, executables, versions and models.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::MethodFilter;
use serde_json::{Value, json};

use crate::call::{Answer, Operation};
use crate::catalogue::{
    self, CREATED_AT, Executable, Model, Parameter, SCENARIOS, Scenario, VERSION,
};
use crate::endpoint::{Context, Outcome, Run, endpoint};
use crate::errors::ApiError;
use crate::world::Shared;

pub(super) fn routes() -> Router<Shared> {
    let read = |operation, function| endpoint(MethodFilter::GET, operation, Run::Group(function));
    Router::new()
        .route("/scenarios", read(Operation::ListScenarios, list))
        .route("/scenarios/{scenarioId}", read(Operation::GetScenario, get))
        .route(
            "/scenarios/{scenarioId}/executables",
            read(Operation::ListExecutables, list_executables),
        )
        .route(
            "/scenarios/{scenarioId}/executables/{executableId}",
            read(Operation::GetExecutable, get_executable),
        )
        .route(
            "/scenarios/{scenarioId}/versions",
            read(Operation::Other, list_versions),
        )
        .route(
            "/scenarios/{scenarioId}/models",
            read(Operation::Other, list_models),
        )
}

fn list(_: &mut Context<'_>) -> Outcome {
    Ok(collection(SCENARIOS.iter().map(view).collect()))
}

fn get(context: &mut Context<'_>) -> Outcome {
    Ok(Answer::json(StatusCode::OK, &view(scenario(context)?)))
}

fn list_executables(context: &mut Context<'_>) -> Outcome {
    let scenario = scenario(context)?;
    let shown = if is_other_version(context) {
        &[]
    } else {
        scenario.executables
    };
    Ok(collection(
        shown
            .iter()
            .map(|executable| executable_view(scenario, executable))
            .collect(),
    ))
}

fn get_executable(context: &mut Context<'_>) -> Outcome {
    let scenario = scenario(context)?;
    let id = context.call.parameter("executableId");
    let executable = catalogue::executable(scenario.id, id).filter(|_| !is_other_version(context));
    let executable =
        executable.ok_or_else(|| ApiError::not_found(format!("Executable ID {id} not found")))?;
    Ok(Answer::json(
        StatusCode::OK,
        &executable_view(scenario, executable),
    ))
}

fn list_versions(context: &mut Context<'_>) -> Outcome {
    let scenario = scenario(context)?;
    let version = json!({
        "id": VERSION,
        "scenarioId": scenario.id,
        "description": scenario.description,
        "createdAt": CREATED_AT,
        "modifiedAt": CREATED_AT,
    });
    Ok(collection(vec![version]))
}

fn list_models(context: &mut Context<'_>) -> Outcome {
    Ok(collection(
        scenario(context)?.models.iter().map(model_view).collect(),
    ))
}

fn scenario(context: &Context<'_>) -> Result<&'static Scenario, ApiError> {
    let id = context.call.parameter("scenarioId");
    catalogue::scenario(id)
        .ok_or_else(|| ApiError::not_found(format!("Scenario ID {id} not found")))
}

fn is_other_version(context: &Context<'_>) -> bool {
    context
        .call
        .query
        .get("versionId")
        .is_some_and(|version| version != VERSION)
}

fn collection(resources: Vec<Value>) -> Answer {
    Answer::json(
        StatusCode::OK,
        &json!({"count": resources.len(), "resources": resources}),
    )
}

/// A scenario as the API shows it.
pub(super) fn view(scenario: &Scenario) -> Value {
    json!({
        "id": scenario.id,
        "name": scenario.name,
        "description": scenario.description,
        "labels": [],
        "createdAt": CREATED_AT,
        "modifiedAt": CREATED_AT,
    })
}

fn executable_view(scenario: &Scenario, executable: &Executable) -> Value {
    let artifact = |name: &&str| json!({"name": name, "kind": "model"});
    json!({
        "id": executable.id,
        "name": executable.name,
        "description": executable.description,
        "scenarioId": scenario.id,
        "versionId": VERSION,
        "deployable": true,
        "parameters": executable.parameters.iter().map(parameter_view).collect::<Vec<_>>(),
        "inputArtifacts": executable.input_artifacts.iter().map(artifact).collect::<Vec<_>>(),
        "outputArtifacts": [],
        "labels": [],
        "createdAt": CREATED_AT,
        "modifiedAt": CREATED_AT,
    })
}

fn parameter_view(parameter: &Parameter) -> Value {
    let mut view =
        json!({"name": parameter.name, "type": "string", "description": parameter.description});
    if let Some(default) = parameter.default {
        view["default"] = json!(default);
    }
    view
}

fn model_view(model: &Model) -> Value {
    let last = model.versions.len().saturating_sub(1);
    let version = |(index, name): (usize, &&str)| json!({"name": name, "isLatest": index == last, "deprecated": false});
    json!({
        "model": model.name,
        "executableId": model.executable_id,
        "description": "A generative model",
        "versions": model.versions.iter().enumerate().map(version).collect::<Vec<_>>(),
    })
}
