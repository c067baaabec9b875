//! A storm on a real control plane: 220 objects of ten users in two namespaces and two resource groups, while the operator is killed with -9 at
//! random and at the worst instants, AI Core fails in every way that it can, the API server is restarted, and the operator is cut off from it.
//! In the end everything has to be as it was wished for, and the logs of AI Core and of the API server are held against what must never happen.
//!
//! What happens is a function of the seed (`schedule`), who does it is in `users` and `chaos`, and what it is judged by in `verdict`.
//!
//! Environment variables: `KILLS` (100 when absent), `SEED` (a random one when absent; it is printed), and `STORM_OPERATOR_ENV`, further
//! variables of the operator as `NAME=value,NAME=value`.

mod chaos;
mod evidence;
mod kubernetes;
mod ledger;
mod mischief;
mod objects;
mod pace;
mod person;
mod schedule;
mod settle;
mod table;
mod tally;
mod unmet;
mod users;
mod verdict;
mod world;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use chaos::{ApiAway, Victim};
use evidence::Recorder;
use pace::Pace;
use schedule::{Schedule, USERS};
use table::Report;
use users::Wishes;
use world::World;

/// How often it is told how far the storm is.
const PROGRESS: Duration = Duration::from_secs(5);

/// Writes to the terminal, also where a test's output is kept back.
fn say(text: &str) {
    // Nothing is lost but the text when nobody reads it.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The number that an environment variable holds.
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable)
        .ok()
        .filter(|text| !text.is_empty())?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is `{text}`, which is not a number")))
}

/// `NAME=value,NAME=value`.
fn operator_variables() -> Vec<(String, String)> {
    let text = std::env::var("STORM_OPERATOR_ENV").unwrap_or_default();
    let pairs = text.split(',').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or_else(|| {
                panic!("STORM_OPERATOR_ENV has `{pair}`, which is not NAME=value")
            });
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_storm_every_wish_has_come_about_and_nothing_is_lost_doubled_or_let_go_too_early()
{
    let seed = number("SEED").unwrap_or_else(rand::random);
    let kills = number("KILLS").map_or(100, |kills| {
        usize::try_from(kills).expect("so many kills cannot be counted here")
    });
    say(&format!("storm: KILLS={kills} SEED={seed}"));
    let schedule = Arc::new(Schedule::of(seed, kills));
    let (world, operator) = World::begin(&schedule.objects, &operator_variables()).await;
    let world = Arc::new(world);
    let recorder = Recorder::start(Arc::clone(&world));

    let away = Arc::new(ApiAway::default());
    let pace = Arc::new(Pace::begin());
    let mut users = JoinSet::new();
    for user in 0..USERS {
        users.spawn(users::live(
            Arc::clone(&world),
            Arc::clone(&schedule),
            user,
            Arc::clone(&pace),
        ));
    }
    let mischief = schedule.mischief.clone();
    let rage = tokio::spawn(chaos::rage(
        Arc::clone(&world),
        mischief,
        Arc::clone(&away),
        Arc::clone(&pace),
    ));
    let victim = Victim::new(operator, away);
    let suffering = tokio::spawn(victim.suffer(
        Arc::clone(&world),
        schedule.kills.clone(),
        Arc::clone(&pace),
    ));
    let progress = tokio::spawn(tell_progress(Arc::clone(&world), kills, Arc::clone(&pace)));

    let mut victim = suffering.await.expect("the kills are carried out");
    rage.await.expect("the mischief is carried out");
    let wishes: Wishes = users.join_all().await.into_iter().flatten().collect();
    let stormed = pace.elapsed();
    say("storm: over; the last wishes are made");
    let settled = settle::settle(&world, &schedule.objects, wishes, &mut victim, &recorder).await;
    progress.abort();

    let evidence = recorder
        .finish(&world, settled.unmet, victim.crashes())
        .await;
    let findings = verdict::findings(&evidence);
    let report = Report {
        seed,
        stormed,
        settled: settled.took,
        deeds: world.deeds.counters(),
        trouble: world.trouble.counters(),
        answers: settled.answers,
        audit: &evidence.audit,
        findings: &findings,
    };
    say(&report.text());
    if findings.is_empty() {
        return;
    }
    let folder = evidence::keep(&world, &evidence, &victim.log(), seed).await;
    let broken: BTreeSet<_> = findings.iter().map(|finding| finding.verdict).collect();
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    panic!(
        "the storm found {broken:?}:\n{}\nThe logs are in {}; run it again with KILLS={kills} SEED={seed}",
        told.join("\n"),
        folder.display()
    );
}

/// Says every few seconds how far it is.
async fn tell_progress(world: Arc<World>, kills: usize, pace: Arc<Pace>) {
    loop {
        tokio::time::sleep(PROGRESS).await;
        let trouble = world.trouble.counters();
        let count = |what: &str| trouble.get(what).copied().unwrap_or_default();
        say(&format!(
            "storm: {:>4.0} s, {} of {kills} kills, {} restarts and {} cuts of the API server, {} wishes, {} deployments in AI Core",
            pace.elapsed().as_secs_f64(),
            count("operator killed"),
            count("API server restarted"),
            count("cut off from the API server"),
            world.deeds.total(),
            world.ai_core.deployments().await.len(),
        ));
    }
}
