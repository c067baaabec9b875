//! The AI Core configuration of an inline spec: found by its name, or created.

use super::obstacle::Obstacle;
use super::status::write_status;
use crate::aicore::{
    ArtifactBinding, ConfigurationFilter, Error, NewConfiguration, ParameterBinding,
};
use crate::api::{ConfigurationTemplate, RecordedConfiguration};
use crate::controller::observe::access::Access;
use crate::controller::subject::Subject;
use crate::controller::tell::events::News;
use crate::lifecycle::identity::content_hash;

/// Finds the configuration that the spec's content asks for, creates it where it is missing, and records its id. Its name holds a hash of its
/// content, so one that was created before, even by a call whose answer was lost, is found again.
pub(crate) async fn prepare(subject: &Subject<'_>, access: &Access) -> Result<(), Obstacle> {
    let Some(template) = &subject.object.spec.configuration else {
        return Ok(());
    };
    let identity = subject.context.identity(&subject.object);
    let hash = content_hash(template);
    let name = identity.configuration_name(&hash);
    let group = &access.key.group;

    let filter = ConfigurationFilter {
        scenario_id: &template.scenario_id,
        executable_id: &template.executable_id,
    };
    let found = access
        .client
        .find_configurations(group, &filter)
        .await
        .map_err(|error| Obstacle::remote(&error, None, false))?;
    let reusable = found
        .into_iter()
        .filter(|configuration| identity.owns_content(&configuration.name, &hash))
        .min_by(|a, b| {
            a.created_at
                .cmp(&b.created_at)
                .then_with(|| a.id.cmp(&b.id))
        });
    let id = match reusable {
        Some(configuration) => configuration.id,
        None => {
            let id = access
                .client
                .create_configuration(group, &content(template, name))
                .await
                .map_err(|error| refused(&error))?;
            let note = format!("configuration {id} was created in AI Core");
            subject
                .context
                .events
                .publish(
                    &*subject.object,
                    News::good("ConfigurationCreated", &id, note),
                )
                .await;
            id
        }
    };
    subject.remember(|memory| memory.prepared = Some((access.key.clone(), id.clone())));
    write_status(subject, |status| {
        status.configuration = Some(RecordedConfiguration {
            id,
            content_hash: Some(hash),
        })
    })
    .await?;
    Ok(())
}

fn content(template: &ConfigurationTemplate, name: String) -> NewConfiguration {
    NewConfiguration {
        name,
        executable_id: template.executable_id.clone(),
        scenario_id: template.scenario_id.clone(),
        parameter_bindings: template
            .parameters
            .iter()
            .map(|(key, value)| ParameterBinding {
                key: key.clone(),
                value: value.clone(),
            })
            .collect(),
        input_artifact_bindings: template
            .input_artifacts
            .iter()
            .map(|(key, artifact_id)| ArtifactBinding {
                key: key.clone(),
                artifact_id: artifact_id.clone(),
            })
            .collect(),
    }
}

fn refused(error: &Error) -> Obstacle {
    match error {
        Error::Rejected(_) | Error::NotFound(_) => {
            Obstacle::remote(error, Some("InvalidConfiguration"), true)
        }
        _ => Obstacle::remote(error, None, false),
    }
}
