//! Which Connection an object reaches AI Core through, or what is in the way.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};

use crate::aicore::{Client, Error, GroupKey, Tenant, Validity};
use crate::api::{Deployment, DeploymentStatus, IN_USE_FINALIZER, Reason};
use crate::controller::connection::views::{ConnectionName, ConnectionView};
use crate::controller::connection::{grants, owner, reference, tenancy};
use crate::controller::context::Context;
use crate::controller::finalizers;
use crate::controller::problem::{Problem, cause};
use crate::controller::subject::adopts;
use crate::lifecycle::situation;

/// The reason of every refusal.
pub(crate) const DENIED: Reason = Reason::AccessDenied;

/// A way to AI Core for one object.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The namespace of the object.
    pub(crate) namespace: String,
    /// The Connection.
    pub(crate) connection: ConnectionName,
    /// The client with its key.
    pub(crate) client: Client,
    /// The tenant and resource group of the object.
    pub(crate) key: GroupKey,
    /// Whether nobody else creates deployments from the configurations that objects name.
    pub(crate) exclusive: bool,
    /// The object with which the key was revoked, or is about to be, where the object may be told.
    pub(crate) revoker: Option<String>,
    /// Why nothing may be created or adopted through it, where only what is recorded may be stopped and deleted.
    pub(crate) denied: Option<Problem>,
}

impl Access {
    /// Writes into a status where its ids live, and through which Connection they are obtained.
    pub(crate) fn note(&self, status: &mut DeploymentStatus) {
        status.tenant = Some(self.key.tenant().clone());
        reference::note(status, &self.namespace, &self.connection);
    }

    /// What an error means, for those who read the object.
    pub(crate) fn problem(&self, error: &Error) -> Problem {
        let (namespace, name) = &self.connection;
        if error.is_about_credentials() && *namespace != self.namespace {
            let title = format!("Connection {name} of namespace {namespace}");
            return elsewhere(&title, error.needs_a_person());
        }
        Problem {
            reason: error.reason(),
            message: error.to_string(),
        }
    }

    /// What is in the way where AI Core answers with an error, or does not answer.
    pub(crate) fn blocked(&self, error: &Error) -> Blocked {
        let connection = match error.needs_a_person() {
            true => situation::Connection::Unusable,
            false => situation::Connection::Unreachable,
        };
        Blocked {
            connection,
            problem: self.problem(error),
        }
    }

    /// In the words of the rules.
    pub(crate) fn standing(&self) -> situation::Connection {
        match self.denied {
            None => situation::Connection::Ready,
            Some(_) => situation::Connection::Withdrawn,
        }
    }
}

/// What is in the way.
#[derive(Clone, Debug)]
pub(crate) struct Blocked {
    /// In the words of the rules.
    pub(crate) connection: situation::Connection,
    /// For a person.
    pub(crate) problem: Problem,
}

impl Blocked {
    fn new(connection: situation::Connection, reason: Reason, message: String) -> Self {
        Self {
            connection,
            problem: Problem { reason, message },
        }
    }

    /// A person must act.
    fn unusable(reason: Reason, message: String) -> Self {
        Self::new(situation::Connection::Unusable, reason, message)
    }

    /// What AI Core has refused, with what is known of the key.
    pub(crate) fn explained_by(self, access: &Access) -> Self {
        Self {
            problem: owner::explained(self.problem, access.revoker.as_deref()),
            ..self
        }
    }

    /// It can heal.
    fn unready(message: String) -> Self {
        Self::new(
            situation::Connection::Unreachable,
            Reason::ConnectionNotReady,
            message,
        )
    }
}

/// Finds the way to AI Core for an object: through the Connection that its spec names, or, while an id or an intent is recorded, through any
/// of its Connections that leads to the recorded tenant.
pub(crate) async fn find(context: &Context, object: &Deployment) -> Result<Access, Blocked> {
    let named = reference::named(object);
    let denied = denial(context, object, &named).await;
    if let Some(uid) = object.uid() {
        context.claims.allow(&uid, denied.is_none());
    }
    let blocked = match through(context, object, named.clone(), denied.clone()).await {
        Ok(access) => return Ok(access),
        Err(blocked) => blocked,
    };
    let former = reference::used(object).filter(|used| records_something(object) && *used != named);
    let Some(former) = former else {
        return Err(blocked);
    };
    // Where the Connection that is asked for is refused, the former one is no way round that.
    let denied = match denied {
        None => denial(context, object, &former).await,
        denied => denied,
    };
    through(context, object, former, denied)
        .await
        .map_err(|_| blocked)
}

