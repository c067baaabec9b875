//! It does nothing without being asked twice, and nothing where others are at work.

use std::process::Stdio;

use aicore_emulator::Settings;
use tokio::io::AsyncWriteExt;

use crate::stage::{GROUP, Stage, settings};

#[tokio::test]
async fn without_a_terminal_and_without_a_yes_nothing_is_sent() {
    let stage = Stage::start(Settings::fast()).await;
    let printed = stage.run(&[]).await;
    assert_eq!(printed.code, Some(2));
    assert!(
        printed.progress.contains("agree beforehand with --yes"),
        "{}",
        printed.progress
    );
    assert_eq!(stage.ai_core.audit().await, []);
}

#[tokio::test]
async fn a_group_with_deployments_is_no_sandbox_unless_they_are_to_be_left_alone() {
    let stage = Stage::start(settings()).await;
    let configuration = stage.ai_core.add_configuration(GROUP).await;
    let other = stage.ai_core.add_deployment(GROUP, &configuration).await;

    let printed = stage.run(&["--yes"]).await;

    assert_eq!(printed.code, Some(2));
    assert!(
        printed
            .progress
            .contains("holds 1 deployments; name an empty one"),
        "{}",
        printed.progress
    );
    assert_eq!(stage.writes().await, 0);

    // The other one is made from the very configuration that is given.
    let given = format!("--configuration-id={configuration}");
    let mut command = stage.bare_command(&["--yes", "--beside-others", "--output=json", &given]);
    let printed = stage
        .end_of(command.spawn().expect("the program starts"))
        .await;

    assert_eq!(printed.code, Some(0), "{}", printed.report);
    assert_eq!(stage.ids().await, std::slice::from_ref(&other));
    assert_eq!(
        stage.ai_core.status_of(&other).await.as_deref(),
        Some("RUNNING")
    );
    let calls = stage.ai_core.effects().await;
    assert!(
        calls.iter().all(|(_, id)| id.as_ref() != Some(&other)),
        "{calls:?}"
    );
    assert_eq!(printed.readings()["list-order"], "-");
}

#[tokio::test]
async fn the_service_key_can_come_from_standard_input_and_a_broken_one_is_not_repeated() {
    let stage = Stage::start(Settings::fast()).await;
    for (key, complaint) in [
        (
            "{\"clientsecret\": \"the-secret-of-1\", ",
            "is not a JSON object",
        ),
        (
            "{\"clientsecret\": \"the-secret-of-1\"}",
            "lacks `clientid`",
        ),
        ("[\"the-secret-of-1\"]", "is not a JSON object"),
    ] {
        let mut command = stage.command(&["--yes", "--service-key=-"]);
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut input = child.stdin.take().expect("its input is open");
        input.write_all(key.as_bytes()).await.expect("it reads");
        drop(input);
        let printed = stage.end_of(child).await;
        assert_eq!(printed.code, Some(2));
        assert!(printed.progress.contains(complaint), "{}", printed.progress);
    }
}

#[tokio::test]
async fn arguments_that_do_not_fit_together_are_refused() {
    let stage = Stage::start(Settings::fast()).await;
    for arguments in [
        &["--yes"][..],
        &["--yes", "--scenario-id=churn"],
        &["--yes", "--executable-id=churn-server"],
        &["--yes", "--configuration-id=c", "--parameter=a=b"],
        &[
            "--yes",
            "--configuration-id=c",
            "--scenario-id=churn",
            "--executable-id=churn-server",
        ],
        &["--yes", "--configuration-id=c", "--wait-seconds=0"],
        &[
            "--yes",
            "--scenario-id=churn",
            "--executable-id=churn-server",
            "--parameter=a",
        ],
    ] {
        let child = stage
            .bare_command(arguments)
            .spawn()
            .expect("the program starts");
        let printed = stage.end_of(child).await;
        assert_eq!(printed.code, Some(2), "{arguments:?}: {}", printed.progress);
    }
    assert_eq!(stage.ai_core.audit().await, []);
}

#[tokio::test]
async fn the_help_has_an_environment_variable_for_every_flag_and_the_exit_codes() {
    let stage = Stage::start(Settings::fast()).await;
    let help = stage.run(&["--help"]).await.report;
    let is_flag = |line: &&str| line.trim_start().starts_with("--");
    let flags = help.lines().filter(is_flag).count();
    assert!(flags > 10, "{help}");
    assert_eq!(
        help.matches("[env: AICORE_OPERATOR_").count(),
        flags,
        "{help}"
    );
    for code in 0..=3 {
        assert!(help.contains(&format!("\n  {code}  ")), "{help}");
    }
}
