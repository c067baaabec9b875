//! A Secret that another operator owns: no finalizer keeps its key alive.

use k8s_openapi::api::core::v1::Secret;

use super::survey::Survey;
use crate::api::{Condition, Reason};
use crate::controller::finalizers;
use crate::controller::problem::Problem;
use crate::controller::tell::events::News;

/// The kind of the SAP BTP service operator that revokes a key the moment it is deleted, and its API group.
const BINDING: (&str, &str) = ("ServiceBinding", "services.cloud.sap.com");

/// The object whose operator manages a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Kind and name.
    title: String,
    /// Whether the Secret is being deleted, and with it the key at the service instance.
    leaves: bool,
}

impl Owner {
    /// The owner that has revoked the key, or is about to.
    pub(super) fn revoker(&self) -> Option<String> {
        self.leaves.then(|| self.title.clone())
    }
}

/// The owner of a Secret, where another operator manages it.
pub(super) fn of(secret: &Secret) -> Option<Owner> {
    let owners = secret.metadata.owner_references.iter().flatten();
    let mut owners = owners.filter(|owner| {
        let group = owner.api_version.split('/').next().unwrap_or_default();
        owner.controller == Some(true) || (owner.kind.as_str(), group) == BINDING
    });
    owners.next().map(|owner| Owner {
        title: format!("{} {}", owner.kind, owner.name),
        leaves: finalizers::is_terminating(secret),
    })
}

/// Why a key is refused that was revoked together with the owner of its Secret. Its Secret goes, so another one has to take its place.
pub(crate) fn explained(problem: Problem, revoker: Option<&str>) -> Problem {
    match revoker {
        Some(owner) if problem.reason == Reason::CredentialsRejected => Problem {
            reason: Reason::CredentialsRevoked,
            message: format!(
                "the key was revoked when {owner} was deleted, to which its Secret belongs; put a key of the same tenant into another Secret, and name \
                 that in spec.secretRef of the Connection"
            ),
        },
        _ => problem,
    }
}

/// What a person has to know of it while there is time.
pub(super) fn warning(owner: &Owner, secret: &str) -> String {
    let owner = &owner.title;
    format!(
        "Secret {secret} belongs to {owner}: when that is deleted its key can be revoked at once, and then nothing can be stopped or deleted in AI Core \
         any more. Keep {owner} in another namespace than the Deployments, or protect it from deletion"
    )
}

/// The warning, unless the condition of before has told it.
pub(super) fn news(before: Option<&Condition>, survey: &Survey, secret: &str) -> Option<News> {
    let owner = survey.owner.as_ref()?;
    let warning = warning(owner, secret);
    let told = before.is_some_and(|condition| condition.message.contains(&warning));
    (!told).then(|| News::bad(Reason::CredentialsOwnedElsewhere, &owner.title, warning))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn owner(reference: Value) -> Option<String> {
        owned(reference, Value::Null).map(|owner| owner.title)
    }

    fn owned(reference: Value, deleted_at: Value) -> Option<Owner> {
        let mut owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "it", "uid": "1"});
        let fields = reference.as_object().expect("it has fields").clone();
        owner.as_object_mut().expect("it is one").extend(fields);
        let secret =
            json!({"metadata": {"ownerReferences": [owner], "deletionTimestamp": deleted_at}});
        of(&serde_json::from_value(secret).expect("it is a Secret"))
    }

    #[test]
    fn a_controller_owns_a_secret() {
        let owned = owner(json!({"kind": "ExternalSecret", "controller": true}));
        assert_eq!(owned.as_deref(), Some("ExternalSecret it"));
        assert_eq!(owner(json!({"controller": false})), None);
        assert_eq!(owner(json!({})), None);
        assert_eq!(of(&Secret::default()), None);
    }

    #[test]
    fn a_service_binding_owns_a_secret_in_any_case() {
        let binding = |group: &str| {
            owner(json!({"kind": "ServiceBinding", "apiVersion": format!("{group}/v1")}))
        };
        assert!(binding("services.cloud.sap.com").is_some());
        assert_eq!(binding("example.com"), None);
    }

    #[test]
    fn a_key_that_is_refused_was_revoked_when_its_owner_goes() {
        let controller = || json!({"kind": "ServiceBinding", "controller": true});
        let stays = owned(controller(), Value::Null).unwrap();
        assert_eq!(stays.revoker(), None);
        let leaves = owned(controller(), json!("2026-01-01T00:00:00Z")).unwrap();
        let revoker = leaves.revoker();
        assert_eq!(revoker.as_deref(), Some("ServiceBinding it"));

        let problem = |reason| Problem {
            reason,
            message: "no".to_owned(),
        };
        let reason = |reason, revoker| explained(problem(reason), revoker).reason;
        let (rejected, revoked) = (Reason::CredentialsRejected, Reason::CredentialsRevoked);
        assert_eq!(reason(rejected, revoker.as_deref()), revoked);
        assert_eq!(reason(rejected, None), rejected);
        let down = Reason::Unreachable;
        assert_eq!(reason(down, revoker.as_deref()), down);
    }
}
