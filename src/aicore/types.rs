//! What AI Core manages, as far as the operator reads it. Texts are kept as the server sent them.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::resources::Resources;

/// Makes an enum of the words that the contract lists, open to words that it does not list.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that the contract does not list, exactly as sent; empty when none was sent.
            Other(String),
        }

        impl $name {
            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            /// Takes a word in upper or lower case. A word of the contract is shown as the contract writes it, any other as it was sent.
            fn from(word: &str) -> Self {
                $(if word.eq_ignore_ascii_case($word) {
                    return Self::$variant;
                })*
                Self::Other(word.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

open_enum! {
    /// What state a deployment is in (`status` of `AiDeployment`).
    Status {
        /// The normal first state, until the runtime has taken the deployment over.
        Unknown = "UNKNOWN",
        /// It waits for resources or starts.
        Pending = "PENDING",
        /// It serves.
        Running = "RUNNING",
        /// It is being stopped.
        Stopping = "STOPPING",
        /// It is stopped for good: nothing starts it again.
        Stopped = "STOPPED",
        /// It failed. The service removes it by itself after 7 days.
        Dead = "DEAD",
        /// It ended by itself. Listed by the contract, not seen for deployments.
        Completed = "COMPLETED",
        /// It is being deleted. Of the runtime layer; the deployment endpoints report a deletion by [`TargetStatus::Deleted`].
        Deleting = "DELETING",
    }
}

open_enum! {
    /// Where a deployment is meant to get (`targetStatus` of `AiDeployment`).
    TargetStatus {
        /// It shall run.
        Running = "RUNNING",
        /// A stop was accepted.
        Stopped = "STOPPED",
        /// A deletion was accepted.
        Deleted = "DELETED",
    }
}

open_enum! {
    /// How far a resource group is (`status` of `BckndResourceGroup`).
    GroupStatus {
        /// It is being set up.
        Provisioning = "PROVISIONING",
        /// It can be used.
        Provisioned = "PROVISIONED",
        /// It could not be set up.
        Error = "ERROR",
    }
}

/// A deployment as AI Core reports it. What is missing, null or empty on the wire is `None`.
///
/// `modifiedAt` is left out on purpose: it changes between two lists of a deployment that nobody touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The id that the server gave it.
    pub id: String,
    /// The configuration it was made from, or was last changed to; empty when the server does not say.
    pub configuration_id: String,
    /// The name of that configuration.
    pub configuration_name: Option<String>,
    /// The scenario of that configuration.
    pub scenario_id: Option<String>,
    /// The executable of that configuration.
    pub executable_id: Option<String>,
    /// The state it is in; [`Status::Other`] with an empty word when the server does not say.
    pub status: Status,
    /// What the server adds to the state.
    pub status_message: Option<String>,
    /// Where it is meant to get.
    pub target_status: Option<TargetStatus>,
    /// Where it serves, once that is known.
    pub deployment_url: Option<String>,
    /// The last configuration that is known to have run.
    pub latest_running_configuration_id: Option<String>,
    /// CREATE, UPDATE, DELETE, CASCADE-UPDATE, or another word.
    pub last_operation: Option<String>,
    /// How long it lives, as sent at creation, for instance `24h`.
    pub ttl: Option<String>,
    /// When it was created (RFC 3339).
    pub created_at: Option<String>,
    /// When it was handed to the runtime (RFC 3339).
    pub submission_time: Option<String>,
    /// When it began to run (RFC 3339).
    pub start_time: Option<String>,
    /// When it stopped, died or completed (RFC 3339).
    pub completion_time: Option<String>,
    /// What it runs on, while it runs.
    pub resources: Option<Resources>,
}

/// Every deployment of one resource group at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentList {
    /// The deployments, in the order of the answer.
    pub deployments: Vec<Deployment>,
    /// The server's clock when it answered (`Date` header).
    pub date: Option<Timestamp>,
}

/// A value for a parameter of an executable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ParameterBinding {
    /// The parameter's name, at most 256 characters.
    pub key: String,
    /// Its value, at most 5,000 characters.
    pub value: String,
}

/// An artifact for an input of an executable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactBinding {
    /// The input's name, at most 256 characters.
    pub key: String,
    /// The artifact's id.
    pub artifact_id: String,
}

/// A configuration: an executable with values for its parameters and inputs. It cannot be changed or deleted.
///
/// What it binds is left out: the operator recognises its own configurations by their names, which hold a hash of their content. See
/// [`ConfigurationContent`](super::ConfigurationContent) for the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The id that the server gave it.
    pub id: String,
    /// Its name, which need not be unique; empty when the server does not say.
    pub name: String,
    /// The scenario of the executable.
    pub scenario_id: Option<String>,
    /// The executable.
    pub executable_id: Option<String>,
    /// When it was created (RFC 3339).
    pub created_at: Option<String>,
}

/// Which configurations to look for (query of `GET /lm/configurations`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigurationFilter<'a> {
    /// The scenario (`scenarioId`), or any.
    pub scenario_id: Option<&'a str>,
    /// The executable (`executableIds`, which takes several), or any.
    pub executable_id: Option<&'a str>,
}

/// A configuration to create (`AiConfigurationBaseData`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewConfiguration {
    /// Its name, at most 256 characters.
    pub name: String,
    /// The executable.
    pub executable_id: String,
    /// The scenario of the executable.
    pub scenario_id: String,
    /// Values of parameters, at most 1,000.
    pub parameter_bindings: Vec<ParameterBinding>,
    /// Artifacts of inputs, at most 1,000.
    pub input_artifact_bindings: Vec<ArtifactBinding>,
}

/// A resource group, in which deployments and configurations live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceGroup {
    /// Its id, which is also its name.
    pub id: String,
    /// How far it is.
    pub status: Option<GroupStatus>,
    /// What the server adds to the status.
    pub status_message: Option<String>,
}

/// What the server says it can do (`/lm/meta`). What it does not mention, it cannot do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// The name of the runtime, `aicore`.
    pub runtime_identifier: Option<String>,
    /// The version of the runtime's API.
    pub runtime_api_version: Option<String>,
    /// The version of the AI API.
    pub ai_api_version: Option<String>,
    /// Whether many deployments can be stopped or deleted with one PATCH (`aiApi.capabilities.bulkUpdates.deployments`).
    pub bulk_updates: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_the_contract_keeps_its_word() {
        for word in [
            "UNKNOWN",
            "PENDING",
            "RUNNING",
            "STOPPING",
            "STOPPED",
            "DEAD",
            "COMPLETED",
            "DELETING",
        ] {
            let status = Status::from(word);
            assert!(!matches!(status, Status::Other(_)), "{word}");
            assert_eq!(status.to_string(), word);
        }
    }

    #[test]
    fn the_case_of_a_word_does_not_matter() {
        assert_eq!(Status::from("Running"), Status::Running);
        assert_eq!(TargetStatus::from("deleted"), TargetStatus::Deleted);
        assert_eq!(Status::from("stopped").to_string(), "STOPPED");
    }

    #[test]
    fn an_unknown_word_is_kept_exactly_as_sent() {
        for word in ["Suspended", "SUSPENDED", ""] {
            assert_eq!(Status::from(word), Status::Other(word.to_owned()));
            assert_eq!(TargetStatus::from(word).to_string(), word);
        }
    }
}
