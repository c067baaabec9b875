//! One request of the AI Core API: authorised, bounded in time and size, its answer sorted into success or an [`Error`].

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use reqwest::{ClientBuilder, Method, Response, StatusCode, Url};
use tokio::time::Instant;

use super::answer::{Rejection, shorten};
use super::credentials::ServiceKey;
use super::error::{Error, root_cause};
use super::http;
use super::options::ClientOptions;
use super::pace::{Pace, Paces, Rate, Urgency};
use super::realm::{Realm, Zone};
use super::reply::Reply;
use super::service_key_error::ServiceKeyError;
use super::stream;
use super::token::{Token, TokenFacts, TokenSource};
use super::wire::{self, Checked, List};
use crate::lease::{Permit, Refusal};
use crate::metrics::RemoteCalls;

/// The largest list that is read, in bytes. It is parsed while it arrives. A deployment takes about 1 kB.
const MAX_LIST: usize = 64 * 1024 * 1024;
/// The largest other answer that is read, in bytes: it is in memory as a whole. The models of a scenario take some 100 kB, a configuration with all
/// that it may hold 10 MB (2 lists of 1,000 bindings of up to 5 kB).
const MAX_BODY: usize = 12 * 1024 * 1024;
/// The largest explanation of an error that is read, in bytes.
const MAX_ERROR_BODY: usize = 64 * 1024;
/// Connections at rest are closed before common load balancers do it: a request on a connection that was just closed by the other
/// side ends with an unknown outcome.
const IDLE_CONNECTION: Duration = Duration::from_secs(50);
/// The longest id or group that is sent. AI Core allows 64 characters for an id, 253 for a group.
const MAX_ARGUMENT: usize = 256;
/// Everything is JSON, except the bare number of the `$count` endpoints.
const ACCEPTED: &str = "application/json, text/plain;q=0.5";
const USER_AGENT: &str = concat!("aicore-operator/", env!("CARGO_PKG_VERSION"));

/// A request to make.
#[derive(Clone)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// What follows `/v2/`, segment by segment.
    pub(crate) path: &'a [&'a str],
    /// The deployments that it is about, where the path does not name it.
    pub(crate) ids: &'a [&'a str],
    pub(crate) query: &'a [(&'a str, &'a str)],
    /// The resource group, where the endpoint takes one.
    pub(crate) group: Option<&'a str>,
    /// JSON to send.
    pub(crate) body: Option<serde_json::Value>,
    /// What is sent as `X-Request-Id`, with a number behind it from the second attempt on.
    pub(crate) request_id: String,
    /// How the JSON is meant: `application/json`, or `application/merge-patch+json` where the contract asks for it.
    pub(crate) media_type: &'static str,
}

/// A successful answer, read whole.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) headers: HeaderMap,
    /// The token that was sent.
    token: Token,
}

/// What credentials share with others from the moment on at which AI Core has accepted them.
struct Accepted {
    realm: Realm,
    pace: Arc<Pace>,
}

/// The way to one tenant.
pub(super) struct Transport {
    key: ServiceKey,
    http: reqwest::Client,
    tokens: TokenSource,
    /// Its own pace, until AI Core has accepted the credentials.
    first_pace: Pace,
    paces: Paces,
    rate: Rate,
    accepted: OnceLock<Accepted>,
    request_timeout: Duration,
    doubted_token_age: Duration,
    remote_calls: RemoteCalls,
    permit: Permit,
}

// === impl Call ===

impl Call<'_> {
    /// Whether it goes to the administration of the tenant (`/admin`), which a key may not be allowed to use.
    fn is_administrative(&self) -> bool {
        self.path.first() == Some(&"admin")
    }

    /// What changes something is always in the log, and what only looks where somebody wants to see that.
    fn log(&self, request_id: &str, outcome: &Result<Response, Error>) {
        let path = self.path.join("/");
        let ids = (!self.ids.is_empty()).then(|| self.ids.join(","));
        let status = outcome.as_ref().ok().map(|it| it.status().as_u16());
        let error = outcome.as_ref().err().map(tracing::field::display);
        match self.urgency() {
            Urgency::Change => {
                tracing::info!(request_id, method = %self.method, path, ids, group = self.group, status, error, "called AI Core");
            }
            Urgency::Read => {
                tracing::debug!(request_id, method = %self.method, path, ids, group = self.group, status, error, "called AI Core");
            }
        }
    }

    fn urgency(&self) -> Urgency {
        if self.method == Method::GET {
            Urgency::Read
        } else {
            Urgency::Change
        }
    }
}

