//! AI Core fails while a deployment is being deleted: nothing is released, nothing is repeated blindly, and the deletion ends when AI Core is
//! back.

use aicore_emulator::Operation::{
    self, CreateDeployment, DeleteDeployment, GetDeployment, ListDeployments, StopDeployment,
};
use aicore_emulator::{Effect, Response, StaleList};
use harness::scene::LIMIT;

use crate::manifests::{deployment, scene};

/// How many lists have to fail before the test believes that the operator bears it.
const FAILED_LISTS: usize = 3;

/// Deletes a running deployment while every call goes wrong, and brings AI Core back.
async fn deletion_survives(effect: Effect) {
    deletion_survives_of(&[], effect).await;
}

/// The same where calls of these operations go wrong. A stop may still be sent, on the list from before.
async fn deletion_survives_of(operations: &[Operation], effect: Effect) {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene
        .ai_core
        .fault("outage", operations, None, effect)
        .await;

    scene.delete("Deployment", "churn").await;

    scene.ai_core.listed_again(FAILED_LISTS, LIMIT).await;
    let object = scene.get("Deployment", "churn").await;
    assert!(object["metadata"]["deletionTimestamp"].is_string());
    assert!(scene.ai_core.status_of(&id).await.is_some());
    let effects = scene.ai_core.effects().await;
    assert!(
        effects
            .iter()
            .all(|(operation, _)| *operation != DeleteDeployment),
        "{effects:?}"
    );
    scene.ai_core.heal().await;
    scene.until_gone("Deployment", "churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

fn answer(status: u16, content_type: &str, body: &str, retry_after: Option<&str>) -> Effect {
    Effect::Respond(Response {
        status,
        body: body.to_owned(),
        content_type: Some(content_type.to_owned()),
        retry_after: retry_after.map(str::to_owned),
    })
}

/// A whole list, and nothing in it.
fn empty_list() -> Effect {
    let body = r#"{"count":0,"resources":[]}"#;
    answer(200, "application/json", body, None)
}

#[tokio::test]
async fn a_deletion_survives_an_outage() {
    deletion_survives(Effect::Down).await;
}

#[tokio::test]
async fn a_deletion_survives_server_errors() {
    deletion_survives(answer(500, "text/plain", "something went wrong", None)).await;
}

#[tokio::test]
async fn a_deletion_survives_too_many_requests() {
    deletion_survives(answer(429, "text/plain", "slow down", Some("1"))).await;
}

#[tokio::test]
async fn a_deletion_survives_pages_for_people_in_place_of_answers() {
    let page = "<html><body><h1>Maintenance</h1></body></html>";
    deletion_survives(answer(200, "text/html", page, None)).await;
}

#[tokio::test]
async fn a_deletion_survives_empty_lists_that_are_no_lists() {
    deletion_survives(answer(200, "application/json", "{}", None)).await;
}

#[tokio::test]
async fn a_deletion_survives_lists_that_break_off() {
    let reads = [ListDeployments, GetDeployment];
    deletion_survives_of(&reads, Effect::TruncateBody(0.7)).await;
}

#[tokio::test]
async fn a_deletion_survives_a_404_to_everything() {
    deletion_survives(answer(404, "text/plain", "no such route", None)).await;
}

#[tokio::test]
async fn a_life_on_lists_that_are_a_second_old_makes_and_deletes_one_deployment() {
    let scene = scene().await;
    let stale = Effect::StaleList(StaleList { age_ms: 1_000 });
    scene.ai_core.fault("stale", &[], None, stale).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn revoked_tokens_are_replaced_without_anybody_noticing() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.ai_core.revoke_tokens().await;
    scene.delete_and_wait("churn").await;
    let effects = scene.ai_core.effects().await;
    let operations: Vec<_> = effects.iter().map(|(operation, _)| *operation).collect();
    assert_eq!(
        operations,
        [CreateDeployment, StopDeployment, DeleteDeployment]
    );
    scene.finish(1).await;
}

#[tokio::test]
async fn an_outage_of_a_running_deployment_is_no_reason_to_call_it_unready() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.ai_core.fault("outage", &[], None, Effect::Down).await;
    scene.ai_core.listed_again(FAILED_LISTS, LIMIT).await;
    scene.until_ready("churn", "Running").await;
    scene.ai_core.heal().await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deletion_ends_only_on_a_404_although_the_lists_wrongly_lack_the_deployment() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene
        .ai_core
        .fault("stale and empty", &[ListDeployments], None, empty_list())
        .await;
    scene.delete_and_wait("churn").await;
    assert_eq!(scene.ai_core.status_of(&id).await, None);
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deletion_survives_a_key_that_may_do_nothing_any_more() {
    deletion_survives(answer(403, "text/plain", "RBAC: access denied", None)).await;
}

#[tokio::test]
async fn a_deletion_survives_tokens_that_are_never_good_enough() {
    let unauthorized = answer(401, "text/plain", "Jwt is expired", None);
    deletion_survives_of(
        &[ListDeployments, StopDeployment, GetDeployment],
        unauthorized,
    )
    .await;
}

#[tokio::test]
async fn a_moment_without_the_deployment_in_the_lists_is_no_reason_to_call_it_missing() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    let nothing = empty_list();
    scene
        .ai_core
        .fault("stale and empty", &[ListDeployments], Some(2), nothing)
        .await;
    scene.ai_core.listed_again(4, LIMIT).await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    let events = scene.events().await;
    assert!(
        events
            .iter()
            .all(|(reason, _)| reason != "DeploymentMissing"),
        "{events:#?}"
    );
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_deployment_that_lists_lack_but_that_answers_by_its_id_goes_on_running() {
    let scene = scene().await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene
        .ai_core
        .fault("stale and empty", &[ListDeployments], None, empty_list())
        .await;
    scene
        .until_reason("Deployment", "churn", "ConfirmingAbsence")
        .await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);

    // It is asked for by its id for longer than the grace period, and its object says the same all the while.
    scene.ai_core.called(GetDeployment, 10, LIMIT).await;
    assert_eq!(
        scene.reasons_after("churn", "ConfirmingAbsence"),
        ["Running"]
    );
    scene.ai_core.heal().await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}
