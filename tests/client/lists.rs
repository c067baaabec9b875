//! A list of deployments holds everything, however the server pages, cuts or counts, and costs one call where nothing speaks against it.

use aicore_emulator::Operation;
use aicore_operator::aicore::{DeploymentList, Error};
use reqwest::Method;
use serde_json::{Value, json};

use crate::remote::{GROUP, Remote};
use crate::scripted::{Scripted, answer, list};

fn deployments(ids: std::ops::Range<usize>) -> impl Iterator<Item = Value> {
    ids.map(|id| json!({"id": format!("d{id}"), "configurationId": "c1", "status": "RUNNING"}))
}

/// A page whose `count` is its own length, as the contract has it.
fn page(ids: std::ops::Range<usize>) -> String {
    list(json!(ids.len()), deployments(ids))
}

fn bad_request() -> String {
    answer("400 Bad Request", "", "not this parameter")
}

fn count(body: &str) -> String {
    answer("200 OK", "content-type: text/plain\r\n", body)
}

/// Lists once against a server with these answers, and gives the first lines of the requests after that for a token.
async fn list_against(answers: Vec<String>) -> (Result<DeploymentList, Error>, Vec<String>) {
    let server = Scripted::start(answers).await;
    let outcome = server.client().list_deployments(GROUP).await;
    let requests = server.requests().await.into_iter().skip(1);
    let first_line = |request: String| request.lines().next().unwrap_or_default().to_owned();
    (outcome, requests.map(first_line).collect())
}

async fn length_against(answers: Vec<String>) -> usize {
    list_against(answers).await.0.unwrap().deployments.len()
}

async fn assert_incomplete(answers: Vec<String>) {
    let error = list_against(answers).await.0.unwrap_err();
    assert!(matches!(&error, Error::Incomplete { .. }), "{error}");
}

#[tokio::test]
async fn thousands_of_deployments_are_one_list() {
    let remote = Remote::start().await;
    let seed = json!({"resourceGroup": GROUP, "count": 9_999, "status": "RUNNING"});
    remote
        .control(Method::POST, "deployments/seed", &seed)
        .await;
    let client = remote.client().await;
    let found = client.list_deployments(GROUP).await.unwrap();
    assert_eq!(found.deployments.len(), 9_999);
    assert_eq!(remote.count(Operation::ListDeployments).await, 1);
}

#[tokio::test]
async fn a_list_of_round_length_is_confirmed_once_and_again_when_it_changes() {
    let remote = Remote::start().await;
    let seed = json!({"resourceGroup": GROUP, "count": 50, "status": "RUNNING"});
    remote
        .control(Method::POST, "deployments/seed", &seed)
        .await;
    let configuration = remote.configuration().await;
    let client = remote.client().await;
    let mut calls = Vec::new();
    for _ in 0..3 {
        let found = client.list_deployments(GROUP).await.unwrap();
        assert_eq!(found.deployments.len(), 50);
        calls.push(remote.count(Operation::ListDeployments).await);
    }
    assert_eq!(calls, [2, 3, 4]);
    // What the client itself creates could be hidden behind the same list.
    let id = client
        .create_deployment(GROUP, &configuration, None)
        .await
        .unwrap();
    remote
        .control(Method::DELETE, &format!("deployments/{id}"), &Value::Null)
        .await;
    client.list_deployments(GROUP).await.unwrap();
    assert_eq!(remote.count(Operation::ListDeployments).await, 6);
}

#[tokio::test]
async fn a_list_that_was_cut_in_silence_is_read_on() {
    let (found, requests) = list_against(vec![page(0..50), page(50..100), page(100..101)]).await;
    assert_eq!(found.unwrap().deployments.len(), 101);
    for (request, skip) in requests.iter().zip(["", "&%24skip=50 ", "&%24skip=100 "]) {
        assert!(
            request.contains("?%24top=100000") && request.contains(skip),
            "{request}"
        );
    }
    assert_eq!(
        length_against(vec![page(0..50), page(50..100), page(0..0)]).await,
        100
    );
    assert_eq!(length_against(vec![page(0..50), page(0..0)]).await, 50);
}

#[tokio::test]
async fn a_server_that_was_seen_to_cut_is_asked_for_more_every_time() {
    let server = Scripted::start(vec![
        page(0..50),
        page(0..0),
        page(1..51),
        page(51..52),
        page(0..50),
        page(50..51),
    ])
    .await;
    let client = server.client();
    let mut lengths = Vec::new();
    for _ in 0..3 {
        lengths.push(
            client
                .list_deployments(GROUP)
                .await
                .unwrap()
                .deployments
                .len(),
        );
    }
    assert_eq!(lengths, [50, 51, 51]);
}

#[tokio::test]
async fn a_server_that_counts_everything_is_read_until_it_has_given_everything() {
    let of = |count: usize, ids| list(json!(count), deployments(ids));
    assert_eq!(
        length_against(vec![of(5, 0..2), of(5, 2..4), of(5, 4..5)]).await,
        5
    );
    assert_incomplete(vec![of(5, 0..2), of(5, 0..0)]).await;
    assert_incomplete(vec![of(1, 0..0)]).await;
}

#[tokio::test]
async fn where_skip_is_ignored_or_refused_the_count_decides() {
    for second in [page(0..50), page(49..99), bad_request()] {
        let first = || page(0..50);
        let read = if second == page(49..99) { "99" } else { "50" };
        let (found, requests) = list_against(vec![first(), second.clone(), count(read)]).await;
        assert_eq!(found.unwrap().deployments.len().to_string(), read);
        assert!(
            requests[2].starts_with("GET /v2/lm/deployments/$count HTTP"),
            "{}",
            requests[2]
        );
        for counted in [
            count("120"),
            count("<html></html>"),
            answer("404 Not Found", "", ""),
        ] {
            assert_incomplete(vec![first(), second.clone(), counted]).await;
        }
    }
}

#[tokio::test]
async fn an_entry_that_comes_twice_may_have_taken_the_place_of_another() {
    let twice = || list(json!(3), deployments(0..2).chain(deployments(1..2)));
    assert_eq!(length_against(vec![twice(), count("2")]).await, 2);
    assert_incomplete(vec![twice(), count("3")]).await;
    assert_incomplete(vec![twice(), bad_request()]).await;
}

#[tokio::test]
async fn a_server_that_refuses_top_is_asked_without_it_from_then_on() {
    let server = Scripted::start(vec![bad_request(), page(0..1), page(0..2)]).await;
    let client = server.client();
    for length in [1, 2] {
        let found = client.list_deployments(GROUP).await.unwrap();
        assert_eq!(found.deployments.len(), length);
    }
    let requests = server.requests().await;
    assert!(requests[1].contains("top=100000"), "{}", requests[1]);
    for request in &requests[2..] {
        assert!(
            request.starts_with("GET /v2/lm/deployments HTTP"),
            "{request}"
        );
    }
    let server = Scripted::start(vec![bad_request(), bad_request()]).await;
    let error = server.client().list_deployments(GROUP).await.unwrap_err();
    assert!(matches!(&error, Error::Rejected(_)), "{error}");
}

#[tokio::test]
async fn one_odd_entry_does_not_block_a_group() {
    let odd = json!({"id": "d2", "status": null, "details": "odd"});
    let found = list_against(vec![list(json!(2), deployments(0..1).chain([odd]))])
        .await
        .0;
    assert_eq!(found.unwrap().deployments[1].status.as_str(), "");
}
