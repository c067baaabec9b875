//! Gathers what the storm leaves, and keeps it for a person where something was found.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use harness::control_plane::AuditEntry;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::ledger::{History, Ledger};
use crate::objects::{NAMESPACES, PLAIN};
use crate::verdict::Evidence;
use crate::world::World;

/// How often the API server's log is read: it would be long at the end.
const READ: Duration = Duration::from_secs(2);

/// How often it is read while its end is awaited.
const READ_AT_THE_END: Duration = Duration::from_millis(100);

/// The annotation of a Connection that marks the end in the API server's log.
const END: &str = "storm-end";

/// Reads the API server's log while the storm goes on.
pub struct Recorder {
    at_the_end: watch::Sender<bool>,
    ledger: Arc<Mutex<Ledger>>,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Begins to read.
    pub fn start(world: Arc<World>) -> Self {
        let (at_the_end, is_at_the_end) = watch::channel(false);
        let ledger = Arc::default();
        let task = tokio::spawn(read(world, Arc::clone(&ledger), is_at_the_end));
        Self {
            at_the_end,
            ledger,
            task,
        }
    }

    /// What became of each object until a moment ago, by uid.
    pub fn histories(&self) -> BTreeMap<String, History> {
        lock(&self.ledger).histories()
    }

    /// Waits until everything is read, and puts it together.
    pub async fn finish(self, world: &World, unmet: Vec<String>, crashes: Vec<String>) -> Evidence {
        let mark = json!({"metadata": {"annotations": {END: "now"}}});
        world
            .kubernetes
            .change("Connection", NAMESPACES[0], PLAIN, &mark)
            .await;
        self.at_the_end.send_replace(true);
        self.task.await.expect("the API server's log can be read");
        let live = world.kubernetes.deployments().await;
        let live = live
            .iter()
            .filter_map(|object| object["metadata"]["uid"].as_str().map(str::to_owned))
            .collect();
        Evidence {
            audit: world.ai_core.audit().await,
            histories: lock(&self.ledger).histories_at_the_end(&live),
            unmet,
            crashes,
        }
    }
}

async fn read(
    world: Arc<World>,
    ledger: Arc<Mutex<Ledger>>,
    mut is_at_the_end: watch::Receiver<bool>,
) {
    let mut position = 0;
    let mut end = false;
    while !end {
        let pause = if *is_at_the_end.borrow() {
            READ_AT_THE_END
        } else {
            READ
        };
        // Either way it is time to read.
        let _ = tokio::time::timeout(pause, is_at_the_end.changed()).await;
        let entries = world.control_plane.audit_entries_since(&mut position);
        let entries = entries.expect("the control plane is the storm's own");
        end = entries.iter().any(marks_the_end);
        lock(&ledger).take(entries);
    }
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

fn marks_the_end(entry: &AuditEntry) -> bool {
    entry.verb == "patch"
        && entry
            .answer
            .as_ref()
            .is_some_and(|answer| answer["metadata"]["annotations"][END].is_string())
}

/// Writes all logs into a folder of the build's, for whoever wants to know how it came about.
///
/// # Panics
///
/// When the folder cannot be written to.
pub async fn keep(world: &World, evidence: &Evidence, operator_log: &str, seed: u64) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("storm-{seed}"));
    let audit: Vec<String> = evidence
        .audit
        .iter()
        .map(|entry| json!(entry).to_string())
        .collect();
    let objects = json!(world.kubernetes.deployments().await);
    let files = [
        ("operator.log", operator_log.to_owned()),
        ("ai-core.jsonl", audit.join("\n")),
        ("deployments.json", format!("{objects:#}")),
    ];
    std::fs::create_dir_all(&folder).expect("the build's folder can be written to");
    for (name, content) in files {
        std::fs::write(folder.join(name), content).expect("the build's folder can be written to");
    }
    let log = world.control_plane.data_dir().join("audit.log");
    std::fs::copy(log, folder.join("kubernetes.jsonl"))
        .expect("the build's folder can be written to");
    folder
}
