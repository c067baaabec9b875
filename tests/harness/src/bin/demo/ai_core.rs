//! The remote side, seen from outside the operator: its audit log, and a look of our own.

use aicore_emulator::Entry;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::error::DemoError;

/// The resource group of the example.
const RESOURCE_GROUP: &str = "default";

/// The emulator, over HTTP.
pub struct AiCore {
    url: String,
    http: Client,
}

#[derive(Deserialize)]
struct Audit {
    entries: Vec<Entry>,
}

impl AiCore {
    /// A client of the emulator at `url`.
    pub fn new(url: &str) -> Result<Self, DemoError> {
        let http = Client::builder()
            // A proxy of the environment is no way to the loopback interface.
            .no_proxy()
            .build()
            .map_err(failed("making a client"))?;
        Ok(Self {
            url: url.to_owned(),
            http,
        })
    }

    /// The service key of the tenant, as JSON.
    pub async fn service_key(&self) -> Result<String, DemoError> {
        let answer = self.get("/_emulator/service-key").await;
        answer
            .map_err(failed("reading the service key"))?
            .text()
            .await
            .map_err(failed("reading the service key"))
    }

    /// Every call and every change of state so far.
    pub async fn audit(&self) -> Result<Vec<Entry>, DemoError> {
        let answer = self.get("/_emulator/audit").await;
        let audit: Audit = answer
            .map_err(failed("reading the audit log"))?
            .json()
            .await
            .map_err(failed("reading the audit log"))?;
        Ok(audit.entries)
    }

    /// Asks for the deployment with a token of our own; fails unless the answer is 404.
    pub async fn expect_not_found(&self, id: &str) -> Result<(), DemoError> {
        let token = self.token().await?;
        let path = format!("/v2/lm/deployments/{id}");
        println!(
            "\n$ curl -H \"Authorization: Bearer $TOKEN\" -H \"AI-Resource-Group: {RESOURCE_GROUP}\" {}{path}",
            self.url
        );
        let answer = self
            .http
            .get(format!("{}{path}", self.url))
            .bearer_auth(token)
            .header("AI-Resource-Group", RESOURCE_GROUP)
            .send()
            .await
            .map_err(failed("asking for the deployment"))?;
        let status = answer.status();
        let body = answer
            .text()
            .await
            .map_err(failed("asking for the deployment"))?;
        println!("{status}: {body}");
        if status == StatusCode::NOT_FOUND {
            return Ok(());
        }
        Err(DemoError::Unexpected {
            expected: format!("404 for GET {path}"),
            found: status.to_string(),
        })
    }

    async fn token(&self) -> Result<String, DemoError> {
        let key: Value = serde_json::from_str(&self.service_key().await?).unwrap_or_default();
        let text = |name: &str| key[name].as_str().unwrap_or_default().to_owned();
        let answer: Value = self
            .http
            .post(format!("{}/oauth/token", text("url")))
            .form(&[
                ("grant_type", "client_credentials"),
                ("client_id", &text("clientid")),
                ("client_secret", &text("clientsecret")),
            ])
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(failed("getting a token"))?
            .json()
            .await
            .map_err(failed("getting a token"))?;
        Ok(answer["access_token"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    async fn get(&self, path: &str) -> Result<reqwest::Response, reqwest::Error> {
        self.http
            .get(format!("{}{path}", self.url))
            .send()
            .await?
            .error_for_status()
    }
}

fn failed(action: &'static str) -> impl Fn(reqwest::Error) -> DemoError {
    move |source| DemoError::Emulator { action, source }
}
