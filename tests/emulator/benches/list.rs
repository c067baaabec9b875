//! How long a caller waits for the list of 10,000 deployments, over HTTP and until the last byte.
//!
//! `cargo bench -p aicore-emulator`

use std::time::{Duration, Instant};

use aicore_emulator::{Emulator, Options, TenantSeed};
use serde_json::{Value, json};

const DEPLOYMENTS: usize = 10_000;
const ROUNDS: usize = 50;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start(Options::default()).await?;
    let url = emulator.url();
    let http = reqwest::Client::builder().no_proxy().build()?;
    let seed = json!({"resourceGroup": "team-a", "count": DEPLOYMENTS, "status": "RUNNING"});
    let seeded = http
        .post(format!("{url}/_emulator/deployments/seed"))
        .json(&seed)
        .send()
        .await?;
    seeded.error_for_status()?;
    let client = TenantSeed::default();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.client_id.as_str()),
        ("client_secret", client.client_secret.as_str()),
    ];
    let token: Value = http
        .post(format!("{url}/oauth/token"))
        .form(&form)
        .send()
        .await?
        .json()
        .await?;
    let token = token["access_token"].as_str().ok_or("no token")?;

    let mut times = Vec::with_capacity(ROUNDS);
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        let request = http
            .get(format!("{url}/v2/lm/deployments"))
            .bearer_auth(token)
            .header("AI-Resource-Group", "team-a");
        let start = Instant::now();
        let body = request.send().await?.error_for_status()?.bytes().await?;
        times.push(start.elapsed());
        bytes = body.len();
    }
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "list of {DEPLOYMENTS} deployments, {bytes} bytes: median {:.1} ms, slowest of {ROUNDS} {:.1} ms",
        milliseconds(times[ROUNDS / 2]),
        milliseconds(times[ROUNDS - 1]),
    );
    Ok(())
}
