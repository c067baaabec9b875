//! The answers that the contract leaves open. (Those of lists, groups, bulk calls and stops stand with what they are about.)

use serde_json::{Value, json};

use crate::api::{Api, path, send, text};

/// Check 26
#[tokio::test]
async fn what_is_gone_can_be_answered_with_410() {
    let api = Api::start_with(json!({"goneStatus": 410})).await;
    assert_eq!(api.get(&path("d000000000000000")).await.error().0, 410);
    let id = api.deployment("STOPPED").await;
    api.delete(&path(&id)).await;
    assert_eq!(api.get(&path(&id)).await.status, 200);
    api.set(json!({"deletingMs": 0})).await;
    assert_eq!(api.get(&path(&id)).await.error().0, 410);
    assert_eq!(api.delete(&path(&id)).await.error().0, 410);
}

/// Check 26
#[tokio::test]
async fn the_request_id_has_several_spellings_or_none() {
    let api = Api::start().await;
    for (spelling, names) in [
        ("requestId", vec!["code", "message", "requestId", "target"]),
        ("requestID", vec!["code", "message", "requestID", "target"]),
        (
            "request_id",
            vec!["code", "message", "request_id", "target"],
        ),
        ("absent", vec!["code", "message", "target"]),
    ] {
        api.set(json!({"requestIdSpelling": spelling, "bulkUpdates": "present"}))
            .await;
        let single = api.get(&path("no-such-id")).await.json()["error"].clone();
        let bulk = api.bulk(&[("no-such-id", "STOPPED")]).await.json();
        for error in [single, bulk["deployments"][0]["error"].clone()] {
            let fields = error.as_object().expect("an object").keys();
            assert_eq!(fields.collect::<Vec<_>>(), names);
        }
    }
}

/// Check 26
#[tokio::test]
async fn a_call_without_a_group_can_mean_the_group_default() {
    let api = Api::start_with(json!({"missingGroup": "default"})).await;
    let list = api.http.get(api.url("/v2/lm/deployments"));
    let answer = send(list.bearer_auth(&api.token)).await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"count": 0, "resources": []}))
    );
}

/// Check 26
#[tokio::test]
async fn a_filter_for_an_unknown_status_can_be_ignored_or_find_nothing() {
    let api = Api::start_with(json!({"unknownStatusFilter": "ignore"})).await;
    let id = api.deployment("RUNNING").await;
    let filter = "?status=NO_SUCH_STATUS";
    assert_eq!(api.ids(filter).await, [id]);
    api.set(json!({"unknownStatusFilter": "empty"})).await;
    assert_eq!(api.ids(filter).await, Vec::<String>::new());
    assert_eq!(api.ids("?status=RUNNING").await.len(), 1);
}

/// Check 26
#[tokio::test]
async fn count_can_be_the_total() {
    let api = Api::start_with(json!({"listCount": "total"})).await;
    api.deployment("RUNNING").await;
    api.deployment("STOPPED").await;
    let list = api.get("/v2/lm/deployments?$skip=1").await.json();
    assert_eq!(
        (&list["count"], list["resources"].as_array().map(Vec::len)),
        (&json!(2), Some(1))
    );
    let list = api
        .get("/v2/lm/deployments?status=STOPPED&$skip=1")
        .await
        .json();
    assert_eq!(list, json!({"count": 1, "resources": []}));
}

/// Check 26
#[tokio::test]
async fn a_creation_can_be_answered_without_location_and_its_ttl_shown_otherwise() {
    let api = Api::start_with(json!({"locationHeader": false})).await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    let body = json!({"configurationId": configuration, "ttl": "2h"});
    let answer = api.post("/v2/lm/deployments", body).await;
    assert_eq!(answer.header("location"), "");
    let id = answer.id();
    for (form, ttl) in [
        ("asSent", json!("2h")),
        ("minutes", json!("120M")),
        ("absent", Value::Null),
    ] {
        api.set(json!({"ttlInAnswers": form})).await;
        assert_eq!(api.look(&id).await["ttl"], ttl);
    }
}

/// Check 26
#[tokio::test]
async fn a_stop_can_show_at_once_and_leave_the_last_operation_alone() {
    let api =
        Api::start_with(json!({"stoppingAtOnce": true, "operationAfterStop": "unchanged"})).await;
    let id = api.deployment("RUNNING").await;
    api.patch(&path(&id), json!({"targetStatus": "STOPPED"}))
        .await;
    let seen = api.look(&id).await;
    assert_eq!(
        (text(&seen["status"]), text(&seen["lastOperation"])),
        ("STOPPING".to_owned(), "CREATE".to_owned())
    );
}

/// Check 26
#[tokio::test]
async fn a_stop_can_be_taken_while_unknown_and_a_deletion_at_any_time_but_only_once() {
    let settings = json!({"stopUnknown": true, "deleteActive": true, "deleteAgain": false, "targetInDeleteAnswer": false});
    let api = Api::start_with(settings).await;
    let id = api.deployment("UNKNOWN").await;
    assert_eq!(
        api.patch(&path(&id), json!({"targetStatus": "STOPPED"}))
            .await
            .status,
        202
    );
    assert_eq!(api.state(&id).await, "UNKNOWN/STOPPED");
    for status in ["PENDING", "RUNNING", "STOPPING"] {
        let id = api.deployment(status).await;
        let answer = api.delete(&path(&id)).await;
        assert_eq!(
            (answer.status, answer.json()),
            (202, json!({"id": id, "message": "Deletion scheduled"}))
        );
        assert_eq!(api.delete(&path(&id)).await.error().0, 412);
        assert_eq!(api.state(&id).await, format!("{status}/DELETED"));
    }
}

/// Check 26
#[tokio::test]
async fn the_clock_can_be_wrong_or_missing() {
    let api = Api::start_with(json!({"clockAheadSeconds": -7_200})).await;
    let date = api.get("/v2/lm/meta").await.header("date").to_owned();
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    let date = parser.parse_timestamp(&date).expect("a date of HTTP");
    let behind = jiff::Timestamp::now().duration_since(date).as_secs();
    assert!((7_200..7_260).contains(&behind), "{behind}");
    api.set(json!({"dateHeader": false})).await;
    assert_eq!(api.get("/v2/lm/meta").await.header("date"), "");
}

/// Check 26
#[tokio::test]
async fn a_secret_in_the_form_can_be_refused() {
    let api = Api::start_with(json!({})).await;
    api.set(json!({"tokenForm": false})).await;
    assert_eq!(api.ask_for_token("client-1", "secret-1").await.status, 401);
    let basic = api
        .http
        .post(api.url("/oauth/token?grant_type=client_credentials"));
    assert_eq!(
        send(basic.basic_auth("client-1", Some("secret-1")))
            .await
            .status,
        200
    );
}
