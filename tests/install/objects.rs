//! The objects that the chart makes: that the API server takes them, whatever the values are, and that they fit together.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::chart::render_with;
use crate::pages::readme_says;
use crate::world::{CHART, RELEASE, ROOT, World};

/// The files of values in `tests/install/values`. Each value of the chart has another one than by default in one of them.
const VALUES: [&str; 3] = ["everything", "least", "trial"];

/// What the chart becomes with the values of a file, or with its own where none is named.
async fn objects(file: Option<&str>) -> Vec<Value> {
    let path = file.map(|file| format!("tests/install/values/{file}.yaml"));
    let arguments: Vec<_> = path.iter().flat_map(|path| ["--values", path]).collect();
    let rendered = render_with(&arguments).await;
    assert!(rendered.succeeded, "{file:?}: {}", rendered.errors);
    let objects: Vec<Value> = serde_saphyr::from_multiple(&rendered.output).expect("it is YAML");
    objects
        .into_iter()
        .filter(|object| !object.is_null())
        .collect()
}

fn parsed(file: &str) -> Value {
    let text = fs::read_to_string(Path::new(ROOT).join(file)).expect("the file is there");
    serde_saphyr::from_str(&text).expect("it is YAML")
}

/// The paths of all values that have no values of their own.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value.as_object() {
        Some(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                leaves(value, &format!("{path}/{name}"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn every_value_is_tried() {
    let defaults = parsed(&format!("{CHART}/values.yaml"));
    let mut paths = Vec::new();
    leaves(&defaults, "", &mut paths);
    let tried = VALUES.map(|file| parsed(&format!("tests/install/values/{file}.yaml")));
    let untried: Vec<_> = paths
        .iter()
        .filter(|path| {
            let other = |values: &Value| {
                let value = values.pointer(path);
                value.is_some_and(|value| Some(value) != defaults.pointer(path))
            };
            !tried.iter().any(other)
        })
        .collect();
    assert!(paths.len() > 50 && untried.is_empty(), "{untried:?}");
}

/// The definition of a kind of the Prometheus operator, which takes anything.
fn definition_of(kind: &str) -> Value {
    let plural = format!("{}s", kind.to_lowercase());
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.monitoring.coreos.com")},
        "spec": {
            "group": "monitoring.coreos.com",
            "names": {"kind": kind, "plural": plural},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }],
        },
    })
}

#[tokio::test]
async fn the_api_server_takes_what_comes_of_every_value_and_warns_of_nothing() {
    let world = World::start().await;
    world.kubectl(&["create", "namespace", "123"]).await;
    world
        .kubectl(&["apply", "--server-side", "-f", "crds"])
        .await;
    for kind in ["ServiceMonitor", "PrometheusRule"] {
        world.put(RELEASE, &definition_of(kind)).await;
    }
    let established = ["wait", "--for=condition=Established", "crd", "--all"];
    world
        .kubectl(&[&established[..], &["--timeout=60s"]].concat())
        .await;
    for file in VALUES {
        let objects = objects(Some(file)).await;
        // A client takes a number for no namespace, and puts the object into another one.
        for place in objects.iter().map(|object| &object["metadata"]) {
            let namespace = &place["namespace"];
            assert!(namespace.is_null() || namespace.is_string(), "{place}");
        }
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let apply = ["apply", "--server-side", "--dry-run=server"];
        let apply = [&apply[..], &["--validate=strict", "-f", "-"]].concat();
        let applied = world.try_kubectl_with(&apply, &list).await;
        assert!(applied.succeeded, "{file}: {}", applied.errors);
        assert!(
            !applied.errors.contains("Warning"),
            "{file}: {}",
            applied.errors
        );
        assert!(
            applied.output.contains("deployment.apps/"),
            "{}",
            applied.output
        );
    }
}

/// The object of a kind whose name has this end.
fn the<'a>(objects: &'a [Value], kind: &str, end: &str) -> &'a Value {
    let named = |object: &&Value| {
        let name = object["metadata"]["name"].as_str();
        object["kind"] == kind && name.is_some_and(|name| name.ends_with(end))
    };
    // There are two kinds of Deployments, of which a chart makes one.
    let found = objects.iter().find(named);
    found.unwrap_or_else(|| panic!("no {kind} {end}"))
}

/// Whether an object with these labels is selected.
fn selects(selector: &Value, labels: &Value) -> bool {
    let selector = selector.as_object().expect("it selects by labels");
    let none = Map::new();
    let labels = labels.as_object().unwrap_or(&none);
    !selector.is_empty()
        && selector
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
}

