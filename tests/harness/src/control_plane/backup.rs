//! Backups of etcd, made and restored with etcd's own tools, as its operations guide says (etcd, "Disaster recovery").

use std::path::PathBuf;

use tokio::process::Command;

use super::components::etcd_member;
use super::{ControlPlane, ControlPlaneError};
use crate::assets::Assets;

/// How much further the revisions are moved with [`Revisions::MovedOn`]: the number in etcd's guide.
const REVISIONS_MOVED_ON: &str = "--bump-revision=1000000000";

/// The state of etcd at one moment. The file lives in the folder of its control plane.
#[derive(Debug)]
pub struct Backup {
    file: PathBuf,
}

/// What the revisions of a restored etcd are: in Kubernetes, the `resourceVersion` of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revisions {
    /// Those of the backup. The ones that came after it are given a second time, for other content.
    SetBack,
    /// Far beyond all that were ever given, and every earlier one is compacted: what etcd's guide calls a restore with a revision bump.
    MovedOn,
}

impl ControlPlane {
    /// Takes a snapshot of etcd while everything runs. The first call on a machine builds `etcdctl` and `etcdutl`.
    ///
    /// # Errors
    ///
    /// With an existing cluster, and when the tool cannot be built or fails.
    pub async fn back_up(&self) -> Result<Backup, ControlPlaneError> {
        let layout = &self.own("etcd")?.layout;
        let file = self.folder.path().join("backup.db");
        let tools = Assets::locate(&["etcdctl", "etcdutl"]).await?;
        let mut save = Command::new(tools.program("etcdctl"));
        save.arg(format!("--endpoints={}", layout.etcd_socket()))
            .args(["snapshot", "save"])
            .arg(&file);
        succeed("etcdctl", &mut save).await?;
        Ok(Backup { file })
    }

    /// Ends all processes, makes etcd what it was at a backup, and starts them again at the same addresses.
    ///
    /// # Errors
    ///
    /// With an existing cluster, and when a tool fails or a component does not become ready within 60 s.
    pub async fn set_back(
        &self,
        backup: &Backup,
        revisions: Revisions,
    ) -> Result<(), ControlPlaneError> {
        let components = self.own("etcd")?;
        let layout = &components.layout;
        let mut running = components.running.lock().await;
        // Nothing needs to be saved: the data go.
        running.kill().await;
        layout.remove_etcd()?;
        let tools = Assets::locate(&["etcdutl"]).await?;
        let mut restore = Command::new(tools.program("etcdutl"));
        restore
            .args(["snapshot", "restore"])
            .arg(&backup.file)
            .args(etcd_member())
            .arg(format!("--data-dir={}", layout.etcd_data().display()));
        if revisions == Revisions::MovedOn {
            restore.args([REVISIONS_MOVED_ON, "--mark-compacted"]);
        }
        succeed("etcdutl", &mut restore).await?;
        *running = layout.start_all(&self.assets, &self.administrator).await?;
        Ok(())
    }
}

async fn succeed(program: &str, command: &mut Command) -> Result<(), ControlPlaneError> {
    let failure = |message| ControlPlaneError::Tool {
        program: program.to_owned(),
        message,
    };
    let output = command
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| failure(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(failure(message.into_owned()))
}
