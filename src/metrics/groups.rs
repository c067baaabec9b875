//! How old the newest list of each resource group is, when somebody asks.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::aicore::Inventory;

/// Reads the inventory at each scrape, as long as there is one.
#[derive(Clone, Default)]
pub(super) struct Groups(Arc<OnceLock<Weak<Inventory>>>);

/// A tenant has at most 50 resource groups (AI Core documentation, "Manage Resource Groups").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct Place {
    identity_zone: String,
    resource_group: String,
}

impl Groups {
    pub(super) fn follow(&self, inventory: &Arc<Inventory>) {
        // A process has one inventory.
        let _ = self.0.set(Arc::downgrade(inventory));
    }
}

impl fmt::Debug for Groups {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Groups")
    }
}

impl Collector for Groups {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let help = "Time since the newest list of a resource group that came was asked for";
        let mut encoder =
            encoder.encode_descriptor("list_age", help, Some(&Unit::Seconds), MetricType::Gauge)?;
        let inventory = self.0.get().and_then(Weak::upgrade);
        let mut oldest = BTreeMap::new();
        for (key, age) in inventory.iter().flat_map(|inventory| inventory.ages()) {
            let place = Place {
                identity_zone: key.realm.tenant.identity_zone_id,
                resource_group: key.group,
            };
            // Others may claim the same zone and are no part of it: a second series of one name would make the whole scrape useless.
            let known = oldest.entry(place).or_insert(age);
            *known = age.max(*known);
        }
        for (place, age) in oldest {
            ConstGauge::new(age.as_secs_f64()).encode(encoder.encode_family(&place)?)?;
        }
        Ok(())
    }
}
