//! Two operators in one cluster and in one tenant: one looks at a single namespace, the other at all namespaces but that one. Each works for its own
//! objects and knows nothing of the other's; and a namespace can be handed over from one to the other.

use aicore_emulator::Effect;
use aicore_emulator::Operation::CreateDeployment;
use harness::control_plane::AuditEntry;
use harness::emulated::TENANT;
use harness::manifests::{
    adoption, configuration_of, deployment, deployment_from, make_exclusive, wish,
};
use harness::operator::{NAMESPACE, Operator};
use harness::scene::{CONNECTION, GROUP, LIMIT, SECRET, Scene, Setting, condition, connection};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::neighbours::{access, elsewhere_in};
use crate::{OPERATOR, Turn, scene_alone};

/// The operator of all namespaces, and what it is started with besides.
fn everywhere<'a>(arguments: &'a [&'a str]) -> Setting<'a> {
    Setting {
        everywhere: true,
        arguments,
        ..Setting::of(OPERATOR)
    }
}

/// A scene with an operator of all namespaces, and a namespace besides that has a Connection to the same tenant. The scene is about the first one.
async fn two_namespaces(setting: Setting<'_>, other: &str) -> (Turn, Scene, String) {
    let (turn, mut scene) = scene_alone(setting).await;
    let first = scene.namespace.clone();
    let created = scene.kubectl(&["create", "namespace", other]).await;
    assert!(created.succeeded, "{}", created.errors);
    scene.include(other);
    scene.enter(other);
    scene.put_key(TENANT).await;
    scene.put(&connection(CONNECTION, SECRET)).await;
    scene.enter(&first);
    (turn, scene, first)
}

/// Starts an operator of one namespace beside that of the scene.
async fn start_own(scene: &mut Scene, namespace: &str) {
    let setting = Setting::of(OPERATOR);
    let own = Operator::start(scene.control_plane(), namespace, &setting).await;
    scene.beside.push(own);
}

/// Ends the operator of all namespaces and starts it again with these arguments.
async fn start_again_with(scene: &mut Scene, arguments: &[&str]) {
    scene.operator.terminate().await;
    start_with(scene, arguments).await;
}

async fn start_with(scene: &mut Scene, arguments: &[&str]) {
    let setting = everywhere(arguments);
    scene.operator = Operator::start_everywhere(scene.control_plane(), &setting).await;
}

/// Has the next operator of a namespace know that nothing was forgotten until now, as docs/upgrading.md says.
async fn hand_over_lease(scene: &Scene, namespace: &str) {
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": format!("operator-{namespace}"), "namespace": NAMESPACE},
        "spec": {"renewTime": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()},
    });
    let file = scene
        .control_plane()
        .data_dir()
        .join(format!("lease.{namespace}.json"));
    std::fs::write(&file, lease.to_string()).expect("its folder can be written to");
    let file = file.display().to_string();
    let arguments = ["--namespace", NAMESPACE, "create", "-f", &file];
    let output = scene
        .control_plane()
        .kubectl()
        .args(arguments)
        .output()
        .await;
    let output = output.expect("kubectl is there");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
}

async fn assert_untouched(scene: &Scene, kind: &str, name: &str) {
    let object = scene.get(kind, name).await;
    assert!(object["metadata"]["finalizers"].is_null(), "{object:#}");
    assert!(object["status"]["conditions"].is_null(), "{object:#}");
}

async fn until_counted(scene: &Scene, unclaimed: usize, orphans: usize) {
    let what = format!("{unclaimed} unclaimed, {orphans} of them orphans");
    let counted = |object: &Value| {
        object["status"]["unclaimed"] == unclaimed && object["status"]["orphanCount"] == orphans
    };
    scene.until("Connection", CONNECTION, &what, counted).await;
}

