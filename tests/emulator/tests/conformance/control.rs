//! The control plane: what tests see and do behind the API's back.

use aicore_emulator::{Kind, Operation};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, path, send, text};

#[tokio::test]
async fn the_log_tells_the_life_of_a_deployment_in_order() {
    let api =
        Api::start_with(json!({"unknownMs": 0, "pendingMs": 0, "stoppingMs": 0, "deletingMs": 0}))
            .await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    let id = api.deploy(&configuration).await;
    api.patch(&path(&id), json!({"targetStatus": "STOPPED"}))
        .await;
    api.delete(&path(&id)).await;
    let entries = api.audit_of(&id).await;
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| {
            let after = entry
                .after
                .as_ref()
                .map(|state| format!("{}/{}", state.status, state.target_status));
            (entry.operation, after.unwrap_or_else(|| "gone".to_owned()))
        })
        .collect();
    let expected = [
        (Operation::CreateDeployment, "UNKNOWN/RUNNING"),
        (Operation::Transition, "PENDING/RUNNING"),
        (Operation::Transition, "RUNNING/RUNNING"),
        (Operation::StopDeployment, "RUNNING/STOPPED"),
        (Operation::Transition, "STOPPING/STOPPED"),
        (Operation::Transition, "STOPPED/STOPPED"),
        (Operation::DeleteDeployment, "STOPPED/DELETED"),
        (Operation::Transition, "gone"),
    ];
    assert_eq!(
        seen,
        expected.map(|(operation, after)| (operation, after.to_owned()))
    );
    assert_eq!(entries[0].before, None);
    for pair in entries.windows(2) {
        assert_eq!(
            pair[0].after, pair[1].before,
            "each entry begins where the one before ended"
        );
    }
    assert!(
        entries
            .iter()
            .all(|entry| entry.configuration_id.as_ref() == Some(&configuration))
    );
}

