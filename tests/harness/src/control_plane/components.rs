//! The three programs of a control plane, and how each is told to behave in a test.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::certificates::Certificates;
use super::{ControlPlaneError, Running, files, kubeconfig};
use crate::assets::Assets;
use crate::process::{ProcessError, ProcessSpec, Supervised};

/// How long one component may take to become ready. It takes about 2 s on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(60);

const READINESS_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Those that the tests need: objects in a deleted namespace go, owned objects go with their owner, a namespace gets
/// its default service account and the certificate authority, aggregated roles and quotas work. The controller
/// manager refuses to start when one of the names is unknown.
const CONTROLLERS: &str = "namespace-controller,serviceaccount-controller,serviceaccount-token-controller,\
    garbage-collector-controller,clusterrole-aggregation-controller,root-ca-certificate-publisher-controller,\
    resourcequota-controller";

/// No other member of etcd ever connects to its peer port, so its number need not be known.
const ETCD_PEER: &str = "http://127.0.0.1:0";

/// Where everything of one control plane is.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) folder: PathBuf,
    pub(super) certificates: Certificates,
    pub(super) administrator_kubeconfig: PathBuf,
    controller_manager_kubeconfig: PathBuf,
    audit_policy: PathBuf,
    pub(super) audit_log: PathBuf,
    api_server_port: u16,
    controller_manager_port: u16,
}

impl Layout {
    /// Fills `folder` with the keys and the configuration, and chooses the ports.
    pub(super) fn create(folder: &Path, audit_policy: &str) -> Result<Self, ControlPlaneError> {
        let certificates = Certificates::create(folder)?;
        let [api_server_port, controller_manager_port] = free_ports()?;
        let layout = Self {
            administrator_kubeconfig: folder.join("administrator.kubeconfig"),
            controller_manager_kubeconfig: folder.join("controller-manager.kubeconfig"),
            audit_policy: folder.join("audit-policy.yaml"),
            audit_log: folder.join("audit.log"),
            folder: folder.to_owned(),
            certificates,
            api_server_port,
            controller_manager_port,
        };
        files::write(&layout.audit_policy, audit_policy)?;
        let cluster = kubeconfig::cluster(&layout.server(), &layout.certificates.authority);
        for (file, keys) in [
            (
                &layout.administrator_kubeconfig,
                &layout.certificates.administrator,
            ),
            (
                &layout.controller_manager_kubeconfig,
                &layout.certificates.controller_manager,
            ),
        ] {
            kubeconfig::write(
                file,
                cluster.clone(),
                kubeconfig::certificate_user(&keys.certificate, &keys.key),
            )?;
        }
        Ok(layout)
    }

    /// The URL of the API server.
    pub(super) fn server(&self) -> String {
        format!("https://127.0.0.1:{}", self.api_server_port)
    }

    /// A socket file rather than a port: it cannot be taken by somebody else, and nobody else may connect to it.
    pub(super) fn etcd_socket(&self) -> String {
        format!("unix://{}", self.folder.join("etcd.sock").display())
    }

    fn log_of(&self, program: &str) -> PathBuf {
        self.folder.join(format!("{program}.log"))
    }

    /// Removes everything that etcd has written. Its log as well, because that tells when it serves.
    pub(super) fn remove_etcd(&self) -> Result<(), ControlPlaneError> {
        files::remove_folder(&self.etcd_data())?;
        files::remove(&self.log_of("etcd"))
    }

    /// Where etcd keeps everything.
    pub(super) fn etcd_data(&self) -> PathBuf {
        self.folder.join("etcd")
    }

    /// Starts all of them, one after the other.
    pub(super) async fn start_all(
        &self,
        assets: &Assets,
        administrator: &kube::Config,
    ) -> Result<Running, ControlPlaneError> {
        let etcd = self.start_etcd(assets).await?;
        let api_server = self.start_api_server(assets, administrator).await?;
        Ok(Running {
            controller_manager: self.start_controller_manager(assets, administrator).await?,
            api_server,
            etcd,
        })
    }

    /// Starts etcd and waits until it serves.
    async fn start_etcd(&self, assets: &Assets) -> Result<Supervised, ControlPlaneError> {
        let spec = ProcessSpec::new(assets.program("etcd"))
            .arguments(["--unsafe-no-fsync", "--log-level=info"])
            .arguments(etcd_member())
            .argument(format!("--data-dir={}", self.etcd_data().display()))
            .argument(format!("--listen-client-urls={}", self.etcd_socket()))
            .argument(format!("--advertise-client-urls={}", self.etcd_socket()))
            .argument(format!("--listen-peer-urls={ETCD_PEER}"));
        let etcd = Supervised::spawn(&spec, &self.log_of("etcd"))?;
        etcd.wait_for_log_line("ready to serve client requests", START_LIMIT)
            .await?;
        Ok(etcd)
    }

