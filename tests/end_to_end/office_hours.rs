//! A deployment that is wanted only at certain hours.

use harness::scene::{LIMIT, Scene, condition};
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};
use serde_json::{Value, json};

use crate::manifests::{configuration, scene, wish, with};

/// A time on the wall in Berlin, so many minutes from now, as a crontab expression for every day.
fn minutes_from_now(minutes: i64) -> String {
    let time = Timestamp::now() + SignedDuration::from_mins(minutes);
    let wall: Zoned = time.to_zoned(TimeZone::get("Europe/Berlin").expect("it is known"));
    format!("{} {} * * *", wall.minute(), wall.hour())
}

/// Hours that began or ended so many minutes ago, or in time to come.
fn hours(start: i64, stop: i64) -> Value {
    json!({
        "timeZone": "Europe/Berlin",
        "start": minutes_from_now(start),
        "stop": minutes_from_now(stop),
    })
}

async fn set_hours(scene: &Scene, start: i64, stop: i64) {
    let change = json!({"spec": {"schedule": hours(start, stop)}});
    scene.change("Deployment", "churn", change).await;
}

fn scheduled(start: i64, stop: i64) -> Value {
    let spec = json!({"configuration": configuration(&json!({})), "schedule": hours(start, stop)});
    with("churn", spec)
}

#[tokio::test]
async fn a_deployment_runs_in_its_hours_and_leaves_nothing_outside_of_them() {
    let scene = scene().await;
    scene.put(&scheduled(-60, 600)).await;
    let id = scene.until_ready("churn", "Running").await;
    let shown = scene.kubectl(&["get", "aid", "churn"]).await.output;
    assert!(shown.contains("Deleted at "), "the next change: {shown}");

    set_hours(&scene, 600, -1).await;
    scene.until_ready("churn", "Deleted").await;
    assert!(scene.ai_core.deployments().await.is_empty());
    let shown = scene.kubectl(&["get", "aid", "churn"]).await.output;
    assert!(shown.contains("Running at "), "the next change: {shown}");

    set_hours(&scene, -1, 600).await;
    assert_ne!(scene.until_ready("churn", "Running").await, id);
    scene.until_told("Scheduled").await;
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn the_hours_end_without_anybody_doing_anything() {
    let scene = scene().await;
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    // Far enough from the end of this minute that it runs before.
    let minutes = if now.second() < 30 { 1 } else { 2 };
    scene.put(&scheduled(-60, minutes)).await;
    scene.until_ready("churn", "Running").await;
    // These hours may last longer than a test waits elsewhere.
    let ended = "--for=jsonpath={.status.desiredState}=Deleted";
    let waited = scene
        .kubectl(&["wait", "aid/churn", ended, "--timeout=150s"])
        .await;
    assert!(waited.succeeded, "{}", waited.errors);
    scene.until_ready("churn", "Deleted").await;
    assert!(scene.ai_core.deployments().await.is_empty());
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_persons_wish_counts_until_the_schedule_says_something() {
    let scene = scene().await;
    scene.put(&scheduled(600, -60)).await;
    scene.until_ready("churn", "Deleted").await;
    wish(&scene, "churn", "Running").await;
    scene.until_ready("churn", "Running").await;
    // The schedule says something: the wish is as old as what it said before.
    set_hours(&scene, 600, -1).await;
    scene.until_ready("churn", "Deleted").await;
    // Without the schedule it is the wish that counts.
    let none = json!({"spec": {"schedule": null}});
    scene.change("Deployment", "churn", none).await;
    scene.until_ready("churn", "Running").await;
    let object = scene.get("Deployment", "churn").await;
    assert!(object["status"]["schedule"].is_null(), "{object}");
    scene.delete_and_wait("churn").await;
    scene.finish(2).await;
}

#[tokio::test]
async fn a_protected_deployment_stays_running_outside_of_its_hours_and_says_so() {
    let scene = scene().await;
    let mut object = scheduled(-60, 600);
    object["metadata"]["annotations"] = json!({"aicore.dev/protected": "true"});
    scene.put(&object).await;
    let id = scene.until_ready("churn", "Running").await;
    set_hours(&scene, 600, -1).await;
    let told = scene.until_stalled("churn", "Protected").await;
    assert!(told.contains("aicore.dev/protected"), "{told}");
    scene.ai_core.listed_again(3, LIMIT).await;
    let status = scene.ai_core.status_of(&id).await;
    assert_eq!(status.as_deref(), Some("RUNNING"));
    let object = scene.get("Deployment", "churn").await;
    assert_eq!(object["status"]["desiredState"], "Deleted");
    assert_eq!(condition(&object, "Available")["status"], "True");

    let open = json!({"metadata": {"annotations": {"aicore.dev/protected": null}}});
    scene.change("Deployment", "churn", open).await;
    scene.until_ready("churn", "Deleted").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn hours_that_cannot_be_followed_do_nothing_and_say_why() {
    let scene = scene().await;
    scene.put(&scheduled(-60, 600)).await;
    let id = scene.until_ready("churn", "Running").await;
    let odd = json!({"spec": {"schedule": {"timeZone": "Berlin"}}});
    scene.change("Deployment", "churn", odd).await;
    let told = scene.until_stalled("churn", "InvalidSchedule").await;
    assert!(told.contains("IANA"), "{told}");
    assert!(scene.ai_core.status_of(&id).await.is_some());
    let object = scene.get("Deployment", "churn").await;
    assert_eq!(condition(&object, "Available")["status"], "True");
    scene.delete_and_wait("churn").await;

    let refused = with(
        "odd",
        json!({
            "configuration": configuration(&json!({})),
            "schedule": {"timeZone": "UTC", "start": "at dawn", "stop": "0 19 * * *"},
        }),
    );
    let refused = scene.apply(&refused).await;
    assert!(
        !refused.succeeded && refused.errors.contains("spec.schedule.start"),
        "{}",
        refused.errors
    );
    scene.finish(1).await;
}
