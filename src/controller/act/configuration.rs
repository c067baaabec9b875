//! The AI Core configuration of an inline spec: found by its name, or held against its executable and created.

use super::obstacle::Obstacle;
use super::status::write_status;
use crate::aicore::{ConfigurationContent, ConfigurationFilter, Error};
use crate::api::{ConfigurationTemplate, Reason, RecordedConfiguration};
use crate::controller::observe::access::Access;
use crate::controller::problem::{Failure, Problem};
use crate::controller::subject::Subject;
use crate::controller::tell::events::News;
use crate::lifecycle::configuration;
use crate::lifecycle::identity::content_hash;

/// Finds the configuration that the spec's content asks for, creates it where it is missing, and records its id. Its name holds a hash of its
/// content, so one that was created before, even by a call whose answer was lost, is found again.
pub(crate) async fn prepare(subject: &Subject<'_>, access: &Access) -> Result<(), Obstacle> {
    let Some(template) = &subject.object.spec.configuration else {
        return Ok(());
    };
    let content = resolve(subject, access, template).await?;
    let hash = content_hash(&content);
    let id = match find(subject, access, &content, &hash).await? {
        Some(id) => id,
        None => create(subject, access, &content, &hash).await?,
    };
    Ok(record(subject, access, template, id, hash).await?)
}

/// The same without creating anything: one that is found is recorded, and of one that is missing the name is told that it would have.
pub(crate) async fn look(
    subject: &Subject<'_>,
    access: &Access,
) -> Result<Option<String>, Obstacle> {
    let Some(template) = &subject.object.spec.configuration else {
        return Ok(None);
    };
    let content = resolve(subject, access, template).await?;
    let hash = content_hash(&content);
    match find(subject, access, &content, &hash).await? {
        Some(id) => {
            record(subject, access, template, id, hash).await?;
            Ok(None)
        }
        None => {
            check(subject, access, &content).await?;
            let identity = subject.context.identity(&subject.object);
            Ok(Some(identity.configuration_name(&hash)))
        }
    }
}

/// The oldest configuration with this content that bears the object's name.
async fn find(
    subject: &Subject<'_>,
    access: &Access,
    content: &ConfigurationContent,
    hash: &str,
) -> Result<Option<String>, Obstacle> {
    let identity = subject.context.identity(&subject.object);
    let filter = ConfigurationFilter {
        scenario_id: Some(&content.scenario_id),
        executable_id: Some(&content.executable_id),
    };
    let found = access
        .client
        .find_configurations(&access.key.group, &filter)
        .await
        .map_err(|error| Obstacle::remote(access, &error, None, false))?;
    let reusable = found
        .into_iter()
        .filter(|configuration| identity.owns_content(&configuration.name, hash))
        .min_by(|a, b| {
            a.created_at
                .cmp(&b.created_at)
                .then_with(|| a.id.cmp(&b.id))
        });
    Ok(reusable.map(|configuration| configuration.id))
}

async fn create(
    subject: &Subject<'_>,
    access: &Access,
    content: &ConfigurationContent,
    hash: &str,
) -> Result<String, Obstacle> {
    check(subject, access, content).await?;
    let name = subject
        .context
        .identity(&subject.object)
        .configuration_name(hash);
    let id = access
        .client
        .create_configuration(&access.key.group, &content.named(name))
        .await
        .map_err(|error| refused(access, &error))?;
    let note = format!("configuration {id} was created in AI Core");
    subject
        .context
        .events
        .publish(
            &*subject.object,
            News::good(Reason::ConfigurationCreated, &id, note),
        )
        .await;
    Ok(id)
}

async fn record(
    subject: &Subject<'_>,
    access: &Access,
    template: &ConfigurationTemplate,
    id: String,
    hash: String,
) -> Result<(), kube::Error> {
    subject.remember(|memory| memory.prepared = Some((access.key.clone(), id.clone())));
    write_status(subject, |status| {
        status.configuration = Some(RecordedConfiguration {
            id,
            content_hash: Some(hash),
            template_hash: template.copy_of.is_some().then(|| content_hash(template)),
        })
    })
    .await
}

/// The content that the spec asks for, with what it copies.
async fn resolve(
    subject: &Subject<'_>,
    access: &Access,
    template: &ConfigurationTemplate,
) -> Result<ConfigurationContent, Obstacle> {
    let Some(id) = &template.copy_of else {
        return Ok(configuration::content(template, None));
    };
    let context = subject.context;
    let copied = context.catalogue.copied(access, &context.options, id).await;
    match copied {
        Ok(copied) => Ok(configuration::content(template, Some(&copied))),
        Err(Error::NotFound(_)) => Err(invalid(format!(
            "resource group {} has no configuration {id}; correct spec.configuration.copyOf",
            access.key.group
        ))),
        Err(error) => Err(Obstacle::remote(access, &error, None, false)),
    }
}

/// Holds a configuration against its executable, because AI Core takes nearly everything and cannot delete it again.
async fn check(
    subject: &Subject<'_>,
    access: &Access,
    content: &ConfigurationContent,
) -> Result<(), Obstacle> {
    let context = subject.context;
    let (catalogue, options) = (&context.catalogue, &context.options);
    let offer = catalogue.offer(access, options, content).await;
    let absent = catalogue.absent_artifacts(access, options, content).await;
    match configuration::objection(content, &offer, &absent) {
        None => Ok(()),
        Some(objection) => Err(invalid(format!("nothing was created: {objection}"))),
    }
}

/// The spec cannot be followed as it is. What is wrong may be put right in AI Core as well, so it is looked at again.
fn invalid(message: String) -> Obstacle {
    Obstacle::Remote {
        failure: Failure {
            problem: Problem {
                reason: Reason::InvalidConfiguration,
                message,
            },
            stalled: true,
        },
        retry_after: None,
    }
}

fn refused(access: &Access, error: &Error) -> Obstacle {
    match error {
        Error::Rejected(_) | Error::NotFound(_) => {
            Obstacle::remote(access, error, Some(Reason::InvalidConfiguration), true)
        }
        _ => Obstacle::remote(access, error, None, false),
    }
}
