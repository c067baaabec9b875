//! Where a server does not take bulk requests, or cannot be relied on there, each change is a call of its own.

use std::time::Duration;

use aicore_emulator::{Effect, Operation};
use aicore_operator::aicore::{BatcherOptions, Verb};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio::time::timeout;

use crate::gathering::{Gathering, assert_all_accepted};
use crate::remote::{self, response};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn without_the_capability_there_are_single_calls_and_it_is_asked_for_once() {
    for setting in ["absent", "missing"] {
        let gathering = Gathering::with(BatcherOptions::default(), setting).await;
        let ids = gathering.deployments(10, "RUNNING").await;
        let (first, second) = ids.split_at(5);
        assert_all_accepted(&gathering.send_all(Verb::Stop, first).await);
        assert_all_accepted(&gathering.send_all(Verb::Stop, second).await);
        assert_eq!(gathering.single_calls().await, 10, "{setting}");
        assert_eq!(gathering.bulk_requests().await.len(), 0, "{setting}");
        assert_eq!(gathering.meta_calls().await, 1, "{setting}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_describe_itself_gets_single_calls() {
    for (status, body) in [
        (404, ""),
        (403, "RBAC: access denied"),
        (200, "<html></html>"),
        (500, ""),
    ] {
        let gathering = Gathering::start().await;
        gathering
            .remote
            .respond(Operation::Meta, status, body)
            .await;
        let ids = gathering.deployments(3, "RUNNING").await;
        assert_all_accepted(&gathering.send_all(Verb::Stop, &ids).await);
        assert_eq!(gathering.single_calls().await, 3, "{status}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_what_it_can_holds_nobody_for_long() {
    let gathering = Gathering::start().await;
    gathering
        .remote
        .fault(Operation::Meta, Effect::LatencyMs(600_000))
        .await;
    let ids = gathering.deployments(3, "RUNNING").await;
    let outcomes = timeout(PATIENCE, gathering.send_all(Verb::Stop, &ids)).await;
    assert_all_accepted(&outcomes.expect("an answer is not awaited for ever"));
    assert_eq!(gathering.single_calls().await, 3);
}

#[tokio::test]
async fn the_capability_is_asked_for_again_after_a_while() {
    let options = BatcherOptions {
        memory: Duration::ZERO,
        ..BatcherOptions::default()
    };
    let gathering = Gathering::with(options, "absent").await;
    let ids = gathering.deployments(6, "RUNNING").await;
    assert_all_accepted(&gathering.send_all(Verb::Stop, &ids[..2]).await);
    assert_all_accepted(&gathering.send_all(Verb::Stop, &ids[2..4]).await);
    assert_eq!(gathering.meta_calls().await, 2);
    gathering
        .remote
        .set(json!({"bulkUpdates": "present"}))
        .await;
    assert_all_accepted(&gathering.send_all(Verb::Stop, &ids[4..]).await);
    assert_eq!(gathering.bulk_requests().await, [2]);
}

#[tokio::test]
async fn a_bulk_request_that_is_refused_as_a_whole_becomes_single_calls_for_a_while() {
    for status in [400, 403, 404, 405, 409, 412, 415, 422, 501] {
        let gathering = Gathering::start().await;
        let ids = gathering.deployments(6, "RUNNING").await;
        gathering
            .remote
            .fault_for(
                1,
                Operation::StopDeployment,
                Effect::Respond(response(status, "no")),
            )
            .await;
        assert_all_accepted(&gathering.send_all(Verb::Stop, &ids[..3]).await);
        assert_all_accepted(&gathering.send_all(Verb::Stop, &ids[3..]).await);
        assert_eq!(gathering.bulk_requests().await, [0], "{status}");
        assert_eq!(gathering.single_calls().await, 6, "{status}");
    }
}

#[tokio::test]
async fn a_bulk_request_that_is_too_large_is_halved_until_it_fits() {
    for (refusals, bulk, single) in [
        (1, vec![0, 4, 4], 0),
        (2, vec![0, 0, 2, 2, 2, 2], 0),
        (3, vec![0; 3], 8),
    ] {
        let gathering = Gathering::start().await;
        let ids = gathering.deployments(8, "RUNNING").await;
        gathering
            .remote
            .fault_for(
                refusals,
                Operation::StopDeployment,
                Effect::Respond(response(413, "too large")),
            )
            .await;
        assert_all_accepted(&gathering.send_all(Verb::Stop, &ids).await);
        assert_eq!(gathering.bulk_requests().await, bulk, "{refusals}");
        assert_eq!(gathering.single_calls().await, single, "{refusals}");
    }
}

#[tokio::test]
async fn lost_or_odd_answers_leave_every_outcome_unknown_and_after_two_the_calls_are_single() {
    for effect in [
        Effect::DropAfter,
        Effect::DropBefore,
        Effect::TruncateBody(0.5),
        Effect::RespondAfter(response(202, "{}")),
        Effect::RespondAfter(response(202, r#"{"deployments":[]}"#)),
        Effect::RespondAfter(response(202, "<html></html>")),
        Effect::RespondAfter(response(204, "")),
        Effect::RespondAfter(response(303, "")),
        Effect::RespondAfter(response(408, "")),
        Effect::RespondAfter(response(500, "oops")),
        Effect::RespondAfter(response(504, "")),
    ] {
        let gathering = Gathering::start().await;
        let ids = gathering.deployments(6, "RUNNING").await;
        gathering
            .remote
            .fault_for(2, Operation::StopDeployment, effect.clone())
            .await;
        for (requests, ids) in [(1, &ids[..2]), (2, &ids[2..4])] {
            for outcome in gathering.send_all(Verb::Stop, ids).await {
                let error = outcome.unwrap_err();
                assert!(error.outcome_unknown(), "{effect:?}: {error}");
            }
            assert_eq!(gathering.requests().await.len(), requests, "{effect:?}");
        }
        assert_all_accepted(&gathering.send_all(Verb::Stop, &ids[4..]).await);
        assert_eq!(gathering.single_calls().await, 2, "{effect:?}");
    }
}

#[tokio::test]
async fn one_lost_answer_now_and_then_is_no_reason_for_single_calls() {
    let gathering = Gathering::start().await;
    let ids = gathering.deployments(8, "RUNNING").await;
    for ids in ids.chunks(4) {
        gathering
            .remote
            .fault_for(1, Operation::StopDeployment, Effect::DropAfter)
            .await;
        let (lost, answered) = ids.split_at(2);
        let outcomes = gathering.send_all(Verb::Stop, lost).await;
        assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");
        assert_all_accepted(&gathering.send_all(Verb::Stop, answered).await);
    }
    assert_eq!(gathering.bulk_requests().await, [2, 2, 2, 2]);
}

#[tokio::test]
async fn a_single_call_that_hangs_does_not_hold_the_others() {
    let gathering = Gathering::with(BatcherOptions::default(), "absent").await;
    let ids = gathering.deployments(30, "RUNNING").await;
    let fault = json!({
        "match": {"operations": [Operation::StopDeployment], "deploymentId": ids[0]},
        "effect": {"latencyMs": 600_000}
    });
    gathering
        .remote
        .control(Method::POST, "faults", &fault)
        .await;
    let hanging = gathering.send(Verb::Stop, &ids[0]);
    let others = timeout(PATIENCE, gathering.send_all(Verb::Stop, &ids[1..]));
    tokio::select! {
        outcome = hanging => panic!("{outcome:?}"),
        others = others => assert_all_accepted(&others.expect("the others end")),
    }
}

#[tokio::test]
async fn clients_of_one_tenant_share_what_is_known_of_the_server() {
    let gathering = Gathering::with(BatcherOptions::default(), "absent").await;
    let ids = gathering.deployments(4, "RUNNING").await;
    assert_all_accepted(&gathering.send_all(Verb::Stop, &ids[..2]).await);
    let other = gathering
        .remote
        .client_with_options(remote::options())
        .await;
    let outcomes = ids[2..].iter().map(|id| {
        let (batcher, key) = (&gathering.batcher, &gathering.key);
        batcher.send(&other, key, id, Verb::Stop, || true)
    });
    assert_all_accepted(&join_all(outcomes).await);
    assert_eq!(gathering.meta_calls().await, 1);
}
