//! The API: one module for each kind of resource, one function for each call.

mod artifacts;
mod bulk;
mod configurations;
mod deployments;
mod identifiers;
mod logs;
mod meta;
mod quota;
mod reading;
mod resource_groups;
mod scenarios;
pub(crate) mod token;
pub(crate) mod view;

use axum::Router;

use crate::world::Shared;

pub(crate) use configurations::{NewConfiguration, build as build_configuration};
pub(crate) use identifiers::new_deployment_id;
pub(crate) use resource_groups::check_id as check_resource_group_id;

/// All paths of the token endpoint and the API.
pub(crate) fn routes() -> Router<Shared> {
    let lm = Router::new()
        .merge(deployments::routes())
        .merge(configurations::routes())
        .merge(scenarios::routes())
        .merge(artifacts::routes())
        .merge(logs::routes())
        .merge(meta::lm_routes());
    let admin = Router::new()
        .merge(resource_groups::routes())
        .merge(quota::routes())
        .merge(meta::admin_routes());
    Router::new()
        .merge(token::routes())
        .nest("/v2/lm", lm)
        .nest("/v2/admin", admin)
}
