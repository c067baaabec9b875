//! Why a run did not get to its end.

use std::time::Duration;

use crate::aicore::Error;

/// Why a run did not get to its end.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The group holds deployments.
    #[error(
        "the resource group {group} holds {deployments} deployments; name an empty one, or allow this run beside them with --beside-others"
    )]
    NoSandbox {
        /// The group.
        group: String,
        /// How many it holds.
        deployments: usize,
    },
    /// Somebody wants it to end.
    #[error("it was interrupted")]
    Interrupted,
    /// A call that everything else depends on has failed.
    #[error("{what}: {source}")]
    Failed {
        /// What did not work.
        what: &'static str,
        /// Why.
        source: Error,
    },
    /// AI Core has refused what everything else depends on.
    #[error(
        "AI Core refuses to {what} the deployment ({said}); correct what it names, or see in the report whether the operator can work here"
    )]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// What it said.
        said: String,
    },
    /// The answer to the creation was lost, and no deployment has appeared.
    #[error("no answer came to the creation of the deployment ({why}), and in {} s no deployment has appeared", waited.as_secs())]
    Vanished {
        /// Why there was no answer.
        why: String,
        /// How long it was looked for.
        waited: Duration,
    },
    /// The answer to the creation was lost, and several deployments may be its result.
    #[error("no answer came to the creation of the deployment ({why}), and it cannot be told which of these it has made: {}", candidates.join(", "))]
    CannotTell {
        /// Why there was no answer.
        why: String,
        /// The ids.
        candidates: Vec<String>,
    },
    /// Nothing has changed for too long.
    #[error("the deployment was {state} for more than {} s; if that is normal here, raise --wait-seconds", waited.as_secs())]
    Stuck {
        /// The state.
        state: String,
        /// How long it was waited.
        waited: Duration,
    },
    /// It ended without having run.
    #[error(
        "the deployment became {state} and never ran; check that its configuration can be deployed"
    )]
    NeverRan {
        /// The state.
        state: String,
    },
}
