//! What is known of a deployment that an object does not record, for [`belonging`](crate::lifecycle::belonging).

use std::collections::BTreeSet;

use jiff::Timestamp;
use kube::ResourceExt;

use super::access::Access;
use super::look;
use crate::aicore;
use crate::aicore::time_to_live;
use crate::api::{Deployment, Intent, NOT_MINE_ANNOTATION};
use crate::controller::subject::{Subject, Wanted, bears_our_name, wanted};
use crate::lifecycle::belonging::{Resemblance, Signs};
use crate::lifecycle::identity::Identity;
use crate::lifecycle::late::Age;

/// Who looks for signs.
pub(super) struct Reader<'a> {
    subject: &'a Subject<'a>,
    access: &'a Access,
    identity: Identity,
    wanted: Wanted,
}

impl<'a> Reader<'a> {
    pub(super) fn new(subject: &'a Subject<'a>, access: &'a Access) -> Self {
        Self {
            subject,
            access,
            identity: subject.context.identity(&subject.object),
            wanted: wanted(&subject.object),
        }
    }

    /// The signs of a deployment that can be told from the object and the list alone. What the register of claims says is to be added.
    pub(super) fn read(&self, deployment: &aicore::Deployment) -> Signs {
        let object = &*self.subject.object;
        let configuration = &deployment.configuration_id;
        let name = deployment.configuration_name.as_deref();
        let mut lapsed = object.status.iter().flat_map(|status| &status.lapsed);
        let same_ttl =
            time_to_live::may_be_equal(deployment.ttl.as_deref(), object.spec.ttl.as_deref());
        let is_wanted =
            matches!(&self.wanted, Wanted::Configuration(wanted) if wanted == configuration);
        Signs {
            bears_name: bears_our_name(object, configuration)
                || self.identity.owns(name.unwrap_or_default()),
            wanted: is_wanted && same_ttl,
            late: lapsed.any(|call| may_be_late(call, deployment)),
            forgotten: is_forgotten(self.subject, deployment),
            younger: false,
            exclusive: look::is_exclusive(self.subject, self.access, deployment),
            going: look::is_going(deployment),
            known: is_known(object, &deployment.id),
            disowned: is_disowned(object, &deployment.id),
            claimed: false,
            left: false,
        }
    }
}

/// Those with the signs `are_meant` for, after the register of claims was asked about all of them that come into question.
pub(super) fn gather<'a>(
    subject: &Subject<'_>,
    access: &Access,
    deployments: impl Iterator<Item = (&'a aicore::Deployment, Signs)>,
    are_meant: impl Fn(Signs) -> bool,
) -> Vec<(String, Signs)> {
    let in_question: Vec<_> = deployments.filter(|(_, signs)| are_meant(*signs)).collect();
    let ids = in_question
        .iter()
        .map(|(deployment, _)| deployment.id.as_str());
    let unclaimed: BTreeSet<String> = look::unclaimed(subject, access, ids);
    let claims = &subject.context.claims;
    let mut found: Vec<(String, Signs)> = in_question
        .into_iter()
        .map(|(deployment, signs)| {
            let signs = Signs {
                claimed: !unclaimed.contains(&deployment.id),
                left: claims.was_recorded(&deployment.id),
                ..signs
            };
            (deployment.id.clone(), signs)
        })
        .filter(|(_, signs)| are_meant(*signs))
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

fn resemblance(call: &Intent, deployment: &aicore::Deployment) -> Resemblance {
    Resemblance {
        configuration: deployment.configuration_id == call.configuration_id,
        ttl: time_to_live::may_be_equal(deployment.ttl.as_deref(), call.ttl.as_deref()),
        existed: call.known.contains(&deployment.id),
        going: look::is_going(deployment),
    }
}

/// Whether a deployment may be the result of a create call.
pub(crate) fn may_be_of(call: &Intent, deployment: &aicore::Deployment) -> bool {
    resemblance(call, deployment).is_possible()
}

/// Whether a deployment may be the result of a create call that was given up.
pub(crate) fn may_be_late(call: &Intent, deployment: &aicore::Deployment) -> bool {
    let created = time(deployment.created_at.as_ref());
    let age = Age::of(time(call.announced_at.as_ref()), created);
    resemblance(call, deployment).is_possible_at(age)
}

/// Whether a deployment may have been made by an operator whose work the cluster's store has forgotten.
fn is_forgotten(subject: &Subject<'_>, deployment: &aicore::Deployment) -> bool {
    let created = time(deployment.created_at.as_ref());
    created.is_some_and(|created| subject.context.leadership.in_gap(created))
}

/// Whether a person has said that a deployment is not the object's.
fn is_disowned(object: &Deployment, id: &str) -> bool {
    let ids = object.annotations().get(NOT_MINE_ANNOTATION);
    ids.is_some_and(|ids| ids.split(',').any(|other| other.trim() == id))
}

/// The time that a text of AI Core's tells.
pub(crate) fn time(text: Option<&String>) -> Option<Timestamp> {
    text?.parse().ok()
}

/// Whether the object records a deployment already, or has done so before.
pub(crate) fn is_known(object: &Deployment, id: &str) -> bool {
    object.status.as_ref().is_some_and(|status| {
        let current = status.deployment.as_ref();
        current.is_some_and(|deployment| deployment.id == id)
            || status.retiring.iter().any(|retiring| retiring.id == id)
            || status.previous_ids.iter().any(|previous| previous == id)
    })
}
