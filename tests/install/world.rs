//! A cluster of its own for one test, with Helm, an AI Core, and the operator that was installed.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Instant;

use aicore_emulator::Settings;
use harness::assets::Assets;
use harness::control_plane::{AuditEntry, ControlPlane};
use harness::emulated::{Emulated, TENANT};
use harness::process::{ProcessSpec, Supervised};
use harness::scene::{LIMIT, Outcome};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The program under test.
const OPERATOR: &str = env!("CARGO_BIN_EXE_aicore-operator");

/// The source tree, where a reader would type the commands.
pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The chart.
pub const CHART: &str = "deploy/chart/aicore-operator";

/// The namespace and the name of the release.
pub const RELEASE: &str = "aicore-operator";

/// The user name of the operator's service account.
pub const USER: &str = "system:serviceaccount:aicore-operator:aicore-operator";

/// The first example of the README.
pub const EXAMPLE: &str = "deploy/examples/foundation-model.yaml";

/// The Deployment in it.
pub const MODEL: &str = "gpt-4o-mini";

/// Values that let a test see a whole life in seconds; the emulator speaks plain http.
pub const QUICK: &str = "allowHttp=true,extraArguments={--busy-poll-seconds=0.2,--poll-seconds=0.5,--create-grace-seconds=2}";

/// Where Helm is.
pub async fn helm_program() -> PathBuf {
    let assets = Assets::locate(&["helm"]).await;
    assets.expect("Helm can be built").program("helm")
}

/// A cluster of its own for one test.
pub struct World {
    pub control_plane: ControlPlane,
    pub ai_core: Emulated,
    helm: PathBuf,
}

impl World {
    /// Starts the cluster and AI Core, and makes the namespace of the operator.
    pub async fn start() -> Self {
        let world = Self::empty().await;
        let namespace = ["apply", "-f", "deploy/namespace.yaml"];
        world.kubectl(&namespace).await;
        world
    }

    /// Starts the cluster and AI Core.
    pub async fn empty() -> Self {
        let control_plane = match ControlPlane::start_alone().await {
            Ok(control_plane) => control_plane,
            Err(error) => panic!("{}", error.with_causes()),
        };
        Self {
            control_plane,
            ai_core: Emulated::start(Settings::fast()).await,
            helm: helm_program().await,
        }
    }

    /// A program that is an administrator of the cluster, with folders of its own for what it keeps.
    fn administrator(&self, program: &Path) -> Command {
        let folder = self.control_plane.data_dir();
        let mut command = Command::new(program);
        command
            .env("KUBECONFIG", self.control_plane.admin_kubeconfig())
            .env("KUBECACHEDIR", folder.join("kubectl-cache"))
            .env("HELM_CACHE_HOME", folder.join("helm-cache"))
            .env("HELM_CONFIG_HOME", folder.join("helm-config"))
            .env("HELM_DATA_HOME", folder.join("helm-data"))
            .kill_on_drop(true);
        command
    }

    /// Runs `helm`; it has to succeed.
    pub async fn helm(&self, arguments: &[&str]) -> String {
        succeeded("helm", self.try_helm(arguments).await, arguments)
    }

    /// Runs `helm`.
    pub async fn try_helm(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.administrator(&self.helm);
        command.args(["--namespace", RELEASE]);
        run(command, arguments, "").await
    }

    /// Types lines that a page or the notes of the chart tell a person to type. They have to succeed, and to end.
    pub async fn types(&self, lines: &str) -> String {
        let programs = self.helm.parent().expect("Helm is in a folder");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::split_paths(&path);
        let path = [programs.to_owned()].into_iter().chain(path);
        let mut shell = self.administrator(Path::new("bash"));
        shell.env("PATH", std::env::join_paths(path).expect("it was one"));
        let shown = ["-euo", "pipefail", "-c", lines];
        let typed = run(shell, &shown, "");
        let ended = tokio::time::timeout(LIMIT * 2, typed).await;
        let Ok(ended) = ended else {
            let objects = ["get", "aid,aiconn", "--all-namespaces", "-o", "yaml"];
            let objects = self.kubectl(&objects).await;
            panic!("this does not end: {lines}\n{objects}");
        };
        succeeded("bash", ended, &shown)
    }

