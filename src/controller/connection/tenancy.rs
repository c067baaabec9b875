//! What went through a Connection and lives in another tenant than its key leads to now: the key was exchanged for one of somebody else.

use std::sync::Arc;

use super::reference;
use super::views::ConnectionName;
use crate::aicore::Tenant;
use crate::api::{Deployment, DeploymentStatus};
use crate::controller::context::Context;

/// Whether a Deployment records something in another tenant.
pub(super) fn lives_elsewhere(deployment: &Deployment, tenant: &Tenant) -> bool {
    let status = deployment.status.as_ref();
    let records = status.filter(|status| DeploymentStatus::records_something(status));
    records.is_some_and(|status| status.tenant.as_ref() != Some(tenant))
}

/// The Deployments that went through a Connection and live in another tenant than this one. While there are any, a person decides which of the two
/// is meant, and nothing new is created through it.
pub(crate) fn cut_off(
    context: &Context,
    name: &ConnectionName,
    tenant: &Tenant,
) -> Vec<Arc<Deployment>> {
    let mut deployments = context.deployments.state();
    deployments
        .retain(|it| reference::used(it).as_ref() == Some(name) && lives_elsewhere(it, tenant));
    deployments
}