fn records_something(object: &Deployment) -> bool {
    let status = object.status.as_ref();
    status.is_some_and(DeploymentStatus::records_something)
}

/// The way through one Connection. Where it is denied, what the object has obtained through it can still be reached.
async fn through(
    context: &Context,
    object: &Deployment,
    name: ConnectionName,
    denied: Option<Blocked>,
) -> Result<Access, Blocked> {
    let records_something = records_something(object);
    let was_used = reference::used(object).as_ref() == Some(&name);
    // Of a namespace that it does not look at this operator can know nothing.
    let out_of_sight = !context.options.scope.contains(&name.0);
    // What it would adopt is not its own yet.
    let owns_nothing = !was_used || !records_something && adopts(object).is_some();
    if let Some(denied) = denied.as_ref().filter(|_| owns_nothing || out_of_sight) {
        return Err(denied.clone());
    }
    let status = object.status.as_ref();
    let tenant = status.and_then(|status| status.tenant.as_ref());
    let tenant = tenant.filter(|_| records_something || denied.is_some());
    let at_home = is_at_home(object, &name);
    let blocked = match context.connections.get(&name) {
        Some(ConnectionView::Usable {
            client,
            exclusive,
            revoker,
        }) => {
            if tenant.is_none_or(|tenant| tenant == client.tenant()) {
                return Ok(Access {
                    namespace: object.namespace().unwrap_or_default(),
                    connection: name,
                    key: client.group_key(&object.spec.resource_group),
                    client,
                    exclusive,
                    revoker: revoker.filter(|_| at_home),
                    denied: denied.map(|denied| denied.problem),
                });
            }
            other_tenant(object, &name, client.tenant(), tenant)
        }
        Some(ConnectionView::Unusable { reason, message }) if at_home => {
            Blocked::unusable(reason, message)
        }
        Some(ConnectionView::Unusable { .. }) => Blocked {
            connection: situation::Connection::Unusable,
            problem: elsewhere(&title(object, &name), true),
        },
        None => unseen(context, object, &name).await,
    };
    // Nothing has to be reached, so nothing is told of a Connection that the object may not use.
    Err(denied.filter(|_| !records_something).unwrap_or(blocked))
}

fn is_at_home(object: &Deployment, name: &ConnectionName) -> bool {
    object.namespace().as_ref() == Some(&name.0)
}

/// A Connection as it is told of to those who read the object.
fn title(object: &Deployment, (namespace, name): &ConnectionName) -> String {
    match object.namespace().as_ref() == Some(namespace) {
        true => format!("Connection {name}"),
        false => format!("Connection {name} of namespace {namespace}"),
    }
}

/// What is wrong with the credentials of a Connection of another namespace is told to its owner, and not to those whom it lets use it.
fn elsewhere(title: &str, needs_a_person: bool) -> Problem {
    let message = match needs_a_person {
        true => format!("{title} has no key that AI Core accepts; ask whoever owns it"),
        false => format!(
            "{title} does not get into AI Core at the moment; it is tried again, and whoever owns it can see why"
        ),
    };
    Problem {
        reason: Reason::ConnectionNotReady,
        message,
    }
}

/// Why the object may not create or adopt anything through a Connection.
async fn denial(context: &Context, object: &Deployment, name: &ConnectionName) -> Option<Blocked> {
    if is_at_home(object, name) {
        return None;
    }
    let scope = &context.options.scope;
    if !scope.contains(&name.0) {
        let message = format!(
            "{} and cannot use {}; name a Connection of namespace {}",
            scope.refusal(&name.0),
            title(object, name),
            object.namespace().unwrap_or_default()
        );
        return Some(Blocked::unusable(DENIED, message));
    }
    match is_allowed(context, object, name).await {
        Ok(true) => None,
        Ok(false) => Some(denied(object, name)),
        Err(error) => {
            let message = format!(
                "whether this namespace may use {} cannot be read from the Kubernetes API ({}); it is tried again",
                title(object, name),
                cause(&error)
            );
            Some(Blocked::unready(message))
        }
    }
}

async fn is_allowed(
    context: &Context,
    object: &Deployment,
    name: &ConnectionName,
) -> Result<bool, kube::Error> {
    let access = match context.connections.access(name) {
        Some(access) => access,
        None => {
            let connection = context.connections_in(&name.0).get_opt(&name.1).await?;
            connection.map_or_else(Vec::new, |connection| connection.spec.access)
        }
    };
    let namespace = object.namespace().unwrap_or_default();
    grants::allow(
        context,
        name,
        &access,
        &namespace,
        &object.spec.resource_group,
    )
    .await
}

