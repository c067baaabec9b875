//! How long objects are in each phase of their lives.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::api::Reason;

/// Seconds: a stop takes some, a model of one's own half an hour, and a quota may be used up for a day.
const PHASE: [f64; 10] = [
    1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1800.0, 7200.0, 28800.0, 86400.0,
];

/// The time from one reason of the condition Ready to the next, by the reason that is over.
#[derive(Clone, Debug)]
pub(super) struct Phases(Family<Phase, Histogram>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Phase {
    phase: &'static str,
}

impl Default for Phases {
    fn default() -> Self {
        Self(Family::new_with_constructor(|| Histogram::new(PHASE)))
    }
}

impl Phases {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "phase_duration",
            "How long Deployments were in a phase that is over now, by the reason of their condition Ready",
            Unit::Seconds,
            self.0.clone(),
        );
    }

    pub(super) fn over(&self, phase: Reason, time: Duration) {
        let phase = Phase {
            phase: phase.as_str(),
        };
        self.0.get_or_create(&phase).observe(time.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn a_phase_is_measured_when_it_is_over() {
        let metrics = Metrics::new();
        metrics.phase_over(Reason::Starting, Duration::from_secs(90));
        let text = metrics.encode();
        for line in [
            r#"aicore_phase_duration_seconds_bucket{le="60.0",phase="Starting"} 0"#,
            r#"aicore_phase_duration_seconds_bucket{le="180.0",phase="Starting"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
