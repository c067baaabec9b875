//! What a key sees: whether it works, which resource groups there are, how many deployments run and how many belong to nobody here.

use std::sync::Arc;

use tokio::time::Instant;

use super::surveys::Made;
use super::views::ConnectionName;
use crate::aicore::{Client, Error, GroupKey, Status, Tenant};
use crate::controller::context::Context;
use crate::controller::problem::Problem;

/// What a key sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Survey {
    pub(crate) problem: Option<Problem>,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) resource_groups: Vec<String>,
    pub(crate) running: i64,
    pub(crate) unclaimed: i64,
}

impl Survey {
    /// There is no key to look with.
    pub(crate) fn failed(problem: Problem) -> Self {
        Self {
            problem: Some(problem),
            ..Self::default()
        }
    }

    /// The host name of the API.
    pub(crate) fn host(&self) -> Option<String> {
        let url = reqwest::Url::parse(&self.tenant.as_ref()?.api_url).ok()?;
        url.host_str().map(str::to_owned)
    }

    /// What is seen, in words.
    pub(crate) fn message(&self) -> String {
        match self.resource_groups.len() {
            0 => "the key works; it may not list resource groups".to_owned(),
            groups => format!(
                "the key works; resource groups: {groups}, running deployments: {}, unclaimed: {}",
                self.running, self.unclaimed
            ),
        }
    }
}

/// Looks through a key, at AI Core where the last look is too old, and otherwise at what is known.
pub(crate) async fn of(context: &Context, name: &ConnectionName, client: &Client) -> Survey {
    let fresh = |made: &Arc<Made>| made.at.elapsed() < context.options.resync;
    if let Some(made) = context.surveys.made(name).filter(fresh) {
        return count(context, client.tenant(), &made.resource_groups);
    }
    match make(context, client).await {
        Ok(made) => {
            let made = Arc::new(made);
            context.surveys.keep(name, made.clone());
            count(context, client.tenant(), &made.resource_groups)
        }
        Err(error) => Survey::failed(Problem {
            reason: error.reason(),
            message: error.to_string(),
        }),
    }
}

async fn make(context: &Context, client: &Client) -> Result<Made, Error> {
    client.check_token().await?;
    let mut resource_groups: Vec<String> = match client.list_resource_groups().await {
        Ok(groups) => groups.into_iter().map(|group| group.id).collect(),
        // A key may work without being allowed to list the groups; then something that every key may do tells.
        Err(Error::Forbidden(_) | Error::NotFound(_)) => {
            client.meta().await?;
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    resource_groups.sort();
    for group in &resource_groups {
        let key = GroupKey {
            tenant: client.tenant().clone(),
            group: group.clone(),
        };
        // A group that cannot be listed is left out of the counts; whoever lives in it learns why from its own object.
        if let Ok(snapshot) = context.inventory.list_once(&key).await {
            context.surveys.listed(key, snapshot);
        }
    }
    Ok(Made {
        at: Instant::now(),
        resource_groups,
    })
}

fn count(context: &Context, tenant: &Tenant, resource_groups: &[String]) -> Survey {
    let mut survey = Survey {
        tenant: Some(tenant.clone()),
        resource_groups: resource_groups.to_vec(),
        ..Survey::default()
    };
    for group in resource_groups {
        let key = GroupKey {
            tenant: tenant.clone(),
            group: group.clone(),
        };
        let Some(snapshot) = context.surveys.newest(&key) else {
            continue;
        };
        survey.running += snapshot
            .iter()
            .filter(|deployment| deployment.status == Status::Running)
            .count() as i64;
        survey.unclaimed += context.unclaimed(&key, &snapshot).len() as i64;
    }
    survey
}
