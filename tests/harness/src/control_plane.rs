//! A real Kubernetes control plane for tests: etcd, kube-apiserver and kube-controller-manager on the loopback
//! interface, with RBAC on and an audit log.
//!
//! There are no nodes and no scheduler: pods are accepted but never run. The controllers that run are those that
//! clean up and those that issue service accounts, so that deletions end as they do in a cluster.
//!
//! With `USE_EXISTING_CLUSTER=true` the current context of the kubeconfig is used instead, as envtest does it.

mod audit;
mod backup;
mod certificates;
mod components;
mod error;
mod files;
mod kubeconfig;

use std::path::{Path, PathBuf};

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::{Mutex, OnceCell};

pub use audit::AuditEntry;
pub use backup::{Backup, Revisions};
pub use error::ControlPlaneError;

use crate::assets::Assets;
use crate::process::{Supervised, guard};
use components::Layout;

/// How often a start is tried again when another process has taken a port between its choice and its use.
const START_ATTEMPTS: usize = 5;

/// Seconds that a token from [`ControlPlane::kubeconfig_for_service_account`] is valid: longer than any test.
const TOKEN_LIFETIME_SECONDS: i64 = 24 * 60 * 60;

/// A running control plane. Its processes and its folder go when it is dropped, and also when the test process is
/// killed.
#[derive(Debug)]
pub struct ControlPlane {
    /// `None` when the cluster is an existing one.
    components: Option<Components>,
    assets: Assets,
    administrator: Config,
    administrator_kubeconfig: PathBuf,
    folder: TempDir,
}

#[derive(Debug)]
struct Components {
    running: Mutex<Running>,
    layout: Layout,
}

/// The processes, in the order in which they have to end.
#[derive(Debug)]
struct Running {
    controller_manager: Supervised,
    api_server: Supervised,
    etcd: Supervised,
}

impl ControlPlane {
    /// Starts a control plane of its own, or connects to the existing cluster with `USE_EXISTING_CLUSTER=true`. The
    /// first start on a machine builds the upstream programs, which takes minutes; later ones take about 5 s.
    ///
    /// # Errors
    ///
    /// When the programs cannot be built, or when a component ends or is not ready after 60 s; the error holds the
    /// last lines of its log.
    pub async fn start() -> Result<Self, ControlPlaneError> {
        if std::env::var("USE_EXISTING_CLUSTER").is_ok_and(|value| value == "true") {
            return Self::connect_to_existing_cluster().await;
        }
        Self::start_alone().await
    }

    /// Starts a control plane of its own, whatever the environment says.
    ///
    /// # Errors
    ///
    /// See [`ControlPlane::start`].
    pub async fn start_alone() -> Result<Self, ControlPlaneError> {
        Self::start_with_policy(audit::POLICY).await
    }

    /// Starts a control plane of its own, whatever the environment says, whose audit log has the answer to every write
    /// of a custom resource: each state that an object ever had, in order.
    ///
    /// # Errors
    ///
    /// See [`ControlPlane::start`].
    pub async fn start_with_answers() -> Result<Self, ControlPlaneError> {
        Self::start_with_policy(audit::POLICY_WITH_ANSWERS).await
    }

    async fn start_with_policy(audit_policy: &str) -> Result<Self, ControlPlaneError> {
        let assets = Assets::locate(&[
            "etcd",
            "kube-apiserver",
            "kube-controller-manager",
            "kubectl",
        ])
        .await?;
        let mut attempt = 1;
        loop {
            match Self::start_components(assets.clone(), audit_policy).await {
                Err(error) if components::lost_its_port(&error) && attempt < START_ATTEMPTS => {
                    attempt += 1
                }
                result => return result,
            }
        }
    }

