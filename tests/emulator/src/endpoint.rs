//! The methods of the API's paths, and what their functions work with.

use axum::Router;
use axum::extract::{RawPathParams, Request, State};
use axum::routing::{MethodFilter, MethodRouter, on};
use jiff::Timestamp;

use crate::call::{Answer, Call, Operation, Subject};
use crate::deployment::Deployment;
use crate::dispatch::serve;
use crate::errors::ApiError;
use crate::faults::PartialBulk;
use crate::resource_group::ResourceGroup;
use crate::settings::{MissingGroup, Settings, UnknownGroup};
use crate::tenant::Tenant;
use crate::world::{Shared, World};

/// The result of a function of the API.
pub(crate) type Outcome = Result<Answer, ApiError>;

/// A method of a path and the function behind it.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint {
    pub(crate) run: Run,
    /// What a request is about, read from its path and its body.
    pub(crate) subjects: fn(&Call) -> Vec<Subject>,
    pub(crate) operation: Operation,
    pub(crate) bulk: bool,
}

/// What must be known about a caller, and the function that then runs.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// Nothing.
    Open(fn(&mut World, &Call) -> Outcome),
    /// A valid token.
    Tenant(fn(&mut Context<'_>) -> Outcome),
    /// A valid token and a resource group that is ready.
    Group(fn(&mut Context<'_>) -> Outcome),
}

/// What a function of the API works with.
pub(crate) struct Context<'a> {
    pub(crate) call: &'a Call,
    pub(crate) now: Timestamp,
    pub(crate) settings: &'a Settings,
    pub(crate) base_url: &'a str,
    pub(crate) tenant: &'a mut Tenant,
    /// The moment whose state readers see: now, unless a fault makes lists lag behind.
    pub(crate) seen_at: Timestamp,
    /// Items of a bulk call that fail by a fault.
    pub(crate) partial_bulk: Option<&'a PartialBulk>,
}

/// Serves one method of a path.
pub(crate) fn endpoint(
    filter: MethodFilter,
    operation: Operation,
    run: Run,
) -> MethodRouter<Shared> {
    classified(
        filter,
        Endpoint {
            run,
            subjects: path_subject,
            operation,
            bulk: false,
        },
    )
}

/// Serves one method of a path whose operation depends on the body.
pub(crate) fn classified(filter: MethodFilter, endpoint: Endpoint) -> MethodRouter<Shared> {
    on(
        filter,
        move |State(shared): State<Shared>, parameters: RawPathParams, request: Request| {
            serve(shared, endpoint, parameters, request)
        },
    )
}

/// Answers every path and method that nothing else answers.
pub(crate) fn with_fallbacks(router: Router<Shared>) -> Router<Shared> {
    let other = |run| Endpoint {
        run,
        subjects: path_subject,
        operation: Operation::Other,
        bulk: false,
    };
    let no_route = other(Run::Open(|_, _| Err(ApiError::no_route())));
    let no_method = other(Run::Open(|_, _| Err(ApiError::method_not_allowed())));
    router
        .fallback(
            move |State(shared): State<Shared>, parameters: RawPathParams, request: Request| {
                serve(shared, no_route, parameters, request)
            },
        )
        .method_not_allowed_fallback(
            move |State(shared): State<Shared>, parameters: RawPathParams, request: Request| {
                serve(shared, no_method, parameters, request)
            },
        )
}

/// The one subject of a call that names it in its path. Its operation is filled in from the endpoint.
pub(crate) fn path_subject(call: &Call) -> Vec<Subject> {
    vec![Subject {
        operation: Operation::Other,
        deployment_id: call.parameters.get("deploymentId").cloned(),
        configuration_id: call.parameters.get("configurationId").cloned(),
    }]
}

impl Context<'_> {
    /// The resource group of the call. Groups that are not there yet, or not any more, look alike.
    pub(crate) fn group(&mut self) -> Result<&mut ResourceGroup, ApiError> {
        let id = match (self.call.resource_group(), self.settings.missing_group) {
            (Some(id), _) => id,
            (None, MissingGroup::Default) => "default",
            (None, MissingGroup::Refuse) => {
                return Err(ApiError::bad_request(
                    "The header AI-Resource-Group is missing",
                ));
            }
        };
        let (now, settings) = (self.now, self.settings);
        let refusal = match self.settings.unknown_group {
            UnknownGroup::Forbidden403 => ApiError::access_denied(),
            UnknownGroup::NotFound404 => ApiError::group_not_found(id),
        };
        self.tenant
            .groups
            .get_mut(id)
            .filter(|group| group.is_ready(now, settings))
            .ok_or(refusal)
    }

    /// A deployment of the call's resource group, to look at and to change.
    pub(crate) fn deployment(&mut self, id: &str) -> Result<Deployment, ApiError> {
        let (now, settings) = (self.now, self.settings);
        let deployment = self.group()?.deployments().get(id);
        let visible = deployment.filter(|deployment| deployment.is_visible(now, settings));
        visible
            .cloned()
            .ok_or_else(|| ApiError::deployment_not_found(id, settings))
    }
}
