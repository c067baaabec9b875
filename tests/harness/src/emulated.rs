//! An AI Core for one test: the emulator inside the test process, and a client of its control endpoints.
//!
//! Everything here is the work of "other people" or of the test itself. None of it counts as a call of the operator.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aicore_emulator::{
    Effect, Emulator, Entry, Fault, Kind, Match, Operation, Options, Settings, TenantSeed,
};
use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The tenant that a Connection of a [`crate::scene::Scene`] leads to.
pub const TENANT: &str = "zone-1";

/// Another tenant at the same address.
pub const OTHER_TENANT: &str = "zone-2";

/// How often the emulator is asked while something in it is awaited; it has nothing like a watch.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// An emulated AI Core with two tenants. It ends when it is dropped.
///
/// # Panics
///
/// Every function panics when the emulator refuses what it is asked for: the test is wrong then.
#[derive(Debug)]
pub struct Emulated {
    url: String,
    client: Client,
    _emulator: Emulator,
}

/// A deployment as the emulator's control endpoints show it, whether callers of the API see it or not.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoteDeployment {
    /// The id.
    pub id: String,
    /// The identity zone of the tenant.
    pub tenant: String,
    /// The configuration that it was created from, or given later.
    pub configuration_id: String,
    /// The name of that configuration, where the emulator tells it.
    #[serde(default)]
    pub configuration_name: Option<String>,
    /// For instance `RUNNING`.
    pub status: String,
    /// The parameters of its configuration.
    pub parameters: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct RemoteDeployments {
    deployments: Vec<RemoteDeployment>,
}

#[derive(Deserialize)]
struct Entries {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Identifier {
    id: String,
}

impl Emulated {
    /// Starts one with these settings.
    pub async fn start(settings: Settings) -> Self {
        let tenant = |number: u8| TenantSeed {
            identity_zone_id: format!("zone-{number}"),
            client_id: format!("client-{number}"),
            client_secret: format!("the-secret-of-{number}"),
        };
        let options = Options {
            settings,
            tenants: vec![tenant(1), tenant(2)],
            ..Options::default()
        };
        let emulator = Emulator::start(options)
            .await
            .expect("a port of the loopback interface can be listened on");
        let client = Client::builder()
            .no_proxy()
            .build()
            .expect("a client without options can be made");
        Self {
            url: emulator.url(),
            client,
            _emulator: emulator,
        }
    }

    /// `http://ADDRESS:PORT` of API and token endpoint.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that has happened, in its order.
    pub async fn audit(&self) -> Vec<Entry> {
        self.audit_after(0).await
    }

    /// Everything that has happened after the entry with this number, in its order.
    pub async fn audit_after(&self, seq: u64) -> Vec<Entry> {
        let path = format!("audit?after={seq}");
        self.read::<Entries>(&path).await.entries
    }

    /// The calls of the operator for one operation, answered or not.
    pub async fn calls(&self, operation: Operation) -> Vec<Entry> {
        let audit = self.audit().await.into_iter();
        audit
            .filter(|entry| entry.kind == Kind::Call && entry.operation == operation)
            .collect()
    }

    /// The accepted calls of the operator that changed something, with the id of the deployment where there is one.
    pub async fn effects(&self) -> Vec<(Operation, Option<String>)> {
        let writes = [
            Operation::CreateDeployment,
            Operation::StopDeployment,
            Operation::ChangeConfiguration,
            Operation::DeleteDeployment,
        ];
        let audit = self.audit().await.into_iter();
        audit
            .filter(|entry| entry.accepted && writes.contains(&entry.operation))
            .map(|entry| (entry.operation, entry.deployment_id))
            .collect()
    }

    /// The service key of a tenant, as SAP BTP hands it out.
    pub async fn service_key(&self, tenant: &str) -> Value {
        self.read(&format!("service-key?tenant={tenant}")).await
    }

    /// Changes settings while the emulator runs; a phase that is under way becomes as long as the new setting says.
    pub async fn set(&self, settings: Value) {
        self.send(Method::PATCH, "settings", &settings).await;
    }

    /// Has calls of these operations go wrong, all of them when none is named, until [`Emulated::heal`] or after `times` calls.
    pub async fn fault(
        &self,
        name: &str,
        operations: &[Operation],
        times: Option<u64>,
        effect: Effect,
    ) {
        let fault = Fault {
            name: name.to_owned(),
            matches: Match {
                operations: operations.to_vec(),
                ..Match::default()
            },
            skip: 0,
            times,
            probability: 1.0,
            effect,
        };
        self.add_fault(&fault).await;
    }

