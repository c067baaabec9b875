//! The workflows of continuous integration and of a release. Nothing runs them here; but whatever of the source tree they name is there, and what they
//! decide by themselves is decided here as well.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use crate::world::{CHART, ROOT, run};

const WORKFLOWS: [&str; 2] = ["ci", "release"];

fn read(file: &str) -> String {
    let text = fs::read_to_string(Path::new(ROOT).join(file));
    text.unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn workflow(name: &str) -> Value {
    let text = read(&format!(".github/workflows/{name}.yaml"));
    serde_saphyr::from_str(&text).expect("it is YAML")
}

/// The jobs of a workflow with their names.
fn jobs(workflow: &Value) -> impl Iterator<Item = (&String, &Value)> {
    workflow["jobs"].as_object().into_iter().flatten()
}

/// All steps of all workflows.
fn steps() -> Vec<Value> {
    let workflows = WORKFLOWS.map(workflow);
    let jobs = workflows.iter().flat_map(jobs);
    let steps = jobs.flat_map(|(_, job)| job["steps"].as_array().into_iter().flatten());
    let steps: Vec<_> = steps.cloned().collect();
    assert!(steps.len() > 15, "{}", steps.len());
    steps
}

/// What the steps run.
fn scripts() -> Vec<String> {
    let steps = steps();
    let scripts = steps.iter().filter_map(|step| step["run"].as_str());
    scripts.map(str::to_owned).collect()
}

/// The words of a text, without what a shell puts around them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| character.is_whitespace() || "\"'()$;".contains(character))
}

#[tokio::test]
async fn what_they_run_is_shell() {
    for script in scripts() {
        let shell = Command::new("bash");
        let read = run(shell, &["-n"], &script).await;
        assert!(read.succeeded, "{}\n{script}", read.errors);
    }
}

#[test]
fn every_target_of_make_that_they_name_is_there() {
    let makefile = read("Makefile");
    let mut named = Vec::new();
    for script in [scripts(), vec![read(".ci/run")]].concat() {
        let code = script.lines().filter(|line| !line.starts_with('#'));
        let words: Vec<_> = code.flat_map(words).collect();
        let after = words.windows(2).filter(|pair| pair[0] == "make");
        named.extend(after.map(|pair| pair[1].to_owned()));
    }
    assert_eq!(named.len(), 3, "{named:?}");
    for target in named {
        let rule = format!("\n{target}: ");
        assert!(makefile.contains(&rule), "make has no {target}");
    }
}

#[test]
fn the_readme_asks_for_the_go_that_the_tools_are_built_with() {
    let readme = read("README.md");
    let (_, told) = readme.split_once("Go ").expect("it names Go");
    let told = told.split(' ').next().expect("and its version");
    let wanted = ["control-plane", "tools"].map(|folder| {
        let module = read(&format!("tests/{folder}/go.mod"));
        let mut lines = module.lines().map(str::to_owned);
        let line = lines.find_map(|line| line.strip_prefix("go ").map(str::to_owned));
        line.expect("a module names its Go")
    });
    let number = |version: &str| -> Vec<u32> {
        let parts = version.split('.');
        parts.map(|part| part.parse().expect("a number")).collect()
    };
    let newest = wanted.iter().max_by_key(|version| number(version));
    assert_eq!(newest.map(String::as_str), Some(told));
}

#[test]
fn every_file_that_they_name_is_there() {
    let top: BTreeSet<_> = [".ci", ".github", "deploy", "docs", "tests", "src", "crds"].into();
    let mut named = BTreeSet::new();
    for name in WORKFLOWS {
        let text = read(&format!(".github/workflows/{name}.yaml"));
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        for line in code {
            named.extend(words(line).filter_map(|word| {
                let word = word
                    .trim_start_matches("./")
                    .trim_end_matches(['*', '/', ',']);
                top.contains(word.split('/').next()?)
                    .then(|| word.to_owned())
            }));
        }
    }
    assert!(named.len() > 5, "{named:?}");
    for file in named {
        let path = Path::new(ROOT).join(&file);
        assert!(path.exists(), "there is no {file}");
    }
    // A script that builds a tool is part of what the tool depends on.
    let ci = read(".github/workflows/ci.yaml");
    for folder in ["tests/control-plane", "tests/tools"] {
        assert!(ci.contains(&format!("'{folder}/**'")), "{folder}");
    }
}

#[test]
fn the_files_of_a_release_are_where_make_puts_them() {
    let makefile = read("Makefile");
    let place = "RELEASE_FILES := $(or $(CARGO_TARGET_DIR),target)/release-files\n";
    assert!(makefile.contains(place), "{place}");
    let named = scripts().concat();
    let named: Vec<_> = words(&named)
        .filter(|word| word.starts_with("target/"))
        .collect();
    assert_eq!(named.len(), 2, "{named:?}");
    for file in named {
        assert!(file.starts_with("target/release-files/"), "{file}");
    }
}

