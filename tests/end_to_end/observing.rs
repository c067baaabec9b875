//! Objects that are only looked at (`managementPolicy: Observe`, `--mode=observe`): nothing is written to AI Core, and each says what would be.

use aicore_emulator::Operation::{
    ChangeConfiguration, CreateConfiguration, CreateDeployment, DeleteDeployment, StopDeployment,
    Token,
};
use aicore_emulator::{Effect, Entry, Kind};
use harness::operator::Operator;
use harness::scene::{CONNECTION, GROUP, LIMIT, Scene, Setting, condition, id_of};
use serde_json::{Value, json};

use crate::manifests::{
    OPERATOR, adoption, configuration, deployment, deployment_from, scene, wish, with,
};
use crate::observability::until_measured;

/// How many objects of each sort a crowd has.
const OF_EACH: usize = 6;

/// The same object, but only looking.
fn observed(mut object: Value) -> Value {
    object["spec"]["managementPolicy"] = json!("Observe");
    object
}

async fn set_policy(scene: &Scene, name: &str, policy: &str) {
    let policy = json!({"spec": {"managementPolicy": policy}});
    scene.change("Deployment", name, policy).await;
}

/// Waits until nothing is written for an object, which says that this would be done next. Returns the id of its deployment.
async fn until_would(scene: &Scene, name: &str, next: &str) -> String {
    let what = format!("it is observed and would {next}");
    let next = format!("would {next}");
    let object = scene.until("Deployment", name, &what, |object| {
        let ready = condition(object, "Ready");
        ready["reason"] == "Observed"
            && ready["status"] == "True"
            && ready["message"]
                .as_str()
                .is_some_and(|it| it.contains(&next))
            && object["status"]["nextStep"] == next.as_str()
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    });
    id_of(&object.await)
}

/// Waits until an object would create the configuration of its spec, and then do `more`.
async fn until_would_create_configuration(scene: &Scene, name: &str, more: &str) {
    let what = "it is observed and would create a configuration";
    let told = |object: &Value| {
        let next = object["status"]["nextStep"].as_str().unwrap_or_default();
        let named = format!("/{}/{name}/", scene.namespace);
        condition(object, "Ready")["reason"] == "Observed"
            && next.starts_with("would create configuration aicore.dev/")
            && next.contains(&named)
            && next.ends_with(more)
    };
    scene.until("Deployment", name, what, told).await;
}

/// The calls of the operator that could change something.
async fn writes(scene: &Scene) -> Vec<Entry> {
    let audit = scene.ai_core.audit().await.into_iter();
    audit
        .filter(|entry| entry.kind == Kind::Call && entry.operation != Token)
        .filter(|entry| entry.method.as_deref() != Some("GET"))
        .collect()
}

async fn assert_nothing_written(scene: &Scene) {
    scene.ai_core.listed_again(3, LIMIT).await;
    let writes = writes(scene).await;
    assert!(writes.is_empty(), "{writes:#?}");
}

/// Somebody else's deployment, in a state.
async fn found(scene: &Scene, configuration: &str, state: &str) -> String {
    let id = scene.ai_core.add_deployment(GROUP, configuration).await;
    let state = match state {
        "STOPPED" => json!({"status": "STOPPED", "targetStatus": "STOPPED"}),
        state => json!({"status": state}),
    };
    scene.ai_core.force(&id, state).await;
    id
}

/// Somebody else's deployment in a state, and an object that observes it with these fields of the spec besides. Returns the id.
async fn observe(
    scene: &Scene,
    name: &str,
    configuration: &str,
    state: &str,
    fields: Value,
) -> String {
    let id = found(scene, configuration, state).await;
    let mut object = observed(adoption(name, &id, "Delete"));
    let spec = object["spec"].as_object_mut().expect("it has a spec");
    spec.extend(fields.as_object().expect("fields are an object").clone());
    scene.put(&object).await;
    id
}

