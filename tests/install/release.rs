//! Installing and uninstalling with Helm.

use aicore_emulator::Operation::{CreateDeployment, DeleteDeployment, StopDeployment};
use harness::patience::until;
use harness::process::Supervised;
use harness::scene::LIMIT;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::emulator::told;
use crate::image::program;
use crate::pages::blocks;
use crate::world::{MODEL, QUICK, RELEASE, World, end, texts};

#[tokio::test]
async fn the_chart_takes_the_first_example_to_running_and_back_to_nothing() {
    // What is in the image, to the bit.
    let shipped = program("aicore-operator").await;
    let world = World::start().await;
    let notes = world.install(&[QUICK]).await;
    assert!(
        notes.contains("Connections have to be where it may read Secrets: aicore-operator."),
        "{notes}"
    );
    let operator = world.operator_of(&shipped, "operator").await;
    let stand_by = world.operator_of(&shipped, "stand-by").await;

    let id = world.run_example(RELEASE).await;
    for process in [&operator, &stand_by] {
        assert_probes_are_answered(&world, process).await;
    }
    world.delete(RELEASE, MODEL).await;

    world.assert_status(&id, None).await;
    let expected = [CreateDeployment, StopDeployment, DeleteDeployment];
    let effects = world.ai_core.effects().await;
    assert_eq!(
        effects,
        expected.map(|operation| (operation, Some(id.clone())))
    );
    end(stand_by).await;
    end(operator).await;
    world.assert_nothing_was_refused();
}

/// What the installed Deployment asks its pods for is what the process answers.
async fn assert_probes_are_answered(world: &World, process: &Supervised) {
    let line = process
        .wait_for_log_line("serving probes and metrics", LIMIT)
        .await
        .expect("it says where it listens");
    let line: Value = serde_json::from_str(&line).expect("the log is JSON");
    let address = line["address"].as_str().expect("it names the address");
    let deployment = world.get(RELEASE, &["deployment.apps", RELEASE]).await;
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    for probe in ["livenessProbe", "readinessProbe"] {
        let asked = &container[probe]["httpGet"];
        assert_eq!(asked["port"], container["ports"][0]["name"], "{probe}");
        let path = asked["path"].as_str().expect("it has a path");
        let answer = reqwest::get(format!("http://{address}{path}")).await;
        let status = answer.expect("it answers").status();
        assert!(status.is_success(), "{probe}: {path}: {status}");
    }
}

#[tokio::test]
async fn an_uninstall_touches_no_deployment_and_keeps_every_object_and_an_install_goes_on_with_them()
 {
    let world = World::start().await;
    world.install(&[QUICK]).await;
    let operator = world.operator("before").await;
    let id = world.run_example(RELEASE).await;
    end(operator).await;
    let before = world.ai_core.effects().await;

    world.helm(&["uninstall", RELEASE, "--wait"]).await;

    let left = world
        .kubectl(&[
            "get",
            "deployment.apps,clusterroles,serviceaccounts",
            "--namespace",
            RELEASE,
            "-o",
            "name",
        ])
        .await;
    assert!(!left.contains(RELEASE), "{left}");
    let object = world.get(RELEASE, &["aid", MODEL]).await;
    assert!(
        object["metadata"]["deletionTimestamp"].is_null(),
        "{object}"
    );
    world.assert_status(&id, Some("RUNNING")).await;

    world.install(&[QUICK]).await;
    let operator = world.operator("after").await;
    assert_eq!(world.until_ready(RELEASE, MODEL).await, id);
    assert_eq!(world.ai_core.effects().await, before);
    world.delete(RELEASE, MODEL).await;
    world.assert_status(&id, None).await;
    end(operator).await;
    world.assert_nothing_was_refused();
}

/// What the page on uninstalling says to type under this heading, block by block.
fn typed(heading: &str) -> Vec<String> {
    blocks("docs/uninstalling.md", heading, "sh")
}

/// Waits until the API server has refused the Lease to the operators for so long: without their roles, and then without their service account.
async fn until_refused_for(world: &World, time: SignedDuration) {
    until("a refused Lease", async || {
        let requests = world.control_plane.audit_entries();
        let requests = requests.expect("the control plane is the test's own");
        let mut refused = requests
            .iter()
            .filter(|entry| entry.resource == "leases" && matches!(entry.code, 401 | 403));
        let (first, last) = (refused.next(), refused.next_back());
        let lasted = first
            .zip(last)
            .map(|(first, last)| last.at.duration_since(first.at));
        let enough = lasted.filter(|lasted| *lasted >= time);
        enough.ok_or_else(|| format!("{lasted:?} of {time:?}"))
    })
    .await;
}

