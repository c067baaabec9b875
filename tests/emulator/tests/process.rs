//! The emulator as a process: flags, environment, first line, end.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// The process, ended even when a test fails.
struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to kill.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn start(command: &mut Command) -> Process {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .expect("the emulator starts");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    Process { child, output }
}

fn emulator() -> Command {
    Command::new(env!("CARGO_BIN_EXE_aicore-emulator"))
}

fn url(process: &mut Process) -> String {
    let mut line = String::new();
    process.output.read_line(&mut line).expect("a line");
    line.trim()
        .strip_prefix("listening on ")
        .expect("the first line names the URL")
        .to_owned()
}

async fn get(url: &str, path: &str) -> Value {
    let answer = reqwest::get(format!("{url}/_emulator{path}"))
        .await
        .expect("an answer");
    answer.json().await.expect("JSON")
}

#[tokio::test]
async fn flags_and_environment_reach_the_settings_and_a_signal_ends_the_process() {
    let mut command = emulator();
    command.args([
        "--pending-ms",
        "7",
        "--bulk-updates",
        "present",
        "--null-fields",
    ]);
    command.args([
        "--tenant",
        "zone-7:client-7:secret-7",
        "--resource-group",
        "blue",
    ]);
    command
        .env("AICORE_EMULATOR_UNKNOWN_MS", "5")
        .env("AICORE_EMULATOR_UNKNOWN_GROUP", "notFound404");
    let mut process = start(&mut command);
    let url = url(&mut process);
    let settings = get(&url, "/settings").await;
    let names = [
        "unknownMs",
        "pendingMs",
        "bulkUpdates",
        "nullFields",
        "unknownGroup",
        "logsNeedGroup",
    ];
    let seen = Value::from_iter(names.map(|name| settings[name].clone()));
    assert_eq!(
        seen,
        serde_json::json!([5, 7, "present", true, "notFound404", true])
    );
    assert_eq!(get(&url, "/service-key").await["clientid"], "client-7");
    let signal = Command::new("kill")
        .arg(process.child.id().to_string())
        .status();
    assert!(signal.expect("kill can be run").success());
    assert!(
        process.child.wait().expect("its end").success(),
        "SIGTERM is an ordinary end"
    );
}

#[test]
fn an_impossible_setting_ends_it_with_a_sentence() {
    let output = emulator()
        .args(["--ttl-scale", "0"])
        .output()
        .expect("the emulator runs");
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        message.trim(),
        "aicore-emulator: ttlScale must be a number above 0"
    );
}
