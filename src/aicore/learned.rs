//! What a client has learned about its server's lists, so that it need not ask again.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use parking_lot::{Mutex, MutexGuard};

use super::paging::{Extent, Whole};
use super::types::Deployment;

/// What is known about a server. One per client, for as long as the client lives.
#[derive(Default)]
pub(super) struct Learned(Mutex<Lists>);

#[derive(Default)]
struct Lists {
    /// The server refuses the parameter `$top`.
    refuses_top: bool,
    /// The length of the page at which the server was seen to cut.
    cap: Option<usize>,
    /// For each resource group: the deployments that were last confirmed to be all, as a hash of their ids.
    confirmed: HashMap<String, u64>,
    /// How many deployments this client may have created.
    growth: u64,
}

impl Learned {
    pub(super) fn refuses_top(&self) -> bool {
        self.lists().refuses_top
    }

    pub(super) fn top_was_refused(&self) {
        self.lists().refuses_top = true;
    }

    /// Whether exactly these deployments were confirmed to be all of the group, on a server that is not known to cut at their number.
    pub(super) fn is_confirmed(&self, group: &str, page: &[Deployment]) -> bool {
        let lists = self.lists();
        lists.cap != Some(page.len()) && lists.confirmed.get(group) == Some(&hash(page))
    }

    /// How many deployments this client may have created so far. To be asked for before a list is.
    pub(super) fn growth(&self) -> u64 {
        self.lists().growth
    }

    /// Keeps how it was found out that a group has these deployments, unless one may have been created since `before`, the growth when the list
    /// was asked for.
    pub(super) fn keep(&self, group: &str, whole: &Whole<Deployment>, before: u64) {
        let mut lists = self.lists();
        match whole.extent {
            Extent::Confirmed if lists.growth == before => {
                lists
                    .confirmed
                    .insert(group.to_owned(), hash(&whole.entries));
            }
            Extent::Confirmed | Extent::Evident => {}
            Extent::Pages(length) => lists.cap = Some(length),
        }
    }

    /// A deployment may have been created in the group: a server that cuts would show the same list as before.
    pub(super) fn may_have_grown(&self, group: &str) {
        let mut lists = self.lists();
        lists.growth += 1;
        lists.confirmed.remove(group);
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.0.lock()
    }
}

/// The same for the same ids in any order.
fn hash(deployments: &[Deployment]) -> u64 {
    let mut ids: Vec<_> = deployments.iter().map(|one| one.id.as_str()).collect();
    ids.sort_unstable();
    let mut hasher = DefaultHasher::new();
    ids.hash(&mut hasher);
    hasher.finish()
}
