//! What can be deployed: the same scenarios and executables for every tenant.

use crate::configuration::Configuration;

/// Version that every executable has.
pub(crate) const VERSION: &str = "0.0.1";
/// When all of this was made, in the form that scenarios and executables show.
pub(crate) const CREATED_AT: &str = "2024-01-01T00:00:00+00:00";

/// A scenario and its executables.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) executables: &'static [Executable],
    pub(crate) models: &'static [Model],
}

/// Something that can be deployed.
#[derive(Debug)]
pub(crate) struct Executable {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) parameters: &'static [Parameter],
    pub(crate) input_artifacts: &'static [&'static str],
}

/// A parameter of an executable; one without default must be bound.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) default: Option<&'static str>,
    pub(crate) description: &'static str,
}

/// A generative model of a scenario.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) executable_id: &'static str,
    pub(crate) versions: &'static [&'static str],
}

const CHURN_PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "resourcePlan",
        default: Some("starter"),
        description: "Size of the machine",
    },
    Parameter {
        name: "minReplicas",
        default: Some("1"),
        description: "Fewest replicas",
    },
    Parameter {
        name: "imageTag",
        default: Some("latest"),
        description: "Version of the server's image",
    },
    Parameter {
        name: "modelName",
        default: Some("churn"),
        description: "Name under which the server offers its model",
    },
];

/// An artifact that every resource group has.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) scenario_id: &'static str,
}

/// All artifacts.
pub(crate) const ARTIFACTS: &[Artifact] = &[Artifact {
    id: "8a2d5a37-54a3-4a5e-8a8c-0d8b0e0f6a52",
    name: "churn-model",
    scenario_id: "churn",
}];

/// All scenarios.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "foundation-models",
        name: "foundation-models",
        description: "Generative models of several providers",
        executables: &[Executable {
            id: "azure-openai",
            name: "azure-openai",
            description: "Models hosted by Azure OpenAI",
            parameters: &[
                Parameter {
                    name: "modelName",
                    default: None,
                    description: "Name of the model",
                },
                Parameter {
                    name: "modelVersion",
                    default: Some("latest"),
                    description: "Version of the model",
                },
            ],
            input_artifacts: &[],
        }],
        models: &[
            Model {
                name: "gpt-4o",
                executable_id: "azure-openai",
                versions: &["2024-08-06", "2024-11-20"],
            },
            Model {
                name: "gpt-4o-mini",
                executable_id: "azure-openai",
                versions: &["2024-07-18"],
            },
        ],
    },
    Scenario {
        id: "orchestration",
        name: "orchestration",
        description: "Templates, filters and grounding around generative models",
        executables: &[Executable {
            id: "orchestration",
            name: "orchestration",
            description: "The orchestration service",
            parameters: &[],
            input_artifacts: &[],
        }],
        models: &[],
    },
    Scenario {
        id: "churn",
        name: "Churn prediction",
        description: "A model of one's own",
        executables: &[
            Executable {
                id: "churn-server",
                name: "churn-server",
                description: "Serves the model that its image holds",
                parameters: CHURN_PARAMETERS,
                input_artifacts: &[],
            },
            Executable {
                id: "churn-server-gpu",
                name: "churn-server-gpu",
                description: "Serves the model that its image holds on a graphics processor",
                parameters: CHURN_PARAMETERS,
                input_artifacts: &[],
            },
            Executable {
                id: "churn-scorer",
                name: "churn-scorer",
                description: "Serves a model from the object store",
                parameters: CHURN_PARAMETERS,
                input_artifacts: &["model"],
            },
        ],
        models: &[],
    },
];

/// A scenario by its id.
pub(crate) fn scenario(id: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.id == id)
}

/// An executable by the ids of its scenario and its own.
pub(crate) fn executable(scenario_id: &str, id: &str) -> Option<&'static Executable> {
    scenario(scenario_id)?
        .executables
        .iter()
        .find(|executable| executable.id == id)
}

/// The parameters without default that a configuration leaves open. Artifacts are not looked at: there is no object
/// store behind the emulator.
pub(crate) fn missing_parameters(configuration: &Configuration) -> Vec<&'static str> {
    let executable = executable(&configuration.scenario_id, &configuration.executable_id);
    let parameters = executable
        .map(|executable| executable.parameters)
        .unwrap_or_default();
    let is_open = |parameter: &&Parameter| {
        parameter.default.is_none()
            && configuration
                .parameter(parameter.name)
                .is_none_or(str::is_empty)
    };
    parameters
        .iter()
        .filter(is_open)
        .map(|parameter| parameter.name)
        .collect()
}
