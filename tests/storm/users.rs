//! The users. Each one does one thing after the other, and keeps in mind what each object is to be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use harness::scene::id_of;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Instant;

use crate::objects::{PARAMETER, Plan, Wish, team};
use crate::pace::Pace;
use crate::schedule::{Deed, Schedule};
use crate::world::World;

/// How long a deployment lives on after its age was changed.
const REST: SignedDuration = SignedDuration::from_secs(3);

/// How long the operator may take to see that a deployment has grown old.
const NOTICE: Duration = Duration::from_secs(8);

/// What the user's objects are to be at the moment, by their place in the schedule.
pub type Wishes = BTreeMap<usize, Wish>;

/// Does everything that the schedule has for a user, and says what the user wants in the end.
pub async fn live(
    world: Arc<World>,
    schedule: Arc<Schedule>,
    user: usize,
    pace: Arc<Pace>,
) -> Wishes {
    let mut wishes: Wishes = schedule
        .objects
        .iter()
        .enumerate()
        .filter(|(_, plan)| plan.user == user)
        .map(|(object, plan)| (object, plan.first_wish()))
        .collect();
    for errand in &schedule.errands[user] {
        pace.until(errand.at).await;
        let found = carry_out(&world, &schedule.objects, user, &mut wishes, errand.deed).await;
        let kind = errand.deed.kind();
        if found {
            world.deeds.count(kind);
        } else {
            world.deeds.count("in vain: no such object");
        }
    }
    wishes
}

/// False when the object is not there.
async fn carry_out(
    world: &World,
    objects: &[Plan],
    user: usize,
    wishes: &mut Wishes,
    deed: Deed,
) -> bool {
    let kubernetes = &world.kubernetes;
    let mut wish = |object: &usize, change: &dyn Fn(&mut Wish)| {
        let wish = wishes
            .get_mut(object)
            .expect("users keep to their own objects");
        change(wish);
        wish.clone()
    };
    match &deed {
        Deed::Apply(object) => {
            let plan = &objects[*object];
            let wish = wish(object, &|wish| {
                *wish = Wish {
                    parameter: wish.parameter,
                    ..plan.first_wish()
                }
            });
            let manifest = plan.manifest(&wish, &world.ground[*object]);
            kubernetes.apply(plan.namespace(), &manifest).await;
            true
        }
        Deed::Edit(object, value) => {
            wish(object, &|wish| wish.parameter = *value);
            let parameters = json!({PARAMETER: value.to_string()});
            change(
                world,
                &objects[*object],
                json!({"configuration": {"parameters": parameters}}),
            )
            .await
        }
        Deed::Wish(object, state) => {
            wish(object, &|wish| wish.desired_state = *state);
            change(
                world,
                &objects[*object],
                json!({"desiredState": state.to_string()}),
            )
            .await
        }
        Deed::Policy(object, policy) => {
            wish(object, &|wish| wish.policy = *policy);
            change(
                world,
                &objects[*object],
                json!({"deletionPolicy": policy.to_string()}),
            )
            .await
        }
        Deed::Delete(object) => {
            let plan = &objects[*object];
            kubernetes.delete(plan.namespace(), &plan.name).await
        }
        Deed::Sweep => {
            kubernetes.sweep(&format!("team={}", team(user))).await;
            true
        }
        Deed::Age(object) => age(world, &objects[*object]).await,
    }
}

async fn change(world: &World, plan: &Plan, spec: serde_json::Value) -> bool {
    world
        .kubernetes
        .change(
            "Deployment",
            plan.namespace(),
            &plan.name,
            &json!({"spec": spec}),
        )
        .await
}

/// Makes a deployment so old that its ttl is over in a moment. It holds still until the object has seen that: nothing of a sudden ages by
/// itself. Where the operator does not get to see it, the deployment is young again.
async fn age(world: &World, plan: &Plan) -> bool {
    let find = || {
        let kubernetes = &world.kubernetes;
        kubernetes.get("Deployment", plan.namespace(), &plan.name)
    };
    let Some(minutes) = plan.ttl else {
        return false;
    };
    let id = find()
        .await
        .map(|object| id_of(&object))
        .unwrap_or_default();
    let at = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let old = at(Timestamp::now() - SignedDuration::from_mins(minutes.into()) + REST);
    let aged = json!({"createdAt": old, "frozen": true});
    if id.is_empty() || !world.ai_core.force_if_there(&id, aged).await {
        return false;
    }
    let started = Instant::now();
    let mut seen = false;
    while !seen && started.elapsed() < NOTICE {
        tokio::time::sleep(Duration::from_millis(200)).await;
        seen = find()
            .await
            .is_some_and(|object| object["status"]["deployment"]["createdAt"] == old.as_str());
    }
    let end = if seen {
        json!({"frozen": false})
    } else {
        json!({"frozen": false, "createdAt": at(Timestamp::now())})
    };
    world.ai_core.force_if_there(&id, end).await;
    seen
}
