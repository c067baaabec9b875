//! The calls of the AI Core API that the operator makes, one method each.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use reqwest::Method;
use serde_json::json;

use super::credentials::{ServiceKey, ServiceKeyError, Tenant};
use super::error::Error;
use super::links::continue_token;
pub use super::transport::ClientOptions;
use super::transport::{Call, Transport};
use super::types::{
    Configuration, Deployment, DeploymentList, Meta, NewConfiguration, ResourceGroup,
};
use super::wire::{self, ConfigurationJson, DeploymentJson, MetaJson, ResourceGroupJson};

/// The largest page of deployments that AI Core gives (`$top` of `GET /lm/deployments`). A list that fills it may have been cut.
const MAX_DEPLOYMENTS: usize = 100_000;
/// How many configurations one page holds: the API's own default for `$top`.
const CONFIGURATIONS_PER_PAGE: usize = 10_000;
/// The longest `$search` that `GET /lm/configurations` takes, in characters.
const MAX_SEARCH: usize = 80;
/// More pages than this are not the truth: a tenant has at most 50 resource groups.
const MAX_PAGES: usize = 1_000;

/// The API of one tenant, as one set of credentials sees it. Cloning is cheap; clones share token and connections.
///
/// No method tries a request a second time, except once with a new token after a 401.
#[derive(Clone)]
pub struct Client {
    transport: Arc<Transport>,
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
        })
    }

    /// The tenant that the credentials open.
    pub fn tenant(&self) -> &Tenant {
        self.transport.key().tenant()
    }

    /// A short text that changes when any credential changes.
    pub fn fingerprint(&self) -> String {
        self.transport.key().fingerprint()
    }

    /// Makes sure that a token is at hand; many callers cause one request.
    ///
    /// # Errors
    ///
    /// [`Error::TokenRejected`] or [`Error::TokenUnavailable`].
    pub async fn check_token(&self) -> Result<(), Error> {
        self.transport.check_token().await
    }

    // === deployments ===

    /// Every deployment of a resource group, in one page.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::Incomplete`] when the list does not hold everything.
    pub async fn list_deployments(&self, group: &str) -> Result<DeploymentList, Error> {
        let top = MAX_DEPLOYMENTS.to_string();
        let call = Call {
            query: &[("$top", &top)],
            ..get(&["lm", "deployments"], Some(group))
        };
        let answer = self.transport.fetch(&call).await?;
        let deployments = wire::whole_list::<DeploymentJson>(&answer.body)?;
        if deployments.len() >= MAX_DEPLOYMENTS {
            return Err(incomplete(format!(
                "the list has the largest size of {MAX_DEPLOYMENTS} entries, so more may exist"
            )));
        }
        Ok(DeploymentList {
            deployments,
            date: answer.date,
        })
    }

    /// One deployment.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::NotFound`], which is no proof of absence for a deployment that was just created.
    pub async fn get_deployment(&self, group: &str, id: &str) -> Result<Deployment, Error> {
        let answer = self
            .transport
            .fetch(&get(&["lm", "deployments", id], Some(group)))
            .await?;
        let deployment = wire::object::<DeploymentJson>(&answer.body)?;
        if deployment.id != id {
            let message = format!("asked for the deployment {id}, it is about another one");
            return Err(Error::Malformed {
                message,
                source: None,
            });
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
        let call = send(
            Method::POST,
            &["lm", "deployments"],
            Some(group),
            Some(body),
        );
        wire::created_id(&self.transport.fetch(&call).await?.body)
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

    /// Every configuration whose name contains a text, also where the server does not search.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::Incomplete`] when the pages do not add up to everything.
    pub async fn find_configurations(
        &self,
        group: &str,
        name_contains: &str,
    ) -> Result<Vec<Configuration>, Error> {
        let top = CONFIGURATIONS_PER_PAGE.to_string();
        let search: String = name_contains.chars().take(MAX_SEARCH).collect();
        let mut found = BTreeMap::new();
        loop {
            let before = found.len();
            let skip = before.to_string();
            let query = [
                ("$top", top.as_str()),
                ("$skip", &skip),
                ("$search", &search),
            ];
            // An empty search is not a legal one.
            let query = if search.is_empty() {
                &query[..2]
            } else {
                &query[..]
            };
            let call = Call {
                query,
                ..get(&["lm", "configurations"], Some(group))
            };
            let (page, count) =
                wire::list::<ConfigurationJson>(&self.transport.fetch(&call).await?.body)?;
            let full = page.len() >= CONFIGURATIONS_PER_PAGE;
            found.extend(
                page.into_iter()
                    .map(|configuration| (configuration.id.clone(), configuration)),
            );
            // By contract `count` is the length of the page, but a server may count everything that it has.
            if !full && count.is_none_or(|count| count <= found.len() as u64) {
                break;
            }
            if found.len() == before {
                return Err(incomplete(format!(
                    "after {before} configurations the next page brings no new one"
                )));
            }
        }
        Ok(found
            .into_values()
            .filter(|configuration| configuration.name.contains(name_contains))
            .collect())
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
        let call = send(
            Method::POST,
            &["lm", "configurations"],
            Some(group),
            Some(json!(configuration)),
        );
        wire::created_id(&self.transport.fetch(&call).await?.body)
    }

    // === tenant ===

    /// Every resource group of the tenant.
    ///
    /// AI Core gives all in one answer; where a server pages, its `Link` header is followed by the `continueToken` alone.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::Incomplete`] when the pages do not add up to everything.
    pub async fn list_resource_groups(&self) -> Result<Vec<ResourceGroup>, Error> {
        let mut groups = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let query = token.as_deref().map(|token| [("continueToken", token)]);
            let query = query.as_ref().map_or(&[][..], |query| &query[..]);
            let answer = match self
                .transport
                .fetch(&Call {
                    query,
                    ..get(&["admin", "resourceGroups"], None)
                })
                .await
            {
                Err(Error::Rejected(rejection)) if rejection.status == 410 => {
                    return Err(incomplete(
                        "the list of resource groups changed while it was read".to_owned(),
                    ));
                }
                answer => answer?,
            };
            groups.extend(wire::whole_list::<ResourceGroupJson>(&answer.body)?);
            match continue_token(&answer.headers)? {
                None => return Ok(groups),
                next if next == token => {
                    return Err(incomplete(
                        "a page of resource groups leads to itself".to_owned(),
                    ));
                }
                next => token = next,
            }
        }
        Err(incomplete(format!(
            "the list of resource groups has not ended after {MAX_PAGES} pages"
        )))
    }

    /// One resource group.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::NotFound`].
    pub async fn get_resource_group(&self, id: &str) -> Result<ResourceGroup, Error> {
        let answer = self
            .transport
            .fetch(&get(&["admin", "resourceGroups", id], None))
            .await?;
        wire::object::<ResourceGroupJson>(&answer.body)
    }

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

fn get<'a>(path: &'a [&'a str], group: Option<&'a str>) -> Call<'a> {
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
        group,
        body,
    }
}

fn incomplete(message: String) -> Error {
    Error::Incomplete {
        message,
        source: None,
    }
}
