//! What somebody who watches over the operator can ask it.

use harness::patience::until;
use harness::scene::{CONNECTION, GROUP, LIMIT, Scene};
use serde_json::{Value, json};

use crate::manifests::{deployment, scene};

async fn ask(scene: &Scene, path: &str) -> (u16, String) {
    let url = format!("http://{}{path}", scene.operator.address().await);
    let client = reqwest::Client::builder().no_proxy().timeout(LIMIT).build();
    let client = client.expect("a client can be made");
    let answer = client.get(url).send().await.expect("the operator answers");
    let status = answer.status().as_u16();
    (status, answer.text().await.expect("the answer is whole"))
}

/// Waits until the metrics have a line. The operator may see the write of a status later than the test does.
pub async fn until_measured(scene: &Scene, line: &str) {
    until(line, async || {
        let (_, metrics) = ask(scene, "/metrics").await;
        let is_told = metrics.lines().any(|told| told == line);
        is_told.then_some(()).ok_or(metrics)
    })
    .await;
}

#[tokio::test]
async fn it_lives_is_ready_and_tells_how_the_objects_are() {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let strangers = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    let counted = |object: &Value| object["status"]["unclaimed"] == 1;
    scene
        .until("Connection", CONNECTION, "one is unclaimed", counted)
        .await;

    assert_eq!(ask(&scene, "/livez").await, (200, "ok".to_owned()));
    assert_eq!(ask(&scene, "/readyz").await, (200, "ok".to_owned()));
    until_measured(
        &scene,
        r#"aicore_objects{kind="Deployment",condition="Ready",reason="Running"} 1"#,
    )
    .await;
    let through = format!(
        r#"{{connection_namespace="{}",connection="{CONNECTION}"}}"#,
        scene.namespace
    );
    until_measured(&scene, &format!("aicore_unclaimed_deployments{through} 1")).await;
    until_measured(&scene, &format!("aicore_orphans{through} 0")).await;
    until_measured(&scene, "aicore_forced_releases_total 0").await;

    scene.delete_and_wait("churn").await;
    scene.ai_core.remove(&strangers).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn what_is_let_go_by_force_is_counted() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let reason = json!({"metadata": {"annotations": {"aicore.dev/force-release": "a test"}}});
    scene.change("Deployment", "churn", reason).await;
    scene.delete_and_wait("churn").await;
    // It is counted right after the finalizer came off; the event is published later still.
    scene.until_told("ForceReleased").await;
    until_measured(&scene, "aicore_forced_releases_total 1").await;
    scene.ai_core.remove(&id).await;
    scene.finish(1).await;
}
