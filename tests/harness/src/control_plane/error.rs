use std::io;
use std::path::PathBuf;

use crate::assets::AssetsError;
use crate::process::ProcessError;

/// Why there is no control plane, or why it did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ControlPlaneError {
    /// The upstream programs are missing.
    #[error("the programs of the control plane are missing")]
    Assets(#[from] AssetsError),
    /// A component did not start or did not become ready.
    #[error("the control plane does not run")]
    Process(#[from] ProcessError),
    /// No free port was found.
    #[error("no free port on 127.0.0.1 could be had; check that loopback networking is available")]
    Port(#[source] io::Error),
    /// A file of the control plane cannot be read or written.
    #[error(
        "{path} cannot be read or written; check that there is space left in the folder of temporary files"
    )]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The guard that clears up after this process is missing.
    #[error("the process that clears up after the tests could not be started; it needs /bin/sh")]
    Guard(#[source] io::Error),
    /// A tool of etcd failed.
    #[error("{program} failed: {message}")]
    Tool {
        /// Its name.
        program: String,
        /// What it has said on standard error, or why it could not be run.
        message: String,
    },
    /// Keys or certificates could not be made.
    #[error("the certificates of the control plane could not be made")]
    Certificates(#[from] rcgen::Error),
    /// The kubeconfig cannot be used.
    #[error(
        "the kubeconfig cannot be used; with USE_EXISTING_CLUSTER=true, check KUBECONFIG and its current context"
    )]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// The current context of the kubeconfig is missing or names no cluster.
    #[error(
        "the kubeconfig has no current context with a cluster; choose one with `kubectl config use-context`"
    )]
    NoCurrentCluster,
    /// The API server refused a request or could not be reached.
    #[error("{action} failed")]
    Request {
        /// What was asked for.
        action: String,
        /// The cause.
        source: Box<kube::Error>,
    },
    /// The API server granted a token and did not send it.
    #[error(
        "the API server sent no token for the service account {account}; is the TokenRequest API served?"
    )]
    NoToken {
        /// Namespace and name.
        account: String,
    },
    /// A cluster that is not ours shows neither its audit log nor its processes.
    #[error(
        "an existing cluster has no {0} that a test can reach; run the test without USE_EXISTING_CLUSTER"
    )]
    ExistingCluster(&'static str),
    /// A line of the audit log is not an audit event.
    #[error("the audit log {path} has a line that is no audit event")]
    AuditLog {
        /// The log file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
}

impl ControlPlaneError {
    /// The sentence of this error and of each of its causes, in one line: what a test prints before it gives up.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let first: &dyn std::error::Error = self;
        std::iter::successors(Some(first), |error| error.source())
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ")
    }
}
