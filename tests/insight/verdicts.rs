//! What kstatus (Flux, `helm --wait`) and Argo CD take live objects for, in every phase of their lives.

use std::process::Command;

use aicore_emulator::Operation::{self, ChangeConfiguration, CreateDeployment};
use aicore_emulator::{Effect, Settings};
use harness::emulated::{OTHER_TENANT, TENANT};
use harness::manifests::{adoption, configuration, deployment, deployment_that_ends, wish, with};
use harness::scene::{CONNECTION, LIMIT, SECRET, Scene, Setting, condition, connection, secret};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::documents::path;
use crate::tools::{run, tool};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    kstatus: String,
    kstatus_message: String,
    health: String,
    health_message: String,
}

/// Objects as they were at some moment, each with a name for the moment and what it has to be taken for.
#[derive(Default)]
pub struct Album {
    moments: Vec<(String, Value, [&'static str; 2])>,
}

pub const DONE: [&str; 2] = ["Current", "Healthy"];
pub const GOING: [&str; 2] = ["InProgress", "Progressing"];
pub const BROKEN: [&str; 2] = ["Failed", "Degraded"];
pub const LEAVING: [&str; 2] = ["Terminating", "Progressing"];

impl Album {
    pub fn keep(&mut self, moment: &str, object: Value, expected: [&'static str; 2]) {
        self.moments.push((moment.to_owned(), object, expected));
    }

    /// Holds what the tools say against what was expected.
    pub fn judge(&self) {
        let objects: String = self
            .moments
            .iter()
            .map(|(_, object, _)| object.to_string())
            .collect();
        let check = path("deploy/argocd/health.lua");
        let verdicts = run(Command::new(tool("judge")).arg(check), &objects);
        let verdicts: Vec<Verdict> = verdicts
            .lines()
            .map(|line| serde_json::from_str(line).expect("it is a verdict"))
            .collect();
        assert_eq!(verdicts.len(), self.moments.len());
        for (verdict, (moment, object, [kstatus, health])) in verdicts.iter().zip(&self.moments) {
            let seen = (verdict.kstatus.as_str(), verdict.health.as_str());
            assert_eq!(
                seen,
                (*kstatus, *health),
                "{moment}: {verdict:?}\n{object:#}"
            );
            assert!(
                !verdict.health_message.is_empty(),
                "{moment}: nothing is said"
            );
            assert!(
                !verdict.kstatus_message.contains('<'),
                "{moment}: {verdict:?}"
            );
        }
    }
}

/// How long a phase takes that is to be seen, and one that is to be over, in milliseconds.
const LONG: u64 = 600_000;
const SHORT: u64 = 50;

/// Waits until the condition Ready of a Deployment has a reason and a deletion is under way or not.
pub async fn seen(scene: &Scene, name: &str, reason: &str, terminating: bool) -> Value {
    let holds = |object: &Value| {
        condition(object, "Ready")["reason"] == reason
            && object["metadata"].get("deletionTimestamp").is_some() == terminating
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    };
    scene.until("Deployment", name, reason, holds).await
}

#[tokio::test]
async fn a_deployment_is_taken_for_what_it_is_in_every_phase_of_its_life() {
    let mut album = Album::default();
    let mut scene = Scene::start(Setting {
        ai_core: Settings {
            pending_ms: LONG,
            stopping_ms: LONG,
            deleting_ms: LONG,
            ..Settings::fast()
        },
        ..Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))
    })
    .await;
    scene.operator.kill().await;
    scene.put(&deployment("churn")).await;
    let unseen = scene.get("Deployment", "churn").await;
    album.keep("nobody has looked at it", unseen, GOING);
    scene.operator.start_again();
    album.keep(
        "starting",
        seen(&scene, "churn", "Starting", false).await,
        GOING,
    );
    scene.ai_core.set(json!({"pendingMs": SHORT})).await;
    album.keep(
        "running",
        seen(&scene, "churn", "Running", false).await,
        DONE,
    );

    scene.operator.kill().await;
    wish(&scene, "churn", "Stopped").await;
    let edited = scene.get("Deployment", "churn").await;
    album.keep("nobody has looked at the edit", edited, GOING);
    scene.operator.start_again();
    album.keep(
        "stopping",
        seen(&scene, "churn", "Stopping", false).await,
        GOING,
    );
    scene.ai_core.set(json!({"stoppingMs": SHORT})).await;
    album.keep(
        "stopped",
        seen(&scene, "churn", "Stopped", false).await,
        DONE,
    );
    wish(&scene, "churn", "Deleted").await;
    album.keep(
        "deleting",
        seen(&scene, "churn", "Deleting", false).await,
        GOING,
    );
    scene.ai_core.set(json!({"deletingMs": SHORT})).await;
    album.keep(
        "deleted",
        seen(&scene, "churn", "Deleted", false).await,
        DONE,
    );
    wish(&scene, "churn", "Running").await;
    seen(&scene, "churn", "Running", false).await;
    let slow = json!({"stoppingMs": LONG, "deletingMs": LONG});
    scene.ai_core.set(slow).await;
    scene.delete("Deployment", "churn").await;
    album.keep(
        "terminating, stopping",
        seen(&scene, "churn", "Stopping", true).await,
        LEAVING,
    );
    scene.ai_core.set(json!({"stoppingMs": SHORT})).await;
    album.keep(
        "terminating, deleting",
        seen(&scene, "churn", "Deleting", true).await,
        LEAVING,
    );
    scene.ai_core.set(json!({"deletingMs": SHORT})).await;
    scene.until_gone("Deployment", "churn").await;

    album.judge();
    scene.finish(2).await;
}

#[tokio::test]
async fn what_needs_a_person_or_has_expired_is_taken_for_that() {
    let mut album = Album::default();
    let scene = Scene::start(Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))).await;
    scene.put(&deployment_that_ends("dead", "DEAD")).await;
    album.keep(
        "dead",
        seen(&scene, "dead", "DeploymentDead", false).await,
        BROKEN,
    );
    scene
        .put(&adoption("lost", "d0123456789abcde", "Orphan"))
        .await;
    album.keep(
        "mistyped",
        seen(&scene, "lost", "NeverSeen", false).await,
        BROKEN,
    );
    let brief = json!({"configuration": configuration(&json!({})), "ttl": "10m"});
    scene.put(&with("brief", brief)).await;
    let id = scene.until_ready("brief", "Running").await;
    let created = Timestamp::now() - SignedDuration::from_mins(10) + SignedDuration::from_secs(10);
    let created = created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    scene
        .ai_core
        .force(&id, json!({"createdAt": created}))
        .await;
    album.keep(
        "expired",
        seen(&scene, "brief", "Expired", false).await,
        DONE,
    );

    let only = json!({"configuration": configuration(&json!({})), "managementPolicy": "Observe"});
    scene.put(&with("watched", only)).await;
    let watched = seen(&scene, "watched", "Observed", false).await;
    album.keep("observed", watched, DONE);

    album.judge();
    for name in ["dead", "lost", "brief", "watched"] {
        scene.delete_and_wait(name).await;
    }
    scene.finish(2).await;
}

