//! The operator as its own process, with the rights that `deploy/` gives it and no others.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::config::Kubeconfig;
use serde_json::json;
use tokio::sync::Mutex;

use crate::control_plane::ControlPlane;
use crate::process::{ProcessSpec, Supervised};
use crate::scene::{LIMIT, Setting};

/// The namespace of the operator in `deploy/install.yaml`.
pub const NAMESPACE: &str = "aicore-operator";

/// The name of its service account there.
const SERVICE_ACCOUNT: &str = "aicore-operator";

/// The user name that the API server's audit log has for the operator. All operators of a test run share it, and look at one namespace each.
pub const USER: &str = "system:serviceaccount:aicore-operator:aicore-operator";

/// Where the manifests are.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What every operator of a test is told.
const ARGUMENTS: [&str; 8] = [
    "run",
    "--allow-http",
    "--own-namespace",
    NAMESPACE,
    "--listen",
    "127.0.0.1:0",
    "--log",
    "aicore_operator=debug",
];

/// Timings that let a test see a whole life in seconds, where the setting does not say otherwise. The request timeout plus the grace period is what
/// an interrupted create call costs.
const TIMINGS: [[&str; 2]; 4] = [
    ["--poll-seconds", "0.5"],
    ["--busy-poll-seconds", "0.1"],
    ["--create-grace-seconds", "2"],
    ["--request-timeout-seconds", "3"],
];

/// How long the Lease of a test's operator lasts where the setting does not say: so long that a busy machine does not make it run out.
const LEASE: [&str; 2] = ["--lease-duration-seconds", "5"];

/// A log for people, where the setting does not say otherwise.
const LOG_FORMAT: [&str; 2] = ["--log-format", "text"];

/// The operator of one namespace, or of all. It is killed when it is dropped.
#[derive(Debug)]
pub struct Operator {
    leases: Api<Lease>,
    /// The name of its Lease. Every scene has one of its own.
    lease: String,
    spec: ProcessSpec,
    log: PathBuf,
    /// How long the log was when its present life began.
    life_begins: usize,
    process: Option<Supervised>,
}

impl Operator {
    /// Starts the program of a setting for one namespace. The first call on a control plane installs the CustomResourceDefinitions and the
    /// RBAC.
    ///
    /// # Panics
    ///
    /// When a manifest is refused or the process cannot be started: no test can go on without it.
    pub async fn start(
        control_plane: &ControlPlane,
        namespace: &str,
        setting: &Setting<'_>,
    ) -> Self {
        let scope = ["--namespace", namespace];
        Self::start_with(control_plane, namespace, &scope, namespace, setting).await
    }

    /// Starts another process for the same namespace and with the same Lease, which has a log of its own.
    ///
    /// # Panics
    ///
    /// See [`Operator::start`].
    pub async fn start_beside(
        control_plane: &ControlPlane,
        namespace: &str,
        setting: &Setting<'_>,
    ) -> Self {
        let scope = ["--namespace", namespace];
        let name = format!("{namespace}.beside");
        Self::start_with(control_plane, namespace, &scope, &name, setting).await
    }

    /// Starts the program of a setting for all namespaces. Each has a log of its own.
    ///
    /// # Panics
    ///
    /// See [`Operator::start`].
    pub async fn start_everywhere(control_plane: &ControlPlane, setting: &Setting<'_>) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let lease = "all-namespaces";
        let name = format!("{lease}.{number}");
        Self::start_with(control_plane, lease, &[], &name, setting).await
    }

    async fn start_with(
        control_plane: &ControlPlane,
        lease: &str,
        scope: &[&str],
        name: &str,
        setting: &Setting<'_>,
    ) -> Self {
        let lease = format!("operator-{lease}");
        let mut kubeconfig = kubeconfig(control_plane).await;
        if let Some(server) = &setting.api_server {
            let file = control_plane
                .data_dir()
                .join(format!("operator.{name}.kubeconfig"));
            write_kubeconfig_for(server, &kubeconfig, &file);
            kubeconfig = file;
        }
        let spec = ProcessSpec::new(setting.binary)
            .arguments(ARGUMENTS)
            .arguments(scope)
            .arguments(setting.arguments)
            .variable("KUBECONFIG", kubeconfig)
            .variable("NO_COLOR", "1");
        let defaults = [["--lease-name", &lease], LEASE, LOG_FORMAT];
        let spec = TIMINGS
            .into_iter()
            .chain(defaults)
            .filter(|[flag, _]| !setting.arguments.contains(flag))
            .fold(spec, ProcessSpec::arguments);
        let spec = setting
            .variables
            .iter()
            .fold(spec, |spec, (name, value)| spec.variable(name, value));
        let log = control_plane
            .data_dir()
            .join(format!("operator.{name}.log"));
        let mut operator = Self {
            leases: Api::namespaced(control_plane.admin_client(), NAMESPACE),
            lease,
            spec,
            log,
            life_begins: 0,
            process: None,
        };
        operator.start_again();
        operator
    }

