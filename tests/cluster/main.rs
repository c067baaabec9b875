//! What concerns a whole cluster: the custom resource definitions are deleted, rights are taken away, an operator looks at all namespaces, or at all
//! but those of other operators, and another cluster takes the place of one. Nobody else could work there, so these tests have a control plane of their own, and take turns on it where one is
//! enough.

mod attacker;
mod crowd;
mod discretion;
mod impostor;
mod neighbours;
mod rebuild;
mod rights;
mod side_by_side;
mod tenancy;
mod uninstall;

use harness::control_plane::ControlPlane;
use harness::operator;
use harness::scene::{Scene, Setting};
use tokio::sync::{Mutex, MutexGuard};

/// The program under test.
const OPERATOR: &str = env!("CARGO_BIN_EXE_aicore-operator");

/// A test's turn on the control plane. The next test begins when it is dropped.
struct Turn {
    _alone: MutexGuard<'static, ()>,
}

/// Waits for the turn, puts the cluster in order, and makes a scene.
async fn scene_alone(setting: Setting<'_>) -> (Turn, Scene) {
    static CLUSTER: Mutex<()> = Mutex::const_new(());
    let turn = Turn {
        _alone: CLUSTER.lock().await,
    };
    let control_plane = ControlPlane::shared().await;
    clear(control_plane).await;
    operator::install(control_plane).await;
    (turn, Scene::start(setting).await)
}

/// Removes the definitions with every object that the test before has left and whose operator has ended.
async fn clear(control_plane: &ControlPlane) {
    for resource in ["deployments.aicore.dev", "connections.aicore.dev"] {
        let names = "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}";
        let left = kubectl(control_plane, &["get", resource, "-A", "-o", names]).await;
        for (namespace, name) in left
            .split_whitespace()
            .filter_map(|left| left.split_once('/'))
        {
            let forced = r#"{"metadata": {"finalizers": null}}"#;
            let place = [
                "--namespace",
                namespace,
                "patch",
                "--type=merge",
                "-p",
                forced,
            ];
            kubectl(control_plane, &[&place[..], &[resource, name]].concat()).await;
        }
    }
    let definitions = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    let all = [
        "delete",
        "--ignore-not-found",
        "--timeout=60s",
        "-f",
        definitions,
    ];
    kubectl(control_plane, &all).await;
}

/// What `kubectl` prints. It fails where the definitions are missing, and then there is nothing to be removed.
async fn kubectl(control_plane: &ControlPlane, arguments: &[&str]) -> String {
    let output = control_plane.kubectl().args(arguments).output().await;
    let output = output.expect("kubectl is there");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