    /// The control plane that all tests of this process share. It ends with the process.
    ///
    /// # Panics
    ///
    /// When it does not start: no test can go on without it.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();
        SHARED
            .get_or_init(|| async {
                match Self::start().await {
                    Ok(control_plane) => control_plane,
                    Err(error) => panic!("{}", error.with_causes()),
                }
            })
            .await
    }

    async fn start_components(
        assets: Assets,
        audit_policy: &str,
    ) -> Result<Self, ControlPlaneError> {
        let folder = temporary_folder()?;
        let layout = Layout::create(folder.path(), audit_policy)?;
        let mut administrator = config(&layout.administrator_kubeconfig).await?;
        // A proxy of the environment is no way to the loopback interface; kubectl leaves it out here by itself.
        administrator.proxy_url = None;
        let running = layout.start_all(&assets, &administrator).await?;
        Ok(Self {
            administrator_kubeconfig: layout.administrator_kubeconfig.clone(),
            components: Some(Components {
                running: Mutex::new(running),
                layout,
            }),
            assets,
            administrator,
            folder,
        })
    }

    async fn connect_to_existing_cluster() -> Result<Self, ControlPlaneError> {
        let assets = Assets::locate(&["kubectl"]).await?;
        let folder = temporary_folder()?;
        let administrator_kubeconfig = folder.path().join("administrator.kubeconfig");
        kubeconfig::write_whole(&administrator_kubeconfig, &Kubeconfig::read()?)?;
        let administrator = config(&administrator_kubeconfig).await?;
        Ok(Self {
            components: None,
            assets,
            administrator,
            administrator_kubeconfig,
            folder,
        })
    }

    /// A new client that may do everything. It belongs to the runtime of the calling test: a client that is shared
    /// by tests stops working when the test that made it ends.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    #[must_use]
    pub fn admin_client(&self) -> Client {
        components::client(self.administrator.clone())
            .expect("a client could be made of this when it started")
    }

    /// A kubeconfig file whose user may do everything.
    #[must_use]
    pub fn admin_kubeconfig(&self) -> &Path {
        &self.administrator_kubeconfig
    }

    /// The URL of the API server.
    #[must_use]
    pub fn server(&self) -> String {
        self.administrator.cluster_url.to_string()
    }

    /// The PEM file with the certificate authority of the API server; `None` with an existing cluster, whose
    /// kubeconfig may hold it in another form.
    #[must_use]
    pub fn ca(&self) -> Option<&Path> {
        self.components
            .as_ref()
            .map(|components| components.layout.certificates.authority.as_path())
    }

    /// `kubectl` as administrator, without arguments yet. It is killed when the returned command's child is dropped.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        self.kubectl_with(&self.administrator_kubeconfig)
    }

    /// `kubectl` as the user of a kubeconfig file, without arguments yet.
    #[must_use]
    pub fn kubectl_with(&self, kubeconfig: &Path) -> Command {
        let mut command = Command::new(self.assets.program("kubectl"));
        command
            .env("KUBECONFIG", kubeconfig)
            // Discovery results of one control plane must not be taken for those of the next on the same port.
            .env("KUBECACHEDIR", self.folder.path().join("kubectl-cache"))
            .kill_on_drop(true);
        command
    }

    /// Writes a kubeconfig file whose user is a service account with the rights that it has been given, and no more.
    /// Its token is a real one from the TokenRequest API, valid for 24 hours.
    ///
    /// # Errors
    ///
    /// When the service account does not exist.
    pub async fn kubeconfig_for_service_account(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<PathBuf, ControlPlaneError> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.admin_client(), namespace);
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                expiration_seconds: Some(TOKEN_LIFETIME_SECONDS),
                ..Default::default()
            }),
            ..Default::default()
        };
        let token = accounts
            .create_token_request(name, &PostParams::default(), &request)
            .await
            .map_err(|source| ControlPlaneError::Request {
                action: format!("requesting a token for the service account {namespace}/{name}"),
                source: Box::new(source),
            })?
            .status
            .and_then(|status| status.token)
            .ok_or_else(|| ControlPlaneError::NoToken {
                account: format!("{namespace}/{name}"),
            })?;
        let cluster =
            kubeconfig::current_cluster(&Kubeconfig::read_from(&self.administrator_kubeconfig)?)?;
        let file = self
            .folder
            .path()
            .join(format!("{namespace}.{name}.kubeconfig"));
        kubeconfig::write(&file, cluster, kubeconfig::token_user(token))?;
        Ok(file)
    }

    /// What the API server has logged so far: every write, and all that service accounts did. An entry appears a
    /// moment after the client has its answer.
    ///
    /// # Errors
    ///
    /// With an existing cluster, and when the log cannot be read.
    pub fn audit_entries(&self) -> Result<Vec<AuditEntry>, ControlPlaneError> {
        audit::read(&self.own("audit log")?.layout.audit_log)
    }

    /// What the API server has logged since `position`, in bytes, which is moved on. The log of a long test is read in
    /// parts this way. A watch may be told twice: when it has begun, and when it has ended.
    ///
    /// # Errors
    ///
    /// See [`ControlPlane::audit_entries`].
    pub fn audit_entries_since(
        &self,
        position: &mut u64,
    ) -> Result<Vec<AuditEntry>, ControlPlaneError> {
        audit::read_on(&self.own("audit log")?.layout.audit_log, position)
    }

    /// What the API server has logged about the objects of these namespaces since `position`, in bytes. A watch is one
    /// entry.
    ///
    /// # Errors
    ///
    /// See [`ControlPlane::audit_entries`].
    pub fn audit_entries_about(
        &self,
        namespaces: &[&str],
        position: u64,
    ) -> Result<Vec<AuditEntry>, ControlPlaneError> {
        let log = &self.own("audit log")?.layout.audit_log;
        audit::read_about(log, position, namespaces)
    }

    /// How much the API server has logged so far, in bytes.
    ///
    /// # Errors
    ///
    /// See [`ControlPlane::audit_entries`].
    pub fn audit_position(&self) -> Result<u64, ControlPlaneError> {
        audit::length(&self.own("audit log")?.layout.audit_log)
    }

    /// The folder of its keys, logs and data, which goes with it. Tests may put files of their own there.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// The numbers of its processes: etcd, kube-apiserver, kube-controller-manager. Empty with an existing cluster.
    pub async fn process_ids(&self) -> Vec<u32> {
        let Some(components) = &self.components else {
            return Vec::new();
        };
        let running = components.running.lock().await;
        vec![
            running.etcd.pid(),
            running.api_server.pid(),
            running.controller_manager.pid(),
        ]
    }

    /// Ends the API server in good order, starts it again at the same address with the same data, and waits until it
    /// is ready.
    ///
    /// # Errors
    ///
    /// With an existing cluster, and when it does not become ready within 60 s.
    pub async fn restart_api_server(&self) -> Result<(), ControlPlaneError> {
        let components = self.own("API server process")?;
        let mut running = components.running.lock().await;
        running.api_server.terminate().await;
        running.api_server = components
            .layout
            .start_api_server(&self.assets, &self.administrator)
            .await?;
        Ok(())
    }

    /// Ends all processes and removes the folder. The data go with it, so nothing is given time to save any.
    ///
    /// # Errors
    ///
    /// When the folder cannot be removed.
    pub async fn stop(self) -> Result<(), ControlPlaneError> {
        if let Some(components) = self.components {
            components.running.into_inner().kill().await;
        }
        let path = self.folder.path().to_owned();
        self.folder
            .close()
            .map_err(|source| ControlPlaneError::File { path, source })
    }

    fn own(&self, what: &'static str) -> Result<&Components, ControlPlaneError> {
        self.components
            .as_ref()
            .ok_or(ControlPlaneError::ExistingCluster(what))
    }
}

impl Running {
    async fn kill(&self) {
        for component in [&self.controller_manager, &self.api_server, &self.etcd] {
            component.kill();
            component.wait_for_exit().await;
        }
    }
}

async fn config(kubeconfig: &Path) -> Result<Config, ControlPlaneError> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    Ok(Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?)
}

fn temporary_folder() -> Result<TempDir, ControlPlaneError> {
    let folder = tempfile::Builder::new()
        .prefix("aicore-control-plane-")
        .tempdir()
        .map_err(|source| ControlPlaneError::File {
            path: std::env::temp_dir(),
            source,
        })?;
    guard::remove_at_end(folder.path()).map_err(ControlPlaneError::Guard)?;
    Ok(folder)
}