/// A new id. AI Core's own ones come in the bodies of errors only, so each request gets one that leads from the log to a proxy or a gateway.
pub(crate) fn request_id() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// What requests for tokens and those of the API have in common. Proxies are taken from the environment (`HTTPS_PROXY`, `NO_PROXY`).
fn http_client(options: &ClientOptions) -> ClientBuilder {
    // Bodies are read as they come, so they must not come compressed.
    let plain = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(plain)
        .https_only(!options.allow_http)
        .tls_certs_merge(options.authorities.iter().cloned())
        // A redirect could lead token and secret to another host.
        .redirect(reqwest::redirect::Policy::none())
        .timeout(options.request_timeout)
        .connect_timeout(options.connect_timeout)
        .pool_idle_timeout(IDLE_CONNECTION)
}

// === impl Transport ===

impl Transport {
    pub(super) fn new(key: ServiceKey, options: &ClientOptions) -> Result<Self, ServiceKeyError> {
        if !options.allow_http {
            key.require_https()?;
        }
        let http = http_client(options)
            .build()
            .map_err(ServiceKeyError::HttpClient)?;
        // Nobody but the token endpoint is shown a certificate.
        let token_http = match key.proof().identity()? {
            None => http.clone(),
            Some(identity) => http_client(options)
                .identity(identity)
                .build()
                .map_err(|_| ServiceKeyError::InvalidCertificate)?,
        };
        let tokens = TokenSource::new(token_http, key.clone(), options.remote_calls.clone());
        Ok(Self {
            first_pace: Pace::new(options.rate),
            paces: options.paces.clone(),
            rate: options.rate,
            accepted: OnceLock::new(),
            key,
            http,
            tokens,
            request_timeout: options.request_timeout,
            doubted_token_age: options.doubted_token_age,
            remote_calls: options.remote_calls.clone(),
            permit: options.permit.clone(),
        })
    }

    pub(super) fn key(&self) -> &ServiceKey {
        &self.key
    }

    /// With whom these credentials share what they find out.
    pub(super) fn realm(&self) -> Realm {
        match self.accepted.get() {
            Some(accepted) => accepted.realm.clone(),
            None => self.unproven_realm(),
        }
    }

    /// The realm of these credentials before AI Core has accepted them.
    pub(super) fn unproven_realm(&self) -> Realm {
        Realm::unproven(
            self.key.tenant(),
            self.key.token_url(),
            self.key.fingerprint(),
        )
    }

    /// AI Core has given what only the tenant's own credentials get, for this token.
    fn trust(&self, token: &Token) {
        self.accepted.get_or_init(|| {
            let zone = Zone::of(token.expose());
            let realm = Realm::accepted(self.key.tenant(), self.key.token_url(), &zone);
            let pace = self.paces.of(&realm, self.rate);
            Accepted { realm, pace }
        });
    }

    fn pace(&self) -> &Pace {
        let accepted = self.accepted.get();
        accepted.map_or(&self.first_pace, |accepted| &accepted.pace)
    }

    /// The same, for the token of an answer.
    pub(super) fn trust_in(&self, answer: &Answer) {
        self.trust(&answer.token);
    }

    pub(super) fn remote_calls(&self) -> &RemoteCalls {
        &self.remote_calls
    }

    pub(super) fn has_token(&self) -> bool {
        self.tokens.is_at_hand()
    }

    pub(super) async fn check_token(&self) -> Result<(), Error> {
        self.tokens.get().await.map(|_| ())
    }

    /// What is known of the token in use.
    pub(super) async fn token_facts(&self) -> Result<TokenFacts, Error> {
        self.tokens.get().await.map(|token| token.facts())
    }

    /// Makes the request once, with one token, and gives the answer as it is, a refusing one as well.
    pub(super) async fn exchange(&self, call: &Call<'_>) -> Result<Reply, Error> {
        let deadline = Instant::now() + self.request_timeout;
        let token = self.tokens.get_until(deadline).await?;
        let response = self
            .dispatch(call, &call.request_id, &token, deadline)
            .await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = http::read(response, MAX_BODY)
            .await
            .map_err(|error| self.unread(error, MAX_BODY))?;
        if !status.is_success() {
            let error = self.sort(status, &headers, &body, &token);
            self.pace().heed(&error, Instant::now());
        }
        Ok(Reply::new(status, &headers, &body, &self.secrets(&token)))
    }

