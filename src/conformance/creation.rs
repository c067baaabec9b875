//! Creating the deployment, so that it is found again whatever becomes of the answer.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::candidates::{Resolution, Sent, resolve};
use super::plan::Source;
use super::question::Question;
use super::session::Session;
use super::trouble::Trouble;
use crate::aicore::{ConfigurationFilter, Error, NewConfiguration, Reply};

/// A deployment may appear so long after it was created, "a few minutes" by AI Core's troubleshooting pages.
const APPEARS_WITHIN: Duration = Duration::from_secs(300);

impl Session<'_> {
    /// Makes sure that there is a configuration, and gives the name of one that was created.
    pub(super) async fn configure(&mut self) -> Result<Option<String>, Trouble> {
        let Some(new) = self.plan.source.configuration() else {
            if let Source::Existing(id) = &self.plan.source {
                self.names.configuration_id = id.clone();
            }
            return Ok(None);
        };
        let created = self
            .client
            .create_configuration(&self.plan.group, &new)
            .await;
        let id = match created {
            Err(error) if error.outcome_unknown() => self.find_configuration(&new, error).await,
            created => created,
        };
        self.names.configuration_id = id.map_err(|source| Trouble::Failed {
            what: "no configuration could be created",
            source,
        })?;
        self.tell(&format!(
            "created the configuration {}, {}",
            self.names.configuration_id, new.name
        ));
        Ok(Some(new.name))
    }

    /// Finds by its name what a call has created whose answer was lost.
    async fn find_configuration(
        &self,
        new: &NewConfiguration,
        lost: Error,
    ) -> Result<String, Error> {
        let filter = ConfigurationFilter {
            scenario_id: Some(&new.scenario_id),
            executable_id: Some(&new.executable_id),
        };
        let found = self
            .client
            .find_configurations(&self.plan.group, &filter)
            .await?;
        let found = found.into_iter().find(|it| it.name == new.name);
        found.map(|it| it.id).ok_or(lost)
    }

    /// Creates the deployment.
    pub(super) async fn create(&mut self) -> Result<(), Trouble> {
        let before = self.client.list_deployments(&self.plan.group).await;
        let before = before.map_err(|source| Trouble::Failed {
            what: "the deployments of the resource group could not be listed",
            source,
        })?;
        let before: Vec<_> = before.deployments.into_iter().map(|it| it.id).collect();
        self.go_on()?;
        self.ledger
            .open(&self.plan.group, &self.names.configuration_id);
        let why = match self.ask(Question::Create).await {
            Ok(reply) if reply.is_success() => match created_id(&reply) {
                Some(id) => return self.found(&[id]),
                None => format!("{}, without an id", reply.said),
            },
            Ok(reply) if (400..500).contains(&reply.status) && reply.status != 408 => {
                self.ledger.nothing();
                let said = reply.said.to_string();
                return Err(Trouble::Refused {
                    what: "create",
                    said,
                });
            }
            Ok(reply) => reply.said.to_string(),
            Err(error) if error.outcome_unknown() => error.to_string(),
            Err(source) => {
                self.ledger.nothing();
                return Err(Trouble::Failed {
                    what: "the deployment could not be created",
                    source,
                });
            }
        };
        self.recover(&before, why).await
    }

    /// Finds in lists what a create call has made whose answer was lost. An interruption does not end this: it would leave something behind.
    async fn recover(&mut self, before: &[String], why: String) -> Result<(), Trouble> {
        self.tell("the answer to the creation was lost; looking for what it has made");
        let begun = Instant::now();
        let limit = self.plan.wait.min(APPEARS_WITHIN);
        let mut last = Resolution::Nothing;
        while begun.elapsed() < limit {
            let sent = Sent {
                configuration_id: &self.names.configuration_id,
                is_own_configuration: matches!(self.plan.source, Source::New { .. }),
                ttl: &self.names.ttl,
                before,
            };
            if let Ok(list) = self.client.list_deployments(&self.plan.group).await {
                last = resolve(&sent, &list.deployments);
            }
            if let Resolution::Ours(ids) = &last {
                return self.found(ids);
            }
            sleep(self.plan.poll).await;
        }
        match last {
            Resolution::CannotTell(candidates) => {
                self.ledger.cannot_tell(&candidates);
                Err(Trouble::CannotTell { why, candidates })
            }
            _ => Err(Trouble::Vanished { why, waited: limit }),
        }
    }

    fn found(&mut self, ids: &[String]) -> Result<(), Trouble> {
        self.ledger.created(ids);
        self.names.id = ids.first().cloned().unwrap_or_default();
        self.seen().id = Some(self.names.id.clone());
        self.tell(&format!("created the deployment {}", ids.join(", ")));
        Ok(())
    }
}

/// The id in the body, or else in the header `Location`.
fn created_id(reply: &Reply) -> Option<String> {
    let is_id = |id: &&str| {
        !id.is_empty()
            && id
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let body = reply.json();
    let in_location = || {
        let location = reply.location.as_deref()?.trim_end_matches('/');
        let (collection, id) = location.rsplit_once('/')?;
        collection.ends_with("/deployments").then_some(id)
    };
    let id = body["id"]
        .as_str()
        .filter(is_id)
        .or_else(|| in_location().filter(is_id));
    id.map(str::to_owned)
}
