//! The operator's account touches no ConfigMap but those of Deployments, and writes down what was let go by force.

use std::time::Instant;

use harness::manifests::deployment;
use harness::scene::{LIMIT, Outcome};
use serde_json::{Value, json};

use crate::world::{QUICK, RELEASE, USER, World};

const NOT_MADE: &str = "the operator makes no ConfigMap but";
const NOT_TOUCHED: &str = "the operator changes and deletes no ConfigMap but";

/// A namespace beside the operator's own.
const TEAM: &str = "default";

/// A ConfigMap that these own.
fn map(name: &str, namespace: &str, owners: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": owners},
        "data": {"a": "b"},
    })
}

/// A ConfigMap that looks like the record of a forced release.
fn record(name: &str, namespace: &str) -> Value {
    let mut record = map(name, namespace, &Value::Null);
    record["metadata"]["labels"] = json!({"aicore.dev/record": "force-release"});
    record
}

/// A cluster where the policy is installed and has taken effect.
struct Guarded {
    world: World,
    /// The owner of a ConfigMap that was made for a Deployment.
    owner: Value,
}

impl Guarded {
    /// With a ConfigMap `made` for a Deployment, somebody else's, and a record.
    async fn start() -> Self {
        let world = World::start().await;
        world.install(&[QUICK]).await;
        world.put(TEAM, &deployment("churn")).await;
        let uid = world.get(TEAM, &["aid", "churn"]).await["metadata"]["uid"].clone();
        let owner = json!({
            "apiVersion": "aicore.dev/v1alpha1", "kind": "Deployment", "name": "churn", "uid": uid, "controller": true,
        });
        let guarded = Self { world, owner };
        let made = guarded.made("made");
        for map in [&made, &map("theirs", TEAM, &Value::Null)] {
            guarded.world.put(TEAM, map).await;
        }
        guarded.world.put(RELEASE, &record("old", RELEASE)).await;
        let begun = Instant::now();
        let unowned = map("new", TEAM, &Value::Null);
        while guarded.attempt("create", &unowned).await.succeeded {
            assert!(begun.elapsed() < LIMIT, "the policy has no effect");
        }
        guarded
    }

    fn made(&self, name: &str) -> Value {
        map(name, TEAM, &json!([self.owner]))
    }

    /// The owner with another field.
    fn owner_but(&self, field: &str, value: &Value) -> Value {
        let mut owner = self.owner.clone();
        owner[field] = value.clone();
        json!([owner])
    }

    /// What comes of it when the operator's account tries it, without any effect that lasts.
    async fn attempt(&self, verb: &str, map: &Value) -> Outcome {
        self.attempt_as(Some(USER), verb, map).await
    }

    async fn attempt_as(&self, user: Option<&str>, verb: &str, map: &Value) -> Outcome {
        let mut arguments = vec![verb, "--dry-run=server", "-f", "-"];
        arguments.extend(user.into_iter().flat_map(|user| ["--as", user]));
        self.world.try_kubectl_with(&arguments, map).await
    }
}

#[tokio::test]
async fn the_operator_touches_no_config_map_but_those_that_it_makes() {
    let guarded = Guarded::start().await;
    let nobody = Value::Null;
    let refused = [
        ("create", map("new", RELEASE, &nobody), NOT_MADE),
        ("create", record("new", TEAM), NOT_MADE),
        ("replace", map("theirs", TEAM, &nobody), NOT_TOUCHED),
        ("replace", guarded.made("theirs"), NOT_TOUCHED),
        ("delete", map("theirs", TEAM, &nobody), NOT_TOUCHED),
        (
            "delete",
            map("kube-root-ca.crt", TEAM, &nobody),
            NOT_TOUCHED,
        ),
        ("replace", map("made", TEAM, &nobody), NOT_MADE),
        ("replace", record("old", RELEASE), NOT_TOUCHED),
        ("delete", record("old", RELEASE), NOT_TOUCHED),
    ];
    let by_others = [
        ("controller", json!(false)),
        ("controller", Value::Null),
        ("kind", json!("Connection")),
        ("apiVersion", json!("apps/v1")),
        ("apiVersion", json!("aicore.devs/v1")),
    ];
    let by_others = by_others.map(|(field, value)| {
        let owners = guarded.owner_but(field, &value);
        ("create", map("new", TEAM, &owners), NOT_MADE)
    });
    for (verb, map, sentence) in refused.into_iter().chain(by_others) {
        let outcome = guarded.attempt(verb, &map).await;
        let told = !outcome.succeeded && outcome.errors.contains(sentence);
        assert!(told, "{verb} {map}: {outcome:?}");
    }
    let mut changed = guarded.made("made");
    changed["data"] = json!({"a": "c"});
    for (verb, map) in [
        ("create", guarded.made("new")),
        ("create", record("new", RELEASE)),
        ("replace", changed),
        ("delete", guarded.made("made")),
    ] {
        let outcome = guarded.attempt(verb, &map).await;
        assert!(outcome.succeeded, "{verb} {map}: {outcome:?}");
    }
}

#[tokio::test]
async fn nobody_else_is_concerned() {
    let guarded = Guarded::start().await;
    let account = "system:serviceaccount:aicore-operator:default";
    let binding = ["create", "rolebinding", "other", "--clusterrole=edit"];
    let subject = [
        "--serviceaccount=aicore-operator:default",
        "--namespace",
        TEAM,
    ];
    guarded
        .world
        .kubectl(&[&binding[..], &subject].concat())
        .await;
    for user in [None, Some(account)] {
        for (verb, name) in [
            ("create", "new"),
            ("replace", "theirs"),
            ("delete", "theirs"),
            ("replace", "made"),
            ("delete", "made"),
        ] {
            let map = map(name, TEAM, &Value::Null);
            let outcome = guarded.attempt_as(user, verb, &map).await;
            assert!(outcome.succeeded, "{user:?} {verb} {name}: {outcome:?}");
        }
    }
}
