//! Many stops and deletions in few requests: a result for each, about nothing but itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aicore_emulator::{Effect, Operation, PartialBulk, Response};
use aicore_operator::aicore::{BatcherOptions, Error, GroupKey, Verb};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio::time::timeout;

use crate::gathering::{Gathering, assert_all_accepted};
use crate::remote::response;

const PATIENCE: Duration = Duration::from_secs(20);

fn throttled(retry_after: &str) -> Effect {
    Effect::Respond(Response {
        retry_after: Some(retry_after.to_owned()),
        ..response(429, "slow down")
    })
}

#[tokio::test]
async fn two_hundred_and_fifty_stops_are_three_requests() {
    let gathering = Gathering::start().await;
    let mut ids = gathering.deployments(250, "RUNNING").await;
    assert_all_accepted(&gathering.send_all(Verb::Stop, &ids).await);
    assert_eq!(gathering.bulk_requests().await, [100, 100, 50]);
    assert_eq!(gathering.single_calls().await, 0);
    assert_eq!(gathering.meta_calls().await, 1);
    let requests = gathering.requests().await.into_iter();
    let mut sent: Vec<_> = requests.flat_map(|request| request.ids).collect();
    sent.sort();
    ids.sort();
    assert_eq!(sent, ids);
}

#[tokio::test]
async fn stops_go_before_deletions_in_requests_of_their_own() {
    let gathering = Gathering::start().await;
    let running = gathering.deployments(3, "RUNNING").await;
    let stopped = gathering.deployments(3, "STOPPED").await;
    let deletions = stopped.iter().map(|id| gathering.send(Verb::Delete, id));
    let stops = running.iter().map(|id| gathering.send(Verb::Stop, id));
    assert_all_accepted(&join_all(deletions.chain(stops)).await);
    let requests = gathering.requests().await;
    let verbs: Vec<_> = requests
        .iter()
        .map(|request| (request.verb, request.bulk, request.ids.len()))
        .collect();
    assert_eq!(verbs, [(Verb::Stop, true, 3), (Verb::Delete, true, 3)]);
}

#[tokio::test]
async fn one_alone_is_a_single_call_and_nobody_is_asked_what_it_can() {
    let gathering = Gathering::start().await;
    let ids = gathering.deployments(1, "RUNNING").await;
    assert_all_accepted(&gathering.send_all(Verb::Stop, &ids).await);
    assert_eq!(gathering.single_calls().await, 1);
    assert_eq!(gathering.bulk_requests().await.len(), 0);
    assert_eq!(gathering.meta_calls().await, 0);
}

#[tokio::test]
async fn groups_have_requests_of_their_own() {
    let gathering = Gathering::start().await;
    let ids = gathering.deployments(2, "RUNNING").await;
    let elsewhere = GroupKey {
        group: "team-b".to_owned(),
        ..gathering.key.clone()
    };
    let here = gathering.send_all(Verb::Stop, &ids);
    let there = ids.iter().map(|id| {
        let (batcher, client) = (&gathering.batcher, &gathering.client);
        batcher.send(client, &elsewhere, id, Verb::Stop, || true)
    });
    let (here, there) = tokio::join!(here, join_all(there));
    assert_all_accepted(&here);
    assert!(there.iter().all(Result::is_err), "{there:?}");
    assert_eq!(gathering.bulk_requests().await, [2, 2]);
}

#[tokio::test]
async fn every_deployment_has_its_own_result_and_a_refused_one_goes_alone_the_next_time() {
    let gathering = Gathering::start().await;
    let ids = gathering.deployments(4, "RUNNING").await;
    let partial = PartialBulk {
        every_nth: 2,
        code: "500".to_owned(),
    };
    gathering
        .remote
        .fault(Operation::StopDeployment, Effect::PartialBulk(partial))
        .await;
    let outcomes = gathering.send_all(Verb::Stop, &ids).await;
    let [
        Ok(()),
        Err(Error::RefusedInBulk(first)),
        Ok(()),
        Err(Error::RefusedInBulk(_)),
    ] = outcomes.as_slice()
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!((first.status, first.code.as_deref()), (202, Some("500")));
    let refused = [ids[1].clone(), ids[3].clone()];
    assert_all_accepted(&gathering.send_all(Verb::Stop, &refused).await);
    assert_eq!(gathering.bulk_requests().await, [4]);
    assert_eq!(gathering.single_calls().await, 2);
}

