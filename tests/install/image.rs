//! The container image. No container engine runs here: what can be known without one is whether the sources that reach it can be built.

use std::fs;
use std::path::Path;

use tokio::process::Command;

use crate::world::{ROOT, run};

/// What `.dockerignore` lets through: everything is left out, and then some is let in again.
fn let_in() -> Vec<String> {
    let rules = fs::read_to_string(Path::new(ROOT).join(".dockerignore"));
    let rules = rules.expect("there is one");
    let mut rules = rules.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(rules.next(), Some("*"));
    let names = rules.map(|rule| rule.strip_prefix('!').expect("it lets something in"));
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn every_source_that_cargo_asks_for_reaches_the_image() {
    let context = tempfile::tempdir().expect("there is room for it");
    for name in let_in() {
        let (from, to) = (Path::new(ROOT).join(&name), context.path().join(&name));
        std::os::unix::fs::symlink(from, to).expect("the folder is the test's own");
    }
    let manifest = context.path().join("Cargo.toml").display().to_string();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.env("CARGO_NET_OFFLINE", "true");
    let known = [
        "metadata",
        "--locked",
        "--no-deps",
        "--format-version=1",
        "--manifest-path",
        &manifest,
    ];
    let read = run(cargo, &known, "").await;
    assert!(read.succeeded, "{}", read.errors);
}
