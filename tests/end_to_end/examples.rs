//! Every file of `deploy/examples`, applied as it is, reaches what it says.

use std::collections::BTreeSet;
use std::fs;

use harness::emulated::TENANT;
use harness::scene::{Scene, Setting, condition};
use jiff::SignedDuration;
use serde_json::Value;

use crate::expiry::nearly_outlive;
use crate::manifests::OPERATOR;
use crate::protection::until_refused;

/// What an example becomes.
#[derive(Clone, Copy, PartialEq)]
enum Reaches {
    Running,
    Observed,
    Stopped,
    Deleted,
    /// `Running` or `Deleted`: it depends on the hour.
    WhatItsHoursSay,
}
use Reaches::{Deleted, Observed, Running, Stopped, WhatItsHoursSay};

/// File, namespace and name of its Deployment, and what that becomes.
const EXAMPLES: [(&str, &str, &str, Reaches); 15] = [
    ("adopt.yaml", "default", "churn-of-last-year", Running),
    (
        "checked-configuration.yaml",
        "default",
        "churn-scorer",
        Running,
    ),
    (
        "configuration-id.yaml",
        "default",
        "churn-candidate",
        Running,
    ),
    ("copy-of.yaml", "default", "churn-copy", Running),
    ("deleted.yaml", "default", "churn-retired", Deleted),
    ("endpoint.yaml", "default", "assistant-model", Running),
    ("foundation-model.yaml", "default", "gpt-4o-mini", Running),
    (
        "office-hours.yaml",
        "default",
        "churn-in-office-hours",
        WhatItsHoursSay,
    ),
    ("observe.yaml", "default", "churn-observed", Observed),
    ("protected.yaml", "default", "churn-protected", Running),
    ("resource-plan.yaml", "default", "churn-on-gpu", Running),
    ("shared-connection.yaml", "churn", "churn", Running),
    ("stopped.yaml", "default", "churn", Stopped),
    ("ttl.yaml", "default", "churn-workshop", Running),
    ("update.yaml", "default", "churn-with-rollback", Running),
];

/// Where the examples are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/examples");

/// The namespace where shared-connection.yaml has its Connection.
const PLATFORM: &str = "ai-platform";

/// What adopt.yaml adopts.
const ADOPTED: &str = "d291766fd1072b3f";

/// What observe.yaml looks at.
const OBSERVED: &str = "d5c1b6a0f3e97482";

/// What configuration-id.yaml runs and copy-of.yaml copies.
const CONFIGURATION: &str = "2b72d740-d1b0-4f8e-8c4e-5f0e1a8d7c11";

#[test]
fn every_example_is_known_here_and_linked_in_the_readme() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(readme).expect("there is a README");
    let known: BTreeSet<String> = EXAMPLES.map(|(file, ..)| file.to_owned()).into();
    let files = fs::read_dir(FOLDER).expect("there are examples");
    let files: BTreeSet<String> = files
        .map(|file| file.expect("the folder can be read").file_name())
        .map(|name| name.into_string().expect("it is a name of letters"))
        .collect();
    assert_eq!(files, known);
    for file in files {
        let link = format!("](deploy/examples/{file})");
        assert!(readme.contains(&link), "the README does not link {file}");
    }
}

#[tokio::test]
async fn every_example_reaches_what_it_says_and_leaves_nothing_behind() {
    let mut scene = scene_for_examples().await;
    kubectl(&scene, &["apply", "-f", FOLDER]).await;
    put_key(&scene, PLATFORM).await;

    for (_, namespace, name, reaches) in EXAMPLES {
        scene.enter(namespace);
        until_reached(&scene, name, reaches).await;
    }
    scene.enter("default");
    for name in ["churn", "churn-retired"] {
        let object = scene.get("Deployment", name).await;
        assert!(object["status"]["deployment"].is_null(), "{object}");
    }
    assert_adopted(&scene).await;
    assert_told(&scene).await;
    assert_sized(&scene).await;
    assert_published(&scene).await;
    assert_expires(&scene).await;
    until_refused(&scene, "churn-protected").await;
    let hours = scene.get("Deployment", "churn-in-office-hours").await;

    let annotation = "aicore.dev/protected-";
    kubectl(&scene, &["annotate", "aid", "churn-protected", annotation]).await;
    // What has expired is gone already.
    let all = [
        "delete",
        "-f",
        FOLDER,
        "--ignore-not-found",
        "--timeout=60s",
    ];
    kubectl(&scene, &all).await;

    for id in [ADOPTED, OBSERVED] {
        let status = scene.ai_core.status_of(id).await;
        assert_eq!(status.as_deref(), Some("RUNNING"), "{id}");
    }
    assert_eq!(scene.ai_core.deployments().await.len(), 2);
    let running = EXAMPLES.iter().filter(|example| example.3 == Running);
    let adopted = 1;
    let by_the_hour = hours["status"]["createSerial"].as_u64().unwrap_or(0);
    let by_the_hour = usize::try_from(by_the_hour).expect("it is a small number");
    scene.finish(running.count() - adopted + by_the_hour).await;
}

