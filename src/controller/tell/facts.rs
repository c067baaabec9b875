//! What is known of an object, as parts of a sentence.

use super::events::shortened;
use crate::api::Reason;
use crate::controller::observe::Observation;

/// The longest message of AI Core's in a sentence, in bytes (`statusMessage` of `AiDeployment` has at most 256 characters).
const MAXIMUM_REMARK: usize = 512;

/// What is in the way of AI Core.
pub(super) fn problem(observation: &Observation) -> (Reason, String) {
    let access = observation.access.as_ref();
    let denied = access.and_then(|access| access.denied.as_ref());
    match observation.problem.as_ref().or(denied) {
        Some(problem) => (problem.reason, problem.message.clone()),
        None => (Reason::Unreachable, "AI Core did not answer".to_owned()),
    }
}

/// What AI Core adds to the state, to follow it in a sentence.
pub(super) fn remark(observation: &Observation) -> String {
    let remote = observation.remote.as_ref();
    let message = remote.and_then(|remote| remote.status_message.as_deref());
    message.map_or_else(String::new, |message| {
        format!(" ({})", shortened(message, MAXIMUM_REMARK))
    })
}

/// The state that AI Core reports.
pub(super) fn remote_state(observation: &Observation) -> String {
    observation
        .remote
        .as_ref()
        .map(|remote| remote.status.to_string())
        .unwrap_or_default()
}
