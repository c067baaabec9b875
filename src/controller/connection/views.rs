//! What every Connection leads to, as the Deployments need it.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::aicore::{Client, Realm, Tenant};
use crate::api::{AccessGrant, Reason};

/// A Connection's namespace and name.
pub(crate) type ConnectionName = (String, String);

/// The Connections that were looked at.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    known: Mutex<HashMap<ConnectionName, ConnectionView>>,
    access: Mutex<HashMap<ConnectionName, Vec<AccessGrant>>>,
}

/// What a Connection leads to.
#[derive(Clone, Debug)]
pub(crate) enum ConnectionView {
    /// A key that can be used.
    Usable {
        /// The client with that key.
        client: Client,
        /// Whether nobody else creates deployments from the configurations that Deployments name.
        exclusive: bool,
        /// The object with which the key was revoked, or is about to be: it owns the Secret, which is being deleted.
        revoker: Option<String>,
    },
    /// No key that could be used.
    Unusable {
        /// One word for why.
        reason: Reason,
        /// A sentence for a person.
        message: String,
    },
}

impl ConnectionView {
    /// Whether this is news to those who use the Connection.
    pub(crate) fn differs_from(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Usable {
                    client: a,
                    exclusive: x,
                    revoker: m,
                },
                Self::Usable {
                    client: b,
                    exclusive: y,
                    revoker: n,
                },
            ) => a.fingerprint() != b.fingerprint() || x != y || m != n,
            (Self::Unusable { message: a, .. }, Self::Unusable { message: b, .. }) => a != b,
            _ => true,
        }
    }
}

impl Connections {
    /// What this Connection leads to; none while it was never looked at.
    pub(crate) fn get(&self, name: &ConnectionName) -> Option<ConnectionView> {
        self.known.lock().get(name).cloned()
    }

    /// The tenant that this Connection leads to.
    pub(crate) fn tenant(&self, name: &ConnectionName) -> Option<Tenant> {
        self.realm(name).map(|realm| realm.tenant)
    }

    /// The realm of this Connection's credentials.
    pub(crate) fn realm(&self, name: &ConnectionName) -> Option<Realm> {
        match self.known.lock().get(name)? {
            ConnectionView::Usable { client, .. } => Some(client.realm()),
            ConnectionView::Unusable { .. } => None,
        }
    }

    /// The Connections that lead to a tenant.
    pub(crate) fn leading_to(&self, tenant: &Tenant) -> Vec<ConnectionName> {
        let known = self.known.lock();
        let leads = |view: &ConnectionView| matches!(view, ConnectionView::Usable { client, .. } if client.tenant() == tenant);
        known
            .iter()
            .filter(|(_, view)| leads(view))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Whom this Connection grants access; none while it was never looked at.
    pub(crate) fn access(&self, name: &ConnectionName) -> Option<Vec<AccessGrant>> {
        self.access.lock().get(name).cloned()
    }

    /// Notes whom a Connection grants access. Tells whether that is news.
    pub(crate) fn grant(&self, name: &ConnectionName, access: &[AccessGrant]) -> bool {
        let before = self
            .access
            .lock()
            .insert(name.clone(), access.to_vec())
            .unwrap_or_default();
        before != access
    }

    /// Notes what a Connection leads to.
    pub(crate) fn set(&self, name: ConnectionName, view: ConnectionView) {
        self.known.lock().insert(name, view);
    }

    /// Forgets a Connection that is gone.
    pub(crate) fn forget(&self, name: &ConnectionName) {
        self.known.lock().remove(name);
        self.access.lock().remove(name);
    }
}
