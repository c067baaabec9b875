//! Which Connections an object names and has used. Without a namespace, its own is meant.

use kube::ResourceExt;

use super::views::ConnectionName;
use crate::api::{Deployment, DeploymentStatus};

/// The Connection that the spec names.
pub(crate) fn named(object: &Deployment) -> ConnectionName {
    let reference = &object.spec.connection_ref;
    in_namespace(object, reference.namespace.as_ref(), &reference.name)
}

/// The Connection through which the object's ids were obtained, if it ever had any.
pub(crate) fn used(object: &Deployment) -> Option<ConnectionName> {
    let status = object.status.as_ref()?;
    let name = status.connection.as_ref()?;
    Some(in_namespace(
        object,
        status.connection_namespace.as_ref(),
        name,
    ))
}

/// Writes into the status of an object of `namespace` through which Connection its ids are obtained.
pub(crate) fn note(status: &mut DeploymentStatus, namespace: &str, connection: &ConnectionName) {
    let (place, name) = connection;
    status.connection = Some(name.clone());
    status.connection_namespace = (place != namespace).then(|| place.clone());
}

fn in_namespace(object: &Deployment, namespace: Option<&String>, name: &str) -> ConnectionName {
    let namespace = namespace.cloned().or_else(|| object.namespace());
    (namespace.unwrap_or_default(), name.to_owned())
}
