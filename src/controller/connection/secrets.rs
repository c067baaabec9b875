//! Following Secrets, by their metadata alone: a changed key counts at once, and a mark that nobody needs comes off.

use futures::StreamExt;
use futures::stream::select_all;
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use tracing::warn;

use super::chain;
use crate::api::{Connection, IN_USE_FINALIZER};
use crate::controller::context::{Context, Options};
use crate::controller::finalizers;
use crate::controller::scope::Scope;

/// Follows the Secrets until the stream ends, which it does not.
pub(crate) async fn watch(context: &Context, connections: Store<Connection>) {
    let mut changes = select_all(scopes(&context.options).into_iter().map(|scope| {
        let secrets: Api<PartialObjectMeta<Secret>> = scope.within_rights(&context.kube);
        let changes = watcher(secrets, scope.watch()).default_backoff();
        changes.touched_objects().boxed()
    }));
    // Where there is nothing to follow, nothing ends either.
    changes.push(futures::stream::pending().boxed());
    while let Some(change) = changes.next().await {
        match change {
            Ok(secret) => changed(context, &connections, &secret).await,
            Err(error) => {
                warn!(%error, "Secrets cannot be followed now; a new key counts later than it could")
            }
        }
    }
}

/// Where to follow them.
fn scopes(options: &Options) -> Vec<Scope> {
    if options.secret_namespaces.is_empty() {
        return vec![options.scope.clone()];
    }
    let named = options.secret_namespaces.iter();
    let looked_at = named.filter(|namespace| options.scope.contains(namespace));
    looked_at.cloned().map(Scope::One).collect()
}

async fn changed(
    context: &Context,
    connections: &Store<Connection>,
    secret: &PartialObjectMeta<Secret>,
) {
    let name = secret.name_any();
    for connection in connections.state() {
        let names = connection.spec.secret_ref.name == name
            || connection
                .status
                .as_ref()
                .is_some_and(|status| status.secrets.contains(&name));
        if names && connection.namespace() == secret.namespace() {
            // The receiver lives as long as the operator runs.
            let _ = context
                .wake_connection
                .send(ObjectRef::from_obj(&*connection));
        }
    }
    let marked = finalizers::has(secret, IN_USE_FINALIZER) && finalizers::is_terminating(secret);
    if marked {
        release_abandoned(context, &secret.namespace().unwrap_or_default(), &name).await;
    }
}

/// Frees a Secret that nobody needs.
pub(crate) async fn release_abandoned(context: &Context, namespace: &str, name: &str) {
    if let Err(error) = chain::release_abandoned(context, namespace, name).await {
        warn!(secret = name, namespace, %error, "a finalizer that nobody needs could not be taken off");
    }
}
