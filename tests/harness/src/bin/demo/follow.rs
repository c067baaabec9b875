//! Following one object as `kubectl get --watch` does, one line for each change.

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::BoxStream;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use serde_json::Value;

use crate::error::DemoError;
use crate::stage::Stage;

/// Many times what each part of the demonstration takes.
const LIMIT: Duration = Duration::from_secs(90);

/// One look at the object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sighting {
    state: String,
    target: String,
    ready: String,
    reason: String,
    next: String,
    gone: bool,
}

/// Watches one Deployment.
pub struct Follower {
    events: BoxStream<'static, Result<Event<DynamicObject>, watcher::Error>>,
    began: Instant,
    seen: Vec<Sighting>,
}

impl Follower {
    /// Watches the Deployment `name`, from its creation on.
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        let kind = GroupVersionKind::gvk("aicore.dev", "v1alpha1", "Deployment");
        let resource = ApiResource::from_gvk(&kind);
        let api: Api<DynamicObject> = Api::namespaced_with(client, namespace, &resource);
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        Self {
            events: watcher(api, config).boxed(),
            began: Instant::now(),
            seen: Vec::new(),
        }
    }

    /// Begins a new table, whose times count from now.
    pub fn begin(&mut self) {
        self.began = Instant::now();
        println!(
            "\n  {:>6}  {:9} {:9} {:6} {:23} NEXT STEP",
            "TIME", "STATE", "TARGET", "READY", "REASON"
        );
    }

    /// Shows every change until the deployment runs.
    pub async fn until_running(&mut self, stage: &Stage) -> Result<(), DemoError> {
        self.until(
            stage,
            "the deployment to be RUNNING and Ready",
            |sighting| sighting.state == "RUNNING" && sighting.ready == "True",
        )
        .await
    }

    /// Shows every change until the object is gone.
    pub async fn until_gone(&mut self, stage: &Stage) -> Result<(), DemoError> {
        self.until(stage, "the object to be gone", |sighting| sighting.gone)
            .await
    }

    /// Fails unless AI Core was seen in these states, in this order; other states may come in between.
    pub fn expect_states(&self, expected: &[&str]) -> Result<(), DemoError> {
        let seen: Vec<&str> = self.seen.iter().map(|seen| seen.state.as_str()).collect();
        if holds_in_order(&seen, expected) {
            return Ok(());
        }
        Err(DemoError::Unexpected {
            expected: format!("the states {}, in this order", expected.join(", ")),
            found: seen.join(", "),
        })
    }

    async fn until(
        &mut self,
        stage: &Stage,
        awaited: &'static str,
        reached: impl Fn(&Sighting) -> bool,
    ) -> Result<(), DemoError> {
        let watching = async {
            loop {
                let sighting = self.next().await?;
                if self.seen.last() != Some(&sighting) {
                    self.show(&sighting);
                    self.seen.push(sighting.clone());
                }
                if reached(&sighting) {
                    return Ok(());
                }
            }
        };
        let outcome = tokio::select! {
            outcome = tokio::time::timeout(LIMIT, watching) => outcome,
            ended = stage.ended() => return Err(ended),
        };
        outcome.unwrap_or_else(|_| {
            Err(DemoError::TooSlow {
                awaited,
                limit: LIMIT,
                last_seen: format!("{:?}", self.seen.last()),
                log_tail: stage.operator_log_tail(),
            })
        })
    }

    async fn next(&mut self) -> Result<Sighting, DemoError> {
        loop {
            match self.events.next().await {
                Some(Ok(Event::Apply(object) | Event::InitApply(object))) => {
                    return Ok(Sighting::of(&object.data));
                }
                Some(Ok(Event::Delete(_))) => {
                    return Ok(Sighting {
                        gone: true,
                        ..Sighting::default()
                    });
                }
                // The stream tries again by itself; what does not pass runs into the time limit.
                Some(Ok(Event::Init | Event::InitDone) | Err(_)) => {}
                None => return Err(DemoError::WatchEnded),
            }
        }
    }

    fn show(&self, sighting: &Sighting) {
        let seconds = self.began.elapsed().as_secs_f64();
        if sighting.gone {
            println!("  {seconds:>4.1} s  the object is gone");
            return;
        }
        let Sighting {
            state,
            target,
            ready,
            reason,
            next,
            ..
        } = sighting;
        println!("  {seconds:>4.1} s  {state:9} {target:9} {ready:6} {reason:23} {next}");
    }
}

impl Sighting {
    fn of(object: &Value) -> Self {
        let status = &object["status"];
        let ready = status["conditions"]
            .as_array()
            .and_then(|conditions| conditions.iter().find(|one| one["type"] == "Ready"))
            .unwrap_or(&Value::Null);
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        Self {
            state: text(&status["deployment"]["state"]),
            target: text(&status["deployment"]["targetState"]),
            ready: text(&ready["status"]),
            reason: text(&ready["reason"]),
            next: text(&status["nextStep"]),
            gone: false,
        }
    }
}

fn holds_in_order(seen: &[&str], expected: &[&str]) -> bool {
    let mut seen = seen.iter();
    expected
        .iter()
        .all(|wanted| seen.any(|state| state == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_count_only_in_their_order() {
        let seen = ["-", "PENDING", "RUNNING", "RUNNING", "STOPPING", "STOPPED"];
        assert!(holds_in_order(&seen, &["RUNNING", "STOPPING", "STOPPED"]));
        assert!(!holds_in_order(&seen, &["STOPPED", "STOPPING"]));
        assert!(!holds_in_order(&seen, &["RUNNING", "DEAD"]));
    }

    #[test]
    fn an_object_without_a_status_shows_dashes() {
        let sighting = Sighting::of(&serde_json::json!({"spec": {}}));
        assert_eq!(
            (sighting.state.as_str(), sighting.ready.as_str()),
            ("-", "-")
        );
    }
}
