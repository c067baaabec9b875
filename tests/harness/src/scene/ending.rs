//! The end of a test, and what it is judged by.

use std::collections::BTreeMap;

use kube::ResourceExt as _;
use serde_json::json;

use super::Scene;
use super::history::version_of;
use crate::control_plane::AuditEntry;
use crate::emulated::{OTHER_TENANT, TENANT};
use crate::laws::{self, Evidence};
use crate::operator::{self, Operator};

/// How every token of the emulator begins: the header of a JSON web token.
const TOKEN: &str = "eyJ";

impl Scene {
    /// What the operator has written to the objects of this namespace so far, in the order in which it was answered.
    #[must_use]
    pub fn kubernetes_writes(&self) -> Vec<AuditEntry> {
        self.writes_to(&self.namespace)
    }

    /// What the operator, or that of another test, has written to the objects of a namespace so far.
    #[must_use]
    pub fn writes_to(&self, namespace: &str) -> Vec<AuditEntry> {
        let begin = self
            .log_begins
            .expect("the control plane is one of the tests' own");
        let reads = ["get", "list", "watch"];
        let mut requests = self.requests_about(&[namespace], begin);
        requests.retain(|entry| !reads.contains(&entry.verb.as_str()));
        requests
    }

    /// What operators have asked the API server for that is about the objects of these namespaces, since the log was so long.
    fn requests_about(&self, namespaces: &[&str], begin: u64) -> Vec<AuditEntry> {
        let entries = self.control_plane.audit_entries_about(namespaces, begin);
        let mut entries = entries.expect("the log can be read, which it could before");
        entries.retain(|entry| entry.user == operator::USER);
        entries
    }

    /// What the operators were refused in the namespaces of the scene and in their own because no role allows it, whether they say so in their logs
    /// or not.
    fn refusals(&self) -> Vec<AuditEntry> {
        let places = self.places.iter();
        let mut namespaces: Vec<&str> = places.map(|place| place.namespace.as_str()).collect();
        namespaces.push(operator::NAMESPACE);
        let begin = self.log_begins.into_iter();
        begin
            .flat_map(|begin| self.requests_about(&namespaces, begin))
            .filter(|entry| !entry.allowed)
            .collect()
    }

    /// Ends the test: nothing that happened may have broken a law, no secret was told, and `creations` deployments were created.
    pub async fn finish(self, creations: usize) {
        if self
            .beside
            .iter()
            .chain([&self.operator])
            .any(Operator::has_failed)
        {
            self.despair("an operator has ended").await;
        }
        self.assert_good_conduct().await;
        let mut objects = Vec::new();
        for place in &self.places {
            let live = self.listed(&place.namespace, "Deployment").await;
            let live: BTreeMap<String, u64> = live
                .iter()
                .filter_map(|object| Some((object.uid()?, version_of(object))))
                .collect();
            objects.extend(place.histories.complete(&live).await);
        }
        for object in objects.iter_mut().filter(|object| !object.deletion_begun) {
            object.orphans |= self.uninstalled;
        }
        let evidence = Evidence {
            objects,
            audit: self.ai_core.audit().await,
            creations,
        };
        let broken: Vec<String> = laws::violations(&evidence)
            .iter()
            .map(ToString::to_string)
            .collect();
        if !broken.is_empty() {
            self.despair(&format!("laws were broken:\n{}", broken.join("\n")))
                .await;
        }
    }

    /// No operator lacked a right, and neither their logs, a panic included, nor their metrics and probes nor an event nor a status tell the secret
    /// of a key or a token.
    ///
    /// # Panics
    ///
    /// When it lacked one or something tells it.
    pub async fn assert_good_conduct(&self) {
        let mut secrets = vec![TOKEN.to_owned(), "PRIVATE KEY".to_owned()];
        for tenant in [TENANT, OTHER_TENANT] {
            let key = self.ai_core.service_key(tenant).await;
            let secret = key["clientsecret"].as_str();
            secrets.push(secret.expect("a service key has one").to_owned());
        }
        let refused = self.refusals();
        assert!(
            self.may_lack_rights || refused.is_empty(),
            "the API server refused an operator something; compare with deploy/install.yaml: {refused:#?}"
        );
        let mut told = String::new();
        for operator in self.beside.iter().chain([&self.operator]) {
            let log = operator.log();
            assert!(
                self.may_lack_rights || !log.contains("is forbidden: User"),
                "an operator was refused something; compare its log with deploy/install.yaml:\n{log}"
            );
            told += &log;
            told += &operator.answers().await;
        }
        for kind in ["Event", "Deployment", "Connection"] {
            told += &json!(self.everywhere(kind).await).to_string();
        }
        for secret in secrets {
            assert!(!told.contains(&secret), "the secret {secret} was told");
        }
    }
}