    /// Switches a fault on. Returns its id, for [`Emulated::remove_fault`].
    pub async fn add_fault(&self, fault: &Fault) -> String {
        self.create("faults", &json!(fault)).await
    }

    /// Switches one fault off.
    pub async fn remove_fault(&self, id: &str) {
        self.send(Method::DELETE, &format!("faults/{id}"), &Value::Null)
            .await;
    }

    /// Ends all faults.
    pub async fn heal(&self) {
        self.send(Method::DELETE, "faults", &Value::Null).await;
    }

    /// Has every token that was handed out be refused from now on.
    pub async fn revoke_tokens(&self) {
        self.send(Method::POST, "revoke-tokens", &json!({})).await;
    }

    /// The owner of [`TENANT`] revokes its key: it opens nothing any more. Tokens that were handed out before stay good until they end. The
    /// key that [`Emulated::service_key`] returns from now on is a new one.
    pub async fn revoke_key(&self) {
        let key = self.service_key(TENANT).await;
        let former = key["clientsecret"].as_str().unwrap_or_default();
        let client = json!({
            "tenant": TENANT,
            "clientId": key["clientid"],
            "clientSecret": format!("{former}-anew"),
        });
        self.send(Method::POST, "clients", &client).await;
    }

    /// All deployments of all tenants.
    pub async fn deployments(&self) -> Vec<RemoteDeployment> {
        self.read::<RemoteDeployments>("deployments")
            .await
            .deployments
    }

    /// The status of a deployment, or nothing when it is gone.
    pub async fn status_of(&self, id: &str) -> Option<String> {
        let mut deployments = self.deployments().await.into_iter();
        deployments
            .find(|deployment| deployment.id == id)
            .map(|deployment| deployment.status)
    }

    /// Somebody else's deployment in a group of [`TENANT`], from an existing configuration, in the status RUNNING.
    pub async fn add_deployment(&self, group: &str, configuration: &str) -> String {
        let new =
            json!({"resourceGroup": group, "configurationId": configuration, "status": "RUNNING"});
        self.create("deployments", &new).await
    }

    /// The same as [`Emulated::add_deployment`], with an id that is known beforehand.
    pub async fn add_known_deployment(&self, group: &str, configuration: &str, id: &str) {
        let new = json!({
            "id": id,
            "resourceGroup": group,
            "configurationId": configuration,
            "status": "RUNNING",
        });
        self.create("deployments", &new).await;
    }

    /// The same as [`Emulated::add_configuration`], with an id that is known beforehand.
    pub async fn add_known_configuration(&self, group: &str, id: &str) {
        let new = json!({
            "id": id,
            "resourceGroup": group,
            "name": "made by hand",
            "scenarioId": "churn",
            "executableId": "churn-server",
            "parameters": {"imageTag": "1"},
        });
        self.create("configurations", &new).await;
    }

    /// Somebody else makes a resource group of [`TENANT`].
    pub async fn add_group(&self, group: &str) {
        let new = json!({"resourceGroupId": group});
        self.send(Method::POST, "resource-groups", &new).await;
    }

    /// Somebody else deletes a resource group of [`TENANT`] with everything in it.
    pub async fn remove_group(&self, group: &str) {
        let path = format!("resource-groups/{group}?tenant={TENANT}");
        self.send(Method::DELETE, &path, &Value::Null).await;
    }

    /// Somebody else's configuration in a group of [`TENANT`].
    pub async fn add_configuration(&self, group: &str) -> String {
        self.add_configuration_named(group, "made by hand").await
    }

    /// Somebody else's configuration of one of the executables of the scenario `churn`.
    pub async fn add_configuration_of(&self, group: &str, executable: &str) -> String {
        let new = json!({
            "resourceGroup": group,
            "name": "made by hand",
            "scenarioId": "churn",
            "executableId": executable,
            "parameters": {"imageTag": "1"},
        });
        self.create("configurations", &new).await
    }

    /// A configuration of this name in a group of [`TENANT`].
    pub async fn add_configuration_named(&self, group: &str, name: &str) -> String {
        let new = json!({
            "resourceGroup": group,
            "name": name,
            "scenarioId": "churn",
            "executableId": "churn-server",
            "parameters": {"imageTag": "1"},
        });
        self.create("configurations", &new).await
    }

    /// Somebody else's configuration in a group of [`TENANT`] for a hosted model, with these parameters.
    pub async fn add_hosted_model(&self, group: &str, parameters: &Value) -> String {
        let new = json!({
            "resourceGroup": group,
            "name": "a model made by hand",
            "scenarioId": "foundation-models",
            "executableId": "azure-openai",
            "parameters": parameters,
        });
        self.create("configurations", &new).await
    }

