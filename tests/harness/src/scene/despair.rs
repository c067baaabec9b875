//! What a failed test shows.

use aicore_emulator::{Entry, Operation};
use serde_json::{Value, json};

use super::Scene;

/// How much of the end of a log is shown.
const LOG_LINES: usize = 60;
const AUDIT_LINES: usize = 60;

/// What the operator logs of each call. AI Core's log has them too.
const CALLS: &str = "aicore::transport";

impl Scene {
    /// Panics, with everything that may tell why.
    pub async fn despair(&self, what: &str) -> ! {
        let mut text = format!("{what}\n");
        for kind in ["Deployment", "Connection"] {
            for object in self.everywhere(kind).await {
                let object = json!(object);
                text += &format!(
                    "\n--- {kind} {} in {} (deleted: {}, finalizers: {})\nspec {}\nstatus {}\n",
                    object["metadata"]["name"],
                    object["metadata"]["namespace"],
                    object["metadata"]["deletionTimestamp"],
                    object["metadata"]["finalizers"],
                    object["spec"],
                    pretty(&object["status"]),
                );
            }
        }
        text += "\n--- events\n";
        for (reason, note) in self.events().await {
            text += &format!("{reason}: {note}\n");
        }
        text += "\n--- the end of AI Core's log\n";
        let audit = self.ai_core.audit().await;
        text += &last(&lines(&audit), AUDIT_LINES).concat();
        text += "\n--- the end of the operator's log\n";
        let log = self.operator.log();
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains(CALLS)).collect();
        text += &last(&lines, LOG_LINES).join("\n");
        panic!("{text}")
    }
}

fn last<T>(all: &[T], count: usize) -> &[T] {
    &all[all.len().saturating_sub(count)..]
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// One line an entry, and one for each row of equal lists.
fn lines(audit: &[Entry]) -> Vec<String> {
    let equal_lists = |one: &Entry, next: &Entry| {
        one.operation == Operation::ListDeployments
            && next.operation == Operation::ListDeployments
            && (one.http_status, &one.fault) == (next.http_status, &next.fault)
    };
    let rows = audit.chunk_by(equal_lists);
    rows.map(|row| match row {
        [entry] => line(entry),
        [first, ..] => format!("{} times {}", row.len(), line(first)),
        [] => String::new(),
    })
    .collect()
}

fn line(entry: &Entry) -> String {
    let state = |state: &Option<aicore_emulator::State>| match state {
        Some(state) => format!("{}/{}", state.status, state.target_status),
        None => "-".to_owned(),
    };
    format!(
        "{:>4} {} {:?} {} -> {:?} {} {} {} {}\n",
        entry.seq,
        entry.at,
        entry.operation,
        entry.deployment_id.as_deref().unwrap_or_default(),
        entry.http_status,
        state(&entry.before),
        state(&entry.after),
        entry.fault.as_deref().unwrap_or_default(),
        entry.query.as_deref().unwrap_or_default(),
    )
}
