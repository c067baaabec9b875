//! Asking the token endpoint for a token: OAuth client credentials, `POST <url>/oauth/token`.
//!
//! AI Core documents two ways to show a client secret: in the form, which SAP's own clients use, and as HTTP Basic authentication. An
//! endpoint may take only one of them, so the credentials count as refused when both were. With an X.509 service key the connection itself shows
//! the certificate, and the form names the client only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION};
use reqwest::{Request, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::answer::Rejection;
use super::credentials::ServiceKey;
use super::error::{Error, root_cause};
use super::http;
use super::proof::Proof;
use crate::metrics::RemoteCalls;

/// The lifetime of a token whose answer does not state one.
const ASSUMED_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// A stated lifetime beyond this is not believed. Tokens of AI Core live for 2 to 12 hours.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The largest answer of the token endpoint that is read, in bytes.
const MAX_BODY: usize = 256 * 1024;

/// What one set of credentials is asked with.
pub(super) struct Grant {
    http: reqwest::Client,
    key: ServiceKey,
    /// Where each request is measured.
    remote_calls: RemoteCalls,
    /// Basic authentication was accepted last.
    prefers_basic: AtomicBool,
}

/// How the credentials are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// The secret in the form.
    #[default]
    Form,
    /// The secret as HTTP Basic authentication.
    Basic,
    /// A certificate, when the connection was opened.
    Certificate,
}

/// The successful answer of the token endpoint.
#[derive(Deserialize)]
pub(super) struct Issued {
    pub(super) access_token: String,
    #[serde(default)]
    expires_in: Value,
    #[serde(skip)]
    pub(super) way: Way,
}

impl Issued {
    /// How long the token lives, by what the answer says or else by what is assumed.
    pub(super) fn lifetime(&self) -> Duration {
        self.stated_lifetime().unwrap_or(ASSUMED_LIFETIME)
    }

    /// How long the token lives, when the answer says so.
    pub(super) fn stated_lifetime(&self) -> Option<Duration> {
        let seconds = match &self.expires_in {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        // The comparison also refuses NaN.
        let is_a_time = seconds >= 0.0;
        is_a_time.then(|| Duration::from_secs_f64(seconds.min(MAX_LIFETIME.as_secs_f64())))
    }
}

// === impl Grant ===

impl Grant {
    pub(super) fn new(http: reqwest::Client, key: ServiceKey, remote_calls: RemoteCalls) -> Self {
        Self {
            http,
            key,
            remote_calls,
            prefers_basic: AtomicBool::new(false),
        }
    }

    /// Asks for a token in the way that was accepted last, and in the other way where that is refused.
    pub(super) async fn request(&self) -> Result<Issued, Error> {
        if matches!(self.key.proof(), Proof::Certificate { .. }) {
            let outcome = self.ask(Way::Certificate).await;
            return outcome.map_err(|error| self.explained(error, Timestamp::now()));
        }
        let (first, second) = if self.prefers_basic.load(Ordering::Relaxed) {
            (Way::Basic, Way::Form)
        } else {
            (Way::Form, Way::Basic)
        };
        let refusal = match self.ask(first).await {
            Err(Error::TokenRejected(refusal)) if matches!(refusal.status, 400 | 401) => refusal,
            outcome => return outcome,
        };
        match self.ask(second).await {
            Ok(issued) => {
                self.prefers_basic
                    .store(second == Way::Basic, Ordering::Relaxed);
                Ok(issued)
            }
            // The first refusal is about the credentials; the second one may only be about an endpoint that does not know this way.
            Err(error) if refuses(&error) => Err(Error::TokenRejected(refusal)),
            Err(error) => Err(error),
        }
    }

    /// The host of the token endpoint, for texts.
    pub(super) fn host(&self) -> String {
        http::host(self.key.token_url())
    }

    /// An answer that gives no token to work with.
    pub(super) fn unusable(&self, message: &str) -> Error {
        Error::TokenUnavailable {
            host: self.host(),
            message: message.to_owned(),
            status: None,
            retry_after: None,
            source: None,
        }
    }

