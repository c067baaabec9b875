//! The state machine of a deployment: what comes next and when, and what a caller may ask for.
//!
//! Pure: a function of the deployment, the settings and the time. The rules are those of the AI Core documentation
//! (pages "Deployments", "Stop/Delete behavior" and "Inferencing").

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::{later, later_ms};
use crate::deployment::Deployment;
use crate::settings::Settings;

/// AI Core removes a deployment that has been DEAD for seven days.
const DEAD_IS_REMOVED_AFTER: Duration = Duration::from_secs(7 * 86_400);

/// `status` of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum Status {
    Unknown,
    Pending,
    Running,
    Stopping,
    Stopped,
    Dead,
    Completed,
    /// One that the API does not have, forced by a test.
    Other(String),
}

/// `targetStatus` of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum TargetStatus {
    Running,
    Stopped,
    Deleted,
    /// One that the API does not have, forced by a test.
    Other(String),
}

/// What becomes of a deployment: its configuration says so in the parameter `emulator.outcome`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    #[default]
    Running,
    Dead,
    StuckPending,
    StuckUnknown,
}

/// One move of the state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The status becomes another one.
    Enter(Status),
    /// The time to live ended: the service stops the deployment.
    ExpireByStop,
    /// The time to live ended: the service deletes the deployment.
    ExpireByDelete,
    /// The deployment is no more.
    Vanish,
}

/// The next move of a deployment and when it is due; nothing for one that waits for a caller.
pub(crate) fn next(deployment: &Deployment, settings: &Settings) -> Option<(Timestamp, Step)> {
    if deployment.frozen {
        return None;
    }
    [own_step(deployment, settings), expiry(deployment, settings)]
        .into_iter()
        .flatten()
        .min_by_key(|(due, _)| *due)
}

fn own_step(deployment: &Deployment, settings: &Settings) -> Option<(Timestamp, Step)> {
    use Status::{Dead, Pending, Running, Stopped, Stopping, Unknown};
    let after =
        |milliseconds: u64, step| Some((later_ms(deployment.phase_since, milliseconds), step));
    let old_status_after_stop = if settings.stopping_at_once {
        0
    } else {
        settings.stopping_ms / 10
    };
    match (&deployment.status, &deployment.target_status) {
        (_, TargetStatus::Deleted) => after(settings.deleting_ms, Step::Vanish),
        (Unknown, TargetStatus::Running) if deployment.outcome() != Outcome::StuckUnknown => {
            after(settings.unknown_ms, Step::Enter(Pending))
        }
        (Pending, TargetStatus::Running) => {
            let starting = if deployment.updating {
                settings.running_update_ms
            } else {
                settings.pending_ms
            };
            match deployment.outcome() {
                Outcome::Dead => after(starting, Step::Enter(Dead)),
                Outcome::StuckPending => None,
                Outcome::Running | Outcome::StuckUnknown => after(starting, Step::Enter(Running)),
            }
        }
        (Unknown | Pending | Running, TargetStatus::Stopped) => {
            after(old_status_after_stop, Step::Enter(Stopping))
        }
        (Stopping, _) => after(
            settings.stopping_ms - old_status_after_stop,
            Step::Enter(Stopped),
        ),
        (Dead, _) => Some((
            later(
                deployment.phase_since,
                virtual_time(DEAD_IS_REMOVED_AFTER, settings),
            ),
            Step::Vanish,
        )),
        _ => None,
    }
}

/// At the end of its time to live a deployment is stopped if it is active, and then deleted.
fn expiry(deployment: &Deployment, settings: &Settings) -> Option<(Timestamp, Step)> {
    use Status::{Completed, Dead, Pending, Running, Stopped, Unknown};
    let ttl = deployment.ttl.as_ref()?;
    let step = match (&deployment.status, &deployment.target_status) {
        (_, TargetStatus::Deleted) => return None,
        (Pending | Running, TargetStatus::Running) => Step::ExpireByStop,
        (Unknown | Stopped | Dead | Completed, _) => Step::ExpireByDelete,
        _ => return None,
    };
    let due = later(
        deployment.created_at,
        virtual_time(ttl.duration(), settings),
    );
    Some((due.max(deployment.phase_since), step))
}

