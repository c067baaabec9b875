//! Resource groups, tenants, and the quota.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, path, send, text};

const GROUPS: &str = "/v2/admin/resourceGroups";
const QUOTA: &str = "/v2/admin/resourceQuota/deployments";

/// Check 4
#[tokio::test]
async fn calls_need_a_group_that_is_there() {
    let mut api = Api::start().await;
    let bare = send(
        api.http
            .get(api.url("/v2/lm/deployments"))
            .bearer_auth(&api.token),
    )
    .await;
    assert_eq!(bare.error().0, 400);
    api.group = "nobody".to_owned();
    let unknown = api.get("/v2/lm/deployments").await;
    assert_eq!(
        (unknown.status, unknown.text.as_str()),
        (403, "RBAC: access denied")
    );
    api.set(json!({"unknownGroup": "notFound404"})).await;
    assert_eq!(api.get("/v2/lm/deployments").await.error().0, 404);
    assert_eq!(
        api.get("/v2/lm/meta").await.status,
        200,
        "meta needs no group"
    );
}

/// Check 4
#[tokio::test]
async fn groups_and_tenants_do_not_see_into_each_other() {
    let mut api = Api::start().await;
    let id = api.deployment("RUNNING").await;
    let configuration = text(&api.look(&id).await["configurationId"]);
    let own_token = api.token.clone();
    let other = api.ask_for_token("client-2", "secret-2").await;
    let other_token = text(&other.json()["access_token"]);
    for (group, token) in [("team-b", &own_token), ("team-a", &other_token)] {
        api.group = group.to_owned();
        api.token.clone_from(token);
        assert_eq!(api.get(&path(&id)).await.error().0, 404);
        assert_eq!(api.delete(&path(&id)).await.error().0, 404);
        assert_eq!(api.ids("").await, Vec::<String>::new());
        assert_eq!(api.get("/v2/lm/deployments/$count").await.text, "0");
        let body = json!({"configurationId": configuration});
        assert_eq!(api.post("/v2/lm/deployments", body).await.status, 400);
    }
}

/// Check 24
#[tokio::test]
async fn the_quota_counts_stopped_deployments_until_they_are_gone() {
    let api = Api::start_with(json!({"maxDeployments": 2})).await;
    let stopped = api.deployment("STOPPED").await;
    let configuration = api.configuration("orchestration", "RUNNING").await;
    api.deploy(&configuration).await;
    let body = json!({"configurationId": configuration});
    let over = api.post("/v2/lm/deployments", body.clone()).await;
    assert_eq!(over.error().0, 400);
    assert!(over.text.contains("quota"), "{}", over.text);
    api.set(json!({"quotaStatus": 429})).await;
    assert_eq!(
        api.post("/v2/lm/deployments", body.clone()).await.error().0,
        429
    );
    let quota = api.get(QUOTA).await.json();
    assert_eq!(quota["usage"]["count"], 2);
    assert_eq!(quota["quotas"][0]["deploymentQuota"]["maxCount"], 2);
    assert!(
        api.get(&format!("{QUOTA}?quotaOnly=true"))
            .await
            .json()
            .get("usage")
            .is_none()
    );
    api.delete(&path(&stopped)).await;
    api.set(json!({"deletingMs": 0})).await;
    assert_eq!(api.get(QUOTA).await.json()["usage"]["count"], 1);
    assert_eq!(api.post("/v2/lm/deployments", body).await.status, 202);
}

/// Check 24
#[tokio::test]
async fn a_group_is_provisioned_used_and_deleted() {
    let mut api = Api::start().await;
    let created = api.post(GROUPS, json!({"resourceGroupId": "team-c"})).await;
    assert_eq!(
        (created.status, &created.json()["tenantId"]),
        (202, &json!("zone-1"))
    );
    let group = format!("{GROUPS}/team-c");
    assert_eq!(api.get(&group).await.json()["status"], "PROVISIONING");
    api.group = "team-c".to_owned();
    assert_eq!(api.get("/v2/lm/deployments").await.status, 403);
    api.set(json!({"groupProvisioningMs": 0})).await;
    assert_eq!(api.get(&group).await.json()["status"], "PROVISIONED");
    let id = api.deployment("RUNNING").await;
    let labels = json!({"labels": [{"key": "ext.ai.sap.com/team", "value": "c"}]});
    assert_eq!(api.patch(&group, labels).await.status, 202);
    let selected = format!("{GROUPS}?labelSelector=ext.ai.sap.com/team=c");
    assert_eq!(names(&api.get(&selected).await.json()), ["team-c"]);
    let deleted = api.delete(&group).await.json();
    assert_eq!(deleted["message"], "Resource Group deletion scheduled");
    assert_eq!(api.get(&group).await.status, 200);
    api.set(json!({"groupDeletingMs": 0})).await;
    assert_eq!(api.get(&group).await.error().0, 404);
    let end = api.audit_of(&id).await.pop().expect("an entry");
    assert!(
        end.before.is_some() && end.after.is_none(),
        "its deployments went with it: {end:?}"
    );
}

/// Check 24
#[tokio::test]
async fn the_default_group_stays_and_the_fifty_first_is_refused() {
    let api = Api::start().await;
    assert_eq!(
        api.delete(&format!("{GROUPS}/default")).await.error().0,
        400
    );
    for number in 3..50 {
        let body = json!({"resourceGroupId": format!("group-{number}")});
        assert_eq!(api.post(GROUPS, body).await.status, 202);
    }
    assert_eq!(api.get(GROUPS).await.json()["count"], 50);
    assert_eq!(
        api.post(GROUPS, json!({"resourceGroupId": "one-more"}))
            .await
            .error()
            .0,
        400
    );
    for invalid in ["ab", "-abc", "abc.", "a_b"] {
        let answer = api.post(GROUPS, json!({"resourceGroupId": invalid})).await;
        assert_eq!(answer.error().0, 400, "{invalid} was accepted");
    }
}

/// Beyond the numbered checks: paging of groups
#[tokio::test]
async fn groups_come_in_pages_by_link_and_by_top_and_skip() {
    let api = Api::start().await;
    let mut seen = Vec::new();
    let mut next = Some(GROUPS.to_owned());
    let mut pages = 0;
    while let Some(path) = next {
        let answer = send(
            api.request(Method::GET, &path)
                .header("Prefer", "maxpagesize=2"),
        )
        .await;
        seen.extend(names(&answer.json()));
        let link = answer
            .header("link")
            .strip_prefix('<')
            .and_then(|link| link.split_once('>'));
        next = link.map(|(url, _)| url.replace(&api.emulator.url(), ""));
        pages += 1;
    }
    assert_eq!((seen, pages), (vec_of(&["default", "team-a", "team-b"]), 2));
    let page = api
        .get(&format!("{GROUPS}?$top=1&$skip=1&$count=true"))
        .await
        .json();
    assert_eq!(
        (names(&page), &page["count"]),
        (vec_of(&["team-a"]), &json!(3))
    );
    assert_eq!(
        api.get(&format!("{GROUPS}?continueToken=stale"))
            .await
            .error()
            .0,
        410
    );
}

fn names(list: &Value) -> Vec<String> {
    let resources = list["resources"].as_array().expect("resources");
    resources
        .iter()
        .map(|one| text(&one["resourceGroupId"]))
        .collect()
}

fn vec_of(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
