//! The kind `Deployment`: the desired state of one AI Core deployment, and what is known of it.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Condition, ConfigurationTemplate, Endpoint, ManagementPolicy, ModelRetirement, OfficeHours,
    OfficeHoursStatus, RecordedConfiguration, RecordedResources, RolledBack, SentConfiguration,
    UpdatePolicy,
};
use crate::aicore::Tenant;

/// The desired state of one SAP AI Core deployment. The operator creates, stops and deletes the remote deployment until it is reached.
/// Deleting this object deletes the remote deployment first, unless deletionPolicy says Orphan.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "aicore.dev",
    version = "v1alpha1",
    kind = "Deployment",
    plural = "deployments",
    singular = "deployment",
    shortname = "aid",
    doc = "The desired state of one SAP AI Core deployment.",
    category = "aicore",
    namespaced,
    status = "DeploymentStatus",
    derive = "PartialEq",
    validation = Rule::new("self.metadata.name.size() <= 63")
        .message("metadata.name must have at most 63 characters, because it becomes part of the name of an AI Core configuration"),
    printcolumn(name = "Desired", type_ = "string", json_path = ".status.desiredState"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.deployment.state"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Next Change", type_ = "string", json_path = ".status.schedule.nextChange"),
    printcolumn(name = "Group", type_ = "string", json_path = ".spec.resourceGroup", priority = 1),
    printcolumn(name = "ID", type_ = "string", json_path = ".status.deployment.id", priority = 1),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.deployment.url", priority = 1),
    printcolumn(name = "Configuration", type_ = "string", json_path = ".status.deployment.configurationId", priority = 1),
    printcolumn(name = "Next", type_ = "string", json_path = ".status.nextStep", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!(has(self.configuration) && has(self.configurationId))")
        .message("give either configuration, which the operator creates in AI Core, or configurationId, which exists there already, not both"),
    validation = Rule::new("has(self.configuration) || has(self.configurationId) || has(self.adopt)")
        .message("say what to run: one of configuration, configurationId or adopt is required"),
    validation = Rule::new("!has(self.adopt) || has(self.deletionPolicy)")
        .message("an adopted deployment needs an explicit deletionPolicy: Delete or Orphan"),
    validation = Rule::new("has(self.ttl) == has(oldSelf.ttl) && (!has(self.ttl) || self.ttl == oldSelf.ttl)")
        .message("ttl cannot be changed: AI Core takes it only when a deployment is created")
)]
pub struct DeploymentSpec {
    /// The state to reach and keep. Running: it serves. Stopped: it exists but costs nothing, and cannot be started again, so that going
    /// back to Running makes a new deployment with a new id and URL. Deleted: nothing is left in AI Core, while this object stays. Without it:
    /// what schedule says, and Running where there is none. Beside a schedule it counts from when it is given until the schedule's next time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_state: Option<DesiredState>,

    /// Office hours: when the deployment is wanted to run. Outside of them nothing is left in AI Core, and each start makes a new deployment,
    /// with a new id and URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<OfficeHours>,

    /// The AI Core resource group that the deployment lives in. It cannot be changed, because AI Core cannot move a deployment.
    #[x_kube(validation = Rule::new("self == oldSelf").message("resourceGroup cannot be changed: AI Core cannot move a deployment"))]
    #[schemars(regex(pattern = r"^[a-zA-Z0-9][a-zA-Z0-9.-]{1,251}[a-zA-Z0-9]$"))]
    pub resource_group: String,

    /// The Connection that says where AI Core is and with which key to reach it.
    pub connection_ref: ConnectionReference,

    /// The AI Core configuration to run, written here. The operator creates it under a name that leads back to this object, and reuses it
    /// as long as its content is the same, because AI Core has no way to delete a configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<ConfigurationTemplate>,

    /// The id of an existing AI Core configuration to run, which is used as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[\w.-]{4,64}$"))]
    pub configuration_id: Option<String>,

    /// A deployment that exists in AI Core already and shall be managed by this object. It is looked up, never created, and the first
    /// contact changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<Adoption>,

