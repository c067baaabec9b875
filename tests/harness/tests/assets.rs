//! The script that builds the control plane, with a stand-in for `go` that only takes notes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../control-plane/build.sh");

const PROGRAMS: [&str; 7] = [
    "etcd",
    "etcdctl",
    "etcdutl",
    "kube-apiserver",
    "kube-controller-manager",
    "kubectl",
    "helm",
];

/// Notes each build, takes a while, and writes a program in two halves, as a linker does. It stops in the middle when
/// the file `hang` is there, and fails when `fail` is.
const STAND_IN: &str = r#"#!/bin/sh
case "$1 $2" in
  "env GOVERSION") cat "$STAND_IN/version" ;;
  "env GOOS") echo linux; echo amd64 ;;
  build*)
    while [ "$1" != -o ]; do shift; done
    echo "$3" >>"$STAND_IN/builds"
    if [ -e "$STAND_IN/fail" ]; then echo "undefined: everything"; exit 1; fi
    echo '#!/bin/sh' >"$2"
    if [ -e "$STAND_IN/hang" ]; then exec sleep 600; fi
    sleep 0.2
    echo 'exit 0' >>"$2"
    chmod +x "$2"
    ;;
esac
"#;

#[tokio::test]
async fn two_runs_at_once_build_each_program_once_and_name_the_same_folder() {
    let sandbox = Sandbox::new();
    let (first, second) = tokio::join!(sandbox.run(&[]), sandbox.run(&[]));
    assert_eq!(assets(&first), assets(&second));
    let mut builds = sandbox.builds();
    builds.sort();
    assert_eq!(builds.len(), PROGRAMS.len(), "{builds:?}");
    builds.dedup();
    assert_eq!(builds.len(), PROGRAMS.len(), "each was built once");
    for program in PROGRAMS {
        let content =
            fs::read_to_string(assets(&first).join(program)).expect("the program is there");
        assert!(content.ends_with("exit 0\n"), "{program} is whole");
    }
}

#[tokio::test]
async fn a_second_run_builds_nothing() {
    let sandbox = Sandbox::new();
    let first = sandbox.run(&["etcd"]).await;
    let second = sandbox.run(&["etcd"]).await;
    assert_eq!(assets(&first), assets(&second));
    assert_eq!(sandbox.builds(), ["go.etcd.io/etcd/server/v3"]);
    assert!(second.stderr.is_empty(), "{}", text(&second.stderr));
}

#[tokio::test]
async fn another_go_version_has_another_folder() {
    let sandbox = Sandbox::new();
    let first = sandbox.run(&["etcd"]).await;
    sandbox.pretend_to_be("go1.99.0");
    let second = sandbox.run(&["etcd"]).await;
    assert_ne!(assets(&first), assets(&second));
}

