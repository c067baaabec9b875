//! The end: nothing goes wrong any more, everybody says what is to be in the end, and it has to come about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use serde_json::json;
use tokio::time::Instant;

use crate::chaos::Victim;
use crate::evidence::Recorder;
use crate::objects::{Plan, Wish};
use crate::person::Person;
use crate::unmet::{Objects, by_name, is_going, key, unmet};
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
    /// How often a person had to answer where the protocol asks for it.
    pub answers: usize,
}

/// Ends everything that goes wrong, makes the last wishes, and waits.
pub async fn settle(
    world: &Arc<World>,
    objects: &[Plan],
    wishes: Wishes,
    victim: &mut Victim,
    recorder: &Recorder,
) -> Settled {
    world.ai_core.heal().await;
    world.ai_core.set(json!({"bulkUpdates": "present"})).await;
    let started = Instant::now();
    let last: BTreeMap<usize, Option<Wish>> = wishes
        .into_iter()
        .map(|(object, wish)| (object, last_wish(&objects[object], wish)))
        .collect();
    stream::iter(objects.iter().filter(|plan| plan.fate.is_none()))
        .for_each_concurrent(AT_ONCE, |plan| delete(world, plan))
        .await;
    let mut person = Person::default();
    let mut waiting: BTreeSet<usize> = last
        .iter()
        .filter_map(|(object, wish)| wish.is_some().then_some(*object))
        .collect();
    loop {
        victim.look_after(world);
        let found = by_name(world.kubernetes.deployments().await);
        apply(world, objects, &last, &mut waiting, &found).await;
        let remote = world.ai_core.deployments().await;
        let unmet = unmet(objects, &world.ground, &last, &found, &remote);
        if unmet.is_empty() || started.elapsed() > LIMIT {
            return Settled {
                took: started.elapsed(),
                unmet,
                answers: person.answers,
            };
        }
        person.answer(world, recorder, &found, &remote).await;
        tokio::time::sleep(LOOK).await;
    }
}

/// What an object is to be in the end; nothing when it is to be gone.
fn last_wish(plan: &Plan, wish: Wish) -> Option<Wish> {
    plan.fate.map(|desired_state| Wish {
        desired_state,
        ..wish
    })
}

async fn delete(world: &World, plan: &Plan) {
    let policy = json!({"spec": {"deletionPolicy": plan.last_policy.to_string()}});
    let (namespace, name) = (plan.namespace(), plan.name.as_str());
    world
        .kubernetes
        .change("Deployment", namespace, name, &policy)
        .await;
    world.kubernetes.delete(namespace, name).await;
}

/// Applies what waits for its turn: an object that is going has to be gone first.
async fn apply(
    world: &World,
    objects: &[Plan],
    wishes: &BTreeMap<usize, Option<Wish>>,
    waiting: &mut BTreeSet<usize>,
    found: &Objects,
) {
    let ready: BTreeSet<usize> = waiting
        .iter()
        .copied()
        .filter(|object| {
            let found = found.get(&key(&objects[*object]));
            !found.is_some_and(is_going)
        })
        .collect();
    waiting.retain(|object| !ready.contains(object));
    stream::iter(ready)
        .for_each_concurrent(AT_ONCE, async |object| {
            if let Some(wish) = &wishes[&object] {
                let plan = &objects[object];
                let manifest = plan.manifest(wish, &world.ground[object]);
                world.kubernetes.apply(plan.namespace(), &manifest).await;
            }
        })
        .await;
}