#[tokio::test]
async fn each_state_that_is_found_is_shown_with_what_would_be_done_and_nothing_is_written() {
    let scene = scene().await;
    let ai_core = &scene.ai_core;
    let present = ai_core.add_configuration(GROUP).await;
    let other = ai_core.add_configuration(GROUP).await;
    let gpu = ai_core
        .add_configuration_of(GROUP, "churn-server-gpu")
        .await;
    let observe = |name, state, fields| observe(&scene, name, &present, state, fields);

    let runs = observe("runs", "RUNNING", json!({})).await;
    let unwanted = observe("unwanted", "RUNNING", json!({"desiredState": "Stopped"})).await;
    let retired = observe("retired", "STOPPED", json!({"desiredState": "Deleted"})).await;
    observe("stopped", "STOPPED", json!({})).await;
    let again = observe("again", "STOPPED", json!({"recreatePolicy": "Always"})).await;
    observe("dead", "DEAD", json!({})).await;
    let changed = observe("changed", "RUNNING", json!({"configurationId": other})).await;
    let replaced = observe("replaced", "RUNNING", json!({"configurationId": gpu})).await;
    let inline = json!({"configuration": configuration(&json!({"imageTag": "2"}))});
    let rewritten = observe("rewritten", "RUNNING", inline).await;
    let missing = observed(adoption("missing", "d000000000000000", "Delete"));
    scene.put(&missing).await;
    scene.put(&observed(deployment("new"))).await;
    let from = observed(deployment_from("new-from", &present));
    scene.put(&from).await;
    let wrong = json!({"configuration": configuration(&json!({"colour": "blue"}))});
    scene.put(&observed(with("wrong", wrong))).await;

    assert_eq!(scene.until_ready("runs", "Running").await, runs);
    let stop = format!("stop {unwanted}");
    assert_eq!(until_would(&scene, "unwanted", &stop).await, unwanted);
    until_would(&scene, "retired", &format!("delete {retired}")).await;
    scene.until_stalled("stopped", "StoppedElsewhere").await;
    until_would(&scene, "again", &format!("delete {again}")).await;
    scene.until_stalled("dead", "DeploymentDead").await;
    let change = format!("change the configuration of {changed}");
    until_would(&scene, "changed", &change).await;
    let replace = format!("create the deployment that replaces {replaced}");
    until_would(&scene, "replaced", &replace).await;
    let rewrite = format!(" for deployment {rewritten}");
    until_would_create_configuration(&scene, "rewritten", &rewrite).await;
    scene.until_stalled("missing", "NeverSeen").await;
    until_would_create_configuration(&scene, "new", ", and a deployment from it").await;
    until_would(&scene, "new-from", "create a deployment").await;
    let told = scene.until_stalled("wrong", "InvalidConfiguration").await;
    assert!(told.contains("`colour`"), "{told}");
    let object = scene.get("Deployment", "runs").await;
    assert!(object["status"]["nextStep"].is_null(), "{object}");
    assert_nothing_written(&scene).await;

    let all = scene.kubectl(&["delete", "aid", "--all", "--timeout=60s"]);
    let all = all.await;
    assert!(all.succeeded, "{}", all.errors);
    let left = scene.until_told_of("Orphaned", &runs).await;
    assert!(left.contains("managementPolicy is Observe"), "{left}");
    assert!(writes(&scene).await.is_empty());
    assert_eq!(scene.ai_core.deployments().await.len(), 9);
    scene.finish(0).await;
}

#[tokio::test]
async fn managing_does_exactly_what_was_told_before() {
    let scene = scene().await;
    let present = scene.ai_core.add_configuration(GROUP).await;
    let other = scene.ai_core.add_configuration(GROUP).await;
    let observe = |name, state, fields| observe(&scene, name, &present, state, fields);
    let stopped = observe("stopped", "RUNNING", json!({"desiredState": "Stopped"})).await;
    let deleted = observe("deleted", "STOPPED", json!({"desiredState": "Deleted"})).await;
    let changed = observe("changed", "RUNNING", json!({"configurationId": other})).await;
    scene.put(&observed(deployment("created"))).await;
    until_would(&scene, "stopped", &format!("stop {stopped}")).await;
    until_would(&scene, "deleted", &format!("delete {deleted}")).await;
    let change = format!("change the configuration of {changed}");
    until_would(&scene, "changed", &change).await;
    until_would_create_configuration(&scene, "created", ", and a deployment from it").await;
    assert_nothing_written(&scene).await;

    let mut done = Vec::new();
    for (name, reached, effect) in [
        ("stopped", "Stopped", (StopDeployment, stopped)),
        ("deleted", "Deleted", (DeleteDeployment, deleted)),
        ("changed", "Running", (ChangeConfiguration, changed)),
    ] {
        set_policy(&scene, name, "Manage").await;
        scene.until_ready(name, reached).await;
        done.push((effect.0, Some(effect.1)));
        assert_eq!(scene.ai_core.effects().await, done, "{name}");
    }
    set_policy(&scene, "created", "Manage").await;
    let created = scene.until_ready("created", "Running").await;
    done.push((CreateDeployment, Some(created)));
    assert_eq!(scene.ai_core.effects().await, done);
    assert_eq!(scene.ai_core.calls(CreateConfiguration).await.len(), 1);

    for name in ["stopped", "deleted", "changed", "created"] {
        scene.delete_and_wait(name).await;
    }
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(1).await;
}

