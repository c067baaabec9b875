//! The token endpoint: client credentials, in the form or as Basic authentication.

use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::MethodFilter;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::call::{Answer, Call, Operation};
use crate::call_log::Caller;
use crate::endpoint::{Outcome, Run, endpoint};
use crate::errors::ApiError;
use crate::query::Query;
use crate::tenant::Tenant;
use crate::tokens::Identity;
use crate::world::{Shared, World};

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route(
        "/oauth/token",
        endpoint(MethodFilter::POST, Operation::Token, Run::Open(issue)),
    )
}

/// The client that a token request names, and its tenant when the secret is right.
pub(crate) fn caller(world: &World, call: &Call) -> Caller {
    let Some((client_id, secret)) = credentials(world, call) else {
        return Caller::default();
    };
    let tenant = find(world, &client_id, &secret).map(|tenant| tenant.zone.clone());
    Caller {
        tenant,
        client_id: Some(client_id),
    }
}

fn issue(world: &mut World, call: &Call) -> Outcome {
    let form = Query::parse(&call.body);
    let grant_type = form.get("grant_type").or(call.query.get("grant_type"));
    if grant_type != Some("client_credentials") {
        let description = "only the grant type client_credentials is supported";
        return Ok(refusal(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            description,
        ));
    }
    let tenant =
        credentials(world, call).and_then(|(client_id, secret)| find(world, &client_id, &secret));
    let Some(tenant) = tenant else {
        return Ok(refusal(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Bad credentials",
        ));
    };
    let identity = Identity {
        tenant: tenant.zone.clone(),
        client_id: tenant.client_id.clone(),
    };
    let lifetime = Duration::from_secs(world.settings.token_seconds);
    let now = world.now();
    let token = world
        .tokens
        .issue(identity, &world.base_url, now, lifetime)
        .map_err(|error| ApiError::internal(format!("The token could not be signed: {error}")))?;
    Ok(Answer::json(
        StatusCode::OK,
        &json!({
            "access_token": token.text,
            "token_type": "bearer",
            "expires_in": lifetime.as_secs(),
            "scope": "uaa.resource",
            "jti": token.id,
        }),
    ))
}

/// Client id and secret of a token request.
fn credentials(world: &World, call: &Call) -> Option<(String, String)> {
    if let Some(basic) = call
        .header(header::AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("Basic "))
    {
        let decoded = String::from_utf8(BASE64_STANDARD.decode(basic.trim()).ok()?).ok()?;
        let (client_id, secret) = decoded.split_once(':')?;
        return Some((client_id.to_owned(), secret.to_owned()));
    }
    if !world.settings.token_form {
        return None;
    }
    let form = Query::parse(&call.body);
    Some((
        form.get("client_id")?.to_owned(),
        form.get("client_secret")?.to_owned(),
    ))
}

fn find<'a>(world: &'a World, client_id: &str, secret: &str) -> Option<&'a Tenant> {
    world
        .tenants
        .values()
        .find(|tenant| tenant.client_id == client_id && tenant.client_secret == secret)
}

fn refusal(status: StatusCode, error: &str, description: &str) -> Answer {
    Answer::json(
        status,
        &json!({"error": error, "error_description": description}),
    )
}
