//! A cluster that is built anew, or a second one beside it, to which the same objects are applied. With the same cluster id everything that runs is
//! taken over and nothing is written to AI Core; with another one nothing of the first cluster's is touched.

use aicore_emulator::{Entry, Kind, Operation};
use harness::manifests::{adoption, deployment, deployment_from, wish};
use harness::scene::{GROUP, LIMIT, Scene, Setting, condition};
use serde_json::{Value, json};

use crate::OPERATOR;

/// How the operator of a cluster with this id is started.
fn cluster<'a>(id: &'a [&'a str; 2]) -> Setting<'a> {
    Setting {
        arguments: id,
        ..Setting::of(OPERATOR)
    }
}

const FIRST: [&str; 2] = ["--cluster-id", "first"];
const SECOND: [&str; 2] = ["--cluster-id", "second"];

/// Everything that was written to AI Core since the entry `seq`.
async fn written_since(scene: &Scene, seq: u64) -> Vec<Entry> {
    let audit = scene.ai_core.audit_after(seq).await.into_iter();
    audit
        .filter(|entry| entry.kind == Kind::Call && entry.operation != Operation::Token)
        .filter(|entry| entry.method.as_deref() != Some("GET"))
        .collect()
}

/// The number of the newest entry of AI Core's log.
async fn now(scene: &Scene) -> u64 {
    let audit = scene.ai_core.audit().await;
    audit.last().map_or(0, |entry| entry.seq)
}

/// The cluster is lost, and another one with the same id takes its place.
async fn rebuilt(mut scene: Scene) -> Scene {
    scene.operator.kill().await;
    scene.start_beside(cluster(&FIRST)).await
}

#[tokio::test]
async fn a_rebuilt_cluster_takes_over_whatever_runs_and_writes_nothing() {
    let scene = Scene::start_alone(cluster(&FIRST)).await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let adopted = scene.ai_core.add_deployment(GROUP, &configuration).await;
    let mut stopped = deployment("stopped");
    let mut named = deployment_from("named", &configuration);
    for object in [
        &deployment("churn"),
        &stopped,
        &adoption("adopted", &adopted, "Delete"),
        &named,
    ] {
        scene.put(object).await;
    }
    let running = scene.until_ready("churn", "Running").await;
    scene.until_ready("stopped", "Running").await;
    scene.until_ready("adopted", "Running").await;
    let made = scene.until_ready("named", "Running").await;
    wish(&scene, "stopped", "Stopped").await;
    let at_rest = scene.until_ready("stopped", "Stopped").await;
    let lost = now(&scene).await;
    let scene = rebuilt(scene).await;

    stopped["spec"]["desiredState"] = json!("Stopped");
    // No name leads back from a configuration that exists already, so the id is part of what is applied.
    named["spec"]["adopt"] = json!({"deploymentId": made});
    named["spec"]["deletionPolicy"] = json!("Delete");
    for object in [
        &deployment("churn"),
        &stopped,
        &adoption("adopted", &adopted, "Delete"),
        &named,
    ] {
        scene.put(object).await;
    }

    assert_eq!(scene.until_ready("churn", "Running").await, running);
    assert_eq!(scene.until_ready("stopped", "Stopped").await, at_rest);
    assert_eq!(scene.until_ready("adopted", "Running").await, adopted);
    assert_eq!(scene.until_ready("named", "Running").await, made);
    scene.ai_core.listed_again(3, LIMIT).await;
    assert_eq!(written_since(&scene, lost).await, []);
    for name in ["churn", "stopped", "adopted", "named"] {
        scene.delete_and_wait(name).await;
    }
    scene.finish(3).await;
}

/// The limit that `docs/protocol.md` tells of: an object of a cluster that is new has made nothing as far as anybody can tell.
#[tokio::test]
async fn a_rebuilt_cluster_does_not_find_what_was_made_from_a_configuration_that_existed() {
    let scene = Scene::start_alone(cluster(&FIRST)).await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    scene.put(&deployment_from("named", &configuration)).await;
    let first = scene.until_ready("named", "Running").await;
    let scene = rebuilt(scene).await;

    scene.put(&deployment_from("named", &configuration)).await;

    let second = scene.until_ready("named", "Running").await;
    assert_ne!(second, first);
    let counted = |connection: &Value| connection["status"]["unclaimed"] == 1;
    scene
        .until("Connection", "aicore", "the first is unclaimed", counted)
        .await;
    assert_eq!(
        scene.ai_core.status_of(&first).await.as_deref(),
        Some("RUNNING")
    );
    scene.put(&adoption("heir", &first, "Delete")).await;
    assert_eq!(scene.until_ready("heir", "Running").await, first);
    for name in ["named", "heir"] {
        scene.delete_and_wait(name).await;
    }
    scene.finish(2).await;
}

#[tokio::test]
async fn a_cluster_with_another_id_touches_nothing_of_the_first() {
    let first = Scene::start_alone(cluster(&FIRST)).await;
    let configuration = first.ai_core.add_configuration(GROUP).await;
    let objects = [
        deployment("churn"),
        deployment_from("named", &configuration),
    ];
    for object in &objects {
        first.put(object).await;
    }
    let churn = first.until_ready("churn", "Running").await;
    let named = first.until_ready("named", "Running").await;
    let before = now(&first).await;
    let second = first.start_beside(cluster(&SECOND)).await;

    for object in &objects {
        second.put(object).await;
    }

    let others = [
        second.until_ready("churn", "Running").await,
        second.until_ready("named", "Running").await,
    ];
    for name in ["churn", "named"] {
        second.delete_and_wait(name).await;
    }
    for other in &others {
        assert_eq!(second.ai_core.status_of(other).await, None);
    }
    let ids = [&churn, &named];
    let touched = |entry: &Entry| {
        let id = entry.deployment_id.as_ref();
        id.is_some_and(|id| ids.contains(&id))
    };
    let mut written = written_since(&second, before).await;
    written.retain(touched);
    assert_eq!(written, []);
    second.assert_good_conduct().await;
    for (name, id) in [("churn", &churn), ("named", &named)] {
        assert_eq!(&first.until_ready(name, "Running").await, id);
        let object = first.get("Deployment", name).await;
        assert_eq!(condition(&object, "Available")["status"], "True");
        first.delete_and_wait(name).await;
    }
    first.finish(4).await;
}
