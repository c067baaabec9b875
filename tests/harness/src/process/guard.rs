//! The guard: one small shell process per test process that outlives it for a moment and clears up.
//!
//! A destructor cannot do this: it does not run for a static value, nor when the process is killed. The guard holds
//! the reading end of a pipe whose only writing end is ours, so the kernel tells it when we are gone.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::process::Pid;

static ORDERS: Mutex<Option<ChildStdin>> = Mutex::new(None);

/// Has `process` killed when this process is gone.
pub(super) fn watch(process: Pid) -> io::Result<()> {
    order(&format!("process {process}"))
}

/// Takes back [`watch`], because the kernel may give the number to another process now.
pub(super) fn release(process: Pid) -> io::Result<()> {
    order(&format!("ended {process}"))
}

/// Has `directory` removed, with all in it, when this process is gone.
///
/// # Errors
///
/// When the guard cannot be started, or when the path holds a line break.
pub(crate) fn remove_at_end(directory: &Path) -> io::Result<()> {
    match directory.to_str() {
        Some(path) if !path.contains('\n') => order(&format!("directory {path}")),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path of a temporary folder must be UTF-8 without line breaks",
        )),
    }
}

fn order(line: &str) -> io::Result<()> {
    let mut orders = ORDERS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut pipe = match orders.take() {
        Some(pipe) => pipe,
        None => start()?,
    };
    let written = writeln!(pipe, "{line}");
    *orders = Some(pipe);
    written
}

fn start() -> io::Result<ChildStdin> {
    let mut guard = Command::new("/bin/sh")
        .args(["-c", include_str!("guard.sh")])
        .stdin(Stdio::piped())
        // Whoever reads the output of the tests must not have to wait for the guard.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C in a terminal goes to the whole group of the test process; the guard has to survive it.
        .process_group(0)
        .spawn()?;
    guard
        .stdin
        .take()
        .ok_or_else(|| io::Error::other("the guard process has no standard input"))
}
