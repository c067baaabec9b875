//! A Secret that another operator owns: no finalizer keeps its key alive.

use k8s_openapi::api::core::v1::Secret;

use super::survey::Survey;
use crate::api::{Condition, Reason};
use crate::controller::tell::events::News;

/// The kind of the SAP BTP service operator that revokes a key the moment it is deleted, and its API group.
const BINDING: (&str, &str) = ("ServiceBinding", "services.cloud.sap.com");

/// The object whose operator manages a Secret.
pub(super) fn of(secret: &Secret) -> Option<String> {
    let owners = secret.metadata.owner_references.iter().flatten();
    let mut owners = owners.filter(|owner| {
        let group = owner.api_version.split('/').next().unwrap_or_default();
        owner.controller == Some(true) || (owner.kind.as_str(), group) == BINDING
    });
    owners
        .next()
        .map(|owner| format!("{} {}", owner.kind, owner.name))
}

/// What a person has to know of it while there is time.
pub(super) fn warning(owner: &str, secret: &str) -> String {
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
    (!told).then(|| News::bad(Reason::CredentialsOwnedElsewhere, owner, warning))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn owner(reference: Value) -> Option<String> {
        let mut owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "it", "uid": "1"});
        let fields = reference.as_object().expect("it has fields").clone();
        owner.as_object_mut().expect("it is one").extend(fields);
        let secret = json!({"metadata": {"ownerReferences": [owner]}});
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
}
