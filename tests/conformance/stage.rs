//! An emulated AI Core and the program that asks it.

use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use std::time::Duration;

use aicore_emulator::{Kind, Operation, Settings};
use harness::emulated::{Emulated, TENANT};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

/// The resource group that the tests work in.
pub(crate) const GROUP: &str = "team-a";

/// An emulated AI Core, and its service key in a file.
pub(crate) struct Stage {
    pub(crate) ai_core: Emulated,
    folder: tempfile::TempDir,
    secret: String,
}

/// What the program has printed, and how it ended.
pub(crate) struct Printed {
    pub(crate) code: Option<i32>,
    pub(crate) report: String,
    pub(crate) progress: String,
}

/// Phases that are long enough to be asked about, one after the other.
pub(crate) fn settings() -> Settings {
    Settings {
        unknown_ms: 1_000,
        pending_ms: 1_000,
        stopping_ms: 4_000,
        deleting_ms: 1_000,
        ..Settings::fast()
    }
}

/// The same for a run of which every reading counts: on a busy machine too the program has time to ask in each phase what it asks in it, and for
/// the old status that is shown for the first tenth of a stop.
pub(crate) fn unhurried() -> Settings {
    Settings {
        unknown_ms: 2_500,
        pending_ms: 2_500,
        stopping_ms: 12_000,
        deleting_ms: 2_500,
        ..settings()
    }
}

impl Stage {
    pub(crate) async fn start(settings: Settings) -> Self {
        let ai_core = Emulated::start(settings).await;
        let key = ai_core.service_key(TENANT).await;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(folder.path().join("key.json"), key.to_string())
            .expect("the service key can be written");
        let secret = key["clientsecret"].as_str().expect("the key has a secret");
        Self {
            secret: secret.to_owned(),
            ai_core,
            folder,
        }
    }

    /// The program with a new configuration, and these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let new = [
            "--scenario-id=churn",
            "--executable-id=churn-server",
            "--parameter=imageTag=1",
        ];
        self.bare_command(&[&new, arguments].concat())
    }

    /// The program with these arguments and those that every test needs.
    pub(crate) fn bare_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aicore-operator"));
        // As variables, so that a test can give the flags.
        command
            .env_clear()
            .env(
                "AICORE_OPERATOR_SERVICE_KEY",
                self.folder.path().join("key.json"),
            )
            .env("AICORE_OPERATOR_LOOK_SECONDS", "0.03")
            .env("AICORE_OPERATOR_WAIT_SECONDS", "30")
            .args(["conformance", "--allow-http", "--resource-group", GROUP])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs the program to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Printed {
        let child = self.command(arguments).spawn().expect("the program starts");
        self.end_of(child).await
    }

    /// Waits until its progress has these words. What was printed until then is not part of what [`Stage::end_of`] gives.
    pub(crate) async fn told(&self, child: &mut Child, words: &str) {
        let progress = child.stderr.as_mut().expect("its progress is a pipe");
        let mut told = Vec::new();
        let reading = async {
            while !String::from_utf8_lossy(&told).contains(words) {
                let read = progress.read_buf(&mut told).await.expect("it can be read");
                assert_ne!(read, 0, "it ends without `{words}`");
            }
        };
        let told_in_time = tokio::time::timeout(Duration::from_secs(60), reading).await;
        let told = String::from_utf8_lossy(&told);
        assert!(told_in_time.is_ok(), "`{words}` is not in {told}");
        self.assert_no_secret(&told);
    }

    /// Waits for its end. No secret may stand in what it prints.
    pub(crate) async fn end_of(&self, child: Child) -> Printed {
        let output = tokio::time::timeout(Duration::from_secs(120), child.wait_with_output());
        let output: Output = output.await.expect("it ends").expect("it was started");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
        let (report, progress) = (text(output.stdout), text(output.stderr));
        self.assert_no_secret(&report);
        self.assert_no_secret(&progress);
        Printed {
            code: output.status.code(),
            report,
            progress,
        }
    }

    fn assert_no_secret(&self, printed: &str) {
        // Every token is a JSON Web Token, which begins so.
        for secret in [self.secret.as_str(), "eyJ"] {
            assert!(!printed.contains(secret), "a secret was printed: {printed}");
        }
    }

    /// What the program has written to AI Core: creations, stops, changes and deletions, accepted or not.
    pub(crate) async fn writes(&self) -> usize {
        let audit = self.ai_core.audit().await;
        let writes = [
            Operation::CreateConfiguration,
            Operation::CreateDeployment,
            Operation::StopDeployment,
            Operation::ChangeConfiguration,
            Operation::DeleteDeployment,
        ];
        let is_write = |operation| writes.contains(&operation);
        audit
            .iter()
            .filter(|entry| entry.kind == Kind::Call && is_write(entry.operation))
            .count()
    }

    /// The ids of all deployments that there are.
    pub(crate) async fn ids(&self) -> Vec<String> {
        self.ai_core
            .deployments()
            .await
            .into_iter()
            .map(|it| it.id)
            .collect()
    }

    /// Waits until there is a deployment in this status, and gives its id.
    pub(crate) async fn until(&self, status: &str) -> String {
        let seen = async {
            loop {
                let deployments = self.ai_core.deployments().await;
                if let Some(found) = deployments.into_iter().find(|it| it.status == status) {
                    return found.id;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), seen)
            .await
            .expect("the deployment gets so far")
    }
}

impl Printed {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.report)
            .unwrap_or_else(|error| panic!("{error} in {}\n{}", self.report, self.progress))
    }

    /// The readings by point; `-` where none was seen.
    pub(crate) fn readings(&self) -> BTreeMap<String, String> {
        let report = self.json();
        let points = report["points"].as_array().expect("the report has points");
        let reading = |point: &Value| {
            let text = |field: &str| point[field].as_str().unwrap_or("-").to_owned();
            (text("id"), text("reading"))
        };
        points.iter().map(reading).collect()
    }

    /// The verdict about a point.
    pub(crate) fn verdict(&self, id: &str) -> String {
        let report = self.json();
        let points = report["points"].as_array().expect("the report has points");
        let point = points.iter().find(|point| point["id"] == id);
        point.expect("there is such a point")["verdict"]
            .as_str()
            .expect("a verdict")
            .to_owned()
    }

    /// Fails unless these points have these readings.
    pub(crate) fn assert_readings(&self, expected: &[(&str, &str)]) {
        let readings = self.readings();
        let differing: Vec<_> = expected
            .iter()
            .filter(|(id, reading)| readings.get(*id).map(String::as_str) != Some(*reading))
            .map(|(id, reading)| format!("{id} is {:?} instead of {reading}", readings.get(*id)))
            .collect();
        assert!(
            differing.is_empty(),
            "{differing:#?}\n{}\n{}",
            self.report,
            self.progress
        );
    }
}

/// Sends a signal to the program.
pub(crate) async fn signal(child: &Child, name: &str) {
    let id = child.id().expect("it runs").to_string();
    let sent = Command::new("kill").args(["-s", name, &id]).status().await;
    assert!(sent.expect("kill can be run").success());
}
