//! Who holds which remote deployment, so that no two objects ever drive the same one.
//!
//! The register is filled from the watch of Deployments before the first decision, and an id is reserved here before it is written to a
//! status: a cache that lags behind can never give one deployment away twice.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use parking_lot::Mutex;

use super::connection::views::ConnectionName;
use super::connection::{left, reference};
use super::subject::looks_on;
use crate::aicore::{self, GroupKey, Realm, Tenant};
use crate::api::{Deployment, LeftCall};

/// How many ids of objects that are gone are remembered.
const MAXIMUM_FORMER: usize = 10_000;

/// How many calls of objects that are gone are remembered.
const MAXIMUM_LEFT_CALLS: usize = 10_000;

/// The register of all claims.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    register: Mutex<Register>,
}

#[derive(Debug, Default)]
struct Register {
    claimants: HashMap<String, Claimant>,
    /// The uids that record, reserve or name a deployment id.
    by_deployment: HashMap<String, HashSet<String>>,
    /// The deployments that objects recorded which are gone, or that Connections say were left behind, newest last: they are nobody's lost ones.
    former: VecDeque<String>,
    /// The create calls that were open when their objects were let go, newest last.
    left_calls: VecDeque<LeftCall>,
}

/// One object and the deployments it records, reserves or names.
#[derive(Clone, Debug)]
struct Claimant {
    object: ObjectRef<Deployment>,
    created: Option<Timestamp>,
    group: String,
    tenant: Option<Tenant>,
    connection: ConnectionName,
    /// Whether it may use that Connection.
    allowed: bool,
    /// Whether it only looks on: it wants news of its deployment, and holds nothing.
    looks_on: bool,
    /// Whether its deployment was recorded while it looked on, so that whoever else records it comes first.
    observed_only: bool,
    /// The deployment of the object, and those that are retiring.
    recorded: Vec<String>,
    reserved: Option<(GroupKey, String)>,
    named: Option<String>,
}

impl Claims {
    /// Notes what an object records and names. Returns the objects that may have what it has let go of.
    pub(crate) fn observe(&self, object: &Deployment) -> Vec<ObjectRef<Deployment>> {
        let Some(uid) = object.uid() else {
            return Vec::new();
        };
        let mut register = self.register.lock();
        let former = register.remove(&uid);
        let claimant = Claimant::new(object, former.clone());
        let former = former.filter(|former| !former.looks_on);
        let kept = |id: &&str| !claimant.looks_on && claimant.ids().any(|kept| kept == *id);
        let let_go = former.iter().flat_map(Claimant::ids);
        let heirs = register.heirs(let_go.filter(|id| !kept(id)));
        register.insert(uid, claimant);
        heirs
    }

    /// Notes whether the object may use the Connection that its spec names. Until that is known, naming a deployment through the Connection of
    /// another namespace is no claim: otherwise whoever guesses an id could keep it from those who may have it.
    pub(crate) fn allow(&self, uid: &str, allowed: bool) {
        if let Some(claimant) = self.register.lock().claimants.get_mut(uid) {
            claimant.allowed = allowed;
        }
    }

    /// Notes what an object records and names, unless it is gone already.
    pub(crate) fn refresh(&self, object: &Deployment) {
        let known = object
            .uid()
            .is_some_and(|uid| self.register.lock().claimants.contains_key(&uid));
        if known {
            self.observe(object);
        }
    }

    /// Forgets an object that is gone. Returns the objects that may have what it had.
    pub(crate) fn forget(&self, uid: &str) -> Vec<ObjectRef<Deployment>> {
        let mut register = self.register.lock();
        let former = register.remove(uid).filter(|claimant| !claimant.looks_on);
        let heirs = register.heirs(former.iter().flat_map(Claimant::ids));
        let recorded = former.map(|claimant| claimant.recorded);
        register.leave(recorded.unwrap_or_default());
        heirs
    }

    /// Notes deployments that were left behind on purpose.
    pub(crate) fn leave(&self, ids: impl IntoIterator<Item = String>) {
        self.register.lock().leave(ids);
    }

