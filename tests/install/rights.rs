//! The roles of the chart give exactly what is used: a whole life is told by the API server's audit log, nothing in it was refused, and nothing in the
//! roles is missing from it.

use std::collections::BTreeSet;
use std::time::Instant;

use harness::control_plane::AuditEntry;
use harness::manifests::with;
use harness::scene::LIMIT;
use jiff::{SignedDuration, Timestamp};
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::manifest::is_told;
use crate::world::{MODEL, QUICK, RELEASE, World, end, texts};

/// The namespace of the Deployments.
const TEAM: &str = "team-a";

/// Where a right counts: everywhere, in the operator's own namespace, or in the only one that it looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Everywhere,
    Own,
    Watched,
}

/// One right: scope, API group, resource with its subresource, verb.
type Right = (Scope, String, String, String);

/// A role: where its rights count, its namespace or any, its kind and its name.
type Role = (Scope, &'static str, [&'static str; 2]);

/// The roles of the chart with its default values.
const DEFAULT: [Role; 3] = [
    (
        Scope::Everywhere,
        RELEASE,
        ["clusterrole", "aicore-operator"],
    ),
    (
        Scope::Everywhere,
        RELEASE,
        ["clusterrole", "aicore-operator-secrets"],
    ),
    (Scope::Own, RELEASE, ["role", "aicore-operator"]),
];

/// Those of an operator that looks at one namespace.
const WATCHING_ONE: [Role; 3] = [
    (
        Scope::Everywhere,
        RELEASE,
        ["clusterrole", "aicore-operator-aicore-operator"],
    ),
    (
        Scope::Watched,
        TEAM,
        ["role", "aicore-operator-aicore-operator-objects"],
    ),
    (Scope::Own, RELEASE, ["role", "aicore-operator"]),
];

/// What these roles give.
async fn given(world: &World, roles: &[Role]) -> BTreeSet<Right> {
    let mut given = BTreeSet::new();
    for (scope, namespace, role) in roles {
        let role = world.get(namespace, role).await;
        for rule in role["rules"].as_array().into_iter().flatten() {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    for verb in texts(&rule["verbs"]) {
                        let right = (*scope, group.into(), resource.into(), verb.into());
                        given.insert(right);
                    }
                }
            }
        }
    }
    given
}

/// What was used by an operator with these roles. Leases and the records of forced releases are in the operator's own namespace, which has no other
/// ConfigMap here.
fn used(world: &World, roles: &[Role]) -> BTreeSet<Right> {
    let watches_one = roles.iter().any(|(scope, ..)| *scope == Scope::Watched);
    let requests = world.requests().into_iter();
    let requests = requests.filter(|entry| !entry.resource.is_empty());
    requests
        .map(|entry| {
            let own = ["leases", "configmaps"].contains(&entry.resource.as_str());
            let scope = match own && entry.namespace == RELEASE {
                true => Scope::Own,
                false if watches_one && entry.namespace == TEAM => Scope::Watched,
                false => Scope::Everywhere,
            };
            let resource = match entry.subresource.as_str() {
                "" => entry.resource,
                subresource => format!("{}/{subresource}", entry.resource),
            };
            (scope, entry.group, resource, entry.verb)
        })
        .collect()
}

/// A Deployment of the team, through the Connection of this namespace.
fn of_team(connection: &str, name: &str, fields: &Value) -> Value {
    let mut object = with(name, json!({"resourceGroup": "default"}));
    object["spec"]["connectionRef"] = json!({"name": "aicore", "namespace": connection});
    let configuration = json!({"scenarioId": "churn", "executableId": "churn-server"});
    object["spec"]["configuration"] = configuration;
    for (field, value) in fields.as_object().expect("fields are an object") {
        object["spec"][field] = value.clone();
    }
    object
}

async fn patch(world: &World, namespace: &str, what: &[&str], change: &Value) {
    let change = change.to_string();
    let patch = [
        "patch",
        "--type=merge",
        "-p",
        &change,
        "--namespace",
        namespace,
    ];
    world.kubectl(&[&patch, what].concat()).await;
}

/// An application is told where its model is, that it is away, and nothing more.
async fn publish(world: &World, connection: &str) {
    let object = of_team(
        connection,
        "told",
        &json!({"endpoint": {"configMapName": "told"}}),
    );
    world.put(TEAM, &object).await;
    world.until_ready(TEAM, "told").await;
    let stopped = json!({"spec": {"desiredState": "Stopped"}});
    patch(world, TEAM, &["aid", "told"], &stopped).await;
    let away = |map: &Value| map["data"]["AICORE_DEPLOYMENT_URL"] == "";
    world.until(TEAM, &["configmap", "told"], away).await;
    world.delete(TEAM, "told").await;
}

