//! Each call does what it says, whatever form the contract leaves to the server.

use aicore_emulator::{Operation, Settings};
use aicore_operator::aicore::{
    Error, GroupStatus, NewConfiguration, ParameterBinding, Status, TargetStatus,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::remote::{GROUP, Remote};
use crate::scripted::{Scripted, answer};

fn new_configuration(name: &str) -> NewConfiguration {
    NewConfiguration {
        name: name.to_owned(),
        executable_id: "churn-server".to_owned(),
        scenario_id: "churn".to_owned(),
        parameter_bindings: vec![ParameterBinding {
            key: "minReplicas".to_owned(),
            value: "2".to_owned(),
        }],
        input_artifact_bindings: Vec::new(),
    }
}

#[tokio::test]
async fn a_deployment_lives_from_its_creation_to_the_proof_that_it_is_gone() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let first = client
        .create_configuration(GROUP, &new_configuration("first"))
        .await
        .unwrap();
    let second = client
        .create_configuration(GROUP, &new_configuration("second"))
        .await
        .unwrap();

    let id = client
        .create_deployment(GROUP, &first, Some("24h"))
        .await
        .unwrap();
    let created = client.get_deployment(GROUP, &id).await.unwrap();
    assert_eq!(
        (&created.status, &created.configuration_id),
        (&Status::Unknown, &first)
    );
    assert_eq!(
        (created.ttl.as_deref(), created.deployment_url),
        (Some("24h"), None)
    );
    assert_eq!(created.scenario_id.as_deref(), Some("churn"));

    remote.force(&id, "RUNNING").await;
    client
        .change_configuration(GROUP, &id, &second)
        .await
        .unwrap();
    assert_eq!(
        client
            .get_deployment(GROUP, &id)
            .await
            .unwrap()
            .configuration_id,
        second
    );
    client.stop_deployment(GROUP, &id).await.unwrap();
    let list = client.list_deployments(GROUP).await.unwrap();
    assert_eq!(
        list.deployments[0].target_status,
        Some(TargetStatus::Stopped)
    );
    assert!(list.date.is_some(), "the server's clock comes with a list");

    remote.force(&id, "STOPPED").await;
    client.delete_deployment(GROUP, &id).await.unwrap();
    let deleting = client.get_deployment(GROUP, &id).await.unwrap();
    assert_eq!(deleting.target_status, Some(TargetStatus::Deleted));
    remote
        .control(Method::DELETE, &format!("deployments/{id}"), &Value::Null)
        .await;
    let gone = client.get_deployment(GROUP, &id).await.unwrap_err();
    assert!(matches!(&gone, Error::NotFound(_)), "{gone}");
    assert!(
        client
            .list_deployments(GROUP)
            .await
            .unwrap()
            .deployments
            .is_empty()
    );
}

#[tokio::test]
async fn groups_do_not_see_each_others_deployments() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let id = remote.deployment("RUNNING").await;
    assert!(client.get_deployment(GROUP, &id).await.is_ok());
    let elsewhere = client.get_deployment("team-b", &id).await.unwrap_err();
    assert!(matches!(&elsewhere, Error::NotFound(_)), "{elsewhere}");
    assert!(
        client
            .list_deployments("team-b")
            .await
            .unwrap()
            .deployments
            .is_empty()
    );
}

#[tokio::test]
async fn nulls_and_unknown_fields_make_no_difference() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    remote.deployment("PENDING").await;
    let plain = client.list_deployments(GROUP).await.unwrap().deployments;
    remote.set(json!({"extraFields": true})).await;
    assert_eq!(
        client.list_deployments(GROUP).await.unwrap().deployments,
        plain
    );
    remote.set(json!({"nullFields": true})).await;
    let nulls = client.list_deployments(GROUP).await.unwrap().deployments;
    assert_eq!(
        (&nulls[0].id, &nulls[0].status),
        (&plain[0].id, &plain[0].status)
    );
    assert_eq!((&nulls[0].executable_id, &nulls[0].ttl), (&None, &None));
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_passed_on_as_it_is() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let id = remote.deployment("SUSPENDED").await;
    assert_eq!(
        client.get_deployment(GROUP, &id).await.unwrap().status,
        Status::Other("SUSPENDED".to_owned())
    );
    remote.force(&id, "DELETING").await;
    assert_eq!(
        client.get_deployment(GROUP, &id).await.unwrap().status,
        Status::Deleting
    );
}

#[tokio::test]
async fn configurations_are_found_by_a_part_of_their_name_and_read_back_as_they_were_made() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let name = "aicore-operator/cluster/team/churn+(1)-0123456789abcdef";
    let id = client
        .create_configuration(GROUP, &new_configuration(name))
        .await
        .unwrap();
    client
        .create_configuration(GROUP, &new_configuration("another"))
        .await
        .unwrap();
    let found = client
        .find_configurations(GROUP, "team/churn+(1)")
        .await
        .unwrap();
    assert_eq!(
        found.iter().map(|found| &found.id).collect::<Vec<_>>(),
        [&id]
    );
    let read = client.get_configuration(GROUP, &id).await.unwrap();
    assert_eq!(read, found[0]);
    assert_eq!(
        (read.name.as_str(), read.parameter_bindings),
        (name, new_configuration(name).parameter_bindings)
    );
    assert_eq!(
        client.find_configurations(GROUP, "").await.unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_search_holds_also_for_a_long_name_and_where_the_server_does_not_search() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let long = "n".repeat(100);
    for name in [format!("{long}-a"), format!("{long}-b")] {
        client
            .create_configuration(GROUP, &new_configuration(&name))
            .await
            .unwrap();
    }
    assert_eq!(
        client
            .find_configurations(GROUP, &format!("{long}-a"))
            .await
            .unwrap()
            .len(),
        1
    );

    let of = |id: &str, name: &str| json!({"id": id, "name": name, "scenarioId": "s", "executableId": "e"});
    let all = json!({"count": 2, "resources": [of("c1", "wanted-1"), of("c2", "other")]});
    remote
        .respond(Operation::ListConfigurations, 200, &all.to_string())
        .await;
    let found = client.find_configurations(GROUP, "wanted").await.unwrap();
    assert_eq!(
        found.into_iter().map(|found| found.id).collect::<Vec<_>>(),
        ["c1"]
    );
}

