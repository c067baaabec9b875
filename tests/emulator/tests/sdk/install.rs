//! Installs SAP's SDKs from their public registries into a cache outside the tree, once for each set of pinned versions.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of the cache that holds one installation.
pub(crate) struct Installation {
    pub(crate) folder: PathBuf,
}

/// Where the lists of pinned versions and the scripts are.
pub(crate) fn sources(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/sdk")
        .join(language)
}

/// A virtual environment with the packages of a requirements file, all of them checked by their hashes.
pub(crate) fn python(requirements: &str) -> Installation {
    let requirements = sources("python").join(requirements);
    let version = run(Command::new("python3").arg("--version"));
    installed("python", &[&read(&requirements), &version], |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder));
        let pip = folder.join("bin/python");
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
        ];
        run(Command::new(pip).args(install).arg(&requirements));
    })
}

/// A folder with the `node_modules` of the lock file.
pub(crate) fn javascript() -> Installation {
    let sources = sources("javascript");
    let version = run(Command::new("node").arg("--version"));
    let lists = ["package.json", "package-lock.json"];
    let contents = lists.map(|list| read(&sources.join(list)));
    installed(
        "javascript",
        &[&contents[0], &contents[1], &version],
        |folder| {
            for list in lists {
                fs::copy(sources.join(list), folder.join(list))
                    .expect("the list of packages can be copied");
            }
            let install = [
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel",
                "error",
            ];
            run(Command::new("npm").args(install).current_dir(folder));
        },
    )
}

/// The folder for `contents`, installed if nobody did it before. A lock keeps others out in the meantime; a mark in the
/// folder says that the installation came to its end, so that one that was killed begins anew.
fn installed(language: &str, contents: &[&str], install: impl FnOnce(&Path)) -> Installation {
    let mut hasher = DefaultHasher::new();
    contents.hash(&mut hasher);
    let name = format!("{language}-{:016x}", hasher.finish());
    let folder = cache().join(&name);
    fs::create_dir_all(cache()).expect("the cache folder can be made");
    let lock = File::create(cache().join(format!("{name}.lock"))).expect("the lock can be made");
    lock.lock().expect("the lock can be taken");
    let mark = folder.join(".complete");
    if !mark.exists() {
        eprintln!("installing the {language} SDK into {}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("the unfinished installation can be removed");
        }
        fs::create_dir(&folder).expect("the folder can be made");
        install(&folder);
        fs::write(&mark, "").expect("the installation can be marked as complete");
    }
    Installation { folder }
}

fn cache() -> PathBuf {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let base = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    base.expect("set HOME or XDG_CACHE_HOME, so that the SDKs have a place")
        .join("aicore-operator/sdk")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

/// Runs a program to its end. What it wrote on its standard output is the result; anything but success ends the test.
pub(crate) fn run(command: &mut Command) -> String {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().unwrap_or_else(|error| {
        panic!(
            "{program} cannot be run: {error}. The SDK tests need python3 with venv, node and npm"
        )
    });
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} ended with {}\n{stdout}\n{stderr}",
        output.status
    );
    stdout
}
