//! Somebody who may make Connections and Secrets in one namespace writes a key that says it is of the tenant of others.

use aicore_emulator::Operation::CreateDeployment;
use harness::emulated::{OTHER_TENANT, TENANT};
use harness::manifests::{adoption, deployment};
use harness::scene::{GROUP, connection, secret};
use serde_json::{Value, json};

use crate::attacker::{assert_free, assert_unharmed, effects_on, with_victim, within};
use crate::neighbours::{Neighbours, OTHER_GROUP};

/// The Connection of the impostor.
const OWN: &str = "own";

/// Makes the Connection of the impostor with this key.
async fn pretend(scene: &Neighbours, key: &Value) {
    let key = json!({"key": key.to_string()});
    scene.put(&secret("own-key", &key)).await;
    scene.put(&connection(OWN, "own-key")).await;
}

/// The same object, through the Connection of the impostor.
fn through_own(mut object: Value) -> Value {
    object["spec"]["connectionRef"] = json!({"name": OWN});
    object
}

/// It only looks.
fn observing(mut object: Value) -> Value {
    object["spec"]["managementPolicy"] = json!("Observe");
    object
}

async fn end_pretending(scene: &Neighbours) {
    scene.delete("Connection", OWN).await;
    scene.until_gone("Connection", OWN).await;
}

#[tokio::test]
async fn a_made_up_key_of_the_tenant_shows_nothing_and_keeps_nothing_from_those_who_may_have_it() {
    let (_turn, mut scene, id) = with_victim(OTHER_GROUP).await;
    let configuration = scene.ai_core.add_configuration(OTHER_GROUP).await;
    let free = scene
        .ai_core
        .add_deployment(OTHER_GROUP, &configuration)
        .await;
    let mut key = scene.ai_core.service_key(TENANT).await;
    key["clientsecret"] = json!("made-up");
    pretend(&scene, &key).await;
    scene
        .until_reason("Connection", OWN, "CredentialsRejected")
        .await;

    let objects = [
        ("look", observing(adoption("look", &id, "Orphan"))),
        ("take", adoption("take", &id, "Delete")),
        ("first", adoption("first", &free, "Delete")),
        ("make", deployment("make")),
    ];
    for (name, object) in objects {
        scene.put(&within(OTHER_GROUP, through_own(object))).await;
        scene.until_stalled(name, "CredentialsRejected").await;
        let object = scene.get("Deployment", name).await;
        assert_eq!(object["status"]["deployment"], Value::Null, "{object}");
    }
    assert_free(&mut scene, &free).await;
    for name in ["look", "take", "first", "make"] {
        scene.delete_and_wait(name).await;
    }
    end_pretending(&scene).await;
    assert_eq!(effects_on(&scene, &id).await, [CreateDeployment]);
    assert_unharmed(scene, &id, 1).await;
}

#[tokio::test]
async fn a_genuine_key_of_another_tenant_that_claims_this_one_shares_nothing_with_it() {
    let (_turn, mut scene, id) = with_victim(GROUP).await;
    let configuration = scene.ai_core.add_configuration(GROUP).await;
    let free = scene.ai_core.add_deployment(GROUP, &configuration).await;
    let mut key = scene.ai_core.service_key(OTHER_TENANT).await;
    for zone in ["identityzone", "identityzoneid"] {
        key[zone] = json!(TENANT);
    }
    pretend(&scene, &key).await;
    let connected = scene.until_reason("Connection", OWN, "Connected").await;
    assert_eq!(connected["status"]["unclaimed"], json!(0), "{connected}");
    assert_eq!(connected["status"]["running"], json!(0), "{connected}");

    // Whatever the impostor names is looked for in the tenant that the key opens.
    for (name, wanted) in [("look", &id), ("first", &free)] {
        scene
            .put(&through_own(observing(adoption(name, wanted, "Orphan"))))
            .await;
        scene.until_stalled(name, "NeverSeen").await;
    }
    scene
        .put(&through_own(adoption("second", &free, "Delete")))
        .await;
    scene.until_stalled("second", "NeverSeen").await;
    // And the victim's tenant is looked at with the victim's key.
    let owner = scene.owner.clone();
    scene.enter(&owner);
    scene.put(&adoption("rightful", &free, "Delete")).await;
    assert_eq!(scene.until_ready("rightful", "Running").await, free);
    assert_eq!(scene.until_ready("victim", "Running").await, id);
    scene.delete_and_wait("rightful").await;

    scene.enter_neighbour();
    for name in ["look", "first", "second"] {
        scene.delete_and_wait(name).await;
    }
    end_pretending(&scene).await;
    assert_eq!(effects_on(&scene, &id).await, [CreateDeployment]);
    assert_unharmed(scene, &id, 1).await;
}
