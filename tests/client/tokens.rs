//! One token for many callers, renewed when it is refused, and never asked for more often than needed.

use std::time::Duration;

use aicore_emulator::{Effect, Operation, Response};
use aicore_operator::aicore::Error;
use aicore_operator::api::Reason;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::remote::{GROUP, Remote, response};
use crate::scripted::{Scripted, answer, list, token};

async fn revoke_tokens(remote: &Remote) {
    remote
        .control(Method::POST, "revoke-tokens", &json!({}))
        .await;
}

#[tokio::test]
async fn many_callers_cause_one_token_request() {
    let remote = Remote::start().await;
    // Long enough for all callers to come while the request is under way.
    remote
        .fault(Operation::Token, Effect::AnswerLatencyMs(200))
        .await;
    let client = remote.client().await;
    let results = join_all((0..50).map(|_| client.list_deployments(GROUP))).await;
    assert!(results.iter().all(Result::is_ok));
    client.clone().check_token().await.unwrap();
    assert_eq!(remote.count(Operation::Token).await, 1);
    assert_eq!(remote.count(Operation::ListDeployments).await, 50);
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_take_the_token_from_the_others() {
    let remote = Remote::start().await;
    remote
        .fault(Operation::Token, Effect::AnswerLatencyMs(200))
        .await;
    let client = remote.client().await;
    let impatient = tokio::time::timeout(Duration::from_millis(20), client.check_token()).await;
    assert!(impatient.is_err());
    client.check_token().await.unwrap();
    assert_eq!(remote.count(Operation::Token).await, 1);
}

#[tokio::test]
async fn a_revoked_token_is_replaced_within_the_call_also_for_a_create() {
    let remote = Remote::start().await;
    let configuration = remote.configuration().await;
    let client = remote.client().await;
    client.check_token().await.unwrap();
    revoke_tokens(&remote).await;
    client
        .create_deployment(GROUP, &configuration, None)
        .await
        .unwrap();
    assert_eq!(remote.count(Operation::Token).await, 2);
    assert_eq!(
        client
            .list_deployments(GROUP)
            .await
            .unwrap()
            .deployments
            .len(),
        1
    );
}

#[tokio::test]
async fn many_callers_with_a_revoked_token_cause_one_new_request() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    client.check_token().await.unwrap();
    revoke_tokens(&remote).await;
    // All of them have their 401 before the new token is there.
    remote
        .fault(Operation::Token, Effect::AnswerLatencyMs(300))
        .await;
    let results = join_all((0..20).map(|_| client.list_deployments(GROUP))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(remote.count(Operation::Token).await, 2);
}

#[tokio::test]
async fn a_token_that_is_always_refused_is_tried_once_more_and_no_further() {
    let remote = Remote::start().await;
    remote
        .respond(
            Operation::ListDeployments,
            401,
            "Jwt issuer is not configured",
        )
        .await;
    let error = remote
        .client()
        .await
        .list_deployments(GROUP)
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Unauthorized(_)), "{error}");
    assert_eq!(error.reason(), Reason::Unauthorized);
    assert!(
        error.to_string().contains("Jwt issuer is not configured"),
        "{error}"
    );
    assert_eq!(remote.count(Operation::ListDeployments).await, 2);
    assert_eq!(remote.count(Operation::Token).await, 2);
}

#[tokio::test]
async fn a_denial_is_not_answered_with_a_new_token() {
    let remote = Remote::start().await;
    remote
        .respond(Operation::ListDeployments, 403, "RBAC: access denied")
        .await;
    let error = remote
        .client()
        .await
        .list_deployments(GROUP)
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Forbidden(_)), "{error}");
    assert_eq!(remote.count(Operation::ListDeployments).await, 1);
    assert_eq!(remote.count(Operation::Token).await, 1);
}

#[tokio::test]
async fn wrong_credentials_are_named_and_asked_about_once_in_each_way() {
    let remote = Remote::start().await;
    let client = remote
        .client_with(|key| key["clientsecret"] = json!("a-wrong-secret"))
        .await;
    let results = join_all((0..50).map(|_| client.list_deployments(GROUP))).await;
    for result in results {
        let error = result.unwrap_err();
        assert!(matches!(&error, Error::TokenRejected(_)), "{error}");
        assert_eq!(
            (
                error.reason(),
                error.needs_a_person(),
                error.outcome_unknown()
            ),
            (Reason::CredentialsRejected, true, false)
        );
        let texts = format!("{error} {error:?}");
        assert!(
            texts.contains("Bad credentials") && !texts.contains("a-wrong-secret"),
            "{texts}"
        );
    }
    // Once in the form, and once as Basic authentication.
    assert_eq!(remote.count(Operation::Token).await, 2);
    assert_eq!(remote.count(Operation::ListDeployments).await, 0);
}