/// The real time that a span of virtual time takes.
pub(crate) fn virtual_time(span: Duration, settings: &Settings) -> Duration {
    Duration::try_from_secs_f64(span.as_secs_f64() / settings.ttl_scale).unwrap_or(Duration::MAX)
}

/// Why a call is refused: the status that forbids it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) Status);

/// May this deployment be stopped? Only PENDING and RUNNING ones; a second stop is as good as the first until the
/// status says STOPPING.
pub(crate) fn may_stop(deployment: &Deployment, settings: &Settings) -> Result<(), Refused> {
    let active = match deployment.status {
        Status::Pending | Status::Running => true,
        Status::Unknown => settings.stop_unknown,
        _ => false,
    };
    match deployment.target_status {
        TargetStatus::Running | TargetStatus::Stopped if active => Ok(()),
        _ => Err(Refused(deployment.status.clone())),
    }
}

/// May this deployment be deleted? Only UNKNOWN, STOPPED, DEAD and COMPLETED ones. Asking again while the deletion is
/// under way does no harm: SAP's Python SDK sends a DELETE again when the answer was an error.
pub(crate) fn may_delete(deployment: &Deployment, settings: &Settings) -> Result<(), Refused> {
    let again = deployment.target_status == TargetStatus::Deleted;
    match deployment.status {
        _ if again && !settings.delete_again => Err(Refused(deployment.status.clone())),
        Status::Unknown | Status::Stopped | Status::Dead | Status::Completed => Ok(()),
        _ if again || settings.delete_active => Ok(()),
        _ => Err(Refused(deployment.status.clone())),
    }
}

/// May this deployment get another configuration? Only PENDING, RUNNING and DEAD ones that are meant to run.
pub(crate) fn may_change_configuration(deployment: &Deployment) -> Result<(), Refused> {
    match deployment.status {
        Status::Pending | Status::Running | Status::Dead
            if deployment.target_status == TargetStatus::Running =>
        {
            Ok(())
        }
        _ => Err(Refused(deployment.status.clone())),
    }
}

// === impl Status ===

impl Status {
    /// The text on the wire.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Dead => "DEAD",
            Self::Completed => "COMPLETED",
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl From<String> for Status {
    fn from(text: String) -> Self {
        match text.as_str() {
            "UNKNOWN" => Self::Unknown,
            "PENDING" => Self::Pending,
            "RUNNING" => Self::Running,
            "STOPPING" => Self::Stopping,
            "STOPPED" => Self::Stopped,
            "DEAD" => Self::Dead,
            "COMPLETED" => Self::Completed,
            _ => Self::Other(text),
        }
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.as_str().to_owned()
    }
}

// === impl TargetStatus ===

impl TargetStatus {
    /// The text on the wire.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Running => "RUNNING",
            Self::Stopped => "STOPPED",
            Self::Deleted => "DELETED",
            Self::Other(text) => text,
        }
    }
}

impl From<String> for TargetStatus {
    fn from(text: String) -> Self {
        match text.as_str() {
            "RUNNING" => Self::Running,
            "STOPPED" => Self::Stopped,
            "DELETED" => Self::Deleted,
            _ => Self::Other(text),
        }
    }
}

impl From<TargetStatus> for String {
    fn from(status: TargetStatus) -> Self {
        status.as_str().to_owned()
    }
}

// === impl Outcome ===

impl Outcome {
    /// Reads the parameter `emulator.outcome`. The error is a sentence for the API's answer.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, String> {
        match text {
            None | Some("RUNNING") => Ok(Self::Running),
            Some("DEAD") => Ok(Self::Dead),
            Some("STUCK_PENDING") => Ok(Self::StuckPending),
            Some("STUCK_UNKNOWN") => Ok(Self::StuckUnknown),
            Some(other) => Err(format!(
                "emulator.outcome is {other:?}, but must be RUNNING, DEAD, STUCK_PENDING or STUCK_UNKNOWN"
            )),
        }
    }
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