/// A scene on a control plane of its own, where everything is that the examples name.
async fn scene_for_examples() -> Scene {
    let mut scene = Scene::start_alone(Setting {
        connected: false,
        everywhere: true,
        ..Setting::of(OPERATOR)
    })
    .await;
    let namespaces = EXAMPLES.map(|(_, namespace, ..)| namespace);
    for namespace in BTreeSet::from(namespaces) {
        scene.include(namespace);
    }
    let ai_core = &scene.ai_core;
    ai_core
        .add_known_configuration("default", CONFIGURATION)
        .await;
    for id in [ADOPTED, OBSERVED] {
        ai_core
            .add_known_deployment("default", CONFIGURATION, id)
            .await;
    }
    ai_core.add_group("churn-test").await;
    put_key(&scene, "default").await;
    scene
}

/// Makes the Secret with the key as the README says.
async fn put_key(scene: &Scene, namespace: &str) {
    let key = scene.ai_core.service_key(TENANT).await.to_string();
    let file = scene.control_plane().data_dir().join("service-key.json");
    fs::write(&file, key).expect("the folder is the test's own");
    let from = format!("--from-file=key={}", file.display());
    let secret = ["create", "secret", "generic", "aicore-key", &from];
    kubectl(scene, &[&secret[..], &["--namespace", namespace]].concat()).await;
}

/// Runs `kubectl` without a namespace: the examples name theirs where it matters.
async fn kubectl(scene: &Scene, arguments: &[&str]) -> String {
    let mut command = scene.control_plane().kubectl();
    let end = command.args(arguments).output().await;
    let end = end.expect("kubectl is there");
    let errors = String::from_utf8_lossy(&end.stderr);
    assert!(end.status.success(), "kubectl {arguments:?}: {errors}");
    String::from_utf8_lossy(&end.stdout).into_owned()
}

async fn until_reached(scene: &Scene, name: &str, reaches: Reaches) {
    let what = "it is ready with what is said of it";
    let reached = |object: &Value| {
        let ready = condition(object, "Ready");
        let as_said = match reaches {
            Running => ready["reason"] == "Running",
            Observed => ready["reason"] == "Observed",
            Stopped => ready["reason"] == "Stopped",
            Deleted => ready["reason"] == "Deleted",
            WhatItsHoursSay => {
                ready["reason"] == object["status"]["desiredState"]
                    && object["status"]["schedule"]["nextChange"].is_string()
            }
        };
        ready["status"] == "True" && as_said
    };
    scene.until("Deployment", name, what, reached).await;
}

/// adopt.yaml has taken over what ran already.
async fn assert_adopted(scene: &Scene) {
    let id = scene.until_ready("churn-of-last-year", "Running").await;
    assert_eq!(id, ADOPTED);
}

/// observe.yaml says what would be done, and nothing is.
async fn assert_told(scene: &Scene) {
    let object = scene.get("Deployment", "churn-observed").await;
    let next = format!("would stop {OBSERVED}");
    assert_eq!(object["status"]["nextStep"], next.as_str());
}

/// resource-plan.yaml tells what its deployment got.
async fn assert_sized(scene: &Scene) {
    let what = "its resource plan is told";
    let told =
        |object: &Value| object["status"]["deployment"]["resources"]["resourcePlan"] == "infer.s";
    scene.until("Deployment", "churn-on-gpu", what, told).await;
}

/// The application of endpoint.yaml reads the ConfigMap that names its model.
async fn assert_published(scene: &Scene) {
    let id = scene.until_ready("assistant-model", "Running").await;
    let read = "jsonpath={..envFrom[0].configMapRef.name}";
    let application = ["get", "deployments.apps", "assistant", "-o", read];
    let map = kubectl(scene, &application).await;
    let named = |map: &Value| map["data"]["AICORE_DEPLOYMENT_ID"] == id.as_str();
    scene
        .until("ConfigMap", &map, "it names the model", named)
        .await;
}

/// The object of ttl.yaml goes when its day is over.
async fn assert_expires(scene: &Scene) {
    let name = "churn-workshop";
    let id = scene.until_ready(name, "Running").await;
    nearly_outlive(scene, name, &id, SignedDuration::from_hours(24)).await;
    scene.until_gone("Deployment", name).await;
}
