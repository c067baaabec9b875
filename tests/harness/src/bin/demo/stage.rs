//! What the demonstration runs on: a control plane, the emulator and the operator, all ended with it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use harness::control_plane::ControlPlane;
use harness::process::{ProcessSpec, Supervised};
use tokio::process::{Child, Command};

use crate::error::DemoError;

/// The namespace of the demonstration's objects.
pub const NAMESPACE: &str = "demo";

/// The root of the source tree, from where a reader would type the commands.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The phases that take AI Core minutes, short enough to watch and long enough to see.
const EMULATOR_ARGUMENTS: &str =
    "--unknown-ms 1500 --pending-ms 3000 --stopping-ms 3000 --deleting-ms 2500";

/// Often enough to see every one of those phases.
const OPERATOR_ARGUMENTS: &str = "run --allow-http --own-namespace aicore-operator --listen 127.0.0.1:0 --busy-poll-seconds 0.5 --log-format text";

const START_LIMIT: Duration = Duration::from_secs(30);

/// Everything that runs. What is dropped ends, the operator first.
pub struct Stage {
    operator: Option<Supervised>,
    emulator: Supervised,
    emulator_url: String,
    control_plane: ControlPlane,
}

/// A command that was shown and runs.
pub struct Running {
    command: String,
    child: Child,
}

impl Stage {
    /// Starts the control plane and the emulator, and installs what an operator needs in its cluster.
    pub async fn set() -> Result<Self, DemoError> {
        if std::env::var("USE_EXISTING_CLUSTER").is_ok_and(|value| value == "true") {
            return Err(DemoError::ExistingCluster);
        }
        let started = Instant::now();
        let control_plane = ControlPlane::start().await?;
        println!(
            "etcd, kube-apiserver and kube-controller-manager are ready after {:.1} s at {}",
            started.elapsed().as_secs_f64(),
            control_plane.server()
        );

        println!("$ aicore-emulator {EMULATOR_ARGUMENTS}");
        let spec = program("aicore-emulator")?.arguments(EMULATOR_ARGUMENTS.split(' '));
        let log = control_plane.data_dir().join("emulator.log");
        let emulator = Supervised::spawn(&spec, &log)?;
        let line = emulator
            .wait_for_log_line("listening on ", START_LIMIT)
            .await?;
        println!("{line}");
        let emulator_url = line.trim_start_matches("listening on ").trim().to_owned();

        let stage = Self {
            operator: None,
            emulator,
            emulator_url,
            control_plane,
        };
        stage
            .kubectl("apply -f deploy/install.yaml -f deploy/secrets-everywhere.yaml")
            .await?;
        stage
            .kubectl("wait --for=condition=Established crd/connections.aicore.dev crd/deployments.aicore.dev")
            .await?;
        stage
            .kubectl(&format!("create namespace {NAMESPACE}"))
            .await?;
        Ok(stage)
    }

    /// Starts the operator as the service account of `deploy/install.yaml`.
    pub async fn start_operator(&mut self) -> Result<(), DemoError> {
        let kubeconfig = self
            .control_plane
            .kubeconfig_for_service_account("aicore-operator", "aicore-operator")
            .await?;
        let log = self.control_plane.data_dir().join("operator.log");
        println!(
            "$ KUBECONFIG={} aicore-operator {OPERATOR_ARGUMENTS} 2> {}",
            kubeconfig.display(),
            log.display()
        );
        let spec = program("aicore-operator")?
            .arguments(OPERATOR_ARGUMENTS.split(' '))
            .variable("KUBECONFIG", kubeconfig)
            .variable("NO_COLOR", "1");
        self.operator = Some(Supervised::spawn(&spec, &log)?);
        Ok(())
    }

    /// Where the emulator listens.
    pub fn emulator_url(&self) -> &str {
        &self.emulator_url
    }

    /// A client that may do everything.
    pub fn client(&self) -> kube::Client {
        self.control_plane.admin_client()
    }

    /// The end of the operator's log.
    pub fn operator_log_tail(&self) -> String {
        self.operator
            .as_ref()
            .map(Supervised::log_tail)
            .unwrap_or_default()
    }

    /// Writes a file next to the logs; it goes with them.
    pub fn write(&self, name: &str, content: &str) -> Result<PathBuf, DemoError> {
        let path = self.control_plane.data_dir().join(name);
        match std::fs::write(&path, content) {
            Ok(()) => Ok(path),
            Err(source) => Err(DemoError::Write { path, source }),
        }
    }

    /// Shows a kubectl command, runs it, and shows what it prints. The arguments are separated by single spaces.
    pub async fn kubectl(&self, arguments: &str) -> Result<(), DemoError> {
        self.start_kubectl(arguments)?.finish().await
    }

