//! Every reading that the emulator can show.

use aicore_emulator::{
    BareTop, BulkUpdates, Effect, ErrorShape, ErrorStatus, Fault, ListCount, Match, MissingGroup,
    Operation, OperationAfterStop, RequestIdSpelling, Response, SameConfigurationPatch, Settings,
    TtlInAnswers, UnknownGroup, UnknownStatusFilter,
};
use aicore_operator::conformance::points;
use serde_json::json;

use crate::stage::{GROUP, Stage, unhurried};

/// What the emulator shows by default.
const DEFAULT: &[(&str, &str)] = &[
    ("token-request", "form"),
    ("token-lifetime", "hours"),
    ("clock", "same"),
    ("rate-limit", "none-seen"),
    ("bulk-capability", "no"),
    ("unknown-resource-group", "403"),
    ("unknown-resource-group-id", "404"),
    ("missing-group-header", "other-refusal"),
    ("unknown-deployment", "404"),
    ("error-shape", "envelope"),
    ("request-id-spelling", "requestId"),
    ("unknown-status-filter", "refused"),
    ("create-answer", "202-with-id"),
    ("location-header", "with-id"),
    ("visible-by-id", "at-once"),
    ("visible-in-list", "at-once"),
    ("first-status", "UNKNOWN"),
    ("target-after-create", "RUNNING"),
    ("ttl-in-answers", "as-sent"),
    ("null-fields", "none"),
    ("missing-fields", "none"),
    ("unknown-fields", "none"),
    ("unknown-states", "none"),
    ("list-entry", "complete"),
    ("configuration-name-in-list", "yes"),
    ("list-without-top", "as-long"),
    ("skip", "honoured"),
    ("bare-skip", "ignored"),
    ("count-in-list", "page"),
    ("list-order", "kept"),
    ("select-status", "few-fields"),
    ("count-endpoint", "bare-number"),
    ("logs-without-group", "no"),
    ("stop-in-unknown", "400"),
    ("delete-in-pending", "412"),
    ("delete-in-running", "412"),
    ("same-configuration", "accepted"),
    ("stop-again", "accepted"),
    ("stop-in-stopping", "400"),
    ("delete-in-stopping", "412"),
    ("stop-in-stopped", "400"),
    ("delete-again", "accepted"),
    ("delete-when-gone", "404"),
    ("bulk-update", "refused"),
    ("bulk-media-type", "-"),
    ("bulk-item-error", "-"),
    ("stop-answer", "202"),
    ("target-after-stop", "at-once"),
    ("status-after-stop", "RUNNING"),
    ("last-operation-after-stop", "UPDATE"),
    ("end-of-stop", "STOPPED"),
    ("delete-answer", "202"),
    ("target-in-delete-answer", "DELETED"),
    ("shown-while-deleting", "target-DELETED"),
    ("last-operation-after-delete", "DELETE"),
    ("gone-by-id", "404"),
    ("list-and-id-agree", "always"),
    ("stays-gone", "yes"),
    ("quota-answer", "-"),
    ("create-again", "-"),
    ("unusable-configuration", "-"),
    ("delete-in-unknown", "-"),
    ("end-of-dead", "-"),
    ("end-of-ttl", "-"),
];

