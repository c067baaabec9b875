//! How the name of a configuration leads back to the object that it was created for.
//!
//! AI Core's deployments have no name, but each was created from a configuration, and a configuration has a name that we choose:
//! `aicore.dev/<cluster id>/<namespace>/<name>/<uid>/<content hash>`. So every deployment made from it can be recognised, even when the
//! object's status was lost. Another uid under the same cluster id, namespace and name is the same object, applied again.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::api::GROUP;

/// The longest cluster id that still leaves room for everything else within the 256 characters of a configuration's name.
pub const MAXIMUM_CLUSTER_ID: usize = 63;

/// Who an object is, across clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The id of the cluster, at most [`MAXIMUM_CLUSTER_ID`] characters.
    pub cluster: String,
    /// The object's namespace.
    pub namespace: String,
    /// The object's name, at most 63 characters (a rule of the CRD).
    pub name: String,
    /// The object's uid.
    pub uid: String,
}

impl Identity {
    /// Who a configuration of this name was made for; none where the name has another form.
    pub fn of_configuration(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split('/').collect();
        let [GROUP, cluster, namespace, name, uid, hash] = parts[..] else {
            return None;
        };
        let whole = [cluster, namespace, name, uid, hash]
            .iter()
            .all(|part| !part.is_empty());
        whole.then(|| Self {
            cluster: cluster.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: uid.to_owned(),
        })
    }

    /// The name of the configuration with this content.
    pub fn configuration_name(&self, content_hash: &str) -> String {
        format!(
            "{GROUP}/{}/{}/{}/{}/{content_hash}",
            self.cluster, self.namespace, self.name, self.uid
        )
    }

    /// Whether a configuration of this name was made for this object with this content.
    pub fn owns_content(&self, configuration_name: &str, content_hash: &str) -> bool {
        self.owns(configuration_name) && configuration_name.rsplit('/').next() == Some(content_hash)
    }

    /// Whether a configuration of this name was made for this object, under whatever uid and with whatever content.
    pub fn owns(&self, configuration_name: &str) -> bool {
        Self::of_configuration(configuration_name).is_some_and(|maker| {
            maker.cluster == self.cluster
                && maker.namespace == self.namespace
                && maker.name == self.name
        })
    }
}

/// A short hash of a configuration's content, or of the template that leads to it. The maps of both are sorted, so the same content always has
/// the same text, and that of a template which copies nothing is the same as that of its content.
pub fn content_hash(content: &impl Serialize) -> String {
    let text = serde_json::to_vec(content)
        .expect("a content is plain strings and maps of strings, which always serialise");
    Sha256::digest(text)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ConfigurationTemplate;
    use crate::lifecycle::configuration::content;

    fn identity(name: &str) -> Identity {
        Identity {
            cluster: "prod".into(),
            namespace: "team-a".into(),
            name: name.into(),
            uid: "6f1c2c5e-0000-4000-8000-000000000001".into(),
        }
    }

    #[test]
    fn the_name_leads_back_to_its_object_and_to_no_other() {
        let name = identity("churn").configuration_name("0011223344556677");
        assert!(identity("churn").owns(&name));
        assert!(
            Identity {
                uid: "another".into(),
                ..identity("churn")
            }
            .owns(&name),
            "a rebuilt object is the same object"
        );
        assert!(identity("churn").owns_content(&name, "0011223344556677"));
        assert!(!identity("churn").owns_content(&name, "7766554433221100"));
        for other in [
            identity("churn-2"),
            identity("chur"),
            Identity {
                cluster: "test".into(),
                ..identity("churn")
            },
            Identity {
                namespace: "team".into(),
                ..identity("churn")
            },
        ] {
            assert!(!other.owns(&name), "{other:?} must not own {name}");
        }
        assert!(!identity("churn").owns("aicore.dev/prod/team-a/churn/"));
        assert!(!identity("churn").owns("a stranger's configuration"));
    }

    #[test]
    fn a_name_of_ours_tells_who_it_was_made_for_and_no_other_name_does() {
        let churn = identity("churn");
        let name = churn.configuration_name("0011223344556677");
        assert_eq!(Identity::of_configuration(&name), Some(churn));
        for other in [
            "a stranger's configuration",
            "",
            "aicore.dev/prod/team-a/churn",
            "aicore.dev/prod/team-a/churn/uid",
            "aicore.dev/prod/team-a/churn/uid/",
            "aicore.dev/prod//churn/uid/hash",
            "aicore.dev/prod/team-a/churn/uid/hash/more",
            "example.com/prod/team-a/churn/uid/hash",
        ] {
            assert_eq!(Identity::of_configuration(other), None, "{other}");
        }
    }

    #[test]
    fn the_longest_name_fits_into_what_ai_core_takes() {
        let longest = Identity {
            cluster: "c".repeat(MAXIMUM_CLUSTER_ID),
            namespace: "n".repeat(63),
            name: "d".repeat(63),
            uid: "u".repeat(36),
        };
        let name = longest.configuration_name(&"h".repeat(16));
        assert!(name.len() <= 256, "{} characters", name.len());
    }

    #[test]
    fn the_hash_tells_contents_apart() {
        let mut template = ConfigurationTemplate {
            scenario_id: Some("churn".into()),
            executable_id: Some("churn-server".into()),
            parameters: [("imageTag".to_owned(), "1".to_owned())].into(),
            ..Default::default()
        };
        let before = content_hash(&template);
        assert_eq!(before, content_hash(&content(&template, None)));
        assert_eq!(before.len(), 16);
        template
            .parameters
            .insert("imageTag".to_owned(), "2".to_owned());
        assert_ne!(before, content_hash(&template));
    }
}
