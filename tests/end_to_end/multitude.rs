//! Many objects that are deleted at once cost AI Core few calls, and an answer that is odd harms none of them.

use std::collections::BTreeMap;

use aicore_emulator::Operation::{DeleteDeployment, StopDeployment};
use aicore_emulator::{BulkUpdates, Effect, Operation, PartialBulk, Response, Settings};
use harness::scene::{Scene, Setting};
use kube::api::{DeleteParams, ListParams};

use crate::manifests::{OPERATOR, deployment};

const OBJECTS: usize = 60;

/// Enough for a request for many.
const FEW: usize = 12;

/// A scene whose AI Core takes requests for many, with so many running deployments.
async fn scene_with(count: usize) -> (Scene, Vec<String>) {
    let scene = Scene::start(Setting {
        ai_core: Settings {
            bulk_updates: BulkUpdates::Present,
            ..Settings::fast()
        },
        ..Setting::of(OPERATOR)
    })
    .await;
    let names: Vec<String> = (0..count).map(|number| format!("churn-{number}")).collect();
    for name in &names {
        scene.put(&deployment(name)).await;
    }
    for name in &names {
        scene.until_ready(name, "Running").await;
    }
    (scene, names)
}

/// Has all objects deleted, and waits until they are gone.
async fn delete_all(scene: &mut Scene, names: &[String]) {
    // One deletion after the other takes the API server its time. The operator meets them all at once.
    scene.operator.kill().await;
    let deleted = scene
        .api("Deployment")
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await;
    deleted.expect("an administrator may delete them");
    scene.operator.start_again();
    for name in names {
        scene.until_gone("Deployment", name).await;
    }
}

#[tokio::test]
async fn a_multitude_is_stopped_and_deleted_in_requests_for_many() {
    let (mut scene, names) = scene_with(OBJECTS).await;
    delete_all(&mut scene, &names).await;
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

/// The first requests for many are answered like this, and all objects go all the same.
async fn all_go_although(effect: Effect) {
    let (mut scene, names) = scene_with(FEW).await;
    for operation in [StopDeployment, DeleteDeployment] {
        scene
            .ai_core
            .fault("odd", &[operation], Some(2), effect.clone())
            .await;
    }
    delete_all(&mut scene, &names).await;
    for operation in [StopDeployment, DeleteDeployment] {
        let calls = scene.ai_core.calls(operation).await;
        assert!(
            calls.iter().any(|call| call.fault.is_some()),
            "no {operation:?} was answered oddly"
        );
    }
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.finish(FEW).await;
}

fn answer(status: u16) -> Response {
    Response {
        status,
        body: "<html><body>This is not JSON</body></html>".to_owned(),
        content_type: Some("text/html".to_owned()),
        retry_after: None,
    }
}

#[tokio::test]
async fn all_go_although_requests_for_many_are_too_large() {
    all_go_although(Effect::Respond(answer(413))).await;
}

#[tokio::test]
async fn all_go_although_pages_come_in_place_of_requests_for_many() {
    all_go_although(Effect::Respond(answer(200))).await;
}

#[tokio::test]
async fn all_go_although_pages_come_in_place_of_answers_for_many() {
    all_go_although(Effect::RespondAfter(answer(502))).await;
}

#[tokio::test]
async fn all_go_although_every_second_one_is_refused_at_first() {
    let half = PartialBulk {
        every_nth: 2,
        code: "500".to_owned(),
    };
    all_go_although(Effect::PartialBulk(half)).await;
}
