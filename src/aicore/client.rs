//! The calls of the AI Core API that the operator makes, one method each.

use std::fmt;
use std::sync::Arc;

use reqwest::Method;
use serde_json::json;

use super::bulk::{self, Verb};
use super::certificate::Validity;
use super::credentials::{ServiceKey, Tenant};
use super::error::Error;
use super::learned::Learned;
use super::links::created_id;
pub use super::options::ClientOptions;
use super::paging::Listing;
use super::realm::{GroupKey, Realm};
use super::reply::Reply;
use super::service_key_error::ServiceKeyError;
use super::token::TokenFacts;
use super::transport::{Call, Transport, request_id};
use super::types::{
    Configuration, ConfigurationFilter, Deployment, DeploymentList, Meta, NewConfiguration,
};
use super::wire::{self, ConfigurationJson, DeploymentJson, MetaJson};
use crate::metrics::RemoteCalls;

/// How many configurations one page holds: the API's own default for `$top`.
const CONFIGURATIONS_PER_PAGE: usize = 10_000;

/// The API of one tenant, as one set of credentials sees it. Cloning is cheap; clones share token and connections.
///
/// No method tries a request a second time after it may have had an effect. A refused one is made once more with a new token (401, or 403
/// with a token that is no longer fresh), and a list once more without the parameters that the server refuses (400).
#[derive(Clone)]
pub struct Client {
    pub(super) transport: Arc<Transport>,
    learned: Arc<Learned>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("key", self.transport.key())
            .finish()
    }
}

impl Client {
    /// Makes a client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When a URL of the key is plain http and that is not allowed, or when the system has no usable CA certificates.
    pub fn new(key: ServiceKey, options: &ClientOptions) -> Result<Self, ServiceKeyError> {
        Ok(Self {
            transport: Arc::new(Transport::new(key, options)?),
            learned: Arc::default(),
        })
    }

    /// The tenant that the credentials open.
    pub fn tenant(&self) -> &Tenant {
        self.transport.key().tenant()
    }

    /// With whom the credentials share what they find out. It is another one once AI Core has accepted them: has given a list.
    pub fn realm(&self) -> Realm {
        self.transport.realm()
    }

    /// The realm of the credentials before AI Core has accepted them.
    pub(super) fn unproven_realm(&self) -> Realm {
        self.transport.unproven_realm()
    }

    /// A resource group as these credentials may know it now.
    pub fn group_key(&self, group: &str) -> GroupKey {
        GroupKey {
            realm: self.realm(),
            group: group.to_owned(),
        }
    }

    /// Whether a token is at hand that has not ended.
    pub(super) fn has_token(&self) -> bool {
        self.transport.has_token()
    }

    /// When the certificate of an X.509 key is valid, where that can be read.
    pub fn certificate(&self) -> Option<Validity> {
        self.transport.key().certificate()
    }

    /// What its calls are measured with.
    pub(super) fn remote_calls(&self) -> &RemoteCalls {
        self.transport.remote_calls()
    }

    /// A short text that changes when any credential changes.
    pub fn fingerprint(&self) -> String {
        self.transport.key().fingerprint()
    }

