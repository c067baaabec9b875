//! Access tokens: issued, checked, revoked.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use uuid::Uuid;

use crate::clock::later;

/// Whom a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) tenant: String,
    pub(crate) client_id: String,
}

/// All tokens that were ever issued.
pub(crate) struct Tokens {
    key: EncodingKey,
    issued: HashMap<String, Issued>,
}

struct Issued {
    identity: Identity,
    expires_at: Timestamp,
}

/// A token for its answer.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) id: String,
}

/// What became of a token that a caller shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Valid(Identity),
    /// Expired or revoked; we still know whose it was.
    Expired(Identity),
    /// Not one of ours.
    Foreign,
}

/// Claims as XSUAA writes them, as far as clients look at them.
#[derive(Serialize)]
struct Claims<'a> {
    jti: &'a str,
    sub: &'a str,
    client_id: &'a str,
    cid: &'a str,
    zid: &'a str,
    iss: String,
    grant_type: &'static str,
    scope: [&'static str; 1],
    iat: i64,
    exp: i64,
}

impl Tokens {
    /// An empty register with a signing key of its own.
    pub(crate) fn new() -> Self {
        Self {
            key: EncodingKey::from_secret(Uuid::new_v4().as_bytes()),
            issued: HashMap::new(),
        }
    }

    /// Issues a token: a JSON web token, because SAP's JavaScript SDK refuses anything that it cannot decode.
    pub(crate) fn issue(
        &mut self,
        identity: Identity,
        issuer: &str,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<Token, jsonwebtoken::errors::Error> {
        let id = Uuid::new_v4().simple().to_string();
        let expires_at = later(now, lifetime);
        let claims = Claims {
            jti: &id,
            sub: &identity.client_id,
            client_id: &identity.client_id,
            cid: &identity.client_id,
            zid: &identity.tenant,
            iss: format!("{issuer}/oauth/token"),
            grant_type: "client_credentials",
            scope: ["uaa.resource"],
            iat: now.as_second(),
            exp: expires_at.as_second(),
        };
        let text = jsonwebtoken::encode(&Header::default(), &claims, &self.key)?;
        self.issued.insert(
            text.clone(),
            Issued {
                identity,
                expires_at,
            },
        );
        Ok(Token { text, id })
    }

    /// Checks a token.
    pub(crate) fn verdict(&self, token: &str, now: Timestamp) -> Verdict {
        match self.issued.get(token) {
            None => Verdict::Foreign,
            Some(issued) if issued.expires_at > now => Verdict::Valid(issued.identity.clone()),
            Some(issued) => Verdict::Expired(issued.identity.clone()),
        }
    }

    /// Ends the life of all tokens of a tenant, or of all tenants.
    pub(crate) fn revoke(&mut self, tenant: Option<&str>, now: Timestamp) {
        for issued in self.issued.values_mut() {
            if tenant.is_none_or(|tenant| tenant == issued.identity.tenant) {
                issued.expires_at = issued.expires_at.min(now);
            }
        }
    }
}
