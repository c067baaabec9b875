//! Objects for which nothing is written to AI Core: what is left of their steps, and how what they have looked at becomes their own.

use super::act::look_for_configuration as look;
use super::act::obstacle::Obstacle;
use super::act::status::write_status;
use super::observe::Observation;
use super::subject::{Subject, hand, owns};
use crate::lifecycle::situation::{Claim, Connection, Record};
use crate::lifecycle::step::Done;
use crate::lifecycle::{Hand, Step, restrain};

/// What is left of a step.
pub(crate) fn restrained(subject: &Subject<'_>, observation: &Observation, step: Step) -> Step {
    let object = &subject.object;
    let hand = hand(object, subject.context.options.mode);
    restrain(hand, &observation.situation, owns(object), step)
}

/// What looking for the wanted configuration has come to.
pub(crate) enum Looked {
    /// It is there, and recorded now.
    Found,
    /// It would be created, or was not looked for.
    Nothing,
}

/// An observer finds out whether the configuration of the spec is there, and whether it could be created. A pause holds even that back.
pub(crate) async fn look_for_configuration(
    subject: &Subject<'_>,
    observation: &mut Observation,
    step: Step,
) -> Result<Looked, Obstacle> {
    let Some(access) = observation
        .access
        .as_ref()
        .filter(|_| step == Step::Done(Done::Observed))
    else {
        return Ok(Looked::Nothing);
    };
    observation.missing_configuration = look(subject, access).await?;
    Ok(match observation.missing_configuration {
        Some(_) => Looked::Nothing,
        None => Looked::Found,
    })
}

/// Makes a deployment that was only looked at the object's own, where it is managed now, may use its Connection, and no other object holds the
/// deployment. Returns whether to look again.
pub(crate) async fn claim(
    subject: &Subject<'_>,
    observation: &Observation,
) -> Result<bool, kube::Error> {
    let (object, context) = (&subject.object, subject.context);
    let status = object.status.as_ref();
    let recorded = status.and_then(|status| status.deployment.as_ref());
    let situation = &observation.situation;
    let may_have_it = situation.connection == Connection::Ready
        && matches!(
            situation.record,
            Record::Deployment {
                claim: Claim::Ours,
                ..
            }
        );
    let is_meant = hand(object, context.options.mode) == Hand::Unclaimed;
    let (Some(recorded), Some(access), true) =
        (recorded, &observation.access, may_have_it && is_meant)
    else {
        return Ok(false);
    };
    let realm_of = context.realm_of();
    let claims = &context.claims;
    // Where another object has just taken it, that is seen at the next look.
    if claims.reserve(subject.uid, &access.key, &recorded.id, &realm_of) {
        write_status(subject, |status| status.observed_only = false).await?;
    }
    Ok(true)
}
