//! The resource groups of a tenant.

use std::collections::BTreeSet;

use super::client::{Client, get};
use super::error::Error;
use super::links::continue_token;
use super::paging::incomplete;
use super::transport::Call;
use super::types::ResourceGroup;
use super::wire::{self, ResourceGroupJson};

/// More pages than this are not the truth: a tenant has at most 50 resource groups.
const MAX_PAGES: usize = 1_000;

impl Client {
    /// Every resource group of the tenant.
    ///
    /// AI Core gives all in one answer; where a server pages, its `Link` header is followed by the `continueToken` alone.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::Incomplete`] when the pages do not add up to everything, or when there is no group at all: every
    /// tenant has `default`, which nobody can delete.
    pub async fn list_resource_groups(&self) -> Result<Vec<ResourceGroup>, Error> {
        let mut groups = Vec::new();
        let mut count = None;
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
            let page = wire::list::<ResourceGroupJson>(answer.body.as_slice())?;
            count = count.max(page.count);
            groups.extend(page.objects);
            match continue_token(&answer.headers)? {
                None => {
                    let groups = all_groups(groups, count)?;
                    self.transport.trust_in(&answer);
                    return Ok(groups);
                }
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
}

/// The groups of all pages, when they are all. `count` is the largest one of a page: of its own entries, or of everything.
fn all_groups(groups: Vec<ResourceGroup>, count: Option<u64>) -> Result<Vec<ResourceGroup>, Error> {
    let listed = groups
        .iter()
        .map(|group| &group.id)
        .collect::<BTreeSet<_>>();
    match (listed.len(), count) {
        (0, _) => Err(incomplete(
            "the list of resource groups is empty, but every tenant has one".to_owned(),
        )),
        (listed, Some(count)) if count > listed as u64 => Err(incomplete(format!(
            "there are {count} resource groups, but the list gives {listed}"
        ))),
        _ => Ok(groups),
    }
}