    /// How long AI Core lets the deployment live from its creation on, in whole minutes, hours or days, such as 90m, 24h or 7d. When it
    /// ends, AI Core stops and deletes the deployment, and this object says Expired. Without it the deployment lives until it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[1-9][0-9]{0,5}[mMhHdD]$"))]
    pub ttl: Option<String>,

    /// What happens to this object once its ttl has run out and AI Core has deleted the deployment. Keep: it stays and says Expired. Delete: it
    /// is deleted, too, unless it is protected.
    #[serde(default)]
    pub expiry_policy: ExpiryPolicy,

    /// Where applications find out how to reach the deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,

    /// What happens to the remote deployment when this object is deleted. Delete: it is stopped, deleted, and this object stays until that
    /// is proven. Orphan: it is left as it is and goes on costing money. The operator's own default counts when this is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,

    /// Manage: whatever is needed to reach the desired state is done. Observe: nothing is written to AI Core, and the status says what Manage
    /// would do. An observed deployment may belong to another object, and it is left as it is when this object is deleted, unless this object has
    /// created it.
    #[serde(default)]
    pub management_policy: ManagementPolicy,

    /// What to do when somebody else stopped or deleted the remote deployment although it should run. Never: say so and wait for a person.
    /// Always: make a new one, with a new id and a new URL.
    #[serde(default)]
    pub recreate_policy: RecreatePolicy,

    /// How the deployment is brought to another configuration. A change within the same scenario and executable keeps its id and URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdatePolicy>,
}

/// The state that a user wants a deployment to be in.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(inline)]
pub enum DesiredState {
    #[default]
    #[allow(
        missing_docs,
        reason = "the field's text explains the values, and a text here would split the schema's enum"
    )]
    Running,
    #[allow(missing_docs, reason = "see Running")]
    Stopped,
    #[allow(missing_docs, reason = "see Running")]
    Deleted,
}

/// What happens to an object whose ttl has run out.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(inline)]
pub enum ExpiryPolicy {
    #[default]
    #[allow(missing_docs, reason = "the field's text explains the values")]
    Keep,
    #[allow(missing_docs, reason = "the field's text explains the values")]
    Delete,
}

/// What happens to the remote deployment when its object is deleted.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(inline)]
pub enum DeletionPolicy {
    #[allow(missing_docs, reason = "the field's text explains the values")]
    Delete,
    #[allow(missing_docs, reason = "the field's text explains the values")]
    Orphan,
}

/// What to do about a deployment that somebody else stopped or deleted.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(inline)]
pub enum RecreatePolicy {
    #[default]
    #[allow(missing_docs, reason = "the field's text explains the values")]
    Never,
    #[allow(missing_docs, reason = "the field's text explains the values")]
    Always,
}

/// A Connection.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionReference {
    /// The name of the Connection.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// The namespace of the Connection, which has to grant this namespace access to the resource group. Without it: this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
}

/// An existing deployment to be managed.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Adoption {
    /// The id of the deployment in AI Core. It is read only while this object has no deployment yet.
    #[schemars(regex(pattern = r"^[\w.-]{4,64}$"))]
    pub deployment_id: String,
}

