//! The way to the Kubernetes API, inside a cluster or beside one.

use std::time::Duration;

use kube::Config;
use kube::config::{InferConfigError, Kubeconfig};

/// How long a connection may be silent. Watches, which end by themselves earlier, are the longest that are.
const READ_TIMEOUT: Duration = Duration::from_secs(240);

/// There is no way to the Kubernetes API.
#[derive(Debug, thiserror::Error)]
pub enum ApiServerError {
    /// Neither a service account nor a kubeconfig that could be used.
    #[error("no Kubernetes API. Run inside a cluster, or set KUBECONFIG")]
    NoConfiguration(#[source] InferConfigError),
    /// The kubeconfig names a proxy. Its URL may hold a password and is not told.
    #[error(
        "the kubeconfig names a proxy for its cluster (proxy-url), and the operator reaches the Kubernetes API directly or not at all"
    )]
    Proxy,
}

/// The configuration of the service account or of the kubeconfig.
///
/// No proxy is used. The variables that name one are meant for what is outside, and an operator that lost its API server over them would lose its
/// Lease.
pub async fn config() -> Result<Config, ApiServerError> {
    let mut config = Config::infer()
        .await
        .map_err(ApiServerError::NoConfiguration)?;
    config.read_timeout = Some(READ_TIMEOUT);
    if config.proxy_url.is_some() && names_proxy() {
        return Err(ApiServerError::Proxy);
    }
    // Outside a cluster the library takes HTTPS_PROXY for the API server, too, without asking NO_PROXY.
    config.proxy_url = None;
    Ok(config)
}

/// Whether the kubeconfig has a proxy for the cluster of its present context.
fn names_proxy() -> bool {
    let proxy = || {
        let kubeconfig = Kubeconfig::read().ok()?;
        let current = kubeconfig.current_context?;
        let mut contexts = kubeconfig.contexts.into_iter();
        let context = contexts.find(|named| named.name == current)?.context?;
        let mut clusters = kubeconfig.clusters.into_iter();
        let named = clusters.find(|named| named.name == context.cluster)?;
        named.cluster?.proxy_url
    };
    proxy().is_some_and(|proxy| !proxy.is_empty())
}
