//! Stops, and changes of configuration.

use serde_json::json;

use crate::api::{Api, path, text};

const STATUS_CODE: &str = "01010076";

/// Check 10
#[tokio::test]
async fn running_and_pending_deployments_can_be_stopped() {
    for status in ["RUNNING", "PENDING"] {
        let api = Api::start().await;
        let id = api.deployment(status).await;
        let answer = api
            .patch(&path(&id), json!({"targetStatus": "STOPPED"}))
            .await;
        let expected = json!({"id": id, "message": "Deployment modification scheduled"});
        assert_eq!((answer.status, answer.json()), (202, expected));
        assert_eq!(api.state(&id).await, format!("{status}/STOPPED"));
        api.set(json!({"stoppingMs": 0})).await;
        let stopped = api.look(&id).await;
        assert_eq!(text(&stopped["status"]), "STOPPED");
        assert!(stopped["completionTime"].is_string());
        let steps = api.audit_of(&id).await;
        let seen: Vec<_> = steps
            .iter()
            .filter_map(|entry| entry.after.clone())
            .map(|state| state.status)
            .collect();
        assert!(
            seen.contains(&"STOPPING".to_owned()),
            "STOPPING comes in between: {seen:?}"
        );
    }
}

/// Check 11
#[tokio::test]
async fn no_other_status_can_be_stopped() {
    let api = Api::start().await;
    for status in ["UNKNOWN", "STOPPING", "STOPPED", "DEAD"] {
        let id = api.deployment(status).await;
        let before = api.state(&id).await;
        let answer = api
            .patch(&path(&id), json!({"targetStatus": "STOPPED"}))
            .await;
        assert_eq!(answer.error(), (400, STATUS_CODE.to_owned()));
        assert!(
            answer
                .text
                .contains(&format!("Current status {status} cannot be changed"))
        );
        assert_eq!(
            api.state(&id).await,
            before,
            "a refused call changes nothing"
        );
    }
    let id = api.deployment("UNKNOWN").await;
    for status in [409, 412] {
        api.set(json!({"illegalStopStatus": status})).await;
        let answer = api
            .patch(&path(&id), json!({"targetStatus": "STOPPED"}))
            .await;
        assert_eq!(answer.error(), (status, STATUS_CODE.to_owned()));
    }
}

/// Check 15
#[tokio::test]
async fn a_patch_can_stop_or_change_the_configuration_and_nothing_else() {
    let api = Api::start().await;
    let id = api.deployment("RUNNING").await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    let impossible = [
        json!({"targetStatus": "RUNNING"}),
        json!({"targetStatus": "DELETED"}),
        json!({}),
        json!({"targetStatus": "STOPPED", "configurationId": configuration}),
    ];
    for body in impossible {
        assert_eq!(api.patch(&path(&id), body).await.error().0, 400);
    }
    assert_eq!(api.state(&id).await, "RUNNING/RUNNING");
    let stopped = api.deployment("STOPPED").await;
    for body in [
        json!({"targetStatus": "RUNNING"}),
        json!({"configurationId": configuration}),
    ] {
        assert_eq!(api.patch(&path(&stopped), body).await.error().0, 400);
    }
    let bulk = Api::start_with(json!({"bulkUpdates": "present"})).await;
    let stopped = bulk.deployment("STOPPED").await;
    assert_eq!(bulk.bulk(&[(&stopped, "RUNNING")]).await.error().0, 400);
    assert_eq!(bulk.state(&stopped).await, "STOPPED/STOPPED");
}

/// Check 16
#[tokio::test]
async fn another_configuration_of_the_same_executable_can_be_given() {
    for status in ["PENDING", "RUNNING", "DEAD"] {
        let api = Api::start().await;
        let id = api.deployment(status).await;
        let url = text(&api.look(&id).await["deploymentUrl"]);
        let next = api.configuration("orchestration", "RUNNING").await;
        let answer = api
            .patch(&path(&id), json!({"configurationId": next}))
            .await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        let pending = api.look(&id).await;
        assert_eq!(text(&pending["status"]), "PENDING");
        assert_eq!(text(&pending["lastOperation"]), "UPDATE");
        assert_eq!(text(&pending["deploymentUrl"]), url);
        assert_eq!(text(&pending["configurationId"]), next);
        api.set(json!({"runningUpdateMs": 0})).await;
        assert_eq!(
            text(&api.look(&id).await["latestRunningConfigurationId"]),
            next
        );
    }
}

/// Check 16
#[tokio::test]
async fn a_configuration_that_does_not_fit_or_a_status_that_forbids_it_is_refused() {
    let api = Api::start().await;
    let running = api.deployment("RUNNING").await;
    let other = api.configuration("churn-server", "RUNNING").await;
    for configuration in [other.as_str(), "no-such-configuration"] {
        let answer = api
            .patch(&path(&running), json!({"configurationId": configuration}))
            .await;
        assert_eq!(answer.error(), (400, "01510003".to_owned()));
    }
    let fitting = api.configuration("orchestration", "RUNNING").await;
    for status in ["UNKNOWN", "STOPPING", "STOPPED"] {
        let id = api.deployment(status).await;
        let answer = api
            .patch(&path(&id), json!({"configurationId": fitting}))
            .await;
        assert_eq!(answer.error(), (400, STATUS_CODE.to_owned()));
    }
}

/// Check 16
#[tokio::test]
async fn a_bad_configuration_ends_dead_and_the_old_one_brings_it_back() {
    let api = Api::start_with(json!({"runningUpdateMs": 0})).await;
    let id = api.deployment("RUNNING").await;
    let good = text(&api.look(&id).await["configurationId"]);
    let bad = api.configuration("orchestration", "DEAD").await;
    api.patch(&path(&id), json!({"configurationId": bad})).await;
    let dead = api.look(&id).await;
    assert_eq!(text(&dead["status"]), "DEAD");
    assert_eq!(text(&dead["latestRunningConfigurationId"]), good);
    api.patch(&path(&id), json!({"configurationId": good}))
        .await;
    assert_eq!(api.state(&id).await, "RUNNING/RUNNING");
}

/// Check 16
#[tokio::test]
async fn the_present_configuration_again_changes_nothing_or_is_refused() {
    let api = Api::start().await;
    let id = api.deployment("RUNNING").await;
    let body = json!({"configurationId": api.look(&id).await["configurationId"]});
    assert_eq!(api.patch(&path(&id), body.clone()).await.status, 202);
    assert_eq!(api.state(&id).await, "RUNNING/RUNNING");
    api.set(json!({"sameConfigurationPatch": "refuse"})).await;
    assert_eq!(api.patch(&path(&id), body).await.error().0, 400);
}
