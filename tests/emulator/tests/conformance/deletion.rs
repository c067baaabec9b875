//! DELETE, from the first refusal to the last 404.

use serde_json::json;

use crate::api::{Api, path, text};

/// Check 12
#[tokio::test]
async fn pending_running_and_stopping_deployments_cannot_be_deleted() {
    let api = Api::start().await;
    for status in ["PENDING", "RUNNING", "STOPPING"] {
        let id = api.deployment(status).await;
        let before = api.look(&id).await;
        assert_eq!(
            api.delete(&path(&id)).await.error(),
            (412, "01010076".to_owned())
        );
        assert_eq!(api.look(&id).await, before);
    }
    let id = api.deployment("RUNNING").await;
    for status in [400, 409] {
        api.set(json!({"illegalDeleteStatus": status})).await;
        assert_eq!(api.delete(&path(&id)).await.error().0, status);
    }
}

/// Check 13
#[tokio::test]
async fn unknown_stopped_and_dead_deployments_are_deleted_in_the_end() {
    for status in ["UNKNOWN", "STOPPED", "DEAD"] {
        let api = Api::start().await;
        let id = api.deployment(status).await;
        let answer = api.delete(&path(&id)).await;
        let expected =
            json!({"id": id, "message": "Deletion scheduled", "targetStatus": "DELETED"});
        assert_eq!((answer.status, answer.json()), (202, expected));
        let deleting = api.look(&id).await;
        assert_eq!(text(&deleting["status"]), status);
        assert_eq!(text(&deleting["targetStatus"]), "DELETED");
        assert_eq!(text(&deleting["lastOperation"]), "DELETE");
        assert_eq!(api.ids("").await, std::slice::from_ref(&id));
        api.set(json!({"deletingMs": 0})).await;
        assert_eq!(api.get(&path(&id)).await.error().0, 404);
        assert_eq!(api.ids("").await, Vec::<String>::new());
        assert_eq!(api.get("/v2/lm/deployments/$count").await.text, "0");
    }
}

/// Check 13, with the status that the public enumeration lacks
#[tokio::test]
async fn a_deletion_can_show_as_a_status_of_its_own() {
    let api = Api::start_with(json!({"emitDeleting": true})).await;
    let id = api.deployment("STOPPED").await;
    assert_eq!(api.state(&id).await, "STOPPED/STOPPED");
    api.delete(&path(&id)).await;
    assert_eq!(api.state(&id).await, "DELETING/DELETED");
}

/// Check 14
#[tokio::test]
async fn a_repeated_deletion_does_no_harm() {
    let api = Api::start().await;
    let id = api.deployment("STOPPED").await;
    for _ in 0..2 {
        assert_eq!(api.delete(&path(&id)).await.status, 202);
    }
    api.set(json!({"deletingMs": 0})).await;
    assert_eq!(api.delete(&path(&id)).await.error().0, 404);
    let ends = api
        .audit_of(&id)
        .await
        .into_iter()
        .filter(|entry| entry.after.is_none() && entry.before.is_some());
    assert_eq!(ends.count(), 1, "it is gone once");
}