#[tokio::test]
async fn configurations_of_a_server_with_small_pages_are_all_found_or_none_is() {
    let page = |count: u32, ids: &[&str]| {
        let of = |id: &&str| json!({"id": id, "name": "n", "scenarioId": "s", "executableId": "e"});
        let body = json!({"count": count, "resources": ids.iter().map(of).collect::<Vec<_>>()});
        answer("200 OK", "", &body.to_string())
    };
    let server = Scripted::start(vec![page(3, &["c1", "c2"]), page(3, &["c3"])]).await;
    assert_eq!(
        server
            .client()
            .find_configurations(GROUP, "n")
            .await
            .unwrap()
            .len(),
        3
    );
    let requests = server.requests().await;
    assert!(requests[2].contains("skip=2"), "{}", requests[2]);

    let server = Scripted::start(vec![page(3, &["c1", "c2"]), page(3, &["c1", "c2"])]).await;
    let error = server
        .client()
        .find_configurations(GROUP, "n")
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Incomplete { .. }), "{error}");
}

#[tokio::test]
async fn resource_groups_are_listed_and_read() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let mut groups = client.list_resource_groups().await.unwrap();
    groups.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(
        groups
            .iter()
            .map(|group| group.id.as_str())
            .collect::<Vec<_>>(),
        ["default", GROUP, "team-b"]
    );
    let group = client.get_resource_group(GROUP).await.unwrap();
    assert_eq!(group.status, Some(GroupStatus::Provisioned));
    let missing = client.get_resource_group("team-z").await.unwrap_err();
    assert!(matches!(&missing, Error::NotFound(_)), "{missing}");
}

#[tokio::test]
async fn pages_of_resource_groups_are_followed_on_our_own_address_only() {
    let page = |link: &str, id: &str| {
        let body =
            json!({"count": 1, "resources": [{"resourceGroupId": id, "status": "PROVISIONED"}]});
        answer("200 OK", link, &body.to_string())
    };
    let link =
        "link: <http://192.0.2.1/v2/admin/resourceGroups?continueToken=t%2F1>; rel=\"next\"\r\n";
    let server = Scripted::start(vec![page(link, "g1"), page("", "g2")]).await;
    assert_eq!(
        server.client().list_resource_groups().await.unwrap().len(),
        2
    );
    let requests = server.requests().await;
    assert!(
        requests[2].starts_with("GET /v2/admin/resourceGroups?continueToken=t%2F1 "),
        "{}",
        requests[2]
    );

    let server = Scripted::start(vec![page(link, "g1"), answer("410 Gone", "", "")]).await;
    let error = server.client().list_resource_groups().await.unwrap_err();
    assert!(matches!(&error, Error::Incomplete { .. }), "{error}");
}

#[tokio::test]
async fn the_bulk_capability_is_there_only_when_the_server_says_so() {
    for (setting, expected) in [("present", true), ("absent", false), ("missing", false)] {
        let remote = Remote::start().await;
        remote.set(json!({"bulkUpdates": setting})).await;
        let meta = remote.client().await.meta().await.unwrap();
        assert_eq!(
            (meta.bulk_updates, meta.runtime_identifier.as_deref()),
            (expected, Some("aicore")),
            "{setting}"
        );
    }
}

#[tokio::test]
async fn a_request_says_who_asks_and_for_which_group() {
    let server = Scripted::start(vec![answer("200 OK", "", r#"{"resources":[]}"#)]).await;
    server.client().list_deployments(GROUP).await.unwrap();
    let requests = server.requests().await;
    let request = requests[1].to_ascii_lowercase();
    assert!(request.starts_with("get /v2/lm/deployments?"), "{request}");
    for part in [
        "authorization: bearer the-access-token",
        "ai-resource-group: team-a",
        "ai-client-type: aicore-operator",
        "user-agent: aicore-operator/",
        "top=100000",
    ] {
        assert!(request.contains(part), "{part} is missing: {request}");
    }
}

#[tokio::test]
async fn ten_thousand_deployments_are_one_list() {
    let remote = Remote::with(Settings::default()).await;
    let seed = json!({"resourceGroup": GROUP, "count": 10_000, "status": "RUNNING"});
    remote
        .control(Method::POST, "deployments/seed", &seed)
        .await;
    assert_eq!(
        remote
            .client()
            .await
            .list_deployments(GROUP)
            .await
            .unwrap()
            .deployments
            .len(),
        10_000
    );
    assert_eq!(remote.count(Operation::ListDeployments).await, 1);
}
