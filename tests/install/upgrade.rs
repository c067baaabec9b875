//! From the version before to this one, with a model that runs meanwhile.

use std::fs;
use std::path::{Path, PathBuf};

use harness::process::Supervised;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::pages::readme_says;
use crate::world::{CHART, EXAMPLE, MODEL, QUICK, RELEASE, ROOT, World, end, set};

/// The manifests and the definitions (`crds`) of the time before there was a chart, as they were installed with `kubectl apply`, and what the operator of
/// that time has written (`written`).
const BEFORE: &str = "tests/install/before";

/// Its definitions.
const DEFINITIONS_BEFORE: &str = "tests/install/before/crds";

/// The model still runs, the same one, with the new operator, which has done nothing else; and it can be deleted.
async fn goes_on(world: &World, namespace: &str, id: &str, before: Supervised) {
    let effects = world.ai_core.effects().await;
    let after = world.operator("after").await;
    end(before).await;
    // The object is looked at by the new one: a wish that only that can fulfil.
    assert_eq!(world.until_ready(namespace, MODEL).await, id);
    assert_eq!(world.ai_core.effects().await, effects);
    world.delete(namespace, MODEL).await;
    world.assert_status(id, None).await;
    end(after).await;
    world.assert_nothing_was_refused();
}

#[tokio::test]
async fn what_was_installed_from_manifests_is_taken_over_by_the_chart() {
    let world = World::start().await;
    world
        .kubectl(&["apply", "-f", DEFINITIONS_BEFORE, "-f", BEFORE])
        .await;
    world.quicken().await;
    let before = world.operator("before").await;
    let id = world.run_example("default").await;

    let take = format!(
        "{} --set '{QUICK}'",
        readme_says("helm install", "--take-ownership")
    );
    world.types(&take).await;

    let role = world.get(RELEASE, &["clusterrole", RELEASE]).await;
    let rules = role["rules"].to_string();
    assert!(
        !rules.contains("secrets"),
        "the right is in a role of its own now: {rules}"
    );
    goes_on(&world, "default", &id, before).await;
}

/// Puts an object of [`BEFORE`] into the cluster as it was written, with its status.
async fn write(world: &World, namespace: &str, name: &str) {
    let file = format!("{BEFORE}/written/{name}.yaml");
    let text = fs::read_to_string(Path::new(ROOT).join(file)).expect("it was kept");
    let now = Timestamp::now().strftime("\"%Y-%m-%dT%H:%M:%S.%6fZ\"");
    let text = text.replace("AI_CORE", world.ai_core.url());
    let text = text.replace(": NOW", &format!(": {now}"));
    let object: Value = serde_saphyr::from_str(&text).expect("it is YAML");
    world.put(namespace, &object).await;
    if object["status"].is_object() {
        let status = json!({"status": object["status"]}).to_string();
        let kind = format!("{}.aicore.dev", object["kind"].as_str().expect("a kind"));
        let name = object["metadata"]["name"].as_str().expect("a name");
        let patch = ["patch", &kind, name, "--namespace", namespace];
        let change = ["--subresource=status", "--type=merge", "-p", &status];
        world.kubectl(&[&patch[..], &change].concat()).await;
        let kept = world.get(namespace, &[&kind, name]).await;
        assert_eq!(
            kept["status"], object["status"],
            "{name} was something else"
        );
    }
}

