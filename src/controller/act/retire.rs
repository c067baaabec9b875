//! Deployments that have to go although they are not the recorded one.

use super::obstacle::Obstacle;
use super::status::write_status;
use super::{adopted, delete, remember_gone, send_stop};
use crate::api::{Reason, RetiringDeployment};
use crate::controller::finalizers;
use crate::controller::observe::Observation;
use crate::controller::observe::access::Access;
use crate::controller::subject::Subject;
use crate::controller::tell::events::News;
use crate::lifecycle::Step;
use crate::lifecycle::situation::Goal;

/// Records one more deployment that has to go. It is reserved first, so that nobody else takes it meanwhile.
pub(super) async fn record(
    subject: &Subject<'_>,
    access: &Access,
    observation: &Observation,
) -> Result<(), Obstacle> {
    let context = subject.context;
    let Some(id) = observation.unrecorded.first() else {
        return Ok(());
    };
    if !context
        .claims
        .reserve(subject.uid, &access.key, id, &context.realm_of())
    {
        return Err(Obstacle::Early(context.options.inventory.busy));
    }
    let retiring = RetiringDeployment {
        id: id.clone(),
        ..Default::default()
    };
    let recorded = write_status(subject, |status| status.retiring.push(retiring)).await;
    if recorded.as_ref().err().is_none_or(finalizers::is_stale) {
        context.claims.unreserve(subject.uid);
    }
    recorded?;
    let note = format!(
        "deployment {id} was made for this object besides the one it has, as the late result of a create call or before a backup was restored; it is \
         stopped and deleted"
    );
    context
        .events
        .publish(&*subject.object, News::bad(Reason::Retiring, id, note))
        .await;
    Ok(())
}

/// Takes the next step of a deployment that is retiring.
pub(crate) async fn go_on(
    subject: &Subject<'_>,
    access: &Access,
    observation: &Observation,
    id: &str,
    step: Step,
) -> Result<(), Obstacle> {
    if matches!(step, Step::Stop | Step::Delete) {
        write_status(subject, |status| {
            status.deletion_begun |= observation.situation.goal == Goal::Released;
            // What is about to be stopped cannot be taken back.
            let mut retiring = status.retiring.iter_mut();
            if let Some(ended) = retiring.find(|retiring| retiring.id == id) {
                ended.serves_until_replaced = false;
            }
        })
        .await?;
    }
    match step {
        Step::Stop => {
            let note = format!("deployment {id} is being stopped");
            send_stop(subject, access, id, note).await
        }
        Step::Delete => {
            let note = format!("deployment {id} is being deleted");
            delete(subject, access, id, note).await
        }
        _ => forget(subject, id).await,
    }
}

async fn forget(subject: &Subject<'_>, id: &str) -> Result<(), Obstacle> {
    write_status(subject, |status| {
        status.retiring.retain(|retiring| retiring.id != id);
        remember_gone(status, id.to_owned(), adopted(subject));
    })
    .await?;
    subject.remember(|memory| memory.forget(id));
    let note = format!("deployment {id} is gone from AI Core");
    subject
        .context
        .events
        .publish(
            &*subject.object,
            News::good(Reason::DeploymentGone, id, note),
        )
        .await;
    Ok(())
}
