//! Credentials of an AI Core tenant: a service key, read from a Kubernetes Secret.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use reqwest::Url;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{http, layout};

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

/// A service key with a client secret: who we are, where tokens are issued, and which API they open.
///
/// `Debug` shows everything but the secret.
#[derive(Clone, Debug)]
pub struct ServiceKey {
    client_id: String,
    client_secret: SecretString,
    token_url: Url,
    api_url: Url,
    tenant: Tenant,
}

/// Why a Secret does not give a usable service key. No variant repeats a value of the Secret.
#[derive(Debug, thiserror::Error)]
pub enum ServiceKeyError {
    /// The key of the Secret that was asked for is not there.
    #[error(
        "the Secret has no key `{key}`; it has: {present}; name the right one in spec.secretRef.key"
    )]
    NoSuchKey {
        /// The key that was asked for.
        key: String,
        /// The keys that the Secret has, separated by commas.
        present: String,
    },
    /// No entry of the Secret looks like credentials of AI Core.
    #[error(
        "the Secret holds no AI Core service key: neither an entry `clientid` nor one whose value is JSON with `clientid` \
         (it has: {present}); store the service key's JSON under `key`"
    )]
    NoServiceKey {
        /// The keys that the Secret has, separated by commas.
        present: String,
    },
    /// Several entries hold a service key, and guessing could reach the wrong tenant.
    #[error(
        "several keys of the Secret hold a service key ({keys}); name the right one in spec.secretRef.key"
    )]
    Several {
        /// The keys that hold one, separated by commas.
        keys: String,
    },
    /// The value is not a JSON object.
    #[error(
        "the value under `{key}` of the Secret is not a JSON object (line {line}, column {column}); paste the whole service key"
    )]
    NotJson {
        /// The key of the Secret.
        key: String,
        /// The line of the fault, counted from 1; 0 when the JSON is sound but no object.
        line: usize,
        /// The column of the fault, counted from 1; 0 when the JSON is sound but no object.
        column: usize,
    },
    /// A field that every service key with a client secret has is missing or empty.
    #[error(
        "the service key lacks `{field}`; create a new service key or binding and store it whole"
    )]
    MissingField {
        /// The field's name as AI Core writes it.
        field: &'static str,
    },
    /// A URL of the service key cannot be used.
    #[error("`{field}` of the service key is not usable: {why}; store the service key unchanged")]
    InvalidUrl {
        /// The field's name as AI Core writes it.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A URL of the service key is plain http, so secret and token would travel in the clear.
    #[error(
        "`{field}` of the service key is a plain http address; use https, or allow http with --allow-http where nothing is at stake"
    )]
    Insecure {
        /// The field's name as AI Core writes it.
        field: &'static str,
    },
    /// The key authenticates by certificate.
    #[error(
        "the service key is of the X.509 kind, which is not supported yet; create one of the kind with a client secret"
    )]
    X509,
    /// The HTTP client could not be set up, for instance because the system has no CA certificates.
    #[error("the HTTP client cannot be set up; check that the system has CA certificates")]
    HttpClient(#[source] reqwest::Error),
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

    fn from_credentials(credentials: &Map<String, Value>) -> Result<Self, ServiceKeyError> {
        let client_id = required(credentials, "clientid")?;
        if text(credentials, "clientsecret").is_none() && is_x509(credentials) {
            return Err(ServiceKeyError::X509);
        }
        let client_secret = SecretString::from(required(credentials, "clientsecret")?);
        let api_url = api_url(&required_api_url(credentials)?)?;
        let token_url = token_url(&required(credentials, "url")?)?;
        let tenant = Tenant {
            api_url: api_url.origin().ascii_serialization(),
            identity_zone_id: identity_zone(credentials, &token_url),
        };
        Ok(Self {
            client_id,
            client_secret,
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

    /// The OAuth client secret.
    pub fn client_secret(&self) -> &SecretString {
        &self.client_secret
    }

    /// Where tokens are issued: `url` of the service key with `/oauth/token`.
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
            self.client_secret.expose_secret(),
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
            ("url", &self.token_url),
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
fn identity_zone(credentials: &Map<String, Value>, token_url: &Url) -> String {
    text(credentials, "identityzoneid")
        .or_else(|| text(credentials, "identityzone"))
        .unwrap_or_else(|| format!("{}{}", http::host(token_url), token_url.path()))
}

fn is_x509(credentials: &Map<String, Value>) -> bool {
    text(credentials, "credential-type").as_deref() == Some("x509")
        || ["certificate", "certurl"]
            .iter()
            .any(|field| credentials.contains_key(*field))
}

fn parse_url(field: &'static str, value: &str) -> Result<Url, ServiceKeyError> {
    let invalid = |why| ServiceKeyError::InvalidUrl { field, why };
    let url = Url::parse(value).map_err(|_| invalid("it is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("it does not begin with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it holds a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("it has a query or fragment"));
    }
    Ok(url)
}

fn api_url(value: &str) -> Result<Url, ServiceKeyError> {
    let field = "serviceurls.AI_API_URL";
    let mut url = parse_url(field, value)?;
    if !matches!(url.path().trim_end_matches('/'), "" | "/v2") {
        return Err(ServiceKeyError::InvalidUrl {
            field,
            why: "it has a path other than /v2",
        });
    }
    url.set_path("");
    Ok(url)
}

fn token_url(value: &str) -> Result<Url, ServiceKeyError> {
    let mut url = parse_url("url", value)?;
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/oauth/token").unwrap_or(path);
    let path = format!("{path}/oauth/token");
    url.set_path(&path);
    Ok(url)
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
        assert_eq!(key.client_secret().expose_secret(), "s3cret-value");
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
    fn an_x509_key_is_told_apart_from_a_broken_one() {
        let mut x509 = credentials();
        x509.as_object_mut().unwrap().remove("clientsecret");
        x509["certificate"] = json!("-----BEGIN CERTIFICATE-----");
        let error = read([("key", x509.to_string())]).unwrap_err();
        assert!(matches!(error, ServiceKeyError::X509), "{error}");
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
