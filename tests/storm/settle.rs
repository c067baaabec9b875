//! The end: nothing goes wrong any more, everybody says what is to be in the end, and it has to come about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aicore_emulator::Kind;
use futures::StreamExt as _;
use futures::stream;
use harness::emulated::RemoteDeployment;
use harness::scene::{condition, id_of};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::chaos::Victim;
use crate::objects::{DesiredState, PARAMETER, Plan, SHARED, Source, Wish};
use crate::users::Wishes;
use crate::world::World;

/// How long it may take until every wish has come about.
const LIMIT: Duration = Duration::from_secs(180);

/// From one look to the next.
const LOOK: Duration = Duration::from_millis(500);

/// How many wishes are made at the same time.
const AT_ONCE: usize = 20;

/// What has not come about at the end of the time.
#[derive(Debug)]
pub struct Settled {
    /// How long it took.
    pub took: Duration,
    /// Each object that is not what it was to be, and why.
    pub unmet: Vec<String>,
    /// How often a person had to choose between deployments where the protocol asks for it.
    pub choices: usize,
}

/// Ends everything that goes wrong, makes the last wishes, and waits.
pub async fn settle(
    world: &Arc<World>,
    objects: &[Plan],
    wishes: Wishes,
    victim: &mut Victim,
) -> Settled {
    world.ai_core.heal().await;
    world.ai_core.set(json!({"bulkUpdates": "present"})).await;
    let started = Instant::now();
    let last = stream::iter(wishes)
        .map(|(object, wish)| last_wish(world, objects, object, wish))
        .buffer_unordered(AT_ONCE)
        .collect::<BTreeMap<usize, Option<Wish>>>()
        .await;
    let mut person = Person::default();
    loop {
        victim.look_after(world);
        let found = world.kubernetes.deployments().await;
        let remote = world.ai_core.deployments().await;
        let unmet = unmet(world, objects, &last, &found, &remote);
        if unmet.is_empty() || started.elapsed() > LIMIT {
            return Settled {
                took: started.elapsed(),
                unmet,
                choices: person.choices,
            };
        }
        person.choose(world, &found, &remote).await;
        tokio::time::sleep(LOOK).await;
    }
}

/// Asks for what the object is to be in the end; nothing when it is to be gone.
async fn last_wish(
    world: &World,
    objects: &[Plan],
    object: usize,
    wish: Wish,
) -> (usize, Option<Wish>) {
    let plan = &objects[object];
    let (namespace, name) = (plan.namespace(), plan.name.as_str());
    let Some(state) = plan.fate else {
        let policy = json!({"spec": {"deletionPolicy": plan.last_policy.to_string()}});
        world
            .kubernetes
            .change("Deployment", namespace, name, &policy)
            .await;
        world.kubernetes.delete(namespace, name).await;
        return (object, None);
    };
    let wish = Wish {
        desired_state: state,
        ..wish
    };
    let started = Instant::now();
    while is_going(world, plan).await && started.elapsed() < LIMIT {
        tokio::time::sleep(LOOK).await;
    }
    let manifest = plan.manifest(&wish, &world.ground[object]);
    world.kubernetes.apply(namespace, &manifest).await;
    (object, Some(wish))
}

async fn is_going(world: &World, plan: &Plan) -> bool {
    let found = world
        .kubernetes
        .get("Deployment", plan.namespace(), &plan.name)
        .await;
    found.is_some_and(|found| found["metadata"]["deletionTimestamp"].is_string())
}

fn unmet(
    world: &World,
    objects: &[Plan],
    wishes: &BTreeMap<usize, Option<Wish>>,
    found: &[Value],
    remote: &[RemoteDeployment],
) -> Vec<String> {
    let by_name: BTreeMap<(&str, &str), &Value> = found
        .iter()
        .filter_map(|object| {
            let metadata = &object["metadata"];
            Some((
                (metadata["namespace"].as_str()?, metadata["name"].as_str()?),
                object,
            ))
        })
        .collect();
    let remote: BTreeMap<&str, &RemoteDeployment> = remote
        .iter()
        .map(|deployment| (deployment.id.as_str(), deployment))
        .collect();
    wishes
        .iter()
        .filter_map(|(object, wish)| {
            let plan = &objects[*object];
            let found = by_name
                .get(&(plan.namespace(), plan.name.as_str()))
                .copied();
            let configuration = world.ground[*object].configuration.as_deref();
            let difference = difference(plan, wish.as_ref(), configuration, found, &remote)?;
            Some(format!(
                "{}/{} ({:?}, {} in {}): {difference}",
                plan.namespace(),
                plan.name,
                plan.source,
                plan.connection(),
                plan.group()
            ))
        })
        .collect()
}

