//! Processes that cannot outlive the test process, whether it returns, panics or is killed.

mod error;
pub(crate) mod guard;
mod spec;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::sync::watch;

pub use error::ProcessError;
pub use spec::ProcessSpec;

/// How long a process may take to end after a request to: the default grace period that a kubelet gives a container.
const GRACE_PERIOD: Duration = Duration::from_secs(30);

/// How often a log file is read again while a line is awaited.
const LOG_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How much of the end of a log an error message shows.
const LOG_TAIL_LINES: usize = 20;
const LOG_TAIL_BYTES: u64 = 64 * 1024;

/// A running process that ends with this one. Dropping it kills it and waits until it is gone.
#[derive(Debug)]
pub struct Supervised {
    name: String,
    log: PathBuf,
    pid: Pid,
    /// False as soon as the number may belong to another process.
    pid_is_ours: Arc<Mutex<bool>>,
    exit: watch::Receiver<Option<ExitStatus>>,
    waiter: Option<JoinHandle<()>>,
}

impl Supervised {
    /// Starts a process; its output is appended to the file `log`.
    ///
    /// # Errors
    ///
    /// When the log file cannot be opened or no process can be created. A program that does not exist shows as a
    /// process that ends at once with exit code 127.
    pub fn spawn(spec: &ProcessSpec, log: &Path) -> Result<Self, ProcessError> {
        let name = spec.name();
        let log_error = |source| ProcessError::Log {
            path: log.to_owned(),
            source,
        };
        let start_error = |source| ProcessError::Start {
            program: spec.name(),
            source,
        };

        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(log_error)?;
        let errors = output.try_clone().map_err(log_error)?;
        let mut child = spec
            .gated_command()
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            // Ctrl-C must end the test process only; the guard then ends the others.
            .process_group(0)
            .spawn()
            .map_err(start_error)?;
        let gate = child.stdin.take();
        let pid = Pid::from_child(&child);

        let pid_is_ours = Arc::new(Mutex::new(true));
        let (exited, exit) = watch::channel(None);
        let waiter = std::thread::spawn({
            let pid_is_ours = Arc::clone(&pid_is_ours);
            move || wait(child, pid, &pid_is_ours, &exited)
        });
        // From here on an error drops `supervised`, which ends the process.
        let supervised = Self {
            name,
            log: log.to_owned(),
            pid,
            pid_is_ours,
            exit,
            waiter: Some(waiter),
        };
        guard::watch(pid).map_err(start_error)?;
        gate.ok_or_else(|| io::Error::other("it has no standard input"))
            .and_then(|mut gate| gate.write_all(b"go\n"))
            .map_err(start_error)?;
        Ok(supervised)
    }

    /// The process number. It belongs to the program itself, not to a wrapper.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// The file that holds its standard output and standard error.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last lines of its log; empty when there is none.
    #[must_use]
    pub fn log_tail(&self) -> String {
        tail(&self.log).unwrap_or_default()
    }

    /// How it ended, or `None` while it runs.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        *self.exit.borrow()
    }

    /// Kills it at once (SIGKILL), as a crash or the kernel's out-of-memory killer would. Does nothing when it has ended.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Stops it (SIGSTOP), until [`Supervised::go_on`]: it does not notice that time passes.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after a pause (SIGCONT).
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks it to end (SIGTERM) and waits until it has; kills it after 30 s, as a kubelet would.
    pub async fn terminate(&self) -> ExitStatus {
        self.signal(Signal::TERM);
        if let Ok(status) = tokio::time::timeout(GRACE_PERIOD, self.wait_for_exit()).await {
            return status;
        }
        self.kill();
        self.wait_for_exit().await
    }

    /// Waits until it has ended, by itself or by request.
    ///
    /// # Panics
    ///
    /// When the operating system cannot tell how it ended.
    pub async fn wait_for_exit(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        let status = exit
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|status| *status);
        status.expect("the operating system tells how a child process ended")
    }

    /// Waits until its log has a whole line that contains `text`, and returns the first such line.
    ///
    /// # Errors
    ///
    /// When it ends before that, or when `limit` has passed.
    pub async fn wait_for_log_line(
        &self,
        text: &str,
        limit: Duration,
    ) -> Result<String, ProcessError> {
        let started = Instant::now();
        loop {
            // The state is read before the log, so that the last line of a process that has ended is not missed.
            let exit_status = self.exit_status();
            if let Some(line) = find_line(&self.log, text) {
                return Ok(line);
            }
            self.check_progress(exit_status, started, limit, || {
                format!("its log said \"{text}\"")
            })?;
            tokio::time::sleep(LOG_POLL_INTERVAL).await;
        }
    }

    /// Fails when the process had ended, or when `limit` has passed since `started`.
    pub(crate) fn check_progress(
        &self,
        exit_status: Option<ExitStatus>,
        started: Instant,
        limit: Duration,
        awaited: impl FnOnce() -> String,
    ) -> Result<(), ProcessError> {
        let program = self.name.clone();
        match exit_status {
            Some(status) => Err(ProcessError::Ended {
                program,
                status,
                awaited: awaited(),
                log_tail: self.log_tail(),
            }),
            None if started.elapsed() > limit => Err(ProcessError::TooSlow {
                program,
                awaited: awaited(),
                limit,
                log_tail: self.log_tail(),
            }),
            None => Ok(()),
        }
    }

    fn signal(&self, signal: Signal) {
        let pid_is_ours = self
            .pid_is_ours
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *pid_is_ours {
            // It can only fail because the process has ended and was not waited for yet, which is what is wanted.
            let _ = kill_process(self.pid, signal);
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.kill();
        if let Some(waiter) = self.waiter.take() {
            // A panic of the waiting thread has been printed; a second one while dropping would abort the tests.
            let _ = waiter.join();
        }
    }
}

/// Waits for the end of a child on a thread of its own: a task would end with the runtime of the test that started it.
fn wait(
    mut child: Child,
    pid: Pid,
    pid_is_ours: &Mutex<bool>,
    exited: &watch::Sender<Option<ExitStatus>>,
) {
    // This leaves the ended child in the process table, so that its number stays taken until `signal` knows.
    let ended = rustix::io::retry_on_intr(|| {
        waitid(
            WaitId::Pid(pid),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        )
    });
    let mut pid_is_ours = pid_is_ours.lock().unwrap_or_else(PoisonError::into_inner);
    *pid_is_ours = false;
    let status = ended.map_err(io::Error::from).and_then(|_| child.wait());
    drop(pid_is_ours);
    // Without a guard nothing watches the number any more, which is all that this asks for.
    let _ = guard::release(pid);
    if let Ok(status) = status {
        exited.send_replace(Some(status));
    }
}

fn find_line(log: &Path, text: &str) -> Option<String> {
    let content = std::fs::read(log).ok()?;
    let content = String::from_utf8_lossy(&content);
    let whole_lines = &content[..content.rfind('\n')?];
    whole_lines
        .lines()
        .find(|line| line.contains(text))
        .map(str::to_owned)
}

fn tail(log: &Path) -> io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let end = String::from_utf8_lossy(&end);
    let lines: Vec<&str> = end.lines().collect();
    Ok(lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n"))
}