    /// Makes the request and reads the answer whole.
    pub(super) async fn fetch(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let (response, token) = self.send(call).await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        match http::read(response, MAX_BODY).await {
            Ok(body) => Ok(Answer {
                status,
                body,
                headers,
                token,
            }),
            Err(error) => Err(self.unread(error, MAX_BODY)),
        }
    }

    /// Makes the request and reads the answer as a list, while it arrives; with the server's clock.
    pub(super) async fn list<T: Checked>(
        &self,
        call: &Call<'_>,
    ) -> Result<(List<T::Object>, Option<Timestamp>), Error> {
        let (response, token) = self.send(call).await?;
        let date = http::date(response.headers());
        let body = http::Body::new(response, MAX_LIST);
        match stream::parse(body, wire::list::<T>).await {
            Ok(Ok(list)) => {
                let list = list?;
                self.trust(&token);
                Ok((list, date))
            }
            Ok(Err(failure)) => Err(Error::Incomplete {
                message: format!("it was not read to its end ({failure})"),
                source: None,
            }),
            Err(error) => Err(self.unread(error, MAX_LIST)),
        }
    }

    /// Makes a request whose acceptance is all that matters.
    pub(super) async fn accept(&self, call: &Call<'_>) -> Result<(), Error> {
        let (response, _) = self.send(call).await?;
        // The status has told everything. The body is only read so that the connection can be used again.
        drop(http::read(response, MAX_ERROR_BODY).await);
        Ok(())
    }

    /// What a part of a successful answer says that is an error.
    pub(super) fn explain(&self, answer: &Answer, error: &serde_json::Value) -> Rejection {
        let body = error.to_string();
        Rejection::new(answer.status, body.as_bytes(), &self.secrets(&answer.token))
    }