    /// Notes create calls that were open when their objects were let go.
    pub(crate) fn leave_calls<'a>(&self, calls: impl IntoIterator<Item = &'a LeftCall>) {
        let known = &mut self.register.lock().left_calls;
        add_new(known, calls.into_iter().cloned(), MAXIMUM_LEFT_CALLS);
    }

    /// Whether a deployment may be the result of a create call whose object was let go, so that it is nobody's.
    pub(crate) fn may_be_left(&self, deployment: &aicore::Deployment) -> bool {
        let register = self.register.lock();
        let mut calls = register.left_calls.iter();
        calls.any(|call| left::may_have_made(call, deployment))
    }

    /// Whether an object that is gone has recorded `id`.
    pub(crate) fn was_recorded(&self, id: &str) -> bool {
        let register = self.register.lock();
        register.former.iter().any(|former| former == id)
    }

    /// Reserves `id` for an object, unless another one holds it. The reservation ends with [`Claims::unreserve`] or with the object.
    pub(crate) fn reserve(
        &self,
        uid: &str,
        key: &GroupKey,
        id: &str,
        realm_of: RealmOf<'_>,
    ) -> bool {
        let mut register = self.register.lock();
        if register
            .holder(key, id, realm_of)
            .is_some_and(|holder| holder != uid)
        {
            return false;
        }
        if let Some(mut claimant) = register.remove(uid) {
            claimant.reserved = Some((key.clone(), id.to_owned()));
            register.insert(uid.to_owned(), claimant);
        }
        true
    }

    /// Gives up an object's reservation.
    pub(crate) fn unreserve(&self, uid: &str) {
        let mut register = self.register.lock();
        if let Some(mut claimant) = register.remove(uid) {
            claimant.reserved = None;
            register.insert(uid.to_owned(), claimant);
        }
    }

    /// The uid of the object that holds `id`: the oldest that records or reserves it, else the oldest that names it.
    pub(crate) fn holder(&self, key: &GroupKey, id: &str, realm_of: RealmOf<'_>) -> Option<String> {
        self.register.lock().holder(key, id, realm_of)
    }

    /// The objects that record, reserve or name `id` in this group of whatever tenant: those whom news about it concern.
    pub(crate) fn concerned(&self, group: &str, id: &str) -> Vec<ObjectRef<Deployment>> {
        let register = self.register.lock();
        let uids = register.by_deployment.get(id).into_iter().flatten();
        uids.filter_map(|uid| register.claimants.get(uid))
            .filter(|claimant| claimant.group == group)
            .map(|claimant| claimant.object.clone())
            .collect()
    }

    /// Those of `ids` that no object holds, except `but`: what an object has reserved for itself, or names, is not hidden from itself.
    pub(crate) fn unclaimed<'a>(
        &self,
        key: &GroupKey,
        ids: impl Iterator<Item = &'a str>,
        but: Option<&str>,
        realm_of: RealmOf<'_>,
    ) -> BTreeSet<String> {
        // Whoever gives the ids may ask this register about them on the way.
        let ids: Vec<&str> = ids.collect();
        let register = self.register.lock();
        let free = |id: &&str| {
            register
                .holder(key, id, realm_of)
                .is_none_or(|holder| Some(holder.as_str()) == but)
        };
        ids.into_iter().filter(free).map(str::to_owned).collect()
    }
}

/// The realm of the credentials of a Connection (namespace, name) now: an object that only names an id means it there.
pub(crate) type RealmOf<'a> = &'a dyn Fn(&ConnectionName) -> Option<Realm>;

impl Register {
    /// The objects that record, reserve or name one of `ids`.
    fn heirs<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Vec<ObjectRef<Deployment>> {
        let uids = ids.filter_map(|id| self.by_deployment.get(id)).flatten();
        uids.filter_map(|uid| self.claimants.get(uid))
            .map(|claimant| claimant.object.clone())
            .collect()
    }

    fn leave(&mut self, ids: impl IntoIterator<Item = String>) {
        add_new(&mut self.former, ids, MAXIMUM_FORMER);
    }

    fn insert(&mut self, uid: String, claimant: Claimant) {
        for id in claimant.ids() {
            self.by_deployment
                .entry(id.to_owned())
                .or_default()
                .insert(uid.clone());
        }
        self.claimants.insert(uid, claimant);
    }

