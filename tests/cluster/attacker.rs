//! Somebody who may edit Deployments in one namespace, and nothing else, reaches for what belongs to others.

use aicore_emulator::Operation;
use aicore_emulator::Operation::{CreateDeployment, DeleteDeployment, StopDeployment};
use harness::manifests::{adoption, deployment, deployment_from};
use harness::scene::{GROUP, id_of};
use serde_json::{Value, json};

use crate::Turn;
use crate::neighbours::{Neighbours, OTHER_GROUP, access, elsewhere};

/// The attacker.
const EVE: &str = "eve";

/// Eve may edit in the neighbour's namespace, which is granted [`GROUP`]. The owner's object `victim` runs in `group`. Returns the id of its deployment.
pub async fn with_victim(group: &str) -> (Turn, Neighbours, String) {
    let (turn, mut scene) = Neighbours::with(access(&[GROUP])).await;
    for role in ["aicore-view", "aicore-edit"] {
        let bind = [
            "create",
            "rolebinding",
            role,
            "--clusterrole",
            role,
            "--user",
            EVE,
        ];
        let bound = scene.kubectl(&bind).await;
        assert!(bound.succeeded, "{}", bound.errors);
    }
    let owner = scene.owner.clone();
    scene.enter(&owner);
    scene.put(&within(group, deployment("victim"))).await;
    let id = scene.until_ready("victim", "Running").await;
    scene.enter_neighbour();
    (turn, scene, id)
}

/// The same Deployment in a resource group.
pub fn within(group: &str, mut object: Value) -> Value {
    object["spec"]["resourceGroup"] = json!(group);
    object
}

async fn apply(scene: &Neighbours, object: Value) {
    let applied = scene.apply_as(EVE, &elsewhere(scene, object)).await;
    assert!(applied.succeeded, "{}", applied.errors);
}

/// The victim's deployment runs, and its object goes in good order.
pub async fn assert_unharmed(mut scene: Neighbours, id: &str, creations: usize) {
    assert_eq!(
        scene.ai_core.status_of(id).await.as_deref(),
        Some("RUNNING")
    );
    let owner = scene.owner.clone();
    scene.enter(&owner);
    assert_eq!(scene.until_ready("victim", "Running").await, id);
    scene.delete_and_wait("victim").await;
    scene.finish(creations).await;
}

/// Those who may have a deployment of the group that is theirs alone can still adopt it, and end it.
pub async fn assert_free(scene: &mut Neighbours, id: &str) {
    let owner = scene.owner.clone();
    scene.enter(&owner);
    scene
        .put(&within(OTHER_GROUP, adoption("rightful", id, "Delete")))
        .await;
    assert_eq!(scene.until_ready("rightful", "Running").await, id);
    scene.delete_and_wait("rightful").await;
    scene.enter_neighbour();
}

/// What was done to a deployment.
pub async fn effects_on(scene: &Neighbours, id: &str) -> Vec<Operation> {
    let effects = scene.ai_core.effects().await.into_iter();
    effects
        .filter(|(_, of)| of.as_deref() == Some(id))
        .map(|(operation, _)| operation)
        .collect()
}

#[tokio::test]
async fn an_id_of_a_group_that_is_not_granted_cannot_be_adopted_nor_deleted() {
    let (_turn, scene, id) = with_victim(OTHER_GROUP).await;
    let mut denied = Vec::new();
    for (name, state) in [("run", "Running"), ("stop", "Stopped"), ("end", "Deleted")] {
        let mut object = within(OTHER_GROUP, adoption(name, &id, "Delete"));
        object["spec"]["desiredState"] = json!(state);
        apply(&scene, object).await;
        denied.push(scene.until_stalled(name, "AccessDenied").await);
        scene.delete_and_wait(name).await;
    }
    // Whether there is such a deployment does not show.
    apply(
        &scene,
        within(OTHER_GROUP, adoption("guess", "d0000000000000ff", "Delete")),
    )
    .await;
    denied.push(scene.until_stalled("guess", "AccessDenied").await);
    scene.delete_and_wait("guess").await;
    assert!(denied.windows(2).all(|two| two[0] == two[1]), "{denied:#?}");
    assert_eq!(effects_on(&scene, &id).await, [CreateDeployment]);
    assert_unharmed(scene, &id, 1).await;
}