#[tokio::test]
async fn an_operator_that_lives_through_its_own_uninstall_does_no_harm() {
    let world = World::start().await;
    let lease = "lease.durationSeconds=3";
    world.install(&[QUICK, lease]).await;
    let operator = world.operator("operator").await;
    let stand_by = world.operator("stand-by").await;
    let id = world.run_example(RELEASE).await;
    let before = world.ai_core.effects().await;
    let object = world.get(RELEASE, &["aid", MODEL]).await;

    world.helm(&["uninstall", RELEASE, "--wait"]).await;
    // Twice the Lease: whatever the missing rights do to them has happened by then.
    until_refused_for(&world, SignedDuration::from_secs(6)).await;

    // A process that ends would be started again and again, for as long as its pod is there.
    for process in [&operator, &stand_by] {
        assert_eq!(process.exit_status(), None, "{}", process.log_tail());
    }
    assert_eq!(world.ai_core.effects().await, before);
    world.assert_status(&id, Some("RUNNING")).await;
    let after = world.get(RELEASE, &["aid", MODEL]).await;
    assert_eq!(
        after["metadata"]["finalizers"],
        object["metadata"]["finalizers"]
    );
    assert_eq!(
        after["status"]["deployment"],
        object["status"]["deployment"]
    );
    end(stand_by).await;
    end(operator).await;
}

#[tokio::test]
async fn notes_and_page_lead_to_a_model_that_runs_and_to_a_cluster_without_models_and_operator() {
    let world = World::start().await;
    let notes = world.install(&[QUICK]).await;
    let operator = world.operator("operator").await;
    world.put_key(RELEASE).await;
    world.types(&told(&notes, "kubectl apply")).await;
    let id = world.until_ready(RELEASE, MODEL).await;
    for block in typed("With the models") {
        world.types(&block).await;
    }
    end(operator).await;
    world.assert_status(&id, None).await;
    let namespace = ["delete", "namespace", RELEASE, "--timeout=60s"];
    world.kubectl(&namespace).await;
}

#[tokio::test]
async fn what_is_held_when_no_operator_comes_back_is_let_go_by_hand() {
    let world = World::start().await;
    world.kubectl(&["create", "namespace", "team-a"]).await;
    world.install(&[QUICK, "secrets.namespaces={team-a}"]).await;
    let operator = world.operator("operator").await;
    let id = world.run_example("team-a").await;
    // Somebody else's finalizer, before and after the operator's, is nobody else's business.
    let theirs = json!({"metadata": {"finalizers": ["example.com/a", "aicore.dev/in-use", "example.com/b"]}});
    let patch = [
        "patch",
        "secret",
        "aicore-key",
        "--namespace",
        "team-a",
        "--type=merge",
        "-p",
    ];
    world
        .kubectl(&[&patch[..], &[&theirs.to_string()]].concat())
        .await;
    end(operator).await;
    world.helm(&["uninstall", RELEASE, "--wait"]).await;
    let before = world.ai_core.effects().await;
    let delete = ["delete", "namespace", "team-a", "--wait=false"];
    world.kubectl(&delete).await;
    let held = |namespace: &Value| {
        let told = namespace["status"]["conditions"].to_string();
        ["aicore.dev/deployment in 1", "aicore.dev/in-use in 2"]
            .iter()
            .all(|finalizer| told.contains(finalizer))
    };
    world.until("team-a", &["namespace", "team-a"], held).await;

    let blocks = typed("When no operator comes back");
    let [list, release] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    let listed = world.types(list).await;
    assert!(listed.contains(&id), "{listed}");
    // As it is told where other operators live on: then it is about one namespace alone.
    let elsewhere = format!("--namespace {RELEASE}");
    let elsewhere = release.replace("--all-namespaces", &elsewhere);
    assert_ne!(&elsewhere, release);
    world.types(&elsewhere).await;
    let kept = world.get("team-a", &["secret", "aicore-key"]).await;
    let kept = texts(&kept["metadata"]["finalizers"]).join(" ");
    assert_eq!(kept, "example.com/a aicore.dev/in-use example.com/b");
    world.types(release).await;

    let left = world.get("team-a", &["secret", "aicore-key"]).await;
    let left = texts(&left["metadata"]["finalizers"]).join(" ");
    assert_eq!(left, "example.com/a example.com/b");
    let none = json!({"metadata": {"finalizers": null}}).to_string();
    world.kubectl(&[&patch[..], &[&none]].concat()).await;
    let gone = ["wait", "--for=delete", "namespace/team-a", "--timeout=60s"];
    world.kubectl(&gone).await;
    assert_eq!(world.ai_core.effects().await, before);
    world.assert_status(&id, Some("RUNNING")).await;
}
