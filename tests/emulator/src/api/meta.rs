//! `/lm/meta`, and the small calls of `/admin`: reserved nodes, instance types, the tenant.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::MethodFilter;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::call::{Answer, Operation};
use crate::endpoint::{Context, Outcome, Run, endpoint};
use crate::errors::ApiError;
use crate::settings::BulkUpdates;
use crate::world::Shared;

/// Resource plans of the standard service plan.
pub(super) const RESOURCE_PLANS: &[&str] = &[
    "starter", "basic", "basic.8x", "train.l", "infer.s", "infer.m", "infer.l",
];
/// Most nodes that can be reserved for one plan.
const MAXIMUM_NODES: u64 = 10;

pub(super) fn lm_routes() -> Router<Shared> {
    Router::new().route(
        "/meta",
        endpoint(MethodFilter::GET, Operation::Meta, Run::Tenant(meta)),
    )
}

pub(super) fn admin_routes() -> Router<Shared> {
    let other = |method, function| endpoint(method, Operation::Other, Run::Tenant(function));
    Router::new()
        .route(
            "/resources/nodes",
            other(MethodFilter::GET, nodes).merge(other(MethodFilter::PATCH, reserve_nodes)),
        )
        .route(
            "/resources/instanceTypes",
            other(MethodFilter::GET, instance_types),
        )
        .route("/tenantInfo", other(MethodFilter::GET, tenant_info))
}

fn meta(context: &mut Context<'_>) -> Outcome {
    let mut capabilities = json!({
        "logs": {"deployments": true, "executions": true},
        "multitenant": true,
        "shareable": true,
        "staticDeployments": true,
        "timeToLiveDeployments": true,
        "userDeployments": true,
        "userExecutions": true,
        "executionSchedules": true,
    });
    match context.settings.bulk_updates {
        BulkUpdates::Present => {
            capabilities["bulkUpdates"] = json!({"deployments": true, "executions": true})
        }
        BulkUpdates::Absent => {
            capabilities["bulkUpdates"] = json!({"deployments": false, "executions": false})
        }
        BulkUpdates::Missing => {}
    }
    let body = json!({
        "runtimeIdentifier": "aicore",
        "runtimeApiVersion": "2.21.0",
        "aiApi": {
            "version": "2.18.0",
            "capabilities": capabilities,
            "limits": {
                "deployments": {"maxRunningCount": -1},
                "executions": {"maxRunningCount": -1},
                "minimumFrequencyHour": 1,
                "timeToLiveDeployments": {"minimum": "10m", "maximum": -1},
            },
        },
        "extensions": {
            "analytics": {"version": "1.0.0"},
            "metrics": {"version": "1.0.0"},
            "resourceGroups": {"version": "1.0.0"},
        },
    });
    Ok(Answer::json(StatusCode::OK, &body))
}

fn nodes(context: &mut Context<'_>) -> Outcome {
    let plan = |plan: &&str| {
        let requested = context
            .tenant
            .reserved_nodes
            .get(*plan)
            .copied()
            .unwrap_or_default();
        (
            (*plan).to_owned(),
            json!({"provisioned": requested, "requested": requested}),
        )
    };
    let plans: Map<String, Value> = RESOURCE_PLANS.iter().map(plan).collect();
    Ok(Answer::json(
        StatusCode::OK,
        &json!({"resourcePlans": plans}),
    ))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reservation {
    resource_plans: Vec<PlanRequest>,
}

#[derive(Deserialize)]
struct PlanRequest {
    name: String,
    request: u64,
}

fn reserve_nodes(context: &mut Context<'_>) -> Outcome {
    let reservation: Reservation = context.call.json()?;
    for plan in &reservation.resource_plans {
        if !RESOURCE_PLANS.contains(&plan.name.as_str()) || plan.request > MAXIMUM_NODES {
            let message = format!(
                "{} nodes of plan {} cannot be reserved",
                plan.request, plan.name
            );
            return Err(ApiError::bad_request(message));
        }
    }
    let plans = reservation
        .resource_plans
        .into_iter()
        .map(|plan| (plan.name, plan.request));
    context.tenant.reserved_nodes.extend(plans);
    Ok(Answer::json(
        StatusCode::OK,
        &json!({"message": "Resource reservation updated"}),
    ))
}

fn instance_types(_: &mut Context<'_>) -> Outcome {
    let small = json!({"memory": "16", "cpu": "4", "gpu": "0", "billableUnitsPerHour": "1"});
    Ok(Answer::json(
        StatusCode::OK,
        &json!({"instanceTypes": {"general.small": small}}),
    ))
}

fn tenant_info(context: &mut Context<'_>) -> Outcome {
    let body =
        json!({"tenantId": context.tenant.zone, "servicePlan": "standard", "status": "ACTIVE"});
    Ok(Answer::json(StatusCode::OK, &body))
}
