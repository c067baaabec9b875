//! What AI Core says of the recorded deployment, and whether its absence is proven.

use jiff::{SignedDuration, Timestamp};

use super::access::{Access, Blocked};
use super::findings::Findings;
use crate::aicore::{self, Error, Observed, Snapshot, Status, TargetStatus};
use crate::api::RecordedDeployment;
use crate::controller::subject::{Subject, Wanted, wanted};
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
        .holder(&access.key, &recorded.id, &context.tenant_of());
    let claim = if holder.is_none_or(|holder| holder == subject.uid) {
        Claim::Ours
    } else {
        Claim::Another
    };
    let record = |remote| Record::Deployment { claim, remote };

    let since = subject.remember(|memory| memory.unsettled_since);
    let snapshot = match context.inventory.observe(&access.key, Some(since)) {
        Observed::Fresh(snapshot) => snapshot,
        Observed::Waiting => return Ok(Findings::of(record(Remote::Unobserved))),
        Observed::Failed(error) if group_is_gone(access, &error).await => {
            let remote = Remote::Absent {
                proof: Proof::Gone,
                ending: ending(subject, recorded, None),
            };
            return Ok(Findings::of(record(remote)));
        }
        Observed::Failed(error) => return Err(Blocked::from(&*error)),
    };
    if let Some(deployment) = snapshot.get(&recorded.id) {
        let remote = Remote::Present(present(subject, deployment));
        return Ok(Findings {
            remote: Some(deployment.clone()),
            ..Findings::of(record(remote))
        });
    }
    let absence = prove_absence(subject, access, recorded).await?;
    let remote = Remote::Absent {
        proof: absence.proof,
        ending: ending(subject, recorded, Some(&snapshot)),
    };
    Ok(Findings {
        recheck: absence.recheck,
        ..Findings::of(record(remote))
    })
}

fn present(subject: &Subject<'_>, deployment: &aicore::Deployment) -> Present {
    let options = &subject.context.options;
    let state = format!("{}/{:?}", deployment.status, deployment.target_status);
    let (passing_for, accepted) = subject.remember(|memory| {
        memory.seen();
        (memory.passing_for(state), memory.accepted(&deployment.id))
    });
    // AI Core may leave the target state out of its answer. Then what it has accepted stands for it, as long as it may take to show.
    let accepted = accepted
        .filter(|(_, ago)| *ago < options.settle())
        .map(|(target, _)| target);
    let status = subject.object.status.as_ref();
    Present {
        state: state_of(&deployment.status),
        target: target_of(deployment.target_status.as_ref(), accepted),
        configuration: match wanted(&subject.object) {
            Wanted::Nothing => Fit::Wanted,
            Wanted::Unprepared { .. } => Fit::Unprepared,
            Wanted::Configuration(id) if id == deployment.configuration_id => Fit::Wanted,
            Wanted::Configuration(_) => Fit::Other,
        },
        stop_sent: status
            .is_some_and(|status| status.stop_sent_for.as_ref() == Some(&deployment.id)),
        overdue: passing_for >= options.overdue,
    }
}

