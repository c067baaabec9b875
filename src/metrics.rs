//! What the operator counts, in the format of Prometheus (OpenMetrics).
//!
//! Every label has a bounded set of values: verbs, status codes, reasons, and the names of Connections. Nothing is labelled with the name or
//! the id of a deployment. What is true of the objects now is read from the caches when somebody asks.

mod groups;
mod label;
mod leader;
mod objects;
mod phases;
mod queues;
mod remote;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::aicore::Inventory;
use crate::api::Reason;
use crate::controller::{Listed, Mode};
use crate::lease::Leadership;
use groups::Groups;
use leader::Leader;
use objects::Objects;
use phases::Phases;
pub(crate) use queues::{Queue, Queues};
pub use remote::{Queued, RemoteCalls};

/// The media type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    listed: Listed,
    leadership: Leadership,
    remote_calls: RemoteCalls,
    forced_releases: Counter,
    phases: Phases,
    groups: Groups,
    queues: Queues,
    modes: Family<InMode, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InMode {
    mode: &'static str,
}

impl Metrics {
    /// Makes them, all counters at zero.
    pub fn new() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("aicore"),
            listed: Listed::default(),
            leadership: Leadership::default(),
            remote_calls: RemoteCalls::default(),
            forced_releases: Counter::default(),
            phases: Phases::default(),
            groups: Groups::default(),
            queues: Queues::default(),
            modes: Family::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        self.remote_calls.register(&mut self.registry);
        self.phases.register(&mut self.registry);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        self.registry
            .register("build", "The version of the operator", build);
        self.registry.register(
            "forced_releases",
            "Objects that were let go by force although a remote deployment may be left",
            self.forced_releases.clone(),
        );
        self.registry.register(
            "mode",
            "The mode of the operator: 1 for manage, or for observe, in which nothing is written to AI Core",
            self.modes.clone(),
        );
        let objects = Objects::new(self.listed.clone());
        self.registry.register_collector(Box::new(objects));
        self.registry
            .register_collector(Box::new(self.groups.clone()));
        self.registry
            .register_collector(Box::new(self.queues.clone()));
        let leader = Leader::new(self.leadership.clone());
        self.registry.register_collector(Box::new(leader));
        self
    }

    /// What the watches have shown.
    pub fn listed(&self) -> &Listed {
        &self.listed
    }

    /// Whether the process leads.
    pub fn leadership(&self) -> &Leadership {
        &self.leadership
    }

    /// What a client measures its calls with.
    pub fn remote_calls(&self) -> RemoteCalls {
        self.remote_calls.clone()
    }

    /// Tells in which mode the operator works, until it ends.
    pub fn works_in(&self, mode: Mode) {
        let mode = mode.word();
        self.modes.get_or_create(&InMode { mode }).set(1);
    }

    /// Counts an object that is let go by force.
    pub fn forced_release(&self) {
        self.forced_releases.inc();
    }

    /// Notes that an object has been in a phase, which is over now, for some time.
    pub(crate) fn phase_over(&self, phase: Reason, time: Duration) {
        self.phases.over(phase, time);
    }

    /// The objects that wait to be looked at.
    pub(crate) fn queues(&self) -> &Queues {
        &self.queues
    }

    /// Tells from now on how old the lists of an inventory are.
    pub(crate) fn follow(&self, inventory: &Arc<Inventory>) {
        self.groups.follow(inventory);
    }

    /// All metrics as text of the type [`CONTENT_TYPE`].
    pub fn encode(&self) -> String {
        let mut encoded = String::new();
        text::encode(&mut encoded, &self.registry).expect("a String takes every text");
        encoded
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_forced_is_told_from_the_start_and_counted() {
        let metrics = Metrics::new();
        assert!(
            metrics
                .encode()
                .contains("aicore_forced_releases_total 0\n")
        );
        metrics.forced_release();
        assert!(
            metrics
                .encode()
                .contains("aicore_forced_releases_total 1\n")
        );
    }

    #[test]
    fn an_operator_that_only_observes_says_so() {
        let metrics = Metrics::new();
        metrics.works_in(Mode::Observe);
        let text = metrics.encode();
        assert!(text.contains("aicore_mode{mode=\"observe\"} 1\n"), "{text}");
    }

    #[test]
    fn the_text_ends_as_its_format_demands() {
        assert!(Metrics::new().encode().ends_with("# EOF\n"));
    }
}
