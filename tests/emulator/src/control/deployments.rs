//! What other people do to deployments, without a call to the API.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::record::{Action, Touched};
use super::surroundings::add_configuration;
use super::{Refusal, group_of, tenant_name};
use crate::api::view::DeploymentView;
use crate::api::{NewConfiguration, new_deployment_id};
use crate::configuration::Configuration;
use crate::deployment::Deployment;
use crate::lifecycle::{Status, TargetStatus};
use crate::resource_group::ResourceGroup;
use crate::world::{Shared, World};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/deployments", get(list).post(create))
        .route("/deployments/seed", post(seed))
        .route("/deployments/{id}", patch(force).delete(remove))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Listing {
    tenant: Option<String>,
    resource_group: Option<String>,
}

/// Every deployment with its whole state, whether callers see it yet or not.
async fn list(State(shared): State<Shared>, Query(filter): Query<Listing>) -> Json<Value> {
    let world = shared.lock();
    let mut deployments = Vec::new();
    for tenant in world.tenants.values().filter(|tenant| {
        filter
            .tenant
            .as_ref()
            .is_none_or(|name| *name == tenant.zone)
    }) {
        let in_filter = |group: &&ResourceGroup| {
            filter
                .resource_group
                .as_ref()
                .is_none_or(|name| *name == group.id)
        };
        for group in tenant.groups.values().filter(in_filter) {
            deployments.extend(
                group
                    .deployments()
                    .values()
                    .map(|found| full_view(&world, &tenant.zone, group, found)),
            );
        }
    }
    Json(json!({"deployments": deployments}))
}

