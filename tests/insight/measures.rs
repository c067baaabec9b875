//! What the metrics measure while objects live, and what of it outlives the process.

use std::time::Duration;

use aicore_emulator::Operation::CreateConfiguration;
use aicore_emulator::{Effect, Settings};
use harness::manifests::deployment;
use harness::patience;
use harness::scene::{LIMIT, Scene, Setting};

/// How long a deployment is PENDING.
const PENDING: Duration = Duration::from_millis(2500);

async fn scrape(address: &str) -> Option<String> {
    let client = reqwest::Client::builder().no_proxy().timeout(LIMIT).build();
    let client = client.expect("a client can be made");
    let answer = client.get(format!("http://{address}/metrics")).send();
    answer.await.ok()?.text().await.ok()
}

/// Where the operator answers in its life of this number, from 1.
async fn address(scene: &Scene, life: usize) -> String {
    patience::until("an address", async || {
        let log = scene.operator.log();
        let lines = log.lines();
        let mut served = lines.filter(|line| line.contains("serving probes and metrics"));
        let line = served.nth(life - 1);
        let address = line.and_then(|line| line.rsplit_once("address="));
        let address = address.map(|(_, address)| address.trim().to_owned());
        address.ok_or(log)
    })
    .await
}

/// The value of a series, once it is as it should be.
async fn until(address: &str, series: &str, holds: impl Fn(f64) -> bool) -> f64 {
    patience::until(series, async || {
        let text = scrape(address).await.unwrap_or_default();
        let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
        let value = lines.find(|(name, _)| *name == series);
        let value = value.and_then(|(_, value)| value.parse().ok());
        value.filter(|value| holds(*value)).ok_or(text)
    })
    .await
}

#[tokio::test]
async fn a_phase_that_a_restart_interrupts_is_measured_from_its_beginning() {
    let mut scene = Scene::start(Setting {
        ai_core: Settings {
            pending_ms: PENDING.as_millis() as u64,
            ..Settings::fast()
        },
        ..Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))
    })
    .await;
    scene.put(&deployment("churn")).await;
    scene.until_reason("Deployment", "churn", "Starting").await;
    scene.operator.kill().await;
    // The new process does not see it start.
    patience::until("the deployment", async || {
        let deployment = scene.ai_core.only_deployment().await;
        let runs = deployment.status == "RUNNING";
        runs.then_some(()).ok_or(deployment.status)
    })
    .await;
    scene.operator.start_again();
    let address = address(&scene, 2).await;
    let count = r#"aicore_phase_duration_seconds_count{phase="Starting"}"#;
    until(&address, count, |count| count == 1.0).await;
    // Conditions tell whole seconds at least.
    let sum = r#"aicore_phase_duration_seconds_sum{phase="Starting"}"#;
    let least = PENDING.as_secs_f64() - 1.0;
    until(&address, sum, |seconds| seconds >= least).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn objects_that_wait_for_others_are_counted_until_somebody_looks_at_them() {
    let scene = Scene::start(Setting {
        arguments: &["--concurrency", "1", "--request-timeout-seconds", "30"],
        ..Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))
    })
    .await;
    // So long that somebody looks meanwhile.
    let slow = Effect::LatencyMs(10_000);
    scene
        .ai_core
        .fault("slow", &[CreateConfiguration], Some(1), slow)
        .await;
    let names = ["churn-1", "churn-2", "churn-3"];
    for name in names {
        scene.put(&deployment(name)).await;
    }
    let address = address(&scene, 1).await;
    let queued = r#"aicore_queued_objects{kind="Deployment"}"#;
    until(&address, queued, |queued| queued >= 2.0).await;
    for name in names {
        scene.until_ready(name, "Running").await;
    }
    until(&address, queued, |queued| queued == 0.0).await;
    for name in names {
        scene.delete_and_wait(name).await;
    }
    until(&address, queued, |queued| queued == 0.0).await;
    scene.finish(3).await;
}
