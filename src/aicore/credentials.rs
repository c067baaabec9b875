//! Credentials of an AI Core tenant: a service key, read from a Kubernetes Secret.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use reqwest::Url;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::addresses::{api_url, token_url};
use super::certificate::Validity;
use super::proof::Proof;
use super::service_key_error::ServiceKeyError;
use super::{http, layout};

/// The longest identity zone that is taken, in bytes. A UUID has 36, a label of a host name at most 63.
const MAX_ZONE: usize = 64;

/// Where ids live: two deployments with the same id are the same one only when their tenants are equal.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    /// The AI API URL: scheme, host and a port that is not the scheme's own; lower case, without a path.
    pub api_url: String,
    /// The identity zone that issues the tokens: its id, or its name, or where it issues them, whichever the service key has first.
    pub identity_zone_id: String,
}

/// A service key: who we are and how we prove it, where tokens are issued, and which API they open.
///
/// `Debug` shows everything but the proof.
#[derive(Clone, Debug)]
pub struct ServiceKey {
    client_id: String,
    proof: Proof,
    token_url: Url,
    api_url: Url,
    tenant: Tenant,
}

// === impl ServiceKey ===

impl ServiceKey {
    /// Reads the service key out of a Secret's data.
    ///
    /// `key` names the entry to read. Without it, `clientid` as an entry of its own tells the layout with one entry per
    /// credential; else the entry `key` is taken, or the only entry whose value is JSON with a `clientid`.
    ///
    /// # Errors
    ///
    /// When there is no such entry, when it is ambiguous, or when a field is missing or unusable.
    pub fn from_secret(
        data: &BTreeMap<String, ByteString>,
        key: Option<&str>,
    ) -> Result<Self, ServiceKeyError> {
        let credentials = layout::credentials(data, key)?;
        Self::from_credentials(&credentials)
    }

    /// Reads a service key as SAP BTP hands it out: one JSON object.
    ///
    /// # Errors
    ///
    /// When it is no JSON object, or when a field is missing or unusable.
    pub fn from_json(text: &[u8]) -> Result<Self, ServiceKeyError> {
        // The parser's message could quote a secret.
        match serde_json::from_slice(text) {
            Ok(Value::Object(credentials)) => Self::from_credentials(&credentials),
            Ok(_) => Err(ServiceKeyError::NoObject { line: 0, column: 0 }),
            Err(error) => Err(ServiceKeyError::NoObject {
                line: error.line(),
                column: error.column(),
            }),
        }
    }

    fn from_credentials(credentials: &Map<String, Value>) -> Result<Self, ServiceKeyError> {
        let client_id = required(credentials, "clientid")?;
        let proof = proof(credentials)?;
        let api_url = api_url(&required_api_url(credentials)?)?;
        let field = proof.address_field();
        let token_url = token_url(field, &required(credentials, field)?)?;
        if matches!(proof, Proof::Certificate { .. }) && token_url.scheme() != "https" {
            let why = "a certificate is only shown over https";
            return Err(ServiceKeyError::InvalidUrl { field, why });
        }
        let tenant = Tenant {
            api_url: api_url.origin().ascii_serialization(),
            identity_zone_id: identity_zone(credentials, &token_url)?,
        };
        Ok(Self {
            client_id,
            proof,
            token_url,
            api_url,
            tenant,
        })
    }

    /// The tenant that this key opens.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The OAuth client id. Not a secret.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// When the certificate of an X.509 key is valid, where that can be read.
    pub fn certificate(&self) -> Option<Validity> {
        match self.proof {
            Proof::Secret(_) => None,
            Proof::Certificate { validity, .. } => validity,
        }
    }

    /// How the client proves who it is.
    pub(super) fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Where tokens are issued: `url` of the service key, or `certurl` of an X.509 one, with `/oauth/token`.
    pub fn token_url(&self) -> &Url {
        &self.token_url
    }

