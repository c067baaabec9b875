//! What kstatus and Argo CD take Deployments for in the moments that are neither the beginning nor the end: a change under way, a person who holds
//! something back, somebody else's hand, and an AI Core that does not do as it is told.
//!
//! Which verdict there is hangs on the condition that holds, whatever its reason: that is judged for every reason there is. And that exactly one
//! such condition holds is a law (`OneVerdict`), which every scene of every suite is held against.

use aicore_emulator::Operation::{CreateDeployment, ListDeployments};
use aicore_emulator::{Effect, Operation, Response, Settings};
use aicore_operator::api::Reason;
use harness::manifests::{adoption, configuration, deployment, deployment_from, with};
use harness::scene::{CONNECTION, GROUP, LIMIT, SECRET, Scene, Setting, condition, connection};
use serde_json::{Value, json};

use crate::verdicts::{Album, BROKEN, DONE, GOING, LEAVING, seen};

/// An object as the operator leaves it when the condition `holds` is True for this reason. Available is told where it is given.
fn object(kind: &str, holds: &str, reason: Reason, available: Option<&str>) -> Value {
    let condition = |kind: &str, status: &str| {
        json!({
            "type": kind,
            "status": status,
            "reason": reason.as_str(),
            "message": "a sentence",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "observedGeneration": 1,
        })
    };
    let mut conditions = match holds {
        "Ready" => vec![condition("Ready", "True")],
        holds => vec![condition("Ready", "False"), condition(holds, "True")],
    };
    conditions.extend(available.map(|status| condition("Available", status)));
    let mut object = match kind {
        "Deployment" => deployment("churn"),
        _ => connection(CONNECTION, SECRET),
    };
    object["metadata"]["generation"] = json!(1);
    object["status"] = json!({"observedGeneration": 1, "conditions": conditions});
    object
}

#[test]
fn the_condition_that_holds_makes_the_verdict_whatever_its_reason_is() {
    let mut album = Album::default();
    // A Connection says nothing of being available. What serves or does not changes no verdict.
    for (kind, available) in [
        ("Deployment", None),
        ("Deployment", Some("True")),
        ("Deployment", Some("False")),
        ("Connection", None),
    ] {
        for reason in Reason::all() {
            for (holds, verdict) in [("Ready", DONE), ("Reconciling", GOING), ("Stalled", BROKEN)] {
                let moment = format!("{kind}, Available {available:?}, {holds}: {reason}");
                let mut leaving = object(kind, holds, *reason, available);
                album.keep(&moment, leaving.clone(), verdict);
                leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
                // kstatus does not look further at what is being deleted, and neither does Argo CD's check.
                album.keep(&moment, leaving, LEAVING);
            }
        }
    }
    album.judge();
}

/// How long deployments are PENDING, and so how long a change of their configuration takes.
async fn set_pending(scene: &Scene, milliseconds: u64) {
    let times = json!({"pendingMs": milliseconds, "runningUpdateMs": milliseconds});
    scene.ai_core.set(times).await;
}

async fn change(scene: &Scene, name: &str, fields: Value) {
    scene.change("Deployment", name, fields).await;
}

fn parameters(parameters: Value) -> Value {
    json!({"spec": {"configuration": {"parameters": parameters}}})
}

fn answer(status: u16) -> Effect {
    Effect::Respond(Response {
        status,
        body: String::new(),
        content_type: None,
        retry_after: None,
    })
}

/// Waits until Ready has this reason, and keeps the object as it is then.
async fn take(
    album: &mut Album,
    scene: &Scene,
    name: &str,
    reason: &str,
    verdict: [&'static str; 2],
) {
    let object = seen(scene, name, reason, false).await;
    album.keep(reason, object, verdict);
}

#[tokio::test]
async fn a_deployment_is_taken_for_what_it_is_while_something_is_in_its_way() {
    let mut album = Album::default();
    let mut scene = Scene::start(Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))).await;
    let (own, stranger) = two_candidates(&mut scene).await;
    take(&mut album, &scene, "ambiguous", "Ambiguous", BROKEN).await;
    let choice = json!({"spec": {"adopt": {"deploymentId": own}, "deletionPolicy": "Delete"}});
    change(&scene, "ambiguous", choice).await;

    what_holds_objects_back(&mut album, &scene).await;
    what_others_do(&mut album, &scene, &stranger).await;
    changes_under_way(&mut album, &scene).await;
    what_ai_core_refuses(&mut album, &scene).await;
    scene.delete("Secret", SECRET).await;
    scene
        .until_reason("Connection", CONNECTION, "SecretTerminating")
        .await;
    scene.put(&deployment("late")).await;
    take(&mut album, &scene, "late", "ConnectionNotReady", GOING).await;

    album.judge();
    let free = json!({"metadata": {"annotations": {"aicore.dev/paused": null, "aicore.dev/protected": null}}});
    for name in ["paused", "kept"] {
        change(&scene, name, free.clone()).await;
    }
    for name in [
        "second",
        "ambiguous",
        "first",
        "paused",
        "kept",
        "stopped",
        "missing",
        "updated",
        "rolled",
        "swapped",
        "early",
        "late",
    ] {
        scene.delete_and_wait(name).await;
    }
    scene.finish(9).await;
}

