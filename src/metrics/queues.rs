//! How many objects there is news for that nobody has looked at since, when somebody asks.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use kube::runtime::reflector::{Lookup, ObjectRef};
use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

/// Those of both kinds. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queues {
    pub(crate) deployments: Queue,
    pub(crate) connections: Queue,
}

/// The objects of one kind. One that is to be looked at again at a certain time does not count, however late that is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue(Arc<Mutex<HashSet<Name>>>);

/// The namespace of an object, and its name.
type Name = (Option<String>, String);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

impl Queue {
    /// There is news of an object.
    pub(crate) fn add<K: Lookup>(&self, object: &ObjectRef<K>) {
        let name = (object.namespace.clone(), object.name.clone());
        self.0.lock().insert(name);
    }

    /// An object is being looked at now, or is gone.
    pub(crate) fn remove<K: Lookup>(&self, object: &ObjectRef<K>) {
        let name = (object.namespace.clone(), object.name.clone());
        self.0.lock().remove(&name);
    }
}

impl Collector for Queues {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let help = "Objects for which there is news and that were not looked at since, by kind";
        let mut encoder =
            encoder.encode_descriptor("queued_objects", help, None, MetricType::Gauge)?;
        let queues = [
            ("Deployment", &self.deployments),
            ("Connection", &self.connections),
        ];
        for (kind, queue) in queues {
            let length = ConstGauge::new(queue.0.lock().len() as i64);
            length.encode(encoder.encode_family(&Kind { kind })?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Deployment;
    use crate::metrics::Metrics;

    #[test]
    fn an_object_counts_once_however_much_news_there_is_of_it() {
        let metrics = Metrics::new();
        let object = |name| ObjectRef::<Deployment>::new(name).within("team-a");
        let queue = &metrics.queues().deployments;
        for name in ["a", "a", "b"] {
            queue.add(&object(name));
        }
        let told = |count: u8| {
            let line = format!("aicore_queued_objects{{kind=\"Deployment\"}} {count}\n");
            let text = metrics.encode();
            assert!(text.contains(&line), "{line} is not in\n{text}");
        };
        told(2);
        queue.remove(&object("a"));
        told(1);
        queue.remove(&object("a").erase());
        queue.remove(&object("b").erase());
        told(0);
    }
}
