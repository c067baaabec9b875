//! What AI Core says of the recorded deployment, and whether its absence is proven.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::access::{Access, Blocked};
use super::findings::Findings;
use super::fit::fit;
use super::group::{self, Standing};
use super::out_of_sight;
use crate::aicore::time_to_live;
use crate::aicore::{self, Error, Observed, Snapshot, Status, TargetStatus};
use crate::api::RecordedDeployment;
use crate::controller::subject::{Subject, looks_on};
use crate::lifecycle::evidence::{Missing, Past, Settling};
use crate::lifecycle::situation::{
    Claim, Ending, Fit, Present, Proof, Record, Remote, State, Target,
};

/// How much earlier than its ttl says a deployment may be gone and still count as expired: AI Core's timestamps are whole seconds, and the
/// list in which it was missing may have been answered a moment before.
const EXPIRY_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// Finds out what AI Core says of the recorded deployment.
pub(crate) async fn find(
    subject: &Subject<'_>,
    access: &Access,
    recorded: &RecordedDeployment,
) -> Result<Findings, Blocked> {
    let context = subject.context;
    let holder = context
        .claims
        .holder(&access.key, &recorded.id, &context.realm_of());
    let is_free = holder.is_none_or(|holder| holder == subject.uid);
    let claim = if is_free || looks_on(&subject.object) {
        Claim::Ours
    } else {
        Claim::Another
    };
    let record = |remote| Record::Deployment { claim, remote };

    let since = subject.remember(|memory| memory.unsettled_since);
    let snapshot = match context.inventory.observe(&access.key, Some(since)) {
        Observed::Fresh(snapshot) => snapshot,
        Observed::Waiting => return Ok(Findings::of(record(Remote::Unobserved))),
        Observed::Failed(error) => {
            let ending = ending(subject, recorded, None);
            return match group::standing(subject, access, &error).await {
                Standing::There => Err(access.blocked(&error)),
                Standing::Missing { recheck } => {
                    let remote = Remote::Absent {
                        proof: Proof::None,
                        ending,
                    };
                    Ok(Findings {
                        recheck: Some(recheck),
                        ..Findings::of(record(remote))
                    })
                }
                Standing::Gone => Ok(Findings::of(record(Remote::Absent {
                    proof: Proof::Gone,
                    ending,
                }))),
            };
        }
    };
    subject.remember(|memory| memory.group_found());
    if let Some(deployment) = snapshot.get(&recorded.id) {
        subject.remember(|memory| memory.about(&recorded.id).seen());
        let anothers = is_only_observed(subject)
            && out_of_sight::may_be_held(subject, access, deployment).await?;
        let claim = if anothers { Claim::Another } else { claim };
        let present = present(subject, access, deployment, snapshot.date).await?;
        let stop = stop_on_its_way(subject, &snapshot, &recorded.id, &present);
        return Ok(Findings {
            remote: Some(deployment.clone()),
            recheck: [stop.recheck, until_overdue(subject, deployment, &present)]
                .into_iter()
                .flatten()
                .min(),
            stop_is_over: stop.is_over,
            ..Findings::of(Record::Deployment {
                claim,
                remote: Remote::Present(present),
            })
        });
    }
    let (proof, recheck) = match prove_absence(subject, access, recorded).await? {
        Absence::Unproven { recheck } => (Proof::None, Some(recheck)),
        Absence::Proven(proof) => (proof, None),
        Absence::Refuted(deployment) => {
            let present = present(subject, access, &deployment, snapshot.date).await?;
            // No list will bring news of it, so it is asked for as often as lists are made.
            let options = &context.options.inventory;
            let recheck = if is_passing(&present) {
                options.busy
            } else {
                options.idle
            };
            return Ok(Findings {
                remote: Some(*deployment),
                recheck: Some(recheck),
                ..Findings::of(record(Remote::Present(present)))
            });
        }
    };
    let remote = Remote::Absent {
        proof,
        ending: ending(subject, recorded, snapshot.date),
    };
    Ok(Findings {
        recheck,
        ..Findings::of(record(remote))
    })
}

/// Whether what is recorded was only looked at, and is to become the object's own.
fn is_only_observed(subject: &Subject<'_>) -> bool {
    let status = subject.object.status.as_ref();
    !looks_on(&subject.object) && status.is_some_and(|status| status.observed_only)
}