/// A create call whose answer is lost, while somebody else makes a deployment of the same configuration. Returns the id of the object's own one and
/// that of the other.
async fn two_candidates(scene: &mut Scene) -> (String, String) {
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let late = Effect::AnswerLatencyMs(20_000);
    scene
        .ai_core
        .fault("late answer", &[CreateDeployment], Some(1), late)
        .await;
    let object = deployment_from("ambiguous", &configuration);
    scene.put(&object).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    scene.operator.kill().await;
    let own = scene.ai_core.only_deployment().await.id.clone();
    let stranger = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.operator.start_again();
    (own, stranger)
}

/// A pause, a protection, and a Connection without its Secret.
async fn what_holds_objects_back(album: &mut Album, scene: &Scene) {
    for name in ["paused", "kept"] {
        scene.put(&deployment(name)).await;
    }
    scene.put(&connection("early", "later")).await;
    let mut early = deployment("early");
    early["spec"]["connectionRef"]["name"] = json!("early");
    scene.put(&early).await;
    for (name, annotation, reason) in [
        ("paused", "aicore.dev/paused", "Paused"),
        ("kept", "aicore.dev/protected", "Protected"),
    ] {
        scene.until_ready(name, "Running").await;
        let edit = json!({
            "metadata": {"annotations": {annotation: "true"}},
            "spec": {"desiredState": "Deleted"},
        });
        change(scene, name, edit).await;
        take(album, scene, name, reason, BROKEN).await;
    }
    take(album, scene, "early", "SecretMissing", BROKEN).await;
}

/// A stop, a deletion and a claim by somebody else.
async fn what_others_do(album: &mut Album, scene: &Scene, stranger: &str) {
    for name in ["stopped", "missing"] {
        scene.put(&deployment(name)).await;
    }
    let stopped = scene.until_ready("stopped", "Running").await;
    let state = json!({"status": "STOPPED", "targetStatus": "STOPPED"});
    scene.ai_core.force(&stopped, state).await;
    take(album, scene, "stopped", "StoppedElsewhere", BROKEN).await;
    let missing = scene.until_ready("missing", "Running").await;
    scene.ai_core.remove(&missing).await;
    take(album, scene, "missing", "DeploymentMissing", BROKEN).await;
    scene.put(&adoption("first", stranger, "Delete")).await;
    scene.until_ready("first", "Running").await;
    scene.put(&adoption("second", stranger, "Delete")).await;
    take(album, scene, "second", "Claimed", BROKEN).await;
}

/// Another configuration, one that fails, and another executable.
async fn changes_under_way(album: &mut Album, scene: &Scene) {
    let rolls_back = json!({
        "configuration": configuration(&json!({"imageTag": "1"})),
        "update": {"onFailure": "RollBack"},
    });
    scene.put(&with("rolled", rolls_back)).await;
    for name in ["updated", "swapped"] {
        scene.put(&deployment(name)).await;
    }
    for name in ["rolled", "updated", "swapped"] {
        scene.until_ready(name, "Running").await;
    }
    change(
        scene,
        "rolled",
        parameters(json!({"emulator.outcome": "DEAD"})),
    )
    .await;
    take(album, scene, "rolled", "RolledBack", BROKEN).await;

    set_pending(scene, 600_000).await;
    change(scene, "updated", parameters(json!({"imageTag": "2"}))).await;
    scene.until_state("updated", "PENDING").await;
    let object = seen(scene, "updated", "Starting", false).await;
    assert_eq!(condition(&object, "Available")["status"], "True");
    album.keep("being given a configuration", object, GOING);

    let gpu = json!({"spec": {"configuration": {"executableId": "churn-server-gpu"}}});
    change(scene, "swapped", gpu).await;
    let successor = |object: &Value| {
        let serves = object["status"]["retiring"][0]["servesUntilReplaced"] == true;
        serves && object["status"]["deployment"]["id"].is_string()
    };
    let object = scene
        .until("Deployment", "swapped", "it has a successor", successor)
        .await;
    assert_eq!(condition(&object, "Available")["status"], "True");
    album.keep("being replaced", object, GOING);
    set_pending(scene, Settings::fast().pending_ms).await;
}

/// No room, too many calls, and no answer.
async fn what_ai_core_refuses(album: &mut Album, scene: &Scene) {
    scene.ai_core.set(json!({"maxDeployments": 0})).await;
    scene.put(&deployment("beyond")).await;
    take(album, scene, "beyond", "QuotaExceeded", GOING).await;
    scene.delete_and_wait("beyond").await;
    scene.ai_core.set(json!({"maxDeployments": null})).await;
    let faults: [(&str, Operation, Effect, &str); 2] = [
        ("busy", CreateDeployment, answer(429), "RateLimited"),
        ("silent", ListDeployments, Effect::DropBefore, "Unreachable"),
    ];
    for (name, operation, effect, reason) in faults {
        scene.ai_core.fault(name, &[operation], None, effect).await;
        scene.put(&deployment(name)).await;
        take(album, scene, name, reason, GOING).await;
        scene.delete("Deployment", name).await;
        scene.ai_core.heal().await;
        scene.until_gone("Deployment", name).await;
    }
}