    /// Installs the chart with these values.
    pub async fn install(&self, values: &[&str]) -> String {
        self.helm(&[&["install", RELEASE, CHART], &set(values)[..]].concat())
            .await
    }

    /// Upgrades the release to these values, and the chart's own where none is given.
    pub async fn upgrade(&self, values: &[&str]) -> String {
        let upgrade = ["upgrade", RELEASE, CHART];
        self.helm(&[&upgrade, &set(values)[..]].concat()).await
    }

    /// Runs `kubectl` as administrator; it has to succeed.
    pub async fn kubectl(&self, arguments: &[&str]) -> String {
        succeeded("kubectl", self.try_kubectl(arguments).await, arguments)
    }

    /// Runs `kubectl` as administrator.
    pub async fn try_kubectl(&self, arguments: &[&str]) -> Outcome {
        run(self.control_plane.kubectl(), arguments, "").await
    }

    /// Runs `kubectl` as administrator with an object as its input.
    pub async fn try_kubectl_with(&self, arguments: &[&str], object: &Value) -> Outcome {
        let kubectl = self.control_plane.kubectl();
        run(kubectl, arguments, &object.to_string()).await
    }

    /// Applies an object; it has to be taken.
    pub async fn put(&self, namespace: &str, object: &Value) {
        let arguments = ["apply", "--namespace", namespace, "-f", "-"];
        let applied = self.try_kubectl_with(&arguments, object).await;
        succeeded("kubectl", applied, &arguments);
    }

    /// An object as it is now.
    pub async fn get(&self, namespace: &str, what: &[&str]) -> Value {
        let get = ["get", "-o", "json", "--namespace", namespace];
        let found = self.kubectl(&[&get, what].concat()).await;
        serde_json::from_str(&found).expect("kubectl shows JSON")
    }

    /// Waits until an object is as it should be.
    pub async fn until(
        &self,
        namespace: &str,
        what: &[&str],
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        let begun = Instant::now();
        loop {
            let object = self.get(namespace, what).await;
            if is(&object) {
                return object;
            }
            assert!(begun.elapsed() < LIMIT, "{what:?} stays {object:#}");
        }
    }

    /// Waits until a Deployment is ready, and returns the id of what runs for it.
    pub async fn until_ready(&self, namespace: &str, name: &str) -> String {
        let condition = ["wait", "--for=condition=Ready", "--timeout=60s"];
        let what = ["--namespace", namespace, "aid", name];
        let ready = self.try_kubectl(&[&condition[..], &what].concat()).await;
        let object = self.get(namespace, &["aid", name]).await;
        assert!(ready.succeeded, "{}\n{object:#}", ready.errors);
        let id = object["status"]["deployment"]["id"].as_str();
        id.expect("what is ready has a deployment").to_owned()
    }

    /// Deletes a Deployment and waits until it is gone.
    pub async fn delete(&self, namespace: &str, name: &str) {
        let delete = ["delete", "aid", name, "--timeout=60s"];
        let place = ["--namespace", namespace];
        self.kubectl(&[&delete[..], &place].concat()).await;
    }