async fn present(
    subject: &Subject<'_>,
    access: &Access,
    deployment: &aicore::Deployment,
    date: Option<Timestamp>,
) -> Result<Present, Blocked> {
    let options = &subject.context.options;
    let state = state_of(&deployment.status);
    // AI Core may leave the target state out of its answer. Then what it has accepted stands for it, as long as it may take to show.
    let accepted = subject.remember(|memory| memory.about(&deployment.id).accepted());
    let accepted = accepted
        .filter(|(_, ago)| *ago < options.settle())
        .map(|(target, _)| target);
    let target = target_of(deployment.target_status.as_ref(), accepted);
    let configuration = fit(subject, access, deployment).await?;
    let status = subject.object.status.as_ref();
    Ok(Present {
        state,
        target,
        configuration,
        stop_sent: status
            .is_some_and(|status| status.stop_sent_for.as_ref() == Some(&deployment.id)),
        expired: is_expired(subject, &Life::of(deployment), date),
        overdue: passing_for(subject, &deployment.id, (state, target, configuration))
            >= options.overdue,
    })
}

/// A stop that the status records and that has had no effect yet.
struct StopOnItsWay {
    /// Whether it can have none any more.
    is_over: bool,
    /// When time alone may change that.
    recheck: Option<Duration>,
}

/// Whether a stop that the status records may still arrive at a deployment that runs on, or have arrived behind an old list: a process that has
/// died may have sent it.
fn stop_on_its_way(
    subject: &Subject<'_>,
    snapshot: &Snapshot,
    id: &str,
    present: &Present,
) -> StopOnItsWay {
    let options = &subject.context.options;
    let settle = options.settle();
    let runs_on = present.state == State::Running && present.target == Target::Running;
    let runs_on_for = subject.remember(|memory| {
        let remote = memory.about(id);
        if !(runs_on && present.stop_sent) {
            remote.stopping();
            return None;
        }
        Some(remote.runs_on_for())
    });
    let Some(runs_on_for) = runs_on_for else {
        return StopOnItsWay {
            is_over: false,
            recheck: None,
        };
    };
    let settling = Settling::of(runs_on_for, settle, snapshot.requested_at.elapsed());
    StopOnItsWay {
        is_over: settling == Settling::Over,
        recheck: match settling {
            Settling::Going => Some(settle.saturating_sub(runs_on_for)),
            Settling::Unseen => Some(options.inventory.idle),
            Settling::Over => None,
        },
    }
}

/// How long the deployment has been in a state as far as this process has seen.
fn passing_for(subject: &Subject<'_>, id: &str, state: (State, Target, Fit)) -> Duration {
    subject.remember(|memory| memory.about(id).passing_for(state))
}

/// When a person is to be told that the deployment does not leave its passing state. No list brings news of that.
fn until_overdue(
    subject: &Subject<'_>,
    deployment: &aicore::Deployment,
    present: &Present,
) -> Option<Duration> {
    let state = (present.state, present.target, present.configuration);
    let limit = subject.context.options.overdue;
    let waits = !present.overdue && (is_passing(present) || present.state == State::Other);
    waits.then(|| limit.saturating_sub(passing_for(subject, &deployment.id, state)))
}

/// Whether AI Core is about to change the state.
fn is_passing(present: &Present) -> bool {
    match present.state {
        State::Unknown | State::Pending | State::Stopping | State::Deleting => true,
        State::Running => present.target != Target::Running,
        State::Stopped | State::Dead | State::Completed | State::Other => {
            present.target == Target::Deleted
        }
    }
}

pub(crate) fn state_of(status: &Status) -> State {
    match status {
        Status::Unknown => State::Unknown,
        Status::Pending => State::Pending,
        Status::Running => State::Running,
        Status::Stopping => State::Stopping,
        Status::Stopped => State::Stopped,
        Status::Dead => State::Dead,
        Status::Completed => State::Completed,
        Status::Deleting => State::Deleting,
        Status::Other(_) => State::Other,
    }
}

pub(crate) fn target_of(target: Option<&TargetStatus>, accepted: Option<Target>) -> Target {
    match target {
        None => accepted.unwrap_or(Target::Running),
        Some(TargetStatus::Stopped) => Target::Stopped,
        Some(TargetStatus::Deleted) => Target::Deleted,
        Some(TargetStatus::Running | TargetStatus::Other(_)) => Target::Running,
    }
}