/// A deployment runs out, and its object goes as well.
async fn expire(world: &World, connection: &str) {
    let object = of_team(
        connection,
        "expires",
        &json!({"ttl": "10m", "expiryPolicy": "Delete"}),
    );
    world.put(TEAM, &object).await;
    let id = world.until_ready(TEAM, "expires").await;
    let created = Timestamp::now() - SignedDuration::from_mins(10) + SignedDuration::from_secs(3);
    let created = created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    world
        .ai_core
        .force(&id, json!({"createdAt": created}))
        .await;
    let gone = ["wait", "--for=delete", "aid/expires", "--timeout=30s"];
    world
        .kubectl(&[&gone[..], &["--namespace", TEAM]].concat())
        .await;
}

/// An object is let go by force.
async fn let_go(world: &World, connection: &str) {
    world
        .put(TEAM, &of_team(connection, "forced", &json!({})))
        .await;
    world.until_ready(TEAM, "forced").await;
    let annotations = json!({"aicore.dev/force-release": "a test"});
    let forced = json!({"metadata": {"annotations": annotations}});
    patch(world, TEAM, &["aid", "forced"], &forced).await;
    world.delete(TEAM, "forced").await;
}

/// Somebody edits objects while their finalizer is put on, until it was once put on a state that had changed already: then the object is read anew.
async fn edit_in_between(world: &World, connection: &str) {
    let kind = GroupVersionKind::gvk("aicore.dev", "v1alpha1", "Deployment");
    let resource = ApiResource::from_gvk(&kind);
    let client = world.control_plane.admin_client();
    let api: Api<DynamicObject> = Api::namespaced_with(client, TEAM, &resource);
    let begun = Instant::now();
    let looks = |entry: &AuditEntry| entry.verb == "get" && entry.resource == "deployments";
    for round in 0.. {
        assert!(begun.elapsed() < LIMIT, "the operator is always faster");
        let name = format!("edited-{round}");
        let object = of_team(connection, &name, &json!({"desiredState": "Deleted"}));
        let object = serde_json::from_value(object).expect("it is an object");
        let created = api.create(&PostParams::default(), &object).await;
        created.expect("it is a Deployment");
        for edit in 0..100 {
            let labels = json!({"metadata": {"labels": {"edit": edit.to_string()}}});
            let (parameters, patch) = (PatchParams::default(), Patch::Merge(labels));
            let edited = api.patch(&name, &parameters, &patch).await;
            edited.expect("an administrator may edit it");
        }
        world.delete(TEAM, &name).await;
        if world.requests().iter().any(looks) {
            break;
        }
    }
}

/// A key that is wrong twice: the second event only counts the first one up.
async fn lose_the_key_twice(world: &World, connection: &str) {
    for _ in 0..2 {
        let wrong = json!({"stringData": {"key": "{}"}});
        patch(world, connection, &["secret", "aicore-key"], &wrong).await;
        let name = ["aiconn", "aicore"];
        world
            .until(connection, &name, is_told("InvalidSecret"))
            .await;
        world.put_key(connection).await;
        world.until(connection, &name, is_told("Connected")).await;
    }
}

/// Whatever an operator can have to do, from the first Connection, which is in this namespace, to the last.
async fn live(world: &World, connection: &str) {
    world.run_example(connection).await;
    let labels = json!({"kubernetes.io/metadata.name": TEAM});
    let grant = json!({"namespaceSelector": {"matchLabels": labels}, "resourceGroups": ["*"]});
    let access = json!({"spec": {"access": [grant]}});
    patch(world, connection, &["aiconn", "aicore"], &access).await;

    publish(world, connection).await;
    expire(world, connection).await;
    let_go(world, connection).await;
    edit_in_between(world, connection).await;
    lose_the_key_twice(world, connection).await;
    world.delete(connection, MODEL).await;
    let delete = ["delete", "aiconn", "aicore", "--timeout=30s"];
    world
        .kubectl(&[&delete[..], &["--namespace", connection]].concat())
        .await;
    let secret = world.get(connection, &["secret", "aicore-key"]).await;
    assert_eq!(secret["metadata"]["finalizers"], Value::Null);
}

/// Installs the operator with these values, has it live, and holds what it used against what these roles give.
async fn roles_give_what_is_used(values: &[&str], connection: &str, roles: &[Role]) {
    let world = World::start().await;
    world.kubectl(&["create", "namespace", TEAM]).await;
    world.install(&[&[QUICK], values].concat()).await;
    let operator = world.operator("operator").await;
    live(&world, connection).await;
    end(operator).await;
    world.assert_nothing_was_refused();
    let (used, given) = (used(&world, roles), given(&world, roles).await);
    let unused: Vec<_> = given.difference(&used).collect();
    let unknown: Vec<_> = used.difference(&given).collect();
    assert!(
        unused.is_empty() && unknown.is_empty(),
        "unused: {unused:#?}\nnot given: {unknown:#?}"
    );
}

#[tokio::test]
async fn the_roles_of_the_chart_give_what_is_used_and_nothing_more() {
    roles_give_what_is_used(&[], RELEASE, &DEFAULT).await;
}

#[tokio::test]
async fn the_roles_for_one_namespace_give_what_is_used_there_and_nothing_more() {
    roles_give_what_is_used(&["watchNamespace=team-a"], TEAM, &WATCHING_ONE).await;
}
