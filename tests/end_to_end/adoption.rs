//! Adopting: an existing deployment gets an object, and what belongs to others is left alone.

use aicore_emulator::Operation::{CreateConfiguration, DeleteDeployment, StopDeployment};
use harness::scene::GROUP;

use crate::manifests::{adoption, deployment_from, scene};

#[tokio::test]
async fn the_first_contact_with_an_adopted_deployment_writes_nothing_and_deleting_the_object_deletes_it()
 {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let id = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.put(&adoption("churn", &id, "Delete")).await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    assert_eq!(scene.ai_core.effects().await, []);
    let audit = scene.ai_core.audit().await;
    assert!(
        audit
            .iter()
            .all(|entry| entry.operation != CreateConfiguration)
    );

    scene.delete_and_wait("churn").await;

    assert_eq!(
        scene.ai_core.effects().await,
        [StopDeployment, DeleteDeployment].map(|operation| (operation, Some(id.clone())))
    );
    scene.finish(0).await;
}

#[tokio::test]
async fn an_adopted_deployment_whose_policy_is_orphan_is_never_written_to() {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let id = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.put(&adoption("churn", &id, "Orphan")).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    assert_eq!(scene.ai_core.effects().await, []);
    assert_eq!(
        scene.ai_core.status_of(&id).await.as_deref(),
        Some("RUNNING")
    );
    scene.finish(0).await;
}

#[tokio::test]
async fn of_two_objects_that_adopt_one_deployment_the_later_gets_nothing_and_harms_nothing() {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let id = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.put(&adoption("first", &id, "Delete")).await;
    scene.until_ready("first", "Running").await;
    scene.put(&adoption("second", &id, "Delete")).await;
    let message = scene.until_stalled("second", "Claimed").await;
    assert!(message.contains(&id), "{message}");

    scene.delete_and_wait("second").await;

    assert_eq!(scene.ai_core.effects().await, []);
    assert_eq!(scene.until_ready("first", "Running").await, id);
    scene.delete_and_wait("first").await;
    scene.finish(0).await;
}

#[tokio::test]
async fn somebody_elses_deployment_of_the_same_configuration_is_never_taken_or_touched() {
    let scene = scene().await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let stranger = scene.ai_core.add_deployment(GROUP, &configuration).await;
    scene.put(&deployment_from("churn", &configuration)).await;
    assert_ne!(scene.until_ready("churn", "Running").await, stranger);
    scene.delete_and_wait("churn").await;
    assert_eq!(
        scene.ai_core.status_of(&stranger).await.as_deref(),
        Some("RUNNING")
    );
    scene.finish(1).await;
}
