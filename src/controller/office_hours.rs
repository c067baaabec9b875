//! Following the schedule of an object: what it says is recorded in the status first, and driven to afterwards.

use std::time::Duration;

use jiff::Timestamp;

use super::act::status::write_status;
use super::finalizers;
use super::problem::{Failure, Problem};
use super::subject::Subject;
use super::tell::events::News;
use crate::api::{
    DEPLOYMENT_FINALIZER, Deployment, DesiredState, OfficeHours, OfficeHoursStatus, Reason,
};
use crate::lifecycle::schedule::{Schedule, ScheduleError, Wish};

/// How the schedule stands.
pub(crate) enum Followed {
    /// What it says is recorded; for so long it says nothing else, where there is one.
    Until(Option<Duration>),
    /// It says something else than before, which was recorded just now.
    Changed,
    /// It cannot be followed.
    Not(Failure),
}

/// Records what the schedule says. An object on its way out has no hours any more.
pub(crate) async fn follow(subject: &Subject<'_>) -> Result<Followed, kube::Error> {
    let object = &*subject.object;
    if finalizers::is_terminating(object) || !finalizers::has(object, DEPLOYMENT_FINALIZER) {
        return Ok(Followed::Until(None));
    }
    let Some(hours) = &object.spec.schedule else {
        return forget(subject).await;
    };
    let now = Timestamp::now();
    match said(object, hours, now) {
        Ok((state, said, next)) => record(subject, state, said, next.duration_since(now)).await,
        Err(error) => Ok(Followed::Not(Failure {
            problem: Problem {
                reason: Reason::InvalidSchedule,
                message: format!("spec.schedule cannot be followed, so nothing is done: {error}"),
            },
            stalled: true,
        })),
    }
}

/// There is no schedule any more.
async fn forget(subject: &Subject<'_>) -> Result<Followed, kube::Error> {
    let status = subject.object.status.as_ref();
    if status.is_none_or(|status| status.schedule.is_none()) {
        return Ok(Followed::Until(None));
    }
    write_status(subject, |status| status.schedule = None).await?;
    Ok(Followed::Changed)
}

async fn record(
    subject: &Subject<'_>,
    state: DesiredState,
    said: OfficeHoursStatus,
    rest: jiff::SignedDuration,
) -> Result<Followed, kube::Error> {
    let status = subject.object.status.clone().unwrap_or_default();
    if status.schedule.as_ref() == Some(&said) && status.desired_state == Some(state) {
        let rest = Duration::try_from(rest).unwrap_or(Duration::ZERO);
        return Ok(Followed::Until(Some(rest)));
    }
    let begins = status.schedule.is_none();
    let turns = status.desired_state != Some(state);
    let next = said.next_change.clone().unwrap_or_default();
    write_status(subject, |status| {
        status.schedule = Some(said);
        status.desired_state = Some(state);
    })
    .await?;
    if turns || begins {
        let note =
            format!("the schedule and desiredState ask for {state:?} now; next change: {next}");
        let news = News::good(Reason::Scheduled, &format!("{state:?}"), note);
        subject.context.events.publish(&*subject.object, news).await;
    }
    Ok(Followed::Changed)
}

/// The state to be reached, what is to be recorded, and when the schedule says something for the next time.
fn said(
    object: &Deployment,
    hours: &OfficeHours,
    now: Timestamp,
) -> Result<(DesiredState, OfficeHoursStatus, Timestamp), ScheduleError> {
    let schedule = Schedule::parse(&hours.time_zone, &hours.start, &hours.stop, now)?;
    let hours = schedule.at(now);
    let recorded = object
        .status
        .as_ref()
        .and_then(|status| status.schedule.as_ref());
    let before = recorded.map(|recorded| Wish {
        at: recorded.since.as_ref().and_then(|since| since.parse().ok()),
        state: recorded.wish,
    });
    let (state, wish) = hours.effective(object.spec.desired_state, before);
    let (time, next) = hours.change_from(state);
    let said = OfficeHoursStatus {
        since: wish.at.map(|at| at.to_string()),
        wish: wish.state,
        next_change: Some(format!("{next:?} at {}", schedule.on_the_wall(time))),
    };
    Ok((state, said, hours.next()))
}
