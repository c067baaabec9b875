//! Supervised processes: what ends them, and what a test learns when they end.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::time::Duration;

use harness::process::{ProcessError, ProcessSpec, Supervised};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_exit_code_of_the_program_is_reported() {
    let script = Script::start("exit 3");
    assert_eq!(script.process.wait_for_exit().await.code(), Some(3));
}

#[tokio::test]
async fn a_kill_reaches_the_program_itself() {
    let script = Script::start("trap '' TERM; echo $$; while :; do sleep 1; done");
    let line = script
        .process
        .wait_for_log_line("", LIMIT)
        .await
        .expect("it prints its number");
    assert_eq!(line, script.process.pid().to_string());
    script.process.kill();
    assert_eq!(script.process.wait_for_exit().await.signal(), Some(9));
}

#[tokio::test]
async fn a_program_may_end_in_good_order_when_it_is_asked_to() {
    let script = Script::start("trap 'exit 4' TERM; echo ready; while :; do sleep 0.1; done");
    script
        .process
        .wait_for_log_line("ready", LIMIT)
        .await
        .expect("it is ready");
    assert_eq!(script.process.terminate().await.code(), Some(4));
}

#[tokio::test]
async fn a_program_that_ends_too_early_is_an_error_with_the_end_of_its_log() {
    let script = Script::start("echo nobody reads this >&2; exit 5");
    let error = script
        .process
        .wait_for_log_line("ready", LIMIT)
        .await
        .expect_err("it never says so");
    assert!(
        matches!(&error, ProcessError::Ended { status, log_tail, .. }
        if status.code() == Some(5) && log_tail == "nobody reads this"),
        "{error}"
    );
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_an_error_that_names_it() {
    let folder = TempDir::new().expect("a folder");
    let spec = ProcessSpec::new("/nowhere/such-a-program");
    let process = Supervised::spawn(&spec, &folder.path().join("log")).expect("the shell starts");
    let error = process
        .wait_for_log_line("ready", LIMIT)
        .await
        .expect_err("there is no such program");
    assert!(error.to_string().contains("such-a-program"), "{error}");
}

#[tokio::test]
async fn a_program_that_is_too_slow_is_an_error() {
    let script = Script::start("echo started; exec sleep 600");
    let error = script
        .process
        .wait_for_log_line("ready", Duration::from_millis(1))
        .await
        .expect_err("never ready");
    assert!(matches!(error, ProcessError::TooSlow { .. }), "{error}");
}

#[tokio::test]
async fn only_the_given_variables_are_seen_without_the_inherited_environment() {
    let folder = TempDir::new().expect("a folder");
    let log = folder.path().join("log");
    let spec = ProcessSpec::new("/usr/bin/env")
        .variable("GREETING", "hello")
        .without_inherited_environment();
    let process = Supervised::spawn(&spec, &log).expect("the shell starts");
    assert!(process.wait_for_exit().await.success());
    let output = std::fs::read_to_string(&log).expect("the log is there");
    assert!(
        output.lines().any(|line| line == "GREETING=hello"),
        "{output}"
    );
    assert!(
        !output.lines().any(|line| line.starts_with("HOME=")),
        "{output}"
    );
}

#[tokio::test]
async fn a_dropped_process_is_gone() {
    let script = Script::start("exec sleep 600");
    let process_folder = PathBuf::from(format!("/proc/{}", script.process.pid()));
    assert!(process_folder.exists());
    drop(script);
    assert!(!process_folder.exists());
}

struct Script {
    process: Supervised,
    _folder: TempDir,
}

impl Script {
    fn start(script: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let spec = ProcessSpec::new("/bin/sh").arguments(["-c", script]);
        let process =
            Supervised::spawn(&spec, &folder.path().join("log")).expect("the shell starts");
        Self {
            process,
            _folder: folder,
        }
    }
}