/// In what an object differs from what it is to be.
fn difference(
    plan: &Plan,
    wish: Option<&Wish>,
    configuration: Option<&str>,
    found: Option<&Value>,
    remote: &BTreeMap<&str, &RemoteDeployment>,
) -> Option<String> {
    let Some(wish) = wish else {
        return found.map(|found| format!("it is to be gone, but is {}", state_of(found)));
    };
    let Some(found) = found else {
        return Some(format!("it is to be {}, but is gone", wish.desired_state));
    };
    let ready = condition(found, "Ready");
    let reason = ready["reason"].as_str().unwrap_or_default();
    let current = found["status"]["observedGeneration"] == found["metadata"]["generation"]
        && ready["status"] == "True";
    let id = id_of(found);
    let deployment = remote.get(id.as_str());
    let status = deployment.map_or("gone", |deployment| deployment.status.as_str());
    let reached = match wish.desired_state {
        DesiredState::Running if reason == "Expired" => plan.ttl.is_some() && status == "gone",
        DesiredState::Running => {
            let runs_it = deployment.is_some_and(|deployment| match plan.source {
                Source::Inline => {
                    deployment.parameters.get(PARAMETER) == Some(&wish.parameter.to_string())
                }
                _ => Some(deployment.configuration_id.as_str()) == configuration,
            });
            reason == "Running" && status == "RUNNING" && runs_it
        }
        DesiredState::Stopped => {
            reason == "Stopped" && ["gone", "STOPPED", "DEAD"].contains(&status)
        }
        DesiredState::Deleted => reason == "Deleted" && status == "gone",
    };
    (!(current && reached)).then(|| {
        format!(
            "it is to be {}, but is {}; deployment {id} is {status}",
            wish.desired_state,
            state_of(found)
        )
    })
}

fn state_of(found: &Value) -> String {
    let ready = condition(found, "Ready");
    let going = found["metadata"]["deletionTimestamp"].is_string();
    format!(
        "{}{} ({}), next: {}",
        if going { "terminating, " } else { "" },
        ready["reason"],
        ready["message"],
        found["status"]["nextStep"]
    )
}

/// Somebody who answers where the protocol asks a person: which of several deployments belongs to an object of a configuration that strangers
/// use, too.
#[derive(Default)]
struct Person {
    choices: usize,
    /// The objects that were answered, and the deployments that were given away.
    answered: BTreeSet<String>,
    given: BTreeSet<String>,
}

impl Person {
    async fn choose(&mut self, world: &World, found: &[Value], remote: &[RemoteDeployment]) {
        let asking: Vec<&Value> = found
            .iter()
            .filter(|object| {
                object["spec"]["connectionRef"]["name"] == SHARED
                    && condition(object, "Stalled")["reason"] == "Ambiguous"
            })
            .collect();
        if asking.is_empty() {
            return;
        }
        let strangers = strangers(world).await;
        let recorded: BTreeSet<String> = found.iter().map(id_of).collect();
        for object in asking {
            let message = condition(object, "Stalled")["message"]
                .as_str()
                .unwrap_or_default();
            let (own, foreign): (Vec<&str>, Vec<&str>) = remote
                .iter()
                .map(|deployment| deployment.id.as_str())
                .filter(|id| message.contains(id) && !recorded.contains(*id))
                .partition(|id| !strangers.contains(*id));
            let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
            if let Some(id) = own.iter().find(|id| !self.given.contains(**id)) {
                if self.answered.insert(uid.to_owned()) {
                    self.given.insert((*id).to_owned());
                    self.choices += 1;
                    adopt(world, object, id).await;
                }
            } else if own.is_empty() {
                // None of them is the object's, so the strangers take theirs away.
                for id in foreign {
                    self.choices += 1;
                    world.ai_core.remove(id).await;
                }
            }
        }
    }
}

async fn adopt(world: &World, object: &Value, id: &str) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    let answer = json!({"spec": {"adopt": {"deploymentId": id}}});
    world
        .kubernetes
        .change("Deployment", text("namespace"), text("name"), &answer)
        .await;
}

/// The deployments that were not made by calls of the API.
async fn strangers(world: &World) -> BTreeSet<String> {
    let audit = world.ai_core.audit().await;
    audit
        .into_iter()
        .filter(|entry| entry.kind == Kind::Control && entry.before.is_none())
        .filter_map(|entry| entry.deployment_id)
        .collect()
}