#[test]
fn every_image_that_is_built_is_a_stage_of_the_dockerfile_and_the_one_that_the_chart_names() {
    let dockerfile = read("Dockerfile");
    let values: Value = serde_saphyr::from_str(&read(&format!("{CHART}/values.yaml"))).unwrap();
    let in_chart = [&values["image"], &values["emulator"]["image"]];
    let in_chart = in_chart.map(|image| image["repository"].as_str().unwrap().to_owned());
    let steps = steps();
    let builds = steps.iter().filter(|step| {
        let action = step["uses"].as_str();
        action.is_some_and(|action| action.starts_with("docker/build-push-action@"))
    });
    let mut built = Vec::new();
    for build in builds {
        let with = &build["with"];
        let stage = with["target"].as_str().expect("a stage is named");
        assert!(dockerfile.contains(&format!(" AS {stage}\n")), "{stage}");
        for argument in with["build-args"].as_str().unwrap().lines() {
            let (name, _) = argument.split_once('=').expect("it has a value");
            assert!(dockerfile.contains(&format!("\nARG {name}\n")), "{name}");
        }
        let tag = with["tags"].as_str().unwrap();
        let (_, image) = tag.rsplit_once("}}/").expect("a registry comes first");
        let (image, _) = image.split_once(':').expect("a version follows");
        let entry = format!("/usr/local/bin/{image}\"]");
        assert!(dockerfile.contains(&entry), "{image}");
        built.push(image.to_owned());
    }
    assert_eq!(built, in_chart);
    let both = format!("for image in {}; do", built.join(" "));
    assert!(scripts().concat().contains(&both), "{both}");
}

#[test]
fn every_job_that_is_waited_for_is_there_and_tells_what_is_asked_of_it() {
    for name in WORKFLOWS {
        let workflow = workflow(name);
        for (name, job) in jobs(&workflow) {
            let needs: Vec<_> = match &job["needs"] {
                Value::String(one) => vec![one.as_str()],
                several => crate::world::texts(several),
            };
            for needed in &needs {
                assert!(
                    workflow["jobs"][needed].is_object(),
                    "{name} needs {needed}"
                );
            }
            let text = job.to_string();
            for asked in text.split("needs.").skip(1) {
                let end = asked.find([' ', '}']).expect("an expression ends");
                let parts: Vec<_> = asked[..end].split('.').collect();
                let [job, "outputs", output] = parts[..] else {
                    panic!("{asked}");
                };
                assert!(needs.contains(&job), "{name} does not need {job}");
                let told = &workflow["jobs"][job]["outputs"][output];
                assert!(told.is_string(), "{job} does not tell {output}");
            }
        }
    }
}

#[test]
fn they_use_the_compiler_that_builds_the_image() {
    let dockerfile = read("Dockerfile");
    for name in WORKFLOWS {
        let workflow = workflow(name);
        let version = workflow["env"]["RUST"].as_str().expect("it is pinned");
        let image = format!("FROM rust:{version}-");
        assert!(dockerfile.contains(&image), "{name}: {image}");
        for (name, job) in jobs(&workflow) {
            // These call cargo, by way of make.
            let runs = job["steps"].to_string();
            let needed = ["make audit", "make release-files", ".ci/run"];
            if needed.iter().any(|command| runs.contains(command)) {
                let install = "rustup toolchain install \\\"$RUST\\\"";
                assert!(runs.contains(install), "{name} takes what is there");
            }
        }
    }
}

/// What the first step of a release tells about a tag, where the chart has this version.
async fn told(tag: &str, version: &str) -> Option<String> {
    let folder = tempfile::tempdir().expect("there is room for it");
    let chart = folder.path().join(CHART);
    fs::create_dir_all(&chart).expect("the folder is the test's own");
    let present = read(&format!("{CHART}/Chart.yaml"));
    let present = present.replace(
        concat!("ersion: ", env!("CARGO_PKG_VERSION")),
        &format!("ersion: {version}"),
    );
    fs::write(chart.join("Chart.yaml"), present).expect("there is room for it");
    let workflow = workflow("release");
    let step = &workflow["jobs"]["version"]["steps"][1];
    let script = format!(
        "cd '{}'\n{}",
        folder.path().display(),
        step["run"].as_str().unwrap()
    );
    let output = folder.path().join("output");
    let mut shell = Command::new("bash");
    shell
        .env("GITHUB_REF_NAME", tag)
        .env("GITHUB_OUTPUT", &output)
        .env("OWNER", "Somebody")
        .env("REGISTRY", "registry.example.com");
    let ended = run(shell, &["-eo", "pipefail", "-c", &script], "").await;
    let told = fs::read_to_string(output).unwrap_or_default();
    ended.succeeded.then_some(told)
}

#[tokio::test]
async fn a_tag_makes_a_release_of_its_version_and_one_with_a_hyphen_a_pre_release() {
    for (version, prerelease) in [("1.2.3", false), ("1.2.3-rc.1", true)] {
        let told = told(&format!("v{version}"), version).await;
        let told = told.expect("the tag is that of the chart");
        let wanted = format!(
            "version={version}\nimages=registry.example.com/somebody\nprerelease={prerelease}\n"
        );
        assert_eq!(told, wanted);
    }
    assert_eq!(told("v1.2.4", "1.2.3").await, None);
    let release = read(".github/workflows/release.yaml");
    let created = "gh release create \"$GITHUB_REF_NAME\" --draft --prerelease=\"$PRERELEASE\"";
    assert!(release.contains(created), "{created}");
}