#[tokio::test]
async fn whatever_selects_the_pods_selects_them_and_no_others() {
    for (file, name) in [
        (None, RELEASE),
        (Some("everything"), "models"),
        (Some("trial"), RELEASE),
    ] {
        let objects = objects(file).await;
        let deployment = the(&objects, "Deployment", name);
        let pod = &deployment["spec"]["template"];
        let service = the(&objects, "Service", name);
        let selectors = [
            &deployment["spec"]["selector"]["matchLabels"],
            &service["spec"]["selector"],
            &the(&objects, "PodDisruptionBudget", name)["spec"]["selector"]["matchLabels"],
            &the(&objects, "NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"],
            &pod["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
        ];
        for selector in selectors {
            assert!(
                selects(selector, &pod["metadata"]["labels"]),
                "{file:?}: {selector}"
            );
            assert_eq!(selector, selectors[0], "{file:?}");
        }
        let ports = &pod["spec"]["containers"][0]["ports"];
        assert_eq!(ports[0]["name"], service["spec"]["ports"][0]["targetPort"]);
        match file {
            Some("everything") => {
                let monitor = &the(&objects, "ServiceMonitor", name)["spec"];
                let labels = &service["metadata"]["labels"];
                assert!(
                    selects(&monitor["selector"]["matchLabels"], labels),
                    "{labels}"
                );
                let port = &monitor["endpoints"][0]["port"];
                assert_eq!(port, &service["spec"]["ports"][0]["name"]);
                assert_eq!(pod["metadata"]["labels"]["example.com/team"], "1");
                let policy = &the(&objects, "NetworkPolicy", name)["spec"];
                let from = &policy["ingress"][0]["from"][0]["namespaceSelector"];
                // In place of the label by default, not besides it.
                let wanted = json!({"matchLabels": {"example.com/monitoring": "true"}});
                assert_eq!(from, &wanted);
            }
            Some("trial") => {
                let other = the(&objects, "Deployment", "-emulator");
                let other = &other["spec"]["template"]["metadata"]["labels"];
                let emulator = the(&objects, "Service", "-emulator");
                assert!(!selects(selectors[0], other), "{other}");
                assert!(selects(&emulator["spec"]["selector"], other), "{other}");
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn pods_end_in_order_spread_out_and_write_nowhere() {
    let objects = objects(Some("trial")).await;
    for name in [RELEASE, "-emulator"] {
        let pod = &the(&objects, "Deployment", name)["spec"]["template"]["spec"];
        for container in pod["containers"].as_array().expect("there is one") {
            let context = &container["securityContext"];
            assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
            // A cluster that gives each namespace users of its own, as OpenShift does, admits no pod that wants another one.
            for fixed in ["runAsUser", "runAsGroup"] {
                for context in [&pod["securityContext"], context] {
                    assert_eq!(context[fixed], Value::Null, "{name}: {fixed}");
                }
            }
            assert!(
                container["resources"]["limits"]["memory"].is_string(),
                "{name}"
            );
        }
    }
    let pod = &the(&objects, "Deployment", RELEASE)["spec"]["template"]["spec"];
    // It ends within seconds, whatever it waits for. One that is killed before has not let its Lease go, and the other has to wait until that runs out.
    let grace = pod["terminationGracePeriodSeconds"].as_u64();
    assert!(grace.is_some_and(|grace| grace >= 30), "{grace:?}");
    let spread = &pod["topologySpreadConstraints"][0];
    assert_eq!(spread["topologyKey"], "kubernetes.io/hostname");
    // One node alone has to do as well.
    assert_eq!(spread["whenUnsatisfiable"], "ScheduleAnyway");
    let budget = &the(&objects, "PodDisruptionBudget", RELEASE)["spec"];
    assert_eq!(
        budget["maxUnavailable"], 1,
        "a drain must not wait for ever"
    );
}

#[tokio::test]
async fn the_key_of_a_trial_is_called_otherwise_than_a_real_one() {
    let told = readme_says("kubectl create secret generic ", "--from-file");
    let real = told.split_whitespace().nth(4).expect("it has a name");
    let objects = objects(Some("trial")).await;
    let secrets = objects.iter().filter(|object| object["kind"] == "Secret");
    let names: Vec<_> = secrets.map(|secret| &secret["metadata"]["name"]).collect();
    // Helm deletes the trial's when the trial ends, whatever somebody has put into it.
    assert!(names.len() == 1 && names[0] != real, "{names:?}, {real}");
}

#[tokio::test]
async fn the_network_policy_keeps_nothing_but_the_metrics_closed() {
    let objects = objects(None).await;
    let policy = &the(&objects, "NetworkPolicy", RELEASE)["spec"];
    let from = json!({"namespaceSelector": {"matchLabels": {"aicore.dev/metrics": "true"}}});
    // Nothing is said of what goes out: DNS, the API server and AI Core stay within reach.
    let wanted = json!({
        "podSelector": policy["podSelector"],
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [from], "ports": [{"port": "http"}]}],
    });
    assert_eq!(policy, &wanted);
}

#[tokio::test]
async fn every_role_is_bound_to_the_account_of_the_pods() {
    for (file, account) in [
        (None, RELEASE),
        (Some("everything"), "models-account"),
        (Some("least"), "default"),
    ] {
        let objects = objects(file).await;
        let subject = json!([{"kind": "ServiceAccount", "name": account, "namespace": RELEASE}]);
        let bindings = objects.iter().filter(|object| {
            let kind = object["kind"].as_str();
            kind.is_some_and(|kind| kind.ends_with("RoleBinding"))
        });
        let bindings: Vec<_> = bindings.collect();
        assert!(bindings.len() > 2, "{file:?}: {}", bindings.len());
        for binding in bindings {
            assert_eq!(binding["subjects"], subject, "{file:?}: {binding:#}");
        }
        let pods = objects.iter().find(|object| object["kind"] == "Deployment");
        let pod = &pods.expect("there are pods")["spec"]["template"]["spec"];
        assert_eq!(pod["serviceAccountName"], account, "{file:?}");
        let made = objects
            .iter()
            .any(|object| object["kind"] == "ServiceAccount");
        assert_eq!(made, file != Some("least"), "{file:?}");
    }
}
