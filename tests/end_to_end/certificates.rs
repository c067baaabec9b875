//! X.509 keys: the end of a certificate is told while there is time, and what it means when it is over; a new one is taken at once.

use aicore_emulator::Operation::CreateDeployment;
use harness::mutual_tls::{Issued, TokenEndpoint};
use harness::patience::until;
use harness::scene::{CONNECTION, LIMIT, SECRET, Scene, Setting, condition, connection, secret};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::manifests::{OPERATOR, deployment};

/// A scene without Secret and Connection, and the token endpoint of its X.509 keys.
async fn unconnected() -> (Scene, TokenEndpoint) {
    let tokens = TokenEndpoint::start().await;
    let authority = tokens.authority_file();
    let authority = authority.to_str().expect("the path is text");
    let scene = Scene::start(Setting {
        connected: false,
        arguments: &["--ca-file", authority],
        ..Setting::of(OPERATOR)
    })
    .await;
    tokens.lead_to(&scene.ai_core).await;
    (scene, tokens)
}

/// Makes the Secret hold a key with this certificate.
async fn put_certificate(scene: &Scene, tokens: &TokenEndpoint, issued: &Issued) {
    let key = tokens.service_key(issued).to_string();
    scene.put(&secret(SECRET, &json!({"key": key}))).await;
}

/// A certificate for seven days, as SAP issues them, of which so much is left.
fn week_with_left(tokens: &TokenEndpoint, left: SignedDuration) -> Issued {
    let week = SignedDuration::from_hours(7 * 24);
    tokens.authority.issue_for(left - week, left)
}

fn message(object: &Value) -> String {
    let text = condition(object, "Ready")["message"].as_str();
    text.unwrap_or_default().to_owned()
}

fn end(object: &Value) -> Option<Timestamp> {
    object["status"]["certificate"]["notAfter"]
        .as_str()?
        .parse()
        .ok()
}

async fn metrics(scene: &Scene) -> String {
    let url = format!("http://{}/metrics", scene.operator.address().await);
    let client = reqwest::Client::builder().no_proxy().timeout(LIMIT).build();
    let client = client.expect("a client can be made");
    let answer = client.get(url).send().await.expect("the operator answers");
    answer.text().await.expect("the answer is whole")
}

/// Waits until the operator exports this end of the certificate, or none. It may see the write of a status later than the test does.
async fn until_exported(scene: &Scene, end: Option<Timestamp>) {
    let end = end.map(Timestamp::as_second);
    until(&format!("the end {end:?}"), async || {
        let exported = exported_end(scene).await;
        let is_told = (exported == end).then_some(());
        is_told.ok_or_else(|| format!("{exported:?}"))
    })
    .await;
}

/// What the operator exports of the end of the certificate, in seconds since 1970.
async fn exported_end(scene: &Scene) -> Option<i64> {
    let series = format!(
        r#"aicore_certificate_expiry_timestamp_seconds{{connection_namespace="{}",connection="{CONNECTION}"}} "#,
        scene.namespace
    );
    let metrics = metrics(scene).await;
    let value = metrics.lines().find_map(|line| line.strip_prefix(&series));
    value.map(|value| value.parse().expect("it is a number"))
}

#[tokio::test]
async fn the_end_of_a_certificate_is_told_ahead_until_a_new_one_is_there() {
    let (scene, tokens) = unconnected().await;
    let ending = week_with_left(&tokens, SignedDuration::from_hours(40));
    put_certificate(&scene, &tokens, &ending).await;
    scene.put(&connection(CONNECTION, SECRET)).await;

    let told = scene
        .until_reason("Connection", CONNECTION, "Connected")
        .await;
    let first = end(&told).expect("its end is told");
    let left = first.duration_since(Timestamp::now());
    assert!((39..=40).contains(&left.as_hours()), "{first}");
    assert!(message(&told).contains(&first.to_string()), "{told}");
    let warning = scene.until_told("CertificateExpiring").await;
    assert!(warning.contains(SECRET) && warning.contains(&first.to_string()));
    until_exported(&scene, Some(first)).await;
    let table = scene.kubectl(&["get", "aiconn", "-o", "wide"]).await;
    assert!(
        table.output.contains(&first.to_string()),
        "{}",
        table.output
    );
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;

    let fresh = week_with_left(&tokens, SignedDuration::from_hours(6 * 24));
    put_certificate(&scene, &tokens, &fresh).await;

    let renewed = |object: &Value| {
        let later = end(object).is_some_and(|end| end > first);
        later && condition(object, "Ready")["status"] == "True"
    };
    let what = "the new certificate is told";
    let told = scene.until("Connection", CONNECTION, what, renewed).await;
    assert!(!message(&told).contains("certificate"), "{told}");
    let second = end(&told).expect("its end is told");
    until_exported(&scene, Some(second)).await;
    scene.delete_and_wait("churn").await;
    let warnings = scene.events().await.into_iter();
    let warnings = warnings.filter(|(reason, _)| reason == "CertificateExpiring");
    assert_eq!(warnings.count(), 1);

    scene.delete("Connection", CONNECTION).await;
    scene.until_gone("Connection", CONNECTION).await;
    until_exported(&scene, None).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn when_a_certificate_is_over_a_person_is_asked_and_a_new_one_heals_everything() {
    let (scene, tokens) = unconnected().await;
    // Long enough for what is made with it, on a busy machine too, and shorter than the test waits for its end.
    let ending = week_with_left(&tokens, SignedDuration::from_secs(40));
    put_certificate(&scene, &tokens, &ending).await;
    scene.put(&connection(CONNECTION, SECRET)).await;
    for name in ["churn", "fraud"] {
        scene.put(&deployment(name)).await;
    }
    let id = scene.until_ready("churn", "Running").await;
    scene.until_ready("fraud", "Running").await;

    let told = scene
        .until_reason("Connection", CONNECTION, "CertificateExpired")
        .await;
    assert_eq!(condition(&told, "Stalled")["status"], "True");
    let over = end(&told).expect("its end is told");
    assert!(message(&told).contains(&over.to_string()), "{told}");
    let wait = ["wait", "--for=condition=Stalled", "aiconn/aicore"];
    assert!(scene.kubectl(&wait).await.succeeded);
    // The token still opens the API: what there is can be deleted, and nothing new is made.
    scene.delete_and_wait("fraud").await;
    scene.put(&deployment("later")).await;
    scene
        .until_reason("Deployment", "later", "ConnectionNotReady")
        .await;
    assert_eq!(scene.ai_core.calls(CreateDeployment).await.len(), 2);

    scene.ai_core.revoke_tokens().await;
    scene.delete("Deployment", "churn").await;
    // The stop that fails is told first, and then that a person has to act.
    let stalled = |object: &Value| condition(object, "Stalled")["reason"] == "CertificateExpired";
    let what = "a person is asked";
    let told = scene.until("Deployment", "churn", what, stalled).await;
    let message = message(&told);
    for part in [id.as_str(), "aicore.dev/force-release", "Orphan"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    let running = scene.ai_core.status_of(&id).await;
    assert_eq!(running.as_deref(), Some("RUNNING"));

    let fresh = week_with_left(&tokens, SignedDuration::from_hours(6 * 24));
    put_certificate(&scene, &tokens, &fresh).await;

    scene.until_gone("Deployment", "churn").await;
    scene.until_ready("later", "Running").await;
    let healed = scene
        .until_reason("Connection", CONNECTION, "Connected")
        .await;
    assert!(condition(&healed, "Stalled").is_null(), "{healed}");
    scene.delete_and_wait("later").await;
    scene.finish(3).await;
}
