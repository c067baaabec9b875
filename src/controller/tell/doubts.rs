//! What is said where nothing proves whose a deployment or a create call is.

use super::words::{Verdict, stalled};
use crate::api::{Deployment, NOT_MINE_ANNOTATION, Reason};
use crate::controller::observe::Observation;
use crate::lifecycle::situation::{Record, Remote};

/// Each of several deployments may be the object's.
pub(super) fn ambiguous(object: &Deployment, observation: &Observation) -> Verdict {
    let candidates = observation.candidates.join(", ");
    let otherwise = match observation.situation.record {
        Record::Deployment {
            remote: Remote::Absent { .. },
            ..
        } => "; if none of them is, set desiredState to Deleted and back".to_owned(),
        Record::Nothing { .. } if object.spec.configuration_id.is_none() => String::new(),
        Record::Nothing { .. } | Record::Deployment { .. } => format!(
            "; if none of them is, annotate this object with {NOT_MINE_ANNOTATION}=<their ids>"
        ),
        Record::Intent(_) => String::new(),
    };
    stalled(
        Reason::Ambiguous,
        format!(
            "each of {candidates} may be this object's deployment, and nothing proves which; name the right one in spec.adopt.deploymentId, or delete those that nobody needs{otherwise}"
        ),
        "wait for a person to choose",
    )
}

/// Another operator is at work on the object.
pub(super) fn operator_conflict(object: &Deployment) -> Verdict {
    let status = object.status.as_ref();
    let intent = status.and_then(|status| status.intent.as_ref());
    let holder = intent.and_then(|intent| intent.holder.as_deref());
    stalled(
        Reason::OperatorConflict,
        format!(
            "the operator with the Lease {} has announced a create call for this object and may be making it; let only one operator look at this namespace. If that one is gone for good, start this one with its own namespace and --lease-name",
            holder.unwrap_or_default()
        ),
        "wait for the operator that has announced the call",
    )
}
