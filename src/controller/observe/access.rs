//! Which Connection an object reaches AI Core through, or what is in the way.

use kube::ResourceExt;

use crate::aicore::{Client, Error, GroupKey};
use crate::api::{Connection, Deployment, IN_USE_FINALIZER};
use crate::controller::connection::views::ConnectionView;
use crate::controller::context::Context;
use crate::controller::finalizers;
use crate::controller::problem::{Problem, cause};
use crate::lifecycle::situation;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;

/// A way to AI Core for one object.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The name of the Connection.
    pub(crate) connection: String,
    /// The client with its key.
    pub(crate) client: Client,
    /// The tenant and resource group of the object.
    pub(crate) key: GroupKey,
    /// Whether nobody else creates deployments from the configurations that objects name.
    pub(crate) exclusive: bool,
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
    fn new(connection: situation::Connection, reason: &'static str, message: String) -> Self {
        Self {
            connection,
            problem: Problem { reason, message },
        }
    }
}

impl From<&Error> for Blocked {
    /// A key that AI Core does not accept needs a person; everything else can heal.
    fn from(error: &Error) -> Self {
        let connection = match error {
            Error::TokenRejected(_)
            | Error::Unauthorized(_)
            | Error::Forbidden(_)
            | Error::NotFound(_)
            | Error::Rejected(_)
            | Error::NoConnection(_) => situation::Connection::Unusable,
            _ => situation::Connection::Unreachable,
        };
        Self::new(connection, error.reason(), error.to_string())
    }
}

/// Finds the way to AI Core for an object: through the Connection that its spec names, or, while an id or an intent is recorded, through any
/// of its Connections that leads to the recorded tenant.
pub(crate) async fn find(context: &Context, object: &Deployment) -> Result<Access, Blocked> {
    let status = object.status.clone().unwrap_or_default();
    let records_something = status.records_something();
    let tenant = status.tenant.filter(|_| records_something);
    let namespace = object.namespace().unwrap_or_default();
    let mut names = vec![object.spec.connection_ref.name.clone()];
    names.extend(
        status
            .connection
            .filter(|name| tenant.is_some() && *name != names[0]),
    );

    let mut blocked = None;
    for name in names {
        let in_the_way = match context.connections.get(&(namespace.clone(), name.clone())) {
            Some(ConnectionView::Usable { client, exclusive }) => {
                if tenant
                    .as_ref()
                    .is_none_or(|tenant| tenant == client.tenant())
                {
                    let key = GroupKey {
                        tenant: client.tenant().clone(),
                        group: object.spec.resource_group.clone(),
                    };
                    return Ok(Access {
                        connection: name,
                        client,
                        key,
                        exclusive,
                    });
                }
                other_tenant(&name, &client, tenant.as_ref())
            }
            Some(ConnectionView::Unusable { reason, message }) => {
                Blocked::new(situation::Connection::Unusable, reason, message)
            }
            None => unseen(context, &namespace, &name).await,
        };
        blocked.get_or_insert(in_the_way);
    }
    Err(blocked.expect("at least the Connection of the spec was looked at"))
}

fn other_tenant(name: &str, client: &Client, recorded: Option<&crate::aicore::Tenant>) -> Blocked {
    let now = client.tenant();
    let recorded = recorded
        .map(|tenant| {
            format!(
                "{} (identity zone {})",
                tenant.api_url, tenant.identity_zone_id
            )
        })
        .unwrap_or_default();
    let message = format!(
        "Connection {name} now leads to the tenant at {} (identity zone {}), but the deployment lives in {recorded}; nothing is done until a key of \
         that tenant is back in the Secret, or connectionRef names a Connection to it",
        now.api_url, now.identity_zone_id
    );
    Blocked::new(situation::Connection::OtherTenant, "TenantChanged", message)
}

/// A Connection that this process has not looked at: it does not exist, or its turn has not come.
async fn unseen(context: &Context, namespace: &str, name: &str) -> Blocked {
    match context.connections_in(namespace).get_opt(name).await {
        Ok(None) => {
            let message = format!(
                "there is no Connection {name} in namespace {namespace}; create it, or correct spec.connectionRef"
            );
            Blocked::new(
                situation::Connection::Unusable,
                "ConnectionMissing",
                message,
            )
        }
        Ok(Some(_)) => {
            let message = format!("Connection {name} is being looked at; this takes a moment");
            Blocked::new(
                situation::Connection::Unreachable,
                "ConnectionNotReady",
                message,
            )
        }
        Err(error) => {
            let message = format!(
                "Connection {name} could not be read from the Kubernetes API ({}); it is tried again",
                cause(&error)
            );
            Blocked::new(
                situation::Connection::Unreachable,
                "ConnectionNotReady",
                message,
            )
        }
    }
}

/// Whether the Connection and its Secret, read from the API server and not from a cache, both carry our finalizer and neither is about to go.
/// Only then may a deployment be made: without them it could never be stopped again.
pub(crate) async fn chain_holds(
    context: &Context,
    namespace: &str,
    connection: &str,
) -> Result<bool, kube::Error> {
    let held = |finalizer: bool, terminating: bool| finalizer && !terminating;
    let connections: Api<Connection> = context.connections_in(namespace);
    let Some(connection) = connections.get_opt(connection).await? else {
        return Ok(false);
    };
    if !held(
        finalizers::has(&connection, IN_USE_FINALIZER),
        finalizers::is_terminating(&connection),
    ) {
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