fn state_of(status: &Status) -> State {
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

fn target_of(target: Option<&TargetStatus>, accepted: Option<Target>) -> Target {
    match target {
        None => accepted.unwrap_or(Target::Running),
        Some(TargetStatus::Stopped) => Target::Stopped,
        Some(TargetStatus::Deleted) => Target::Deleted,
        Some(TargetStatus::Running | TargetStatus::Other(_)) => Target::Running,
    }
}

struct Absence {
    proof: Proof,
    recheck: Option<std::time::Duration>,
}

/// Whether a deployment that a complete and fresh list lacks is proven to be gone: its own id answers 404, and it is either old enough to be
/// seen, or its delete was accepted.
async fn prove_absence(
    subject: &Subject<'_>,
    access: &Access,
    recorded: &RecordedDeployment,
) -> Result<Absence, Blocked> {
    let options = &subject.context.options;
    let (missing_for, accepted) = subject.remember(|memory| {
        (
            memory.missing_for(&recorded.id),
            memory.accepted(&recorded.id),
        )
    });
    let accepted_here = accepted.is_some_and(|(target, _)| target == Target::Deleted);
    let delete_accepted = accepted_here || recorded.target_state.as_deref() == Some("DELETED");
    if !delete_accepted && missing_for < options.create_grace {
        return Ok(Absence {
            proof: Proof::None,
            recheck: Some(options.create_grace - missing_for),
        });
    }
    let not_yet = Absence {
        proof: Proof::None,
        recheck: Some(options.inventory.busy),
    };
    match access
        .client
        .get_deployment(&access.key.group, &recorded.id)
        .await
    {
        Err(Error::NotFound(_)) if recorded.state.is_none() && !delete_accepted => Ok(Absence {
            proof: Proof::NeverSeen,
            recheck: None,
        }),
        Err(Error::NotFound(_)) => Ok(Absence {
            proof: Proof::Gone,
            recheck: None,
        }),
        Ok(_) => {
            // The list and the deployment contradict each other: only a newer list can tell.
            subject.remember(|memory| memory.unsettled_since = tokio::time::Instant::now());
            Ok(not_yet)
        }
        Err(error) => Err(Blocked::from(&error)),
    }
}

/// Whether a list failed because its whole resource group is gone: asked by its id it answers 404, and a complete list of groups lacks it.
async fn group_is_gone(access: &Access, error: &Error) -> bool {
    if !matches!(error, Error::Forbidden(_) | Error::NotFound(_)) {
        return false;
    }
    let group = &access.key.group;
    if !matches!(
        access.client.get_resource_group(group).await,
        Err(Error::NotFound(_))
    ) {
        return false;
    }
    access
        .client
        .list_resource_groups()
        .await
        .is_ok_and(|groups| groups.iter().all(|other| other.id != *group))
}

/// Why the deployment may have gone.
fn ending(
    subject: &Subject<'_>,
    recorded: &RecordedDeployment,
    snapshot: Option<&Snapshot>,
) -> Ending {
    let status = subject.object.status.as_ref();
    let date = snapshot.and_then(|snapshot| snapshot.date);
    if status.is_some_and(|status| status.stop_sent_for.as_ref() == Some(&recorded.id)) {
        Ending::Ours
    } else if date.is_some_and(|date| {
        expires_at(recorded).is_some_and(|expiry| date + EXPIRY_TOLERANCE >= expiry)
    }) {
        Ending::Expired
    } else if matches!(
        recorded.state.as_deref(),
        Some("STOPPED" | "DEAD" | "COMPLETED")
    ) {
        Ending::Inactive
    } else {
        Ending::Unexplained
    }
}

/// When AI Core ends the deployment: its creation plus its ttl in minutes, hours or days (`ttl` of `AiDeployment`).
fn expires_at(recorded: &RecordedDeployment) -> Option<Timestamp> {
    let created: Timestamp = recorded.created_at.as_ref()?.parse().ok()?;
    let ttl = recorded.ttl.as_ref()?;
    let (number, unit) = ttl.split_at_checked(ttl.len().checked_sub(1)?)?;
    let seconds = match unit {
        "m" | "M" => 60,
        "h" | "H" => 3_600,
        "d" | "D" => 86_400,
        _ => return None,
    };
    let seconds = number.parse::<i64>().ok()?.checked_mul(seconds)?;
    created.checked_add(SignedDuration::from_secs(seconds)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expiry(created_at: &str, ttl: &str) -> Option<String> {
        let recorded = RecordedDeployment {
            created_at: Some(created_at.into()),
            ttl: Some(ttl.into()),
            ..Default::default()
        };
        expires_at(&recorded).map(|time| time.to_string())
    }

    #[test]
    fn a_ttl_counts_from_creation_in_minutes_hours_or_days() {
        let created = "2026-01-01T00:00:00Z";
        assert_eq!(
            expiry(created, "90m").as_deref(),
            Some("2026-01-01T01:30:00Z")
        );
        assert_eq!(
            expiry(created, "24H").as_deref(),
            Some("2026-01-02T00:00:00Z")
        );
        assert_eq!(
            expiry(created, "2d").as_deref(),
            Some("2026-01-03T00:00:00Z")
        );
        for odd in ["", "h", "4.5h", "5w", "-1"] {
            assert_eq!(expiry(created, odd), None, "{odd}");
        }
    }
}
