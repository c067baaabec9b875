//! Many objects that are deleted at once cost AI Core few calls.

use std::collections::BTreeMap;

use aicore_emulator::Operation::{DeleteDeployment, StopDeployment};
use aicore_emulator::{BulkUpdates, Operation, Settings};
use harness::scene::{Scene, Setting};
use kube::api::{DeleteParams, ListParams};

use crate::manifests::{OPERATOR, deployment};

const OBJECTS: usize = 60;

#[tokio::test]
async fn a_multitude_is_stopped_and_deleted_in_requests_for_many() {
    let mut scene = Scene::start(Setting {
        ai_core: Settings {
            bulk_updates: BulkUpdates::Present,
            ..Settings::fast()
        },
        ..Setting::of(OPERATOR)
    })
    .await;
    let names: Vec<String> = (0..OBJECTS)
        .map(|number| format!("churn-{number}"))
        .collect();
    for name in &names {
        scene.put(&deployment(name)).await;
    }
    for name in &names {
        scene.until_ready(name, "Running").await;
    }
    // One deletion after the other takes the API server its time. The operator meets them all at once.
    scene.operator.kill().await;
    let deleted = scene
        .api("Deployment")
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await;
    deleted.expect("an administrator may delete them");
    scene.operator.start_again();
    for name in &names {
        scene.until_gone("Deployment", name).await;
    }
    for operation in [StopDeployment, DeleteDeployment] {
        let sizes = request_sizes(&scene, operation).await;
        println!("{operation:?}: {sizes:?}");
        assert!(
            sizes.iter().any(|size| *size > OBJECTS / 10),
            "{operation:?} went out in requests for {sizes:?} deployments"
        );
    }
    scene.finish(OBJECTS).await;
}

/// How many deployments each request of an operation named.
async fn request_sizes(scene: &Scene, operation: Operation) -> Vec<usize> {
    let mut sizes = BTreeMap::new();
    for call in scene.ai_core.calls(operation).await {
        *sizes.entry(call.request_id).or_default() += 1;
    }
    sizes.into_values().collect()
}
