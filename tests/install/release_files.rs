//! The files of a release: what stands on a page that people download from.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use crate::world::run;

/// What is in it: name and version of each crate, as in `serde@1.0.0`.
fn crates_of(bill: &Path) -> BTreeSet<String> {
    let bill = fs::read_to_string(bill).expect("it is made");
    let bill: Value = serde_json::from_str(&bill).expect("it is JSON");
    assert_eq!(bill["bomFormat"], "CycloneDX");
    let components = bill["components"].as_array().expect("it lists components");
    let text = |component: &Value, field: &str| component[field].as_str().map(str::to_owned);
    components
        .iter()
        .map(|component| {
            assert!(component["licenses"].is_array(), "{component}");
            let name = text(component, "name").expect("each has a name");
            let version = text(component, "version").expect("each has a version");
            format!("{name}@{version}")
        })
        .collect()
}

/// What cargo says that the program is made of.
async fn linked() -> BTreeSet<String> {
    let words = "tree --locked --package aicore-operator --edges normal --target all --prefix none --format {p}";
    let words: Vec<&str> = words.split(' ').collect();
    let told = run(Command::new(env!("CARGO")), &words, "").await;
    assert!(told.succeeded, "{}", told.errors);
    let named = told.output.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        (name != "aicore-operator").then(|| format!("{name}@{version}"))
    });
    named.collect()
}

#[tokio::test]
async fn a_release_has_chart_manifests_checksums_and_a_bill_that_names_every_crate_in_the_program()
{
    let folder = tempfile::tempdir().expect("there is room");
    let files = folder.path().join("files");
    let place = format!("RELEASE_FILES={}", files.display());
    let arguments = [
        "release-files",
        "REGISTRY=registry.example.com/team/",
        &place,
    ];
    let made = run(Command::new("make"), &arguments, "").await;
    assert!(made.succeeded, "{}", made.errors);

    let summed = Command::new("sha256sum")
        .args(["--check", "SHA256SUMS"])
        .current_dir(&files)
        .output()
        .await
        .expect("it runs");
    assert!(summed.status.success(), "{summed:?}");
    let summed = String::from_utf8_lossy(&summed.stdout);
    let chart = format!("aicore-operator-{}.tgz", env!("CARGO_PKG_VERSION"));
    for file in [&chart, "install.yaml", "aicore-operator.cdx.json"] {
        assert!(summed.contains(&format!("{file}: OK")), "{summed}");
    }

    let listed = crates_of(&files.join("aicore-operator.cdx.json"));
    let linked = linked().await;
    let missing: Vec<&String> = linked.difference(&listed).collect();
    assert!(linked.len() > 100 && missing.is_empty(), "{missing:?}");
    // What only the tests need is not released.
    let tests = listed.iter().find(|name| name.starts_with("harness@"));
    assert_eq!(tests, None);
}
