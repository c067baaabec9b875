//! What is true of the objects when somebody asks: how many there are in which condition, and what nobody claims.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use kube::ResourceExt;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::api::{Condition, ConditionKind, ConditionStatus, Connection, ModelRetirement};
use crate::controller::Listed;

use super::label;

/// Reads the caches at each scrape, so that nothing has to be forgotten when an object goes.
#[derive(Debug)]
pub(super) struct Objects {
    listed: Listed,
}

/// The objects of a kind that are in the same condition for the same reason. The reasons are the operator's own words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct Standing {
    kind: &'static str,
    condition: &'static str,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct Through {
    connection_namespace: String,
    connection: String,
}

/// A hosted model of a namespace. AI Core has some dozens. Prometheus keeps the label `namespace` for the one that it scrapes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ServedModel {
    object_namespace: String,
    model: String,
    version: String,
}

impl Objects {
    pub(super) fn new(listed: Listed) -> Self {
        Self { listed }
    }

    /// How many objects there are of each standing, and how long the oldest of them has been so, in seconds.
    fn standings(&self) -> BTreeMap<Standing, (i64, i64)> {
        let now = Timestamp::now();
        let deployments = self.listed.deployments.get().map(|store| store.state());
        let connections = self.listed.connections.get().map(|store| store.state());
        let of_deployments = deployments.iter().flatten().map(|object| {
            let status = object.status.as_ref();
            Standing::of("Deployment", status.map(|status| &*status.conditions))
        });
        let of_connections = connections.iter().flatten().map(|object| {
            let status = object.status.as_ref();
            Standing::of("Connection", status.map(|status| &*status.conditions))
        });
        let mut counts = BTreeMap::new();
        for (standing, since) in of_deployments.chain(of_connections) {
            let age = since.map_or(0, |since| now.duration_since(since).as_secs());
            let (count, longest): &mut (i64, i64) = counts.entry(standing).or_default();
            *count += 1;
            *longest = age.max(*longest);
        }
        counts
    }

    /// When each model that is served and will be retired soon goes, in seconds since 1970.
    fn retirements(&self) -> BTreeMap<ServedModel, i64> {
        let dates = self.served_models(|model| {
            let date: Timestamp = model.retirement_date.as_ref()?.parse().ok()?;
            Some(date.as_second())
        });
        let mut earliest = BTreeMap::new();
        for (model, date) in dates {
            let kept = earliest.entry(model).or_insert(date);
            *kept = date.min(*kept);
        }
        earliest
    }

    /// How many deployments serve each deprecated model.
    fn deprecations(&self) -> BTreeMap<ServedModel, i64> {
        let mut counts = BTreeMap::new();
        for (model, count) in self.served_models(|model| model.deprecated.then_some(1)) {
            *counts.entry(model).or_default() += count;
        }
        counts
    }

    /// A number for the model of each deployment, where its status tells of a retirement.
    fn served_models(
        &self,
        number: impl Fn(&ModelRetirement) -> Option<i64>,
    ) -> impl Iterator<Item = (ServedModel, i64)> {
        let deployments = self.listed.deployments.get().map(|store| store.state());
        let deployments = deployments.into_iter().flatten();
        deployments.filter_map(move |object| {
            let status = object.status.as_ref()?;
            let model = status.model_retirement.as_ref()?;
            let served = ServedModel {
                object_namespace: object.namespace().unwrap_or_default(),
                model: label::value(&model.model),
                version: label::value(&model.version),
            };
            Some((served, number(model)?))
        })
    }

    /// When the certificate of each X.509 key ends, in seconds since 1970.
    fn certificate_ends(&self) -> BTreeMap<Through, i64> {
        self.through(|connection| {
            let certificate = connection.status.as_ref()?.certificate?;
            Some(certificate.not_after.as_second())
        })
    }

    /// A number that the status of each Connection holds, where it was found out.
    fn through(&self, number: impl Fn(&Connection) -> Option<i64>) -> BTreeMap<Through, i64> {
        let connections = self.listed.connections.get().map(|store| store.state());
        let counted = connections.iter().flatten().filter_map(|connection| {
            let through = Through {
                connection_namespace: connection.namespace().unwrap_or_default(),
                connection: connection.name_any(),
            };
            Some((through, number(connection)?))
        });
        counted.collect()
    }
}

