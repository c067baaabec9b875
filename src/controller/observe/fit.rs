//! Whether a deployment uses the configuration that the spec asks for, and what is to be done where it does not.

use super::access::{Access, Blocked};
use crate::aicore::{self, Error, Status};
use crate::api::{DeletionPolicy, Deployment, FailurePolicy, ReplacePolicy, UpdatePolicy};
use crate::controller::programs::Program;
use crate::controller::subject::{Subject, Wanted, wanted};
use crate::lifecycle::situation::{Fit, Replacement};

/// Compares the recorded deployment with the spec. Any other deployment of the object only has to go.
pub(super) async fn fit(
    subject: &Subject<'_>,
    access: &Access,
    deployment: &aicore::Deployment,
) -> Result<Fit, Blocked> {
    let object = &*subject.object;
    let status = object.status.as_ref();
    let recorded = status.and_then(|status| status.deployment.as_ref());
    if recorded.is_none_or(|recorded| recorded.id != deployment.id) {
        return Ok(Fit::Wanted);
    }
    let id = match wanted(object) {
        Wanted::Nothing => return Ok(Fit::Wanted),
        Wanted::Unprepared { .. } => return Ok(Fit::Unprepared),
        Wanted::Configuration(id) => id,
    };
    if let Some(fit) = after_failure(object, deployment, &id) {
        return Ok(fit);
    }
    if id == deployment.configuration_id {
        return Ok(Fit::Wanted);
    }
    if is_sent(object, &deployment.id, &id) && !runs_on(subject, deployment, &id) {
        return Ok(Fit::Sent);
    }
    compare(subject, access, deployment, &id).await
}

/// Whether AI Core has accepted to give this deployment this configuration.
fn is_sent(object: &Deployment, deployment: &str, configuration: &str) -> bool {
    let status = object.status.as_ref();
    let sent = status.and_then(|status| status.configuration_sent.as_ref());
    sent.is_some_and(|sent| {
        sent.deployment_id == deployment && sent.configuration_id == configuration
    })
}

/// AI Core may show a change only once it has succeeded, and never where the new configuration does not run. What runs on with the old one for
/// longer than any answer can be late has not been changed.
fn runs_on(subject: &Subject<'_>, deployment: &aicore::Deployment, wanted: &str) -> bool {
    let unchanged_for = || {
        subject.remember(|memory| {
            memory
                .about(&deployment.id)
                .running_unchanged_for(wanted.to_owned())
        })
    };
    deployment.status == Status::Running && unchanged_for() > subject.context.options.settle()
}

/// What follows from an update after which the deployment did not run: the change back is recorded before it is sent, and is made once.
fn after_failure(
    object: &Deployment,
    deployment: &aicore::Deployment,
    wanted: &str,
) -> Option<Fit> {
    let dead = deployment.status == Status::Dead;
    let status = object.status.as_ref();
    let rolled_back = status.and_then(|status| status.rolled_back.as_ref());
    let rolled_back =
        rolled_back.filter(|it| it.deployment_id == deployment.id && it.configuration_id == wanted);
    if let Some(rolled_back) = rolled_back {
        let runs_all_the_same =
            deployment.status == Status::Running && deployment.configuration_id == wanted;
        let sent = is_sent(
            object,
            &deployment.id,
            &rolled_back.restored_configuration_id,
        );
        return match (dead, sent) {
            _ if runs_all_the_same => None,
            (true, false) => Some(Fit::Failed),
            _ => Some(Fit::RolledBack),
        };
    }
    // The answer to the change may have been lost.
    let updated = is_sent(object, &deployment.id, wanted)
        || deployment.configuration_id == wanted
            && deployment.last_operation.as_deref() == Some("UPDATE");
    let latest = deployment.latest_running_configuration_id.as_deref();
    let other_ran = latest.is_some_and(|latest| latest != wanted);
    let policy = policy(object).on_failure;
    (policy == FailurePolicy::RollBack && dead && updated && other_ran).then_some(Fit::Failed)
}

/// Whether the deployment can be given the configuration `wanted`, or has to be replaced.
async fn compare(
    subject: &Subject<'_>,
    access: &Access,
    deployment: &aicore::Deployment,
    wanted: &str,
) -> Result<Fit, Blocked> {
    let programs = &subject.context.programs;
    let asked = |id| programs.of(&access.client, &access.key, id);
    let template = subject.object.spec.configuration.as_ref();
    let written = template.and_then(|template| {
        Program::of(
            template.scenario_id.as_ref(),
            template.executable_id.as_ref(),
        )
    });
    let wanted = match written {
        Some(program) => Some(program),
        None => match asked(wanted).await {
            Ok(program) => program,
            // There is no such configuration. AI Core says so when it is asked to give it to the deployment.
            Err(Error::NotFound(_) | Error::Rejected(_)) => return Ok(Fit::Other),
            Err(error) => return Err(access.blocked(&error)),
        },
    };
    let listed = Program::of(
        deployment.scenario_id.as_ref(),
        deployment.executable_id.as_ref(),
    );
    let present = match listed {
        Some(program) => Some(program),
        None if deployment.configuration_id.is_empty() => None,
        None => match asked(&deployment.configuration_id).await {
            Ok(program) => program,
            Err(Error::NotFound(_) | Error::Rejected(_)) => None,
            Err(error) => return Err(access.blocked(&error)),
        },
    };
    Ok(match (wanted, present) {
        (Some(wanted), Some(present)) if wanted == present => Fit::Other,
        (Some(_), Some(_)) => Fit::Foreign(replacement(&subject.object, &deployment.id)),
        _ => Fit::Unknown,
    })
}

/// How the deployment is to be replaced. One that was adopted with the policy Orphan is not deleted as a consequence of an edit.
fn replacement(object: &Deployment, id: &str) -> Replacement {
    let spec = &object.spec;
    let adopted = spec
        .adopt
        .as_ref()
        .is_some_and(|adopt| adopt.deployment_id == id);
    match policy(object).replace {
        _ if adopted && spec.deletion_policy == Some(DeletionPolicy::Orphan) => {
            Replacement::Forbidden
        }
        ReplacePolicy::CreateFirst => Replacement::CreateFirst,
        ReplacePolicy::DeleteFirst => Replacement::DeleteFirst,
    }
}

fn policy(object: &Deployment) -> UpdatePolicy {
    object.spec.update.unwrap_or_default()
}
