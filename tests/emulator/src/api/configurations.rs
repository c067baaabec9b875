//! `/lm/configurations`

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::MethodFilter;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::scenarios;
use super::view::seconds;
use crate::call::{Answer, Created, Operation};
use crate::catalogue;
use crate::configuration::{
    Configuration, InputArtifactBinding, OUTCOME_PARAMETER, ParameterBinding, parameter,
};
use crate::endpoint::{Context, Outcome, Run, endpoint};
use crate::errors::ApiError;
use crate::lifecycle;
use crate::query::Query;
use crate::world::Shared;

/// Longest name and binding key, in characters [OpenAPI document].
const MAXIMUM_NAME: usize = 256;
/// Longest parameter value, in characters [OpenAPI document].
const MAXIMUM_VALUE: usize = 5_000;
/// Most bindings of one kind [OpenAPI document].
const MAXIMUM_BINDINGS: usize = 1_000;
/// What a name may hold besides letters, digits, `_` and white space [OpenAPI document].
const NAME_PUNCTUATION: &str = r#".!?,;:[](){}<>"'=+*/\^&%@~$#|-"#;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/configurations",
            endpoint(
                MethodFilter::GET,
                Operation::ListConfigurations,
                Run::Group(list),
            )
            .merge(endpoint(
                MethodFilter::POST,
                Operation::CreateConfiguration,
                Run::Group(create),
            )),
        )
        .route(
            "/configurations/$count",
            endpoint(
                MethodFilter::GET,
                Operation::CountConfigurations,
                Run::Group(count),
            ),
        )
        .route(
            "/configurations/{configurationId}",
            endpoint(
                MethodFilter::GET,
                Operation::GetConfiguration,
                Run::Group(get),
            ),
        )
}

/// A configuration as a client sends it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewConfiguration {
    pub(crate) name: String,
    pub(crate) executable_id: String,
    pub(crate) scenario_id: String,
    #[serde(default)]
    pub(crate) parameter_bindings: Vec<ParameterBinding>,
    #[serde(default)]
    pub(crate) input_artifact_bindings: Vec<InputArtifactBinding>,
}

/// Checks a new configuration and gives it an id.
pub(crate) fn build(new: NewConfiguration, now: Timestamp) -> Result<Configuration, ApiError> {
    check(&new)?;
    if catalogue::executable(&new.scenario_id, &new.executable_id).is_none() {
        return Err(ApiError::bad_request(format!(
            "Could not create configuration, because executable {} for scenario {} is not found",
            new.executable_id, new.scenario_id
        )));
    }
    let outcome = lifecycle::Outcome::parse(parameter(&new.parameter_bindings, OUTCOME_PARAMETER));
    Ok(Configuration {
        id: Uuid::new_v4().to_string(),
        name: new.name,
        scenario_id: new.scenario_id,
        executable_id: new.executable_id,
        parameter_bindings: new.parameter_bindings,
        input_artifact_bindings: new.input_artifact_bindings,
        created_at: now,
        outcome: outcome.map_err(ApiError::bad_request)?,
    })
}

/// The limits of the OpenAPI document.
fn check(new: &NewConfiguration) -> Result<(), ApiError> {
    let is_allowed = |c: char| {
        c.is_ascii_alphanumeric() || c == '_' || c.is_whitespace() || NAME_PUNCTUATION.contains(c)
    };
    let parameters = new
        .parameter_bindings
        .iter()
        .map(|binding| (&binding.key, &binding.value));
    let artifacts = new
        .input_artifact_bindings
        .iter()
        .map(|binding| (&binding.key, &binding.artifact_id));
    let mut bindings = parameters.chain(artifacts);
    let problem = if new.name.is_empty()
        || new.name.chars().count() > MAXIMUM_NAME
        || !new.name.chars().all(is_allowed)
    {
        Some(
            "name must have 1 to 256 characters: letters, digits, white space and common punctuation",
        )
    } else if new
        .parameter_bindings
        .len()
        .max(new.input_artifact_bindings.len())
        > MAXIMUM_BINDINGS
    {
        Some("at most 1000 parameters and 1000 input artifacts can be bound")
    } else if bindings.any(|(key, value)| {
        key.chars().count() > MAXIMUM_NAME || value.chars().count() > MAXIMUM_VALUE
    }) {
        Some("a key has at most 256 characters and a value at most 5000")
    } else {
        None
    };
    problem.map_or(Ok(()), |problem| {
        Err(ApiError::bad_request(format!(
            "Invalid configuration: {problem}"
        )))
    })
}

