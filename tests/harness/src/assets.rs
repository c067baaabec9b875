//! Where the upstream programs are: etcd, kube-apiserver, kube-controller-manager, kubectl and helm.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::process::Command;

/// Builds what is missing and prints the folder; the conventions of envtest (`KUBEBUILDER_ASSETS`,
/// `USE_EXISTING_CLUSTER`) are its business.
const BUILD_SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../control-plane/build.sh");

/// Why the upstream programs are not there.
#[derive(Debug, thiserror::Error)]
pub enum AssetsError {
    /// The build script did not run.
    #[error("{BUILD_SCRIPT} could not be run; it needs bash")]
    Run(#[source] io::Error),
    /// The build script failed; it has said why on standard error.
    #[error(
        "the control plane could not be built ({0}); the reason is above, `make control-plane` shows it again"
    )]
    Build(ExitStatus),
    /// The build script did not name a folder that holds what was asked for.
    #[error("the folder that `make control-plane` names, \"{folder}\", lacks {program}")]
    Missing {
        /// The folder that was named; empty when there was none.
        folder: String,
        /// A program that it should hold.
        program: String,
    },
}

/// A folder with upstream programs.
#[derive(Debug, Clone)]
pub struct Assets {
    folder: PathBuf,
}

impl Assets {
    /// Finds `programs`, and builds first what is not there yet. That takes minutes the first time; progress goes to
    /// standard error.
    ///
    /// # Errors
    ///
    /// When a program can be neither found nor built.
    pub async fn locate(programs: &[&str]) -> Result<Self, AssetsError> {
        let output = Command::new(BUILD_SCRIPT)
            .args(programs)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .await
            .map_err(AssetsError::Run)?;
        if !output.status.success() {
            return Err(AssetsError::Build(output.status));
        }
        let output = String::from_utf8_lossy(&output.stdout);
        let folder = output
            .lines()
            .last()
            .and_then(|line| line.strip_prefix("KUBEBUILDER_ASSETS="))
            .unwrap_or_default();
        let assets = Self {
            folder: folder.into(),
        };
        match programs
            .iter()
            .find(|program| !assets.program(program).is_file())
        {
            Some(program) => Err(AssetsError::Missing {
                folder: folder.to_owned(),
                program: (*program).to_owned(),
            }),
            None => Ok(assets),
        }
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of one program, for instance `kubectl`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}
