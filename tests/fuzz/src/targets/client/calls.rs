//! The calls of the client.

use aicore_operator::aicore::{Client, ConfigurationFilter, Error, NewConfiguration, Verb};

const GROUP: &str = "team-a";
const ID: &str = "d1234567890abcde";

/// What a call has given.
#[derive(Default)]
pub struct Outcome {
    /// Its error, or those of its parts.
    pub errors: Vec<Error>,
    /// The ids of a list that claims to hold everything.
    pub whole_list: Option<Vec<String>>,
    /// Whether it reads the bodies of all answers.
    pub needs_bodies: bool,
}

/// Makes the call of this name, or the one that most others depend on.
pub async fn make(client: &Client, name: &str) -> Outcome {
    let filter = ConfigurationFilter {
        scenario_id: Some("foundation-models"),
        executable_id: None,
    };
    match name {
        "check_token" => read(client.check_token().await),
        "get_deployment" => read(client.get_deployment(GROUP, ID).await),
        "create_deployment" => read(client.create_deployment(GROUP, "c1", Some("24h")).await),
        "stop_deployment" => accepted(client.stop_deployment(GROUP, ID).await),
        "delete_deployment" => accepted(client.delete_deployment(GROUP, ID).await),
        "change_deployments" => {
            let changed = client
                .change_deployments(GROUP, Verb::Stop, &[ID, "d2"], "request-1")
                .await;
            parts(changed)
        }
        "find_configurations" => {
            let found = client.find_configurations(GROUP, &filter).await;
            whole(found.map(|found| found.into_iter().map(|one| one.id).collect()))
        }
        "get_configuration" => read(client.get_configuration(GROUP, "c1").await),
        "configuration_content" => read(client.configuration_content(GROUP, "c1").await),
        "create_configuration" => read(client.create_configuration(GROUP, &new()).await),
        "list_resource_groups" => {
            let groups = client.list_resource_groups().await;
            whole(groups.map(|groups| groups.into_iter().map(|one| one.id).collect()))
        }
        "get_resource_group" => read(client.get_resource_group(GROUP).await),
        "meta" => read(client.meta().await),
        "list_models" => read(client.list_models(GROUP, "foundation-models").await),
        "list_scenarios" => read(client.list_scenarios(GROUP).await),
        "list_executables" => read(client.list_executables(GROUP, "foundation-models").await),
        "get_executable" => read(client.get_executable(GROUP, "s", "e").await),
        "has_artifact" => read(client.has_artifact(GROUP, "a").await),
        "last_log_lines" => read(client.last_log_lines(GROUP, ID, 10, None).await),
        _ => {
            let list = client.list_deployments(GROUP).await;
            whole(list.map(|list| list.deployments.into_iter().map(|one| one.id).collect()))
        }
    }
}

fn new() -> NewConfiguration {
    NewConfiguration {
        name: "churn".to_owned(),
        executable_id: "e".to_owned(),
        scenario_id: "s".to_owned(),
        parameter_bindings: Vec::new(),
        input_artifact_bindings: Vec::new(),
    }
}

/// A call that reads an answer.
fn read<T>(outcome: Result<T, Error>) -> Outcome {
    Outcome {
        errors: outcome.err().into_iter().collect(),
        needs_bodies: true,
        ..Outcome::default()
    }
}

/// A call whose acceptance is all that matters.
fn accepted(outcome: Result<(), Error>) -> Outcome {
    Outcome {
        needs_bodies: false,
        ..read(outcome)
    }
}

/// A call whose answer has parts.
fn parts(outcome: Result<Vec<Result<(), Error>>, Error>) -> Outcome {
    match outcome {
        Ok(parts) => Outcome {
            errors: parts.into_iter().filter_map(Result::err).collect(),
            needs_bodies: true,
            ..Outcome::default()
        },
        Err(error) => read::<()>(Err(error)),
    }
}

/// A call that reads a list to its end.
fn whole(outcome: Result<Vec<String>, Error>) -> Outcome {
    match outcome {
        Ok(ids) => Outcome {
            whole_list: Some(ids),
            ..read(Ok(()))
        },
        Err(error) => read::<()>(Err(error)),
    }
}
