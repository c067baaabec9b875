//! What is waited for, in words.

use super::facts::{problem, remark, remote_state};
use super::words::{Verdict, going, stalled};
use crate::api::Reason;
use crate::controller::observe::Observation;
use crate::lifecycle::Step;
use crate::lifecycle::step::{Stall, Wait};

/// What waiting means for an object.
pub(super) fn say_wait(wait: Wait, observation: &Observation, id: &str) -> Verdict {
    match wait {
        Wait::Unreachable => {
            let (reason, message) = problem(observation);
            going(reason, message, "wait for AI Core to answer")
        }
        Wait::Observation => going(
            Reason::Observing,
            "AI Core is being asked for the present state",
            "look at a fresh list of deployments",
        ),
        Wait::Chain => going(
            Reason::ConnectionNotReady,
            "nothing is created before the Connection and its Secret carry the operator's finalizer, or while the Connection does not work or is being deleted; \
             its condition Ready says why",
            "wait for the Connection to become ready",
        ),
        Wait::Resolution => going(
            Reason::CreateUnresolved,
            "a create call was interrupted; whether it made a deployment is being found out before anything else is done",
            "wait until the interrupted create call shows its result or can have none",
        ),
        Wait::Starting => going(
            Reason::Starting,
            format!("deployment {id} is starting{}", remark(observation)),
            format!("wait for {id} to run"),
        ),
        Wait::Updating => going(
            Reason::Updating,
            format!("deployment {id} is taking on the configuration of the spec"),
            format!("wait for {id} to run with its new configuration"),
        ),
        Wait::Comparison => going(
            Reason::Comparing,
            format!(
                "AI Core does not tell whether the configuration of the spec has the scenario and executable of deployment {id}, so it is neither changed nor replaced; it is asked again"
            ),
            "find out whether the deployment can be given the configuration",
        ),
        Wait::RollingBack => going(
            Reason::RollingBack,
            format!("deployment {id} is taking on the configuration again that ran before"),
            format!("wait for {id} to run with its former configuration"),
        ),
        // This is said of a deployment besides the recorded one only.
        Wait::Successor => going(
            Reason::Replacing,
            "a deployment serves until its successor runs",
            format!("wait for {id} to run"),
        ),
        Wait::Stopping => going(
            Reason::Stopping,
            format!("deployment {id} is stopping"),
            format!("wait for {id} to stop"),
        ),
        Wait::Deleting => going(
            Reason::Deleting,
            format!("AI Core is deleting deployment {id}"),
            format!("wait for {id} to be gone"),
        ),
        Wait::Absence => going(
            Reason::ConfirmingAbsence,
            format!(
                "deployment {id} is in no list, which is not proof that it is gone; AI Core is asked again"
            ),
            format!("wait for proof that {id} is gone"),
        ),
        Wait::Uninstall => {
            let (reason, message) = problem(observation);
            going(
                reason,
                message,
                "find out whether everything is being uninstalled",
            )
        }
        Wait::Retiring => say_retiring(observation),
        Wait::UnknownState => going(
            Reason::UnknownState,
            format!(
                "deployment {id} is in the state {}, which this operator does not know",
                remote_state(observation)
            ),
            format!(
                "wait for {id} to leave the state {}",
                remote_state(observation)
            ),
        ),
    }
}

/// Only another deployment of the object is left to wait for.
fn say_retiring(observation: &Observation) -> Verdict {
    let Some(retiring) = &observation.retiring else {
        return going(
            Reason::Retiring,
            "another deployment of this object is still to be stopped and deleted",
            "look at it in a fresh list",
        );
    };
    let id = &retiring.id;
    let state = retiring
        .deployment
        .as_ref()
        .map(|deployment| deployment.status.to_string());
    let state = state.unwrap_or_else(|| "not listed any more".to_owned());
    let message = format!(
        "deployment {id}, which this object has besides, is {state}; it is stopped and deleted before this object goes"
    );
    let next = format!("wait for {id} to be gone");
    match retiring.step(&observation.situation) {
        Step::Stall(Stall::Overdue) => stalled(
            Reason::Overdue,
            format!(
                "{message}. It has been so for too long; look at it in SAP AI Launchpad, or ask SAP support"
            ),
            next,
        ),
        _ => going(Reason::Retiring, message, next),
    }
}