#[tokio::test]
async fn with_the_defaults_everything_is_as_assumed() {
    let stage = Stage::start(unhurried()).await;
    // So that there are two configurations to compare.
    stage.ai_core.add_configuration(GROUP).await;
    let printed = stage.run(&["--yes", "--output=json"]).await;
    let all: Vec<_> = points().map(|point| point.id).collect();
    assert_eq!(all, DEFAULT.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    printed.assert_readings(DEFAULT);
    let report = printed.json();
    let expected = json!({"holds": 56, "handled": 0, "unworkable": 0, "notAsked": 8});
    assert_eq!(report["summary"], expected, "{}", printed.report);
    assert_eq!(
        (printed.code, &report["failure"], &report["left"]),
        (Some(0), &json!(null), &json!([]))
    );
    for timing in report["timings"].as_array().expect("timings") {
        assert!(timing["seconds"].is_number(), "{timing}");
    }
    assert_eq!(stage.ids().await, Vec::<String>::new());
    // One create, one accepted stop, one accepted deletion: whatever else was accepted has changed nothing.
    let effects = stage.ai_core.effects().await;
    let creations = effects
        .iter()
        .filter(|(operation, _)| *operation == Operation::CreateDeployment);
    assert_eq!(creations.count(), 1);
}

#[tokio::test]
async fn every_switch_that_is_turned_gives_another_reading() {
    let refuses = |status| ErrorStatus::try_from(status).expect("it is a client error");
    let stage = Stage::start(Settings {
        fresh_not_found_ms: 1_000,
        token_seconds: 600,
        illegal_stop_status: refuses(409),
        illegal_delete_status: refuses(400),
        unknown_group: UnknownGroup::NotFound404,
        bulk_updates: BulkUpdates::Present,
        bulk_accepts_application_json: true,
        null_fields: true,
        bare_top: BareTop::Honour,
        same_configuration_patch: SameConfigurationPatch::Refuse,
        logs_need_group: false,
        extra_fields: true,
        emit_deleting: true,
        list_default_top: 0,
        token_form: false,
        clock_ahead_seconds: -120,
        request_id_spelling: RequestIdSpelling::RequestIdCapital,
        gone_status: refuses(410),
        missing_group: MissingGroup::Default,
        unknown_status_filter: UnknownStatusFilter::Ignore,
        list_count: ListCount::Total,
        location_header: false,
        ttl_in_answers: TtlInAnswers::Minutes,
        stopping_at_once: true,
        operation_after_stop: OperationAfterStop::Unchanged,
        delete_again: false,
        target_in_delete_answer: false,
        ..unhurried()
    })
    .await;
    let printed = stage.run(&["--yes", "--output=json"]).await;
    printed.assert_readings(&[
        ("visible-by-id", "later"),
        ("visible-in-list", "later"),
        ("token-lifetime", "shorter"),
        ("stop-in-unknown", "409"),
        ("stop-in-stopping", "409"),
        ("stop-in-stopped", "409"),
        ("delete-in-pending", "400"),
        ("delete-in-running", "400"),
        ("delete-in-stopping", "400"),
        ("unknown-resource-group", "404"),
        ("bulk-capability", "yes"),
        ("bulk-update", "works"),
        ("bulk-media-type", "both"),
        ("bulk-item-error", "short-error"),
        ("null-fields", "some"),
        ("configuration-name-in-list", "no"),
        ("bare-skip", "honoured"),
        ("same-configuration", "refused"),
        ("logs-without-group", "yes"),
        ("unknown-fields", "some"),
        ("unknown-states", "DELETING"),
        ("shown-while-deleting", "status-DELETING"),
        ("list-without-top", "shorter"),
        ("token-request", "basic"),
        ("clock", "differs"),
        ("request-id-spelling", "requestID"),
        ("unknown-deployment", "410"),
        ("gone-by-id", "410"),
        ("delete-when-gone", "other-refusal"),
        ("missing-group-header", "list"),
        ("unknown-status-filter", "ignored"),
        ("count-in-list", "total"),
        ("location-header", "absent"),
        ("ttl-in-answers", "in-other-words"),
        ("status-after-stop", "STOPPING"),
        ("last-operation-after-stop", "CREATE"),
        ("delete-again", "400"),
        ("target-in-delete-answer", "absent"),
    ]);
    assert_eq!(printed.code, Some(0), "{}", printed.report);
    assert_eq!(stage.ids().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_ends_a_deployment_early_is_asked_once_and_the_rest_of_another_one() {
    let stage = Stage::start(Settings {
        stop_unknown: true,
        delete_active: true,
        error_shape: ErrorShape::PlainText,
        bulk_updates: BulkUpdates::Missing,
        date_header: false,
        unknown_status_filter: UnknownStatusFilter::Empty,
        ttl_in_answers: TtlInAnswers::Absent,
        stopping_ms: 3_000,
        ..unhurried()
    })
    .await;
    let printed = stage.run(&["--yes", "--output=json"]).await;
    printed.assert_readings(&[
        ("stop-in-unknown", "accepted"),
        ("delete-in-pending", "accepted"),
        ("delete-in-running", "accepted"),
        ("delete-in-stopping", "accepted"),
        ("stop-in-stopped", "400"),
        ("stop-answer", "202"),
        ("delete-answer", "202"),
        ("error-shape", "text"),
        ("request-id-spelling", "none"),
        ("bulk-capability", "not-mentioned"),
        ("clock", "absent"),
        ("unknown-status-filter", "empty-list"),
        ("ttl-in-answers", "absent"),
    ]);
    let effects = stage.ai_core.effects().await;
    let creations = effects
        .iter()
        .filter(|(operation, _)| *operation == Operation::CreateDeployment);
    assert_eq!(creations.count(), 4, "{}", printed.progress);
    assert_eq!(printed.code, Some(0), "{}", printed.report);
    assert_eq!(stage.ids().await, Vec::<String>::new());
}

/// A fault that hits some calls of an operation after it has let others pass.
fn fault(operation: Operation, skip: u64, times: u64, status: u16, body: &str) -> Fault {
    Fault {
        name: String::new(),
        matches: Match {
            operations: vec![operation],
            ..Match::default()
        },
        skip,
        times: Some(times),
        probability: 1.0,
        effect: Effect::Respond(Response {
            status,
            body: body.to_owned(),
            content_type: None,
            retry_after: Some("0".to_owned()).filter(|_| status == 429),
        }),
    }
}

#[tokio::test]
async fn what_the_operator_cannot_work_with_is_said_and_ends_with_1() {
    let stage = Stage::start(Settings {
        error_shape: ErrorShape::Html,
        unknown_ms: 0,
        request_id_spelling: RequestIdSpelling::Absent,
        ..unhurried()
    })
    .await;
    let echo = "denied: the-secret-of-1 and Bearer eyJhbGciOiJIUzI1NiJ9.e30.sig";
    let reversed = r#"{"count": 2, "resources": [{"id": "c2"}, {"id": "c1"}]}"#;
    let straight = r#"{"count": 2, "resources": [{"id": "c1"}, {"id": "c2"}]}"#;
    for fault in [
        // The deployment that does not exist is the first that is looked at.
        fault(Operation::GetDeployment, 0, 1, 403, echo),
        fault(Operation::ListConfigurations, 0, 1, 200, straight),
        fault(Operation::ListConfigurations, 0, 1, 200, reversed),
        fault(Operation::CountDeployments, 0, 1, 429, ""),
        fault(Operation::Meta, 0, 1, 404, ""),
    ] {
        stage.ai_core.add_fault(&fault).await;
    }
    let configuration = stage.ai_core.add_configuration(GROUP).await;
    let given = format!("--configuration-id={configuration}");
    let child = stage
        .bare_command(&["--yes", "--output=json", &given])
        .spawn();
    let printed = stage.end_of(child.expect("the program starts")).await;
    printed.assert_readings(&[
        ("unknown-deployment", "other"),
        ("list-order", "changes"),
        ("rate-limit", "with-retry-after"),
        ("bulk-capability", "no-description"),
        ("first-status", "PENDING"),
        ("stop-in-unknown", "-"),
        ("gone-by-id", "404"),
    ]);
    assert_eq!(printed.verdict("unknown-deployment"), "unworkable");
    assert!(
        printed
            .report
            .contains("denied: [redacted] and Bearer [redacted]"),
        "{}",
        printed.report
    );
    assert_eq!(printed.code, Some(1));
    assert_eq!(printed.json()["summary"]["unworkable"], 1);
    assert_eq!(stage.ids().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_report_for_a_person_has_every_point_and_the_sum() {
    let stage = Stage::start(unhurried()).await;
    let printed = stage.run(&["--yes"]).await;
    for point in points() {
        let line = printed
            .report
            .lines()
            .find(|line| line.split(' ').next() == Some(point.id));
        assert!(
            line.is_some(),
            "{} is missing in {}",
            point.id,
            printed.report
        );
    }
    for part in [
        "stop-in-unknown",
        "as assumed",
        "55 as assumed, 0 otherwise and handled, 0 UNWORKABLE, 9 not asked",
        "create-to-running",
        "stays: AI Core cannot delete one.",
        "No deployment was left behind.",
    ] {
        assert!(
            printed.report.contains(part),
            "{part} is missing in {}",
            printed.report
        );
    }
    let announced = &printed.progress;
    for part in [
        stage.ai_core.url(),
        "zone-1",
        GROUP,
        "what a running deployment",
        "It holds no deployment.",
    ] {
        assert!(announced.contains(part), "{part} is missing in {announced}");
    }
    assert_eq!(printed.code, Some(0));
}
