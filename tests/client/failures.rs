//! A failure is named for what it is, and never taken for more or less than it proves.

use std::time::Duration;

use aicore_emulator::{Effect, Operation, Response};
use aicore_operator::aicore::{Client, Error};
use aicore_operator::api::Reason;
use serde_json::json;

use crate::remote::{GROUP, Remote, response};
use crate::scripted::{Scripted, answer};

/// Creates a deployment that meets a fault, and tells whether one exists afterwards.
async fn create_with(effect: Effect) -> (Error, bool) {
    let remote = Remote::start().await;
    let configuration = remote.configuration().await;
    remote.fault(Operation::CreateDeployment, effect).await;
    let client = remote.client().await;
    let error = client
        .create_deployment(GROUP, &configuration, None)
        .await
        .unwrap_err();
    assert_eq!(
        remote.count(Operation::CreateDeployment).await,
        1,
        "a create is sent once"
    );
    // The client itself may have been asked to slow down.
    let others = remote.client().await.list_deployments(GROUP).await;
    (error, !others.unwrap().deployments.is_empty())
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_has_an_unknown_outcome() {
    for effect in [
        Effect::DropAfter,
        Effect::RespondAfter(response(503, "try again")),
        Effect::RespondAfter(response(408, "")),
        Effect::RespondAfter(response(202, "{}")),
        Effect::RespondAfter(response(202, "<html></html>")),
        Effect::RespondAfter(response(303, "")),
        Effect::TruncateBody(0.5),
    ] {
        let (error, exists) = create_with(effect.clone()).await;
        assert!(exists && error.outcome_unknown(), "{effect:?}: {error}");
    }
    // From outside, this cannot be told from the ones above.
    let (error, exists) = create_with(Effect::DropBefore).await;
    assert!(!exists && error.outcome_unknown(), "{error}");
}

#[tokio::test]
async fn a_create_that_is_refused_has_had_no_effect() {
    for (status, reason) in [
        (400, Reason::Refused),
        (403, Reason::AccessDenied),
        (404, Reason::NotFound),
        (409, Reason::Refused),
        (429, Reason::RateLimited),
    ] {
        let (error, exists) = create_with(Effect::Respond(response(status, "no"))).await;
        assert!(!exists && !error.outcome_unknown(), "{status}: {error}");
        assert_eq!(error.reason(), reason, "{error}");
    }
}

#[tokio::test]
async fn a_create_that_takes_too_long_has_an_unknown_outcome() {
    let remote = Remote::start().await;
    let configuration = remote.configuration().await;
    remote
        .fault(Operation::CreateDeployment, Effect::LatencyMs(600_000))
        .await;
    let client = remote.impatient_client().await;
    let error = client
        .create_deployment(GROUP, &configuration, None)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { sent: true, .. }),
        "{error}"
    );
    assert!(error.outcome_unknown() && !error.needs_a_person());
}

#[tokio::test]
async fn a_server_that_is_not_there_was_not_sent_anything() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    client.check_token().await.unwrap();
    remote.stop().await;
    let error = client
        .create_deployment(GROUP, "some-configuration", None)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { sent: false, .. }),
        "{error}"
    );
    assert!(!error.outcome_unknown() && !error.needs_a_person());
    assert_eq!(error.reason(), Reason::Unreachable);
}

#[tokio::test]
async fn a_throttled_call_says_how_long_to_wait() {
    let remote = Remote::start().await;
    let throttled = |retry_after: Option<&str>| {
        Effect::Respond(Response {
            retry_after: retry_after.map(str::to_owned),
            ..response(429, "slow down")
        })
    };
    remote
        .fault(Operation::ListDeployments, throttled(Some("7")))
        .await;
    let client = remote.client().await;
    let error = client.list_deployments(GROUP).await.unwrap_err();
    assert!(matches!(&error, Error::Throttled { .. }), "{error}");
    assert_eq!(
        (error.retry_after(), error.needs_a_person()),
        (Some(Duration::from_secs(7)), false)
    );
    remote.heal().await;
    remote
        .fault(Operation::ListDeployments, throttled(None))
        .await;
    let other = remote.client().await;
    let error = other.list_deployments(GROUP).await.unwrap_err();
    assert_eq!(error.retry_after(), None);
}

#[tokio::test]
async fn a_proxys_page_is_told_by_its_title() {
    let remote = Remote::start().await;
    let page = "<!DOCTYPE html><html><head><title>503 Service Unavailable</title></head><body>...</body></html>";
    remote.respond(Operation::ListDeployments, 503, page).await;
    let client = remote.client().await;
    let error = client.list_deployments(GROUP).await.unwrap_err();
    assert!(
        matches!(&error, Error::Unavailable { status: 503, .. }),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("\"503 Service Unavailable\"") && !text.contains('<'),
        "{text}"
    );
    remote.heal().await;
    remote.respond(Operation::ListDeployments, 200, page).await;
    let error = client.list_deployments(GROUP).await.unwrap_err();
    assert!(matches!(&error, Error::Malformed { .. }), "{error}");
}

