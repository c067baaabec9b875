//! Audit log, settings, faults, keys and tokens.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::record::Action;
use super::{Refusal, tenant_name};
use crate::faults::Fault;
use crate::settings::Settings;
use crate::world::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/audit", get(audit).delete(clear_audit))
        .route("/service-key", get(service_key))
        .route("/settings", get(settings).patch(change_settings))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/faults/{id}", delete(remove_fault))
        .route("/revoke-tokens", post(revoke_tokens))
        .route("/clients", post(replace_client))
}

/// A path that the control plane does not have.
pub(super) async fn fallback() -> Refusal {
    Refusal::not_found("the control plane has no such path")
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn audit(State(shared): State<Shared>, Query(After { after }): Query<After>) -> Json<Value> {
    Json(json!({"entries": shared.lock().audit.after(after)}))
}

async fn clear_audit(State(shared): State<Shared>) -> StatusCode {
    shared.lock().audit.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct TenantQuery {
    tenant: Option<String>,
}

/// A service key as SAP BTP hands it out.
async fn service_key(
    State(shared): State<Shared>,
    Query(query): Query<TenantQuery>,
) -> Result<Json<Value>, Refusal> {
    let world = shared.lock();
    let name = tenant_name(&world, query.tenant.as_deref())?;
    let tenant = world
        .tenants
        .get(&name)
        .ok_or_else(|| Refusal::not_found(format!("there is no tenant {name}")))?;
    Ok(Json(json!({
        "clientid": tenant.client_id,
        "clientsecret": tenant.client_secret,
        "url": world.base_url,
        "identityzone": tenant.zone,
        "identityzoneid": tenant.zone,
        "appname": format!("{}!b1|aicore!b1", tenant.zone),
        "serviceurls": {"AI_API_URL": world.base_url},
    })))
}

async fn settings(State(shared): State<Shared>) -> Json<Settings> {
    Json(shared.lock().settings.clone())
}

async fn change_settings(
    State(shared): State<Shared>,
    action: Action,
    Json(patch): Json<Value>,
) -> Result<Json<Settings>, Refusal> {
    let mut world = shared.lock();
    world.settings = world
        .settings
        .merged(&patch)
        .map_err(Refusal::bad_request)?;
    action.log(&mut world, None);
    Ok(Json(world.settings.clone()))
}

async fn faults(State(shared): State<Shared>) -> Json<Value> {
    Json(json!({"faults": shared.lock().faults.list()}))
}

async fn add_fault(
    State(shared): State<Shared>,
    action: Action,
    Json(fault): Json<Fault>,
) -> Result<Json<Value>, Refusal> {
    let mut world = shared.lock();
    let id = world.faults.add(fault).map_err(Refusal::bad_request)?;
    action.log(&mut world, None);
    Ok(Json(json!({"id": id})))
}

async fn clear_faults(State(shared): State<Shared>, action: Action) -> StatusCode {
    let mut world = shared.lock();
    world.faults.clear();
    action.log(&mut world, None);
    StatusCode::NO_CONTENT
}

async fn remove_fault(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    action: Action,
) -> Result<StatusCode, Refusal> {
    let mut world = shared.lock();
    if !world.faults.remove(&id) {
        return Err(Refusal::not_found(format!("there is no fault {id}")));
    }
    action.log(&mut world, None);
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all tokens that were issued until now, of one tenant or of all.
async fn revoke_tokens(
    State(shared): State<Shared>,
    action: Action,
    Json(query): Json<TenantQuery>,
) -> Result<StatusCode, Refusal> {
    let mut world = shared.lock();
    let tenant = query
        .tenant
        .map(|name| tenant_name(&world, Some(&name)))
        .transpose()?;
    let now = world.now();
    world.tokens.revoke(tenant.as_deref(), now);
    action.log(&mut world, tenant.as_deref());
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Client {
    tenant: Option<String>,
    client_id: String,
    client_secret: String,
}

/// Replaces the credentials that the token endpoint takes. Tokens live on.
async fn replace_client(
    State(shared): State<Shared>,
    action: Action,
    Json(client): Json<Client>,
) -> Result<StatusCode, Refusal> {
    let mut world = shared.lock();
    let name = tenant_name(&world, client.tenant.as_deref())?;
    if let Some(tenant) = world.tenants.get_mut(&name) {
        tenant.client_id = client.client_id;
        tenant.client_secret = client.client_secret;
    }
    action.log(&mut world, Some(&name));
    Ok(StatusCode::NO_CONTENT)
}
