//! Kubernetes events: what happened, in the place where `kubectl describe` shows it.

use crate::api::Reason;

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};
use tracing::warn;

/// The longest note that the API takes, in bytes (`note` of events.k8s.io/v1).
const MAXIMUM_NOTE: usize = 1024;

/// The longest action and reason that the API takes.
const MAXIMUM_WORD: usize = 128;

/// Publishes events. One for the whole process, because repetitions are folded together in it.
pub(crate) struct Events {
    recorder: Recorder,
}

/// Something to tell about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    /// Whether it might be worth a look.
    pub(crate) warning: bool,
    /// One word in CamelCase.
    pub(crate) reason: Reason,
    /// What it is about beyond the object, such as a deployment id: news with another subject is not folded into this.
    pub(crate) about: String,
    /// A sentence for a person.
    pub(crate) note: String,
}

impl News {
    /// Good news.
    pub(crate) fn good(reason: Reason, about: &str, note: String) -> Self {
        Self {
            warning: false,
            reason,
            about: about.to_owned(),
            note,
        }
    }

    /// News that might be worth a look.
    pub(crate) fn bad(reason: Reason, about: &str, note: String) -> Self {
        Self {
            warning: true,
            reason,
            about: about.to_owned(),
            note,
        }
    }
}

impl Events {
    /// Makes the recorder of this process.
    pub(crate) fn new(client: Client) -> Self {
        let instance = std::env::var("HOSTNAME")
            .ok()
            .filter(|name| !name.is_empty());
        Self {
            recorder: Recorder::new(
                client,
                Reporter {
                    controller: "aicore-operator".to_owned(),
                    instance,
                },
            ),
        }
    }

    /// Publishes news. Failing to do so is logged and nothing else: an event is never worth a deployment.
    pub(crate) async fn publish<K: Resource<DynamicType = ()>>(&self, object: &K, news: News) {
        let mut reference = object.object_ref(&());
        // Otherwise every version of the object would be an object of its own to the recorder, and nothing would be folded.
        reference.resource_version = None;
        let event = Event {
            type_: if news.warning {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: news.reason.to_string(),
            note: Some(shortened(&news.note, MAXIMUM_NOTE)),
            action: shortened(
                format!("{} {}", news.reason, news.about).trim_end(),
                MAXIMUM_WORD,
            ),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, &reference).await {
            warn!(reason = %news.reason, %error, "an event could not be published");
        }
    }
}

/// The beginning of `text` that fits into `maximum` bytes.
pub(crate) fn shortened(text: &str, maximum: usize) -> String {
    if text.len() <= maximum {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(maximum - '…'.len_utf8());
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shortened("short", 5), "short");
        assert_eq!(shortened("ääää", 6), "ä…");
        assert!(shortened(&"x".repeat(5000), MAXIMUM_NOTE).len() <= MAXIMUM_NOTE);
    }
}
