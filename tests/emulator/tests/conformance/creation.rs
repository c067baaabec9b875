//! From POST to RUNNING, or to another end.

use serde_json::json;

use crate::api::{Api, path, text};

const DEPLOYMENTS: &str = "/v2/lm/deployments";

/// Check 5
#[tokio::test]
async fn a_new_deployment_is_unknown_and_has_no_url() {
    let api = Api::start().await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    let body = json!({"configurationId": configuration, "ttl": "24H"});
    let answer = api.post(DEPLOYMENTS, body).await;
    let id = answer.id();
    assert_eq!(answer.status, 202);
    let expected = json!({
        "id": id,
        "message": "Deployment scheduled.",
        "deploymentUrl": "",
        "status": "UNKNOWN",
        "ttl": "24H",
    });
    assert_eq!(answer.json(), expected);
    assert_eq!(answer.header("location"), api.url(&path(&id)));
    let digits = id.strip_prefix('d').expect("an id begins with d");
    assert!(
        digits.len() == 15
            && digits
                .bytes()
                .all(|byte| b"0123456789abcdef".contains(&byte))
    );
    let seen = api.look(&id).await;
    assert_eq!(
        (text(&seen["lastOperation"]), text(&seen["ttl"])),
        ("CREATE".into(), "24H".into())
    );
}

/// Check 6
#[tokio::test]
async fn an_unusable_request_creates_nothing() {
    let api = Api::start().await;
    let no_model = json!({
        "name": "without a model",
        "scenarioId": "foundation-models",
        "executableId": "azure-openai",
    });
    let no_model = api.post("/v2/lm/configurations", no_model).await.id();
    for configuration in ["no-such-configuration", &no_model] {
        let answer = api
            .post(DEPLOYMENTS, json!({"configurationId": configuration}))
            .await;
        assert_eq!(answer.error(), (400, "01510003".to_owned()));
    }
    for body in [json!({}), json!({"configurationId": 7}), json!([])] {
        assert_eq!(api.post(DEPLOYMENTS, body).await.error().0, 400);
    }
    assert_eq!(api.ids("").await, Vec::<String>::new());
}

/// Check 6
#[tokio::test]
async fn a_configuration_needs_an_executable_that_exists() {
    let api = Api::start().await;
    let body = json!({"name": "odd", "scenarioId": "churn", "executableId": "azure-openai"});
    let answer = api.post("/v2/lm/configurations", body).await;
    assert_eq!(answer.error().0, 400);
    assert!(
        answer
            .text
            .contains("executable azure-openai for scenario churn is not found")
    );
}

/// Check 7
#[tokio::test]
async fn a_time_to_live_is_a_number_and_a_unit_of_at_least_ten_minutes() {
    let api = Api::start().await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    for ttl in ["10m", "24H", "2d"] {
        let body = json!({"configurationId": configuration, "ttl": ttl});
        assert_eq!(
            api.post(DEPLOYMENTS, body).await.status,
            202,
            "{ttl} was refused"
        );
    }
    for ttl in ["4.5h", "4h30m", "5w", "5", "9m"] {
        let body = json!({"configurationId": configuration, "ttl": ttl});
        assert_eq!(
            api.post(DEPLOYMENTS, body).await.error().0,
            400,
            "{ttl} was accepted"
        );
    }
}

/// Check 7
#[tokio::test]
async fn at_the_end_of_its_time_to_live_a_deployment_is_stopped_and_then_deleted() {
    let api = Api::start_with(json!({"unknownMs": 0, "pendingMs": 0})).await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    let body = json!({"configurationId": configuration, "ttl": "10m"});
    let id = api.post(DEPLOYMENTS, body).await.id();
    assert_eq!(api.state(&id).await, "RUNNING/RUNNING");
    api.set(json!({"ttlScale": 1e12})).await;
    assert_eq!(api.state(&id).await, "RUNNING/STOPPED");
    api.set(json!({"stoppingMs": 0})).await;
    assert_eq!(api.state(&id).await, "STOPPED/DELETED");
    api.set(json!({"deletingMs": 0})).await;
    assert_eq!(api.get(&path(&id)).await.error().0, 404);
}