#[tokio::test]
async fn the_deployment_of_another_object_can_be_observed_and_not_taken() {
    let scene = scene().await;
    scene.put(&deployment("owner")).await;
    let id = scene.until_ready("owner", "Running").await;
    scene
        .put(&observed(adoption("observer", &id, "Delete")))
        .await;
    assert_eq!(scene.until_ready("observer", "Running").await, id);
    wish(&scene, "observer", "Stopped").await;
    until_would(&scene, "observer", &format!("stop {id}")).await;
    set_policy(&scene, "observer", "Manage").await;
    scene.until_stalled("observer", "Claimed").await;
    set_policy(&scene, "observer", "Observe").await;
    wish(&scene, "observer", "Running").await;
    scene.until_ready("observer", "Running").await;

    scene.delete_and_wait("owner").await;
    scene.until_stalled("observer", "DeploymentMissing").await;
    scene.delete_and_wait("observer").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_observer_keeps_nobody_from_its_deployment_and_has_it_when_nobody_else_does() {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let id = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.put(&observed(adoption("first", &id, "Delete"))).await;
    scene.until_ready("first", "Running").await;
    scene.put(&adoption("second", &id, "Orphan")).await;
    assert_eq!(scene.until_ready("second", "Running").await, id);
    set_policy(&scene, "first", "Manage").await;
    scene.until_stalled("first", "Claimed").await;

    scene.delete_and_wait("second").await;
    assert_eq!(scene.until_ready("first", "Running").await, id);
    assert_nothing_written(&scene).await;
    scene.delete_and_wait("first").await;
    let gone = [StopDeployment, DeleteDeployment].map(|operation| (operation, Some(id.clone())));
    assert_eq!(scene.ai_core.effects().await, gone);
    scene.finish(0).await;
}

#[tokio::test]
async fn a_deleted_observer_goes_unless_it_has_created_its_deployment() {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let adopted = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.put(&adoption("adopted", &adopted, "Delete")).await;
    scene.until_ready("adopted", "Running").await;
    for name in ["created", "left"] {
        scene.put(&deployment(name)).await;
        scene.until_ready(name, "Running").await;
    }
    for name in ["adopted", "created", "left"] {
        set_policy(&scene, name, "Observe").await;
        scene.until_ready(name, "Running").await;
    }
    let before = writes(&scene).await.len();

    scene.delete_and_wait("adopted").await;
    let mut ids = Vec::new();
    for name in ["created", "left"] {
        scene.delete("Deployment", name).await;
        let told = scene.until_stalled(name, "Observing").await;
        for way_on in [
            "set managementPolicy to Manage",
            "set deletionPolicy to Orphan",
        ] {
            assert!(told.contains(way_on), "{told}");
        }
        let object = scene.get("Deployment", name).await;
        let id = id_of(&object);
        let next = format!("would stop {id}, but waits for a person to decide");
        assert_eq!(object["status"]["nextStep"], next.as_str());
        ids.push(id);
    }
    scene.ai_core.listed_again(3, LIMIT).await;
    assert_eq!(writes(&scene).await.len(), before);

    let orphan = json!({"spec": {"deletionPolicy": "Orphan"}});
    scene.change("Deployment", "left", orphan).await;
    scene.until_gone("Deployment", "left").await;
    assert_eq!(writes(&scene).await.len(), before);
    set_policy(&scene, "created", "Manage").await;
    scene.until_gone("Deployment", "created").await;
    assert_eq!(scene.ai_core.status_of(&ids[0]).await, None);
    for left in [&adopted, &ids[1]] {
        let status = scene.ai_core.status_of(left).await;
        assert_eq!(status.as_deref(), Some("RUNNING"));
    }
    scene.finish(2).await;
}

#[tokio::test]
async fn whoever_begins_to_observe_in_the_middle_finds_out_what_came_of_it_and_sends_nothing_more()
{
    let scene = scene().await;
    scene.put(&deployment("ending")).await;
    let ending = scene.until_ready("ending", "Running").await;
    let lost = Effect::DropAfter;
    scene
        .ai_core
        .fault("lost answer", &[CreateDeployment], Some(1), lost)
        .await;
    scene.put(&deployment("beginning")).await;
    scene.ai_core.called(CreateDeployment, 2, LIMIT).await;
    set_policy(&scene, "beginning", "Observe").await;
    scene.ai_core.set(json!({"stoppingMs": 600_000})).await;
    wish(&scene, "ending", "Deleted").await;
    scene.until_stop_is_accepted("ending").await;
    set_policy(&scene, "ending", "Observe").await;
    scene.ai_core.set(json!({"stoppingMs": 50})).await;

    until_would(&scene, "ending", &format!("delete {ending}")).await;
    let beginning = scene.until_ready("beginning", "Running").await;
    let done = [
        (CreateDeployment, Some(ending.clone())),
        (CreateDeployment, Some(beginning)),
        (StopDeployment, Some(ending.clone())),
    ];
    scene.ai_core.listed_again(3, LIMIT).await;
    assert_eq!(scene.ai_core.effects().await, done);

    for name in ["beginning", "ending"] {
        set_policy(&scene, name, "Manage").await;
    }
    scene.until_ready("ending", "Deleted").await;
    for name in ["beginning", "ending"] {
        scene.delete_and_wait(name).await;
    }
    scene.finish(2).await;
}

/// Puts a crowd that asks for all sorts of things, and returns of each object its name, what it would do, and what it is when that is done.
async fn put_crowd(scene: &Scene) -> Vec<(String, String, &'static str)> {
    let present = scene.ai_core.add_configuration(GROUP).await;
    let other = scene.ai_core.add_configuration(GROUP).await;
    let mut crowd = Vec::new();
    for number in 0..OF_EACH {
        let from = deployment_from(&format!("from-{number}"), &present);
        scene.put(&from).await;
        crowd.push((
            format!("from-{number}"),
            "create a deployment".to_owned(),
            "Running",
        ));
        for (sort, fields, plan, reached) in [
            (
                "stopped",
                json!({"desiredState": "Stopped"}),
                "stop ",
                "Stopped",
            ),
            (
                "deleted",
                json!({"desiredState": "Deleted"}),
                "stop ",
                "Deleted",
            ),
            (
                "changed",
                json!({"configurationId": other}),
                "change the configuration of ",
                "Running",
            ),
        ] {
            let name = format!("{sort}-{number}");
            let id = scene.ai_core.add_deployment(GROUP, &present).await;
            let mut object = adoption(&name, &id, "Delete");
            let spec = object["spec"].as_object_mut().expect("it has a spec");
            spec.extend(fields.as_object().expect("it is one").clone());
            scene.put(&object).await;
            crowd.push((name, format!("{plan}{id}"), reached));
        }
    }
    crowd
}

#[tokio::test]
async fn an_operator_in_observe_mode_writes_nothing_for_a_whole_crowd_and_then_manages_it() {
    let setting = Setting {
        arguments: &["--mode", "observe"],
        ..Setting::of(OPERATOR)
    };
    let mut scene = Scene::start(setting).await;
    scene.operator.says(r#"mode="observe""#).await;
    until_measured(&scene, r#"aicore_mode{mode="observe"} 1"#).await;
    let connection = scene.get("Connection", CONNECTION).await;
    let told = condition(&connection, "Ready")["message"].to_string();
    assert!(told.contains("--mode=observe"), "{told}");
    let crowd = put_crowd(&scene).await;
    for (name, plan, _) in &crowd {
        until_would(&scene, name, plan).await;
    }
    let told = scene.kubectl(&["describe", "aid", "from-0"]).await.output;
    assert!(
        told.contains("the operator runs with --mode=observe"),
        "{told}"
    );
    // What an object is to manage is not let go.
    scene.delete("Deployment", "changed-0").await;
    let told = scene.until_stalled("changed-0", "Observing").await;
    assert!(told.contains("--mode=manage"), "{told}");
    assert_nothing_written(&scene).await;

    scene.operator.terminate().await;
    let manage = Setting::of(OPERATOR);
    let operator = Operator::start(scene.control_plane(), &scene.namespace, &manage);
    scene.operator = operator.await;
    scene.until_gone("Deployment", "changed-0").await;
    let left = crowd.iter().filter(|(name, ..)| name != "changed-0");
    for (name, _, reached) in left.clone() {
        scene.until_ready(name, reached).await;
    }
    for (name, ..) in left.clone() {
        scene.delete("Deployment", name).await;
    }
    for (name, ..) in left {
        scene.until_gone("Deployment", name).await;
    }
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(OF_EACH).await;
}
