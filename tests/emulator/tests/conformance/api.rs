//! A client of the emulator that hides nothing.

use std::time::Duration;

use aicore_emulator::{Emulator, Entry, Options, Settings, TenantSeed};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// Long enough for every test: a phase ends only when a test says so.
pub(crate) const FOR_EVER: u64 = 86_400_000;

/// A running emulator and a client with a token.
pub(crate) struct Api {
    pub(crate) emulator: Emulator,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
    pub(crate) group: String,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Api {
    /// An emulator whose phases do not end by themselves.
    pub(crate) async fn start() -> Self {
        Self::start_with(json!({})).await
    }

    /// The same, with some settings.
    pub(crate) async fn start_with(settings: Value) -> Self {
        let held = Settings {
            unknown_ms: FOR_EVER,
            pending_ms: FOR_EVER,
            stopping_ms: FOR_EVER,
            deleting_ms: FOR_EVER,
            running_update_ms: FOR_EVER,
            group_provisioning_ms: FOR_EVER,
            group_deleting_ms: FOR_EVER,
            ..Settings::default()
        };
        let options = Options {
            settings: held,
            tenants: vec![
                TenantSeed::default(),
                TenantSeed {
                    identity_zone_id: "zone-2".to_owned(),
                    client_id: "client-2".to_owned(),
                    client_secret: "secret-2".to_owned(),
                },
            ],
            ..Options::default()
        };
        let emulator = Emulator::start(options).await.expect("the emulator starts");
        let mut api = Self {
            emulator,
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
            token: String::new(),
            group: "team-a".to_owned(),
        };
        api.set(settings).await;
        api.token = api.new_token().await;
        api
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.url())
    }

    /// A request with a token and the group.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, self.url(path))
            .bearer_auth(&self.token)
            .header("AI-Resource-Group", &self.group)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// A bulk call.
    pub(crate) async fn bulk(&self, items: &[(&str, &str)]) -> Answer {
        let items: Vec<Value> = items
            .iter()
            .map(|(id, target)| json!({"id": id, "targetStatus": target}))
            .collect();
        let request = self
            .request(Method::PATCH, "/v2/lm/deployments")
            .header("content-type", "application/merge-patch+json")
            .body(json!({"deployments": items}).to_string());
        send(request).await
    }

    /// Token of the default client.
    pub(crate) async fn new_token(&self) -> String {
        let client = TenantSeed::default();
        let answer = self
            .ask_for_token(&client.client_id, &client.client_secret)
            .await;
        answer.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    pub(crate) async fn ask_for_token(&self, client_id: &str, client_secret: &str) -> Answer {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", client_secret),
        ];
        send(self.http.post(self.url("/oauth/token")).form(&form)).await
    }

    /// Changes settings.
    pub(crate) async fn set(&self, settings: Value) {
        let answer = self.control(Method::PATCH, "/settings", settings).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Switches a fault on.
    pub(crate) async fn fault(&self, fault: Value) {
        let answer = self.control(Method::POST, "/faults", fault).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// A call to the control plane.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Answer {
        let url = self.url(&format!("/_emulator{path}"));
        send(self.http.request(method, url).json(&body)).await
    }

    /// The whole audit log.
    pub(crate) async fn audit(&self) -> Vec<Entry> {
        let answer = send(self.http.get(self.url("/_emulator/audit"))).await;
        serde_json::from_value(answer.json()["entries"].clone()).expect("entries")
    }

    /// The entries of the audit log about one deployment.
    pub(crate) async fn audit_of(&self, id: &str) -> Vec<Entry> {
        let mut entries = self.audit().await;
        entries.retain(|entry| entry.deployment_id.as_deref() == Some(id));
        entries
    }

    /// A new configuration whose deployments end up as `outcome` says.
    pub(crate) async fn configuration(&self, executable: &str, outcome: &str) -> String {
        let scenario = if executable.starts_with("churn") {
            "churn"
        } else {
            executable
        };
        let body = json!({
            "name": format!("{executable} {outcome}"),
            "scenarioId": scenario,
            "executableId": executable,
            "parameterBindings": [{"key": "emulator.outcome", "value": outcome}],
        });
        self.post("/v2/lm/configurations", body).await.id()
    }

    /// A new deployment.
    pub(crate) async fn deploy(&self, configuration: &str) -> String {
        let body = json!({"configurationId": configuration});
        self.post("/v2/lm/deployments", body).await.id()
    }

    /// A new deployment that is in a certain status.
    pub(crate) async fn deployment(&self, status: &str) -> String {
        let configuration = self.configuration("orchestration", "RUNNING").await;
        let body = json!({
            "resourceGroup": self.group,
            "configurationId": configuration,
            "status": status,
        });
        self.control(Method::POST, "/deployments", body).await.id()
    }

    /// The deployment as the API shows it.
    pub(crate) async fn look(&self, id: &str) -> Value {
        let answer = self.get(&path(id)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// `STATUS/TARGET` of a deployment.
    pub(crate) async fn state(&self, id: &str) -> String {
        let seen = self.look(id).await;
        format!("{}/{}", text(&seen["status"]), text(&seen["targetStatus"]))
    }

    /// Waits for a state that comes by itself.
    pub(crate) async fn until(&self, id: &str, state: &str) {
        let reached = async {
            let mut looks = tokio::time::interval(Duration::from_millis(20));
            while self.state(id).await != state {
                looks.tick().await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(30), reached).await;
        in_time.unwrap_or_else(|_| panic!("{id} did not reach {state}"));
    }

    /// The ids that a list shows.
    pub(crate) async fn ids(&self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("/v2/lm/deployments{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let list = answer.json();
        let resources = list["resources"].as_array().expect("resources");
        assert_eq!(
            list["count"],
            json!(resources.len()),
            "count is the number of items"
        );
        resources.iter().map(|one| text(&one["id"])).collect()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in {} {:?}", self.status, self.text))
    }

    /// `id` of an answer that must be a success.
    pub(crate) fn id(&self) -> String {
        assert!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            self.text
        );
        text(&self.json()["id"])
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The answer is an error in the envelope: its status and code.
    pub(crate) fn error(&self) -> (u16, String) {
        let error = &self.json()["error"];
        assert!(
            error["message"].is_string() && error["requestId"].is_string(),
            "{}",
            self.text
        );
        assert!(error["target"].is_string(), "{}", self.text);
        (self.status, text(&error["code"]))
    }
}

/// Sends a request that must be answered.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    try_send(request).await.expect("an answer")
}

/// Sends a request that may get no answer, or only a part of one.
pub(crate) async fn try_send(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer {
        status,
        headers,
        text: response.text().await?,
    })
}

pub(crate) fn path(id: &str) -> String {
    format!("/v2/lm/deployments/{id}")
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}
