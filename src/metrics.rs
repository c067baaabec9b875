//! What the operator counts, in the format of Prometheus (OpenMetrics).
//!
//! Every label has a bounded set of values: verbs, status codes, reasons, and the names of Connections. Nothing is labelled with the name or
//! the id of a deployment. What is true of the objects now is read from the caches when somebody asks.

mod leader;
mod objects;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use reqwest::Method;

use crate::controller::{Listed, Mode};
use crate::lease::Leadership;
use leader::Leader;
use objects::Objects;

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
    modes: Family<InMode, Gauge>,
}

/// How many calls of the AI Core API were made, by verb and answer.
#[derive(Clone, Debug, Default)]
pub struct RemoteCalls(Family<Call, Counter>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    verb: String,
    code: String,
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
            modes: Family::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        self.registry.register(
            "remote_calls",
            "Calls of the AI Core API by verb and status code; the code is none where no answer came. Calls for tokens do not count",
            self.remote_calls.0.clone(),
        );
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

    /// The counter that a client counts its calls with.
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

impl RemoteCalls {
    /// Counts a call: its verb, and the HTTP status of the answer where one came.
    pub fn count(&self, verb: &Method, status: Option<u16>) {
        let call = Call {
            verb: verb.to_string(),
            code: status.map_or_else(|| "none".to_owned(), |status| status.to_string()),
        };
        self.0.get_or_create(&call).inc();
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
    fn calls_are_told_apart_by_verb_and_answer() {
        let metrics = Metrics::new();
        let calls = metrics.remote_calls();
        calls.count(&Method::PATCH, Some(202));
        calls.count(&Method::PATCH, Some(202));
        calls.count(&Method::DELETE, None);
        let text = metrics.encode();
        for line in [
            "aicore_remote_calls_total{verb=\"PATCH\",code=\"202\"} 2\n",
            "aicore_remote_calls_total{verb=\"DELETE\",code=\"none\"} 1\n",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn the_text_ends_as_its_format_demands() {
        assert!(Metrics::new().encode().ends_with("# EOF\n"));
    }
}