/// What the operators have asked for in all namespaces at once.
fn asked_everywhere(scene: &Scene, verb: &str, resource: &str) -> Vec<AuditEntry> {
    let entries = scene.control_plane().audit_entries();
    let entries = entries.expect("the control plane is one of the tests' own");
    entries
        .into_iter()
        .filter(|entry| entry.verb == verb && entry.resource == resource)
        .filter(|entry| entry.group == "aicore.dev" && entry.namespace.is_empty())
        .filter(|entry| entry.user == harness::operator::USER)
        .collect()
}

#[tokio::test]
async fn each_works_for_its_own_objects_and_knows_nothing_of_those_of_the_other() {
    let other = "has-its-own";
    let exclusion = ["--exclude-namespaces", other];
    let (_turn, mut scene, first) = two_namespaces(everywhere(&exclusion), other).await;
    scene.put(&deployment("churn")).await;
    let here = scene.until_ready("churn", "Running").await;
    scene.enter(other);
    scene.put(&deployment("churn")).await;
    scene.enter(&first);
    // By now it would have seen the other one many times over.
    wish(&scene, "churn", "Stopped").await;
    scene.until_ready("churn", "Stopped").await;
    wish(&scene, "churn", "Running").await;
    let here_again = scene.until_ready("churn", "Running").await;
    scene.ai_core.listed_again(3, LIMIT).await;
    scene.enter(other);
    assert_untouched(&scene, "Deployment", "churn").await;
    assert_untouched(&scene, "Connection", CONNECTION).await;
    assert_untouched(&scene, "Secret", SECRET).await;
    assert_eq!(scene.events().await, []);
    assert_eq!(scene.writes_to(other), []);
    assert!(!scene.operator.answers().await.contains(other));
    for resource in ["deployments", "connections"] {
        let selected = format!("fieldSelector=metadata.namespace%21%3D{other}");
        let watches = asked_everywhere(&scene, "watch", resource);
        let since = watches.iter().filter(|entry| entry.uri.contains(&selected));
        assert!(since.count() > 0, "{watches:#?}");
    }

    start_own(&mut scene, other).await;
    let there = scene.until_ready("churn", "Running").await;
    until_counted(&scene, 0, 0).await;
    scene.enter(&first);
    until_counted(&scene, 0, 0).await;
    let logs = [scene.operator.log(), scene.beside[0].log()];
    assert!(!logs[0].contains(&there), "it has looked at {there}");
    for id in [&here, &here_again] {
        assert!(!logs[1].contains(id), "it has looked at {id}");
    }

    // What the other one's object leaves behind is for its own namespace to know.
    scene.enter(other);
    let orphan = json!({"spec": {"deletionPolicy": "Orphan"}});
    scene.change("Deployment", "churn", orphan).await;
    scene.delete_and_wait("churn").await;
    until_counted(&scene, 1, 1).await;
    scene.until_told_of("OrphansFound", &there).await;
    scene.put(&adoption("again", &there, "Delete")).await;
    assert_eq!(scene.until_ready("again", "Running").await, there);
    scene.delete_and_wait("again").await;
    scene.enter(&first);
    until_counted(&scene, 0, 0).await;
    let told = scene.events().await;
    let orphans = told.iter().filter(|(reason, _)| reason == "OrphansFound");
    assert_eq!(orphans.count(), 0, "{told:#?}");
    scene.delete_and_wait("churn").await;
    scene.finish(3).await;
}

