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

/// What is called as its users want it. Whatever else the operator asks for it knows by name.
const NAMED_BY_USERS: [&str; 7] = [
    "configmaps",
    "connections",
    "connections/status",
    "deployments",
    "deployments/status",
    "namespaces",
    "secrets",
];

/// One right, for one verb and one kind of objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    /// Where it counts; everywhere where none is named.
    namespace: Option<String>,
    group: String,
    /// With its subresource.
    resource: String,
    verb: String,
    /// The only object that it is about; all of them where none is named.
    name: Option<String>,
}

impl Right {
    fn covers(&self, request: &AuditEntry) -> bool {
        let resource = match request.subresource.as_str() {
            "" => request.resource.clone(),
            subresource => format!("{}/{subresource}", request.resource),
        };
        let is = |wanted: &Option<String>, asked: &String| {
            wanted.as_ref().is_none_or(|wanted| wanted == asked)
        };
        self.group == request.group
            && self.resource == resource
            && self.verb == request.verb
            && is(&self.namespace, &request.namespace)
            && is(&self.name, &request.name)
    }

    /// Whether it could be about fewer objects than it is.
    fn is_too_broad(&self) -> bool {
        let creates = self.verb == "create" || self.resource == "events";
        let by_users = NAMED_BY_USERS.contains(&self.resource.as_str());
        self.name.is_none() && !creates && !by_users
    }
}

/// What the operator's account is given, by whatever role is bound to it.
async fn given(world: &World) -> BTreeSet<Right> {
    let bindings = ["clusterrolebindings,rolebindings", "--all-namespaces"];
    let bindings = world.get(RELEASE, &bindings).await;
    let bindings = bindings["items"].as_array().expect("they are a list");
    let account = json!({"kind": "ServiceAccount", "name": RELEASE, "namespace": RELEASE});
    let ours = bindings.iter().filter(|binding| {
        let subjects = binding["subjects"].as_array();
        subjects.is_some_and(|subjects| subjects.contains(&account))
    });
    let mut given = BTreeSet::new();
    for binding in ours {
        let namespace = binding["metadata"]["namespace"].as_str();
        let role = ["kind", "name"].map(|field| binding["roleRef"][field].as_str().unwrap());
        let role = world.get(namespace.unwrap_or(RELEASE), &role).await;
        for rule in role["rules"].as_array().into_iter().flatten() {
            given.extend(rights(rule, namespace));
        }
    }
    given
}

/// The rights of one rule of a role that is bound in this namespace.
fn rights(rule: &Value, namespace: Option<&str>) -> Vec<Right> {
    let names = match rule["resourceNames"].as_array() {
        Some(_) => texts(&rule["resourceNames"])
            .into_iter()
            .map(Some)
            .collect(),
        None => vec![None],
    };
    let mut rights = Vec::new();
    for group in texts(&rule["apiGroups"]) {
        for resource in texts(&rule["resources"]) {
            for verb in texts(&rule["verbs"]) {
                rights.extend(names.iter().map(|name| Right {
                    namespace: namespace.map(str::to_owned),
                    group: group.to_owned(),
                    resource: resource.to_owned(),
                    verb: verb.to_owned(),
                    name: name.map(str::to_owned),
                }));
            }
        }
    }
    rights
}

/// Those of the given rights that were used, each request by the narrowest one that covers it.
fn used(world: &World, given: &BTreeSet<Right>) -> BTreeSet<Right> {
    let requests = world.requests().into_iter();
    let requests = requests.filter(|request| !request.resource.is_empty());
    requests
        .map(|request| {
            let covering = given.iter().filter(|right| right.covers(&request));
            let narrowest =
                covering.min_by_key(|right| (right.namespace.is_none(), right.name.is_none()));
            let narrowest = narrowest.unwrap_or_else(|| panic!("not given: {request:?}"));
            narrowest.clone()
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
    let created = Timestamp::now() - SignedDuration::from_mins(10) + SignedDuration::from_secs(10);
    let created = created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    world
        .ai_core
        .force(&id, json!({"createdAt": created}))
        .await;
    let gone = ["wait", "--for=delete", "aid/expires", "--timeout=60s"];
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
    let delete = ["delete", "aiconn", "aicore", "--timeout=60s"];
    world
        .kubectl(&[&delete[..], &["--namespace", connection]].concat())
        .await;
    let secret = world.get(connection, &["secret", "aicore-key"]).await;
    assert_eq!(secret["metadata"]["finalizers"], Value::Null);
}

/// The operator holds a key in one more namespace for a while.
async fn hold_a_key(world: &World, namespace: &str) {
    world.put_key(namespace).await;
    let connection = json!({
        "apiVersion": "aicore.dev/v1alpha1",
        "kind": "Connection",
        "metadata": {"name": "one-more"},
        "spec": {"secretRef": {"name": "aicore-key"}},
    });
    world.put(namespace, &connection).await;
    let name = ["aiconn", "one-more"];
    world.until(namespace, &name, is_told("Connected")).await;
    let delete = ["delete", "aiconn", "one-more", "--timeout=60s"];
    world
        .kubectl(&[&delete[..], &["--namespace", namespace]].concat())
        .await;
}

/// Installs the operator with these values, has it live with a Connection in the first of these namespaces and hold a key in the others, and holds what it
/// used against what it was given.
async fn roles_give_what_is_used(values: &[&str], connections: &[&str]) {
    let world = World::start().await;
    world.kubectl(&["create", "namespace", TEAM]).await;
    world.install(&[&[QUICK], values].concat()).await;
    let operator = world.operator("operator").await;
    let (first, others) = connections.split_first().expect("there is one");
    live(&world, first).await;
    for other in others {
        hold_a_key(&world, other).await;
    }
    end(operator).await;
    world.assert_nothing_was_refused();
    let given = given(&world).await;
    let used = used(&world, &given);
    let unused: Vec<_> = given.difference(&used).collect();
    assert!(unused.is_empty(), "unused: {unused:#?}");
    let too_broad: Vec<_> = given.iter().filter(|right| right.is_too_broad()).collect();
    assert!(too_broad.is_empty(), "too broad: {too_broad:#?}");
}

#[tokio::test]
async fn the_roles_of_the_chart_give_what_is_used_and_nothing_more() {
    roles_give_what_is_used(&[], &[RELEASE]).await;
}

#[tokio::test]
async fn the_roles_for_one_namespace_give_what_is_used_there_and_nothing_more() {
    roles_give_what_is_used(&["watchNamespace=team-a"], &[TEAM]).await;
}

#[tokio::test]
async fn the_roles_for_the_secrets_of_two_namespaces_give_what_is_used_there_and_nothing_more() {
    let two = format!("secrets.namespaces={{{RELEASE},{TEAM}}}");
    roles_give_what_is_used(&[&two], &[RELEASE, TEAM]).await;
}

#[tokio::test]
async fn the_roles_for_all_secrets_give_what_is_used_and_nothing_more() {
    roles_give_what_is_used(&["secrets.clusterWide=true"], &[TEAM]).await;
}
