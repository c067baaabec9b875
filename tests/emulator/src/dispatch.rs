//! The way of a call through the emulator: faults, identity, effect, audit log, answer.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, RawPathParams, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::{StreamExt, stream};
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::api;
use crate::call::{Answer, Call, Operation};
use crate::call_log::{CallLog, Caller, states};
use crate::clock::earlier;
use crate::endpoint::{Context, Endpoint, Outcome, Run, path_subject};
use crate::errors::ApiError;
use crate::faults::{Effect, Hit};
use crate::query::Query;
use crate::settings::Settings;
use crate::tokens::{Identity, Verdict};
use crate::world::{Shared, World};

/// Largest request body that is read, in bytes.
const BODY_LIMIT: usize = 4 << 20;

/// Mark of a response that is never sent: the server closes the connection instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropped;

/// A call goes on when its caller hangs up, as it does in a real service: hence the task of its own.
pub(crate) async fn serve(
    shared: Shared,
    endpoint: Endpoint,
    parameters: RawPathParams,
    request: Request,
) -> Response {
    let parameters: Vec<(String, String)> = parameters
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    tokio::spawn(async move {
        match read(endpoint, parameters, request).await {
            Some(call) => handle(&shared, endpoint, &call).await,
            None => dropped(),
        }
    })
    .await
    .unwrap_or_else(|error| {
        tracing::error!(%error, "a call could not be handled");
        dropped()
    })
}

/// Reads a request whole; nothing when it broke off or is too large.
async fn read(
    endpoint: Endpoint,
    parameters: Vec<(String, String)>,
    request: Request,
) -> Option<Call> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_LIMIT).await.ok()?;
    // Nested routers see only the rest of a path.
    let path = head
        .extensions
        .get()
        .map_or(&head.uri, |OriginalUri(uri)| uri)
        .path();
    let mut call = Call {
        subjects: Vec::new(),
        bulk: endpoint.bulk,
        method: head.method,
        path: path.to_owned(),
        raw_query: head.uri.query().map(str::to_owned),
        query: Query::parse(head.uri.query().unwrap_or_default().as_bytes()),
        parameters: parameters.into_iter().collect(),
        headers: head.headers,
        body,
        request_id: Uuid::new_v4().to_string(),
    };
    call.subjects = (endpoint.subjects)(&call);
    if call.subjects.is_empty() {
        call.subjects = path_subject(&call);
    }
    for subject in &mut call.subjects {
        if subject.operation == Operation::Other {
            subject.operation = endpoint.operation;
        }
    }
    Some(call)
}

async fn handle(shared: &Shared, endpoint: Endpoint, call: &Call) -> Response {
    let (hit, received_at) = {
        let mut world = shared.lock();
        (world.faults.choose(call), world.now())
    };
    let effect = hit.as_ref().map(|hit| &hit.effect);
    if let Some(Effect::LatencyMs(milliseconds)) = effect {
        tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
    }
    let (answer, date) = {
        let mut world = shared.lock();
        let answer = perform(&mut world, endpoint, call, received_at, hit.as_ref());
        (answer, date(&world.settings))
    };
    let answer = match date {
        Some(date) => answer.with_header(header::DATE, &date),
        None => answer,
    };
    if let Some(Effect::AnswerLatencyMs(milliseconds)) = effect {
        tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
    }
    match effect {
        Some(effect) if effect.drops() => dropped(),
        Some(Effect::TruncateBody(part)) => response(answer, call, Some(*part)),
        _ => response(answer, call, None),
    }
}

/// The header `Date`, by the clock that the settings choose.
fn date(settings: &Settings) -> Option<String> {
    let ahead = SignedDuration::from_secs(settings.clock_ahead_seconds);
    let now = Timestamp::now().checked_add(ahead).ok()?;
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
    date.ok().filter(|_| settings.date_header)
}

