//! Replacing a deployment, and going back to the one before, or to the configuration before.

use super::obstacle::Obstacle;
use super::status::write_status;
use super::{Refusal, change};
use crate::api::{DeploymentStatus, Reason, RecordedDeployment, RetiringDeployment, RolledBack};
use crate::controller::observe::Observation;
use crate::controller::observe::access::Access;
use crate::controller::subject::{Subject, Wanted, wanted};
use crate::controller::tell::events::{News, shortened};
use crate::controller::tell::words::{recorded_id, say};
use crate::lifecycle::Step;

/// The longest message of AI Core's about a failure that is kept, in bytes.
const MAXIMUM_TEXT: usize = 512;

/// Moves the recorded deployment to where it serves until its successor does. It is the only one there: any earlier one goes now.
pub(super) fn make_way(status: &mut DeploymentStatus) {
    let Some(replaced) = status.deployment.take() else {
        return;
    };
    for earlier in &mut status.retiring {
        earlier.serves_until_replaced = false;
    }
    status.retiring.push(RetiringDeployment {
        serves_until_replaced: true,
        ..retiring(replaced)
    });
    status.stop_sent_for = None;
}

/// Has the recorded deployment, which has ended, go.
pub(super) fn retire(status: &mut DeploymentStatus) {
    let ended = status.deployment.take();
    status.retiring.extend(ended.map(retiring));
    status.stop_sent_for = None;
}

/// Records the deployment again that serves until its successor does, if there is one. A successor that is recorded has to go.
pub(super) fn take_back(status: &mut DeploymentStatus) {
    let mut others = status.retiring.iter();
    let Some(place) = others.position(|other| other.serves_until_replaced) else {
        return;
    };
    let before = status.retiring.remove(place);
    let successor = status.deployment.replace(RecordedDeployment {
        id: before.id,
        state: before.state,
        target_state: before.target_state,
        url: before.url,
        ..Default::default()
    });
    status.retiring.extend(successor.map(retiring));
    status.stop_sent_for = None;
}

fn retiring(deployment: RecordedDeployment) -> RetiringDeployment {
    RetiringDeployment {
        id: deployment.id,
        state: deployment.state,
        target_state: deployment.target_state,
        serves_until_replaced: false,
        url: deployment.url,
    }
}

/// Gives up a successor that is not wanted any more.
pub(super) async fn return_to_predecessor(subject: &Subject<'_>) -> Result<(), Obstacle> {
    let successor = recorded_id(&subject.object);
    write_status(subject, take_back).await?;
    let object = subject.remember(|memory| memory.newest(subject.object.clone()));
    let before = recorded_id(&object);
    let note = format!(
        "deployment {before} is this object's again; {successor}, which was to take its place, is stopped and deleted"
    );
    let news = News::bad(Reason::Retiring, &successor, note);
    subject.context.events.publish(&*object, news).await;
    Ok(())
}

/// Gives the deployment back the configuration that ran before the wanted one. That is recorded first, so that the wanted one is not tried again,
/// even if this process dies in between.
pub(super) async fn roll_back(
    subject: &Subject<'_>,
    access: &Access,
    observation: &Observation,
) -> Result<(), Obstacle> {
    let id = recorded_id(&subject.object);
    let (Wanted::Configuration(failed), Some(remote)) =
        (wanted(&subject.object), &observation.remote)
    else {
        return Ok(());
    };
    let status = subject.object.status.as_ref();
    let recorded = status.and_then(|status| status.rolled_back.clone());
    let recorded = recorded.filter(|it| it.deployment_id == id && it.configuration_id == failed);
    let latest = remote.latest_running_configuration_id.clone();
    let message = remote.status_message.as_ref();
    let rolled_back = recorded.or_else(|| {
        Some(RolledBack {
            deployment_id: id.clone(),
            configuration_id: failed,
            restored_configuration_id: latest?,
            message: message.map(|message| shortened(message, MAXIMUM_TEXT)),
        })
    });
    let Some(rolled_back) = rolled_back else {
        return Ok(());
    };
    let restored = rolled_back.restored_configuration_id.clone();
    write_status(subject, |status| status.rolled_back = Some(rolled_back)).await?;
    change(
        subject,
        access,
        &id,
        &restored,
        Refusal::stalling(Reason::RollBackRefused),
    )
    .await?;
    let note = say(&subject.object, observation, Step::RollBack).message;
    let news = News::bad(Reason::RollingBack, &id, note);
    subject.context.events.publish(&*subject.object, news).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(id: &str) -> DeploymentStatus {
        DeploymentStatus {
            deployment: Some(RecordedDeployment {
                id: id.to_owned(),
                state: Some("RUNNING".to_owned()),
                url: Some("https://example.com".to_owned()),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn ids(status: &DeploymentStatus) -> (Option<&str>, Vec<&str>) {
        let recorded = status.deployment.as_ref().map(|it| it.id.as_str());
        let retiring = status.retiring.iter().map(|it| it.id.as_str());
        (recorded, retiring.collect())
    }

    fn serving(status: &DeploymentStatus) -> Option<&str> {
        let mut retiring = status.retiring.iter();
        let serving = retiring.find(|other| other.serves_until_replaced);
        serving.map(|other| other.id.as_str())
    }

    #[test]
    fn what_makes_way_can_be_taken_back_as_it_was() {
        let before = status("d1");
        let mut after = before.clone();
        make_way(&mut after);
        assert_eq!(serving(&after), Some("d1"));
        assert_eq!(ids(&after), (None, vec!["d1"]));
        take_back(&mut after);
        assert_eq!(after, before);
    }

    #[test]
    fn a_successor_that_is_recorded_has_to_go_when_its_predecessor_is_taken_back() {
        let mut object = status("d1");
        make_way(&mut object);
        object.deployment = status("d2").deployment;
        take_back(&mut object);
        assert_eq!(ids(&object), (Some("d1"), vec!["d2"]));
        assert_eq!(serving(&object), None);
    }

    #[test]
    fn only_the_last_one_that_made_way_serves_on() {
        let mut object = status("d1");
        make_way(&mut object);
        object.deployment = status("d2").deployment;
        make_way(&mut object);
        assert_eq!(ids(&object), (None, vec!["d1", "d2"]));
        assert_eq!(serving(&object), Some("d2"));
    }

    #[test]
    fn without_one_that_serves_nothing_is_taken_back() {
        let mut object = status("d1");
        let before = object.clone();
        take_back(&mut object);
        assert_eq!(object, before);
    }
}