#[tokio::test]
async fn what_an_earlier_operator_has_written_is_understood() {
    let world = World::start().await;
    world
        .kubectl(&["apply", "-f", DEFINITIONS_BEFORE, "-f", BEFORE])
        .await;
    let established = ["wait", "--for=condition=Established", "--timeout=60s"];
    world
        .kubectl(&[&established[..], &["-f", DEFINITIONS_BEFORE]].concat())
        .await;
    let objects = ["recorded", "announced"];
    for name in objects {
        let configuration = format!("configuration-of-{name}");
        world
            .ai_core
            .add_known_configuration("default", &configuration)
            .await;
    }
    let add = async |name: &str, id: &str| {
        let configuration = format!("configuration-of-{name}");
        let add = world
            .ai_core
            .add_known_deployment("default", &configuration, id);
        add.await;
    };
    add("recorded", "d-recorded").await;
    add("announced", "d-stranger").await;
    world.put_key("default").await;
    for (namespace, name) in [
        ("default", "connection"),
        ("default", "recorded"),
        ("default", "announced"),
        (RELEASE, "lease"),
    ] {
        write(&world, namespace, name).await;
    }
    // The call was made, and its answer was lost.
    add("announced", "d-announced").await;

    let take = readme_says("helm install", "--take-ownership");
    world.types(&format!("{take} --set '{QUICK}'")).await;
    let after = world.operator("after").await;

    for name in objects {
        let id = world.until_ready("default", name).await;
        assert_eq!(id, format!("d-{name}"));
    }
    let former = world.get("default", &["aid", "recorded"]).await;
    assert_eq!(former["status"]["previousIds"], json!(["d-former"]));
    assert_eq!(world.ai_core.effects().await, []);
    let lease = world.get(RELEASE, &["lease", RELEASE]).await;
    assert_eq!(lease["spec"]["leaseTransitions"], 4, "{lease:#}");
    for name in objects {
        world.delete("default", name).await;
        world.assert_status(&format!("d-{name}"), None).await;
    }
    world.assert_status("d-stranger", Some("RUNNING")).await;
    end(after).await;
    world.assert_nothing_was_refused();
}

#[tokio::test]
async fn an_upgrade_of_the_chart_upgrades_the_definitions_and_no_object_notices() {
    let world = World::start().await;
    let older = older_chart(&world);
    let older = older.display().to_string();
    let install = ["install", RELEASE, &older];
    world.helm(&[&install, &set(&[QUICK])[..]].concat()).await;
    let before = world.operator("before").await;
    let id = world.run_example(RELEASE).await;
    let definition = ["crd", "deployments.aicore.dev"];
    let columns = |found: Value| found["spec"]["versions"][0]["additionalPrinterColumns"].clone();
    assert_eq!(columns(world.get(RELEASE, &definition).await), Value::Null);

    world.upgrade(&[QUICK, "replicas=3"]).await;

    assert_ne!(columns(world.get(RELEASE, &definition).await), Value::Null);
    let deployment = world.get(RELEASE, &["deployment.apps", RELEASE]).await;
    assert_eq!(deployment["spec"]["replicas"], 3);
    // A person who applies the example once more changes nothing either.
    world
        .kubectl(&["apply", "--namespace", RELEASE, "-f", EXAMPLE])
        .await;
    goes_on(&world, RELEASE, &id, before).await;
}

/// The chart of an earlier version, whose definition of Deployments had no columns.
fn older_chart(world: &World) -> PathBuf {
    let chart = world.control_plane.data_dir().join("aicore-operator");
    copy(&Path::new(ROOT).join(CHART), &chart);
    rewrite(&chart.join("Chart.yaml"), |text| {
        let current = concat!("ersion: ", env!("CARGO_PKG_VERSION"));
        text.replace(current, "ersion: 0.0.9")
    });
    rewrite(&chart.join("files/crds/deployments.yaml"), |text| {
        let (head, rest) = text
            .split_once("  - additionalPrinterColumns:\n")
            .expect("it has columns");
        let (_, rest) = rest
            .split_once("    name: v1alpha1\n")
            .expect("it has a name");
        format!("{head}  - name: v1alpha1\n{rest}")
    });
    chart
}

/// Copies a folder, with what links in it lead to.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder is the test's own");
    for entry in fs::read_dir(from).expect("it is a folder") {
        let name = entry.expect("it can be read").file_name();
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).expect("there is room for it");
        }
    }
}

fn rewrite(file: &Path, change: impl Fn(&str) -> String) {
    let text = fs::read_to_string(file).expect("it was copied");
    let changed = change(&text);
    assert_ne!(text, changed);
    fs::write(file, changed).expect("the folder is the test's own");
}

impl World {
    /// Gives the Deployment of a manifest what [`QUICK`] gives that of the chart.
    pub async fn quicken(&self) {
        let further = [
            "--allow-http",
            "--busy-poll-seconds=0.2",
            "--poll-seconds=0.5",
        ];
        let place = "/spec/template/spec/containers/0/args/-";
        let added = further.map(|flag| json!({"op": "add", "path": place, "value": flag}));
        let patch = json!(added).to_string();
        let what = ["patch", "deployment.apps", RELEASE, "--namespace", RELEASE];
        self.kubectl(&[&what[..], &["--type=json", "-p", &patch]].concat())
            .await;
    }
}
