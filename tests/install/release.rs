//! Installing and uninstalling with Helm.

use aicore_emulator::Operation::{CreateDeployment, DeleteDeployment, StopDeployment};

use crate::world::{MODEL, QUICK, RELEASE, World, end};

#[tokio::test]
async fn the_chart_takes_the_first_example_to_running_and_back_to_nothing() {
    let world = World::start().await;
    let notes = world.install(&[QUICK]).await;
    assert!(
        notes.contains("Connections have to be where it may read Secrets: aicore-operator."),
        "{notes}"
    );
    let operator = world.operator("operator").await;
    let stand_by = world.operator("stand-by").await;

    let id = world.run_example(RELEASE).await;
    world.delete(RELEASE, MODEL).await;

    world.assert_status(&id, None).await;
    let expected = [CreateDeployment, StopDeployment, DeleteDeployment];
    let effects = world.ai_core.effects().await;
    assert_eq!(
        effects,
        expected.map(|operation| (operation, Some(id.clone())))
    );
    end(stand_by).await;
    end(operator).await;
    world.assert_nothing_was_refused();
}

#[tokio::test]
async fn an_uninstall_touches_no_deployment_and_keeps_every_object_and_an_install_goes_on_with_them()
 {
    let world = World::start().await;
    world.install(&[QUICK]).await;
    let operator = world.operator("before").await;
    let id = world.run_example(RELEASE).await;
    end(operator).await;
    let before = world.ai_core.effects().await;

    world.helm(&["uninstall", RELEASE, "--wait"]).await;

    let left = world
        .kubectl(&[
            "get",
            "deployment.apps,clusterroles,serviceaccounts",
            "--namespace",
            RELEASE,
            "-o",
            "name",
        ])
        .await;
    assert!(!left.contains(RELEASE), "{left}");
    let object = world.get(RELEASE, &["aid", MODEL]).await;
    assert!(
        object["metadata"]["deletionTimestamp"].is_null(),
        "{object}"
    );
    world.assert_status(&id, Some("RUNNING")).await;

    world.install(&[QUICK]).await;
    let operator = world.operator("after").await;
    assert_eq!(world.until_ready(RELEASE, MODEL).await, id);
    assert_eq!(world.ai_core.effects().await, before);
    world.delete(RELEASE, MODEL).await;
    world.assert_status(&id, None).await;
    end(operator).await;
    world.assert_nothing_was_refused();
}