    /// Starts the API server and waits until `/readyz` says so.
    pub(super) async fn start_api_server(
        &self,
        assets: &Assets,
        administrator: &kube::Config,
    ) -> Result<Supervised, ControlPlaneError> {
        let certificates = &self.certificates;
        let spec = ProcessSpec::new(assets.program("kube-apiserver"))
            .arguments([
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                "--service-cluster-ip-range=10.0.0.0/24",
                "--authorization-mode=RBAC",
                // The address of this server is on the loopback interface, which is no valid endpoint of a service.
                "--endpoint-reconciler-type=none",
                "--service-account-issuer=https://kubernetes.default.svc",
                // Without it the server waits up to a minute for its clients to give up their watches before it ends.
                "--shutdown-watch-termination-grace-period=1s",
                // Megabytes. A log that is rotated in the middle of a test would seem to lose requests.
                "--audit-log-maxsize=4096",
            ])
            .argument(format!("--secure-port={}", self.api_server_port))
            .argument(format!("--etcd-servers={}", self.etcd_socket()))
            .argument(format!("--cert-dir={}", self.folder.display()))
            .argument(format!(
                "--client-ca-file={}",
                certificates.authority.display()
            ))
            .argument(format!(
                "--service-account-key-file={}",
                certificates.service_account_public_key.display()
            ))
            .argument(format!(
                "--service-account-signing-key-file={}",
                certificates.service_account_key.display()
            ))
            .argument(format!(
                "--audit-policy-file={}",
                self.audit_policy.display()
            ))
            .argument(format!("--audit-log-path={}", self.audit_log.display()))
            .arguments(self.serving_certificate());
        let api_server = Supervised::spawn(&spec, &self.log_of("kube-apiserver"))?;
        wait_until_healthy(&api_server, administrator.clone(), "/readyz").await?;
        Ok(api_server)
    }

    /// Starts the controller manager and waits until `/healthz` says so.
    async fn start_controller_manager(
        &self,
        assets: &Assets,
        administrator: &kube::Config,
    ) -> Result<Supervised, ControlPlaneError> {
        let certificates = &self.certificates;
        let spec = ProcessSpec::new(assets.program("kube-controller-manager"))
            .arguments([
                "--bind-address=127.0.0.1",
                "--leader-elect=false",
                // The defaults spare a big cluster; here they only make tests wait.
                "--kube-api-qps=200",
                "--kube-api-burst=400",
            ])
            .argument(format!("--controllers={CONTROLLERS}"))
            .argument(format!("--secure-port={}", self.controller_manager_port))
            .argument(format!(
                "--kubeconfig={}",
                self.controller_manager_kubeconfig.display()
            ))
            .argument(format!(
                "--root-ca-file={}",
                certificates.authority.display()
            ))
            .argument(format!(
                "--service-account-private-key-file={}",
                certificates.service_account_key.display()
            ))
            .arguments(self.serving_certificate());
        let controller_manager = Supervised::spawn(&spec, &self.log_of("kube-controller-manager"))?;
        let mut config = administrator.clone();
        config.cluster_url = kubeconfig::url(&format!(
            "https://127.0.0.1:{}",
            self.controller_manager_port
        ))?;
        wait_until_healthy(&controller_manager, config, "/healthz").await?;
        Ok(controller_manager)
    }

    fn serving_certificate(&self) -> [String; 2] {
        let server = &self.certificates.server;
        [
            format!("--tls-cert-file={}", server.certificate.display()),
            format!("--tls-private-key-file={}", server.key.display()),
        ]
    }
}

/// Who the one member of etcd is; a data folder that is made of a backup has to say the same.
pub(super) fn etcd_member() -> [String; 3] {
    [
        "--name=etcd".to_owned(),
        format!("--initial-cluster=etcd={ETCD_PEER}"),
        format!("--initial-advertise-peer-urls={ETCD_PEER}"),
    ]
}

/// True when a component ended because another process had taken its port in the meantime.
pub(super) fn lost_its_port(error: &ControlPlaneError) -> bool {
    matches!(error, ControlPlaneError::Process(ProcessError::Ended { log_tail, .. })
        if log_tail.contains("address already in use"))
}

/// Ports that were free a moment ago. All are held before the first is given back, so that they differ.
fn free_ports<const COUNT: usize>() -> Result<[u16; COUNT], ControlPlaneError> {
    let mut listeners = Vec::with_capacity(COUNT);
    let mut ports = [0; COUNT];
    for port in &mut ports {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(ControlPlaneError::Port)?;
        *port = listener
            .local_addr()
            .map_err(ControlPlaneError::Port)?
            .port();
        listeners.push(listener);
    }
    Ok(ports)
}

async fn wait_until_healthy(
    component: &Supervised,
    mut config: kube::Config,
    path: &str,
) -> Result<(), ControlPlaneError> {
    // A server that does not answer yet is asked again here, not behind our back.
    config.default_retry = false;
    let client = client(config)?;
    let started = Instant::now();
    loop {
        let exit_status = component.exit_status();
        if is_healthy(&client, path).await {
            return Ok(());
        }
        component.check_progress(exit_status, started, START_LIMIT, || {
            format!("{path} answered 200")
        })?;
        tokio::time::sleep(READINESS_POLL_INTERVAL).await;
    }
}

async fn is_healthy(client: &kube::Client, path: &str) -> bool {
    let Ok(request) = http::Request::get(path).body(Vec::new()) else {
        return false;
    };
    matches!(
        tokio::time::timeout(Duration::from_secs(5), client.request_text(request)).await,
        Ok(Ok(_))
    )
}

pub(super) fn client(config: kube::Config) -> Result<kube::Client, ControlPlaneError> {
    kube::Client::try_from(config).map_err(|source| ControlPlaneError::Request {
        action: "making a client for the API server".to_owned(),
        source: Box::new(source),
    })
}
