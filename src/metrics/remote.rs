//! What is measured of the calls to AI Core, where they are made.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use reqwest::Method;

/// Seconds: most calls take some tenths, and `--request-timeout-seconds` ends them.
const CALL: [f64; 10] = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0];

/// Seconds: nobody waits longer for the budget than the last one says.
const WAIT: [f64; 8] = [0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0];

/// Changes: AI Core takes at most 100 in a request.
const SIZE: [f64; 7] = [2.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0];

/// The verb under which requests for tokens are counted. Each is a POST, but not to the API.
const TOKEN: &str = "TOKEN";

/// What is measured of the calls of the AI Core API. Clones measure together.
#[derive(Clone, Debug)]
pub struct RemoteCalls {
    counts: Family<Call, Counter>,
    durations: Family<Verb, Histogram>,
    waits: Family<Purpose, Histogram>,
    queued: Gauge,
    sizes: Histogram,
}

/// A change that waits to be sent together with others, for as long as this lives.
#[derive(Debug)]
pub struct Queued(Gauge);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    verb: String,
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verb {
    verb: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Purpose {
    purpose: &'static str,
}

impl Default for RemoteCalls {
    fn default() -> Self {
        Self {
            counts: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(CALL)),
            waits: Family::new_with_constructor(|| Histogram::new(WAIT)),
            queued: Gauge::default(),
            sizes: Histogram::new(SIZE),
        }
    }
}

impl RemoteCalls {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "remote_calls",
            "Calls of the AI Core API by verb, and requests for tokens as the verb TOKEN, by status code; the code is none where no answer came",
            self.counts.clone(),
        );
        registry.register_with_unit(
            "remote_call_duration",
            "How long calls of the AI Core API, and requests for tokens, took until their answer began, by verb",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register_with_unit(
            "budget_wait",
            "How long calls waited for their place in the budget of their tenant: those that change something, and those that read",
            Unit::Seconds,
            self.waits.clone(),
        );
        registry.register(
            "queued_changes",
            "Stops and deletions that wait to be sent together with others",
            self.queued.clone(),
        );
        registry.register(
            "batch_size",
            "How many stops or deletions went into each bulk request",
            self.sizes.clone(),
        );
        // Without a change there is no bulk request, but a query for it has to find something from the start.
        for purpose in ["change", "read"] {
            drop(self.waits.get_or_create(&Purpose { purpose }));
        }
    }

    /// Counts a call: its verb, the HTTP status of the answer where one came, and how long that took.
    pub fn count(&self, verb: &Method, status: Option<u16>, took: Duration) {
        self.count_as(verb.as_str(), status, took);
    }

    /// Counts a request for a token in the same way. Without a token no call is made, so nothing else tells that its endpoint is down.
    pub fn count_token(&self, status: Option<u16>, took: Duration) {
        self.count_as(TOKEN, status, took);
    }

    fn count_as(&self, verb: &str, status: Option<u16>, took: Duration) {
        let verb = verb.to_owned();
        let call = Call {
            verb: verb.clone(),
            code: status.map_or_else(|| "none".to_owned(), |status| status.to_string()),
        };
        self.counts.get_or_create(&call).inc();
        let durations = self.durations.get_or_create(&Verb { verb });
        durations.observe(took.as_secs_f64());
    }

    /// Notes how long a call, which changes something or reads, waited for its place in the budget.
    pub fn waited(&self, changes: bool, time: Duration) {
        let purpose = if changes { "change" } else { "read" };
        let waits = self.waits.get_or_create(&Purpose { purpose });
        waits.observe(time.as_secs_f64());
    }

    /// Counts a change that waits to be sent with others.
    pub fn queued(&self) -> Queued {
        self.queued.inc();
        Queued(self.queued.clone())
    }

    /// Notes how many changes are sent in one request.
    pub fn batched(&self, changes: usize) {
        self.sizes.observe(changes as f64);
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    fn assert_told(metrics: &Metrics, line: &str) {
        let text = metrics.encode();
        let told = text.lines().any(|told| told == line);
        assert!(told, "{line} is not in\n{text}");
    }

    #[test]
    fn calls_are_told_apart_by_verb_and_answer() {
        let metrics = Metrics::new();
        let calls = metrics.remote_calls();
        let time = Duration::from_millis(300);
        calls.count(&Method::PATCH, Some(202), time);
        calls.count(&Method::PATCH, Some(202), time);
        calls.count(&Method::DELETE, None, time);
        calls.count_token(Some(503), time);
        for line in [
            r#"aicore_remote_calls_total{verb="TOKEN",code="503"} 1"#,
            r#"aicore_remote_calls_total{verb="PATCH",code="202"} 2"#,
            r#"aicore_remote_calls_total{verb="DELETE",code="none"} 1"#,
            r#"aicore_remote_call_duration_seconds_bucket{le="0.2",verb="PATCH"} 0"#,
            r#"aicore_remote_call_duration_seconds_bucket{le="0.5",verb="PATCH"} 2"#,
        ] {
            assert_told(&metrics, line);
        }
    }

    #[test]
    fn a_change_counts_as_queued_until_it_is_let_go() {
        let metrics = Metrics::new();
        let calls = metrics.remote_calls();
        let (first, second) = (calls.queued(), calls.queued());
        assert_told(&metrics, "aicore_queued_changes 2");
        drop((first, second));
        assert_told(&metrics, "aicore_queued_changes 0");
        calls.batched(60);
        assert_told(&metrics, r#"aicore_batch_size_bucket{le="50.0"} 0"#);
        assert_told(&metrics, r#"aicore_batch_size_bucket{le="75.0"} 1"#);
    }

    #[test]
    fn the_wait_for_the_budget_is_there_before_anybody_has_waited() {
        let metrics = Metrics::new();
        for purpose in ["change", "read"] {
            let line = format!(r#"aicore_budget_wait_seconds_count{{purpose="{purpose}"}} 0"#);
            assert_told(&metrics, &line);
        }
    }
}
