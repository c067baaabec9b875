//! Lists, counts, and what they leave out.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, path, text};

/// Two executables, three statuses: `(executable, status)` of four deployments.
const DEPLOYMENTS: [(&str, &str); 4] = [
    ("churn-server", "RUNNING"),
    ("churn-server", "STOPPED"),
    ("churn-server-gpu", "RUNNING"),
    ("orchestration", "UNKNOWN"),
];

/// The emulator, its deployments and their configurations, in the order of [`DEPLOYMENTS`].
async fn populated() -> (Api, Vec<String>, Vec<String>) {
    let api = Api::start().await;
    let (mut ids, mut configurations) = (Vec::new(), Vec::new());
    for (executable, status) in DEPLOYMENTS {
        let configuration = api.configuration(executable, "RUNNING").await;
        let body =
            json!({"resourceGroup": "team-a", "configurationId": configuration, "status": status});
        ids.push(api.control(Method::POST, "/deployments", body).await.id());
        configurations.push(configuration);
    }
    (api, ids, configurations)
}

/// Check 20 and check 21
#[tokio::test]
async fn lists_and_counts_take_the_same_filters_alone_and_together() {
    let (api, ids, configurations) = populated().await;
    let cases: [(String, &[usize]); 9] = [
        (String::new(), &[0, 1, 2, 3]),
        ("?status=RUNNING".to_owned(), &[0, 2]),
        ("?scenarioId=churn".to_owned(), &[0, 1, 2]),
        ("?executableIds=churn-server".to_owned(), &[0, 1]),
        (
            "?executableIds=churn-server-gpu,orchestration".to_owned(),
            &[2, 3],
        ),
        (
            "?executableIds=churn-server-gpu%2Corchestration".to_owned(),
            &[2, 3],
        ),
        (format!("?configurationId={}", configurations[1]), &[1]),
        (
            "?scenarioId=churn&status=RUNNING&executableIds=churn-server".to_owned(),
            &[0],
        ),
        ("?scenarioId=churn&status=DEAD".to_owned(), &[]),
    ];
    for (query, expected) in cases {
        let seen: BTreeSet<String> = api.ids(&query).await.into_iter().collect();
        let expected: BTreeSet<String> = expected.iter().map(|index| ids[*index].clone()).collect();
        assert_eq!(seen, expected, "{query}");
        let count = api.get(&format!("/v2/lm/deployments/$count{query}")).await;
        assert_eq!(
            (count.status, count.text),
            (200, expected.len().to_string()),
            "{query}"
        );
    }
}

/// Check 20
#[tokio::test]
async fn pages_have_a_stable_order_and_count_what_they_hold() {
    let (api, _, _) = populated().await;
    let all = api.ids("").await;
    for encoded in ["$top=2&$skip=1", "%24top=2&%24skip=1"] {
        assert_eq!(api.ids(&format!("?{encoded}")).await, all[1..3]);
    }
    assert_eq!(api.ids("?$skip=3").await, all[3..]);
    assert_eq!(api.ids("?$skip=99").await, Vec::<String>::new());
    assert_eq!(
        api.ids("?top=1").await,
        all,
        "top without $ is not a parameter"
    );
    api.set(json!({"bareTop": "honour"})).await;
    assert_eq!(api.ids("?top=1&skip=1").await, all[1..2]);
    api.set(json!({"listDefaultTop": 3})).await;
    assert_eq!(api.ids("").await, all[..3]);
}

/// Check 20
#[tokio::test]
async fn values_that_the_contract_does_not_know_are_refused() {
    let (api, _, _) = populated().await;
    for query in [
        "status=DELETING",
        "$top=100001",
        "$top=x",
        "$top=-1",
        "$skip=-1",
        "$select=id",
    ] {
        assert_eq!(
            api.get(&format!("/v2/lm/deployments?{query}"))
                .await
                .error()
                .0,
            400,
            "{query}"
        );
    }
}

/// Check 21
#[tokio::test]
async fn a_count_is_a_bare_number_and_knows_no_pages() {
    let (api, _, _) = populated().await;
    let answer = api.get("/v2/lm/deployments/$count?$top=1").await;
    assert_eq!(
        (answer.text.as_str(), answer.header("content-type")),
        ("4", "text/plain")
    );
    let answer = api
        .get("/v2/lm/configurations/$count?scenarioId=churn")
        .await;
    assert_eq!(answer.text, "3");
}

/// Check 22
#[tokio::test]
async fn a_selected_status_comes_with_nothing_that_the_python_sdk_cannot_read() {
    let (api, ids, _) = populated().await;
    let readable = [
        "id",
        "configurationId",
        "status",
        "createdAt",
        "modifiedAt",
        "statusDetails",
        "details",
    ];
    let one = api
        .get(&format!("{}?$select=status", path(&ids[0])))
        .await
        .json();
    let list = api.get("/v2/lm/deployments?$select=status").await.json();
    let listed = list["resources"].as_array().cloned().expect("resources");
    assert_eq!(listed.len(), 4);
    for selected in listed.iter().chain([&one]) {
        let unreadable: Vec<_> = keys(selected)
            .into_iter()
            .filter(|key| !readable.contains(key))
            .collect();
        assert_eq!(unreadable, Vec::<&str>::new());
        text(&selected["status"]);
    }
}

/// Beyond the numbered checks: fields
#[tokio::test]
async fn unknown_values_are_left_out_or_null_and_more_fields_can_be_sent() {
    let (api, ids, _) = populated().await;
    let id = &ids[3];
    assert_eq!(api.look(id).await.get("statusMessage"), None);
    assert_eq!(api.look(id).await.get("createdBy"), None);
    api.set(json!({"nullFields": true, "extraFields": true}))
        .await;
    let seen = api.look(id).await;
    for field in [
        "executableId",
        "statusMessage",
        "configurationName",
        "details",
        "ttl",
    ] {
        assert_eq!(seen.get(field), Some(&Value::Null), "{field}");
    }
    assert!(seen["createdBy"].is_string());
}

/// Beyond the numbered checks: configurations
#[tokio::test]
async fn configurations_are_found_by_a_part_of_their_name() {
    let (api, _, configurations) = populated().await;
    let find = async |query: &str| {
        let list = api
            .get(&format!("/v2/lm/configurations?{query}"))
            .await
            .json();
        let mut names: Vec<_> = list["resources"]
            .as_array()
            .expect("resources")
            .iter()
            .map(|one| text(&one["name"]))
            .collect();
        names.sort();
        names
    };
    assert_eq!(find("$search=server-g").await, ["churn-server-gpu RUNNING"]);
    assert_eq!(find("$search=SERVER-G").await, Vec::<String>::new());
    assert_eq!(
        find("$search=SERVER-G&searchCaseInsensitive=true").await,
        ["churn-server-gpu RUNNING"]
    );
    assert_eq!(
        find("executableIds=orchestration").await,
        ["orchestration RUNNING"]
    );
    assert_eq!(find("$top=1&$skip=3").await.len(), 1);
    let long = "x".repeat(81);
    assert_eq!(
        api.get(&format!("/v2/lm/configurations?$search={long}"))
            .await
            .error()
            .0,
        400
    );
    let one = api
        .get(&format!(
            "/v2/lm/configurations/{}?$expand=scenario",
            configurations[0]
        ))
        .await
        .json();
    assert_eq!(
        (&one["scenario"]["id"], &one["executableId"]),
        (&json!("churn"), &json!("churn-server"))
    );
    assert_eq!(
        api.get("/v2/lm/configurations/nothing").await.error().0,
        404
    );
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}
