//! From the version before to this one, with a model that runs meanwhile.

use std::fs;
use std::path::{Path, PathBuf};

use harness::process::Supervised;
use serde_json::{Value, json};

use crate::world::{CHART, EXAMPLE, MODEL, QUICK, RELEASE, ROOT, World, end, set};

/// The manifests of the time before there was a chart, as they were installed with `kubectl apply`.
const BEFORE: &str = "tests/install/before";

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

/// The command in the README that begins so, and has this word in it.
fn readme_says(begins: &str, word: &str) -> String {
    let page = fs::read_to_string(Path::new(ROOT).join("README.md"));
    let page = page.expect("there is one").replace("\\\n", " ");
    let mut found = page
        .lines()
        .filter(|line| line.starts_with(begins) && line.contains(word));
    let command = found.next().expect("the README has such a command");
    assert_eq!(found.next(), None);
    command.to_owned()
}

#[tokio::test]
async fn what_was_installed_from_manifests_is_taken_over_by_the_chart() {
    let world = World::start().await;
    world.kubectl(&["apply", "-f", "crds", "-f", BEFORE]).await;
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
