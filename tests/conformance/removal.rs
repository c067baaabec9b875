//! Whatever happens, what was made is removed, or named.

use aicore_emulator::{Effect, Operation, Settings, TtlInAnswers};
use serde_json::{Value, json};

use crate::stage::{GROUP, Stage, settings, signal};

#[tokio::test]
async fn a_deployment_whose_announcement_was_lost_is_found_and_removed() {
    let stage = Stage::start(settings()).await;
    let creation = [Operation::CreateDeployment];
    stage
        .ai_core
        .fault("lost", &creation, Some(1), Effect::DropAfter)
        .await;
    // The configuration's is lost as well.
    let configuration = [Operation::CreateConfiguration];
    stage
        .ai_core
        .fault("lost", &configuration, Some(1), Effect::DropAfter)
        .await;

    let printed = stage.run(&["--yes", "--output=json"]).await;

    printed.assert_readings(&[
        ("create-answer", "-"),
        ("stop-answer", "202"),
        ("gone-by-id", "404"),
    ]);
    assert_eq!(printed.code, Some(0), "{}", printed.report);
    assert_eq!(stage.ids().await, Vec::<String>::new());
}

#[tokio::test]
async fn where_it_cannot_be_told_what_was_made_nothing_is_touched_and_all_are_named() {
    let stage = Stage::start(Settings {
        ttl_in_answers: TtlInAnswers::Absent,
        unknown_ms: 600_000,
        ..settings()
    })
    .await;
    let configuration = stage.ai_core.add_configuration(GROUP).await;
    let creation = [Operation::CreateDeployment];
    stage
        .ai_core
        .fault("lost", &creation, Some(1), Effect::DropAfter)
        .await;
    let given = format!("--configuration-id={configuration}");
    let arguments = ["--yes", "--output=json", "--wait-seconds=5", &given];
    let child = stage
        .bare_command(&arguments)
        .spawn()
        .expect("the program starts");
    // Somebody else creates one from the same configuration meanwhile.
    stage.until("UNKNOWN").await;
    let other = stage.ai_core.add_deployment(GROUP, &configuration).await;

    let printed = stage.end_of(child).await;

    assert_eq!(printed.code, Some(3), "{}", printed.report);
    let report = printed.json();
    let left = report["left"].as_array().expect("what is left");
    let mut named: Vec<_> = left
        .iter()
        .map(|left| left["deploymentId"].as_str().expect("an id").to_owned())
        .collect();
    named.sort();
    let mut all = stage.ids().await;
    all.sort();
    assert_eq!(named, all);
    assert!(named.contains(&other));
    assert!(left.iter().all(|left| left["resourceGroup"] == GROUP));
    let touched = [Operation::StopDeployment, Operation::DeleteDeployment];
    let effects = stage.ai_core.effects().await;
    assert!(
        effects
            .iter()
            .all(|(operation, _)| !touched.contains(operation)),
        "{effects:?}"
    );
}

#[tokio::test]
async fn by_its_ttl_alone_a_lost_deployment_is_told_from_somebody_elses() {
    let stage = Stage::start(settings()).await;
    let configuration = stage.ai_core.add_configuration(GROUP).await;
    let creation = [Operation::CreateDeployment];
    stage
        .ai_core
        .fault("lost", &creation, Some(1), Effect::DropAfter)
        .await;
    let given = format!("--configuration-id={configuration}");
    let child = stage
        .bare_command(&["--yes", "--output=json", &given])
        .spawn();

    let printed = stage.end_of(child.expect("the program starts")).await;

    assert_eq!(printed.code, Some(0), "{}", printed.report);
    assert_eq!(stage.ids().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_creation_that_came_to_nothing_is_waited_for_and_said() {
    let stage = Stage::start(settings()).await;
    let creation = [Operation::CreateDeployment];
    stage
        .ai_core
        .fault("lost", &creation, Some(1), Effect::DropBefore)
        .await;
    let printed = stage
        .run(&["--yes", "--output=json", "--wait-seconds=1"])
        .await;
    assert_eq!(printed.code, Some(3), "{}", printed.report);
    let left = &printed.json()["left"][0];
    assert_eq!(
        (&left["deploymentId"], left["configurationId"].is_string()),
        (&Value::Null, true)
    );

    stage
        .ai_core
        .set(json!({"maxDeployments": 0, "quotaStatus": 422}))
        .await;
    let printed = stage.run(&["--yes", "--output=json"]).await;
    assert_eq!(printed.code, Some(1), "{}", printed.report);
    let report = printed.json();
    let failure = report["failure"].as_str().expect("a failure");
    assert!(
        failure.contains("AI Core refuses to create the deployment (HTTP 422"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_signal_ends_the_questions_and_everything_is_removed() {
    for (name, status) in [("INT", "PENDING"), ("TERM", "STOPPING")] {
        let stage = Stage::start(Settings {
            stopping_ms: 1_500,
            ..settings()
        })
        .await;
        let child = stage
            .command(&["--yes", "--output=json"])
            .spawn()
            .expect("the program starts");
        stage.until(status).await;
        signal(&child, name).await;
        let printed = stage.end_of(child).await;
        assert_eq!(
            printed.code,
            Some(1),
            "{name}: {}\n{}",
            printed.report,
            printed.progress
        );
        assert_eq!(printed.json()["failure"], "it was interrupted");
        assert_eq!(printed.json()["left"], json!([]));
        assert_eq!(stage.ids().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_stop_that_never_ends_is_named_with_the_way_to_remove_it() {
    let stage = Stage::start(settings()).await;
    let child = stage
        .command(&["--yes", "--wait-seconds=3"])
        .spawn()
        .expect("the program starts");
    let id = stage.until("RUNNING").await;
    stage
        .ai_core
        .set(json!({"stoppingMs": 3_600_000, "stoppingAtOnce": true}))
        .await;

    let printed = stage.end_of(child).await;

    assert_eq!(printed.code, Some(3), "{}", printed.report);
    let line = format!(
        "LEFT BEHIND: deployment {id} in the resource group {GROUP}: made by this run; stop it"
    );
    assert!(printed.report.contains(&line), "{}", printed.report);
    assert!(printed.report.contains("UNWORKABLE"), "{}", printed.report);
    assert_eq!(stage.ids().await, [id]);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_and_names_what_is_left() {
    let stage = Stage::start(settings()).await;
    let mut child = stage
        .command(&["--yes"])
        .spawn()
        .expect("the program starts");
    let id = stage.until("RUNNING").await;
    stage.ai_core.set(json!({"stoppingMs": 3_600_000})).await;
    signal(&child, "INT").await;
    // Two signals at the same moment would be one.
    stage.told(&mut child, "a second signal ends it").await;
    signal(&child, "INT").await;

    let printed = stage.end_of(child).await;

    assert_eq!(printed.code, Some(3), "{}", printed.progress);
    assert!(
        printed
            .progress
            .contains(&format!("LEFT BEHIND: deployment {id}")),
        "{}",
        printed.progress
    );
    assert_eq!(printed.report, "");
}