fn full_view(world: &World, tenant: &str, group: &ResourceGroup, deployment: &Deployment) -> Value {
    let mut view = json!(DeploymentView::new(deployment, &world.settings));
    view["status"] = json!(deployment.status);
    view["tenant"] = json!(tenant);
    view["resourceGroup"] = json!(group.id);
    view["parameters"] = deployment
        .configuration
        .parameter_bindings
        .iter()
        .map(|binding| (binding.key.clone(), json!(binding.value)))
        .collect();
    view["frozen"] = json!(deployment.frozen);
    view["visible"] = json!(deployment.is_visible(world.now(), &world.settings));
    view
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewDeployment {
    /// The id that it shall have.
    id: Option<String>,
    tenant: Option<String>,
    resource_group: String,
    configuration_id: String,
    status: Option<Status>,
}

/// Somebody else creates a deployment.
async fn create(
    State(shared): State<Shared>,
    action: Action,
    Json(new): Json<NewDeployment>,
) -> Result<Json<Value>, Refusal> {
    let mut world = shared.lock();
    let tenant = tenant_name(&world, new.tenant.as_deref())?;
    let configuration = configuration(
        &mut world,
        &tenant,
        &new.resource_group,
        &new.configuration_id,
    )?;
    let deployment = add(
        &mut world,
        &tenant,
        &new.resource_group,
        configuration,
        new.status,
        new.id,
    )?;
    let touched = Touched {
        tenant: &tenant,
        resource_group: &new.resource_group,
        before: None,
        after: Some(deployment.state()),
        deployment: &deployment,
    };
    action.log_deployment(&mut world, touched);
    Ok(Json(json!({"id": deployment.id})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Seed {
    tenant: Option<String>,
    resource_group: String,
    count: usize,
    #[serde(default = "running")]
    status: Status,
}

fn running() -> Status {
    Status::Running
}

/// Many deployments at once, of one configuration that comes with them.
async fn seed(
    State(shared): State<Shared>,
    action: Action,
    Json(seed): Json<Seed>,
) -> Result<Json<Value>, Refusal> {
    let mut world = shared.lock();
    let tenant = tenant_name(&world, seed.tenant.as_deref())?;
    let new = NewConfiguration {
        name: "seed".to_owned(),
        scenario_id: "orchestration".to_owned(),
        executable_id: "orchestration".to_owned(),
        parameter_bindings: Vec::new(),
        input_artifact_bindings: Vec::new(),
    };
    let configuration = add_configuration(&mut world, &tenant, &seed.resource_group, new, None)?;
    for _ in 0..seed.count {
        add(
            &mut world,
            &tenant,
            &seed.resource_group,
            Arc::clone(&configuration),
            Some(seed.status.clone()),
            None,
        )?;
    }
    action.log(&mut world, Some(&tenant));
    Ok(Json(
        json!({"configurationId": configuration.id, "count": seed.count}),
    ))
}

fn add(
    world: &mut World,
    tenant: &str,
    group: &str,
    configuration: Arc<Configuration>,
    status: Option<Status>,
    id: Option<String>,
) -> Result<Deployment, Refusal> {
    let now = world.now();
    let mut deployment = Deployment::new(
        id.unwrap_or_else(new_deployment_id),
        configuration,
        None,
        &world.base_url,
        now,
    );
    if let Some(status) = status {
        force_status(&mut deployment, status, now);
    }
    group_of(world, tenant, group)?.put(deployment.clone(), now);
    Ok(deployment)
}

/// Gives a deployment a status with everything that normally comes before it.
fn force_status(deployment: &mut Deployment, status: Status, now: jiff::Timestamp) {
    if matches!(status, Status::Stopping | Status::Stopped) {
        deployment.enter(Status::Running, now);
        deployment.target_status = TargetStatus::Stopped;
    }
    deployment.enter(status, now);
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Forced {
    status: Option<Status>,
    target_status: Option<TargetStatus>,
    status_message: Option<String>,
    frozen: Option<bool>,
    /// Makes it older, so that a ttl ends without a wait.
    created_at: Option<Timestamp>,
}

/// Forces a state, possible or not. The state machine goes on from there unless it is frozen.
async fn force(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    action: Action,
    Json(forced): Json<Forced>,
) -> Result<StatusCode, Refusal> {
    let mut world = shared.lock();
    let now = world.now();
    let (tenant, group) = place_of(&world, &id)?;
    let places = group_of(&mut world, &tenant, &group)?;
    let mut deployment = places
        .deployments()
        .get(&id)
        .cloned()
        .ok_or_else(|| no_deployment(&id))?;
    let before = deployment.state();
    if let Some(status) = forced.status {
        deployment.enter(status, now);
    }
    if let Some(target_status) = forced.target_status {
        deployment.target_status = target_status;
        deployment.phase_since = now;
    }
    deployment.status_message = forced.status_message.or(deployment.status_message);
    deployment.frozen = forced.frozen.unwrap_or(deployment.frozen);
    deployment.created_at = forced.created_at.unwrap_or(deployment.created_at);
    deployment.modified_at = now;
    places.put(deployment.clone(), now);
    let touched = Touched {
        tenant: &tenant,
        resource_group: &group,
        before: Some(before),
        after: Some(deployment.state()),
        deployment: &deployment,
    };
    action.log_deployment(&mut world, touched);
    Ok(StatusCode::NO_CONTENT)
}

/// A deployment is gone, whatever it was doing.
async fn remove(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    action: Action,
) -> Result<StatusCode, Refusal> {
    let mut world = shared.lock();
    let now = world.now();
    let (tenant, group) = place_of(&world, &id)?;
    let deployment = group_of(&mut world, &tenant, &group)?
        .remove(&id, now)
        .ok_or_else(|| no_deployment(&id))?;
    let touched = Touched {
        tenant: &tenant,
        resource_group: &group,
        before: Some(deployment.state()),
        after: None,
        deployment: &deployment,
    };
    action.log_deployment(&mut world, touched);
    Ok(StatusCode::NO_CONTENT)
}

fn configuration(
    world: &mut World,
    tenant: &str,
    group: &str,
    id: &str,
) -> Result<Arc<Configuration>, Refusal> {
    let found = group_of(world, tenant, group)?.configurations.get(id);
    found.cloned().ok_or_else(|| {
        Refusal::not_found(format!(
            "there is no configuration {id} in resource group {group}"
        ))
    })
}

/// The tenant and group of a deployment.
fn place_of(world: &World, id: &str) -> Result<(String, String), Refusal> {
    let groups = world
        .tenants
        .values()
        .flat_map(|tenant| tenant.groups.values().map(move |group| (tenant, group)));
    let found = groups
        .into_iter()
        .find(|(_, group)| group.deployments().contains_key(id));
    found
        .map(|(tenant, group)| (tenant.zone.clone(), group.id.clone()))
        .ok_or_else(|| no_deployment(id))
}

fn no_deployment(id: &str) -> Refusal {
    Refusal::not_found(format!("there is no deployment {id}"))
}