/// What the operator knows of the remote deployment, what it waits for and what it will do next.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct DeploymentStatus {
    /// The generation of the spec that the conditions speak of, or -1 while the object was never looked at.
    pub observed_generation: i64,

    /// Ready, Available, and while they hold Reconciling (it can heal by itself) or Stalled (a person must act).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,

    /// The state that is being reached or kept: desiredState, or what the schedule says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_state: Option<DesiredState>,

    /// What the schedule said, and what it says next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<OfficeHoursStatus>,

    /// The name of the ConfigMap for applications. It is written here before the ConfigMap is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,

    /// What the operator will do next, or is waiting for, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,

    /// The tenant that the ids below live in. It stays as it is while an id or an intent is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Tenant>,

    /// The name of the Connection through which the ids below were obtained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,

    /// The namespace of that Connection, where it is not this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_namespace: Option<String>,

    /// The configuration that the spec asks for, as AI Core knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<RecordedConfiguration>,

    /// The remote deployment of this object, as AI Core reported it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<RecordedDeployment>,

    /// Whether the deployment above is only looked at: it was found, or left to whoever else may want it, under the managementPolicy Observe. Under
    /// Manage it becomes this object's own unless another object has it.
    #[serde(skip_serializing_if = "is_false")]
    pub observed_only: bool,

    /// The record of a create call in flight, written before the call, so that a crash can neither lose nor repeat it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,

    /// How many create calls this object has made; the serial number of the newest intent.
    #[serde(skip_serializing_if = "is_zero")]
    pub create_serial: i64,

    /// The id of the deployment that the operator itself has stopped or deleted, or is about to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_sent_for: Option<String>,

    /// The change of configuration that AI Core has accepted last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_sent: Option<SentConfiguration>,

    /// The configuration that has failed and was taken back. It is not tried again as long as the spec asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<RolledBack>,

    /// Deployments of this object besides the one above, such as one that was replaced, or the late result of a create call that was given up.
    /// Each is stopped and deleted, and this object stays until all of them are gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retiring: Vec<RetiringDeployment>,

    /// Create calls that were given up, because nothing came of them for as long as a call can take: newest last, at most 5. A result that
    /// comes even later is recognised by them. Each is kept for about an hour.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lapsed: Vec<Intent>,

    /// Whether the remote deployment of this deleted object is being stopped and deleted. Then it goes on to its end, also when the custom
    /// resource definition is deleted meanwhile, which alone is no wish to delete models.
    #[serde(skip_serializing_if = "is_false")]
    pub deletion_begun: bool,

    /// Ids of earlier deployments of this object that are gone from AI Core, newest last, at most 20.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previous_ids: Vec<String>,

    /// The model of this deployment, where AI Core calls it deprecated or retires it within 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_retirement: Option<ModelRetirement>,
}

impl DeploymentStatus {
    /// Whether something of the object may exist in AI Core that only the recorded tenant knows.
    pub fn records_something(&self) -> bool {
        self.deployment.is_some() || self.intent.is_some() || !self.retiring.is_empty()
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// A deployment that has to go while its object may stay.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RetiringDeployment {
    /// The id of the deployment in AI Core.
    pub id: String,
    /// The state that AI Core reported last; absent while the deployment has not been looked at since it was recorded here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The state that AI Core is driving the deployment to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_state: Option<String>,
    /// Whether it goes on serving until the deployment that replaces it runs.
    #[serde(default, skip_serializing_if = "is_false")]
    pub serves_until_replaced: bool,
    /// Where it takes requests until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A remote deployment as AI Core reported it. Texts are AI Core's own, cut where they are long.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct RecordedDeployment {
    /// The id of the deployment in AI Core.
    pub id: String,
    /// The state that AI Core reports, for example RUNNING. Empty while the deployment has never been seen in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The state that AI Core is driving the deployment to: RUNNING, STOPPED or DELETED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_state: Option<String>,
    /// The id of the configuration that the deployment uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_id: Option<String>,
    /// The id of the configuration that is known to have run last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_running_configuration_id: Option<String>,
    /// Where the deployment takes requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The last operation that AI Core applied, for example CREATE or UPDATE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_operation: Option<String>,
    /// AI Core's own message about the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How long AI Core lets the deployment live from its creation on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// When the deployment was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When the deployment began to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// What the deployment runs on: the resource plan or instance type that it got, and its model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<RecordedResources>,
}

/// A create call that was about to be made, and what is needed to find out whether it happened.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// The number of this create call among all of this object's.
    pub serial: i64,
    /// Tells this call apart from another one of the same number, which an object has whose status was lost: the resourceVersion that the object
    /// had when the call was announced.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub nonce: String,
    /// The configuration that was posted.
    pub configuration_id: String,
    /// The ttl that was posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// Deployments of that configuration that existed before: none of them is the result of this call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<String>,
    /// AI Core's own time of the list that showed them (RFC 3339): what AI Core has created before it, or more than an hour after it, is not the
    /// late result of this call. Without it any time counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced_at: Option<String>,
    /// The Lease (namespace/name) of the operator that has announced the call. One with another Lease leaves it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

impl Intent {
    /// What tells this call apart from every other one of its object.
    pub fn key(&self) -> (i64, String) {
        (self.serial, self.nonce.clone())
    }
}
