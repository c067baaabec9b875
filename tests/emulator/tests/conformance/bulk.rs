//! Many deployments in one PATCH.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, path, send, text};

const DEPLOYMENTS: &str = "/v2/lm/deployments";

async fn with_bulk() -> Api {
    Api::start_with(json!({"bulkUpdates": "present"})).await
}

/// Check 18
#[tokio::test]
async fn stops_and_deletions_can_be_mixed_and_each_item_has_its_own_answer() {
    let api = with_bulk().await;
    let running = api.deployment("RUNNING").await;
    let stopped = api.deployment("STOPPED").await;
    let busy = api.deployment("RUNNING").await;
    let items = [
        (running.as_str(), "STOPPED"),
        (&stopped, "DELETED"),
        (&busy, "DELETED"),
        ("missing", "STOPPED"),
    ];
    let answer = api.bulk(&items).await;
    assert_eq!(answer.status, 202);
    let answers = answer.json()["deployments"]
        .as_array()
        .cloned()
        .expect("items");
    let ids: Vec<String> = answers.iter().map(|item| text(&item["id"])).collect();
    assert_eq!(ids, items.map(|(id, _)| id.to_owned()));
    for accepted in &answers[..2] {
        assert_eq!(accepted["message"], "Deployment modification scheduled");
    }
    for refused in &answers[2..] {
        let fields =
            ["code", "message", "requestId", "target"].map(|field| &refused["error"][field]);
        assert!(fields.into_iter().all(Value::is_string), "{refused}");
    }
    assert_eq!(api.state(&running).await, "RUNNING/STOPPED");
    assert_eq!(api.state(&stopped).await, "STOPPED/DELETED");
    assert_eq!(api.state(&busy).await, "RUNNING/RUNNING");
}

/// Check 18, in the audit log
#[tokio::test]
async fn each_item_has_an_entry_and_they_share_a_request_id() {
    let api = with_bulk().await;
    let running = api.deployment("RUNNING").await;
    let busy = api.deployment("RUNNING").await;
    api.bulk(&[(&running, "STOPPED"), (&busy, "DELETED")]).await;
    let mut entries = api.audit().await;
    entries.retain(|entry| entry.bulk);
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| (entry.deployment_id.clone(), entry.accepted))
        .collect();
    assert_eq!(seen, [(Some(running), true), (Some(busy), false)]);
    assert_eq!(entries[0].request_id, entries[1].request_id);
    assert_eq!(
        entries[0]
            .after
            .as_ref()
            .map(|state| state.target_status.as_str()),
        Some("STOPPED")
    );
    assert_eq!(entries[1].before, entries[1].after);
}

/// Check 18
#[tokio::test]
async fn a_call_takes_one_to_a_hundred_different_deployments() {
    let api = with_bulk().await;
    let seed = json!({"resourceGroup": "team-a", "count": 101, "status": "RUNNING"});
    api.control(Method::POST, "/deployments/seed", seed).await;
    let ids = api.ids("").await;
    let items: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "STOPPED")).collect();
    assert_eq!(api.bulk(&items).await.error().0, 400);
    assert_eq!(api.bulk(&[]).await.error().0, 400);
    assert_eq!(
        api.bulk(&[(&ids[0], "STOPPED"), (&ids[0], "DELETED")])
            .await
            .error()
            .0,
        400
    );
    assert_eq!(
        api.state(&ids[0]).await,
        "RUNNING/RUNNING",
        "a refused call has no effect"
    );
    let refused = api
        .audit()
        .await
        .into_iter()
        .rfind(|entry| entry.bulk)
        .expect("an entry");
    assert_eq!((refused.deployment_id, refused.accepted), (None, false));
    let answer = api.bulk(&items[..100]).await;
    assert_eq!(answer.status, 202);
    assert_eq!(
        answer.json()["deployments"].as_array().map(Vec::len),
        Some(100)
    );
}

/// Check 18
#[tokio::test]
async fn a_bulk_call_is_a_merge_patch() {
    let api = with_bulk().await;
    let id = api.deployment("RUNNING").await;
    let body = json!({"deployments": [{"id": id, "targetStatus": "STOPPED"}]});
    assert_eq!(api.patch(DEPLOYMENTS, body.clone()).await.error().0, 400);
    api.set(json!({"bulkAcceptsApplicationJson": true})).await;
    assert_eq!(api.patch(DEPLOYMENTS, body).await.status, 202);
    let request = api.request(Method::PATCH, DEPLOYMENTS);
    let unreadable = request
        .header("content-type", "application/merge-patch+json")
        .body("{");
    assert_eq!(send(unreadable).await.error().0, 400);
}

/// Check 19
#[tokio::test]
async fn without_the_capability_a_bulk_call_is_refused_and_single_calls_work() {
    for (switch, reported) in [("absent", Some(false)), ("missing", None)] {
        let api = Api::start_with(json!({"bulkUpdates": switch})).await;
        let meta = api.get("/v2/lm/meta").await.json();
        let capability = meta["aiApi"]["capabilities"].get("bulkUpdates");
        assert_eq!(
            capability.and_then(|updates| updates["deployments"].as_bool()),
            reported
        );
        let id = api.deployment("RUNNING").await;
        assert_eq!(api.bulk(&[(&id, "STOPPED")]).await.error().0, 400);
        assert_eq!(api.state(&id).await, "RUNNING/RUNNING");
        assert_eq!(
            api.patch(&path(&id), json!({"targetStatus": "STOPPED"}))
                .await
                .status,
            202
        );
    }
    let meta = with_bulk().await.get("/v2/lm/meta").await.json();
    assert_eq!(
        meta["aiApi"]["capabilities"]["bulkUpdates"]["deployments"],
        true
    );
}
