//! Deleting an object whose deployment has expired, where its spec asks for that.

use kube::ResourceExt;
use kube::api::{DeleteParams, Preconditions};
use tracing::info;

use super::finalizers;
use super::subject::{Subject, order};
use super::tell::events::News;
use crate::api::{ExpiryPolicy, Reason};
use crate::lifecycle::situation::Order;

/// Deletes the object, unless a person holds it or has changed it since it was looked at. The finalizer comes off as for every deleted object:
/// once the deployment is proven to be gone.
pub(crate) async fn clean_up(subject: &Subject<'_>) -> Result<(), kube::Error> {
    let object = subject.remember(|memory| memory.newest(subject.object.clone()));
    let wanted = object.spec.expiry_policy == ExpiryPolicy::Delete && order(&object) == Order::None;
    if !wanted || finalizers::is_terminating(&*object) {
        return Ok(());
    }
    let note = "the ttl has run out, and expiryPolicy is Delete: this object is deleted".to_owned();
    let news = News::good(Reason::CleanedUp, "", note);
    subject.context.events.publish(&*object, news).await;
    let unchanged = DeleteParams {
        preconditions: Some(Preconditions {
            uid: object.uid(),
            resource_version: object.resource_version(),
        }),
        ..Default::default()
    };
    let api = subject
        .context
        .deployments_in(&object.namespace().unwrap_or_default());
    match api.delete(&object.name_any(), &unchanged).await {
        Ok(_) => info!("deleted after its deployment expired"),
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(error) => return Err(error),
    }
    Ok(())
}