#[tokio::test]
async fn naming_an_id_first_does_not_keep_it_from_those_who_may_have_it() {
    let (_turn, mut scene, id) = with_victim(GROUP).await;
    let configuration = scene.ai_core.add_configuration(OTHER_GROUP).await;
    let free = scene
        .ai_core
        .add_deployment(OTHER_GROUP, &configuration)
        .await;
    apply(
        &scene,
        within(OTHER_GROUP, adoption("first", &free, "Delete")),
    )
    .await;
    scene.until_stalled("first", "AccessDenied").await;

    assert_free(&mut scene, &free).await;
    scene.delete_and_wait("first").await;
    assert_unharmed(scene, &id, 1).await;
}

#[tokio::test]
async fn an_id_that_another_namespace_holds_is_left_alone_and_its_holder_is_not_named() {
    let (_turn, scene, id) = with_victim(GROUP).await;
    apply(&scene, adoption("thief", &id, "Delete")).await;
    let message = scene.until_stalled("thief", "Claimed").await;
    let thief = scene.get("Deployment", "thief").await.to_string();
    let events = format!("{:?}", scene.events().await);
    for told in [&message, &thief, &events] {
        assert!(!told.contains("victim"), "{told}");
    }
    scene.delete_and_wait("thief").await;
    assert_eq!(effects_on(&scene, &id).await, [CreateDeployment]);
    assert_unharmed(scene, &id, 1).await;
}

#[tokio::test]
async fn an_old_object_is_no_way_to_something_new_after_its_grant_is_withdrawn() {
    let (_turn, mut scene, id) = with_victim(GROUP).await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let free = scene.ai_core.add_deployment(GROUP, &configuration).await;
    apply(&scene, deployment("old")).await;
    let own = scene.until_ready("old", "Running").await;
    scene.grant(json!([])).await;

    let edited = async |scene: &Neighbours, object: Value| {
        apply(scene, object).await;
        scene.until_stalled("old", "AccessDenied").await;
    };
    edited(&scene, deployment_from("old", &configuration)).await;
    assert_eq!(effects_on(&scene, &own).await, [CreateDeployment]);
    let moved = scene
        .apply_as(
            EVE,
            &elsewhere(&scene, within(OTHER_GROUP, deployment("old"))),
        )
        .await;
    assert!(
        moved.errors.contains("resourceGroup cannot be changed"),
        "{}",
        moved.errors
    );
    let mut emptied = deployment("old");
    emptied["spec"]["desiredState"] = json!("Deleted");
    apply(&scene, emptied).await;
    scene.until_ready("old", "Deleted").await;
    for other in [&id, &free] {
        edited(&scene, adoption("old", other, "Delete")).await;
        let mut end = adoption("old", other, "Delete");
        end["spec"]["desiredState"] = json!("Deleted");
        edited(&scene, end).await;
    }
    scene.delete_and_wait("old").await;

    assert_eq!(
        effects_on(&scene, &own).await,
        [CreateDeployment, StopDeployment, DeleteDeployment]
    );
    assert_eq!(effects_on(&scene, &id).await, [CreateDeployment]);
    assert_eq!(effects_on(&scene, &free).await, []);
    assert_unharmed(scene, &id, 2).await;
}

