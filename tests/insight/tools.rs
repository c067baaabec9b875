//! The programs that `tests/tools` pins: promtool, and two that print what other tools see.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The path of a tool. The first call builds what is not there yet, which takes minutes once on a machine.
pub fn tool(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/build.sh");
        let output = run(&mut Command::new(script), "");
        output.lines().last().unwrap_or_default().into()
    });
    folder.join(name)
}

/// Runs a program to its end with this standard input, and returns its standard output.
///
/// # Panics
///
/// When it fails, with all that it wrote.
pub fn run(command: &mut Command, input: &str) -> String {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    let mut pipe = child.stdin.take().expect("its input is a pipe");
    // What it prints is read meanwhile: it would wait for that before it reads on.
    let (written, end) = std::thread::scope(|scope| {
        let writing = scope.spawn(move || pipe.write_all(input.as_bytes()));
        let end = child.wait_with_output().expect("it ends");
        (writing.join().expect("writing does not panic"), end)
    });
    let output = String::from_utf8_lossy(&end.stdout).into_owned();
    let errors = String::from_utf8_lossy(&end.stderr);
    assert!(
        end.status.success(),
        "{program} ended with {}\n{output}\n{errors}",
        end.status
    );
    written.unwrap_or_else(|error| panic!("{program} does not read its input: {error}"));
    output
}
