//! The outer links of the finalizer chain: Connection and Secret stay as long as a Deployment may need them.
//!
//! They are put on from the outside in, so that a Connection that carries the finalizer always has a Secret that does; and they come off
//! from the inside out. `status.secrets` of a Connection names a Secret before it is marked, so that no mark is ever forgotten.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{ListParams, PostParams};
use kube::core::PartialObjectMeta;
use kube::{Api, ResourceExt};
use tracing::info;

use super::views::ConnectionName;
use super::{grants, reference, tenancy};
use crate::aicore::Tenant;
use crate::api::{
    Connection, DEPLOYMENT_FINALIZER, Deployment, DeploymentStatus, IN_USE_FINALIZER,
};
use crate::controller::context::Context;
use crate::controller::finalizers;

/// How far the finalizers of a Connection and its Secret are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Both are on.
    Both,
    /// Something was written; look again.
    Changed,
    /// There is no Secret to hold, or none in the operator's reach.
    SecretMissing,
    /// The Connection is being deleted, so nothing can be added to it.
    ConnectionTerminating,
    /// The Secret is being deleted, so nothing can be added to it.
    SecretTerminating,
}

/// Puts both finalizers on, from the outside in.
pub(crate) async fn hold(context: &Context, connection: &Connection) -> Result<Hold, kube::Error> {
    let namespace = connection.namespace().unwrap_or_default();
    let connections = context.connections_in(&namespace);
    let secret_name = &connection.spec.secret_ref.name;
    if finalizers::is_terminating(connection) {
        return Ok(Hold::ConnectionTerminating);
    }
    if !context.options.reaches_secrets_of(&namespace) {
        return Ok(Hold::SecretMissing);
    }
    let Some(secret) = secrets(context, &namespace)
        .get_metadata_opt(secret_name)
        .await?
    else {
        return Ok(Hold::SecretMissing);
    };
    if finalizers::is_terminating(&secret) {
        return Ok(Hold::SecretTerminating);
    }
    let named = connection
        .status
        .as_ref()
        .is_some_and(|status| status.secrets.contains(secret_name));
    if !named {
        let mut changed = connection.clone();
        changed
            .status
            .get_or_insert_default()
            .secrets
            .push(secret_name.clone());
        connections
            .replace_status(&connection.name_any(), &PostParams::default(), &changed)
            .await?;
        return Ok(Hold::Changed);
    }
    if !finalizers::has(&secret, IN_USE_FINALIZER) {
        finalizers::add(&metadata(context, &namespace), &secret, IN_USE_FINALIZER).await?;
        info!(
            namespace,
            secret = secret_name,
            "finalizer put on the Secret"
        );
    }
    if !finalizers::has(connection, IN_USE_FINALIZER) {
        finalizers::add(&connections, connection, IN_USE_FINALIZER).await?;
        info!(
            namespace,
            connection = connection.name_any(),
            "finalizer put on the Connection"
        );
        return Ok(Hold::Changed);
    }
    Ok(Hold::Both)
}

/// The Deployments of any namespace that hold a Connection, asked live: those that name it, and those whose deployment or open create call went
/// through it. One without our finalizer has created nothing and does not count, nor does one that may not use it. One that was left to another
/// operator counts as long as what it has made through the Connection is recorded: it may come back, and without the key nobody could delete that.
pub(crate) async fn users(
    context: &Context,
    connection: &Connection,
) -> Result<Vec<Deployment>, kube::Error> {
    let name = (
        connection.namespace().unwrap_or_default(),
        connection.name_any(),
    );
    let deployments: Api<Deployment> = context.options.scope.within_rights(&context.kube);
    let mut users = Vec::new();
    for deployment in deployments.list(&ListParams::default()).await? {
        if finalizers::has(&deployment, DEPLOYMENT_FINALIZER)
            && holds(context, &deployment, &name, connection).await?
        {
            users.push(deployment);
        }
    }
    Ok(users)
}

async fn holds(
    context: &Context,
    deployment: &Deployment,
    name: &ConnectionName,
    connection: &Connection,
) -> Result<bool, kube::Error> {
    let status = deployment.status.as_ref();
    let records_something = status.is_some_and(DeploymentStatus::records_something);
    if records_something && reference::used(deployment).as_ref() == Some(name) {
        return Ok(true);
    }
    let namespace = deployment.namespace().unwrap_or_default();
    if reference::named(deployment) != *name || !context.options.scope.contains(&namespace) {
        return Ok(false);
    }
    let group = &deployment.spec.resource_group;
    grants::allow(context, name, &connection.spec.access, &namespace, group).await
}

