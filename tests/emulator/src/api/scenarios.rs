//! `/lm/scenarios`: scenarios, executables, versions and models.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::MethodFilter;
use serde_json::{Value, json};

use crate::call::{Answer, Operation};
use crate::catalogue::{
    self, CREATED_AT, Executable, Model, Parameter, SCENARIOS, Scenario, VERSION,
};
use crate::configuration::OUTCOME_PARAMETER;
use crate::endpoint::{Context, Outcome, Run, endpoint};
use crate::errors::ApiError;
use crate::offers::{OfferedExecutable, OfferedModel};
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
            read(Operation::ListModels, list_models),
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
    Ok(collection(executables(context, scenario)))
}

fn get_executable(context: &mut Context<'_>) -> Outcome {
    let scenario = scenario(context)?;
    let id = context.call.parameter("executableId");
    let executable = executables(context, scenario)
        .into_iter()
        .find(|executable| executable["id"] == id);
    let executable =
        executable.ok_or_else(|| ApiError::not_found(format!("Executable ID {id} not found")))?;
    Ok(Answer::json(StatusCode::OK, &executable))
}

/// The executables of a scenario as the API shows them, with those of the settings.
fn executables(context: &Context<'_>, scenario: &Scenario) -> Vec<Value> {
    if is_other_version(context) {
        return Vec::new();
    }
    let offered = context.settings.executables.iter();
    let offered: Vec<_> = offered
        .filter(|executable| executable.scenario_id == scenario.id)
        .collect();
    let own = scenario.executables.iter();
    let own = own.filter(|own| offered.iter().all(|executable| executable.id != own.id));
    own.map(|executable| executable_view(scenario, executable))
        .chain(offered.iter().map(|executable| offered_view(executable)))
        .collect()
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
    let scenario = scenario(context)?;
    let offered = context.settings.models.iter();
    let offered: Vec<_> = offered
        .filter(|model| model.scenario_id == scenario.id)
        .collect();
    let own = scenario.models.iter();
    let own = own.filter(|own| offered.iter().all(|model| model.model != own.name));
    let models = own
        .map(model_view)
        .chain(offered.iter().map(|model| offered_model_view(model)));
    Ok(collection(models.collect()))
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
    let outcome = Parameter {
        name: OUTCOME_PARAMETER,
        default: Some("RUNNING"),
        description: "How a deployment ends up",
    };
    let parameters = executable.parameters.iter().chain([&outcome]);
    json!({
        "id": executable.id,
        "name": executable.name,
        "description": executable.description,
        "scenarioId": scenario.id,
        "versionId": VERSION,
        "deployable": true,
        "parameters": parameters.map(parameter_view).collect::<Vec<_>>(),
        "inputArtifacts": executable.input_artifacts.iter().map(artifact_view).collect::<Vec<_>>(),
        "outputArtifacts": [],
        "labels": [],
        "createdAt": CREATED_AT,
        "modifiedAt": CREATED_AT,
    })
}

fn offered_view(executable: &OfferedExecutable) -> Value {
    let artifacts = executable.input_artifacts.as_ref();
    json!({
        "id": executable.id,
        "name": executable.id,
        "scenarioId": executable.scenario_id,
        "versionId": VERSION,
        "deployable": executable.deployable,
        "parameters": executable.parameters,
        "inputArtifacts": artifacts.map(|names| names.iter().map(artifact_view).collect::<Vec<_>>()),
        "createdAt": CREATED_AT,
        "modifiedAt": CREATED_AT,
    })
}

fn artifact_view(name: impl AsRef<str>) -> Value {
    json!({"name": name.as_ref(), "kind": "model"})
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

fn offered_model_view(model: &OfferedModel) -> Value {
    json!({
        "model": model.model,
        "executableId": model.executable_id,
        "description": "A generative model",
        "versions": model.versions,
    })
}