#[tokio::test]
async fn an_interrupted_build_leaves_no_half_written_program() {
    let sandbox = Sandbox::new();
    sandbox.place("hang");
    let run = sandbox
        .command(&["etcd"])
        .spawn()
        .expect("the script starts");
    let pid = run.id().expect("it runs");
    within_limit(async {
        while sandbox.built_files().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;

    let killed = Command::new("kill")
        .args(["-TERM", &pid.to_string()])
        .status()
        .await
        .expect("kill runs");
    assert!(killed.success());
    let output = within_limit(run.wait_with_output()).await.expect("it ends");
    assert_eq!(output.status.code(), Some(143));
    assert_eq!(sandbox.built_files(), Vec::<PathBuf>::new());

    fs::remove_file(sandbox.folder.path().join("hang")).expect("it was placed");
    assert!(
        assets(&sandbox.run(&["etcd"]).await).join("etcd").is_file(),
        "the next run builds it"
    );
}

#[tokio::test]
async fn a_failed_build_shows_what_the_compiler_said() {
    let sandbox = Sandbox::new();
    sandbox.place("fail");
    let output = sandbox.run(&["etcd"]).await;
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(
        errors.contains("undefined: everything") && errors.contains("etcd could not be built"),
        "{errors}"
    );
    assert_eq!(sandbox.built_files(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_missing_go_is_one_clear_sentence() {
    let sandbox = Sandbox::new();
    fs::remove_file(sandbox.folder.path().join("bin/go")).expect("the stand-in is there");
    let output = sandbox.run(&["etcd"]).await;
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(
        errors.lines().count() == 1 && errors.contains("there is no \"go\" in PATH"),
        "{errors}"
    );
}

#[tokio::test]
async fn an_old_go_is_one_clear_sentence() {
    let sandbox = Sandbox::new();
    sandbox.pretend_to_be("go1.22.3");
    let output = sandbox.run(&["etcd"]).await;
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(
        errors.lines().count() == 1 && errors.contains("is go1.22.3"),
        "{errors}"
    );
}

#[tokio::test]
async fn given_assets_are_used_and_only_what_they_lack_is_built() {
    let sandbox = Sandbox::new();
    let given = sandbox.programs("given", &["etcd", "kube-apiserver", "kubectl"]);
    let mut command = sandbox.command(&[
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kubectl",
    ]);
    let output = within_limit(command.env("KUBEBUILDER_ASSETS", &given).output())
        .await
        .expect("the script runs");
    assert_eq!(
        sandbox.builds(),
        ["k8s.io/kubernetes/cmd/kube-controller-manager"]
    );
    let folder = assets(&output);
    assert_eq!(
        target_of(&folder.join("etcd")),
        target_of(&given.join("etcd"))
    );
    assert!(folder.join("kube-controller-manager").is_file());
}

#[tokio::test]
async fn given_assets_that_lack_nothing_are_used_as_they_are_without_go() {
    let sandbox = Sandbox::new();
    fs::remove_file(sandbox.folder.path().join("bin/go")).expect("the stand-in is there");
    let given = sandbox.programs("given", &PROGRAMS);
    let mut command = sandbox.command(&[]);
    let output = within_limit(command.env("KUBEBUILDER_ASSETS", &given).output())
        .await
        .expect("the script runs");
    assert_eq!(target_of(&assets(&output)), target_of(&given));
}

#[tokio::test]
async fn an_existing_cluster_needs_no_control_plane() {
    let sandbox = Sandbox::new();
    sandbox.programs("bin", &["kubectl"]);
    let mut command = sandbox.command(&[]);
    let output = within_limit(command.env("USE_EXISTING_CLUSTER", "true").output())
        .await
        .expect("the script runs");
    assert_eq!(
        sandbox.builds(),
        ["helm.sh/helm/v4/cmd/helm"],
        "only what PATH lacks"
    );
    let folder = assets(&output);
    assert!(folder.join("kubectl").is_file() && folder.join("helm").is_file());
    assert!(!folder.join("etcd").exists());
    assert!(
        text(&output.stderr).contains("no control plane is built"),
        "{}",
        text(&output.stderr)
    );
}

#[tokio::test]
async fn an_unknown_program_is_refused() {
    let output = Sandbox::new().run(&["kubelet"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("\"kubelet\" is none of"),
        "{}",
        text(&output.stderr)
    );
}

/// A folder with a cache of its own and a PATH that has the stand-in, the shell's tools and nothing else.
struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let sandbox = Self {
            folder: TempDir::new().expect("a folder"),
        };
        let bin = sandbox.folder.path().join("bin");
        fs::create_dir(&bin).expect("a new folder");
        for tool in TOOLS {
            let tool_file = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool));
            // A machine may lack one of two alternatives; the script says so if it needs it.
            if let Some(file) = tool_file.iter().find(|file| file.exists()) {
                std::os::unix::fs::symlink(file, bin.join(tool)).expect("a link");
            }
        }
        write_program(&bin.join("go"), STAND_IN);
        sandbox.pretend_to_be("go1.26.8");
        sandbox
    }

    fn pretend_to_be(&self, version: &str) {
        fs::write(self.folder.path().join("version"), format!("{version}\n")).expect("a file");
    }

    fn place(&self, name: &str) {
        fs::write(self.folder.path().join(name), "").expect("a file");
    }

    fn programs(&self, folder: &str, names: &[&str]) -> PathBuf {
        let folder = self.folder.path().join(folder);
        fs::create_dir_all(&folder).expect("a folder");
        for name in names {
            write_program(&folder.join(name), "#!/bin/sh\n");
        }
        folder
    }

    fn command(&self, programs: &[&str]) -> Command {
        let mut command = Command::new(SCRIPT);
        command
            .args(programs)
            .env_clear()
            .env("PATH", self.folder.path().join("bin"))
            .env("XDG_CACHE_HOME", self.folder.path().join("cache"))
            .env("STAND_IN", self.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    async fn run(&self, programs: &[&str]) -> Output {
        within_limit(self.command(programs).output())
            .await
            .expect("the script runs")
    }

    /// The Go packages that were built, in order.
    fn builds(&self) -> Vec<String> {
        let notes = fs::read_to_string(self.folder.path().join("builds")).unwrap_or_default();
        notes.lines().map(str::to_owned).collect()
    }

    /// Whatever is in the cache, finished or not, but for the lock and the compiler's messages.
    fn built_files(&self) -> Vec<PathBuf> {
        let cache = self
            .folder
            .path()
            .join("cache/aicore-operator/control-plane");
        let folders = fs::read_dir(cache).into_iter().flatten().flatten();
        let files =
            folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten());
        files
            .map(|file| file.path())
            .filter(|file| {
                !file.ends_with(".lock")
                    && file.extension().is_none_or(|extension| extension != "log")
            })
            .collect()
    }
}

const TOOLS: [&str; 21] = [
    "bash",
    "basename",
    "cat",
    "chmod",
    "cut",
    "dirname",
    "env",
    "find",
    "flock",
    "head",
    "ln",
    "mkdir",
    "mv",
    "rm",
    "sed",
    "sh",
    "sha256sum",
    "shasum",
    "sleep",
    "tail",
    "tr",
];

fn write_program(file: &Path, content: &str) {
    fs::write(file, content).expect("a file");
    fs::set_permissions(file, Permissions::from_mode(0o755)).expect("it can be made executable");
}

/// The folder that the script names in its last line.
fn assets(output: &Output) -> PathBuf {
    let lines = text(&output.stdout);
    let folder = lines
        .lines()
        .last()
        .and_then(|line| line.strip_prefix("KUBEBUILDER_ASSETS="));
    folder
        .unwrap_or_else(|| panic!("no folder is named; {}", text(&output.stderr)))
        .into()
}

fn target_of(path: &Path) -> PathBuf {
    path.canonicalize().expect("the file is there")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn within_limit<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), future)
        .await
        .expect("within a minute")
}
