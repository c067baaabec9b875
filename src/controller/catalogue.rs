//! What AI Core has to offer: executables, artifacts, configurations to copy, models. Every answer serves many objects for a while.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;

use super::answers::Answers;
use super::context::Options;
use super::observe::access::Access;
use crate::aicore::{ConfigurationContent, Error, GroupKey, ModelList};
use crate::lifecycle::configuration::Offer;

/// How long an executable or an artifact counts as it was found, at most: after that a person who has corrected it has been waiting long enough.
const OFFER_LIFETIME: Duration = Duration::from_secs(60);

/// How long a configuration is kept. It never changes, but its copies are made at once or not at all.
const COPY_LIFETIME: Duration = Duration::from_secs(3600);

/// After what time models are asked for again when AI Core has not told, at most.
const MODELS_PAUSE: Duration = Duration::from_secs(600);

/// For how many artifacts of one configuration it is asked whether they exist.
const MAXIMUM_ARTIFACTS: usize = 20;

type Within = (GroupKey, String);

/// What was found out lately.
#[derive(Default)]
pub(crate) struct Catalogue {
    offers: Answers<(GroupKey, String, String), Arc<Offer>>,
    artifacts: Answers<Within, Option<bool>>,
    copies: Answers<Within, Result<Arc<ConfigurationContent>, Error>>,
    models: Answers<Within, Option<Models>>,
}

/// The models of a scenario, and when they were asked for.
#[derive(Clone)]
pub(crate) struct Models {
    pub(crate) list: Arc<ModelList>,
    pub(crate) asked_at: Instant,
}

impl Catalogue {
    /// What AI Core offers under the names of a configuration. Where it does not say, that is the answer.
    pub(crate) async fn offer(
        &self,
        access: &Access,
        options: &Options,
        content: &ConfigurationContent,
    ) -> Arc<Offer> {
        let (scenario, executable) = (&content.scenario_id, &content.executable_id);
        let question = (access.key.clone(), scenario.clone(), executable.clone());
        let ask = async {
            let offer = ask_for_offer(access, scenario, executable).await;
            Arc::new(offer.unwrap_or_else(|error| {
                debug!(%error, scenario, executable, "what the executable takes is not known");
                Offer::Unknown
            }))
        };
        let lifetime = OFFER_LIFETIME.min(options.resync);
        self.offers.get(question, |_| lifetime, ask).await
    }

    /// Those artifacts of a configuration that its resource group certainly does not have.
    pub(crate) async fn absent_artifacts(
        &self,
        access: &Access,
        options: &Options,
        content: &ConfigurationContent,
    ) -> BTreeSet<String> {
        let lifetime = OFFER_LIFETIME.min(options.resync);
        let mut absent = BTreeSet::new();
        for id in content.input_artifacts.values().take(MAXIMUM_ARTIFACTS) {
            let ask = async { access.client.has_artifact(&access.key.group, id).await.ok() };
            let question = (access.key.clone(), id.clone());
            if self.artifacts.get(question, |_| lifetime, ask).await == Some(false) {
                absent.insert(id.clone());
            }
        }
        absent
    }

    /// The content of a configuration that is to be copied.
    pub(crate) async fn copied(
        &self,
        access: &Access,
        options: &Options,
        id: &str,
    ) -> Result<Arc<ConfigurationContent>, Error> {
        let ask = async {
            let content = access.client.configuration_content(&access.key.group, id);
            content.await.map(Arc::new)
        };
        let lifetime = |found: &Result<_, Error>| match found {
            Ok(_) => COPY_LIFETIME,
            Err(Error::NotFound(_)) => OFFER_LIFETIME.min(options.resync),
            Err(_) => Duration::ZERO,
        };
        let question = (access.key.clone(), id.to_owned());
        self.copies.get(question, lifetime, ask).await
    }

    /// The models of a scenario, or nothing where AI Core does not tell.
    pub(crate) async fn models(
        &self,
        access: &Access,
        options: &Options,
        scenario: &str,
    ) -> Option<Models> {
        let ask = async {
            let asked_at = Instant::now();
            match access.client.list_models(&access.key.group, scenario).await {
                Ok(list) => Some(Models {
                    list: Arc::new(list),
                    asked_at,
                }),
                Err(error) => {
                    debug!(%error, scenario, "the models of the scenario are not known");
                    None
                }
            }
        };
        let lifetime = |found: &Option<Models>| match found {
            Some(_) => options.model_check,
            None => options.model_check.min(MODELS_PAUSE),
        };
        // The models of a scenario are the same in every resource group.
        let anywhere = GroupKey {
            group: String::new(),
            ..access.key.clone()
        };
        let question = (anywhere, scenario.to_owned());
        self.models.get(question, lifetime, ask).await
    }
}

/// A missing executable, or its whole scenario, is only believed when a list lacks it, too.
async fn ask_for_offer(access: &Access, scenario: &str, executable: &str) -> Result<Offer, Error> {
    let (client, group) = (&access.client, &access.key.group);
    let missing = match client.get_executable(group, scenario, executable).await {
        Ok(found) => return Ok(Offer::Executable(found)),
        Err(error @ Error::NotFound(_)) => error,
        Err(error) => return Err(error),
    };
    let executables = match client.list_executables(group, scenario).await {
        Ok(executables) => executables,
        Err(Error::NotFound(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    if !executables.is_empty() {
        let listed = executables.iter().any(|id| id == executable);
        return if listed {
            Err(missing)
        } else {
            Ok(Offer::NoExecutable(executables))
        };
    }
    let scenarios = client.list_scenarios(group).await?;
    match scenarios.iter().any(|id| id == scenario) {
        true => Ok(Offer::NoExecutable(executables)),
        false => Ok(Offer::NoScenario(scenarios)),
    }
}
