//! The objects that tests apply, and the changes to them that many tests make.

use serde_json::{Value, json};

use crate::scene::{CONNECTION, GROUP, Scene, connection};

/// A Deployment with an inline configuration.
#[must_use]
pub fn deployment(name: &str) -> Value {
    with(
        name,
        json!({"configuration": configuration(&json!({"imageTag": "1"}))}),
    )
}

/// A configuration with these parameters.
#[must_use]
pub fn configuration(parameters: &Value) -> Value {
    json!({"scenarioId": "churn", "executableId": "churn-server", "parameters": parameters})
}

/// A Deployment with an inline configuration whose deployments end as `outcome` says: DEAD, STUCK_PENDING or STUCK_UNKNOWN.
#[must_use]
pub fn deployment_that_ends(name: &str, outcome: &str) -> Value {
    with(
        name,
        json!({"configuration": configuration(&json!({"emulator.outcome": outcome}))}),
    )
}

/// A Deployment with an existing configuration.
#[must_use]
pub fn deployment_from(name: &str, configuration: &str) -> Value {
    with(name, json!({"configurationId": configuration}))
}

/// A Deployment that adopts.
#[must_use]
pub fn adoption(name: &str, id: &str, policy: &str) -> Value {
    with(
        name,
        json!({"adopt": {"deploymentId": id}, "deletionPolicy": policy}),
    )
}

/// A Deployment with these fields of its spec.
#[must_use]
pub fn with(name: &str, fields: Value) -> Value {
    let mut spec = json!({"resourceGroup": GROUP, "connectionRef": {"name": CONNECTION}});
    let fields = fields.as_object().expect("fields are an object").clone();
    spec.as_object_mut().expect("it is one").extend(fields);
    json!({
        "apiVersion": "aicore.dev/v1alpha1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": spec,
    })
}

/// Changes what a Deployment is to be.
pub async fn wish(scene: &Scene, name: &str, desired_state: &str) {
    let wish = json!({"spec": {"desiredState": desired_state}});
    scene.change("Deployment", name, wish).await;
}

/// Declares that nobody else creates deployments from the configurations that objects name.
pub async fn make_exclusive(scene: &Scene) {
    let exclusive = json!({"spec": {"exclusive": true}});
    scene.change("Connection", CONNECTION, exclusive).await;
    scene
        .until_reason("Connection", CONNECTION, "Connected")
        .await;
}

/// The configuration that an object's deployment was made from.
pub async fn configuration_of(scene: &Scene, name: &str) -> String {
    let object = scene.get("Deployment", name).await;
    let id = object["status"]["deployment"]["configurationId"].as_str();
    id.expect("its deployment has been seen").to_owned()
}

/// A Connection from whose configurations nobody else creates deployments.
#[must_use]
pub fn exclusive_connection(name: &str, secret: &str) -> Value {
    let mut connection = connection(name, secret);
    connection["spec"]["exclusive"] = json!(true);
    connection
}
