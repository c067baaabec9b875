//! Why an effect did not happen, and how long to leave it.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::aicore::Error;
use crate::api::Reason;
use crate::controller::finalizers;
use crate::controller::observe::access::Access;
use crate::controller::problem::{Failure, Problem};

/// The shortest and the longest pause after failures.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// Why an effect did not happen.
#[derive(Debug)]
pub(crate) enum Obstacle {
    /// The Kubernetes API refused or failed; a stale view is one of the reasons.
    Kubernetes(kube::Error),
    /// It is too early, and nothing was sent: something else has to end first.
    Early(Duration),
    /// AI Core answers that it does not know the deployment that it has listed: it may have gone just now, or be too young.
    Unknown,
    /// AI Core refused or failed.
    Remote {
        /// What to tell.
        failure: Failure,
        /// How long AI Core asks to be left alone.
        retry_after: Option<Duration>,
    },
}

impl From<kube::Error> for Obstacle {
    fn from(error: kube::Error) -> Self {
        Self::Kubernetes(error)
    }
}

impl Obstacle {
    /// Whether the Kubernetes API has refused a write, so that it has certainly not been made.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Kubernetes(error) if finalizers::is_stale(error))
    }

    /// The same, with one more sentence for the person who must act.
    pub(crate) fn with_advice(mut self, advice: &str) -> Self {
        if let Self::Remote { failure, .. } = &mut self {
            failure.problem.message.push_str(advice);
        }
        self
    }

    /// An answer of AI Core's to a call that changes something. That this process does not lead is no failure of the object.
    pub(crate) fn remote(
        access: &Access,
        error: &Error,
        reason: Option<Reason>,
        stalled: bool,
    ) -> Self {
        if matches!(error, Error::NotLeading(_)) {
            return Self::Early(PAUSES.0);
        }
        let told = access.problem(error);
        let problem = Problem {
            reason: reason.unwrap_or(told.reason),
            ..told
        };
        Self::Remote {
            failure: Failure { problem, stalled },
            retry_after: error.retry_after(),
        }
    }
}

/// The pause after so many failures in a row.
pub(crate) fn backoff(failures: u32) -> Duration {
    let (shortest, longest) = PAUSES;
    let pauses = ExponentialBuilder::default()
        .with_min_delay(shortest)
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times();
    pauses
        .build()
        .nth(failures.saturating_sub(1).min(16) as usize)
        .unwrap_or(longest)
}
