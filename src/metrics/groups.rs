//! How old the newest list of each resource group is, when somebody asks.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::label;
use crate::aicore::{Inventory, Tenant};

/// Reads the inventory at each scrape, as long as there is one.
#[derive(Clone, Default)]
pub(super) struct Groups(Arc<OnceLock<Weak<Inventory>>>);

/// A tenant has at most 50 resource groups (AI Core documentation, "Manage Resource Groups").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct Place {
    identity_zone: String,
    resource_group: String,
}

impl Place {
    fn of(tenant: &Tenant, group: &str) -> Self {
        Self {
            identity_zone: label::value(&tenant.identity_zone_id),
            resource_group: label::value(group),
        }
    }
}

/// One age for each place. Tenants at two API hosts may have the same zone, and others may claim it and are no part of it: a series that is there
/// twice would make the whole scrape useless.
fn oldest(ages: impl Iterator<Item = (Place, Duration)>) -> BTreeMap<Place, Duration> {
    let mut oldest = BTreeMap::new();
    for (place, age) in ages {
        let kept = oldest.entry(place).or_insert(age);
        *kept = age.max(*kept);
    }
    oldest
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
        let help = "Time since the newest list of a resource group was asked for, or since it is asked for where none came yet";
        let mut encoder =
            encoder.encode_descriptor("list_age", help, Some(&Unit::Seconds), MetricType::Gauge)?;
        let inventory = self.0.get().and_then(Weak::upgrade);
        let ages = inventory.iter().flat_map(|inventory| inventory.ages());
        let ages = ages.map(|(key, age)| (Place::of(key.tenant(), &key.group), age));
        for (place, age) in oldest(ages) {
            ConstGauge::new(age.as_secs_f64()).encode(encoder.encode_family(&place)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_at_two_hosts_is_told_once_with_the_older_age() {
        let key = |host: &str, group: &str| {
            let tenant = Tenant {
                api_url: format!("https://{host}.example.com"),
                identity_zone_id: "zone\n".to_owned(),
            };
            Place::of(&tenant, group)
        };
        let seconds = Duration::from_secs;
        let ages = [
            (key("a", "team-a"), seconds(5)),
            (key("b", "team-a"), seconds(9)),
            (key("a", "team-b"), seconds(1)),
        ];
        let told: Vec<_> = oldest(ages.into_iter())
            .into_iter()
            .map(|(place, age)| (place.identity_zone, place.resource_group, age))
            .collect();
        let zone = || "zone_".to_owned();
        let expected = [
            (zone(), "team-a".to_owned(), seconds(9)),
            (zone(), "team-b".to_owned(), seconds(1)),
        ];
        assert_eq!(told, expected);
    }
}