#[tokio::test]
async fn neither_takes_what_was_made_for_an_object_of_the_other_nor_uses_its_connection() {
    let other = "keeps-its-own";
    let exclusion = ["--exclude-namespaces", other];
    let (_turn, mut scene, first) = two_namespaces(everywhere(&exclusion), other).await;
    start_own(&mut scene, other).await;
    scene.put(&deployment("churn")).await;
    let here = scene.until_ready("churn", "Running").await;
    scene.enter(other);
    scene.put(&deployment("churn")).await;
    let there = scene.until_ready("churn", "Running").await;
    let configuration = configuration_of(&scene, "churn").await;
    let before = scene.ai_core.effects().await.len();

    for (namespace, anothers) in [(&*first, &there), (other, &here)] {
        scene.enter(namespace);
        scene.put(&adoption("thief", anothers, "Delete")).await;
        let message = scene.until_stalled("thief", "Claimed").await;
        assert!(message.contains(anothers.as_str()), "{message}");
        scene.delete_and_wait("thief").await;
        // Whoever only looks on may see it, and gets it no more than anybody else.
        let mut observer = adoption("observer", anothers, "Delete");
        observer["spec"]["managementPolicy"] = json!("Observe");
        scene.put(&observer).await;
        scene.until_state("observer", "RUNNING").await;
        let manage = json!({"spec": {"managementPolicy": "Manage"}});
        scene.change("Deployment", "observer", manage).await;
        scene.until_stalled("observer", "Claimed").await;
        scene.delete_and_wait("observer").await;
    }
    scene.enter(&first);
    scene.put(&elsewhere_in(other, deployment("guest"))).await;
    let message = scene.until_stalled("guest", "AccessDenied").await;
    let told = format!("this operator leaves namespace {other} to another one");
    assert!(message.contains(&told), "{message}");
    scene.delete_and_wait("guest").await;
    assert_eq!(scene.ai_core.effects().await.len(), before);

    // The spec names a configuration of the other namespace, and a call for it gets lost: what it made is no proof, not even where the Connection
    // says that nobody else creates from it.
    make_exclusive(&scene).await;
    let lost = Effect::DropAfter;
    scene
        .ai_core
        .fault("lost", &[CreateDeployment], Some(1), lost)
        .await;
    scene
        .put(&deployment_from("borrower", &configuration))
        .await;
    let message = scene.until_stalled("borrower", "Ambiguous").await;
    assert!(!message.contains(&there), "{message}");
    let all = scene.ai_core.deployments().await.into_iter();
    let made = all.map(|one| one.id).find(|id| *id != here && *id != there);
    let made = made.expect("the call had its effect");
    assert!(message.contains(&made), "{message}");
    let answer = json!({"spec": {"adopt": {"deploymentId": made}, "deletionPolicy": "Delete"}});
    scene.change("Deployment", "borrower", answer).await;
    assert_eq!(scene.until_ready("borrower", "Running").await, made);

    scene.delete_and_wait("borrower").await;
    scene.delete_and_wait("churn").await;
    scene.enter(other);
    assert_eq!(
        scene.ai_core.status_of(&there).await.as_deref(),
        Some("RUNNING")
    );
    scene.delete_and_wait("churn").await;
    scene.finish(3).await;
}

#[tokio::test]
async fn a_namespace_is_handed_over_and_its_next_operator_goes_on_with_what_runs() {
    let other = "handed-over";
    // One that no other test has held, or the time since then would be forgotten.
    let lease = ["--lease-name", "before-the-handover"];
    let (_turn, mut scene, _) = two_namespaces(everywhere(&lease), other).await;
    scene.enter(other);
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let configuration = configuration_of(&scene, "churn").await;
    let by_hand = scene.ai_core.add_deployment(GROUP, &configuration).await;

    let exclusion = [&lease[..], &["--exclude-namespaces", other]].concat();
    start_again_with(&mut scene, &exclusion).await;
    hand_over_lease(&scene, other).await;
    let before = scene.writes_to(other).len();
    scene.operator.says("leading lease=").await;
    scene.ai_core.listed_again(3, LIMIT).await;
    assert_eq!(scene.writes_to(other).len(), before, "it was left alone");
    let object = scene.get("Deployment", "churn").await;
    assert_eq!(
        object["metadata"]["finalizers"],
        json!(["aicore.dev/deployment"]),
        "what the next one needs stays"
    );

    start_own(&mut scene, other).await;
    scene.beside[0].says("gaps=0").await;
    // Longer than it takes until what has to go besides would be ended.
    scene.ai_core.listed_again(12, 3 * LIMIT).await;
    assert_eq!(
        scene.ai_core.status_of(&by_hand).await.as_deref(),
        Some("RUNNING"),
        "it has forgotten nothing, so this is somebody's own"
    );
    scene.ai_core.remove(&by_hand).await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    wish(&scene, "churn", "Stopped").await;
    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    scene.delete_and_wait("churn").await;
    for kind in ["Connection", "Secret"] {
        let name = if kind == "Secret" { SECRET } else { CONNECTION };
        scene.delete(kind, name).await;
        scene.until_gone(kind, name).await;
    }
    scene.finish(1).await;
}