#[tokio::test]
async fn a_token_endpoint_that_takes_only_basic_authentication_is_asked_so_from_then_on() {
    let refused = || answer("401 Unauthorized", "", r#"{"error":"invalid_client"}"#);
    let server = Scripted::without_token(vec![
        refused(),
        token(),
        answer("401 Unauthorized", "", "Jwt is expired"),
        token(),
        list(json!(0), []),
    ])
    .await;
    server.client().list_deployments(GROUP).await.unwrap();
    let requests = server.requests().await;
    let is_basic = |request: &String| {
        request
            .to_ascii_lowercase()
            .contains("authorization: basic yzpzzwnyzxqtmq==")
    };
    assert_eq!(
        requests.iter().map(is_basic).collect::<Vec<_>>(),
        [false, true, false, true, false]
    );
}

#[tokio::test]
async fn credentials_are_refused_only_when_both_ways_are_and_the_first_refusal_is_told() {
    let refused = || answer("400 Bad Request", "", "no such client");
    for second in [
        answer("401 Unauthorized", "", "Basic YzpzZWNyZXQtMQ== is wrong"),
        answer("405 Method Not Allowed", "", "not so"),
    ] {
        let server = Scripted::without_token(vec![refused(), second]).await;
        let error = server.client().check_token().await.unwrap_err();
        assert!(matches!(&error, Error::TokenRejected(_)), "{error}");
        assert!(error.to_string().contains("no such client"), "{error}");
    }
    let down = answer(
        "503 Service Unavailable",
        "",
        "Basic YzpzZWNyZXQtMQ== is shown",
    );
    let server = Scripted::without_token(vec![refused(), down]).await;
    let error = server.client().check_token().await.unwrap_err();
    assert!(matches!(&error, Error::TokenUnavailable { .. }), "{error}");
    let texts = format!("{error} {error:?}");
    assert!(
        texts.contains("is shown") && !texts.contains("YzpzZWNyZXQtMQ"),
        "{texts}"
    );
}

#[tokio::test]
async fn a_denial_of_an_old_token_is_answered_with_a_new_one_once() {
    let remote = Remote::start().await;
    remote
        .respond(Operation::ListDeployments, 403, "RBAC: access denied")
        .await;
    let client = remote.doubting_client().await;
    let error = client.list_deployments(GROUP).await.unwrap_err();
    assert!(matches!(&error, Error::Forbidden(_)), "{error}");
    assert_eq!(remote.count(Operation::ListDeployments).await, 2);
    assert_eq!(remote.count(Operation::Token).await, 2);
}

#[tokio::test]
async fn a_token_that_the_administration_refuses_stays_in_use_elsewhere() {
    let refused = || answer("401 Unauthorized", "", "not for administration");
    let server = Scripted::start(vec![refused(), list(json!(0), [])]).await;
    let client = server.client();
    let error = client.list_resource_groups().await.unwrap_err();
    assert!(matches!(&error, Error::Unauthorized(_)), "{error}");
    // No token is asked for in between.
    client.list_deployments(GROUP).await.unwrap();
    server.requests().await;

    // An old one is doubted, but not dropped for nothing.
    let down = answer("503 Service Unavailable", "", "no token now");
    let server = Scripted::start(vec![refused(), down, list(json!(0), [])]).await;
    let client = server.doubting_client();
    let error = client.list_resource_groups().await.unwrap_err();
    assert!(matches!(&error, Error::Unauthorized(_)), "{error}");
    client.list_deployments(GROUP).await.unwrap();
    server.requests().await;
}

#[tokio::test]
async fn a_token_outlives_the_credentials_it_was_had_with() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    client.check_token().await.unwrap();
    let other = json!({"tenant": "zone-1", "clientId": "client-2", "clientSecret": "secret-2"});
    remote.control(Method::POST, "clients", &other).await;
    client.list_deployments(GROUP).await.unwrap();
    revoke_tokens(&remote).await;
    let error = client.list_deployments(GROUP).await.unwrap_err();
    assert!(matches!(&error, Error::TokenRejected(_)), "{error}");
    remote.client().await.list_deployments(GROUP).await.unwrap();
}

#[tokio::test]
async fn a_token_endpoint_that_cannot_answer_is_told_from_one_that_refuses() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let throttled = Response {
        retry_after: Some("30".to_owned()),
        ..response(429, "slow down")
    };
    remote
        .fault(Operation::Token, Effect::Respond(throttled))
        .await;
    let error = client.check_token().await.unwrap_err();
    assert!(matches!(&error, Error::TokenUnavailable { .. }), "{error}");
    assert_eq!(
        (error.reason(), error.retry_after()),
        (Reason::RateLimited, Some(Duration::from_secs(30)))
    );
    remote.heal().await;
    for (effect, reason) in [
        (
            Effect::Respond(response(503, "<html></html>")),
            Reason::Unavailable,
        ),
        (
            Effect::Respond(response(200, "<html></html>")),
            Reason::Unavailable,
        ),
        (
            Effect::Respond(response(200, r#"{"token":"x"}"#)),
            Reason::Unavailable,
        ),
        (Effect::TruncateBody(0.5), Reason::Unreachable),
        (Effect::DropBefore, Reason::Unreachable),
    ] {
        remote.fault(Operation::Token, effect.clone()).await;
        let error = remote.client().await.check_token().await.unwrap_err();
        assert_eq!(
            (
                error.reason(),
                error.needs_a_person(),
                error.outcome_unknown()
            ),
            (reason, false, false),
            "{effect:?}: {error}"
        );
        remote.control(Method::DELETE, "faults", &Value::Null).await;
    }
}
