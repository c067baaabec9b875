//! `/admin/resourceQuota/deployments`

use axum::Router;
use axum::http::StatusCode;
use axum::routing::MethodFilter;
use serde_json::{Value, json};

use super::meta::RESOURCE_PLANS;
use crate::call::{Answer, Operation};
use crate::endpoint::{Context, Outcome, Run, endpoint};
use crate::world::Shared;

/// `maxCount` when no quota is set: the service has no word for "no limit" here.
const UNLIMITED: usize = 1_000_000;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route(
        "/resourceQuota/deployments",
        endpoint(MethodFilter::GET, Operation::Quota, Run::Tenant(quota)),
    )
}

/// The quota, and unless `quotaOnly` is set, what uses it: every deployment of the tenant until it is gone.
fn quota(context: &mut Context<'_>) -> Outcome {
    let quota_only = context.call.query.flag("quotaOnly")?;
    let limit = context.settings.max_deployments.unwrap_or(UNLIMITED);
    let plan = |plan: &&str| json!({"resourcePlanType": plan, "deploymentQuota": {"maxCount": limit, "maxReplicaPerDeployment": 10}});
    let mut body = json!({"quotas": RESOURCE_PLANS.iter().map(plan).collect::<Vec<_>>()});
    if !quota_only {
        let items: Vec<Value> = context
            .tenant
            .groups
            .values()
            .flat_map(|group| group.deployments().values())
            .map(|deployment| {
                let plan = deployment
                    .configuration
                    .parameter("resourcePlan")
                    .unwrap_or("starter");
                json!({"id": deployment.id, "resourcePlanType": plan, "configuredMaxReplicas": 1})
            })
            .collect();
        body["usage"] = json!({"count": items.len(), "items": items});
    }
    Ok(Answer::json(StatusCode::OK, &body))
}
