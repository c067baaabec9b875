//! Each call does what it says, whatever form the contract leaves to the server.

use aicore_operator::aicore::{
    ConfigurationFilter, Error, GroupStatus, NewConfiguration, ParameterBinding, Status,
    TargetStatus,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::remote::{GROUP, Remote};
use crate::scripted::{Scripted, answer, list};

const CHURN: ConfigurationFilter<'static> = ConfigurationFilter {
    scenario_id: Some("churn"),
    executable_id: Some("churn-server"),
};

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
async fn configurations_are_found_by_their_executable_and_read_back() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let name = "aicore.dev/cluster/team/churn/uid/0123456789abcdef";
    let id = client
        .create_configuration(GROUP, &new_configuration(name))
        .await
        .unwrap();
    let found = client.find_configurations(GROUP, &CHURN).await.unwrap();
    assert_eq!(
        found.iter().map(|found| &found.id).collect::<Vec<_>>(),
        [&id]
    );
    let read = client.get_configuration(GROUP, &id).await.unwrap();
    assert_eq!(
        (&read, read.name.as_str(), read.scenario_id.as_deref()),
        (&found[0], name, Some("churn"))
    );
    let other = ConfigurationFilter {
        executable_id: Some("another-server"),
        ..CHURN
    };
    let found = client.find_configurations(GROUP, &other).await.unwrap();
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn configurations_are_found_also_where_the_server_refuses_to_filter() {
    let server = Scripted::start(vec![
        answer("400 Bad Request", "", "unknown parameter"),
        list(json!(1), [json!({"id": "c1", "name": "n"})]),
    ])
    .await;
    let found = server.client().find_configurations(GROUP, &CHURN).await;
    assert_eq!(found.unwrap()[0].id, "c1");
    let requests = server.requests().await;
    assert!(
        requests[1].contains("scenarioId=churn&executableIds=churn-server"),
        "{}",
        requests[1]
    );
    assert!(
        requests[2].starts_with("GET /v2/lm/configurations HTTP"),
        "{}",
        requests[2]
    );
}

#[tokio::test]
async fn what_was_created_is_known_by_its_location_where_the_body_does_not_tell() {
    let created = |path: &str, body| {
        let location = format!("location: https://api.example.com/v2/lm/{path}\r\n");
        answer("202 Accepted", &location, body)
    };
    let server = Scripted::start(vec![
        created("deployments/d1234/", ""),
        created("configurations/c1234", r#"{"message":"created"}"#),
        created("deployments/d1234", r#"{"id":"d5678"}"#),
        created("deployments", "{}"),
    ])
    .await;
    let client = server.client();
    let deployment = client.create_deployment(GROUP, "c1", None).await;
    assert_eq!(deployment.unwrap(), "d1234");
    let configuration = client
        .create_configuration(GROUP, &new_configuration("n"))
        .await;
    assert_eq!(configuration.unwrap(), "c1234");
    let deployment = client.create_deployment(GROUP, "c1", None).await;
    assert_eq!(deployment.unwrap(), "d5678");
    let error = client.create_deployment(GROUP, "c1", None).await;
    let error = error.unwrap_err();
    assert!(error.outcome_unknown(), "{error}");
}

#[tokio::test]
async fn a_deployment_that_is_gone_for_good_is_not_found() {
    let server = Scripted::start(vec![answer("410 Gone", "", "no longer here")]).await;
    let error = server.client().get_deployment(GROUP, "d1234").await;
    let error = error.unwrap_err();
    assert!(matches!(&error, Error::NotFound(_)), "{error}");
}

#[tokio::test]
async fn a_status_is_understood_in_any_case() {
    let deployment = json!({"id": "d1", "status": "Running", "targetStatus": "stopped"});
    let server = Scripted::start(vec![list(json!("1"), [deployment])]).await;
    let found = server.client().list_deployments(GROUP).await.unwrap();
    let found = &found.deployments[0];
    assert_eq!(
        (&found.status, &found.target_status),
        (&Status::Running, &Some(TargetStatus::Stopped))
    );
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
    // The server counts everything on every page.
    let page = |link: &str, id: &str| {
        let body =
            json!({"count": 2, "resources": [{"resourceGroupId": id, "status": "PROVISIONED"}]});
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
async fn groups_that_are_fewer_than_counted_or_none_are_not_all() {
    let group = || json!({"resourceGroupId": "g1", "status": "PROVISIONED"});
    for answer in [
        list(json!(2), [group()]),
        list(json!(2), [group(), group()]),
        list(json!(0), []),
        answer("200 OK", "", r#"{"count":0,"resources":null}"#),
    ] {
        let server = Scripted::start(vec![answer.clone()]).await;
        let error = server.client().list_resource_groups().await.unwrap_err();
        assert!(
            matches!(&error, Error::Incomplete { .. }),
            "{answer}: {error}"
        );
    }
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
        "accept-encoding: identity",
        "top=100000",
    ] {
        assert!(request.contains(part), "{part} is missing: {request}");
    }
}