/// Waits until a Connection tells this reason, and holds that it tells once what to make of it: that a person must act, or that it heals.
async fn connection_seen(scene: &Scene, name: &str, reason: &str, expected: [&str; 2]) -> Value {
    let object = scene.until_reason("Connection", name, reason).await;
    let present = |kind: &str| !condition(&object, kind).is_null();
    let told = (present("Stalled"), present("Reconciling"));
    let wanted = match expected {
        DONE => (false, false),
        BROKEN => (true, false),
        _ => (false, true),
    };
    assert_eq!(told, wanted, "{reason}: {object:#}");
    for kind in ["Stalled", "Reconciling"]
        .into_iter()
        .filter(|it| present(it))
    {
        for field in ["reason", "message"] {
            assert_eq!(
                condition(&object, kind)[field],
                condition(&object, "Ready")[field]
            );
        }
    }
    object
}

#[tokio::test]
async fn a_connection_is_taken_for_what_it_is_in_every_phase_of_its_life() {
    let mut album = Album::default();
    let mut scene = Scene::start(Setting {
        arguments: &["--resync-seconds", "1"],
        ..Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))
    })
    .await;
    scene.operator.kill().await;
    scene.put(&connection("early", "later")).await;
    let unseen = scene.get("Connection", "early").await;
    album.keep("nobody has looked at it", unseen, GOING);
    scene.operator.start_again();
    let mut see = async |moment, name, reason, expected| {
        let object = connection_seen(&scene, name, reason, expected).await;
        album.keep(moment, object, expected);
    };
    see("before its Secret", "early", "SecretMissing", GOING).await;
    see("it works", CONNECTION, "Connected", DONE).await;
    let key = scene.ai_core.service_key(TENANT).await;
    // Of tenants of their own, so that nobody lists with these keys in place of the right one.
    let with_field = |field: &str, value: &str| {
        let mut key = key.clone();
        key["identityzoneid"] = json!(field);
        key[field] = json!(value);
        key.to_string()
    };
    for (name, entry) in [
        ("garbage", "none".to_owned()),
        ("wrong", with_field("clientsecret", "not-the-secret")),
        ("unreachable", with_field("url", "http://127.0.0.1:9")),
    ] {
        scene.put(&secret(name, &json!({"key": entry}))).await;
        scene.put(&connection(name, name)).await;
    }
    see("garbage in its Secret", "garbage", "InvalidSecret", BROKEN).await;
    see("its key is refused", "wrong", "CredentialsRejected", BROKEN).await;
    let stalled = scene
        .kubectl(&[
            "wait",
            "--for=condition=Stalled",
            "aiconn/wrong",
            "--timeout=60s",
        ])
        .await;
    assert!(stalled.succeeded, "{}", stalled.errors);
    see("no way to AI Core", "unreachable", "Unreachable", GOING).await;

    // That AI Core does not answer now neither hides nor mends what a person has to.
    scene
        .ai_core
        .fault("down", &[], None, Effect::DropBefore)
        .await;
    see("AI Core is down", CONNECTION, "Unreachable", GOING).await;
    // With the second look what came of the first one is written.
    let asked = scene.ai_core.calls(Operation::Token).await.len();
    scene
        .ai_core
        .called(Operation::Token, asked + 2, LIMIT)
        .await;
    see("still refused", "wrong", "CredentialsRejected", BROKEN).await;
    scene.ai_core.heal().await;
    see("AI Core is back", CONNECTION, "Connected", DONE).await;

    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.put_key(OTHER_TENANT).await;
    see("a key of others", CONNECTION, "TenantChanged", BROKEN).await;
    scene.put_key(TENANT).await;
    see("the right key again", CONNECTION, "Connected", DONE).await;
    scene.delete("Secret", SECRET).await;
    see("its Secret goes", CONNECTION, "SecretTerminating", BROKEN).await;
    scene.delete("Connection", CONNECTION).await;
    let leaving = scene
        .until_reason("Connection", CONNECTION, "Terminating")
        .await;
    album.keep("it is still needed", leaving, LEAVING);

    album.judge();
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_object_that_is_renamed_in_git_keeps_its_deployment() {
    let scene = Scene::start(Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    // The first commit lets go of it, the second one moves it.
    let orphan = json!({"spec": {"deletionPolicy": "Orphan"}});
    scene.change("Deployment", "churn", orphan).await;
    scene.until_ready("churn", "Running").await;
    let mut renamed = deployment("churn-prediction");
    renamed["spec"]["adopt"] = json!({"deploymentId": id});
    renamed["spec"]["deletionPolicy"] = json!("Delete");
    scene.put(&renamed).await;
    scene.delete_and_wait("churn").await;

    assert_eq!(scene.until_ready("churn-prediction", "Running").await, id);
    // A configuration bears the name of the object that it was made for, so the new object makes its own and gives it to the deployment.
    seen(&scene, "churn-prediction", "Running", false).await;
    let effects: Vec<Operation> = scene
        .ai_core
        .effects()
        .await
        .into_iter()
        .map(|(it, _)| it)
        .collect();
    assert_eq!(effects, [CreateDeployment, ChangeConfiguration]);
    scene.delete_and_wait("churn-prediction").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn kustomize_replicas_of_the_same_name_are_refused_and_change_nothing() {
    let scene = Scene::start(Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))).await;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let write = |name: &str, content: &Value| {
        let written = std::fs::write(folder.path().join(name), content.to_string());
        written.expect("the folder can be written to");
    };
    write("churn.yaml", &deployment("churn"));
    write(
        "kustomization.yaml",
        &json!({"resources": ["churn.yaml"], "replicas": [{"name": "churn", "count": 3}]}),
    );
    let folder = folder.path().to_str().expect("its path is text");
    let rendered = scene.kubectl(&["kustomize", folder]).await;
    assert!(
        rendered.output.contains("replicas: 3"),
        "{}",
        rendered.output
    );
    let applied = scene.kubectl(&["apply", "-k", folder]).await;
    let why = r#"unknown field "spec.replicas""#;
    assert!(
        !applied.succeeded && applied.errors.contains(why),
        "{}",
        applied.errors
    );
    assert_eq!(scene.ai_core.effects().await, []);
    scene.finish(0).await;
}
