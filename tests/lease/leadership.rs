//! Two processes of one operator: one works, the other stands by, and never do both write.

use aicore_emulator::Operation::{CreateDeployment, StopDeployment, Token};
use aicore_emulator::{Effect, Response};
use harness::control_plane::ControlPlane;
use harness::manifests::{deployment, wish};
use harness::operator::Operator;
use harness::patience::until;
use harness::proxy::Proxy;
use harness::scene::{LIMIT, Scene, Setting};
use serde_json::Value;

use crate::{LEADING, OPERATOR, STANDING_BY, two};

/// An operator with a Lease that a test can wait for, and that a busy machine does not let run out. Its calls may take longer than that.
fn short() -> Setting<'static> {
    Setting {
        arguments: &[
            "--lease-duration-seconds",
            "3",
            "--request-timeout-seconds",
            "10",
        ],
        ..Setting::of(OPERATOR)
    }
}

/// How long an answer takes in which a process is paused: it comes during the pause, for that lasts until the Lease has run out.
const SLOW: Effect = Effect::AnswerLatencyMs(2_000);

/// What a process logs of every step of an object.
const DECIDED: &str = "decided";

async fn ask(operator: &Operator, path: &str) -> (u16, String) {
    let url = format!("http://{}{path}", operator.address().await);
    let client = reqwest::Client::builder().no_proxy().timeout(LIMIT).build();
    let client = client.expect("a client can be made");
    let answer = client.get(url).send().await.expect("the operator answers");
    let status = answer.status().as_u16();
    (status, answer.text().await.expect("the answer is whole"))
}

/// A metric without labels; nothing when it is not told.
async fn measured(operator: &Operator, metric: &str) -> Option<f64> {
    let (_, metrics) = ask(operator, "/metrics").await;
    let line = metrics.lines().find_map(|line| line.strip_prefix(metric));
    line.map(|value| value.trim().parse().expect("it is a number"))
}

async fn until_measured(operator: &Operator, metric: &str, met: impl Fn(f64) -> bool) {
    until(metric, async || {
        let value = measured(operator, metric).await;
        value
            .filter(|value| met(*value))
            .ok_or_else(|| format!("{value:?}"))
    })
    .await;
}

fn response(status: u16) -> Response {
    Response {
        status,
        body: String::new(),
        content_type: None,
        retry_after: None,
    }
}

/// The leader has ended by itself, because the other process leads now. From here on that is the scene's operator.
async fn replace(scene: &mut Scene, other: Operator) {
    let former = std::mem::replace(&mut scene.operator, other);
    let end = former.ends_by_itself(LIMIT).await;
    assert_eq!(end.code(), Some(1), "{end}");
    former.has_said("is held by");
}