#[tokio::test]
async fn a_list_that_is_cut_or_lacks_something_is_no_list() {
    let remote = Remote::start().await;
    remote.deployment("RUNNING").await;
    let client = remote.client().await;
    remote
        .fault(Operation::ListDeployments, Effect::TruncateBody(0.5))
        .await;
    let error = client.list_deployments(GROUP).await.unwrap_err();
    assert!(matches!(&error, Error::Incomplete { .. }), "{error}");
    for (body, reason) in [
        (r#"{"count":1,"resources":[]}"#, Reason::MalformedAnswer),
        (r#"{"count":0,"resources":["#, Reason::MalformedAnswer),
        (
            r#"{"count":1,"resources":[{"configurationId":"c1","status":"RUNNING"}]}"#,
            Reason::MalformedAnswer,
        ),
        ("", Reason::MalformedAnswer),
    ] {
        remote.heal().await;
        remote.respond(Operation::ListDeployments, 200, body).await;
        let error = client.list_deployments(GROUP).await.unwrap_err();
        assert_eq!(
            (error.reason(), error.needs_a_person()),
            (reason, false),
            "{body}: {error}"
        );
    }
}

#[tokio::test]
async fn a_list_must_close_and_end_where_it_says() {
    let body = r#"{"count":1,"resources":[{"id":"d1","status":"RUNNING"}]}"#;
    let length = body.len();
    let with = |head: &str, body: &str| format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}");
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let chunked = "transfer-encoding: chunked";
    let close = "connection: close";
    let (half, rest) = body.split_at(30);
    for (answer, is_cut) in [
        (with(&format!("content-length: {}", length + 1), body), true),
        (with(chunked, &(chunk(half) + &chunk(rest))), true),
        (with(close, &body[..length - 1]), true),
        (with(close, &body[..length - 2]), true),
        (with(close, half), true),
        (with(close, &format!("{body}]")), false),
        (with(close, &format!("{body}{body}")), false),
        (with(close, &format!("{body} and more")), false),
    ] {
        let (error, _) = list_against(answer.clone()).await;
        assert!(
            match &error {
                Error::Incomplete { .. } => is_cut,
                Error::Malformed { .. } => !is_cut,
                _ => false,
            },
            "{answer}: {error}"
        );
    }
    let whole = with(chunked, &(chunk(half) + &chunk(rest) + "0\r\n\r\n"));
    let server = Scripted::start(vec![whole]).await;
    let found = server.client().list_deployments(GROUP).await.unwrap();
    assert_eq!(found.deployments[0].id, "d1");
}

#[tokio::test]
async fn an_answer_about_another_deployment_is_not_believed() {
    let remote = Remote::start().await;
    let body = json!({"id": "d2", "configurationId": "c1", "status": "STOPPED"});
    remote
        .respond(Operation::GetDeployment, 200, &body.to_string())
        .await;
    let error = remote
        .client()
        .await
        .get_deployment(GROUP, "d1234")
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Malformed { .. }), "{error}");
}

#[tokio::test]
async fn an_illegal_operation_is_refused_alike_whatever_status_and_body_the_server_chooses() {
    for shape in ["envelope", "plainText", "html", "empty"] {
        for status in [400, 409, 412] {
            let remote = Remote::start().await;
            remote.set(json!({"errorShape": shape, "illegalStopStatus": status, "illegalDeleteStatus": status})).await;
            let client = remote.client().await;
            let running = remote.deployment("RUNNING").await;
            let stopped = remote.deployment("STOPPED").await;
            for error in [
                client.delete_deployment(GROUP, &running).await.unwrap_err(),
                client.stop_deployment(GROUP, &stopped).await.unwrap_err(),
            ] {
                assert!(
                    matches!(&error, Error::Rejected(rejection) if rejection.status == status),
                    "{shape} {status}: {error}"
                );
                assert!(!error.outcome_unknown() && error.needs_a_person());
                assert_eq!(
                    error.to_string().contains("RUNNING") || error.to_string().contains("STOPPED"),
                    matches!(shape, "envelope" | "plainText"),
                    "{error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_envelopes_code_and_request_id_are_kept() {
    let remote = Remote::start().await;
    let stopped = remote.deployment("STOPPED").await;
    let error = remote
        .client()
        .await
        .stop_deployment(GROUP, &stopped)
        .await
        .unwrap_err();
    let Error::Rejected(rejection) = &error else {
        panic!("{error}")
    };
    assert_eq!(rejection.code.as_deref(), Some("01010076"));
    assert!(rejection.message.contains("(request id "), "{rejection}");
}

#[tokio::test]
async fn an_unknown_group_is_denied_or_not_found() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let error = client.list_deployments("team-z").await.unwrap_err();
    assert!(matches!(&error, Error::Forbidden(_)), "{error}");
    remote.set(json!({"unknownGroup": "notFound404"})).await;
    let error = client.list_deployments("team-z").await.unwrap_err();
    assert!(matches!(&error, Error::NotFound(_)), "{error}");
}

#[tokio::test]
async fn an_id_that_would_address_something_else_is_not_sent() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    client.check_token().await.unwrap();
    for id in ["", ".", ".."] {
        let error = client.delete_deployment(GROUP, id).await.unwrap_err();
        assert!(matches!(&error, Error::InvalidArgument { .. }), "{error}");
    }
    let error = client.list_deployments("team\na").await.unwrap_err();
    assert!(matches!(&error, Error::InvalidArgument { .. }), "{error}");
    let error = client
        .get_deployment(GROUP, "../configurations")
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::NotFound(_) | Error::Rejected(_)),
        "{error}"
    );
    assert_eq!(
        remote.count(Operation::ListConfigurations).await,
        0,
        "a slash stays within the id"
    );
}

async fn list_against(answer: String) -> (Error, Vec<String>) {
    let server = Scripted::start(vec![answer]).await;
    let client: Client = server.client();
    let error = client.list_deployments(GROUP).await.unwrap_err();
    (error, server.requests().await)
}

#[tokio::test]
async fn neither_secret_nor_token_comes_back_in_an_error() {
    let body = "client secret-1 with token the-access-token is not welcome";
    let (error, _) = list_against(answer("403 Forbidden", "", body)).await;
    let texts = format!("{error} {error:?}");
    assert!(texts.contains("is not welcome"), "{texts}");
    assert!(
        !texts.contains("secret-1") && !texts.contains("the-access-token"),
        "{texts}"
    );
}
