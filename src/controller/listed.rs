//! What the watches have shown, for those who only read it: the probes, the metrics, and whoever counts what nobody claims.

use std::sync::Arc;

use kube::runtime::reflector::Store;
use tokio::sync::SetOnce;

use crate::api::{Connection, Deployment};

/// The caches of both kinds, each from the moment on when the API server has listed all objects once.
///
/// A store has a future for that moment too. It wakes only the last one who asked, so it is left to the controller that owns the store.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    pub(crate) deployments: Arc<SetOnce<Store<Deployment>>>,
    pub(crate) connections: Arc<SetOnce<Store<Connection>>>,
}

impl Listed {
    /// Whether both kinds have been listed.
    pub fn is_complete(&self) -> bool {
        self.deployments.initialized() && self.connections.initialized()
    }
}