#[tokio::test]
async fn neither_a_copied_name_nor_configuration_makes_anything_anothers() {
    let (_turn, mut scene, id) = with_victim(GROUP).await;
    let owner = scene.owner.clone();
    scene.enter(&owner);
    let victim = scene.get("Deployment", "victim").await;
    scene.enter_neighbour();
    let configuration = victim["status"]["configuration"]["id"].as_str();
    let configuration = configuration.expect("it has one").to_owned();
    // In AI Core anybody of the tenant can give a configuration the name that the operator has given the victim's.
    let deployments = scene.ai_core.deployments().await;
    let of_victim = deployments.iter().find(|deployment| deployment.id == id);
    let name = of_victim.and_then(|it| it.configuration_name.clone());
    let name = name.expect("the emulator tells the name of the configuration");
    let copy = scene.ai_core.add_configuration_named(GROUP, &name).await;
    let decoy = scene.ai_core.add_deployment(GROUP, &copy).await;
    // No annotation says whose a deployment is, so there is none to copy.
    apply(&scene, deployment("victim")).await;
    apply(&scene, deployment_from("borrower", &configuration)).await;

    for name in ["victim", "borrower"] {
        let own = scene.until_ready(name, "Running").await;
        assert!(own != id && own != decoy);
        let object = scene.get("Deployment", name).await;
        assert_eq!(id_of(&object), own);
        scene.delete_and_wait(name).await;
    }
    assert_eq!(effects_on(&scene, &id).await, [CreateDeployment]);
    assert_eq!(effects_on(&scene, &decoy).await, []);
    // What bears the victim's name goes with it, and that is not what this is about.
    scene.ai_core.remove(&decoy).await;
    assert_unharmed(scene, &id, 3).await;
}

#[tokio::test]
async fn a_configuration_of_a_group_that_is_not_granted_is_out_of_reach() {
    let (_turn, scene, id) = with_victim(OTHER_GROUP).await;
    let configuration = scene.ai_core.add_configuration(OTHER_GROUP).await;
    let mut copy = deployment("copy");
    copy["spec"]["configuration"] = json!({"copyOf": configuration});
    apply(&scene, copy).await;
    apply(&scene, deployment_from("borrower", &configuration)).await;
    for name in ["copy", "borrower"] {
        scene.until_stalled(name, "InvalidConfiguration").await;
        scene.delete_and_wait(name).await;
    }
    assert_unharmed(scene, &id, 1).await;
}

#[tokio::test]
async fn a_config_map_that_is_not_the_objects_own_is_not_written() {
    let (_turn, scene, id) = with_victim(GROUP).await;
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"URL": "https://example.com"},
    });
    scene.put(&settings).await;
    let mut object = deployment("thief");
    object["spec"]["endpoint"] = json!({"configMapName": "settings"});
    apply(&scene, object).await;
    scene
        .until_reason("Deployment", "thief", "EndpointTaken")
        .await;
    let found = scene.get("ConfigMap", "settings").await;
    assert_eq!(found["data"], settings["data"]);
    scene.delete_and_wait("thief").await;
    let found = scene.get("ConfigMap", "settings").await;
    assert_eq!(found["data"], settings["data"]);
    assert_unharmed(scene, &id, 2).await;
}

#[tokio::test]
async fn no_role_of_a_user_reaches_a_status_or_a_grant() {
    let (_turn, scene, id) = with_victim(GROUP).await;
    let may = async |namespace: &str, question: &[&str]| {
        let user = ["auth", "can-i", "--as", EVE, "--namespace", namespace];
        scene.kubectl(&[&user, question].concat()).await.succeeded
    };
    let (own, foreign) = (scene.neighbour.clone(), scene.owner.clone());
    for kind in ["deployments.aicore.dev", "connections.aicore.dev"] {
        assert!(may(&own, &["update", kind]).await);
        assert!(!may(&foreign, &["get", kind]).await);
        assert!(!may(&foreign, &["update", kind]).await);
        for verb in ["update", "patch"] {
            let status = [verb, kind, "--subresource=status"];
            assert!(!may(&own, &status).await, "{status:?}");
        }
    }
    assert!(!may(&own, &["patch", "namespaces"]).await);
    // The roles of the cluster that people are usually given take the new kinds up.
    for role in ["view", "edit", "admin"] {
        let somebody = format!("{EVE}-{role}");
        let bind = [
            "create",
            "rolebinding",
            &somebody,
            "--clusterrole",
            role,
            "--user",
            &somebody,
        ];
        let bound = scene.kubectl(&bind).await;
        assert!(bound.succeeded, "{}", bound.errors);
        for kind in ["deployments.aicore.dev", "connections.aicore.dev"] {
            for verb in ["update", "patch"] {
                let status = [
                    "auth",
                    "can-i",
                    "--as",
                    &somebody,
                    verb,
                    kind,
                    "--subresource=status",
                ];
                assert!(!scene.kubectl(&status).await.succeeded, "{status:?}");
            }
        }
    }
    assert_unharmed(scene, &id, 1).await;
}
