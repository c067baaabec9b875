//! The rules of the state machine as tables.

use std::sync::Arc;

use super::*;
use crate::configuration::Configuration;
use crate::time_to_live::TimeToLive;

const START: Timestamp = Timestamp::UNIX_EPOCH;
const STATUSES: [Status; 7] = [
    Status::Unknown,
    Status::Pending,
    Status::Running,
    Status::Stopping,
    Status::Stopped,
    Status::Dead,
    Status::Completed,
];

fn deployment(outcome: Outcome, ttl: Option<&str>) -> Deployment {
    let configuration = Configuration {
        id: "c-1".to_owned(),
        name: "one".to_owned(),
        scenario_id: "orchestration".to_owned(),
        executable_id: "orchestration".to_owned(),
        parameter_bindings: Vec::new(),
        input_artifact_bindings: Vec::new(),
        created_at: START,
        outcome,
    };
    let ttl = ttl.map(|text| TimeToLive::parse(text).expect("a valid ttl"));
    Deployment::new(
        "d-1".to_owned(),
        Arc::new(configuration),
        ttl,
        "http://host",
        START,
    )
}

fn in_status(status: Status) -> Deployment {
    let mut deployment = deployment(Outcome::Running, None);
    deployment.enter(status, START);
    deployment
}

/// Plays a deployment until nothing is due any more. Each line is the second and what is seen from then on.
fn play(mut deployment: Deployment, settings: &Settings) -> Vec<(i64, String)> {
    let mut seen = Vec::new();
    while let Some((due, step)) = next(&deployment, settings) {
        if !deployment.carry_out(step, due, settings) {
            seen.push((due.as_second(), "gone".to_owned()));
            break;
        }
        let state = deployment.state();
        seen.push((
            due.as_second(),
            format!("{}/{}", state.status, state.target_status),
        ));
    }
    seen
}

fn lines(expected: &[(i64, &str)]) -> Vec<(i64, String)> {
    expected
        .iter()
        .map(|(second, state)| (*second, (*state).to_owned()))
        .collect()
}

#[test]
fn a_new_deployment_is_unknown_then_pending_then_running() {
    let seen = play(deployment(Outcome::Running, None), &Settings::default());
    assert_eq!(
        seen,
        lines(&[(14, "PENDING/RUNNING"), (78, "RUNNING/RUNNING")])
    );
}

#[test]
fn a_dead_one_is_removed_after_seven_days() {
    let seen = play(deployment(Outcome::Dead, None), &Settings::default());
    let removed = 78 + 7 * 86_400;
    assert_eq!(
        seen,
        lines(&[
            (14, "PENDING/RUNNING"),
            (78, "DEAD/RUNNING"),
            (removed, "gone")
        ])
    );
}

#[test]
fn virtual_time_runs_faster_for_the_removal_but_not_for_the_phases() {
    let settings = Settings {
        ttl_scale: 86_400.0,
        ..Settings::default()
    };
    let seen = play(deployment(Outcome::Dead, None), &settings);
    assert_eq!(
        seen,
        lines(&[(14, "PENDING/RUNNING"), (78, "DEAD/RUNNING"), (85, "gone")])
    );
}

#[test]
fn stuck_ones_wait_for_a_caller() {
    assert_eq!(
        play(
            deployment(Outcome::StuckUnknown, None),
            &Settings::default()
        ),
        []
    );
    let seen = play(
        deployment(Outcome::StuckPending, None),
        &Settings::default(),
    );
    assert_eq!(seen, lines(&[(14, "PENDING/RUNNING")]));
}

#[test]
fn a_stop_shows_the_old_status_then_stopping_then_stopped_and_nothing_after_that() {
    for status in [Status::Pending, Status::Running] {
        let mut deployment = in_status(status);
        deployment.stop(START, &Settings::default());
        let seen = play(deployment, &Settings::default());
        assert_eq!(
            seen,
            lines(&[(3, "STOPPING/STOPPED"), (30, "STOPPED/STOPPED")])
        );
    }
}

#[test]
fn a_second_stop_does_not_delay_the_first() {
    let mut deployment = in_status(Status::Running);
    deployment.stop(START, &Settings::default());
    deployment.stop(later_ms(START, 2_000), &Settings::default());
    let seen = play(deployment, &Settings::default());
    assert_eq!(
        seen,
        lines(&[(3, "STOPPING/STOPPED"), (30, "STOPPED/STOPPED")])
    );
}

