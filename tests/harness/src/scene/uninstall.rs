//! Deleting the CustomResourceDefinitions, and installing them again.
//!
//! They are the whole control plane's, so the tests of a process that does this take turns, and share no control plane with others.

use std::path::Path;

use super::Scene;
use crate::operator;

/// The folder of the definitions.
const DEFINITIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crds");

impl Scene {
    /// Has the definitions deleted, and with them every object, and does not wait for it.
    pub async fn begin_uninstall(&mut self) {
        self.uninstalled = true;
        self.administer(&["delete", "--wait=false"]).await;
    }

    /// Waits until the definitions and all objects are gone.
    pub async fn until_uninstalled(&self) {
        self.administer(&["wait", "--for=delete", "--timeout=60s"])
            .await;
    }

    /// Installs the definitions again, without which [`Scene::finish`] cannot look at anything.
    pub async fn install(&self) {
        operator::install(&self.control_plane).await;
    }

    async fn administer(&self, arguments: &[&str]) {
        let folder = Path::new(DEFINITIONS).display().to_string();
        let arguments = [arguments, &["-f", &folder]].concat();
        let outcome = self.kubectl(&arguments).await;
        if !outcome.succeeded {
            self.despair(&format!("kubectl {arguments:?}: {}", outcome.errors))
                .await;
        }
    }
}
