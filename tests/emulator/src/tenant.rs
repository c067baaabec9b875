//! A tenant: a SAP BTP subaccount with its own client, groups, configurations and deployments.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use crate::resource_group::ResourceGroup;

/// The group that every tenant has and that cannot be deleted.
pub(crate) const DEFAULT_GROUP: &str = "default";

/// A tenant to start with.
#[derive(Clone, PartialEq, Eq)]
pub struct TenantSeed {
    /// Identity zone id: names the tenant in service keys, tokens, and in the control plane.
    pub identity_zone_id: String,
    /// Client id of the service key.
    pub client_id: String,
    /// Client secret of the service key.
    pub client_secret: String,
}

/// A tenant and everything in it. Tenants share nothing but the catalogue of scenarios.
pub(crate) struct Tenant {
    pub(crate) zone: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) groups: BTreeMap<String, ResourceGroup>,
    /// Reserved nodes by resource plan.
    pub(crate) reserved_nodes: BTreeMap<String, u64>,
}

impl Tenant {
    /// A tenant with the default group and `groups`, all usable at once.
    pub(crate) fn new(seed: TenantSeed, groups: &[String], now: Timestamp) -> Self {
        let groups = groups.iter().map(String::as_str).chain([DEFAULT_GROUP]);
        Self {
            zone: seed.identity_zone_id,
            client_id: seed.client_id,
            client_secret: seed.client_secret,
            groups: groups
                .map(|id| (id.to_owned(), ResourceGroup::new(id.to_owned(), now)))
                .collect(),
            reserved_nodes: BTreeMap::new(),
        }
    }
}

impl Default for TenantSeed {
    fn default() -> Self {
        Self {
            identity_zone_id: "zone-1".to_owned(),
            client_id: "client-1".to_owned(),
            client_secret: "secret-1".to_owned(),
        }
    }
}

impl fmt::Debug for TenantSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TenantSeed")
            .field("identity_zone_id", &self.identity_zone_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
