//! The kind `Connection`: which AI Core tenant, and with which key.

#![allow(
    clippy::duplicated_attributes,
    reason = "each printcolumn has a type of its own"
)]

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccessGrant, Condition};
use crate::aicore::{Tenant, Validity};

/// Where an SAP AI Core tenant is and with which key the operator reaches it. Deployments of the same namespace refer to it by name, and those of
/// other namespaces where it grants them access.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "aicore.dev",
    version = "v1alpha1",
    kind = "Connection",
    plural = "connections",
    singular = "connection",
    shortname = "aiconn",
    doc = "Where an SAP AI Core tenant is, and with which key the operator reaches it.",
    category = "aicore",
    namespaced,
    status = "ConnectionStatus",
    derive = "PartialEq",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(name = "Host", type_ = "string", json_path = ".status.host"),
    printcolumn(name = "Running", type_ = "integer", json_path = ".status.running"),
    printcolumn(name = "Unclaimed", type_ = "integer", json_path = ".status.unclaimed"),
    printcolumn(
        name = "Orphans",
        type_ = "integer",
        json_path = ".status.orphanCount",
        priority = 1
    ),
    printcolumn(
        name = "Certificate Until",
        type_ = "string",
        json_path = ".status.certificate.notAfter",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionSpec {
    /// The Secret in this namespace that holds the SAP AI Core service key: the key's JSON under one entry, or any of the three layouts
    /// that a ServiceBinding of the SAP BTP service operator writes. It is watched, so that a new key counts without a restart.
    pub secret_ref: SecretReference,

    /// Which Deployments of other namespaces may use this Connection, and for which resource groups. Its own namespace may use it for all of them;
    /// nobody else may where nothing is listed. When a grant is taken away, what was made with it can still be stopped and deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub access: Vec<AccessGrant>,

    /// True when nobody but this operator creates deployments from the configurations that Deployments name by configurationId. Only then
    /// can a deployment whose creation was interrupted be recognised by its configuration alone; otherwise a person is asked.
    #[serde(default)]
    pub exclusive: bool,
}

/// A Secret in the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SecretReference {
    /// The name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// The entry of the Secret that holds the service key as JSON. It can be left out where the layout tells by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub key: Option<String>,
}

/// Whether the key works, and what the operator sees with it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionStatus {
    /// The generation of the spec that the conditions speak of, or -1 while the object was never looked at.
    pub observed_generation: i64,

    /// Ready: the key works and AI Core answers. While it is not, one of two more: Reconciling, where that heals by itself, and Stalled, where a person
    /// must act.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,

    /// The host name of the AI Core API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,

    /// The tenant that the key leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Tenant>,

    /// When the certificate of the key is valid, where the key is an X.509 one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Validity>,

    /// The resource groups of the tenant, as far as the key may list them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_groups: Vec<String>,

    /// How many deployments run in these resource groups, whoever made them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<i64>,

    /// How many deployments in these resource groups, in whatever state, belong to no Deployment object of this cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unclaimed: Option<i64>,

    /// Those unclaimed deployments that were made for an object which does not hold them any more, of this namespace or of one that is granted
    /// access, ordered by id, at most 20.
    /// They cost as long as they run: name one in spec.adopt of a Deployment to manage it again, or delete it in AI Core.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub orphans: Vec<Orphan>,

    /// How many orphans there are, also those that are not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orphan_count: Option<i64>,

    /// Deployments that objects have left behind on purpose, by their policy Orphan or by force, and that AI Core still has, at most 1000. They are
    /// not taken for lost ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeftDeployment>,

    /// Create calls that were open when their object was let go by force, or left by its policy Orphan while nothing proved what had come of them, at
    /// most 100. What such a call may have made is nobody's: it is not taken for another object's without a person, however exclusive this
    /// Connection is. A call is listed for an hour, and longer only while AI Core has a deployment that it may have made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_calls: Vec<LeftCall>,

    /// Every Secret that carries, or is about to carry, this operator's finalizer on behalf of this Connection.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
}

/// A deployment in AI Core whose configuration bears the name of an object that does not hold it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Orphan {
    /// The id of the deployment in AI Core.
    pub id: String,
    /// The resource group that it lives in.
    pub resource_group: String,
    /// The name of the Deployment object that it was made for, where that was one of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The state that AI Core reports, for example RUNNING.
    pub state: String,
}

/// A deployment that an object has left behind on purpose.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LeftDeployment {
    /// The id of the deployment in AI Core.
    pub id: String,
    /// The resource group that it lives in.
    pub resource_group: String,
}

/// A create call whose outcome was open when its object was let go.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LeftCall {
    /// The id of the configuration that it was made from.
    pub configuration_id: String,
    /// The resource group that it was made in.
    pub resource_group: String,
    /// The newest time that AI Core had told before the call was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced_at: Option<String>,
}
