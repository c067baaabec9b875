//! The token that opens the API: fetched once for many callers, renewed before it ends.
//!
//! OAuth client credentials: `POST <url>/oauth/token`, form-encoded. A token stays in use as long as it is valid, also when renewal
//! fails: the credentials may have been taken away while deployments still wait to be deleted.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, HeaderValue};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::answer::Rejection;
use super::credentials::ServiceKey;
use super::error::{Error, root_cause};
use super::http;

/// The lifetime of a token whose answer does not state one.
const ASSUMED_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// A stated lifetime beyond this is not believed. Tokens of AI Core live for 2 to 12 hours.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A token is renewed this long before it ends, or in the last tenth of its life when that is shorter.
const MAX_MARGIN: Duration = Duration::from_secs(5 * 60);
/// After a failure, further callers get the same answer for at least this long, so that a thousand of them do not ask one by one.
const MIN_HOLD: Duration = Duration::from_secs(1);
/// The longest time for which a failure is kept, whatever Retry-After says.
const MAX_HOLD: Duration = Duration::from_secs(60);
/// The largest answer of the token endpoint that is read, in bytes.
const MAX_BODY: usize = 256 * 1024;

/// A token, with what is needed to tell it from the next one. `Debug` does not show it.
#[derive(Clone)]
pub(super) struct Token {
    serial: u64,
    authorization: HeaderValue,
    renew_at: Instant,
    ends_at: Instant,
}

/// Where tokens come from. One per client.
pub(super) struct TokenSource {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    key: ServiceKey,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Token>,
    request: Option<Request>,
    failure: Option<Failure>,
    last_serial: u64,
}

/// A request on its way, which any number of callers may await.
type Request = Shared<BoxFuture<'static, Result<Token, Error>>>;

struct Failure {
    error: Error,
    until: Instant,
}

/// What a caller gets.
enum Choice {
    Use(Token),
    UseAndRenew(Token),
    Request,
    Fail(Error),
}

// === impl State ===

impl State {
    /// A failed renewal takes no valid token away; a fresh failure spares the endpoint the same question.
    fn choose(&self, now: Instant) -> Choice {
        let failure = self.failure.as_ref().filter(|failure| now < failure.until);
        match (
            self.current.as_ref().filter(|token| now < token.ends_at),
            failure,
        ) {
            (Some(token), None) if now >= token.renew_at => Choice::UseAndRenew(token.clone()),
            (Some(token), _) => Choice::Use(token.clone()),
            (None, Some(failure)) => Choice::Fail(failure.error.clone()),
            (None, None) => Choice::Request,
        }
    }

    /// Forgets this token, unless another one took its place: many callers come with the same refused token.
    fn discard(&mut self, token: &Token) {
        self.current
            .take_if(|current| current.serial == token.serial);
    }

    /// Keeps the outcome of a request that ended at `now`.
    fn keep(&mut self, outcome: &Result<Token, Error>, now: Instant) {
        self.request = None;
        match outcome {
            Ok(token) => {
                self.current = Some(token.clone());
                self.failure = None;
            }
            Err(error) => {
                let hold = error
                    .retry_after()
                    .unwrap_or(MIN_HOLD)
                    .clamp(MIN_HOLD, MAX_HOLD);
                self.failure = Some(Failure {
                    error: error.clone(),
                    until: now + hold,
                });
            }
        }
    }
}

// === impl Token ===

