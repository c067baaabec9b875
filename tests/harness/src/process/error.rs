use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Why a process could not be started or did not do what was awaited.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The operating system refused to start it.
    #[error("{program} could not be started")]
    Start {
        /// The program's path.
        program: String,
        /// The cause.
        source: io::Error,
    },
    /// Its log file cannot be written.
    #[error("the log file {path} cannot be opened; check that its folder exists and is writable")]
    Log {
        /// The log file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It ended while something was still awaited from it.
    #[error("{program} ended ({status}) before {awaited}; the last lines of its log:\n{log_tail}")]
    Ended {
        /// The program's file name.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it should have done first.
        awaited: String,
        /// The end of its log.
        log_tail: String,
    },
    /// It runs, but did not do in time what was awaited.
    #[error("{program} runs, but after {} s still not: {awaited}; the last lines of its log:\n{log_tail}", limit.as_secs())]
    TooSlow {
        /// The program's file name.
        program: String,
        /// What it should have done.
        awaited: String,
        /// The time that it had.
        limit: Duration,
        /// The end of its log.
        log_tail: String,
    },
}