    /// Shows a kubectl command and starts it.
    pub fn start_kubectl(&self, arguments: &str) -> Result<Running, DemoError> {
        let command = format!("kubectl {arguments}");
        println!("\n$ {command}");
        match self.kubectl_command(arguments).spawn() {
            Ok(child) => Ok(Running { command, child }),
            Err(source) => Err(DemoError::Command { command, source }),
        }
    }

    /// Fails when the object still exists, or when kubectl fails for any other reason.
    pub async fn expect_no_object(&self, name: &str) -> Result<(), DemoError> {
        let arguments = format!("-n {NAMESPACE} get aid {name}");
        let command = format!("kubectl {arguments}");
        println!("\n$ {command}");
        let output = self.kubectl_command(&arguments).output().await;
        let text = text_of(&output.map_err(|source| DemoError::Command {
            command: command.clone(),
            source,
        })?);
        print!("{text}");
        if text.contains("(NotFound)") {
            return Ok(());
        }
        Err(DemoError::Unexpected {
            expected: format!("`{command}` to say NotFound"),
            found: text,
        })
    }

    fn kubectl_command(&self, arguments: &str) -> Command {
        let mut command = self.control_plane.kubectl();
        command
            .args(arguments.split(' '))
            .current_dir(ROOT)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Waits until the operator or the emulator ends, which is an error whenever it happens.
    pub async fn ended(&self) -> DemoError {
        let operator = async {
            match &self.operator {
                Some(operator) => operator.wait_for_exit().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = operator => DemoError::Ended {
                program: "the operator",
                status,
                log_tail: self.operator_log_tail(),
            },
            status = self.emulator.wait_for_exit() => DemoError::Ended {
                program: "the emulator",
                status,
                log_tail: self.emulator.log_tail(),
            },
        }
    }

    /// Prints what somebody who keeps everything running can do with it.
    pub fn say_how_to_play(&self) {
        let kubectl = self.control_plane.kubectl();
        let folder = Path::new(kubectl.as_std().get_program())
            .parent()
            .unwrap_or(Path::new("."));
        println!(
            "\n# Everything goes on running until Ctrl-C ends it. In another terminal, in this folder:\n\
             \n\
             export KUBECONFIG={kubeconfig}\n\
             export PATH={folder}:$PATH\n\
             kubectl config set-context --current --namespace={NAMESPACE}\n\
             kubectl apply -f deploy/examples/foundation-model.yaml\n\
             kubectl get aid --watch\n\
             kubectl explain aid.spec\n\
             \n\
             # Every call and every change of state, and what the operator says about it:\n\
             curl {url}/_emulator/audit\n\
             tail -f {log}\n\
             \n\
             # AI Core goes down, and comes back:\n\
             curl {url}/_emulator/faults --json '{{\"name\": \"outage\", \"effect\": \"down\"}}'\n\
             curl {url}/_emulator/faults --request DELETE",
            kubeconfig = self.control_plane.admin_kubeconfig().display(),
            folder = folder.display(),
            url = self.emulator_url,
            log = self.control_plane.data_dir().join("operator.log").display(),
        );
    }

    /// Ends everything in good order, the operator first.
    pub async fn close(self) -> Result<(), DemoError> {
        if let Some(operator) = &self.operator {
            let status = operator.terminate().await;
            if !status.success() {
                return Err(DemoError::Unexpected {
                    expected: "the operator to end with exit code 0 when it is asked to".to_owned(),
                    found: format!(
                        "{status}; the last lines of its log:\n{}",
                        operator.log_tail()
                    ),
                });
            }
        }
        self.emulator.terminate().await;
        self.control_plane.stop().await?;
        Ok(())
    }
}

impl Running {
    /// Waits for the end and shows what was printed.
    pub async fn finish(self) -> Result<(), DemoError> {
        let command = self.command;
        let output = match self.child.wait_with_output().await {
            Ok(output) => output,
            Err(source) => return Err(DemoError::Command { command, source }),
        };
        let text = text_of(&output);
        if !output.status.success() {
            return Err(DemoError::CommandFailed {
                command,
                status: output.status,
                output: text,
            });
        }
        print!("{text}");
        Ok(())
    }
}

fn text_of(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    format!("{stdout}{}", String::from_utf8_lossy(&output.stderr))
}

/// A program of this workspace, which cargo puts next to this one. It gets nothing of the caller's environment, so
/// that no variable changes what is shown.
fn program(name: &str) -> Result<ProcessSpec, DemoError> {
    let path = std::env::current_exe()
        .unwrap_or_default()
        .with_file_name(name);
    if path.is_file() {
        Ok(ProcessSpec::new(path).without_inherited_environment())
    } else {
        Err(DemoError::NotBuilt(path))
    }
}