/// Everything that happens under the lock: the effect, and its entries in the log.
fn perform(
    world: &mut World,
    endpoint: Endpoint,
    call: &Call,
    received_at: Timestamp,
    hit: Option<&Hit>,
) -> Answer {
    let effect = hit.map(|hit| &hit.effect);
    let now = world.now();
    let (caller, identity) = identify(world, endpoint, call, now);
    let before = states(world, &caller, call);
    let prevented = effect.is_some_and(Effect::prevents);
    let answer =
        if prevented {
            None
        } else {
            let outcome = run(world, endpoint.run, call, identity, effect, now);
            Some(outcome.unwrap_or_else(|error| {
                error.answer(&world.settings, &call.request_id, &call.path)
            }))
        };
    let replacement = effect.and_then(Effect::replacement);
    let sent = replacement
        .as_ref()
        .or(answer.as_ref())
        .map(|answer| answer.status.as_u16());
    let log = CallLog {
        call,
        now,
        received_at,
        caller,
        before,
        http_status: sent.filter(|_| !effect.is_some_and(Effect::drops)),
        fault: hit.map(|hit| hit.name.clone()),
    };
    log.write(world, answer.as_ref());
    replacement
        .or(answer)
        .unwrap_or_else(|| Answer::empty(StatusCode::SERVICE_UNAVAILABLE))
}

/// Who calls, for the log and for the API. The token endpoint looks at credentials by itself.
fn identify(
    world: &World,
    endpoint: Endpoint,
    call: &Call,
    now: Timestamp,
) -> (Caller, Result<Identity, ApiError>) {
    if endpoint.operation == Operation::Token {
        return (
            api::token::caller(world, call),
            Err(ApiError::token_missing()),
        );
    }
    let authorization = call
        .header(header::AUTHORIZATION.as_str())
        .unwrap_or_default();
    let token = authorization
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else {
        return (Caller::default(), Err(ApiError::token_missing()));
    };
    match world.tokens.verdict(token, now) {
        Verdict::Valid(identity) => (identity.clone().into(), Ok(identity)),
        Verdict::Expired(identity) => (identity.into(), Err(ApiError::token_expired())),
        Verdict::Foreign => (Caller::default(), Err(ApiError::token_foreign())),
    }
}

fn run(
    world: &mut World,
    run: Run,
    call: &Call,
    caller: Result<Identity, ApiError>,
    effect: Option<&Effect>,
    now: Timestamp,
) -> Outcome {
    let (needs_group, function) = match run {
        Run::Open(function) => return function(world, call),
        Run::Tenant(function) => (false, function),
        Run::Group(function) => (true, function),
    };
    let identity = caller?;
    let tenant = world
        .tenants
        .get_mut(&identity.tenant)
        .ok_or_else(ApiError::access_denied)?;
    let mut context = Context {
        call,
        now,
        settings: &world.settings,
        base_url: &world.base_url,
        tenant,
        seen_at: match effect {
            Some(Effect::StaleList(stale)) => earlier(now, Duration::from_millis(stale.age_ms)),
            _ => now,
        },
        partial_bulk: match effect {
            Some(Effect::PartialBulk(partial)) => Some(partial),
            _ => None,
        },
    };
    if needs_group {
        context.group()?;
    }
    function(&mut context)
}

fn response(answer: Answer, call: &Call, part: Option<f64>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if let Ok(id) = HeaderValue::from_str(&call.request_id) {
        response.headers_mut().insert("x-request-id", id);
    }
    *response.body_mut() = match part {
        None => Body::from(answer.body),
        Some(part) => {
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, HeaderValue::from(answer.body.len()));
            truncated(&answer.body, part)
        }
    };
    response
}

/// The beginning of a body, after which the connection breaks. The pause in between lets the server send what it has.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
fn truncated(body: &Bytes, part: f64) -> Body {
    let kept = ((body.len() as f64 * part) as usize).min(body.len());
    let beginning = stream::iter([Ok(body.slice(..kept))]);
    let end = stream::once(async {
        tokio::task::yield_now().await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    Body::from_stream(beginning.chain(end))
}

fn dropped() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Dropped);
    response
}
