//! Configurations and resource groups that other people create and remove.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{delete, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::record::{Action, Touched};
use super::{Refusal, group_of, tenant_name};
use crate::api::{NewConfiguration, build_configuration, check_resource_group_id};
use crate::configuration::{Configuration, ParameterBinding};
use crate::resource_group::ResourceGroup;
use crate::world::{Shared, World};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/configurations", post(create_configuration))
        .route("/resource-groups", post(create_group))
        .route("/resource-groups/{id}", delete(remove_group))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OthersConfiguration {
    /// The id that it shall have.
    id: Option<String>,
    tenant: Option<String>,
    resource_group: String,
    name: String,
    scenario_id: String,
    executable_id: String,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

/// Somebody else creates a configuration.
async fn create_configuration(
    State(shared): State<Shared>,
    action: Action,
    Json(new): Json<OthersConfiguration>,
) -> Result<Json<Value>, Refusal> {
    let mut world = shared.lock();
    let tenant = tenant_name(&world, new.tenant.as_deref())?;
    let parameter_bindings = new
        .parameters
        .into_iter()
        .map(|(key, value)| ParameterBinding { key, value })
        .collect();
    let configuration = NewConfiguration {
        name: new.name,
        scenario_id: new.scenario_id,
        executable_id: new.executable_id,
        parameter_bindings,
        input_artifact_bindings: Vec::new(),
    };
    let group = &new.resource_group;
    let configuration = add_configuration(&mut world, &tenant, group, configuration, new.id)?;
    action.log(&mut world, Some(&tenant));
    Ok(Json(json!({"id": configuration.id})))
}

pub(super) fn add_configuration(
    world: &mut World,
    tenant: &str,
    group: &str,
    new: NewConfiguration,
    id: Option<String>,
) -> Result<Arc<Configuration>, Refusal> {
    let now = world.now();
    let mut configuration =
        build_configuration(new, now).map_err(|error| Refusal::bad_request(error.message))?;
    configuration.id = id.unwrap_or(configuration.id);
    let configuration = Arc::new(configuration);
    group_of(world, tenant, group)?
        .configurations
        .insert(configuration.id.clone(), Arc::clone(&configuration));
    Ok(configuration)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewGroup {
    tenant: Option<String>,
    resource_group_id: String,
}

/// Somebody else creates a resource group. It can be used at once.
async fn create_group(
    State(shared): State<Shared>,
    action: Action,
    Json(new): Json<NewGroup>,
) -> Result<StatusCode, Refusal> {
    let mut world = shared.lock();
    let name = tenant_name(&world, new.tenant.as_deref())?;
    check_resource_group_id(&new.resource_group_id)
        .map_err(|error| Refusal::bad_request(error.message))?;
    let now = world.now();
    let id = new.resource_group_id;
    let group = ResourceGroup::new(id.clone(), now);
    if let Some(tenant) = world.tenants.get_mut(&name) {
        tenant.groups.entry(id).or_insert(group);
    }
    action.log(&mut world, Some(&name));
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct InTenant {
    tenant: Option<String>,
}

/// A resource group is gone with everything in it.
async fn remove_group(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(query): Query<InTenant>,
    action: Action,
) -> Result<StatusCode, Refusal> {
    let mut world = shared.lock();
    let name = tenant_name(&world, query.tenant.as_deref())?;
    let removed = world
        .tenants
        .get_mut(&name)
        .and_then(|tenant| tenant.groups.remove(&id));
    let group =
        removed.ok_or_else(|| Refusal::not_found(format!("there is no resource group {id}")))?;
    action.log(&mut world, Some(&name));
    for deployment in group.deployments().values() {
        let touched = Touched {
            tenant: &name,
            resource_group: &id,
            before: Some(deployment.state()),
            after: None,
            deployment,
        };
        action.log_deployment(&mut world, touched);
    }
    Ok(StatusCode::NO_CONTENT)
}