impl Standing {
    /// The standing of an object, and since when it is so.
    fn of(kind: &'static str, conditions: Option<&[Condition]>) -> (Self, Option<Timestamp>) {
        let conditions = conditions.unwrap_or_default();
        let (condition, reason, since) = [
            (ConditionKind::Stalled, "Stalled"),
            (ConditionKind::Reconciling, "Reconciling"),
            (ConditionKind::Ready, "Ready"),
        ]
        .into_iter()
        .find_map(|(wanted, word)| {
            let holds = |condition: &&Condition| {
                condition.kind == wanted && condition.status == ConditionStatus::True
            };
            conditions.iter().find(holds).map(|found| (word, found))
        })
        .map_or(("NotReady", "Unseen", None), |(word, found)| {
            (word, &found.reason, Some(found.last_transition_time))
        });
        let standing = Self {
            kind,
            condition,
            reason: reason.to_owned(),
        };
        (standing, since)
    }
}

impl Collector for Objects {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let standings = self.standings().into_iter();
        let (counts, longest): (BTreeMap<_, _>, BTreeMap<_, _>) = standings
            .map(|(standing, (count, longest))| ((standing.clone(), count), (standing, longest)))
            .unzip();
        gauges(
            &mut encoder,
            "objects",
            "Objects by kind and by the condition that they are in: Ready, Reconciling (it can heal by itself), Stalled (a person must act), or NotReady (nobody has looked at it yet)",
            counts,
        )?;
        gauges(
            &mut encoder,
            "objects_longest_seconds",
            "How long the object that has been in a condition for the longest time has been in it, by kind, condition and the reason that it has now",
            longest,
        )?;
        gauges(
            &mut encoder,
            "unclaimed_deployments",
            "Deployments in AI Core, as seen through each Connection, that belong to no object of this cluster",
            self.through(|connection| connection.status.as_ref()?.unclaimed),
        )?;
        gauges(
            &mut encoder,
            "orphans",
            "Unclaimed deployments that were made for an object of the Connection's namespace",
            self.through(|connection| connection.status.as_ref()?.orphan_count),
        )?;
        gauges(
            &mut encoder,
            "certificate_expiry_timestamp_seconds",
            "When the certificate of a Connection's X.509 key ends",
            self.certificate_ends(),
        )?;
        gauges(
            &mut encoder,
            "model_retirement_timestamp_seconds",
            "When AI Core retires a model that a deployment serves, from 30 days before on",
            self.retirements(),
        )?;
        gauges(
            &mut encoder,
            "deprecated_model_deployments",
            "Deployments that serve a model which AI Core calls deprecated",
            self.deprecations(),
        )
    }
}

