//! Whether the model that a deployment serves will be retired. It is told once, and again when AI Core changes its mind.

use jiff::{SignedDuration, Timestamp};

use super::act::status::write_status;
use super::catalogue::Models;
use super::observe::Observation;
use super::subject::Subject;
use super::tell::events::{News, shortened};
use crate::aicore::{Deployment, Status};
use crate::api::{ModelRetirement, Reason};
use crate::lifecycle::retirement::{LATEST, Outlook, outlook};

/// The longest name of a model or of its version that is kept, in bytes.
const MAXIMUM_NAME: usize = 128;

/// The parameters by which executables of hosted models take the model.
const NAME_PARAMETER: &str = "modelName";
const VERSION_PARAMETER: &str = "modelVersion";

/// Records and tells what AI Core announces of the model that the object's deployment serves.
pub(crate) async fn look(
    subject: &Subject<'_>,
    observation: &Observation,
) -> Result<(), kube::Error> {
    let status = subject.object.status.as_ref();
    let known = status.and_then(|status| status.model_retirement.as_ref());
    if status.is_none_or(|status| status.deployment.is_none()) {
        return record(subject, None).await;
    }
    let serves = |remote: &&Deployment| remote.status == Status::Running;
    let Some(remote) = observation.remote.as_ref().filter(serves) else {
        return Ok(());
    };
    let Ok(found) = announced(subject, observation, remote).await else {
        return Ok(());
    };
    if found.as_ref() == known {
        return Ok(());
    }
    record(subject, found.clone()).await?;
    if let Some(retirement) = found {
        let note = sentence(&retirement);
        let date = retirement.retirement_date.as_deref().unwrap_or_default();
        let about = format!("{} {} {date}", retirement.model, retirement.version);
        let news = News::bad(Reason::ModelRetiring, &about, note);
        subject.context.events.publish(&*subject.object, news).await;
    }
    Ok(())
}

/// AI Core does not tell.
struct Untold;

/// What is announced of the model, which may be nothing.
async fn announced(
    subject: &Subject<'_>,
    observation: &Observation,
    remote: &Deployment,
) -> Result<Option<ModelRetirement>, Untold> {
    let Some((name, version)) = served(subject, remote) else {
        return Ok(None);
    };
    let template = subject.object.spec.configuration.as_ref();
    let scenario = remote.scenario_id.as_ref();
    let scenario = scenario.or_else(|| template?.scenario_id.as_ref());
    let (Some(access), Some(scenario)) = (&observation.access, scenario) else {
        return Err(Untold);
    };
    let context = subject.context;
    let models = context
        .catalogue
        .models(access, &context.options, scenario)
        .await
        .ok_or(Untold)?;
    let executable = remote.executable_id.as_deref();
    let outlook = outlook(
        &models.list.models,
        executable,
        &name,
        &version,
        now(&models),
    );
    Ok(outlook.map(|outlook| retirement(&name, &version, outlook)))
}

/// The model and the version that the deployment serves: what the spec asks for, or what AI Core reports.
fn served(subject: &Subject<'_>, remote: &Deployment) -> Option<(String, String)> {
    let template = subject.object.spec.configuration.as_ref();
    let parameter = |name| template?.parameters.get(name).cloned();
    let reported = remote.resources.clone().unwrap_or_default();
    let name = parameter(NAME_PARAMETER).or(reported.model_name)?;
    let version = parameter(VERSION_PARAMETER).or(reported.model_version);
    Some((name, version.unwrap_or_else(|| LATEST.to_owned())))
}

/// The time by AI Core's clock.
fn now(models: &Models) -> Timestamp {
    let passed = SignedDuration::try_from(models.asked_at.elapsed()).unwrap_or_default();
    let date = models.list.date;
    date.and_then(|date| date.checked_add(passed).ok())
        .unwrap_or_else(Timestamp::now)
}

fn retirement(name: &str, version: &str, outlook: Outlook) -> ModelRetirement {
    ModelRetirement {
        model: shortened(name, MAXIMUM_NAME),
        version: shortened(version, MAXIMUM_NAME),
        deprecated: outlook.deprecated,
        retirement_date: outlook.retirement.map(|date| date.to_string()),
    }
}

fn sentence(retirement: &ModelRetirement) -> String {
    let ModelRetirement { model, version, .. } = retirement;
    let which = if version.eq_ignore_ascii_case(LATEST) {
        format!("every version of model {model}")
    } else {
        format!("version {version} of model {model}")
    };
    let what = match (&retirement.retirement_date, retirement.deprecated) {
        (Some(date), true) => format!("is deprecated and will be retired by AI Core at {date}"),
        (Some(date), false) => format!("will be retired by AI Core at {date}"),
        (None, _) => "is deprecated by AI Core".to_owned(),
    };
    format!("{which} {what}; change {NAME_PARAMETER} or {VERSION_PARAMETER} before that")
}

async fn record(subject: &Subject<'_>, found: Option<ModelRetirement>) -> Result<(), kube::Error> {
    write_status(subject, |status| status.model_retirement = found).await
}
