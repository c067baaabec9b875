//! An emulator to test against, with its control plane at hand.

use std::collections::BTreeMap;
use std::time::Duration;

use aicore_emulator::{Effect, Emulator, Entry, Operation, Options, Response, Settings};
use aicore_operator::aicore::{Client, ClientOptions, GroupKey, ServiceKey};
use k8s_openapi::ByteString;
use reqwest::Method;
use serde_json::{Value, json};

/// The resource group that the tests work in.
pub(crate) const GROUP: &str = "team-a";

/// A running emulator.
pub(crate) struct Remote {
    emulator: Emulator,
    http: reqwest::Client,
}

impl Remote {
    pub(crate) async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let emulator = Emulator::start(Options {
            settings,
            ..Options::default()
        })
        .await
        .unwrap();
        Self {
            emulator,
            http: reqwest::Client::new(),
        }
    }

    pub(crate) async fn stop(self) {
        self.emulator.stop().await;
    }

    /// A client with the tenant's own service key.
    pub(crate) async fn client(&self) -> Client {
        self.client_with(|_| ()).await
    }

    /// A client that waits half a second for an answer.
    pub(crate) async fn impatient_client(&self) -> Client {
        self.client_with_options(ClientOptions {
            request_timeout: Duration::from_millis(500),
            ..options()
        })
        .await
    }

    /// A client with these options.
    pub(crate) async fn client_with_options(&self, options: ClientOptions) -> Client {
        let key = self.control(Method::GET, "service-key", &Value::Null).await;
        client_with(&key, options)
    }

    /// A client whose service key was changed.
    pub(crate) async fn client_with(&self, change: impl FnOnce(&mut Value)) -> Client {
        let mut key = self.control(Method::GET, "service-key", &Value::Null).await;
        change(&mut key);
        client(&key)
    }

    /// A client that doubts every token that is refused, however young.
    pub(crate) async fn doubting_client(&self) -> Client {
        let key = self.control(Method::GET, "service-key", &Value::Null).await;
        doubting_client(&key)
    }

    /// A client with the tenant's own service key, which AI Core has accepted already.
    pub(crate) async fn accepted_client(&self) -> Client {
        accepted(self.client().await).await
    }

    /// A resource group, as accepted clients know it.
    pub(crate) async fn key(&self, group: &str) -> GroupKey {
        self.accepted_client().await.group_key(group)
    }

    /// Calls the control plane, and fails the test when it refuses.
    pub(crate) async fn control(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self
            .http
            .request(method, format!("{}/_emulator/{path}", self.emulator.url()));
        let request = if body.is_null() {
            request
        } else {
            request.json(body)
        };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Somebody makes a configuration.
    pub(crate) async fn configuration(&self) -> String {
        let body = json!({"resourceGroup": GROUP, "name": "churn-v1", "scenarioId": "churn", "executableId": "churn-server"});
        text(&self.control(Method::POST, "configurations", &body).await["id"])
    }

    /// Somebody makes a deployment that is in a status and stays there.
    pub(crate) async fn deployment(&self, status: &str) -> String {
        let body = json!({"resourceGroup": GROUP, "configurationId": self.configuration().await});
        let id = text(&self.control(Method::POST, "deployments", &body).await["id"]);
        self.force(&id, status).await;
        id
    }

    pub(crate) async fn force(&self, id: &str, status: &str) {
        let body = json!({"status": status, "frozen": true});
        self.control(Method::PATCH, &format!("deployments/{id}"), &body)
            .await;
    }

    pub(crate) async fn set(&self, settings: Value) {
        self.control(Method::PATCH, "settings", &settings).await;
    }

    /// Switches a fault on for every call of an operation.
    pub(crate) async fn fault(&self, operation: Operation, effect: Effect) {
        let fault = json!({"match": {"operations": [operation]}, "effect": effect});
        self.control(Method::POST, "faults", &fault).await;
    }

    /// Switches a fault on for the next calls of an operation, so many of them.
    pub(crate) async fn fault_for(&self, times: u64, operation: Operation, effect: Effect) {
        let fault = json!({"match": {"operations": [operation]}, "times": times, "effect": effect});
        self.control(Method::POST, "faults", &fault).await;
    }

    pub(crate) async fn respond(&self, operation: Operation, status: u16, body: &str) {
        self.fault(operation, Effect::Respond(response(status, body)))
            .await;
    }

    pub(crate) async fn heal(&self) {
        self.control(Method::DELETE, "faults", &Value::Null).await;
    }

    /// The audit log's entries of an operation.
    pub(crate) async fn calls(&self, operation: Operation) -> Vec<Entry> {
        let audit = self.control(Method::GET, "audit", &Value::Null).await;
        let entries: Vec<Entry> = serde_json::from_value(audit["entries"].clone()).unwrap();
        entries
            .into_iter()
            .filter(|entry| entry.operation == operation)
            .collect()
    }

    pub(crate) async fn count(&self, operation: Operation) -> usize {
        self.calls(operation).await.len()
    }
}

/// The client, once AI Core has accepted its credentials.
pub(crate) async fn accepted(client: Client) -> Client {
    client.list_resource_groups().await.unwrap();
    assert!(!client.realm().is_unproven());
    client
}

/// A client from the JSON of a service key.
pub(crate) fn client(key: &Value) -> Client {
    client_with(key, options())
}

/// A client that doubts every token that is refused, however young.
pub(crate) fn doubting_client(key: &Value) -> Client {
    let options = ClientOptions {
        doubted_token_age: Duration::ZERO,
        ..options()
    };
    client_with(key, options)
}

/// Plain http is fine, and an answer may take 20 seconds.
pub(crate) fn options() -> ClientOptions {
    ClientOptions {
        allow_http: true,
        request_timeout: Duration::from_secs(20),
        ..ClientOptions::default()
    }
}

/// A client with this service key and these options.
pub(crate) fn client_with(key: &Value, options: ClientOptions) -> Client {
    Client::new(service_key(key), &options).unwrap()
}

/// A service key, read from a Secret.
pub(crate) fn service_key(key: &Value) -> ServiceKey {
    let data = BTreeMap::from([("key".to_owned(), ByteString(key.to_string().into_bytes()))]);
    ServiceKey::from_secret(&data, None).unwrap()
}

pub(crate) fn response(status: u16, body: &str) -> Response {
    Response {
        status,
        body: body.to_owned(),
        content_type: None,
        retry_after: None,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