impl Token {
    /// The value of the Authorization header, marked as sensitive.
    pub(super) fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }

    /// The token itself, to blank it in texts.
    pub(super) fn expose(&self) -> &str {
        self.authorization
            .to_str()
            .ok()
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default()
    }

    fn new(serial: u64, answer: &Issued, requested_at: Instant) -> Option<Self> {
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {}", answer.access_token)).ok()?;
        authorization.set_sensitive(true);
        let lifetime = answer.lifetime();
        Some(Self {
            serial,
            authorization,
            renew_at: requested_at + lifetime - margin(lifetime),
            ends_at: requested_at + lifetime,
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

fn margin(lifetime: Duration) -> Duration {
    MAX_MARGIN.min(lifetime / 10)
}

/// The successful answer of the token endpoint.
#[derive(Deserialize)]
struct Issued {
    access_token: String,
    #[serde(default)]
    expires_in: Value,
}

impl Issued {
    fn lifetime(&self) -> Duration {
        let seconds = match &self.expires_in {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        // The comparison also refuses NaN.
        match seconds {
            Some(seconds) if seconds >= 0.0 => {
                Duration::from_secs_f64(seconds.min(MAX_LIFETIME.as_secs_f64()))
            }
            _ => ASSUMED_LIFETIME,
        }
    }
}

// === impl TokenSource ===

impl TokenSource {
    pub(super) fn new(http: reqwest::Client, key: ServiceKey) -> Self {
        Self {
            inner: Arc::new(Inner {
                http,
                key,
                state: Mutex::default(),
            }),
        }
    }

    /// A valid token: the one at hand, or a new one. One that is about to end is given out while its successor is fetched.
    pub(super) async fn get(&self) -> Result<Token, Error> {
        let request = {
            let mut state = self.inner.state();
            match state.choose(Instant::now()) {
                Choice::Use(token) => return Ok(token),
                Choice::UseAndRenew(token) => {
                    // It runs by itself; nobody has to wait for it yet.
                    drop(self.request(&mut state));
                    return Ok(token);
                }
                Choice::Fail(error) => return Err(error),
                Choice::Request => self.request(&mut state),
            }
        };
        request.await
    }

    /// Forgets this very token, which the API refused. A newer one stays.
    pub(super) fn discard(&self, token: &Token) {
        self.inner.state().discard(token);
    }

    /// The request under way, or a new one. It runs in a task of its own: a caller that gives up must not take it from the others.
    fn request(&self, state: &mut State) -> Request {
        if let Some(request) = &state.request {
            return request.clone();
        }
        let inner = Arc::clone(&self.inner);
        state.last_serial += 1;
        let serial = state.last_serial;
        let host = http::host(inner.key.token_url());
        let task = tokio::spawn(async move { inner.fetch_and_keep(serial).await });
        let outcome = async move {
            task.await.unwrap_or_else(|failure| {
                let message = format!("the request was given up ({failure})");
                Err(Error::TokenUnavailable {
                    host,
                    message,
                    status: None,
                    retry_after: None,
                    source: None,
                })
            })
        };
        let request = outcome.boxed().shared();
        state.request = Some(request.clone());
        request
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch_and_keep(&self, serial: u64) -> Result<Token, Error> {
        let outcome = self.fetch(serial).await;
        self.state().keep(&outcome, Instant::now());
        outcome
    }

    async fn fetch(&self, serial: u64) -> Result<Token, Error> {
        let requested_at = Instant::now();
        let secret = self.key.client_secret().expose_secret();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.key.client_id()),
            ("client_secret", secret),
        ];
        let request = self
            .http
            .post(self.key.token_url().clone())
            .header(ACCEPT, "application/json")
            .form(&form);
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
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
            let issued: Issued = serde_json::from_slice(&body)
                .map_err(|_| self.unusable("the answer is no JSON with an access_token"))?;
            return Token::new(serial, &issued, requested_at)
                .ok_or_else(|| self.unusable("the access_token cannot be sent"));
        }
        let rejection = Rejection::new(status.as_u16(), &body, &[secret]);
        Err(match status {
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Error::TokenRejected(rejection)
            }
            _ => Error::TokenUnavailable {
                host: http::host(self.key.token_url()),
                message: rejection.to_string(),
                status: Some(status.as_u16()),
                retry_after,
                source: None,
            },
        })
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        Error::TokenUnavailable {
            host: http::host(self.key.token_url()),
            message: root_cause(&error),
            status: None,
            retry_after: None,
            source: Some(Arc::new(error.without_url())),
        }
    }

    fn unusable(&self, message: &str) -> Error {
        Error::TokenUnavailable {
            host: http::host(self.key.token_url()),
            message: message.to_owned(),
            status: None,
            retry_after: None,
            source: None,
        }
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

    #[test]
    fn a_token_is_renewed_five_minutes_early_or_in_the_last_tenth_of_its_life() {
        assert_eq!(margin(Duration::from_secs(43199)), Duration::from_secs(300));
        assert_eq!(margin(Duration::from_secs(100)), Duration::from_secs(10));
    }

    fn token(serial: u64, at: Instant, seconds: u64) -> Token {
        let issued = json!({"access_token": "a.b.c", "expires_in": seconds});
        Token::new(serial, &serde_json::from_value(issued).unwrap(), at).unwrap()
    }

    fn failure(status: u16) -> Result<Token, Error> {
        Err(Error::TokenRejected(Rejection {
            status,
            code: None,
            message: String::new(),
        }))
    }

    #[test]
    fn a_token_stays_in_use_while_it_is_valid_also_when_renewal_fails() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut state = State::default();
        assert!(matches!(state.choose(start), Choice::Request));
        state.keep(&Ok(token(1, start, 1000)), start);
        assert!(matches!(state.choose(after(899)), Choice::Use(_)));
        assert!(matches!(state.choose(after(900)), Choice::UseAndRenew(_)));
        state.keep(&failure(401), after(900));
        assert!(
            matches!(state.choose(after(900)), Choice::Use(_)),
            "not asked again at once"
        );
        assert!(matches!(state.choose(after(901)), Choice::UseAndRenew(_)));
        state.keep(&failure(401), after(999));
        assert!(matches!(state.choose(after(999)), Choice::Use(token) if token.serial == 1));
        state.keep(&Ok(token(2, after(999), 1000)), after(999));
        assert!(matches!(state.choose(after(1000)), Choice::Use(token) if token.serial == 2));
    }

    #[test]
    fn a_refused_token_takes_no_newer_one_with_it() {
        let start = Instant::now();
        let (old, new) = (token(1, start, 1000), token(2, start, 1000));
        let mut state = State::default();
        state.keep(&Ok(new.clone()), start);
        state.discard(&old);
        assert!(matches!(state.choose(start), Choice::Use(token) if token.serial == 2));
        state.discard(&new);
        assert!(matches!(state.choose(start), Choice::Request));
    }

    #[test]
    fn a_failure_answers_further_callers_for_a_moment() {
        let start = Instant::now();
        let mut state = State::default();
        state.keep(&failure(401), start);
        assert!(matches!(
            state.choose(start),
            Choice::Fail(Error::TokenRejected(_))
        ));
        assert!(matches!(state.choose(start + MIN_HOLD), Choice::Request));
    }

    #[test]
    fn a_token_is_not_shown() {
        let issued: Issued = serde_json::from_value(json!({"access_token": "a.b.c"})).unwrap();
        let token = Token::new(1, &issued, Instant::now()).unwrap();
        assert_eq!(token.expose(), "a.b.c");
        assert!(!format!("{token:?} {:?}", token.authorization()).contains("a.b.c"));
    }
}