    /// The AI API URL without a path; every call goes to `/v2/...` below it.
    pub fn api_url(&self) -> &Url {
        &self.api_url
    }

    /// A short text that changes when any credential changes, and from which none can be had back.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for part in [
            self.client_id.as_str(),
            self.proof.expose(),
            self.token_url.as_str(),
            self.api_url.as_str(),
            &self.tenant.identity_zone_id,
        ] {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Refuses plain http, over which secret and token would travel in the clear.
    pub(super) fn require_https(&self) -> Result<(), ServiceKeyError> {
        for (field, url) in [
            ("serviceurls.AI_API_URL", &self.api_url),
            (self.proof.address_field(), &self.token_url),
        ] {
            if url.scheme() != "https" {
                return Err(ServiceKeyError::Insecure { field });
            }
        }
        Ok(())
    }
}

// === fields ===

/// A text field without the white space around it, which a Secret made from a file easily gets. Empty counts as missing.
fn text(credentials: &Map<String, Value>, field: &str) -> Option<String> {
    let text = credentials.get(field)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn required(
    credentials: &Map<String, Value>,
    field: &'static str,
) -> Result<String, ServiceKeyError> {
    text(credentials, field).ok_or(ServiceKeyError::MissingField { field })
}

fn required_api_url(credentials: &Map<String, Value>) -> Result<String, ServiceKeyError> {
    let urls = credentials
        .get("serviceurls")
        .cloned()
        .ok_or(ServiceKeyError::MissingField {
            field: "serviceurls",
        })?;
    layout::object_of(urls)
        .and_then(|urls| text(&urls, "AI_API_URL"))
        .ok_or(ServiceKeyError::MissingField {
            field: "serviceurls.AI_API_URL",
        })
}

/// What tells the tenants of one API apart. Without any, two of them would count as one, and what is absent in one as gone in the other.
fn identity_zone(
    credentials: &Map<String, Value>,
    token_url: &Url,
) -> Result<String, ServiceKeyError> {
    for field in ["identityzoneid", "identityzone"] {
        if let Some(zone) = text(credentials, field) {
            return match is_zone(&zone) {
                true => Ok(zone),
                false => Err(ServiceKeyError::InvalidZone { field }),
            };
        }
    }
    Ok(format!("{}{}", http::host(token_url), token_url.path()))
}

/// Zones are UUIDs or the names of subdomains.
fn is_zone(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    text.len() <= MAX_ZONE && text.bytes().all(allowed)
}

/// An X.509 service key has a certificate in place of the secret. Where a binding has kept both, the secret is as good.
fn proof(credentials: &Map<String, Value>) -> Result<Proof, ServiceKeyError> {
    let is_x509 = text(credentials, "credential-type").as_deref() == Some("x509")
        || ["certificate", "certurl"]
            .iter()
            .any(|field| credentials.contains_key(*field));
    if is_x509 && text(credentials, "clientsecret").is_none() {
        let certificate = required(credentials, "certificate")?;
        return Proof::certificate(&certificate, &required(credentials, "key")?);
    }
    let secret = SecretString::from(required(credentials, "clientsecret")?);
    Ok(Proof::Secret(secret))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn credentials() -> Value {
        json!({
            "clientid": "sb-1", "clientsecret": "s3cret-value", "url": "https://zone.authentication.example.com",
            "identityzone": "zone", "identityzoneid": "zone-id", "appname": "app",
            "serviceurls": {"AI_API_URL": "https://API.ai.Example.com"},
        })
    }

    fn secret<const N: usize>(entries: [(&str, String); N]) -> BTreeMap<String, ByteString> {
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), ByteString(value.into_bytes())))
            .collect()
    }

    fn read<const N: usize>(entries: [(&str, String); N]) -> Result<ServiceKey, ServiceKeyError> {
        ServiceKey::from_secret(&secret(entries), None)
    }

    fn with(field: &str, value: Value) -> Result<ServiceKey, ServiceKeyError> {
        let mut changed = credentials();
        changed[field] = value;
        read([("key", changed.to_string())])
    }

    fn assert_is_the_key(key: &ServiceKey) {
        assert_eq!(key.client_id(), "sb-1");
        assert_eq!(key.proof().expose(), "s3cret-value");
        assert_eq!(
            key.token_url().as_str(),
            "https://zone.authentication.example.com/oauth/token"
        );
        assert_eq!(key.tenant().api_url, "https://api.ai.example.com");
        assert_eq!(key.tenant().identity_zone_id, "zone-id");
    }

    #[test]
    fn urls_are_taken_with_and_without_their_usual_paths() {
        for api in [
            "https://api.ai.example.com",
            "https://api.ai.example.com:443/v2/",
            "https://api.ai.example.com/v2",
        ] {
            assert_is_the_key(&with("serviceurls", json!({"AI_API_URL": api})).unwrap());
        }
        for url in ["/", "/oauth/token", "/oauth/token/"] {
            let url = format!("https://zone.authentication.example.com{url}");
            assert_is_the_key(&with("url", json!(url)).unwrap());
        }
    }

    #[test]
    fn a_url_that_would_be_changed_silently_is_refused() {
        for api in [
            "https://gateway.example.com/aicore",
            "https://u:p@api.example.com",
            "ftp://api.example.com",
            "api.example.com",
        ] {
            let error = with("serviceurls", json!({"AI_API_URL": api})).unwrap_err();
            assert!(
                matches!(
                    error,
                    ServiceKeyError::InvalidUrl {
                        field: "serviceurls.AI_API_URL",
                        ..
                    }
                ),
                "{api}: {error}"
            );
        }
    }

    #[test]
    fn a_missing_field_is_named() {
        for (field, named) in [
            ("clientsecret", "clientsecret"),
            ("url", "url"),
            ("serviceurls", "serviceurls.AI_API_URL"),
        ] {
            let error = with(field, Value::Null).unwrap_err();
            assert!(
                matches!(error, ServiceKeyError::MissingField { field } if field == named),
                "{error}"
            );
        }
        let error = read([("key", "{}".into())]).unwrap_err();
        assert!(
            matches!(error, ServiceKeyError::MissingField { field: "clientid" }),
            "{error}"
        );
    }

    #[test]
    fn two_tenants_of_one_api_are_told_apart_by_whatever_the_key_has() {
        let zone_of = |missing: &[&str], host: &str| {
            let mut changed = credentials();
            for field in missing {
                changed.as_object_mut().unwrap().remove(*field);
            }
            changed["url"] = json!(format!("https://{host}/uaa/"));
            let key = read([("key", changed.to_string())]).unwrap();
            key.tenant().identity_zone_id.clone()
        };
        let neither = ["identityzoneid", "identityzone"];
        assert_eq!(zone_of(&[], "one.example.com"), "zone-id");
        assert_eq!(zone_of(&["identityzoneid"], "one.example.com"), "zone");
        assert_eq!(
            zone_of(&neither, "One.Example.com"),
            "one.example.com/uaa/oauth/token"
        );
        assert_ne!(
            zone_of(&neither, "one.example.com"),
            zone_of(&neither, "two.example.com")
        );
    }

    #[test]
    fn an_identity_zone_that_is_no_name_is_refused_without_being_repeated() {
        for (field, zone) in [
            ("identityzoneid", "a".repeat(65)),
            ("identityzoneid", "zone 1".to_owned()),
            ("identityzoneid", "zone\n1".to_owned()),
            ("identityzoneid", "zöne".to_owned()),
            ("identityzone", "zone\"} 1".to_owned()),
        ] {
            let mut changed = credentials();
            changed["identityzoneid"] = json!(null);
            changed[field] = json!(zone);
            let error = read([("key", changed.to_string())]).unwrap_err();
            assert!(
                matches!(error, ServiceKeyError::InvalidZone { field: named } if named == field),
                "{error}"
            );
            assert!(!error.to_string().contains(&zone), "{error}");
        }
        let longest = "a".repeat(64);
        let key = with("identityzoneid", json!(longest)).unwrap();
        assert_eq!(key.tenant().identity_zone_id, longest);
    }

    fn x509() -> Value {
        let mut x509 = credentials();
        let fields = x509.as_object_mut().unwrap();
        fields.remove("clientsecret");
        fields.remove("url");
        x509["certurl"] = json!("https://zone.authentication.cert.example.com");
        x509["certificate"] = json!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----");
        x509["key"] = json!("-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----");
        x509
    }

    #[test]
    fn an_x509_key_proves_itself_by_its_certificate_at_an_address_of_its_own() {
        let key = read([("key", x509().to_string())]).unwrap();
        assert!(matches!(key.proof(), Proof::Certificate { .. }));
        assert_eq!(
            key.token_url().as_str(),
            "https://zone.authentication.cert.example.com/oauth/token"
        );
        assert!(!format!("{key:?}").contains("BBBB"), "{key:?}");
        // As an environment variable would have it.
        let mut escaped = x509();
        escaped["key"] = json!(escaped["key"].as_str().unwrap().replace('\n', "\\n"));
        let same = read([("key", escaped.to_string())]).unwrap();
        assert_eq!(key.fingerprint(), same.fingerprint());
    }

    #[test]
    fn a_broken_x509_key_is_told_what_it_lacks() {
        for field in ["certificate", "key", "certurl"] {
            let mut broken = x509();
            broken["credential-type"] = json!("x509");
            broken[field] = json!("");
            let error = read([("key", broken.to_string())]).unwrap_err();
            assert!(
                matches!(error, ServiceKeyError::MissingField { field: named } if named == field),
                "{error}"
            );
        }
        let mut broken = x509();
        broken["key"] = json!("s3cret");
        let error = read([("key", broken.to_string())]).unwrap_err();
        assert!(
            matches!(error, ServiceKeyError::InvalidCertificate),
            "{error}"
        );
        let mut plain = x509();
        plain["certurl"] = json!("http://zone.example.com");
        let error = read([("key", plain.to_string())]).unwrap_err();
        assert!(
            matches!(
                error,
                ServiceKeyError::InvalidUrl {
                    field: "certurl",
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn neither_debug_nor_an_error_shows_a_value() {
        let key = read([("key", credentials().to_string())]).unwrap();
        assert!(!format!("{key:?}").contains("s3cret-value"));
        let broken = r#"{"clientid": "sb-1", "clientsecret": s3cret-value}"#;
        let error = read([("key", broken.into())]).unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("s3cret"),
            "{error:?}"
        );
        assert!(matches!(error, ServiceKeyError::NotJson { line: 1, .. }));
    }

    #[test]
    fn the_fingerprint_changes_with_every_credential_and_with_nothing_else() {
        let same = with("appname", json!("renamed")).unwrap().fingerprint();
        assert_eq!(
            same,
            read([("other", credentials().to_string())])
                .unwrap()
                .fingerprint()
        );
        for (field, value) in [
            ("clientid", json!("sb-2")),
            ("clientsecret", json!("new")),
            ("url", json!("https://other.example.com")),
            ("identityzoneid", json!("zone-2")),
            (
                "serviceurls",
                json!({"AI_API_URL": "https://api2.example.com"}),
            ),
        ] {
            assert_ne!(same, with(field, value).unwrap().fingerprint(), "{field}");
        }
    }

    #[test]
    fn plain_http_is_refused_unless_allowed() {
        let key = with("url", json!("http://127.0.0.1:8080")).unwrap();
        assert!(matches!(
            key.require_https(),
            Err(ServiceKeyError::Insecure { field: "url" })
        ));
        assert!(
            with("appname", json!("app"))
                .unwrap()
                .require_https()
                .is_ok()
        );
    }
}