    /// Makes the Secret with the key as the README says.
    pub async fn put_key(&self, namespace: &str) {
        let key = self.ai_core.service_key(TENANT).await.to_string();
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "aicore-key"},
            "stringData": {"key": key},
        });
        self.put(namespace, &secret).await;
    }

    /// Makes the key, applies the first example, waits until it runs, and returns the id of its deployment.
    pub async fn run_example(&self, namespace: &str) -> String {
        self.put_key(namespace).await;
        self.kubectl(&["apply", "--namespace", namespace, "-f", EXAMPLE])
            .await;
        let id = self.until_ready(namespace, MODEL).await;
        self.assert_status(&id, Some("RUNNING")).await;
        id
    }

    pub async fn assert_status(&self, id: &str, status: Option<&str>) {
        assert_eq!(self.ai_core.status_of(id).await.as_deref(), status);
    }

    /// Starts a process as the pods of the installed Deployment start theirs. `name` is that of the pod, and of its log.
    pub async fn operator(&self, name: &str) -> Supervised {
        self.operator_of(Path::new(OPERATOR), name).await
    }

    /// The same with another program than that of the tests.
    pub async fn operator_of(&self, program: &Path, name: &str) -> Supervised {
        let deployment = self.get(RELEASE, &["deployment.apps", RELEASE]).await;
        let pod = &deployment["spec"]["template"]["spec"];
        let account = pod["serviceAccountName"].as_str().expect("it has one");
        let kubeconfig = self
            .control_plane
            .kubeconfig_for_service_account(RELEASE, account)
            .await
            .expect("its service account is there");
        let container = &pod["containers"][0];
        let arguments = texts(&container["args"]);
        let mut spec = ProcessSpec::new(program)
            .without_inherited_environment()
            .arguments(arguments)
            // Every process of this machine would have the port of the pods.
            .arguments(["--listen", "127.0.0.1:0"])
            .variable("KUBECONFIG", kubeconfig)
            .variable("HOSTNAME", name);
        for variable in container["env"].as_array().into_iter().flatten() {
            let key = variable["name"].as_str().expect("a variable has a name");
            let from = &variable["valueFrom"]["fieldRef"]["fieldPath"];
            let value = match from.as_str() {
                Some("metadata.namespace") => RELEASE,
                Some(other) => panic!("{key} comes from {other}, which no test knows"),
                None => variable["value"].as_str().unwrap_or_default(),
            };
            spec = spec.variable(key, value);
        }
        let log = self.control_plane.data_dir().join(format!("{name}.log"));
        Supervised::spawn(&spec, &log).expect("the operator's program is there")
    }

    /// What the operator's service account has asked the API server for.
    pub fn requests(&self) -> Vec<AuditEntry> {
        let entries = self.control_plane.audit_entries();
        let entries = entries.expect("the control plane is the test's own");
        let ours = entries.into_iter().filter(|entry| entry.user == USER);
        ours.collect()
    }

    /// No role lacks anything.
    pub fn assert_nothing_was_refused(&self) {
        let refused = self.requests().into_iter();
        let refused: Vec<_> = refused.filter(|entry| entry.code == 403).collect();
        assert_eq!(refused, []);
    }
}

/// Ends an operator as a kubelet does.
pub async fn end(operator: Supervised) {
    let status = operator.terminate().await;
    assert!(status.success(), "{status}: {}", operator.log_tail());
}

/// The texts of a JSON list.
pub fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

/// `--set` for each value.
pub fn set<'a>(values: &[&'a str]) -> Vec<&'a str> {
    values.iter().flat_map(|value| ["--set", value]).collect()
}

/// Runs a program in the source tree.
pub async fn run(mut command: Command, arguments: &[&str], input: &str) -> Outcome {
    let mut child = command
        .args(arguments)
        .current_dir(ROOT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program is there");
    let mut pipe = child.stdin.take().expect("its input is a pipe");
    // One that does not read its input has ended for a reason that it tells.
    let _ = pipe.write_all(input.as_bytes()).await;
    drop(pipe);
    let end: Output = child.wait_with_output().await.expect("it ends");
    Outcome {
        succeeded: end.status.success(),
        output: String::from_utf8_lossy(&end.stdout).into_owned(),
        errors: String::from_utf8_lossy(&end.stderr).into_owned(),
    }
}

fn succeeded(program: &str, outcome: Outcome, arguments: &[&str]) -> String {
    assert!(
        outcome.succeeded,
        "{program} {}: {}",
        arguments.join(" "),
        outcome.errors
    );
    outcome.output
}
