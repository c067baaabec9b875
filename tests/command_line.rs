//! What the program says at the command line: definitions in sync, errors as sentences, exit codes.

use std::path::Path;
use std::process::{Command, Output};

fn operator(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aicore-operator"));
    // Nothing of the surroundings may lead to a cluster.
    command
        .args(arguments)
        .env_clear()
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command.output().expect("the program was built and starts")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_committed_definitions_are_in_sync_with_the_types() {
    let output = operator(&["crd", "--out", "crds", "--check"]);
    assert!(output.status.success(), "{}", errors(&output));
}

#[test]
fn a_definition_that_was_edited_by_hand_is_found() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder
        .path()
        .to_str()
        .expect("the path of a temporary folder is text");
    assert!(operator(&["crd", "--out", path]).status.success());
    assert!(
        operator(&["crd", "--out", path, "--check"])
            .status
            .success()
    );
    edit(&folder.path().join("deployments.yaml"));
    let output = operator(&["crd", "--out", path, "--check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors(&output).contains("not in sync with the types; run `make crds`"),
        "{}",
        errors(&output)
    );
}

fn edit(file: &Path) {
    let text = std::fs::read_to_string(file).expect("the definition was written");
    std::fs::write(file, text.replace("shortNames", "longNames"))
        .expect("the definition can be edited");
}

#[test]
fn without_a_cluster_the_operator_says_what_it_needs() {
    let output = operator(&["run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors(&output).contains("Run inside a cluster, or set KUBECONFIG"),
        "{}",
        errors(&output)
    );
}

#[test]
fn a_kubeconfig_that_names_a_proxy_is_refused_and_the_password_in_it_is_not_told() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("kubeconfig");
    let proxy = "http://user:the-secret-of-the-proxy@proxy.example.com:3128";
    let kubeconfig = format!(
        "{{apiVersion: v1, kind: Config, current-context: a, \
         contexts: [{{name: a, context: {{cluster: a, user: a}}}}], users: [{{name: a, user: {{}}}}], \
         clusters: [{{name: a, cluster: {{server: 'https://127.0.0.1:1', proxy-url: '{proxy}'}}}}]}}"
    );
    std::fs::write(&file, kubeconfig).expect("it can be written");
    let output = Command::new(env!("CARGO_BIN_EXE_aicore-operator"))
        .arg("run")
        .env_clear()
        .env("KUBECONFIG", &file)
        .output()
        .expect("the program was built and starts");
    assert_eq!(output.status.code(), Some(1));
    let errors = errors(&output);
    assert!(errors.contains("proxy-url"), "{errors}");
    assert!(!errors.contains("the-secret"), "{errors}");
}

#[test]
fn a_flag_that_makes_no_sense_is_refused() {
    for arguments in [
        ["run", "--poll-seconds=0"],
        ["run", "--busy-poll-seconds=soon"],
        ["run", "--default-deletion-policy=maybe"],
        ["run", "--concurrency=0"],
        ["run", "--listen=8080"],
    ] {
        let output = operator(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            errors(&output).contains("invalid value"),
            "{arguments:?}: {}",
            errors(&output)
        );
    }
}

#[test]
fn namespaces_are_left_out_by_name_and_not_beside_a_single_one() {
    let both = operator(&["run", "--namespace=a", "--exclude-namespaces=b,c"]);
    assert_eq!(both.status.code(), Some(2));
    assert!(
        errors(&both).contains("cannot be used with"),
        "{}",
        errors(&both)
    );
    for name in ["b,", "B", "b,metadata.name=c", "-b"] {
        let output = operator(&["run", &format!("--exclude-namespaces={name}")]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(
            errors(&output).contains("is not the name of a namespace"),
            "{}",
            errors(&output)
        );
    }
}

#[test]
fn every_flag_of_run_is_an_environment_variable_as_well() {
    let help = operator(&["run", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let flags = help
        .lines()
        .filter(|line| line.trim_start().starts_with("--"))
        .count();
    assert!(flags > 5, "{help}");
    assert_eq!(
        help.matches("[env: AICORE_OPERATOR_").count(),
        flags,
        "{help}"
    );
}