    /// Kills it with SIGKILL, as a crash would, and waits until it is gone. Its Lease is taken from it, so that whoever comes next need not wait
    /// until it has run out.
    pub async fn kill(&mut self) {
        if self.crash().await {
            let nobody = json!({"spec": {"holderIdentity": null}});
            let parameters = PatchParams::default();
            let patch = Patch::Merge(nobody);
            // Where the API server cannot be asked, or it never led, the Lease is waited for.
            let _ = self.leases.patch(&self.lease, &parameters, &patch).await;
        }
    }

    /// Kills it with SIGKILL, and waits until it is gone. Nobody takes its Lease from it. False where it did not run.
    pub async fn crash(&mut self) -> bool {
        let Some(process) = self.process.take() else {
            return false;
        };
        process.kill();
        process.wait_for_exit().await;
        true
    }

    /// Asks it to end, as a kubelet does (SIGTERM), and waits until it has.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub async fn terminate(&mut self) -> ExitStatus {
        let process = self.process.take().expect("the operator runs");
        process.terminate().await
    }

    /// Stops all of it at once (SIGSTOP), until [`Operator::go_on`].
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn pause(&self) {
        self.process.as_ref().expect("the operator runs").pause();
    }

    /// Lets it go on after a pause.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn go_on(&self) {
        self.process.as_ref().expect("the operator runs").go_on();
    }

    /// Its Lease, which may not be there yet.
    ///
    /// # Panics
    ///
    /// When the API server does not answer.
    pub async fn lease(&self) -> Option<Lease> {
        let lease = self.leases.get_opt(&self.lease).await;
        lease.expect("an administrator may look")
    }

    /// Makes its Lease say that it was renewed so much earlier. The operator does not run meanwhile.
    ///
    /// # Panics
    ///
    /// When the API server does not answer, or there is no Lease.
    pub async fn set_lease_back(&self, time: SignedDuration) {
        let lease = self.lease().await.expect("there is a Lease");
        let renewed = lease.spec.and_then(|spec| spec.renew_time);
        let earlier = renewed.expect("it was renewed").0 - time;
        let spec = json!({"spec": {"renewTime": MicroTime(earlier)}});
        let (parameters, patch) = (PatchParams::default(), Patch::Merge(spec));
        let patched = self.leases.patch(&self.lease, &parameters, &patch).await;
        patched.expect("an administrator may change it");
    }

    /// Deletes its Lease, as a person may.
    ///
    /// # Panics
    ///
    /// When the API server does not answer, or there is no Lease.
    pub async fn delete_lease(&self) {
        let deleted = self.leases.delete(&self.lease, &Default::default()).await;
        deleted.expect("there is a Lease");
    }

    /// Starts it again, with the same arguments and the same log. One that still runs is killed first.
    ///
    /// # Panics
    ///
    /// When the process cannot be started.
    pub fn start_again(&mut self) {
        self.process = None;
        self.life_begins = self.log().len();
        let process = Supervised::spawn(&self.spec, &self.log)
            .expect("the operator's program is there, and its log can be written");
        self.process = Some(process);
    }

    /// Whether it ended by itself, which it never should.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.process
            .as_ref()
            .is_some_and(|process| process.exit_status().is_some())
    }

    /// Waits until it has ended by itself, and tells how.
    ///
    /// # Panics
    ///
    /// When it does not run, or goes on for longer than `limit`.
    pub async fn ends_by_itself(&self, limit: Duration) -> ExitStatus {
        let process = self.process.as_ref().expect("the operator runs");
        tokio::time::timeout(limit, process.wait_for_exit())
            .await
            .unwrap_or_else(|_| panic!("the operator still runs after {limit:?}"))
    }

    /// Waits until a line of its log, of any of its lives, contains `text`, and returns it.
    ///
    /// # Panics
    ///
    /// When it ends, or when [`LIMIT`] has passed; the message has the end of its log.
    pub async fn says(&self, text: &str) -> String {
        let process = self.process.as_ref().expect("the operator runs");
        let line = process.wait_for_log_line(text, LIMIT).await;
        line.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Holds that a line of its log, of any of its lives, contains `text`.
    ///
    /// # Panics
    ///
    /// When none does; the message has its log.
    pub fn has_said(&self, text: &str) {
        let log = self.log();
        assert!(log.contains(text), "it has not said \"{text}\":\n{log}");
    }

    /// Where its present life answers probes and hands out metrics.
    ///
    /// # Panics
    ///
    /// When it does not say so within [`LIMIT`].
    pub async fn address(&self) -> SocketAddr {
        let begun = Instant::now();
        loop {
            let log = self.log();
            let life = log.get(self.life_begins..).unwrap_or_default();
            let lines = life.split_inclusive('\n');
            let mut whole = lines.filter(|line| line.ends_with('\n'));
            if let Some(line) = whole.find(|line| line.contains("serving probes and metrics")) {
                return address_in(line);
            }
            let waits = begun.elapsed() < LIMIT && !self.has_failed();
            assert!(waits, "it does not say where it answers:\n{life}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// All that it tells whoever asks it over HTTP: its probes and its metrics. Nothing where it does not run.
    ///
    /// # Panics
    ///
    /// When it runs and does not answer, or has no metrics.
    pub async fn answers(&self) -> String {
        if self.process.is_none() || self.has_failed() {
            return String::new();
        }
        let address = self.address().await;
        let client = reqwest::Client::builder().no_proxy().timeout(LIMIT).build();
        let client = client.expect("a client can be made");
        let mut answers = String::new();
        for path in ["livez", "readyz", "metrics"] {
            let answer = client.get(format!("http://{address}/{path}")).send().await;
            let answer = answer.expect("the operator answers");
            answers += &answer.text().await.expect("the answer is whole");
        }
        assert!(answers.contains("aicore_build_info"), "{answers}");
        answers
    }

    /// How much memory it has now, and how much it had at most, in kilobytes of 1024 bytes (`VmRSS` and `VmHWM` in `/proc`).
    ///
    /// # Panics
    ///
    /// When it does not run, or not on Linux.
    #[must_use]
    pub fn memory(&self) -> (u64, u64) {
        let process = self.process.as_ref().expect("the operator runs");
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid()));
        let status = status.expect("Linux tells of its processes");
        let figure = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let figure = line.and_then(|line| line.trim().strip_suffix(" kB"));
            figure
                .and_then(|figure| figure.parse().ok())
                .expect("it is a number")
        };
        (figure("VmRSS:"), figure("VmHWM:"))
    }

    /// The whole log of all its lives.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// The address that a line of the log names, whatever the log's format.
fn address_in(line: &str) -> SocketAddr {
    let (_, rest) = line.split_once("address").expect("it names the address");
    let rest = rest.trim_start_matches(|character: char| !character.is_ascii_digit());
    let is_part = |character: char| character.is_ascii_digit() || matches!(character, '.' | ':');
    let end = rest.find(|character| !is_part(character));
    let address = &rest[..end.unwrap_or(rest.len())];
    address.parse().expect("it is an address")
}

/// The kubeconfig of the operator's service account, made once on each control plane.
async fn kubeconfig(control_plane: &ControlPlane) -> PathBuf {
    static MADE: Mutex<BTreeMap<PathBuf, PathBuf>> = Mutex::const_new(BTreeMap::new());
    let mut made = MADE.lock().await;
    let place = control_plane.data_dir();
    if let Some(kubeconfig) = made.get(place) {
        return kubeconfig.clone();
    }
    install(control_plane).await;
    let kubeconfig = control_plane
        .kubeconfig_for_service_account(NAMESPACE, SERVICE_ACCOUNT)
        .await
        .expect("deploy/install.yaml has made the service account");
    made.insert(place.to_owned(), kubeconfig.clone());
    kubeconfig
}

/// Copies a kubeconfig, with the server at another URL.
fn write_kubeconfig_for(server: &str, original: &Path, copy: &Path) {
    let mut kubeconfig = Kubeconfig::read_from(original).expect("it was written a moment ago");
    for named in &mut kubeconfig.clusters {
        if let Some(cluster) = &mut named.cluster {
            cluster.server = Some(server.to_owned());
        }
    }
    // JSON is YAML, so every client reads it.
    let text = serde_json::to_string(&kubeconfig).expect("a kubeconfig can be written as JSON");
    std::fs::write(copy, text).expect("the control plane's folder can be written to");
}

/// Installs the CustomResourceDefinitions, the RBAC and the admission policies, and puts back what a test has changed of them. The operator's pods
/// are left out: it runs as a process of the test, and in every namespace that a test makes.
///
/// # Panics
///
/// When a manifest is refused.
pub async fn install(control_plane: &ControlPlane) {
    let steps: [&[&str]; 2] = [
        &[
            "apply",
            "--server-side",
            "--force-conflicts",
            "--selector=app.kubernetes.io/component!=operator",
            "-f",
            "deploy/install.yaml",
            "-f",
            "deploy/secrets-everywhere.yaml",
        ],
        &[
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "-f",
            "crds",
        ],
    ];
    for arguments in steps {
        let output = control_plane
            .kubectl()
            .args(arguments)
            .current_dir(ROOT)
            .output()
            .await
            .expect("kubectl is there");
        assert!(
            output.status.success(),
            "kubectl {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    allow_leases(control_plane).await;
}

/// Lets the operator hold a Lease of any name in its namespace: the chart allows the one of its release, and every scene has one of its own.
async fn allow_leases(control_plane: &ControlPlane) {
    const NAME: &str = "leases-of-scenes";
    let client = control_plane.admin_client();
    let apply = PatchParams::apply("test").force();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": NAME},
        "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "update"]}],
    });
    let roles: Api<Role> = Api::namespaced(client.clone(), NAMESPACE);
    let allowed = roles.patch(NAME, &apply, &Patch::Apply(role)).await;
    allowed.expect("an administrator may allow it");
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": NAME},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": NAMESPACE}],
    });
    let bindings: Api<RoleBinding> = Api::namespaced(client, NAMESPACE);
    let bound = bindings.patch(NAME, &apply, &Patch::Apply(binding)).await;
    bound.expect("an administrator may bind it");
}
