//! Putting finalizers on and taking them off, each with proof that the object is still the one that was looked at.

use std::fmt::Debug;

use kube::api::{Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

/// Whether an object carries a finalizer.
pub(crate) fn has<K: Resource>(object: &K, finalizer: &str) -> bool {
    object.finalizers().iter().any(|other| other == finalizer)
}

/// Whether somebody has asked for the object's deletion.
pub(crate) fn is_terminating<K: Resource>(object: &K) -> bool {
    object.meta().deletion_timestamp.is_some()
}

/// Puts `finalizer` on `object`. Fails where the object has changed since it was read.
pub(crate) async fn add<K>(api: &Api<K>, object: &K, finalizer: &str) -> Result<K, kube::Error>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let mut finalizers = object.finalizers().to_vec();
    finalizers.push(finalizer.to_owned());
    replace(api, object, &finalizers).await
}

/// Takes `finalizer` off `object`. Fails where the object has changed since it was read.
pub(crate) async fn remove<K>(api: &Api<K>, object: &K, finalizer: &str) -> Result<K, kube::Error>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let finalizers: Vec<String> = object
        .finalizers()
        .iter()
        .filter(|other| *other != finalizer)
        .cloned()
        .collect();
    replace(api, object, &finalizers).await
}

async fn replace<K>(api: &Api<K>, object: &K, finalizers: &[String]) -> Result<K, kube::Error>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let patch = json!([
        {"op": "test", "path": "/metadata/uid", "value": object.uid()},
        {"op": "test", "path": "/metadata/resourceVersion", "value": object.resource_version()},
        {"op": "add", "path": "/metadata/finalizers", "value": finalizers},
    ]);
    let patch = serde_json::from_value(patch).expect("the patch above is valid");
    let patched = api
        .patch(
            &object.name_any(),
            &PatchParams::default(),
            &Patch::<()>::Json(patch),
        )
        .await;
    match patched {
        // So the API server answers when a `test` fails, and also when it finds the object wrong: only the former is a reason to look again.
        Err(kube::Error::Api(mut status)) if status.code == 422 => {
            let present = api.get(&object.name_any()).await?;
            if present.resource_version() != object.resource_version() {
                status.code = 409;
            }
            Err(kube::Error::Api(status))
        }
        patched => patched,
    }
}

/// Whether a write failed because the object has changed or gone since it was read: a reason to look again, not an error.
pub(crate) fn is_stale(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409))
}
