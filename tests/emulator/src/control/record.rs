//! What the control plane leaves in the audit log.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;

use crate::audit::{Entry, Kind, State};
use crate::call::Operation;
use crate::deployment::Deployment;
use crate::world::World;

/// Method and path of a request to the control plane, for its entry.
#[derive(Clone, Debug)]
pub(super) struct Action {
    method: String,
    path: String,
}

/// A deployment that an action touched.
pub(super) struct Touched<'a> {
    pub(super) tenant: &'a str,
    pub(super) resource_group: &'a str,
    pub(super) deployment: &'a Deployment,
    pub(super) before: Option<State>,
    pub(super) after: Option<State>,
}

impl<S: Sync> FromRequestParts<S> for Action {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let uri = parts
            .extensions
            .get()
            .map_or(&parts.uri, |OriginalUri(uri)| uri);
        Ok(Self {
            method: parts.method.to_string(),
            path: uri.path().to_owned(),
        })
    }
}

impl Action {
    /// Notes an action that touched no deployment.
    pub(super) fn log(&self, world: &mut World, tenant: Option<&str>) {
        let entry = Entry {
            tenant: tenant.map(str::to_owned),
            ..self.entry(world)
        };
        world.audit.append(entry);
    }

    /// Notes an action that came, went, or changed a deployment.
    pub(super) fn log_deployment(&self, world: &mut World, touched: Touched<'_>) {
        let entry = Entry {
            tenant: Some(touched.tenant.to_owned()),
            resource_group: Some(touched.resource_group.to_owned()),
            deployment_id: Some(touched.deployment.id.clone()),
            configuration_id: Some(touched.deployment.configuration.id.clone()),
            before: touched.before,
            after: touched.after,
            ..self.entry(world)
        };
        world.audit.append(entry);
    }

    fn entry(&self, world: &World) -> Entry {
        Entry {
            method: Some(self.method.clone()),
            path: Some(self.path.clone()),
            accepted: true,
            ..Entry::new(Kind::Control, Operation::Control, world.now())
        }
    }
}
