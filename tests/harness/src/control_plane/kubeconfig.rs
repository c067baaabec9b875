//! Kubeconfig files with one cluster and one user.

use std::path::Path;

use kube::config::{
    AuthInfo, Cluster, Context, Kubeconfig, KubeconfigError, NamedAuthInfo, NamedCluster,
    NamedContext,
};

use super::{ControlPlaneError, files};

const NAME: &str = "control-plane";

/// A cluster whose certificates the authority in the file `authority` signs.
pub(super) fn cluster(server: &str, authority: &Path) -> Cluster {
    Cluster {
        server: Some(server.to_owned()),
        certificate_authority: Some(authority.display().to_string()),
        ..Cluster::default()
    }
}

/// A user who has a client certificate.
pub(super) fn certificate_user(certificate: &Path, key: &Path) -> AuthInfo {
    AuthInfo {
        client_certificate: Some(certificate.display().to_string()),
        client_key: Some(key.display().to_string()),
        ..AuthInfo::default()
    }
}

/// A user who has a bearer token.
pub(super) fn token_user(token: String) -> AuthInfo {
    AuthInfo {
        token: Some(token.into()),
        ..AuthInfo::default()
    }
}

/// The cluster that the current context of a kubeconfig names.
pub(super) fn current_cluster(kubeconfig: &Kubeconfig) -> Result<Cluster, ControlPlaneError> {
    let context = kubeconfig
        .contexts
        .iter()
        .find(|context| Some(&context.name) == kubeconfig.current_context.as_ref())
        .and_then(|context| context.context.as_ref());
    context
        .and_then(|context| {
            kubeconfig
                .clusters
                .iter()
                .find(|cluster| cluster.name == context.cluster)
        })
        .and_then(|cluster| cluster.cluster.clone())
        .ok_or(ControlPlaneError::NoCurrentCluster)
}

/// Writes a kubeconfig whose current context is this user at this cluster.
pub(super) fn write(
    file: &Path,
    cluster: Cluster,
    user: AuthInfo,
) -> Result<(), ControlPlaneError> {
    let context = Context {
        cluster: NAME.to_owned(),
        user: Some(NAME.to_owned()),
        ..Context::default()
    };
    write_whole(
        file,
        &Kubeconfig {
            api_version: Some("v1".to_owned()),
            kind: Some("Config".to_owned()),
            clusters: vec![NamedCluster {
                name: NAME.to_owned(),
                cluster: Some(cluster),
                ..NamedCluster::default()
            }],
            auth_infos: vec![NamedAuthInfo {
                name: NAME.to_owned(),
                auth_info: Some(user),
                ..NamedAuthInfo::default()
            }],
            contexts: vec![NamedContext {
                name: NAME.to_owned(),
                context: Some(context),
                ..NamedContext::default()
            }],
            current_context: Some(NAME.to_owned()),
            ..Kubeconfig::default()
        },
    )
}

/// Writes a kubeconfig as it is. JSON is YAML, so every client reads it.
pub(super) fn write_whole(file: &Path, kubeconfig: &Kubeconfig) -> Result<(), ControlPlaneError> {
    let content =
        serde_json::to_string_pretty(kubeconfig).map_err(|source| ControlPlaneError::File {
            path: file.to_owned(),
            source: source.into(),
        })?;
    files::write(file, &content)
}

/// Parses the URL of a cluster.
pub(super) fn url(url: &str) -> Result<http::Uri, ControlPlaneError> {
    url.parse()
        .map_err(|source| ControlPlaneError::Kubeconfig(KubeconfigError::ParseClusterUrl(source)))
}