/// What is known about a deployment that a complete and fresh list lacks.
enum Absence {
    /// It may be too young to be seen.
    Unproven {
        /// When it is old enough.
        recheck: Duration,
    },
    /// It is gone.
    Proven(Proof),
    /// It is there all the same.
    Refuted(Box<aicore::Deployment>),
}

/// Whether a deployment that a complete and fresh list lacks is proven to be gone: its own id answers 404, and it is either old enough to be
/// seen, or its delete was accepted.
async fn prove_absence(
    subject: &Subject<'_>,
    access: &Access,
    recorded: &RecordedDeployment,
) -> Result<Absence, Blocked> {
    let grace = subject.context.options.create_grace;
    if subject.remember(|memory| memory.about(&recorded.id).gone) {
        return Ok(Absence::Proven(Proof::Gone));
    }
    let (missing_for, accepted) = subject.remember(|memory| {
        let remote = memory.about(&recorded.id);
        (remote.missing_for(), remote.accepted())
    });
    let accepted_here = accepted.is_some_and(|(target, _)| target == Target::Deleted);
    let missing = Missing {
        delete_accepted: accepted_here || recorded.target_state.as_deref() == Some("DELETED"),
        for_long: missing_for >= grace,
        ever_seen: recorded.state.is_some(),
    };
    if !missing.is_worth_asking() {
        return Ok(Absence::Unproven {
            recheck: grace - missing_for,
        });
    }
    match access
        .client
        .get_deployment(&access.key.group, &recorded.id)
        .await
    {
        Err(Error::NotFound(_)) => {
            let proof = missing.proof();
            subject.remember(|memory| memory.about(&recorded.id).gone = proof == Proof::Gone);
            Ok(Absence::Proven(proof))
        }
        // Asked for by its id it is there: that answer is newer than the list.
        Ok(deployment) => Ok(Absence::Refuted(Box::new(deployment))),
        Err(error) => Err(access.blocked(&error)),
    }
}

/// Why the deployment may have gone.
fn ending(subject: &Subject<'_>, recorded: &RecordedDeployment, date: Option<Timestamp>) -> Ending {
    let status = subject.object.status.as_ref();
    let accepted = subject.remember(|memory| memory.about(&recorded.id).accepted());
    let past = Past {
        ended_by_us: status
            .is_some_and(|status| status.stop_sent_for.as_ref() == Some(&recorded.id)),
        delete_accepted: accepted.is_some_and(|(target, _)| target == Target::Deleted),
        expired: is_expired(subject, &Life::recorded(recorded), date),
        inactive: matches!(
            recorded.state.as_deref(),
            Some("STOPPED" | "DEAD" | "COMPLETED")
        ),
    };
    past.ending()
}

/// When a deployment was created, and how long it may live, in AI Core's words.
struct Life<'a> {
    id: &'a str,
    created_at: Option<&'a str>,
    ttl: Option<&'a str>,
}

impl<'a> Life<'a> {
    fn of(deployment: &'a aicore::Deployment) -> Self {
        Self {
            id: &deployment.id,
            created_at: deployment.created_at.as_deref(),
            ttl: deployment.ttl.as_deref(),
        }
    }

    fn recorded(deployment: &'a RecordedDeployment) -> Self {
        Self {
            id: &deployment.id,
            created_at: deployment.created_at.as_deref(),
            ttl: deployment.ttl.as_deref(),
        }
    }
}

/// Whether AI Core has ended the deployment because its ttl has run out. Its own clock counts, where it tells the time; and it may leave the ttl
/// out of its answers, then the one that the deployment was created with counts.
fn is_expired(subject: &Subject<'_>, life: &Life<'_>, date: Option<Timestamp>) -> bool {
    let Some(created_at) = life.created_at else {
        return false;
    };
    let spec = &subject.object.spec;
    let adopted = spec
        .adopt
        .as_ref()
        .is_some_and(|adopt| adopt.deployment_id == life.id);
    let asked_for = spec.ttl.as_deref().filter(|_| !adopted);
    let expiry = life
        .ttl
        .and_then(|ttl| time_to_live::expiry(created_at, ttl));
    let expiry = expiry.or_else(|| time_to_live::expiry(created_at, asked_for?));
    let date = date.unwrap_or_else(Timestamp::now);
    expiry.is_some_and(|expiry| date + EXPIRY_TOLERANCE >= expiry)
}
