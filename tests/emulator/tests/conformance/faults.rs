//! What goes wrong on the way.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, FOR_EVER, path, send, try_send};

fn on(operation: &str, effect: Value) -> Value {
    json!({"name": "test", "match": {"operations": [operation]}, "times": 1, "effect": effect})
}

/// Check 25
#[tokio::test]
async fn any_status_can_be_answered_instead_of_the_effect() {
    let api = Api::start().await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    for status in [403, 429, 500, 502, 503, 504] {
        let respond = json!({"respond": {"status": status, "body": "no", "retryAfter": "2"}});
        api.fault(on("createDeployment", respond)).await;
        let body = json!({"configurationId": configuration});
        let answer = api.post("/v2/lm/deployments", body).await;
        assert_eq!((answer.status, answer.text.as_str()), (status, "no"));
        assert_eq!(
            (answer.header("retry-after"), answer.header("content-type")),
            ("2", "text/plain")
        );
    }
    assert_eq!(
        api.ids("").await,
        Vec::<String>::new(),
        "nothing was created"
    );
    let refused = api
        .audit()
        .await
        .into_iter()
        .rfind(|entry| entry.fault.is_some())
        .expect("an entry");
    assert_eq!((refused.http_status, refused.accepted), (Some(504), false));
}

/// Check 25
#[tokio::test]
async fn an_answer_can_be_lost_after_the_effect() {
    let api = Api::start().await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    let post = || {
        api.request(Method::POST, "/v2/lm/deployments")
            .json(&json!({"configurationId": configuration}))
    };
    api.fault(on("createDeployment", json!("dropAfter"))).await;
    try_send(post())
        .await
        .expect_err("the connection is closed");
    let ids = api.ids("").await;
    assert_eq!(ids.len(), 1, "the deployment was created");
    let entry = api.audit_of(&ids[0]).await.remove(0);
    assert_eq!(
        (entry.http_status, entry.accepted, entry.fault.as_deref()),
        (None, true, Some("test"))
    );
    api.fault(on(
        "createDeployment",
        json!({"respondAfter": {"status": 504}}),
    ))
    .await;
    assert_eq!(send(post()).await.status, 504);
    assert_eq!(api.ids("").await.len(), 2);
    api.fault(on("createDeployment", json!("dropBefore"))).await;
    try_send(post())
        .await
        .expect_err("the connection is closed");
    assert_eq!(api.ids("").await.len(), 2, "this one was never created");
}

/// Check 25
#[tokio::test]
async fn an_answer_can_be_late_before_and_after_the_effect() {
    let api = Api::start().await;
    let id = api.deployment("RUNNING").await;
    let stop = api
        .request(Method::PATCH, &path(&id))
        .json(&json!({"targetStatus": "STOPPED"}));
    api.fault(on("stopDeployment", json!({"answerLatencyMs": FOR_EVER})))
        .await;
    let impatient = stop.timeout(Duration::from_millis(300));
    assert!(
        try_send(impatient)
            .await
            .expect_err("too late")
            .is_timeout()
    );
    api.until(&id, "RUNNING/STOPPED").await;
    api.fault(on("getDeployment", json!({"latencyMs": 50})))
        .await;
    let asked = Instant::now();
    api.look(&id).await;
    assert!(asked.elapsed() >= Duration::from_millis(50));
}

/// Check 25
#[tokio::test]
async fn a_call_that_its_caller_gave_up_still_has_its_effect() {
    let api = Api::start().await;
    let id = api.deployment("RUNNING").await;
    let stop = api
        .request(Method::PATCH, &path(&id))
        .json(&json!({"targetStatus": "STOPPED"}));
    api.fault(on("stopDeployment", json!({"latencyMs": 1_000})))
        .await;
    let impatient = stop.timeout(Duration::from_millis(100));
    assert!(
        try_send(impatient)
            .await
            .expect_err("too late")
            .is_timeout()
    );
    api.until(&id, "RUNNING/STOPPED").await;
}

/// Check 25
#[tokio::test]
async fn a_body_can_break_off() {
    let api = Api::start().await;
    api.deployment("RUNNING").await;
    api.fault(on("listDeployments", json!({"truncateBody": 0.5})))
        .await;
    let response = api
        .request(Method::GET, "/v2/lm/deployments")
        .send()
        .await
        .expect("headers");
    assert_eq!(response.status(), 200);
    response.text().await.expect_err("half a body");
    assert_eq!(api.ids("").await.len(), 1);
}

