//! All callers of a tenant keep to one pace.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use aicore_emulator::{Effect, Operation, Response};
use aicore_operator::aicore::{ClientOptions, Error, Rate};
use aicore_operator::metrics::Metrics;
use futures::future::join_all;
use harness::patience::until;

use crate::remote::{self, GROUP, Remote, response};

#[tokio::test]
async fn after_a_429_nobody_calls_the_tenant_until_its_time_is_over() {
    let remote = Remote::start().await;
    let running = remote.deployment("RUNNING").await;
    // As the operator makes them: one client for each connection, all with the same options.
    let options = remote::options();
    let slowed = remote.client_with_options(options.clone()).await;
    let other = remote.client_with_options(options.clone()).await;
    let (slowed, other) = (
        remote::accepted(slowed).await,
        remote::accepted(other).await,
    );
    let slow_down = Response {
        retry_after: Some("60".to_owned()),
        ..response(429, "slow down")
    };
    remote
        .fault_for(1, Operation::ListDeployments, Effect::Respond(slow_down))
        .await;
    slowed.list_deployments(GROUP).await.unwrap_err();
    for error in [
        other.list_deployments("team-b").await.unwrap_err(),
        other.stop_deployment(GROUP, &running).await.unwrap_err(),
        other
            .create_deployment(GROUP, "c1", None)
            .await
            .unwrap_err(),
        other.meta().await.unwrap_err(),
    ] {
        assert!(matches!(&error, Error::Throttled { .. }), "{error}");
        assert!(!error.outcome_unknown(), "{error}");
        assert!(error.to_string().contains("slow down"), "{error}");
        let rest = error.retry_after().unwrap();
        assert!(rest > Duration::ZERO && rest <= Duration::from_secs(60));
    }
    assert_eq!(remote.count(Operation::ListDeployments).await, 1);
    for operation in [
        Operation::StopDeployment,
        Operation::CreateDeployment,
        Operation::Meta,
    ] {
        assert_eq!(remote.count(operation).await, 0, "{operation:?}");
    }
}

#[tokio::test]
async fn calls_go_on_by_themselves_when_the_pause_is_over() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let slow_down = Response {
        retry_after: Some("3".to_owned()),
        ..response(503, "")
    };
    remote
        .fault_for(1, Operation::ListDeployments, Effect::Respond(slow_down))
        .await;
    client.list_deployments(GROUP).await.unwrap_err();
    client.list_deployments(GROUP).await.unwrap_err();
    until("the list", async || {
        let list = client.list_deployments(GROUP).await;
        list.map(drop).map_err(|error| error.to_string())
    })
    .await;
    // Nothing was sent in between.
    assert_eq!(remote.count(Operation::ListDeployments).await, 2);
}

#[tokio::test]
async fn more_calls_than_the_budget_holds_take_their_time() {
    let remote = Remote::start().await;
    let number = |number| NonZeroU32::new(number).unwrap();
    let client = remote
        .client_with_options(ClientOptions {
            rate: Rate {
                per_second: number(20),
                burst: number(10),
            },
            ..remote::options()
        })
        .await;
    client.check_token().await.unwrap();
    let start = Instant::now();
    for outcome in join_all((0..20).map(|_| client.meta())).await {
        outcome.unwrap();
    }
    // Never more than the burst and what the time since has added.
    assert!(start.elapsed() >= Duration::from_millis(500));
}

#[tokio::test]
async fn every_call_is_counted_by_verb_and_answer() {
    let remote = Remote::start().await;
    let metrics = Metrics::new();
    let client = remote
        .client_with_options(ClientOptions {
            remote_calls: metrics.remote_calls(),
            ..remote::options()
        })
        .await;
    let id = remote.deployment("RUNNING").await;
    client.list_deployments(GROUP).await.unwrap();
    client.stop_deployment(GROUP, &id).await.unwrap();
    client.delete_deployment(GROUP, &id).await.unwrap_err();
    remote.fault(Operation::Meta, Effect::DropBefore).await;
    client.meta().await.unwrap_err();
    let text = metrics.encode();
    for (verb, code) in [
        ("GET", "200"),
        ("PATCH", "202"),
        ("DELETE", "412"),
        ("GET", "none"),
        ("TOKEN", "200"),
    ] {
        let line = format!("aicore_remote_calls_total{{verb=\"{verb}\",code=\"{code}\"}} 1\n");
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_is_counted_although_no_call_is_made() {
    let remote = Remote::start().await;
    let metrics = Metrics::new();
    let client = remote
        .client_with_options(ClientOptions {
            remote_calls: metrics.remote_calls(),
            ..remote::options()
        })
        .await;
    remote.respond(Operation::Token, 503, "").await;
    client.list_deployments(GROUP).await.unwrap_err();
    let text = metrics.encode();
    let counted: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("aicore_remote_calls_total"))
        .collect();
    assert_eq!(
        counted,
        [r#"aicore_remote_calls_total{verb="TOKEN",code="503"} 1"#]
    );
}

#[tokio::test]
async fn a_token_that_does_not_come_in_time_ends_the_call_with_nothing_sent() {
    let remote = Remote::start().await;
    let client = remote.impatient_client().await;
    remote
        .fault(Operation::Token, Effect::LatencyMs(600_000))
        .await;
    let error = client.create_deployment(GROUP, "c1", None).await;
    let error = error.unwrap_err();
    assert!(matches!(&error, Error::TokenUnavailable { .. }), "{error}");
    assert!(!error.outcome_unknown() && !error.needs_a_person());
    assert_eq!(remote.count(Operation::CreateDeployment).await, 0);
}
