//! The referee: SAP's own SDKs, unmodified and in pinned versions, drive the whole life of a deployment against the
//! emulator. What they cannot parse, or do not get, is a fault of the emulator.

#[path = "sdk/install.rs"]
mod install;

use std::path::Path;
use std::process::Command;

use aicore_emulator::{BareTop, BulkUpdates, Emulator, Options, Settings, TenantSeed};

async fn emulator() -> Emulator {
    let settings = Settings {
        bulk_updates: BulkUpdates::Present,
        // The Python SDK sends `top` and `skip` without `$`.
        bare_top: BareTop::Honour,
        ..Settings::fast()
    };
    Emulator::start(Options {
        settings,
        ..Options::default()
    })
    .await
    .expect("the emulator starts")
}

async fn python_life(requirements: &'static str) {
    let emulator = emulator().await;
    let url = emulator.url();
    let client = TenantSeed::default();
    let life = move || {
        let installation = install::python(requirements);
        let script = install::sources("python").join("life.py");
        let mut command = Command::new(installation.folder.join("bin/python"));
        command
            .arg(script)
            .env("AICORE_BASE_URL", format!("{url}/v2"))
            .env("AICORE_AUTH_URL", format!("{url}/oauth/token"))
            .env("AICORE_CLIENT_ID", client.client_id)
            .env("AICORE_CLIENT_SECRET", client.client_secret)
            .env("AICORE_RESOURCE_GROUP", "team-a")
            .env("NO_PROXY", "127.0.0.1")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        install::run(&mut command)
    };
    let output = tokio::task::spawn_blocking(life)
        .await
        .expect("the script runs clean");
    assert!(output.ends_with("done\n"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_drives_a_whole_life() {
    python_life("sap-ai-sdk-core.txt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_under_its_older_name_drives_a_whole_life() {
    python_life("ai-core-sdk.txt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_sdk_drives_a_whole_life() {
    let emulator = emulator().await;
    let service_key = reqwest::get(format!("{}/_emulator/service-key", emulator.url())).await;
    let service_key = service_key
        .expect("the emulator answers")
        .text()
        .await
        .expect("the key is text");
    let life = move || {
        let installation = install::javascript();
        // Node looks for packages beside the script, so the script gets a folder that leads to them.
        let folder = tempfile::tempdir().expect("a folder for the script");
        let script = folder.path().join("life.mjs");
        std::fs::copy(install::sources("javascript").join("life.mjs"), &script)
            .expect("the script can be copied");
        link(
            &installation.folder.join("node_modules"),
            &folder.path().join("node_modules"),
        );
        let mut command = Command::new("node");
        // The SDK cannot name a group when it reads logs: it asks in the group `default`.
        command
            .arg(script)
            .env("AICORE_SERVICE_KEY", service_key)
            .env("AICORE_RESOURCE_GROUP", "default")
            .env("NO_PROXY", "127.0.0.1");
        install::run(&mut command)
    };
    let output = tokio::task::spawn_blocking(life)
        .await
        .expect("the script runs clean");
    assert!(output.ends_with("done\n"), "{output}");
}

fn link(target: &Path, name: &Path) {
    std::os::unix::fs::symlink(target, name).expect("the packages can be linked");
}
