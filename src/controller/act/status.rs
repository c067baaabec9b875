//! Writing the status of a Deployment.

use kube::ResourceExt;
use kube::api::PostParams;

use crate::api::{Deployment, DeploymentStatus, RecordedDeployment};
use crate::controller::observe::access::Access;
use crate::controller::subject::Subject;

/// Writes a deployment's id into a status.
pub(crate) fn record(status: &mut DeploymentStatus, access: &Access, id: &str) {
    access.note(status);
    status.deployment = Some(RecordedDeployment {
        id: id.to_owned(),
        ..Default::default()
    });
    status.intent = None;
    status.stop_sent_for = None;
}

/// Writes a changed status, if it is one, on the version of the object that was looked at.
pub(crate) async fn write_status(
    subject: &Subject<'_>,
    change: impl FnOnce(&mut DeploymentStatus),
) -> Result<(), kube::Error> {
    // Several writes of one reconciliation follow each other: each starts from what the last one returned.
    let object = subject.remember(|memory| memory.newest(subject.object.clone()));
    let mut changed = Deployment::clone(&object);
    change(changed.status.get_or_insert_default());
    if changed.status == object.status {
        return Ok(());
    }
    let api = subject
        .context
        .deployments_in(&object.namespace().unwrap_or_default());
    let written = api
        .replace_status(&object.name_any(), &PostParams::default(), &changed)
        .await?;
    subject.context.claims.refresh(&written);
    subject.remember(|memory| memory.wrote(written));
    Ok(())
}