/// The same words whether the Connection does not exist, does not know the namespace, or grants it other groups: a namespace learns nothing of
/// another one.
fn denied(object: &Deployment, name: &ConnectionName) -> Blocked {
    let message = format!(
        "{} does not exist or does not let namespace {} use this group; ask whoever owns it to list both in its spec.access",
        title(object, name),
        object.namespace().unwrap_or_default()
    );
    Blocked::unusable(DENIED, message)
}

/// What a Connection of another namespace leads to now is not told.
fn other_tenant(
    object: &Deployment,
    name: &ConnectionName,
    now: &Tenant,
    recorded: Option<&Tenant>,
) -> Blocked {
    let place = |tenant: &Tenant| {
        format!(
            "{} (identity zone {})",
            tenant.api_url, tenant.identity_zone_id
        )
    };
    let now = match is_at_home(object, name) {
        true => format!("the tenant at {}", place(now)),
        false => "another tenant".to_owned(),
    };
    let message = format!(
        "{} now leads to {now}, but the deployment lives in {}; nothing is done until a key of that tenant is back in the Secret, or connectionRef \
         names a Connection to it",
        title(object, name),
        recorded.map(place).unwrap_or_default()
    );
    Blocked::new(
        situation::Connection::OtherTenant,
        Reason::TenantChanged,
        message,
    )
}

/// A Connection that this process has not looked at: it does not exist, or its turn has not come.
async fn unseen(context: &Context, object: &Deployment, name: &ConnectionName) -> Blocked {
    let title = title(object, name);
    match context.connections_in(&name.0).get_opt(&name.1).await {
        Ok(None) if is_at_home(object, name) => {
            let (namespace, name) = name;
            let message = format!(
                "there is no Connection {name} in namespace {namespace}; create it, or correct spec.connectionRef"
            );
            Blocked::unusable(Reason::ConnectionMissing, message)
        }
        Ok(None) => denied(object, name),
        Ok(Some(_)) => Blocked::unready(format!("{title} is being looked at; this takes a moment")),
        Err(error) => {
            let message = format!(
                "{title} could not be read from the Kubernetes API ({}); it is tried again",
                cause(&error)
            );
            Blocked::unready(message)
        }
    }
}

/// Whether the Connection, read from the API server and not from a cache, lets the object adopt through it.
pub(crate) async fn grant_stands(context: &Context, access: &Access) -> Result<bool, kube::Error> {
    let (namespace, name) = &access.connection;
    if *namespace == access.namespace {
        return Ok(true);
    }
    let Some(connection) = context.connections_in(namespace).get_opt(name).await? else {
        return Ok(false);
    };
    // What was read here counts for whoever looks next.
    context
        .connections
        .grant(&access.connection, &connection.spec.access);
    context.namespaces.forget(&access.namespace);
    grants::allow(
        context,
        &access.connection,
        &connection.spec.access,
        &access.namespace,
        &access.key.group,
    )
    .await
}

/// Whether the Connection and its Secret, read from the API server and not from a cache, both carry our finalizer and neither is about to go, the
/// object may use them, and the key is the right one and will serve. Only then may a deployment be made: without that it could never be stopped again.
pub(crate) async fn chain_holds(context: &Context, access: &Access) -> Result<bool, kube::Error> {
    let held = |finalizer: bool, terminating: bool| finalizer && !terminating;
    let (namespace, name) = &access.connection;
    if !will_serve(context, access) {
        return Ok(false);
    }
    let Some(connection) = context.connections_in(namespace).get_opt(name).await? else {
        return Ok(false);
    };
    if !held(
        finalizers::has(&connection, IN_USE_FINALIZER),
        finalizers::is_terminating(&connection),
    ) {
        return Ok(false);
    }
    context.namespaces.forget(&access.namespace);
    let allowed = grants::allow(
        context,
        &access.connection,
        &connection.spec.access,
        &access.namespace,
        &access.key.group,
    );
    if !allowed.await? {
        return Ok(false);
    }
    let secrets: Api<Secret> = Api::namespaced(context.kube.clone(), namespace);
    let secret = secrets
        .get_metadata_opt(&connection.spec.secret_ref.name)
        .await?;
    Ok(secret.is_some_and(|secret| {
        held(
            finalizers::has(&secret, IN_USE_FINALIZER),
            finalizers::is_terminating(&secret),
        )
    }))
}

/// Whether the certificate of the key is not over, and no other object waits for a key of another tenant.
fn will_serve(context: &Context, access: &Access) -> bool {
    let over = |it: Validity| it.is_over(Timestamp::now());
    !access.client.certificate().is_some_and(over)
        && tenancy::cut_off(context, &access.connection, access.key.tenant()).is_empty()
}