#[tokio::test]
async fn whoever_stands_by_is_warm_writes_nothing_and_goes_on_when_the_leader_ends_in_order() {
    let (mut scene, other) = two(Setting::of(OPERATOR)).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    until_ready(&other).await;
    assert_eq!(measured(&scene.operator, "aicore_leader ").await, Some(1.0));
    assert_eq!(measured(&other, "aicore_leader ").await, Some(0.0));
    assert_eq!(measured(&other, "aicore_lease_age_seconds ").await, None);

    let end = scene.operator.terminate().await;
    assert!(end.success(), "{end}");
    other.says(LEADING).await;
    let log = other.log();
    let (before, _) = log.split_once(LEADING).expect("it leads");
    assert!(
        !before.contains(DECIDED),
        "it has looked at an object before:\n{before}"
    );
    scene.beside.push(other);
    wish(&scene, "churn", "Stopped").await;
    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

async fn until_ready(operator: &Operator) {
    until("readiness", async || {
        let (status, text) = ask(operator, "/readyz").await;
        (status == 200).then_some(()).ok_or(text)
    })
    .await;
}

#[tokio::test]
async fn paused_with_a_create_call_that_is_not_sent_yet_a_former_leader_sends_nothing_when_it_wakes()
 {
    let (mut scene, other) = two(short()).await;
    // The call is refused and would be made once more with a new token, and that comes while the process is paused.
    let tokens = scene.ai_core.calls(Token).await.len();
    let refused = Effect::Respond(response(401));
    let create = [CreateDeployment];
    scene
        .ai_core
        .fault("refused", &create, Some(1), refused)
        .await;
    scene.ai_core.fault("slow", &[Token], Some(1), SLOW).await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.called(Token, tokens + 1, LIMIT).await;
    scene.operator.pause();
    other.says(LEADING).await;
    scene.operator.go_on();
    replace(&mut scene, other).await;
    let sent = scene.ai_core.calls(CreateDeployment).await.len();
    assert_eq!(sent, 1, "only the call that was refused was sent");

    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn paused_with_a_create_call_whose_answer_has_come_a_former_leader_writes_nothing_down() {
    let (mut scene, other) = two(short()).await;
    scene
        .ai_core
        .fault("slow", &[CreateDeployment], Some(1), SLOW)
        .await;
    scene.put(&deployment("churn")).await;
    scene.ai_core.called(CreateDeployment, 1, LIMIT).await;
    scene.operator.pause();
    other.says(LEADING).await;
    scene.operator.go_on();
    replace(&mut scene, other).await;

    let id = scene.until_ready("churn", "Running").await;
    assert_eq!(id, scene.ai_core.only_deployment().await.id);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_leader_that_is_cut_off_from_the_api_server_calls_ai_core_no_more_once_its_lease_is_over()
{
    let proxy = Proxy::to(&ControlPlane::shared().await.server()).await;
    let setting = Setting {
        api_server: Some(proxy.url()),
        ..short()
    };
    let scene = Scene::start(setting).await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    let busy = Response {
        status: 503,
        body: String::new(),
        content_type: None,
        retry_after: None,
    };
    let fails = Effect::Respond(busy);
    scene
        .ai_core
        .fault("busy", &[StopDeployment], None, fails)
        .await;
    wish(&scene, "churn", "Stopped").await;
    scene.ai_core.called(StopDeployment, 1, LIMIT).await;
    proxy.cut();
    until_measured(&scene.operator, "aicore_leader ", |leads| leads == 0.0).await;
    scene.ai_core.heal().await;
    let stops = scene.ai_core.calls(StopDeployment).await.len();
    // By then it would have tried again.
    until_measured(&scene.operator, "aicore_lease_age_seconds ", |age| {
        age > 5.0
    })
    .await;
    assert_eq!(scene.ai_core.calls(StopDeployment).await.len(), stops);
    assert!(
        !scene.operator.has_failed(),
        "nobody else has taken its Lease"
    );

    proxy.restore();
    scene.operator.says("leading again").await;
    scene.until_ready("churn", "Stopped").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn cut_off_from_the_api_server_a_leader_ends_when_another_has_taken_its_place() {
    let proxy = Proxy::to(&ControlPlane::shared().await.server()).await;
    let setting = Setting {
        api_server: Some(proxy.url()),
        ..short()
    };
    let mut scene = Scene::start(setting).await;
    let other = Operator::start_beside(scene.control_plane(), &scene.namespace, &short()).await;
    other.says(STANDING_BY).await;
    proxy.cut();
    other.says(LEADING).await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    proxy.restore();
    replace(&mut scene, other).await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_lease_that_somebody_deletes_ends_the_leader_and_is_waited_for_all_the_same() {
    let mut scene = Scene::start(short()).await;
    scene.put(&deployment("churn")).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.operator.delete_lease().await;
    let end = scene.operator.ends_by_itself(LIMIT).await;
    assert_eq!(end.code(), Some(1), "{end}");
    scene
        .operator
        .has_said("is gone, which nobody should delete");
    scene.operator.start_again();
    scene.operator.says(r#"standing by lease="#).await;
    wish(&scene, "churn", "Stopped").await;
    assert_eq!(scene.until_ready("churn", "Stopped").await, id);
    let lease = scene.operator.lease().await.expect("it was made again");
    let annotations = lease.metadata.annotations.unwrap_or_default();
    let gaps: Value = serde_json::from_str(&annotations["aicore.dev/gaps"]).expect("it is JSON");
    assert_eq!(gaps[0]["from"], "1970-01-01T00:00:00Z");
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}