#[tokio::test]
async fn the_log_is_ordered_by_number_and_by_time_even_when_settings_are_shortened() {
    let api = Api::start().await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    api.deploy(&configuration).await;
    api.set(json!({"unknownMs": 0, "pendingMs": 0})).await;
    api.ids("").await;
    let entries = api.audit().await;
    assert!(entries.is_sorted_by_key(|entry| entry.at), "{entries:#?}");
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
    let first = numbers[0];
    let expected: Vec<u64> = (first..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
    let last = entries.len() as u64;
    let tail = send(
        api.http
            .get(api.url(&format!("/_emulator/audit?after={}", last - 2))),
    )
    .await
    .json();
    assert_eq!(tail["entries"].as_array().map(Vec::len), Some(2));
    api.control(Method::DELETE, "/audit", Value::Null).await;
    assert_eq!(api.audit().await, []);
}

#[tokio::test]
async fn refused_and_unauthenticated_calls_are_logged_and_no_secret_is() {
    let api = Api::start().await;
    send(api.http.get(api.url("/v2/lm/deployments"))).await;
    api.ask_for_token("client-1", "a wrong secret").await;
    api.get("/v2/nothing").await;
    let entries = api.audit().await;
    let calls: Vec<_> = entries
        .iter()
        .filter(|entry| entry.kind == Kind::Call)
        .collect();
    let seen: Vec<_> = calls
        .iter()
        .map(|entry| (entry.operation, entry.http_status, entry.accepted))
        .collect();
    let expected = [
        (Operation::Token, Some(200), true),
        (Operation::ListDeployments, Some(401), false),
        (Operation::Token, Some(401), false),
        (Operation::Other, Some(404), false),
    ];
    assert_eq!(seen, expected);
    assert_eq!(
        (calls[2].tenant.as_deref(), calls[2].client_id.as_deref()),
        (None, Some("client-1"))
    );
    let log = serde_json::to_string(&entries).expect("a log");
    assert!(!log.contains("secret") && !log.contains(&api.token));
}

#[tokio::test]
async fn any_state_can_be_forced_and_held() {
    let api = Api::start_with(json!({"unknownMs": 0, "pendingMs": 0})).await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    let id = api.deploy(&configuration).await;
    let forced =
        json!({"status": "HIBERNATING", "targetStatus": "ASLEEP", "statusMessage": "why not"});
    let control = format!("/deployments/{id}");
    assert_eq!(
        api.control(Method::PATCH, &control, forced).await.status,
        204
    );
    assert_eq!(api.state(&id).await, "HIBERNATING/ASLEEP");
    assert_eq!(text(&api.look(&id).await["statusMessage"]), "why not");
    let frozen = json!({"status": "PENDING", "targetStatus": "RUNNING", "frozen": true});
    api.control(Method::PATCH, &control, frozen).await;
    assert_eq!(api.state(&id).await, "PENDING/RUNNING");
    api.control(Method::PATCH, &control, json!({"frozen": false}))
        .await;
    assert_eq!(api.state(&id).await, "RUNNING/RUNNING");
    assert_eq!(
        api.control(Method::DELETE, &control, Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(api.get(&path(&id)).await.error().0, 404);
    let end = api
        .audit_of(&id)
        .await
        .into_iter()
        .rfind(|entry| entry.kind == Kind::Control);
    assert!(end.is_some_and(|entry| entry.after.is_none() && entry.before.is_some()));
}

#[tokio::test]
async fn other_people_create_configurations_groups_and_deployments() {
    let mut api = Api::start().await;
    let group = json!({"tenant": "zone-1", "resourceGroupId": "team-c"});
    assert_eq!(
        api.control(Method::POST, "/resource-groups", group)
            .await
            .status,
        204
    );
    let configuration = json!({
        "resourceGroup": "team-c",
        "name": "theirs",
        "scenarioId": "foundation-models",
        "executableId": "azure-openai",
        "parameters": {"modelName": "gpt-4o"},
    });
    let configuration = api
        .control(Method::POST, "/configurations", configuration)
        .await
        .id();
    let deployment = json!({"resourceGroup": "team-c", "configurationId": configuration});
    let id = api
        .control(Method::POST, "/deployments", deployment)
        .await
        .id();
    api.group = "team-c".to_owned();
    assert_eq!(text(&api.look(&id).await["configurationName"]), "theirs");
    let all = send(
        api.http
            .get(api.url("/_emulator/deployments?resourceGroup=team-c")),
    )
    .await
    .json();
    assert_eq!(
        (
            &all["deployments"][0]["id"],
            &all["deployments"][0]["tenant"]
        ),
        (&json!(id), &json!("zone-1"))
    );
    let removed = api
        .control(
            Method::DELETE,
            "/resource-groups/team-c?tenant=zone-1",
            Value::Null,
        )
        .await;
    assert_eq!(removed.status, 204);
    assert_eq!(api.get("/v2/lm/deployments").await.status, 403);
}

#[tokio::test]
async fn a_service_key_leads_to_its_tenant() {
    let api = Api::start().await;
    let key = send(
        api.http
            .get(api.url("/_emulator/service-key?tenant=zone-2")),
    )
    .await
    .json();
    assert_eq!(
        (text(&key["identityzoneid"]), text(&key["url"])),
        ("zone-2".into(), api.emulator.url())
    );
    assert_eq!(text(&key["serviceurls"]["AI_API_URL"]), api.emulator.url());
    let token = api
        .ask_for_token(&text(&key["clientid"]), &text(&key["clientsecret"]))
        .await;
    assert_eq!(token.status, 200);
    let missing = send(
        api.http
            .get(api.url("/_emulator/service-key?tenant=zone-9")),
    )
    .await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn a_misspelt_setting_is_refused_with_a_sentence() {
    let api = Api::start().await;
    let answer = api
        .control(Method::PATCH, "/settings", json!({"unknownMsec": 1}))
        .await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("unknownMsec"), "{}", answer.text);
}