#[tokio::test]
async fn a_create_call_that_is_open_at_the_handover_is_left_to_who_has_announced_it() {
    let other = "handed-over-early";
    let (_turn, mut scene, _) = two_namespaces(everywhere(&[]), other).await;
    scene.enter(other);
    scene
        .until_reason("Connection", CONNECTION, "Connected")
        .await;
    let late = Effect::AnswerLatencyMs(20_000);
    let create = [CreateDeployment];
    scene.ai_core.fault("late", &create, Some(1), late).await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    scene.operator.kill().await;
    start_with(&mut scene, &["--exclude-namespaces", other]).await;
    start_own(&mut scene, other).await;
    let message = scene.until_stalled("churn", "OperatorConflict").await;
    assert!(message.contains("operator-all-namespaces"), "{message}");
    assert_eq!(scene.ai_core.effects().await.len(), 1);

    // Back to who has announced it, until that knows what came of it.
    let mut own = scene.beside.remove(0);
    own.terminate().await;
    start_again_with(&mut scene, &[]).await;
    let id = scene.until_ready("churn", "Running").await;
    start_again_with(&mut scene, &["--exclude-namespaces", other]).await;
    own.start_again();
    scene.beside.push(own);
    wish(&scene, "churn", "Stopped").await;
    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_connection_waits_for_what_an_object_has_made_through_it_that_was_left_to_another_operator()
 {
    let other = "left-with-a-model";
    let (_turn, mut scene, first) = two_namespaces(everywhere(&[]), other).await;
    scene.label(other, json!({"team": "a"})).await;
    let grant = json!({"spec": {"access": access(&[GROUP])}});
    scene.change("Connection", CONNECTION, grant).await;
    scene.enter(other);
    scene.put(&elsewhere_in(&first, deployment("churn"))).await;
    let id = scene.until_ready("churn", "Running").await;
    start_again_with(&mut scene, &["--exclude-namespaces", other]).await;

    scene.enter(&first);
    scene.delete("Connection", CONNECTION).await;
    let what = "it says what it waits for";
    let waits = |object: &Value| {
        let ready = condition(object, "Ready")["message"].to_string();
        ready.contains("1 of another namespace")
    };
    scene.until("Connection", CONNECTION, what, waits).await;
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );

    start_again_with(&mut scene, &[]).await;
    scene.enter(other);
    scene.delete_and_wait("churn").await;
    scene.enter(&first);
    scene.until_gone("Connection", CONNECTION).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_uninstall_is_one_for_both_and_no_model_goes() {
    let other = "goes-with-all";
    let exclusion = ["--exclude-namespaces", other];
    let (_turn, mut scene, first) = two_namespaces(everywhere(&exclusion), other).await;
    start_own(&mut scene, other).await;
    let mut ids = Vec::new();
    for namespace in [&first, other] {
        scene.enter(namespace);
        scene.put(&deployment("churn")).await;
        ids.push(scene.until_ready("churn", "Running").await);
    }

    scene.begin_uninstall().await;
    scene.until_uninstalled().await;

    for id in ids {
        let status = scene.ai_core.status_of(&id).await;
        assert_eq!(status.as_deref(), Some("RUNNING"));
    }
    for namespace in [&first, other] {
        scene.enter(namespace);
        scene.delete("Secret", SECRET).await;
        scene.until_gone("Secret", SECRET).await;
    }
    scene.install().await;
    scene.finish(2).await;
}