    /// Whether it is the same client, or a clone of it: the same credentials.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.transport, &other.transport)
    }

    /// Makes sure that a token is at hand; many callers cause one request.
    ///
    /// # Errors
    ///
    /// [`Error::TokenRejected`], [`Error::TokenUnavailable`] or [`Error::CertificateExpired`].
    pub async fn check_token(&self) -> Result<(), Error> {
        self.transport.check_token().await
    }

    /// Makes any call once and gives the answer as it is, a refusing one as well: for finding out how AI Core answers.
    ///
    /// # Errors
    ///
    /// When there is no token, no turn, or no whole answer.
    pub(crate) async fn ask(&self, call: &Call<'_>) -> Result<Reply, Error> {
        self.transport.exchange(call).await
    }

    /// What may be told about the token in use.
    ///
    /// # Errors
    ///
    /// [`Error::TokenRejected`] or [`Error::TokenUnavailable`].
    pub(crate) async fn token_facts(&self) -> Result<TokenFacts, Error> {
        self.transport.token_facts().await
    }

    // === deployments ===

    /// Every deployment of a resource group.
    ///
    /// It is one call, except where the list has a round length (a multiple of 50): then it may have been cut in silence, and the
    /// server is asked for more, once for the same deployments.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::Incomplete`] when the list does not hold everything.
    pub async fn list_deployments(&self, group: &str) -> Result<DeploymentList, Error> {
        let listing = |top| Listing {
            transport: &self.transport,
            path: &["lm", "deployments"],
            group,
            top,
            filters: &[],
        };
        let is_known = |page: &[Deployment]| self.learned.is_confirmed(group, page);
        let before = self.learned.growth();
        let top = (!self.learned.refuses_top()).then_some(wire::MAX_ENTRIES);
        let whole = match listing(top).read::<DeploymentJson>(is_known).await {
            Err(error) if top.is_some() && is_bad_request(&error) => {
                let whole = listing(None).read::<DeploymentJson>(is_known).await?;
                self.learned.top_was_refused();
                whole
            }
            whole => whole?,
        };
        self.learned.keep(group, &whole, before);
        Ok(DeploymentList {
            deployments: whole.entries,
            date: whole.date,
        })
    }

    /// One deployment.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::NotFound`] (404 or 410), which is no proof of absence for a deployment that was just created.
    pub async fn get_deployment(&self, group: &str, id: &str) -> Result<Deployment, Error> {
        let answer = match self
            .transport
            .fetch(&get(&["lm", "deployments", id], Some(group)))
            .await
        {
            Err(Error::Rejected(rejection)) if rejection.status == 410 => {
                return Err(Error::NotFound(rejection));
            }
            answer => answer?,
        };
        let deployment = wire::object::<DeploymentJson>(&answer.body)?;
        if deployment.id != id {
            let message = format!("asked for the deployment {id}, it is about another one");
            return Err(Error::Malformed { message });
        }
        Ok(deployment)
    }

    /// Creates a deployment and gives its id. `ttl` is a natural number with one of the units m, h or d.
    ///
    /// # Errors
    ///
    /// When [`Error::outcome_unknown`] holds, a deployment may have been created whose id only a list tells.
    pub async fn create_deployment(
        &self,
        group: &str,
        configuration_id: &str,
        ttl: Option<&str>,
    ) -> Result<String, Error> {
        let mut body = json!({"configurationId": configuration_id});
        if let Some(ttl) = ttl {
            body["ttl"] = json!(ttl);
        }
        let outcome = self.create(group, &["lm", "deployments"], body).await;
        if outcome.as_ref().err().is_none_or(Error::outcome_unknown) {
            self.learned.may_have_grown(group);
        }
        outcome
    }

    /// Asks that a deployment be stopped. AI Core accepts it in PENDING and RUNNING only.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::Rejected`] (400, 409 or 412) when its state does not allow it.
    pub async fn stop_deployment(&self, group: &str, id: &str) -> Result<(), Error> {
        self.patch_deployment(group, id, json!({"targetStatus": "STOPPED"}))
            .await
    }

    /// Asks that a deployment be deleted. AI Core accepts it in UNKNOWN, STOPPED and DEAD only.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::Rejected`] (400, 409 or 412) when its state does not allow it.
    pub async fn delete_deployment(&self, group: &str, id: &str) -> Result<(), Error> {
        self.transport
            .accept(&send(
                Method::DELETE,
                &["lm", "deployments", id],
                Some(group),
                None,
            ))
            .await
    }

    /// Asks the same of several deployments at once (`PATCH /lm/deployments`), and gives what became of each, in the order of the ids. Where
    /// [`Meta::bulk_updates`] does not hold, the request is refused. The log has the request under `request_id`, with all ids.
    ///
    /// # Errors
    ///
    /// The failure of the whole request. One that only concerns a single deployment is its own: [`Error::RefusedInBulk`] when it was refused, and
    /// an error whose outcome is unknown when the answer does not tell.
    pub async fn change_deployments(
        &self,
        group: &str,
        verb: Verb,
        ids: &[&str],
        request_id: &str,
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let call = Call {
            ids,
            request_id: request_id.to_owned(),
            media_type: "application/merge-patch+json",
            ..send(
                Method::PATCH,
                &["lm", "deployments"],
                Some(group),
                Some(bulk::request(verb, ids)),
            )
        };
        let answer = self.transport.fetch(&call).await?;
        bulk::outcomes(&answer.body, ids, |error| {
            self.transport.explain(&answer, error)
        })
    }

    /// Asks that a deployment run another configuration of the same scenario and executable. Its id and URL stay.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::Rejected`] when its state or the configuration does not allow it.
    pub async fn change_configuration(
        &self,
        group: &str,
        id: &str,
        configuration_id: &str,
    ) -> Result<(), Error> {
        self.patch_deployment(group, id, json!({"configurationId": configuration_id}))
            .await
    }

    async fn patch_deployment(
        &self,
        group: &str,
        id: &str,
        body: serde_json::Value,
    ) -> Result<(), Error> {
        self.transport
            .accept(&send(
                Method::PATCH,
                &["lm", "deployments", id],
                Some(group),
                Some(body),
            ))
            .await
    }

    // === configurations ===

    /// Every configuration that the filter asks for, and others too where the server does not filter.
    ///
    /// Names are left to the caller: what `$search` finds is not the same on every server.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::Incomplete`] when the pages do not add up to everything.
    pub async fn find_configurations(
        &self,
        group: &str,
        filter: &ConfigurationFilter<'_>,
    ) -> Result<Vec<Configuration>, Error> {
        let filters = [
            ("scenarioId", filter.scenario_id),
            ("executableIds", filter.executable_id),
        ];
        let filters: Vec<_> = filters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        let filtered = Listing {
            transport: &self.transport,
            path: &["lm", "configurations"],
            group,
            top: Some(CONFIGURATIONS_PER_PAGE),
            filters: &filters,
        };
        let whole = match filtered.read::<ConfigurationJson>(|_| false).await {
            Err(error) if is_bad_request(&error) => {
                let bare = Listing {
                    top: None,
                    filters: &[],
                    ..filtered
                };
                bare.read::<ConfigurationJson>(|_| false).await?
            }
            whole => whole?,
        };
        Ok(whole.entries)
    }

    /// One configuration.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::NotFound`].
    pub async fn get_configuration(&self, group: &str, id: &str) -> Result<Configuration, Error> {
        let answer = self
            .transport
            .fetch(&get(&["lm", "configurations", id], Some(group)))
            .await?;
        wire::object::<ConfigurationJson>(&answer.body)
    }

    /// Creates a configuration and gives its id. AI Core has no call to delete one.
    ///
    /// # Errors
    ///
    /// When [`Error::outcome_unknown`] holds, it may have been created all the same.
    pub async fn create_configuration(
        &self,
        group: &str,
        configuration: &NewConfiguration,
    ) -> Result<String, Error> {
        self.create(group, &["lm", "configurations"], json!(configuration))
            .await
    }

    /// Posts to a collection and gives the id of what was created: from the body, or else from the `Location` header.
    async fn create(
        &self,
        group: &str,
        collection: &[&str],
        body: serde_json::Value,
    ) -> Result<String, Error> {
        let call = send(Method::POST, collection, Some(group), Some(body));
        let answer = self.transport.fetch(&call).await?;
        wire::created_id(&answer.body)
            .or_else(|error| created_id(&answer.headers, collection).ok_or(error))
    }

    // === tenant ===

    /// What the server can do.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::NotFound`] where there is no such description.
    pub async fn meta(&self) -> Result<Meta, Error> {
        let answer = self.transport.fetch(&get(&["lm", "meta"], None)).await?;
        wire::object::<MetaJson>(&answer.body)
    }
}

pub(super) fn get<'a>(path: &'a [&'a str], group: Option<&'a str>) -> Call<'a> {
    send(Method::GET, path, group, None)
}

fn send<'a>(
    method: Method,
    path: &'a [&'a str],
    group: Option<&'a str>,
    body: Option<serde_json::Value>,
) -> Call<'a> {
    Call {
        method,
        path,
        query: &[],
        ids: &[],
        group,
        body,
        request_id: request_id(),
        media_type: "application/json",
    }
}

fn is_bad_request(error: &Error) -> bool {
    matches!(error, Error::Rejected(rejection) if rejection.status == 400)
}