#[test]
fn a_deletion_keeps_the_status_until_the_deployment_is_gone() {
    for status in [Status::Unknown, Status::Stopped, Status::Dead] {
        let mut deployment = in_status(status.clone());
        deployment.delete(START);
        assert_eq!(deployment.status, status);
        assert_eq!(
            play(deployment, &Settings::default()),
            lines(&[(25, "gone")])
        );
    }
}

#[test]
fn a_time_to_live_ends_in_a_stop_and_a_deletion() {
    let seen = play(
        deployment(Outcome::Running, Some("10m")),
        &Settings::default(),
    );
    let expected = [
        (14, "PENDING/RUNNING"),
        (78, "RUNNING/RUNNING"),
        (600, "RUNNING/STOPPED"),
        (603, "STOPPING/STOPPED"),
        (630, "STOPPED/STOPPED"),
        (630, "STOPPED/DELETED"),
        (655, "gone"),
    ];
    assert_eq!(seen, lines(&expected));
}

#[test]
fn a_time_to_live_also_ends_a_deployment_that_never_left_unknown() {
    let seen = play(
        deployment(Outcome::StuckUnknown, Some("10m")),
        &Settings::default(),
    );
    assert_eq!(seen, lines(&[(600, "UNKNOWN/DELETED"), (625, "gone")]));
}

#[test]
fn a_frozen_deployment_and_one_in_an_unheard_of_status_stay_as_they_are() {
    let mut frozen = deployment(Outcome::Running, Some("10m"));
    frozen.frozen = true;
    assert_eq!(play(frozen, &Settings::default()), []);
    assert_eq!(
        play(
            in_status(Status::Other("ODD".to_owned())),
            &Settings::default()
        ),
        []
    );
}

#[test]
fn a_new_configuration_counts_as_running_only_when_it_runs() {
    let mut deployment = in_status(Status::Running);
    let url = deployment.url().to_owned();
    let second = Configuration {
        id: "c-2".to_owned(),
        ..(*deployment.configuration).clone()
    };
    deployment.change_configuration(Arc::new(second), START);
    assert_eq!(
        (deployment.status.as_str(), deployment.url()),
        ("PENDING", url.as_str())
    );
    assert_eq!(
        deployment.latest_running_configuration_id.as_deref(),
        Some("c-1")
    );
    let (due, step) = next(&deployment, &Settings::default()).expect("the update ends");
    assert_eq!(
        (due.as_second(), &step),
        (120, &Step::Enter(Status::Running))
    );
    deployment.carry_out(step, due, &Settings::default());
    assert_eq!(
        deployment.latest_running_configuration_id.as_deref(),
        Some("c-2")
    );
}

/// The statuses that allow something.
fn table(allowed: impl Fn(&Deployment) -> Result<(), Refused>) -> Vec<&'static str> {
    let allowed = STATUSES
        .iter()
        .filter(|status| allowed(&in_status((*status).clone())).is_ok());
    allowed.map(Status::as_str).collect()
}

#[test]
fn each_status_allows_what_the_documentation_says() {
    let settings = Settings::default();
    assert_eq!(table(|it| may_stop(it, &settings)), ["PENDING", "RUNNING"]);
    assert_eq!(
        table(|it| may_delete(it, &settings)),
        ["UNKNOWN", "STOPPED", "DEAD", "COMPLETED"]
    );
    assert_eq!(
        table(may_change_configuration),
        ["PENDING", "RUNNING", "DEAD"]
    );
}

#[test]
fn a_setting_allows_what_the_documentation_does_not() {
    let settings = Settings {
        stop_unknown: true,
        delete_active: true,
        ..Settings::default()
    };
    assert_eq!(
        table(|it| may_stop(it, &settings)),
        ["UNKNOWN", "PENDING", "RUNNING"]
    );
    assert_eq!(table(|it| may_delete(it, &settings)).len(), STATUSES.len());
    let mut unknown = in_status(Status::Unknown);
    unknown.stop(START, &settings);
    assert_eq!(
        play(unknown, &settings),
        lines(&[(3, "STOPPING/STOPPED"), (30, "STOPPED/STOPPED")])
    );
}

#[test]
fn a_deletion_under_way_forbids_all_but_another_deletion() {
    for status in STATUSES {
        let mut deployment = in_status(status.clone());
        deployment.delete(START);
        let settings = Settings::default();
        assert_eq!(may_delete(&deployment, &settings), Ok(()));
        let once = Settings {
            delete_again: false,
            ..Settings::default()
        };
        assert_eq!(may_delete(&deployment, &once), Err(Refused(status.clone())));
        assert_eq!(
            may_stop(&deployment, &settings),
            Err(Refused(status.clone()))
        );
        assert_eq!(may_change_configuration(&deployment), Err(Refused(status)));
    }
}