    fn secrets<'a>(&'a self, token: &'a Token) -> [&'a str; 2] {
        [token.expose(), self.key.proof().expose()]
    }

    /// Makes the request; once more with a new token where the first one may be why the API refuses. A refused request had no effect.
    /// Everything together, the body of the answer included, ends at the request timeout.
    async fn send(&self, call: &Call<'_>) -> Result<(Response, Token), Error> {
        let deadline = Instant::now() + self.request_timeout;
        let token = self.tokens.get_until(deadline).await?;
        let refusal = match self.attempt(call, &call.request_id, &token, deadline).await {
            Err(refusal @ (Error::Unauthorized(_) | Error::Forbidden(_))) => refusal,
            outcome => return outcome.map(|response| (response, token)),
        };
        let second = format!("{}-2", call.request_id);
        if matches!(refusal, Error::Unauthorized(_)) && !call.is_administrative() {
            self.tokens.discard(&token);
            let token = self.tokens.get_until(deadline).await?;
            let response = self.attempt(call, &second, &token, deadline).await?;
            return Ok((response, token));
        }
        // A denial, or an endpoint of the administration that these credentials may not be meant for, says little about the token: it
        // stays in use elsewhere, also when no other one can be had.
        if token.age() < self.doubted_token_age {
            return Err(refusal);
        }
        match self.tokens.get_instead(&token, deadline).await {
            Ok(token) => {
                let response = self.attempt(call, &second, &token, deadline).await?;
                Ok((response, token))
            }
            Err(_) => Err(refusal),
        }
    }

    /// Makes the request once; an answer that refuses is an error.
    async fn attempt(
        &self,
        call: &Call<'_>,
        request_id: &str,
        token: &Token,
        deadline: Instant,
    ) -> Result<Response, Error> {
        let response = self.dispatch(call, request_id, token, deadline).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let error = self.refusal(response, token).await;
        self.pace().heed(&error, Instant::now());
        Err(error)
    }

    /// Makes the request once, whatever is answered.
    async fn dispatch(
        &self,
        call: &Call<'_>,
        request_id: &str,
        token: &Token,
        deadline: Instant,
    ) -> Result<Response, Error> {
        let url = self.url(call.path)?;
        let asked_at = Instant::now();
        self.pace().turn(call.urgency(), deadline).await?;
        let is_change = call.urgency() == Urgency::Change;
        self.remote_calls.waited(is_change, asked_at.elapsed());
        let mut request = self
            .http
            .request(call.method.clone(), url)
            .timeout(deadline.saturating_duration_since(Instant::now()))
            .header(AUTHORIZATION, token.authorization())
            .header(ACCEPT, ACCEPTED)
            .header("AI-Client-Type", "aicore-operator");
        if !call.query.is_empty() {
            request = request.query(call.query);
        }
        if let Some(group) = call.group {
            request = request.header("AI-Resource-Group", group_header(group)?);
        }
        if let Some(body) = &call.body {
            request = request
                .header(CONTENT_TYPE, call.media_type)
                .body(body.to_string());
        }
        request = request.header("X-Request-Id", request_id);
        let sent_at = Instant::now();
        let outcome = match call.urgency() {
            Urgency::Read => Ok(request.send().await),
            Urgency::Change => self.permit.limit(request.send()).await,
        };
        let answer = outcome.as_ref().ok().and_then(|sent| sent.as_ref().ok());
        let status = answer.map(|answer| answer.status().as_u16());
        if !matches!(outcome, Err(Refusal::NotHeld)) {
            self.remote_calls
                .count(&call.method, status, sent_at.elapsed());
        }
        let outcome = outcome?.map_err(|error| self.unreachable(error));
        call.log(request_id, &outcome);
        outcome
    }

    fn url(&self, path: &[&str]) -> Result<Url, Error> {
        for segment in path {
            // An empty or dotted segment would silently address another resource.
            if matches!(*segment, "" | "." | "..") || segment.len() > MAX_ARGUMENT {
                return Err(invalid_argument("id", segment));
            }
        }
        let mut url = self.key.api_url().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().push("v2").extend(path);
        }
        Ok(url)
    }

    async fn refusal(&self, response: Response, token: &Token) -> Error {
        let (status, headers) = (response.status(), response.headers().clone());
        // Without a readable body the status has to do.
        let body = http::read(response, MAX_ERROR_BODY)
            .await
            .unwrap_or_default();
        self.sort(status, &headers, &body, token)
    }

    /// What an answer means that is no success.
    fn sort(&self, status: StatusCode, headers: &HeaderMap, body: &[u8], token: &Token) -> Error {
        if status.is_redirection() {
            return Error::Insecure {
                status: status.as_u16(),
            };
        }
        let retry_after = http::retry_after(headers);
        let message = Rejection::new(status.as_u16(), body, &self.secrets(token));
        match status {
            StatusCode::UNAUTHORIZED => Error::Unauthorized(message),
            StatusCode::FORBIDDEN => Error::Forbidden(message),
            StatusCode::NOT_FOUND => Error::NotFound(message),
            StatusCode::TOO_MANY_REQUESTS => Error::Throttled {
                retry_after,
                message,
            },
            status if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT => {
                Error::Rejected(message)
            }
            status => Error::Unavailable {
                status: status.as_u16(),
                retry_after,
                message,
            },
        }
    }

    fn unread(&self, error: http::ReadError, limit: usize) -> Error {
        match error {
            http::ReadError::TooLarge => Error::Malformed {
                message: format!("it is larger than {} MiB", limit / 1024 / 1024),
            },
            http::ReadError::Connection(error) if error.is_timeout() => self.unreachable(error),
            http::ReadError::Connection(error) => Error::Incomplete {
                message: format!(
                    "the connection ended within the body ({})",
                    root_cause(&error)
                ),
                source: Some(Arc::new(error.without_url())),
            },
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        Error::Unreachable {
            host: http::host(self.key.api_url()),
            sent: !(error.is_connect() || error.is_builder()),
            message: if error.is_timeout() {
                "the time ran out".to_owned()
            } else {
                root_cause(&error)
            },
            source: Arc::new(error.without_url()),
        }
    }
}

fn group_header(group: &str) -> Result<HeaderValue, Error> {
    match HeaderValue::from_str(group) {
        Ok(value) if !group.trim().is_empty() && group.len() <= MAX_ARGUMENT => Ok(value),
        _ => Err(invalid_argument("resource group", group)),
    }
}

fn invalid_argument(what: &'static str, value: &str) -> Error {
    Error::InvalidArgument {
        what,
        value: shorten(value, 80),
    }
}