#[tokio::test]
async fn what_the_state_does_not_allow_is_refused_for_that_one_alone() {
    let gathering = Gathering::start().await;
    let running = gathering.deployments(2, "RUNNING").await;
    let mut ids = gathering.deployments(1, "STOPPED").await;
    ids.extend(running);
    ids.push("d0000000000000bad".to_owned());
    let outcomes = gathering.send_all(Verb::Stop, &ids).await;
    let accepted: Vec<_> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(accepted, [false, true, true, false]);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert!(matches!(&error, Error::RefusedInBulk(_)), "{error}");
        assert!(!error.outcome_unknown(), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_leaves_every_outcome_unknown() {
    let mut gathering = Gathering::start().await;
    gathering.client = gathering.remote.impatient_client().await;
    let ids = gathering.deployments(3, "RUNNING").await;
    gathering
        .remote
        .fault(Operation::StopDeployment, Effect::LatencyMs(600_000))
        .await;
    for outcome in gathering.send_all(Verb::Stop, &ids).await {
        let error = outcome.unwrap_err();
        assert!(error.outcome_unknown(), "{error}");
    }
}

#[tokio::test]
async fn only_what_an_answer_does_not_mention_stays_unknown() {
    let gathering = Gathering::start().await;
    let ids = gathering.deployments(3, "RUNNING").await;
    let entry = |id: &str| json!({"id": id, "message": "Deployment modification scheduled"});
    let strange =
        json!({"deployments": [entry(&ids[2]), entry("d0000000000000bad"), entry(&ids[0])]});
    gathering
        .remote
        .fault(
            Operation::StopDeployment,
            Effect::RespondAfter(response(202, &strange.to_string())),
        )
        .await;
    let outcomes = gathering.send_all(Verb::Stop, &ids).await;
    let [Ok(()), Err(error), Ok(())] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert!(error.outcome_unknown(), "{error}");
    assert!(error.to_string().contains(&ids[1]), "{error}");
}

#[tokio::test]
async fn a_busy_server_throttles_everyone_and_nothing_else_is_sent() {
    let gathering = Gathering::start().await;
    let ids = gathering.deployments(150, "RUNNING").await;
    gathering
        .remote
        .fault_for(1, Operation::StopDeployment, throttled("60"))
        .await;
    for outcome in gathering.send_all(Verb::Stop, &ids).await {
        let error = outcome.unwrap_err();
        assert!(matches!(&error, Error::Throttled { .. }), "{error}");
        assert!(error.retry_after() > Some(Duration::from_secs(50)));
    }
    assert_eq!(gathering.bulk_requests().await, [0]);
    assert_eq!(gathering.single_calls().await, 0);
}

#[tokio::test]
async fn a_revoked_token_is_renewed_and_the_request_made_once_more() {
    let gathering = Gathering::start().await;
    let ids = gathering.deployments(3, "RUNNING").await;
    gathering.client.check_token().await.unwrap();
    gathering
        .remote
        .control(Method::POST, "revoke-tokens", &json!({}))
        .await;
    assert_all_accepted(&gathering.send_all(Verb::Stop, &ids).await);
    assert_eq!(gathering.single_calls().await, 0);
}

#[tokio::test]
async fn what_is_not_wanted_any_more_when_its_turn_comes_is_not_sent() {
    let gathering = Gathering::start().await;
    for company in [0, 1, 2] {
        let ids = gathering.deployments(company + 1, "RUNNING").await;
        let wanted = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&wanted);
        let mut given_up =
            gathering.send_while(Verb::Stop, &ids[0], move || asked.load(Ordering::Relaxed));
        assert!(futures::poll!(&mut given_up).is_pending());
        wanted.store(false, Ordering::Relaxed);
        let (outcome, others) = tokio::join!(given_up, gathering.send_all(Verb::Stop, &ids[1..]));
        let error = outcome.unwrap_err();
        assert!(matches!(&error, Error::Withdrawn), "{error}");
        assert!(!error.outcome_unknown(), "{error}");
        assert_all_accepted(&others);
        let requests = gathering.requests().await;
        assert!(
            !requests.iter().any(|request| request.ids.contains(&ids[0])),
            "{requests:?}"
        );
    }
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_sent() {
    let gathering = Gathering::start().await;
    let ids = gathering.deployments(3, "RUNNING").await;
    let mut gone = gathering.send(Verb::Stop, &ids[0]);
    assert!(futures::poll!(&mut gone).is_pending());
    drop(gone);
    assert_all_accepted(&gathering.send_all(Verb::Stop, &ids[1..]).await);
    let requests = gathering.requests().await;
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(requests[0].ids.len(), 2, "{requests:?}");
    assert!(!requests[0].ids.contains(&ids[0]), "{requests:?}");
}

#[tokio::test]
async fn an_id_that_is_asked_for_twice_is_sent_once_and_both_get_its_result() {
    let gathering = Gathering::start().await;
    let ids = gathering.deployments(2, "RUNNING").await;
    let asked = [ids[0].clone(), ids[1].clone(), ids[0].clone()];
    assert_all_accepted(&gathering.send_all(Verb::Stop, &asked).await);
    assert_eq!(gathering.bulk_requests().await, [2]);
}

#[tokio::test]
async fn credentials_that_are_refused_fail_only_those_who_came_with_them() {
    let gathering = Gathering::start().await;
    let ids = gathering.deployments(4, "RUNNING").await;
    let revoked = gathering
        .remote
        .client_with(|key| key["clientsecret"] = json!("wrong-secret"))
        .await;
    let refused = ids[..2].iter().map(|id| {
        let (batcher, key) = (&gathering.batcher, &gathering.key);
        batcher.send(&revoked, key, id, Verb::Stop, || true)
    });
    let (refused, accepted) =
        tokio::join!(join_all(refused), gathering.send_all(Verb::Stop, &ids[2..]));
    for outcome in refused {
        let error = outcome.unwrap_err();
        assert!(matches!(&error, Error::TokenRejected(_)), "{error}");
    }
    assert_all_accepted(&accepted);
}

#[tokio::test]
async fn dropping_the_batcher_ends_its_tasks() {
    let options = BatcherOptions {
        lull: Duration::from_secs(3600),
        longest_wait: Duration::from_secs(3600),
        ..BatcherOptions::default()
    };
    let gathering = Gathering::with(options, "present").await;
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = tasks();
    let mut waiting = gathering.send(Verb::Stop, "d1");
    assert!(futures::poll!(&mut waiting).is_pending());
    assert_eq!(tasks(), before + 1);
    drop(waiting);
    drop(gathering.batcher);
    let ended = async {
        while tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, ended).await.expect("its task ends");
}
