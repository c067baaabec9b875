//! The trial without an account.

use std::collections::BTreeMap;

use aicore_emulator::{Emulator, Options, Settings, TenantSeed};
use clap::{Args as _, Command, FromArgMatches as _};
use serde_json::{Value, json};

use crate::manifest::is_told;
use crate::world::{EXAMPLE, MODEL, QUICK, RELEASE, World, end, texts};

/// Starts an emulator with the arguments of the installed one, at an address of its own.
async fn start(arguments: &[&str]) -> Emulator {
    let mut tenants = Vec::new();
    let mut settings = vec!["aicore-emulator"];
    for argument in arguments {
        match argument.split_once('=') {
            Some(("--listen", address)) => assert_eq!(address, "0.0.0.0:8080"),
            Some(("--tenant", tenant)) => match tenant.split(':').collect::<Vec<_>>()[..] {
                [zone, client, secret] => tenants.push(TenantSeed {
                    identity_zone_id: zone.to_owned(),
                    client_id: client.to_owned(),
                    client_secret: secret.to_owned(),
                }),
                _ => panic!("{tenant} is no tenant"),
            },
            _ => settings.push(argument),
        }
    }
    let parser = Settings::augment_args(Command::new("aicore-emulator"));
    let parsed = parser.try_get_matches_from(settings);
    let parsed = parsed.unwrap_or_else(|error| panic!("{error}"));
    let settings = Settings::from_arg_matches(&parsed).expect("they were parsed");
    let options = Options {
        tenants,
        settings,
        ..Options::default()
    };
    let started = Emulator::start(options).await;
    started.expect("a port of the loopback interface is free")
}

/// The key that the chart has made, with the address that the emulator has here.
async fn key_at(world: &World, url: &str) -> String {
    let template = "go-template={{.data.key | base64decode}}";
    let get = [
        "get",
        "secret",
        "aicore-key",
        "--namespace",
        RELEASE,
        "-o",
        template,
    ];
    let key = world.kubectl(&get).await;
    let parsed: Value = serde_json::from_str(&key).expect("a service key is JSON");
    let service = "http://aicore-operator-emulator.aicore-operator.svc:8080";
    assert_eq!(parsed["url"], service);
    assert_eq!(parsed["serviceurls"]["AI_API_URL"], service);
    key.replace(service, url)
}

#[tokio::test]
async fn the_chart_brings_an_ai_core_with_a_connection_that_works() {
    let world = World::start().await;
    let notes = world.install(&[QUICK, "emulator.enabled=true"]).await;
    assert!(
        notes.contains("An emulated AI Core runs beside it"),
        "{notes}"
    );
    let installed = world
        .get(RELEASE, &["deployment.apps", "aicore-operator-emulator"])
        .await;
    let container = &installed["spec"]["template"]["spec"]["containers"][0];
    let emulator = start(&texts(&container["args"])).await;
    let key = key_at(&world, &emulator.url()).await;
    let secret = BTreeMap::from([("key", key)]);
    let patch = json!({"stringData": secret}).to_string();
    let place = ["patch", "secret", "aicore-key", "--namespace", RELEASE];
    world
        .kubectl(&[&place[..], &["--type=merge", "-p", &patch]].concat())
        .await;

    let operator = world.operator("operator").await;
    world
        .until(RELEASE, &["aiconn", "aicore"], is_told("Connected"))
        .await;
    let example = ["apply", "--namespace", RELEASE, "-f", EXAMPLE];
    world.kubectl(&example).await;
    world.until_ready(RELEASE, MODEL).await;
    world.delete(RELEASE, MODEL).await;

    end(operator).await;
    world.assert_nothing_was_refused();
    emulator.stop().await;
}