/// Check 25
#[tokio::test]
async fn everything_can_be_down_and_come_back() {
    let api = Api::start().await;
    api.fault(json!({"name": "outage", "effect": "down"})).await;
    for request in [
        api.request(Method::GET, "/v2/lm/meta"),
        api.http.post(api.url("/oauth/token")),
    ] {
        try_send(request)
            .await
            .expect_err("the connection is closed");
    }
    api.control(Method::DELETE, "/faults", Value::Null).await;
    assert_eq!(api.get("/v2/lm/meta").await.status, 200);
}

/// Check 25
#[tokio::test]
async fn lists_can_lag_behind() {
    let api = Api::start_with(json!({"unknownMs": 0})).await;
    let id = api.deployment("RUNNING").await;
    let fault = json!({"name": "lag", "effect": {"staleList": {"ageMs": 600_000}}});
    api.fault(fault).await;
    assert_eq!(api.ids("").await, Vec::<String>::new());
    assert_eq!(api.get("/v2/lm/deployments/$count").await.text, "0");
    assert_eq!(api.get(&path(&id)).await.status, 404);
    let stop = api
        .patch(&path(&id), json!({"targetStatus": "STOPPED"}))
        .await;
    assert_eq!(stop.status, 202, "only readers lag behind");
    api.control(Method::DELETE, "/faults/f1", Value::Null).await;
    assert_eq!(api.state(&id).await, "RUNNING/STOPPED");
}

/// Check 25
#[tokio::test]
async fn some_items_of_a_bulk_call_can_fail() {
    let api = Api::start_with(json!({"bulkUpdates": "present"})).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(api.deployment("RUNNING").await);
    }
    api.fault(on(
        "stopDeployment",
        json!({"partialBulk": {"everyNth": 2, "code": "500"}}),
    ))
    .await;
    let items: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "STOPPED")).collect();
    let answer = api.bulk(&items).await.json();
    for (index, id) in ids.iter().enumerate() {
        let fails = index % 2 == 1;
        assert_eq!(
            answer["deployments"][index]["error"]["code"] == "500",
            fails
        );
        let state = if fails {
            "RUNNING/RUNNING"
        } else {
            "RUNNING/STOPPED"
        };
        assert_eq!(api.state(id).await, state);
    }
}

/// Check 25
#[tokio::test]
async fn errors_of_the_api_can_have_another_shape_but_those_of_the_gateway_stay_plain() {
    let mut api = Api::start().await;
    let cases = [
        ("plainText", "text/plain", "Deployment ID missing not found"),
        ("html", "text/html", "<h1>404 Not Found</h1>"),
        ("empty", "", ""),
    ];
    for (shape, content_type, part) in cases {
        api.set(json!({"errorShape": shape})).await;
        let answer = api.get(&path("missing")).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, content_type)
        );
        assert!(answer.text.contains(part), "{}", answer.text);
    }
    api.token = "a.b.c".to_owned();
    assert_eq!(
        api.get(&path("missing")).await.header("content-type"),
        "text/plain"
    );
}

/// Check 25
#[tokio::test]
async fn a_fault_hits_the_calls_that_it_names_and_as_often_as_it_says() {
    let api = Api::start().await;
    let hit = api.deployment("RUNNING").await;
    let spared = api.deployment("RUNNING").await;
    let fault = json!({
        "match": {"operations": ["getDeployment"], "resourceGroup": "team-a", "deploymentId": hit},
        "skip": 1,
        "times": 2,
        "effect": {"respond": {"status": 500}},
    });
    api.fault(fault).await;
    let mut statuses = Vec::new();
    for id in [&hit, &spared, &hit, &hit, &hit] {
        statuses.push(api.get(&path(id)).await.status);
    }
    assert_eq!(statuses, [200, 200, 500, 500, 200]);
    let never = json!({"probability": 0.0, "effect": "down"});
    api.fault(never).await;
    assert_eq!(api.get(&path(&hit)).await.status, 200);
    for impossible in [
        json!({"effect": "melt"}),
        json!({"probability": 2.0, "effect": "down"}),
    ] {
        assert!(
            api.control(Method::POST, "/faults", impossible)
                .await
                .status
                >= 400
        );
    }
}