/// The Deployments that hold a Connection as those may read it who see the Connection: by name in its own namespace, by number elsewhere.
pub(crate) fn described<'a>(
    users: impl IntoIterator<Item = &'a Deployment>,
    namespace: &str,
) -> Option<String> {
    let (here, elsewhere): (Vec<&Deployment>, Vec<&Deployment>) = users
        .into_iter()
        .partition(|user| user.namespace().as_deref() == Some(namespace));
    let mut described: Vec<String> = here.iter().map(|user| user.name_any()).collect();
    match elsewhere.len() {
        0 => {}
        1 => described.push("1 of another namespace".to_owned()),
        count => described.push(format!("{count} of other namespaces")),
    }
    (!described.is_empty()).then(|| described.join(", "))
}

/// Lets go of a Connection that nobody uses and that is being deleted: first of its Secrets, then of itself.
pub(crate) async fn release(context: &Context, connection: &Connection) -> Result<(), kube::Error> {
    let namespace = connection.namespace().unwrap_or_default();
    // One Connection at a time: two that share a Secret would each leave it to the other.
    let _one_at_a_time = context.releasing.lock().await;
    for secret in connection.status.iter().flat_map(|status| &status.secrets) {
        release_secret(context, &namespace, secret, Some(connection)).await?;
    }
    finalizers::remove(
        &context.connections_in(&namespace),
        connection,
        IN_USE_FINALIZER,
    )
    .await?;
    info!(
        namespace,
        connection = connection.name_any(),
        "finalizer taken off the Connection"
    );
    Ok(())
}

/// Frees the Secrets that a Connection named before, once nothing lives in another tenant than the one that its present key leads to. Returns the
/// Secrets that it goes on naming.
pub(crate) async fn release_former(
    context: &Context,
    connection: &Connection,
    tenant: &Tenant,
) -> Result<Vec<String>, kube::Error> {
    let namespace = connection.namespace().unwrap_or_default();
    let current = &connection.spec.secret_ref.name;
    let named = connection
        .status
        .as_ref()
        .map(|status| status.secrets.clone())
        .unwrap_or_default();
    if users(context, connection)
        .await?
        .iter()
        .any(|user| tenancy::lives_elsewhere(user, tenant))
    {
        return Ok(named);
    }
    let _one_at_a_time = context.releasing.lock().await;
    for secret in named.iter().filter(|name| *name != current) {
        release_secret(context, &namespace, secret, Some(connection)).await?;
    }
    Ok(vec![current.clone()])
}

/// Takes our finalizer off a Secret, unless a Connection other than `leaving` needs it.
async fn release_secret(
    context: &Context,
    namespace: &str,
    name: &str,
    leaving: Option<&Connection>,
) -> Result<(), kube::Error> {
    let needs = |connection: &Connection| {
        let named = connection
            .status
            .as_ref()
            .is_some_and(|status| status.secrets.iter().any(|secret| secret == name));
        leaving.is_none_or(|leaving| leaving.uid() != connection.uid())
            && (named || connection.spec.secret_ref.name == name)
    };
    let connections = context
        .connections_in(namespace)
        .list(&ListParams::default())
        .await?;
    if connections.iter().any(needs) {
        return Ok(());
    }
    let Some(secret) = secrets(context, namespace).get_metadata_opt(name).await? else {
        return Ok(());
    };
    if finalizers::has(&secret, IN_USE_FINALIZER) {
        finalizers::remove(&metadata(context, namespace), &secret, IN_USE_FINALIZER).await?;
        info!(namespace, secret = name, "finalizer taken off the Secret");
    }
    Ok(())
}

/// Frees a Secret that is being deleted and carries our finalizer although no Connection needs it: the Connection that marked it was deleted
/// before it carried the finalizer itself, or somebody took that off by hand.
pub(crate) async fn release_abandoned(
    context: &Context,
    namespace: &str,
    name: &str,
) -> Result<(), kube::Error> {
    let Some(secret) = secrets(context, namespace).get_metadata_opt(name).await? else {
        return Ok(());
    };
    if finalizers::has(&secret, IN_USE_FINALIZER) && finalizers::is_terminating(&secret) {
        let _one_at_a_time = context.releasing.lock().await;
        release_secret(context, namespace, name, None).await?;
    }
    Ok(())
}

fn secrets(context: &Context, namespace: &str) -> Api<Secret> {
    Api::namespaced(context.kube.clone(), namespace)
}

/// Secrets without their data: nothing but their metadata is ever written.
fn metadata(context: &Context, namespace: &str) -> Api<PartialObjectMeta<Secret>> {
    Api::namespaced(context.kube.clone(), namespace)
}
