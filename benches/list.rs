//! How long the client takes to list 10,000 deployments of the emulator, over HTTP, from the call to the parsed deployments.
//!
//! `cargo bench -p aicore-operator --bench list`

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aicore_emulator::{Emulator, Options};
use aicore_operator::aicore::{Client, ClientOptions, ServiceKey};
use k8s_openapi::ByteString;
use serde_json::json;

const GROUP: &str = "team-a";
const DEPLOYMENTS: usize = 10_000;
const ROUNDS: usize = 20;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start(Options::default()).await?;
    let url = emulator.url();
    let http = reqwest::Client::builder().no_proxy().build()?;
    let seed = json!({"resourceGroup": GROUP, "count": DEPLOYMENTS, "status": "RUNNING"});
    let seeded = http
        .post(format!("{url}/_emulator/deployments/seed"))
        .json(&seed)
        .send();
    seeded.await?.error_for_status()?;
    let key = http.get(format!("{url}/_emulator/service-key")).send();
    let key = key.await?.error_for_status()?.text().await?;
    let data = BTreeMap::from([("key".to_owned(), ByteString(key.into_bytes()))]);
    let options = ClientOptions {
        allow_http: true,
        ..ClientOptions::default()
    };
    let client = Client::new(ServiceKey::from_secret(&data, None)?, &options)?;

    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let list = client.list_deployments(GROUP).await?;
        times.push(start.elapsed());
        assert_eq!(list.deployments.len(), DEPLOYMENTS);
    }
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "list of {DEPLOYMENTS} deployments: median {:.1} ms, slowest of {ROUNDS} {:.1} ms",
        milliseconds(times[ROUNDS / 2]),
        milliseconds(times[ROUNDS - 1]),
    );
    Ok(())
}
