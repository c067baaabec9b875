//! The token that opens the API: fetched once for many callers, renewed before it ends.
//!
//! A token stays in use as long as it is valid, also when renewal fails: the credentials may have been taken away while deployments
//! still wait to be deleted.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use parking_lot::{Mutex, MutexGuard};
use reqwest::header::HeaderValue;
use tokio::time::{Instant, timeout_at};

use super::credentials::ServiceKey;
use super::error::Error;
use super::grant::{Grant, Issued, Way};
use crate::metrics::RemoteCalls;

/// A token is renewed this long before it ends, or in the last tenth of its life when that is shorter.
const MAX_MARGIN: Duration = Duration::from_secs(5 * 60);
/// After a failure, further callers get the same answer for at least this long, so that a thousand of them do not ask one by one.
const MIN_HOLD: Duration = Duration::from_secs(1);
/// The longest time for which a failure is kept, whatever Retry-After says.
const MAX_HOLD: Duration = Duration::from_secs(60);

/// A token, with what is needed to tell it from the next one. `Debug` does not show it.
#[derive(Clone)]
pub(super) struct Token {
    serial: u64,
    authorization: HeaderValue,
    issued_at: Instant,
    renew_at: Instant,
    ends_at: Instant,
    facts: TokenFacts,
}

/// What may be told about a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenFacts {
    /// Its lifetime, when the endpoint has stated one.
    pub(crate) stated_lifetime: Option<Duration>,
    /// How the credentials were shown.
    pub(crate) way: Way,
}

/// Where tokens come from. One per client.
pub(super) struct TokenSource {
    inner: Arc<Inner>,
}

struct Inner {
    grant: Grant,
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

    /// What to use in place of a token that was refused, but may be good elsewhere: it stays until there is another one.
    fn choose_instead(&self, refused: &Token, now: Instant) -> Choice {
        match self.choose(now) {
            Choice::Use(token) | Choice::UseAndRenew(token) if token.serial == refused.serial => {
                let failure = self.failure.as_ref().filter(|failure| now < failure.until);
                failure.map_or(Choice::Request, |failure| {
                    Choice::Fail(failure.error.clone())
                })
            }
            choice => choice,
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

    /// How long ago it was asked for.
    pub(super) fn age(&self) -> Duration {
        self.issued_at.elapsed()
    }

    /// The token itself, to blank it in texts.
    pub(super) fn expose(&self) -> &str {
        self.authorization
            .to_str()
            .ok()
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default()
    }

    /// What may be told about it.
    pub(super) fn facts(&self) -> TokenFacts {
        self.facts
    }

    pub(super) fn new(serial: u64, answer: &Issued, requested_at: Instant) -> Option<Self> {
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {}", answer.access_token)).ok()?;
        authorization.set_sensitive(true);
        let lifetime = answer.lifetime();
        Some(Self {
            serial,
            authorization,
            issued_at: requested_at,
            renew_at: requested_at + lifetime - margin(lifetime),
            ends_at: requested_at + lifetime,
            facts: TokenFacts {
                stated_lifetime: answer.stated_lifetime(),
                way: answer.way,
            },
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

// === impl TokenSource ===

impl TokenSource {
    pub(super) fn new(http: reqwest::Client, key: ServiceKey, remote_calls: RemoteCalls) -> Self {
        Self {
            inner: Arc::new(Inner {
                grant: Grant::new(http, key, remote_calls),
                state: Mutex::default(),
            }),
        }
    }

    /// A valid token: the one at hand, or a new one. One that is about to end is given out while its successor is fetched.
    pub(super) async fn get(&self) -> Result<Token, Error> {
        self.obtain(|state, now| state.choose(now)).await
    }

    /// The same, when it can be had before `deadline`.
    pub(super) async fn get_until(&self, deadline: Instant) -> Result<Token, Error> {
        let token = timeout_at(deadline, self.get()).await;
        token.unwrap_or_else(|_| Err(self.too_late()))
    }

    /// A newer token than this one, which was refused somewhere, when it can be had before `deadline`. The refused one stays in use elsewhere
    /// until there is a newer one.
    pub(super) async fn get_instead(
        &self,
        refused: &Token,
        deadline: Instant,
    ) -> Result<Token, Error> {
        let token = self.obtain(|state, now| state.choose_instead(refused, now));
        let token = timeout_at(deadline, token).await;
        token.unwrap_or_else(|_| Err(self.too_late()))
    }

    /// Whether there is a token that has not ended.
    pub(super) fn is_at_hand(&self) -> bool {
        let state = self.inner.state();
        let current = state.current.as_ref();
        current.is_some_and(|token| Instant::now() < token.ends_at)
    }

    fn too_late(&self) -> Error {
        self.inner.grant.unusable("the time ran out")
    }

    async fn obtain(&self, choose: impl FnOnce(&State, Instant) -> Choice) -> Result<Token, Error> {
        let request = {
            let mut state = self.inner.state();
            match choose(&state, Instant::now()) {
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
        let host = inner.grant.host();
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
        self.state.lock()
    }

    async fn fetch_and_keep(&self, serial: u64) -> Result<Token, Error> {
        let outcome = self.fetch(serial).await;
        self.state().keep(&outcome, Instant::now());
        outcome
    }

    async fn fetch(&self, serial: u64) -> Result<Token, Error> {
        // Before the request: a lifetime that is counted from here ends rather too early than too late.
        let requested_at = Instant::now();
        let issued = self.grant.request().await?;
        Token::new(serial, &issued, requested_at)
            .ok_or_else(|| self.grant.unusable("the access_token cannot be sent"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aicore::Rejection;

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
    fn a_token_that_is_refused_in_one_place_stays_until_there_is_another_one() {
        let start = Instant::now();
        let (old, new) = (token(1, start, 1000), token(2, start, 1000));
        let mut state = State::default();
        state.keep(&Ok(old.clone()), start);
        assert!(matches!(state.choose_instead(&old, start), Choice::Request));
        state.keep(&failure(503), start);
        assert!(matches!(state.choose_instead(&old, start), Choice::Fail(_)));
        assert!(matches!(state.choose(start), Choice::Use(token) if token.serial == 1));
        state.keep(&Ok(new), start);
        assert!(
            matches!(state.choose_instead(&old, start), Choice::Use(token) if token.serial == 2)
        );
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
