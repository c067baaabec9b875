//! `deploy/install.yaml`, for those who install without Helm.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::pages::readme_says;
use crate::world::{EXAMPLE, MODEL, QUICK, RELEASE, ROOT, World, end, helm_program, run};

#[tokio::test]
async fn it_is_in_sync_with_the_chart() {
    let folder = tempfile::tempdir().expect("there is room for it");
    let script = Command::new(Path::new(ROOT).join("deploy/render.sh"));
    let target = folder.path().display().to_string();
    let rendered = run(script, &[&target], "").await;
    assert!(rendered.succeeded, "{}", rendered.errors);
    for file in ["install.yaml", "secrets-everywhere.yaml"] {
        let wanted = fs::read_to_string(folder.path().join(file)).expect("it was rendered");
        let present = fs::read_to_string(Path::new(ROOT).join("deploy").join(file));
        let same = present.is_ok_and(|present| present == wanted);
        assert!(
            same,
            "run `make install-manifest`: deploy/{file} is not what the chart renders"
        );
    }
}

#[tokio::test]
async fn the_files_of_a_release_name_the_published_images_and_need_nothing_beside_them() {
    let folder = tempfile::tempdir().expect("there is room for it");
    let script = Command::new(Path::new(ROOT).join("deploy/package.sh"));
    let target = folder.path().display().to_string();
    let made = run(script, &["registry.example.com/team/", &target], "").await;
    assert!(made.succeeded, "{}", made.errors);
    let installed = fs::read_to_string(folder.path().join("install.yaml")).expect("it was made");
    let version = env!("CARGO_PKG_VERSION");
    let image = format!("image: \"registry.example.com/team/aicore-operator:{version}\"");
    assert!(installed.contains(&image), "{image} is not in\n{installed}");

    let chart = folder.path().join(format!("aicore-operator-{version}.tgz"));
    let chart = chart.display().to_string();
    let template = ["template", RELEASE, &chart, "--namespace", RELEASE];
    let rendered = run(Command::new(helm_program().await), &template, "").await;
    assert!(installed.ends_with(&rendered.output), "{}", rendered.errors);
}

#[tokio::test]
async fn it_takes_the_first_example_to_running_and_back_to_nothing_once_the_operator_may_read_its_secret()
 {
    let world = World::start().await;
    let apply = ["apply", "--validate=strict", "-f", "deploy/install.yaml"];
    let applied = world.try_kubectl(&apply).await;
    assert!(applied.succeeded, "{}", applied.errors);
    // Among them would be what the namespace's pod security level does not admit.
    assert!(!applied.errors.contains("Warning"), "{}", applied.errors);
    let established = [
        "wait",
        "--for=condition=Established",
        "--timeout=60s",
        "-f",
        "crds",
    ];
    world.kubectl(&established).await;
    let set_image = readme_says("kubectl --namespace aicore-operator set image", "operator=");
    world.types(&set_image).await;
    let deployment = world.get(RELEASE, &["deployment.apps", RELEASE]).await;
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let pushed = "registry.example.com/team/aicore-operator";
    let image = format!("{pushed}:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(container["image"], image);
    world.quicken().await;
    let operator = world.operator("by-default").await;
    world.put_key("default").await;
    let example = ["apply", "--namespace", "default", "-f", EXAMPLE];
    world.kubectl(&example).await;

    let told = world
        .until(
            "default",
            &["aiconn", "aicore"],
            is_told("SecretOutOfReach"),
        )
        .await;
    let message = told["status"]["conditions"].to_string();
    assert!(message.contains(RELEASE), "{message}");
    end(operator).await;
    world.assert_nothing_was_refused();

    world
        .kubectl(&["apply", "-f", "deploy/secrets-everywhere.yaml"])
        .await;
    let everywhere = "AICORE_OPERATOR_SECRET_NAMESPACES-";
    let place = [
        "--namespace",
        RELEASE,
        "set",
        "env",
        "deployment/aicore-operator",
    ];
    world.kubectl(&[&place[..], &[everywhere]].concat()).await;
    let operator = world.operator("everywhere").await;
    let id = world.until_ready("default", MODEL).await;
    world.delete("default", MODEL).await;
    world.assert_status(&id, None).await;
    end(operator).await;
    world.assert_nothing_was_refused();
}

#[tokio::test]
async fn its_pods_need_no_privilege() {
    let world = World::start().await;
    let authorities = "certificateAuthorities.configMap=authorities";
    world
        .install(&["emulator.enabled=true", authorities, QUICK])
        .await;
    for name in [RELEASE, "aicore-operator-emulator"] {
        let deployment = world.get(RELEASE, &["deployment.apps", name]).await;
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": deployment["spec"]["template"]["spec"],
        });
        let create = [
            "create",
            "--dry-run=server",
            "--namespace",
            RELEASE,
            "-f",
            "-",
        ];
        let taken = world.try_kubectl_with(&create, &pod).await;
        assert!(taken.succeeded, "{}", taken.errors);

        let mut privileged = pod;
        privileged["spec"]["containers"][0]["securityContext"] = Value::Null;
        let refused = world.try_kubectl_with(&create, &privileged).await;
        assert!(
            refused.errors.contains("violates PodSecurity"),
            "{}",
            refused.errors
        );
    }
}

/// Whether an object's condition Ready has this reason.
pub fn is_told(reason: &str) -> impl Fn(&Value) -> bool {
    move |object| harness::scene::condition(object, "Ready")["reason"] == reason
}