fn create(context: &mut Context<'_>) -> Outcome {
    let (now, base_url) = (context.now, context.base_url);
    let configuration = build(context.call.json()?, now)?;
    let id = configuration.id.clone();
    context
        .group()?
        .configurations
        .insert(id.clone(), Arc::new(configuration));
    let mut answer = Answer::json(
        StatusCode::CREATED,
        &json!({"id": id, "message": "Configuration created"}),
    );
    answer.created = Some(Created {
        deployment_id: None,
        configuration_id: id.clone(),
    });
    Ok(answer.with_header(
        header::LOCATION,
        &format!("{base_url}/v2/lm/configurations/{id}"),
    ))
}

fn list(context: &mut Context<'_>) -> Outcome {
    let call = context.call;
    let filter = Filter::read(&call.query)?;
    let expand = expands_scenario(&call.query)?;
    let page = call.query.page(context.settings)?;
    let group = context.group()?;
    let matching = group
        .configurations
        .values()
        .filter(|configuration| filter.matches(configuration));
    let resources: Vec<Value> = page
        .of(matching)
        .into_iter()
        .map(|found| view(found, expand))
        .collect();
    Ok(Answer::json(
        StatusCode::OK,
        &json!({"count": resources.len(), "resources": resources}),
    ))
}

fn count(context: &mut Context<'_>) -> Outcome {
    let filter = Filter::read(&context.call.query)?;
    let group = context.group()?;
    let count = group
        .configurations
        .values()
        .filter(|configuration| filter.matches(configuration))
        .count();
    Ok(Answer::text(StatusCode::OK, count.to_string()))
}

fn get(context: &mut Context<'_>) -> Outcome {
    let id = context.call.parameter("configurationId");
    let expand = expands_scenario(&context.call.query)?;
    let configuration = context.group()?.configurations.get(id);
    let configuration = configuration
        .ok_or_else(|| ApiError::not_found(format!("Configuration ID {id} not found")))?;
    Ok(Answer::json(StatusCode::OK, &view(configuration, expand)))
}

fn expands_scenario(query: &Query) -> Result<bool, ApiError> {
    match query.get("$expand") {
        None => Ok(false),
        Some("scenario") => Ok(true),
        Some(other) => Err(ApiError::bad_request(format!(
            "$expand is {other:?}, but must be scenario"
        ))),
    }
}

fn view(configuration: &Configuration, expand: bool) -> Value {
    let mut view = json!({
        "id": configuration.id,
        "name": configuration.name,
        "scenarioId": configuration.scenario_id,
        "executableId": configuration.executable_id,
        "parameterBindings": configuration.parameter_bindings,
        "inputArtifactBindings": configuration.input_artifact_bindings,
        "createdAt": seconds(configuration.created_at),
    });
    if let Some(scenario) = catalogue::scenario(&configuration.scenario_id).filter(|_| expand) {
        view["scenario"] = scenarios::view(scenario);
    }
    view
}

/// The filters of a list and a count.
struct Filter<'a> {
    scenario_id: Option<&'a str>,
    executable_ids: Option<Vec<&'a str>>,
    search: Option<String>,
    ignore_case: bool,
}

impl<'a> Filter<'a> {
    fn read(query: &'a Query) -> Result<Self, ApiError> {
        let search = query.get("$search");
        if search
            .is_some_and(|text| text.contains('~') || !(1..=80).contains(&text.chars().count()))
        {
            return Err(ApiError::bad_request(
                "$search takes 1 to 80 characters without ~",
            ));
        }
        let ignore_case = query.flag("searchCaseInsensitive")?;
        Ok(Self {
            scenario_id: query.get("scenarioId"),
            executable_ids: query.list("executableIds"),
            search: search.map(|text| {
                if ignore_case {
                    text.to_lowercase()
                } else {
                    text.to_owned()
                }
            }),
            ignore_case,
        })
    }

    fn matches(&self, configuration: &Configuration) -> bool {
        let name_contains = |text: &String| {
            if self.ignore_case {
                configuration.name.to_lowercase().contains(text)
            } else {
                configuration.name.contains(text)
            }
        };
        self.scenario_id
            .is_none_or(|id| id == configuration.scenario_id)
            && self
                .executable_ids
                .as_ref()
                .is_none_or(|ids| ids.contains(&configuration.executable_id.as_str()))
            && self.search.as_ref().is_none_or(name_contains)
    }
}