fn gauges(
    encoder: &mut DescriptorEncoder,
    name: &str,
    help: &str,
    values: BTreeMap<impl EncodeLabelSet, i64>,
) -> fmt::Result {
    let mut encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in values {
        ConstGauge::new(value).encode(encoder.encode_family(&labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kube::runtime::reflector::{self, Store};
    use kube::runtime::watcher::Event;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use crate::metrics::Metrics;

    fn store<K>(objects: impl IntoIterator<Item = Value>) -> Store<K>
    where
        K: kube::Resource<DynamicType = ()> + Clone + DeserializeOwned + 'static,
    {
        let (reader, mut writer) = reflector::store();
        for object in objects {
            let object = serde_json::from_value(object).expect("it is an object of this kind");
            writer.apply_watcher_event(&Event::Apply(object));
        }
        reader
    }

    fn deployment(name: &str, conditions: &Value) -> Value {
        json!({
            "metadata": {"name": name, "namespace": "team-a"},
            "spec": {"resourceGroup": "team-a", "connectionRef": {"name": "prod"}, "configurationId": "c1"},
            "status": {"conditions": conditions},
        })
    }

    fn connection(name: &str, status: &Value) -> Value {
        json!({
            "metadata": {"name": name, "namespace": "team-a"},
            "spec": {"secretRef": {"name": "key"}},
            "status": status,
        })
    }

    fn condition(kind: &str, status: &str, reason: &str) -> Value {
        json!({
            "type": kind,
            "status": status,
            "reason": reason,
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    }

    fn text(
        deployments: impl IntoIterator<Item = Value>,
        connections: impl IntoIterator<Item = Value>,
    ) -> String {
        let metrics = Metrics::new();
        let listed = metrics.listed();
        let first = listed.deployments.set(store(deployments));
        first.expect("nothing was listed before");
        let first = listed.connections.set(store(connections));
        first.expect("nothing was listed before");
        metrics.encode()
    }

    fn assert_told(text: &str, line: &str) {
        let told = text.lines().any(|told| told == line);
        assert!(told, "{line} is not in\n{text}");
    }

    #[test]
    fn objects_are_counted_by_what_a_person_has_to_know_of_them() {
        let ready = condition("Ready", "True", "Running");
        let not_ready = condition("Ready", "False", "DeploymentDead");
        let stalled = condition("Stalled", "True", "DeploymentDead");
        let text = text(
            [
                deployment("a", &json!([ready])),
                deployment("b", &json!([ready])),
                deployment("c", &json!([not_ready, stalled])),
                deployment("d", &json!([])),
            ],
            [connection(
                "prod",
                &json!({"conditions": [
                    condition("Ready", "False", "InvalidSecret"),
                    condition("Stalled", "True", "InvalidSecret"),
                ]}),
            )],
        );
        assert_told(
            &text,
            r#"aicore_objects{kind="Deployment",condition="Ready",reason="Running"} 2"#,
        );
        assert_told(
            &text,
            r#"aicore_objects{kind="Deployment",condition="Stalled",reason="DeploymentDead"} 1"#,
        );
        assert_told(
            &text,
            r#"aicore_objects{kind="Deployment",condition="NotReady",reason="Unseen"} 1"#,
        );
        assert_told(
            &text,
            r#"aicore_objects{kind="Connection",condition="Stalled",reason="InvalidSecret"} 1"#,
        );
    }

    #[test]
    fn a_model_that_goes_is_told_by_namespace_and_not_by_object() {
        let serving = |name: &str, deprecated: bool| {
            let mut object = deployment(name, &json!([]));
            object["status"]["modelRetirement"] = json!({
                "model": "gpt",
                "version": "1",
                "deprecated": deprecated,
                "retirementDate": "2026-05-20T00:00:00Z",
            });
            object
        };
        let objects = [serving("a", true), serving("b", true), serving("c", false)];
        let text = text(objects, []);
        assert_told(
            &text,
            r#"aicore_model_retirement_timestamp_seconds{object_namespace="team-a",model="gpt",version="1"} 1779235200"#,
        );
        assert_told(
            &text,
            r#"aicore_deprecated_model_deployments{object_namespace="team-a",model="gpt",version="1"} 2"#,
        );
    }

    #[test]
    fn what_a_server_calls_its_models_breaks_no_scrape() {
        let mut object = deployment("a", &json!([]));
        object["status"]["modelRetirement"] = json!({
            "model": "gpt\"} 1\n",
            "version": "v".repeat(128),
            "deprecated": true,
        });
        let line = format!(
            r#"aicore_deprecated_model_deployments{{object_namespace="team-a",model="gpt___1_",version="{}"}} 1"#,
            "v".repeat(64)
        );
        assert_told(&text([object], []), &line);
    }

    #[test]
    fn a_connection_that_has_counted_nothing_yet_is_left_out() {
        let text = text(
            [],
            [
                connection(
                    "prod",
                    &json!({
                        "unclaimed": 3,
                        "orphanCount": 1,
                        "certificate": {"notBefore": "2026-05-13T00:00:00Z", "notAfter": "2026-05-20T00:00:00Z"},
                    }),
                ),
                connection("broken", &json!({})),
            ],
        );
        assert_told(
            &text,
            r#"aicore_unclaimed_deployments{connection_namespace="team-a",connection="prod"} 3"#,
        );
        assert_told(
            &text,
            r#"aicore_orphans{connection_namespace="team-a",connection="prod"} 1"#,
        );
        assert_told(
            &text,
            r#"aicore_certificate_expiry_timestamp_seconds{connection_namespace="team-a",connection="prod"} 1779235200"#,
        );
        assert!(!text.contains(r#"connection="broken""#), "{text}");
    }
}