    /// A certificate that is not valid any more explains why no connection comes about, or why the endpoint refuses it.
    fn explained(&self, error: Error, now: Timestamp) -> Error {
        let refused = match &error {
            Error::TokenRejected(_) => true,
            Error::TokenUnavailable { source, .. } => source.is_some(),
            _ => false,
        };
        match self.key.certificate() {
            Some(validity) if refused && validity.is_over(now) => Error::CertificateExpired {
                not_after: validity.not_after,
                source: Arc::new(error),
            },
            _ => error,
        }
    }

    async fn ask(&self, way: Way) -> Result<Issued, Error> {
        let request = self
            .request_in(way)
            .map_err(|error| self.unreachable(error))?;
        let header = request.headers().get(AUTHORIZATION).cloned();
        let sent_at = Instant::now();
        let outcome = self.http.execute(request).await;
        let answered = outcome.as_ref().ok().map(|it| it.status().as_u16());
        self.remote_calls.count_token(answered, sent_at.elapsed());
        let response = outcome.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let retry_after = http::retry_after(response.headers());
        let body = match http::read(response, MAX_BODY).await {
            Ok(body) => body,
            Err(http::ReadError::Connection(error)) if status.is_success() => {
                return Err(self.unreachable(error));
            }
            Err(http::ReadError::TooLarge) if status.is_success() => {
                return Err(self.unusable("the answer is too large"));
            }
            // The status alone tells enough.
            Err(_) => Vec::new(),
        };
        if status.is_success() {
            // The parser's message could quote the token, so it is not passed on.
            return serde_json::from_slice(&body)
                .map(|issued| Issued { way, ..issued })
                .map_err(|_| self.unusable("the answer is no JSON with an access_token"));
        }
        let encoded = header
            .as_ref()
            .and_then(|header| header.to_str().ok()?.strip_prefix("Basic "));
        let secrets = [self.key.proof().expose(), encoded.unwrap_or_default()];
        let rejection = Rejection::new(status.as_u16(), &body, &secrets);
        Err(match status {
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Error::TokenRejected(rejection)
            }
            _ => Error::TokenUnavailable {
                host: self.host(),
                message: rejection.to_string(),
                status: Some(status.as_u16()),
                retry_after,
                source: None,
            },
        })
    }

    fn request_in(&self, way: Way) -> reqwest::Result<Request> {
        let (id, secret) = (self.key.client_id(), self.key.proof().expose());
        let request = self
            .http
            .post(self.key.token_url().clone())
            .header(ACCEPT, "application/json");
        let grant_type = ("grant_type", "client_credentials");
        let request = match way {
            Way::Form => request.form(&[grant_type, ("client_id", id), ("client_secret", secret)]),
            Way::Basic => request.basic_auth(id, Some(secret)).form(&[grant_type]),
            Way::Certificate => request.form(&[grant_type, ("client_id", id)]),
        };
        request.build()
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        Error::TokenUnavailable {
            host: self.host(),
            message: root_cause(&error),
            status: None,
            retry_after: None,
            source: Some(Arc::new(error.without_url())),
        }
    }
}

/// Whether the endpoint has answered that it does not take the request as it is: any 4xx but 408 and 429.
fn refuses(error: &Error) -> bool {
    match error {
        Error::TokenRejected(_) => true,
        Error::TokenUnavailable {
            status: Some(status),
            ..
        } => (400..500).contains(status) && !matches!(status, 408 | 429),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lifetime(expires_in: Value) -> Duration {
        let issued: Issued =
            serde_json::from_value(json!({"access_token": "t", "expires_in": expires_in})).unwrap();
        issued.lifetime()
    }

    #[test]
    fn the_stated_lifetime_counts_and_a_missing_one_is_five_minutes() {
        assert_eq!(lifetime(json!(43199)), Duration::from_secs(43199));
        assert_eq!(lifetime(json!("7199")), Duration::from_secs(7199));
        assert_eq!(lifetime(Value::Null), Duration::from_secs(300));
        assert_eq!(lifetime(json!(-1)), Duration::from_secs(300));
        assert_eq!(lifetime(json!(1e300)), MAX_LIFETIME);
    }
}
