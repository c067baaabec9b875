//! What a key sees: whether it works, which resource groups there are, how many deployments run and how many belong to nobody here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::access::Problem;
use super::connections::ConnectionName;
use super::context::Context;
use crate::aicore::{Client, Error, GroupKey, Snapshot, Status, Tenant};

/// What a key sees.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey {
    pub(super) problem: Option<Problem>,
    pub(super) tenant: Option<Tenant>,
    pub(super) resource_groups: Vec<String>,
    pub(super) running: i64,
    pub(super) unclaimed: i64,
}

/// The last look through each Connection. It is repeated when the key changes, and now and then.
#[derive(Debug, Default)]
pub(super) struct Surveys {
    made: Mutex<HashMap<ConnectionName, Arc<Made>>>,
    /// The newest list of each group, whoever asked for it.
    newest: Mutex<HashMap<GroupKey, Arc<Snapshot>>>,
}

#[derive(Debug)]
struct Made {
    at: Instant,
    resource_groups: Vec<String>,
}

impl Survey {
    /// There is no key to look with.
    pub(super) fn failed(problem: Problem) -> Self {
        Self {
            problem: Some(problem),
            ..Self::default()
        }
    }

    /// The host name of the API.
    pub(super) fn host(&self) -> Option<String> {
        let url = reqwest::Url::parse(&self.tenant.as_ref()?.api_url).ok()?;
        url.host_str().map(str::to_owned)
    }

    /// What is seen, in words.
    pub(super) fn message(&self) -> String {
        match self.resource_groups.len() {
            0 => "the key works; it may not list resource groups".to_owned(),
            groups => format!(
                "the key works; resource groups: {groups}, running deployments: {}, unclaimed: {}",
                self.running, self.unclaimed
            ),
        }
    }
}

impl Surveys {
    /// Has the next survey of a Connection made anew.
    pub(super) fn forget(&self, name: &ConnectionName) {
        self.made
            .lock()
            .expect("no code panics while it holds the map")
            .remove(name);
    }

    /// Notes a list.
    pub(super) fn listed(&self, key: GroupKey, snapshot: Arc<Snapshot>) {
        self.newest
            .lock()
            .expect("no code panics while it holds the map")
            .insert(key, snapshot);
    }

    fn made(&self, name: &ConnectionName) -> Option<Arc<Made>> {
        self.made
            .lock()
            .expect("no code panics while it holds the map")
            .get(name)
            .cloned()
    }
}

/// Looks through a key, at AI Core where the last look is too old, and otherwise at what is known.
pub(super) async fn of(context: &Context, name: &ConnectionName, client: &Client) -> Survey {
    let made = match context
        .surveys
        .made(name)
        .filter(|made| made.at.elapsed() < context.options.resync)
    {
        Some(made) => made,
        None => match make(context, client).await {
            Ok(made) => {
                let made = Arc::new(made);
                context
                    .surveys
                    .made
                    .lock()
                    .expect("no code panics while it holds the map")
                    .insert(name.clone(), made.clone());
                made
            }
            Err(error) => {
                return Survey::failed(Problem {
                    reason: error.reason(),
                    message: error.to_string(),
                });
            }
        },
    };
    count(context, client.tenant(), &made.resource_groups)
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
    let snapshots: HashMap<GroupKey, Arc<Snapshot>> = {
        let newest = context
            .surveys
            .newest
            .lock()
            .expect("no code panics while it holds the map");
        let keys = resource_groups.iter().map(|group| GroupKey {
            tenant: tenant.clone(),
            group: group.clone(),
        });
        keys.filter_map(|key| newest.get(&key).cloned().map(|snapshot| (key, snapshot)))
            .collect()
    };
    let running = |snapshot: &Snapshot| {
        snapshot
            .iter()
            .filter(|deployment| deployment.status == Status::Running)
            .count() as i64
    };
    Survey {
        problem: None,
        tenant: Some(tenant.clone()),
        resource_groups: resource_groups.to_vec(),
        running: snapshots.values().map(|snapshot| running(snapshot)).sum(),
        unclaimed: snapshots
            .iter()
            .map(|(key, snapshot)| context.unclaimed(key, snapshot).len() as i64)
            .sum(),
    }
}