    /// AI Core says this of the versions of the only hosted model, `gpt-4o` of the executable `azure-openai`.
    pub async fn announce(&self, versions: Value) {
        let model = json!({
            "scenarioId": "foundation-models",
            "executableId": "azure-openai",
            "model": "gpt-4o",
            "versions": versions,
        });
        self.set(json!({"models": [model]})).await;
    }

    /// Somebody else, or AI Core itself, brings a deployment into another state: `status`, `targetStatus`, `statusMessage`, `frozen`,
    /// `createdAt`.
    pub async fn force(&self, id: &str, state: Value) {
        self.send(Method::PATCH, &format!("deployments/{id}"), &state)
            .await;
    }

    /// The same as [`Emulated::force`], but false when there is no such deployment any more.
    pub async fn force_if_there(&self, id: &str, state: Value) -> bool {
        self.try_deployment(Method::PATCH, id, &state).await
    }

    /// The same as [`Emulated::remove`], but false when there is no such deployment any more.
    pub async fn remove_if_there(&self, id: &str) -> bool {
        self.try_deployment(Method::DELETE, id, &Value::Null).await
    }

    async fn try_deployment(&self, method: Method, id: &str, body: &Value) -> bool {
        let url = format!("{}/_emulator/deployments/{id}", self.url);
        let request = self.client.request(method, url).json(body);
        let status = request.send().await.expect("the emulator answers").status();
        assert!(
            status.is_success() || status == StatusCode::NOT_FOUND,
            "the emulator refuses to touch {id} with {status}"
        );
        status.is_success()
    }

    /// Somebody else deletes a deployment, and it is gone at once.
    pub async fn remove(&self, id: &str) {
        self.send(Method::DELETE, &format!("deployments/{id}"), &Value::Null)
            .await;
    }

    /// Waits until the log has at least `count` calls of an operation, answered or not.
    pub async fn called(&self, operation: Operation, count: usize, limit: Duration) {
        let started = Instant::now();
        loop {
            let audit = self.audit().await;
            let calls = audit.iter().filter(|entry| entry.operation == operation);
            if calls.count() >= count {
                return;
            }
            assert!(
                started.elapsed() < limit,
                "AI Core was not called {count} times with {operation:?} within {limit:?}"
            );
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until the fault of this name has hit a call, which the log has only when it was answered.
    pub async fn hit(&self, name: &str, limit: Duration) {
        let started = Instant::now();
        loop {
            let answer: Value = self.read("faults").await;
            let mut faults = answer["faults"].as_array().into_iter().flatten();
            let fault = faults.find(|fault| fault["name"] == name);
            if fault.is_some_and(|fault| fault["hits"].as_u64() > Some(0)) {
                return;
            }
            assert!(
                started.elapsed() < limit,
                "the fault {name} has hit no call within {limit:?}"
            );
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until the operator has asked for so many more lists, in each of which it could have found a reason to do something.
    pub async fn listed_again(&self, times: usize, limit: Duration) {
        let audit = self.audit().await;
        let lists = audit
            .iter()
            .filter(|entry| entry.operation == Operation::ListDeployments);
        let before = lists.count();
        self.called(Operation::ListDeployments, before + times, limit)
            .await;
    }

    /// The only deployment that there is.
    pub async fn only_deployment(&self) -> RemoteDeployment {
        let mut deployments = self.deployments().await;
        match (deployments.pop(), deployments.is_empty()) {
            (Some(only), true) => only,
            (last, _) => panic!("there is not one deployment, but {deployments:?} and {last:?}"),
        }
    }

    /// Waits until a deployment is gone.
    pub async fn until_gone(&self, id: &str, limit: Duration) {
        let started = Instant::now();
        while let Some(status) = self.status_of(id).await {
            assert!(
                started.elapsed() < limit,
                "after {limit:?} {id} is still there, {status}"
            );
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    async fn create(&self, path: &str, body: &Value) -> String {
        let answer = self.send(Method::POST, path, body).await;
        answer
            .json::<Identifier>()
            .await
            .expect("the emulator answers with an id")
            .id
    }

    async fn read<T: DeserializeOwned>(&self, path: &str) -> T {
        let answer = self.send(Method::GET, path, &Value::Null).await;
        answer
            .json()
            .await
            .expect("the emulator answers as it is documented")
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> reqwest::Response {
        let mut request = self
            .client
            .request(method, format!("{}/_emulator/{path}", self.url));
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.expect("the emulator answers");
        let status = answer.status();
        if !status.is_success() {
            let text = answer.text().await.unwrap_or_default();
            panic!("the emulator refuses {path} with {status}: {text}");
        }
        answer
    }
}
