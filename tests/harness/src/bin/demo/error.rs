//! Why the demonstration ended before its end: each one says what was expected.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use harness::control_plane::ControlPlaneError;
use harness::process::ProcessError;

/// Why the demonstration ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(
        "USE_EXISTING_CLUSTER=true is set, but the demo installs and deletes things in its cluster, and therefore uses only one of its own; unset it"
    )]
    ExistingCluster,
    #[error("the control plane did not do what was expected")]
    ControlPlane(#[from] Box<ControlPlaneError>),
    #[error("a program did not do what was expected")]
    Process(#[from] ProcessError),
    #[error("expected the program {}; `make demo` builds it", .0.display())]
    NotBuilt(PathBuf),
    #[error(
        "expected {program} to run until the end, but it ended ({status}); the last lines of its log:\n{log_tail}"
    )]
    Ended {
        program: &'static str,
        status: ExitStatus,
        log_tail: String,
    },
    #[error("expected `{command}` to start")]
    Command { command: String, source: io::Error },
    #[error("expected `{command}` to succeed, but it ended with {status}: {output}")]
    CommandFailed {
        command: String,
        status: ExitStatus,
        output: String,
    },
    #[error("expected to write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("expected signals to be received")]
    Signals(#[source] io::Error),
    #[error("expected the watch to end only with the demonstration")]
    WatchEnded,
    #[error("expected {awaited} within {} s, but last seen was: {last_seen}; the last lines of the operator's log:\n{log_tail}", limit.as_secs())]
    TooSlow {
        awaited: &'static str,
        limit: Duration,
        last_seen: String,
        log_tail: String,
    },
    #[error("expected an answer of the emulator: {action}")]
    Emulator {
        action: &'static str,
        source: reqwest::Error,
    },
    #[error("expected {expected}, but found {found}")]
    Unexpected { expected: String, found: String },
}

impl From<ControlPlaneError> for DemoError {
    fn from(error: ControlPlaneError) -> Self {
        Self::ControlPlane(Box::new(error))
    }
}

impl DemoError {
    /// The sentence of this error and of each of its causes.
    pub fn with_causes(&self) -> String {
        let first: &dyn std::error::Error = self;
        std::iter::successors(Some(first), |error| error.source())
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ")
    }
}