/// Check 8
#[tokio::test]
async fn a_fresh_deployment_can_be_invisible_for_a_while() {
    let api = Api::start_with(json!({"freshNotFoundMs": 60_000})).await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    let id = api.deploy(&configuration).await;
    let missing = api.get(&path(&id)).await;
    assert_eq!(missing.error().0, 404);
    assert!(
        missing
            .text
            .contains(&format!("Deployment ID {id} not found"))
    );
    assert_eq!(api.ids("").await, Vec::<String>::new());
    assert_eq!(api.get("/v2/lm/deployments/$count").await.text, "0");
    api.set(json!({"freshNotFoundMs": 0})).await;
    assert_eq!(api.state(&id).await, "UNKNOWN/RUNNING");
    assert_eq!(api.ids("").await, [id]);
}

/// Check 9
#[tokio::test]
async fn a_deployment_becomes_pending_and_then_runs() {
    let api = Api::start().await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    let id = api.deploy(&configuration).await;
    let unknown = api.look(&id).await;
    assert_eq!(
        (text(&unknown["status"]), unknown.get("submissionTime")),
        ("UNKNOWN".into(), None)
    );
    api.set(json!({"unknownMs": 0})).await;
    let pending = api.look(&id).await;
    assert_eq!(text(&pending["status"]), "PENDING");
    assert!(pending["submissionTime"].is_string() && pending.get("startTime").is_none());
    assert_eq!(text(&pending["deploymentUrl"]), "");
    assert_eq!(pending.get("latestRunningConfigurationId"), None);
    api.set(json!({"pendingMs": 0})).await;
    let running = api.look(&id).await;
    assert_eq!(text(&running["status"]), "RUNNING");
    assert!(running["startTime"].is_string());
    let url = api.url(&format!("/v2/inference/deployments/{id}"));
    assert_eq!(text(&running["deploymentUrl"]), url);
    assert_eq!(
        text(&running["latestRunningConfigurationId"]),
        configuration
    );
}

/// Check 17
#[tokio::test]
async fn a_dead_deployment_is_removed_after_seven_days() {
    let api = Api::start_with(json!({"unknownMs": 0, "pendingMs": 0})).await;
    let configuration = api.configuration("orchestration", "DEAD").await;
    let id = api.deploy(&configuration).await;
    let dead = api.look(&id).await;
    assert_eq!(text(&dead["status"]), "DEAD");
    assert!(dead["statusMessage"].is_string() && dead["completionTime"].is_string());
    api.set(json!({"ttlScale": 1e12})).await;
    assert_eq!(api.get(&path(&id)).await.error().0, 404);
}

/// Beyond the numbered checks: scripted outcomes
#[tokio::test]
async fn a_deployment_can_be_made_to_stay_unknown_or_pending() {
    let api = Api::start_with(json!({"unknownMs": 0, "pendingMs": 0})).await;
    for (outcome, state) in [
        ("STUCK_UNKNOWN", "UNKNOWN/RUNNING"),
        ("STUCK_PENDING", "PENDING/RUNNING"),
    ] {
        let configuration = api.configuration("orchestration", outcome).await;
        let id = api.deploy(&configuration).await;
        assert_eq!(api.state(&id).await, state);
    }
}

/// Beyond the numbered checks: catalogue
#[tokio::test]
async fn scenarios_executables_versions_and_models_can_be_read() {
    let api = Api::start().await;
    assert_eq!(api.get("/v2/lm/scenarios").await.json()["count"], 3);
    let executables = api.get("/v2/lm/scenarios/churn/executables").await.json();
    assert_eq!(executables["count"], 3);
    let executable = api
        .get("/v2/lm/scenarios/churn/executables/churn-scorer")
        .await
        .json();
    assert_eq!(
        (
            &executable["deployable"],
            &executable["inputArtifacts"][0]["name"]
        ),
        (&json!(true), &json!("model"))
    );
    assert_eq!(
        api.get("/v2/lm/scenarios/churn/executables?versionId=9")
            .await
            .json()["count"],
        0
    );
    assert_eq!(
        api.get("/v2/lm/scenarios/churn/versions").await.json()["count"],
        1
    );
    let models = api
        .get("/v2/lm/scenarios/foundation-models/models")
        .await
        .json();
    assert_eq!(models["resources"][0]["model"], "gpt-4o");
    for missing in [
        "/v2/lm/scenarios/nothing",
        "/v2/lm/scenarios/churn/executables/nothing",
    ] {
        assert_eq!(api.get(missing).await.error().0, 404);
    }
}
