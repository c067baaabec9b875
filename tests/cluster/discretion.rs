//! What is wrong with the key of a Connection is a matter of whoever owns it. A namespace that may use the Connection is told that it does not work.

use harness::emulated::TENANT;
use harness::manifests::deployment;
use harness::scene::{GROUP, connection, secret};
use serde_json::{Value, json};

use crate::neighbours::{Neighbours, access};

/// A port at which nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

/// The owner makes a Connection for all that has this key, and it says why it does not work.
async fn offer(scene: &mut Neighbours, name: &str, key: Option<Value>, reason: &str) {
    let owner = scene.owner.clone();
    scene.enter(&owner);
    let its_secret = format!("{name}-key");
    if let Some(key) = key {
        let key = json!({"key": key.to_string()});
        scene.put(&secret(&its_secret, &key)).await;
    }
    let mut offered = connection(name, &its_secret);
    offered["spec"]["access"] = access(&[GROUP]);
    scene.put(&offered).await;
    scene.until_reason("Connection", name, reason).await;
    scene.enter_neighbour();
}

/// The neighbour's object through a Connection of the owner, which has the Connection's name.
async fn use_it(scene: &Neighbours, name: &str) {
    let mut object = deployment(name);
    object["spec"]["connectionRef"] = json!({"name": name, "namespace": scene.owner});
    scene.put(&object).await;
}

#[tokio::test]
async fn whoever_may_use_a_connection_is_not_told_what_is_wrong_with_its_key() {
    let (_turn, mut scene) = Neighbours::with(access(&[GROUP])).await;
    let key = scene.ai_core.service_key(TENANT).await;
    let with = |field: &str, value: &str| {
        let mut key = key.clone();
        key[field] = json!(value);
        Some(key)
    };
    let made_up = with("clientsecret", "made-up");
    offer(&mut scene, "keyless", None, "SecretMissing").await;
    offer(&mut scene, "garbled", with("url", ""), "InvalidSecret").await;
    offer(&mut scene, "refused", made_up, "CredentialsRejected").await;
    offer(&mut scene, "cut-off", with("url", NOBODY), "Unreachable").await;

    let mut told = Vec::new();
    for name in ["keyless", "garbled", "refused"] {
        use_it(&scene, name).await;
        let message = scene.until_stalled(name, "ConnectionNotReady").await;
        told.push(message.replace(name, "NAME"));
    }
    assert!(told.iter().all(|message| *message == told[0]), "{told:#?}");
    use_it(&scene, "cut-off").await;
    scene
        .until_reason("Deployment", "cut-off", "ConnectionNotReady")
        .await;

    // Neither is it in anything else that the neighbour may read.
    let mut readable = format!("{:?}", scene.events().await);
    for name in ["keyless", "garbled", "refused", "cut-off"] {
        let object = scene.get("Deployment", name).await;
        assert_eq!(object["status"]["deployment"], Value::Null, "{object:#}");
        readable += &object["status"].to_string();
    }
    for matter in [
        "-key",
        "127.0.0.1:9",
        "token",
        "made-up",
        "SecretMissing",
        "InvalidSecret",
        "CredentialsRejected",
        "Unreachable",
    ] {
        assert!(!readable.contains(matter), "{matter}: {readable}");
    }
    // It may have made something by then, for all that anybody knows who cannot look.
    offer(&mut scene, "cut-off", Some(key), "Connected").await;
    scene.until_ready("cut-off", "Running").await;
    for name in ["keyless", "garbled", "refused", "cut-off"] {
        scene.delete_and_wait(name).await;
    }
    scene.finish(1).await;
}