    fn remove(&mut self, uid: &str) -> Option<Claimant> {
        let claimant = self.claimants.remove(uid)?;
        for id in claimant.ids() {
            if let Some(uids) = self.by_deployment.get_mut(id) {
                uids.remove(uid);
                if uids.is_empty() {
                    self.by_deployment.remove(id);
                }
            }
        }
        Some(claimant)
    }

    fn holder(&self, key: &GroupKey, id: &str, realm_of: RealmOf<'_>) -> Option<String> {
        let uids = self.by_deployment.get(id)?;
        let rank = |uid: &String| {
            self.claimants[uid]
                .rank(key, id, realm_of)
                .map(|rank| (rank, self.claimants[uid].created, uid.clone()))
        };
        uids.iter().filter_map(rank).min().map(|(_, _, uid)| uid)
    }
}

impl Claimant {
    fn new(object: &Deployment, former: Option<Self>) -> Self {
        let connection = reference::named(object);
        let at_home = object.namespace().as_ref() == Some(&connection.0);
        let still_allowed = former
            .as_ref()
            .is_some_and(|former| former.allowed && former.connection == connection);
        let status = object.status.as_ref();
        let current = status.and_then(|status| status.deployment.as_ref());
        let retiring = status.map_or(&[][..], |status| &status.retiring);
        let recorded: Vec<String> = current
            .map(|deployment| &deployment.id)
            .into_iter()
            .chain(retiring.iter().map(|deployment| &deployment.id))
            .cloned()
            .collect();
        let done_with = |id: &String| status.is_some_and(|status| status.previous_ids.contains(id));
        let named = object
            .spec
            .adopt
            .as_ref()
            .map(|adopt| adopt.deployment_id.clone());
        Self {
            object: ObjectRef::from_obj(object),
            created: object
                .metadata
                .creation_timestamp
                .as_ref()
                .map(|time| time.0),
            group: object.spec.resource_group.clone(),
            tenant: status.and_then(|status| status.tenant.clone()),
            connection,
            allowed: at_home || still_allowed,
            looks_on: looks_on(object),
            observed_only: status.is_some_and(|status| status.observed_only),
            // adopt is read only while no id is recorded, so what is recorded hides what is named.
            named: named.filter(|id| {
                current.is_none() && !done_with(id) && object.metadata.deletion_timestamp.is_none()
            }),
            recorded,
            reserved: former
                .filter(|_| !looks_on(object))
                .and_then(|former| former.reserved),
        }
    }

    fn ids(&self) -> impl Iterator<Item = &str> {
        let reserved = self.reserved.as_ref().map(|(_, id)| id.as_str());
        let others = [reserved, self.named.as_deref()];
        self.recorded
            .iter()
            .map(String::as_str)
            .chain(others.into_iter().flatten())
    }

    /// How strong the claim to `id` is, 0 being the strongest, or none where there is no claim.
    fn rank(&self, key: &GroupKey, id: &str, realm_of: RealmOf<'_>) -> Option<u8> {
        if self.looks_on {
            return None;
        }
        let reserved = self
            .reserved
            .as_ref()
            .is_some_and(|(place, reserved)| place == key && reserved == id);
        if reserved {
            return Some(0);
        }
        if self.group != key.group {
            return None;
        }
        if self.recorded.iter().any(|recorded| recorded == id)
            && self.tenant.as_ref() == Some(key.tenant())
        {
            return Some(u8::from(self.observed_only));
        }
        let named = self.allowed
            && self.named.as_deref() == Some(id)
            && realm_of(&self.connection).as_ref() == Some(&key.realm);
        named.then_some(1)
    }
}

/// Adds what is new, and drops what is oldest beyond `limit`.
fn add_new<T: PartialEq>(known: &mut VecDeque<T>, more: impl IntoIterator<Item = T>, limit: usize) {
    for it in more {
        if !known.contains(&it) {
            known.push_back(it);
        }
    }
    let surplus = known.len().saturating_sub(limit);
    known.drain(..surplus);
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
