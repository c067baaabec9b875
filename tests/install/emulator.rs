//! The trial without an account.

use std::collections::BTreeMap;

use aicore_emulator::{Emulator, Options, Settings, TenantSeed};
use clap::{Args as _, Command, FromArgMatches as _};
use harness::process::Supervised;
use serde_json::{Value, json};

use crate::manifest::is_told;
use crate::world::{MODEL, QUICK, RELEASE, World, end, texts};

/// The Secret that leads to the emulator.
const KEY: &str = "aicore-trial-key";

/// Starts an emulator with the arguments of the installed one, at an address of this machine.
async fn start(arguments: &[&str], listen: &str) -> Emulator {
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
        listen: listen.parse().expect("it is an address"),
        tenants,
        settings,
        ..Options::default()
    };
    let started = Emulator::start(options).await;
    started.expect("the port is free")
}

/// The key that the chart has made, with the address that the emulator has here.
async fn key_at(world: &World, url: &str) -> String {
    let template = "go-template={{.data.key | base64decode}}";
    let get = ["get", "secret", KEY, "--namespace", RELEASE, "-o", template];
    let key = world.kubectl(&get).await;
    let parsed: Value = serde_json::from_str(&key).expect("a service key is JSON");
    let service = "http://aicore-operator-emulator.aicore-operator.svc:8080";
    assert_eq!(parsed["url"], service);
    assert_eq!(parsed["serviceurls"]["AI_API_URL"], service);
    key.replace(service, url)
}

/// The commands that the notes tell, from the line that begins so on: a here-document to its end, otherwise the line alone.
pub fn told(notes: &str, begins: &str) -> String {
    let lines: Vec<_> = notes.lines().collect();
    let first = lines.iter().position(|line| line.starts_with(begins));
    let first = first.unwrap_or_else(|| panic!("no line begins with {begins} in\n{notes}"));
    let last = match lines[first].ends_with("<<'END'") {
        true => lines[first..].iter().position(|line| *line == "END"),
        false => Some(0),
    };
    let last = first + last.expect("a here-document ends");
    lines[first..=last].join("\n") + "\n"
}

/// A trial: the notes that Helm has printed, the emulator, and the operator.
struct Trial {
    notes: String,
    emulator: Emulator,
    operator: Supervised,
}

/// Installs a trial, and starts what it would start: the operator, and the emulator at this address.
async fn install(world: &World, name: &str, listen: &str) -> Trial {
    let notes = world.install(&[QUICK, "emulator.enabled=true"]).await;
    let installed = world
        .get(RELEASE, &["deployment.apps", "aicore-operator-emulator"])
        .await;
    let container = &installed["spec"]["template"]["spec"]["containers"][0];
    let emulator = start(&texts(&container["args"]), listen).await;
    let key = key_at(world, &emulator.url()).await;
    let secret = BTreeMap::from([("key", key)]);
    let patch = json!({"stringData": secret}).to_string();
    let place = ["patch", "secret", KEY, "--namespace", RELEASE];
    world
        .kubectl(&[&place[..], &["--type=merge", "-p", &patch]].concat())
        .await;
    let operator = world.operator(name).await;
    Trial {
        notes,
        emulator,
        operator,
    }
}

impl Trial {
    /// Makes a model as the notes say, which runs in the end.
    async fn try_it(&self, world: &World) {
        world
            .until(RELEASE, &["aiconn", "aicore"], is_told("Connected"))
            .await;
        world.types(&told(&self.notes, "kubectl apply")).await;
        world.until_ready(RELEASE, MODEL).await;
    }

    /// Removes everything as the notes say, while the operator runs, and then the namespace.
    async fn remove(self, world: &World) {
        world.types(&told(&self.notes, "kubectl delete")).await;
        world.types(&told(&self.notes, "helm uninstall")).await;
        end(self.operator).await;
        self.emulator.stop().await;
        let namespace = ["delete", "namespace", RELEASE, "--timeout=60s"];
        world.kubectl(&namespace).await;
    }
}

#[tokio::test]
async fn the_notes_lead_from_the_trial_to_a_model_that_runs_and_to_an_empty_cluster() {
    let world = World::start().await;
    let trial = install(&world, "operator", "127.0.0.1:0").await;
    trial.try_it(&world).await;
    world.assert_nothing_was_refused();
    trial.remove(&world).await;
}

#[tokio::test]
async fn a_trial_that_was_uninstalled_too_early_is_installed_again_and_removed() {
    let world = World::start().await;
    let trial = install(&world, "before", "127.0.0.1:0").await;
    trial.try_it(&world).await;
    world.types(&told(&trial.notes, "helm uninstall")).await;
    end(trial.operator).await;
    // It forgets everything, and comes back where it was.
    let url = trial.emulator.url();
    trial.emulator.stop().await;

    let address = url.trim_start_matches("http://");
    let again = install(&world, "after", address).await;
    again.remove(&world).await;
}
