//! Whether this process leads, when somebody asks.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::lease::Leadership;

/// Reads at each scrape what the election has come to.
#[derive(Debug)]
pub(super) struct Leader {
    leadership: Leadership,
}

impl Leader {
    pub(super) fn new(leadership: Leadership) -> Self {
        Self { leadership }
    }
}

impl Collector for Leader {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let leads = ConstGauge::new(i64::from(self.leadership.is_held()));
        let help =
            "Whether this process leads: 1, or 0 while it stands by or could not renew its Lease";
        leads.encode(encoder.encode_descriptor("leader", help, None, MetricType::Gauge)?)?;
        let Some(age) = self.leadership.age() else {
            return Ok(());
        };
        let age = ConstGauge::new(age.as_secs_f64());
        let help = "Time since this process renewed its Lease for the last time";
        age.encode(encoder.encode_descriptor(
            "lease_age",
            help,
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?)
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::Metrics;

    #[test]
    fn a_process_that_never_led_says_so() {
        let text = Metrics::new().encode();
        assert!(text.contains("aicore_leader 0\n"), "{text}");
        assert!(!text.contains("lease_age"), "{text}");
    }
}
