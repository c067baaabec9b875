//! Whose credentials may use what others have found out.
//!
//! A service key says itself which tenant it opens, and everybody can write one. So before AI Core has accepted them, credentials are alone: nothing
//! is shared with them, and nothing is asked for on their behalf with other ones. Afterwards they share with those that claim the same tenant and
//! get their tokens from the same issuer: an issuer gives none to the clients of somebody else, and AI Core takes those of the right issuer only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde::Deserialize;

use super::credentials::Tenant;
use super::http;

/// Credentials that share lists, claims, pauses and budgets, because they certainly lead to the same place.
///
/// Two of them are equal when everything is: also what a status does not record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Realm {
    /// The tenant, as the service key says.
    pub tenant: Tenant,
    /// Who issues the tokens: host and path of the token endpoint. In XSUAA each subaccount has a host of its own.
    issuer: String,
    standing: Standing,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Standing {
    /// AI Core has accepted nothing from these credentials, of which this is the fingerprint.
    Unproven(String),
    /// AI Core has accepted a token, which says so much of its zone.
    Accepted(Zone),
}

/// A resource group of a tenant: what one list call shows, to those whose credentials are of one realm.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GroupKey {
    /// With whom what is known of the group is shared.
    pub realm: Realm,
    /// The id of the resource group.
    pub group: String,
}

/// The zone that an accepted token is of, where it is a JSON web token that tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Zone(pub(super) Option<String>);

impl Realm {
    /// The realm of credentials that AI Core has not accepted: nobody else's.
    pub(super) fn unproven(tenant: &Tenant, token_url: &Url, fingerprint: String) -> Self {
        Self {
            tenant: tenant.clone(),
            issuer: issuer(token_url),
            standing: Standing::Unproven(fingerprint),
        }
    }

    /// The realm of credentials of which AI Core has accepted a token of this zone.
    pub(super) fn accepted(tenant: &Tenant, token_url: &Url, zone: &Zone) -> Self {
        Self {
            tenant: tenant.clone(),
            issuer: issuer(token_url),
            standing: Standing::Accepted(zone.clone()),
        }
    }

    /// The realm of accepted credentials whose issuer has this host.
    #[cfg(test)]
    pub(crate) fn at(tenant: &Tenant, issuer: &str) -> Self {
        let url = format!("https://{issuer}/oauth/token");
        let url = Url::parse(&url).expect("it is a host");
        Self::accepted(tenant, &url, &Zone(None))
    }

    /// Whether it is that of credentials which AI Core has not accepted yet.
    pub fn is_unproven(&self) -> bool {
        matches!(self.standing, Standing::Unproven(_))
    }
}

impl GroupKey {
    /// The tenant, as the service key says.
    pub fn tenant(&self) -> &Tenant {
        &self.realm.tenant
    }
}

impl Zone {
    /// Of a token that AI Core has accepted, so that what it says of itself is true. It need not say anything.
    pub(super) fn of(token: &str) -> Self {
        #[derive(Deserialize)]
        struct Claims {
            zid: String,
        }
        let claims = token
            .split('.')
            .nth(1)
            .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
            .and_then(|claims| serde_json::from_slice::<Claims>(&claims).ok());
        Self(claims.map(|claims| claims.zid))
    }
}

/// A key with a secret and one with a certificate ask the same issuer at two addresses: XSUAA's host for certificates has the label `cert` more.
fn issuer(token_url: &Url) -> String {
    let host = http::host(token_url).replace(".authentication.cert.", ".authentication.");
    format!("{host}{}", token_url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> Tenant {
        Tenant {
            api_url: "https://api.example.com".to_owned(),
            identity_zone_id: "zone-1".to_owned(),
        }
    }

    fn url(host: &str) -> Url {
        Url::parse(&format!("https://{host}/oauth/token")).unwrap()
    }

    fn accepted(host: &str, token: &str) -> Realm {
        Realm::accepted(&tenant(), &url(host), &Zone::of(token))
    }

    fn token(claims: &str) -> String {
        format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn credentials_with_a_secret_and_with_a_certificate_are_of_one_realm() {
        let secret = accepted("sub.authentication.eu10.example.com", "opaque");
        let x509 = accepted("sub.authentication.cert.eu10.example.com", "opaque");
        assert_eq!(secret, x509);
    }

    #[test]
    fn another_issuer_makes_another_realm_whatever_tenant_the_key_claims() {
        let own = "sub.authentication.eu10.example.com";
        for other in [
            "eve.authentication.eu10.example.com",
            "sub.authentication.eu20.example.com",
            "sub.authentication.eu10.example.com:8443",
            "sub.authentication.eu10.example.com/uaa",
            "cert.sub.authentication.eu10.example.com",
        ] {
            assert_ne!(
                accepted(own, "opaque"),
                accepted(other, "opaque"),
                "{other}"
            );
        }
    }

    #[test]
    fn an_accepted_token_of_another_zone_makes_another_realm_where_it_tells() {
        let host = "authentication.example.com";
        let of = |claims: &str| accepted(host, &token(claims));
        assert_eq!(
            of(r#"{"zid":"a","jti":"1"}"#),
            of(r#"{"zid":"a","jti":"2"}"#)
        );
        assert_ne!(of(r#"{"zid":"a"}"#), of(r#"{"zid":"b"}"#));
        assert_eq!(of("{}"), accepted(host, "opaque"));
        assert_eq!(of("{}"), accepted(host, "no.t!.jwt"));
    }

    #[test]
    fn unproven_credentials_are_alone() {
        let host = "sub.authentication.eu10.example.com";
        let unproven =
            |fingerprint: &str| Realm::unproven(&tenant(), &url(host), fingerprint.to_owned());
        assert!(unproven("a").is_unproven());
        assert_ne!(unproven("a"), unproven("b"));
        assert_ne!(unproven("a"), accepted(host, "opaque"));
        assert!(!accepted(host, "opaque").is_unproven());
    }
}
