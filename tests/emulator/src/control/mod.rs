//! `/_emulator`: the control plane. It reads the audit log, switches faults and settings, and does what other people do
//! behind a caller's back. It asks for no token and is no part of AI Core.

mod console;
mod deployments;
mod record;
mod surroundings;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::resource_group::ResourceGroup;
use crate::world::{Shared, World};

use console::fallback;

/// All paths of the control plane, below `/_emulator`.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .merge(console::routes())
        .merge(deployments::routes())
        .merge(surroundings::routes())
        .fallback(fallback)
}

/// A request that the control plane cannot carry out, as a sentence.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn bad_request(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
        }
    }

    fn not_found(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            message: message.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, axum::Json(json!({"error": self.message}))).into_response()
    }
}

/// The tenant that a request names; without a name the only one, or the first.
fn tenant_name(world: &World, name: Option<&str>) -> Result<String, Refusal> {
    match name {
        Some(name) if world.tenants.contains_key(name) => Ok(name.to_owned()),
        Some(name) => Err(Refusal::not_found(format!("there is no tenant {name}"))),
        None => {
            let first = world.first_tenant.clone();
            first.ok_or_else(|| Refusal::not_found("the emulator was started without a tenant"))
        }
    }
}

fn group_of<'a>(
    world: &'a mut World,
    tenant: &str,
    group: &str,
) -> Result<&'a mut ResourceGroup, Refusal> {
    let found = world
        .tenants
        .get_mut(tenant)
        .and_then(|tenant| tenant.groups.get_mut(group));
    found.ok_or_else(|| {
        Refusal::not_found(format!(
            "there is no resource group {group} in tenant {tenant}"
        ))
    })
}
