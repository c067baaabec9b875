//! Logs of a deployment.

use jiff::{Timestamp, ToSpan};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, path, send, text};

/// So many virtual seconds in a real one that there are more lines than a call may ask for.
const MANY_LINES: f64 = 1e7;

async fn chatty() -> (Api, String) {
    let api = Api::start_with(json!({"ttlScale": MANY_LINES})).await;
    let id = api.deployment("RUNNING").await;
    // Each answer is later than the one before: when the newest line has the number 6000, there are that many.
    loop {
        let newest = lines(&api, &id, "$top=1&$order=desc").await;
        let number = text(&newest[0]["msg"])
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse::<u64>().ok());
        if number.is_some_and(|number| number > 6_000) {
            return (api, id);
        }
    }
}

async fn lines(api: &Api, id: &str, query: &str) -> Vec<Value> {
    let answer = api.get(&format!("{}/logs?{query}", path(id))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["data"]["result"]
        .as_array()
        .cloned()
        .expect("lines")
}

fn time(line: &Value) -> Timestamp {
    text(&line["timestamp"]).parse().expect("a time")
}

/// Check 23
#[tokio::test]
async fn a_call_shows_a_thousand_lines_by_default_and_five_thousand_at_most() {
    let (api, id) = chatty().await;
    assert_eq!(lines(&api, &id, "").await.len(), 1_000);
    assert_eq!(lines(&api, &id, "$top=5000").await.len(), 5_000);
    for query in ["$top=5001", "$top=0", "$order=up", "start=yesterday"] {
        let answer = api.get(&format!("{}/logs?{query}", path(&id))).await;
        assert_eq!(answer.error().0, 400, "{query}");
    }
}

/// Check 23
#[tokio::test]
async fn lines_come_in_the_order_that_is_asked_for() {
    let (api, id) = chatty().await;
    let ascending = lines(&api, &id, "$top=50").await;
    assert!(ascending.is_sorted_by_key(time));
    let descending = lines(&api, &id, "$top=50&$order=desc").await;
    assert!(descending.iter().rev().is_sorted_by_key(time));
    assert!(time(&descending[0]) > time(&ascending[49]));
}

/// Check 23
#[tokio::test]
async fn a_line_names_its_time_to_the_nanosecond_and_where_it_comes_from() {
    let (api, id) = chatty().await;
    let line = lines(&api, &id, "$top=1").await.remove(0);
    let timestamp = text(&line["timestamp"]);
    assert!(
        timestamp.ends_with("+00:00")
            && timestamp.len() == "2026-01-01T00:00:00.000000000+00:00".len()
    );
    for field in ["msg", "pod", "container", "stream"] {
        assert_ne!(text(&line[field]), "");
    }
}

/// Check 23
#[tokio::test]
async fn a_window_of_time_can_be_given_with_z_and_with_an_offset() {
    let (api, id) = chatty().await;
    let now = Timestamp::now();
    assert!(
        !lines(&api, &id, "").await.is_empty(),
        "the last hour is shown by default"
    );
    let past = format!("end={}", now - 2.hours());
    assert_eq!(lines(&api, &id, &past).await, Vec::<Value>::new());
    let middle = time(&lines(&api, &id, "$top=100").await[50]);
    let zulu = middle.to_string();
    let offset = zulu.replace('Z', "%2B00:00");
    for start in [zulu, offset] {
        let after = lines(&api, &id, &format!("start={start}&$top=10")).await;
        assert!(after.len() == 10 && after.iter().all(|line| time(line) >= middle));
        let before = lines(&api, &id, &format!("end={start}")).await;
        assert!(!before.is_empty() && before.iter().all(|line| time(line) <= middle));
    }
}

/// Check 23
#[tokio::test]
async fn logs_need_a_deployment_and_by_a_switch_a_group() {
    let api = Api::start().await;
    assert_eq!(
        api.get(&format!("{}/logs", path("missing")))
            .await
            .error()
            .0,
        404
    );
    let id = api.deployment("RUNNING").await;
    let without_group = || {
        let request = api
            .http
            .request(Method::GET, api.url(&format!("{}/logs", path(&id))));
        send(request.bearer_auth(&api.token))
    };
    assert_eq!(without_group().await.error().0, 400);
    api.set(json!({"logsNeedGroup": false})).await;
    assert_eq!(without_group().await.status, 200);
}
