//! Somebody who answers where the protocol asks a person.

use std::collections::BTreeSet;

use aicore_emulator::Kind;
use harness::emulated::RemoteDeployment;
use harness::scene::{condition, id_of};
use serde_json::{Value, json};

use crate::evidence::Recorder;
use crate::objects::SHARED;
use crate::unmet::Objects;
use crate::verdict::Creations;
use crate::world::World;

/// Knows which of several deployments belongs to an object whose configuration strangers use, too: from the logs, as a person knows it from
/// SAP AI Launchpad and from asking around.
#[derive(Default)]
pub struct Person {
    /// How often an answer was given.
    pub answers: usize,
    /// The objects that were answered.
    answered: BTreeSet<String>,
}

impl Person {
    /// Answers every object that asks.
    pub async fn answer(
        &mut self,
        world: &World,
        recorder: &Recorder,
        found: &Objects,
        remote: &[RemoteDeployment],
    ) {
        let asks = |object: &&Value| {
            object["spec"]["connectionRef"]["name"] == SHARED
                && condition(object, "Stalled")["reason"] == "Ambiguous"
        };
        let asking: Vec<&Value> = found.values().filter(asks).collect();
        let stopped: Vec<&Value> = found
            .values()
            .filter(|object| condition(object, "Stalled")["reason"] == "StoppedElsewhere")
            .collect();
        if asking.is_empty() && stopped.is_empty() {
            return;
        }
        let audit = world.ai_core.audit().await;
        let histories = recorder.histories();
        let creations = Creations::of(&audit, &histories);
        let strangers: BTreeSet<&str> = audit
            .iter()
            .filter(|entry| entry.kind == Kind::Control && entry.before.is_none())
            .filter_map(|entry| entry.deployment_id.as_deref())
            .collect();
        let recorded: BTreeSet<String> = found.values().map(id_of).collect();
        let is_left = |id: &str| {
            let maker = creations.maker(id).and_then(|uid| histories.get(uid));
            maker.is_some_and(|maker| maker.release().is_some_and(|release| release.orphans))
        };
        for object in stopped {
            // It has taken back what a former object of its name has left stopped.
            if is_left(&id_of(object)) && self.answered.insert(uid(object).to_owned()) {
                self.answers += 1;
                change(world, object, &json!({"recreatePolicy": "Always"})).await;
            }
        }
        for object in asking {
            let message = condition(object, "Stalled")["message"].as_str();
            let named: Vec<&str> = remote
                .iter()
                .map(|deployment| deployment.id.as_str())
                .filter(|id| message.unwrap_or_default().contains(id) && !recorded.contains(*id))
                .collect();
            let own = named
                .iter()
                .find(|id| creations.maker(id) == Some(uid(object)));
            if let Some(id) = own {
                if self.answered.insert(uid(object).to_owned()) {
                    self.answers += 1;
                    let adopted = json!({"adopt": {"deploymentId": id}});
                    change(world, object, &adopted).await;
                }
                continue;
            }
            // None is its own. What strangers made, or what an object has left by its policy, is taken away by those whose it is.
            for id in named {
                if (strangers.contains(id) || is_left(id))
                    && world.ai_core.remove_if_there(id).await
                {
                    self.answers += 1;
                }
            }
        }
    }
}

fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

async fn change(world: &World, object: &Value, spec: &Value) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    let answer = json!({"spec": spec});
    world
        .kubernetes
        .change("Deployment", text("namespace"), text("name"), &answer)
        .await;
}
