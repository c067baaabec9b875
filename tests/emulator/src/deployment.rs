//! One deployment as the emulator remembers it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::audit::State;
use crate::clock::later_ms;
use crate::configuration::Configuration;
use crate::lifecycle::{Outcome, Status, Step, TargetStatus};
use crate::settings::{OperationAfterStop, Settings};
use crate::time_to_live::TimeToLive;

/// `lastOperation` of a deployment. There is no value for a stop: the field ties UPDATE to PATCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastOperation {
    Create,
    Update,
    Delete,
}

/// A deployment with everything that the API shows of it, and the beginning of its present phase.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) latest_running_configuration_id: Option<String>,
    pub(crate) status: Status,
    pub(crate) target_status: TargetStatus,
    pub(crate) status_message: Option<String>,
    pub(crate) last_operation: LastOperation,
    pub(crate) ttl: Option<TimeToLive>,
    /// Where the model answers. Callers see it from the first start on, see [`Deployment::url`].
    pub(crate) inference_url: String,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
    pub(crate) submission_time: Option<Timestamp>,
    pub(crate) start_time: Option<Timestamp>,
    pub(crate) completion_time: Option<Timestamp>,
    /// When the status, or what is asked of it, last changed: the next transition is counted from here.
    pub(crate) phase_since: Timestamp,
    /// PENDING because of a new configuration, not because it is new.
    pub(crate) updating: bool,
    /// It came by a call: other calls see it only after `freshNotFoundMs`.
    pub(crate) fresh: bool,
    /// No transitions: a test holds it still.
    pub(crate) frozen: bool,
}

impl Deployment {
    /// A deployment that was just accepted.
    pub(crate) fn new(
        id: String,
        configuration: Arc<Configuration>,
        ttl: Option<TimeToLive>,
        base_url: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            inference_url: format!("{base_url}/v2/inference/deployments/{id}"),
            id,
            configuration,
            latest_running_configuration_id: None,
            status: Status::Unknown,
            target_status: TargetStatus::Running,
            status_message: None,
            last_operation: LastOperation::Create,
            ttl,
            created_at: now,
            modified_at: now,
            submission_time: None,
            start_time: None,
            completion_time: None,
            phase_since: now,
            updating: false,
            fresh: false,
            frozen: false,
        }
    }

    /// How this deployment is meant to end up.
    pub(crate) fn outcome(&self) -> Outcome {
        self.configuration.outcome
    }

    /// `deploymentUrl`: empty until the deployment first runs.
    pub(crate) fn url(&self) -> &str {
        if self.start_time.is_some() {
            &self.inference_url
        } else {
            ""
        }
    }

    /// Whether calls find it: AI Core may answer 404 for a while after the creation.
    pub(crate) fn is_visible(&self, at: Timestamp, settings: &Settings) -> bool {
        !self.fresh || later_ms(self.created_at, settings.fresh_not_found_ms) <= at
    }

    /// What the audit log keeps of it.
    pub(crate) fn state(&self) -> State {
        State {
            status: self.status.as_str().to_owned(),
            target_status: self.target_status.as_str().to_owned(),
        }
    }

    /// A stop was accepted.
    pub(crate) fn stop(&mut self, now: Timestamp, settings: &Settings) {
        if self.target_status != TargetStatus::Stopped {
            self.target_status = TargetStatus::Stopped;
            self.begin_phase(now);
        }
        if settings.operation_after_stop == OperationAfterStop::Update {
            self.last_operation = LastOperation::Update;
        }
        self.modified_at = now;
    }

    /// A deletion was accepted. The status stays as it is until the deployment is gone.
    pub(crate) fn delete(&mut self, now: Timestamp) {
        if self.target_status != TargetStatus::Deleted {
            self.target_status = TargetStatus::Deleted;
            self.begin_phase(now);
        }
        self.last_operation = LastOperation::Delete;
    }

    /// A change of configuration was accepted. Id and URL stay.
    pub(crate) fn change_configuration(
        &mut self,
        configuration: Arc<Configuration>,
        now: Timestamp,
    ) {
        self.last_operation = LastOperation::Update;
        self.modified_at = now;
        if self.configuration.id == configuration.id {
            return;
        }
        self.configuration = configuration;
        self.enter(Status::Pending, now);
        self.updating = true;
    }

    /// Carries out a step of the state machine. The answer is false when the deployment is gone.
    pub(crate) fn carry_out(&mut self, step: Step, at: Timestamp, settings: &Settings) -> bool {
        match step {
            Step::Enter(status) => self.enter(status, at),
            Step::ExpireByStop => self.stop(at, settings),
            Step::ExpireByDelete => self.delete(at),
            Step::Vanish => return false,
        }
        true
    }

    /// Gives the deployment a status and all that goes with it: times, URL, message.
    pub(crate) fn enter(&mut self, status: Status, at: Timestamp) {
        self.status_message = None;
        match status {
            Status::Pending => {
                self.submission_time.get_or_insert(at);
                self.completion_time = None;
            }
            Status::Running => {
                self.submission_time.get_or_insert(at);
                self.start_time = Some(at);
                self.latest_running_configuration_id = Some(self.configuration.id.clone());
            }
            Status::Stopped | Status::Completed => self.completion_time = Some(at),
            Status::Dead => {
                self.completion_time = Some(at);
                self.status_message = Some(
                    "The deployment failed to start: its configuration asks for it".to_owned(),
                );
            }
            Status::Unknown | Status::Stopping | Status::Other(_) => {}
        }
        self.status = status;
        self.updating = false;
        self.begin_phase(at);
    }

    fn begin_phase(&mut self, at: Timestamp) {
        self.phase_since = at;
        self.modified_at = at;
    }
}

impl LastOperation {
    /// The text on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}
