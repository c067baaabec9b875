//! What is wrong is refused at `kubectl apply`, with a sentence that says how to put it right.

use harness::scene::{Scene, Setting};
use serde_json::{Value, json};

use crate::manifests::{OPERATOR, configuration, deployment, with};

async fn scene() -> Scene {
    let setting = Setting {
        connected: false,
        ..Setting::of(OPERATOR)
    };
    Scene::start(setting).await
}

async fn assert_refused(scene: &Scene, object: &Value, sentence: &str) {
    let outcome = scene.apply(object).await;
    assert!(!outcome.succeeded, "this was accepted: {object}");
    // The API server breaks no lines, but it quotes.
    assert!(
        outcome.errors.contains(sentence),
        "{object} was refused without {sentence:?}:\n{}",
        outcome.errors
    );
}

/// A valid Deployment with fields of its spec replaced.
fn but(fields: Value) -> Value {
    let mut all = json!({"configuration": configuration(&json!({}))});
    all.as_object_mut()
        .expect("it is one")
        .extend(fields.as_object().expect("fields are an object").clone());
    with("churn", all)
}

#[tokio::test]
async fn an_impossible_spec_is_refused_with_a_sentence() {
    let scene = scene().await;
    let long = "x".repeat(64);
    let cases = [
        (
            but(json!({"configurationId": "abcd"})),
            "give either configuration, which the operator creates in AI Core, or configurationId, which exists there already, not both",
        ),
        (
            with("churn", json!({})),
            "say what to run: one of configuration, configurationId or adopt is required",
        ),
        (
            with("churn", json!({"adopt": {"deploymentId": "d1234567"}})),
            "an adopted deployment needs an explicit deletionPolicy: Delete or Orphan",
        ),
        (
            deployment(&long),
            "metadata.name must have at most 63 characters",
        ),
        (but(json!({"desiredState": "Paused"})), "supported values"),
        (but(json!({"deletionPolicy": "Keep"})), "supported values"),
        (
            but(json!({"recreatePolicy": "Sometimes"})),
            "supported values",
        ),
        (but(json!({"ttl": "90s"})), "spec.ttl"),
        (but(json!({"ttl": "0h"})), "spec.ttl"),
        (but(json!({"ttl": "1.5h"})), "spec.ttl"),
        (but(json!({"resourceGroup": "a/b"})), "spec.resourceGroup"),
        (but(json!({"resourceGroup": null})), "spec.resourceGroup"),
        (
            with("churn", json!({"configurationId": "no"})),
            "spec.configurationId",
        ),
        (
            with(
                "churn",
                json!({"adopt": {"deploymentId": "a/b"}, "deletionPolicy": "Delete"}),
            ),
            "spec.adopt.deploymentId",
        ),
        (
            but(json!({"configuration": configuration(&json!({"x".repeat(257): "1"}))})),
            "a parameter's name has at most 256 characters and its value at most 5000",
        ),
        (
            but(json!({"connectionRef": {"name": ""}})),
            "spec.connectionRef.name",
        ),
        (
            but(json!({"replicas": 3})),
            "unknown field \"spec.replicas\"",
        ),
    ];
    for (object, sentence) in &cases {
        assert_refused(&scene, object, sentence).await;
    }
    scene.finish(0).await;
}

#[tokio::test]
async fn a_change_that_ai_core_cannot_make_is_refused_with_a_sentence() {
    let scene = scene().await;
    scene.put(&but(json!({"ttl": "24h"}))).await;
    for (fields, sentence) in [
        (
            json!({"ttl": "24h", "resourceGroup": "team-b"}),
            "resourceGroup cannot be changed: AI Core cannot move a deployment",
        ),
        (
            json!({"ttl": "48h"}),
            "ttl cannot be changed: AI Core takes it only when a deployment is created",
        ),
        (
            json!({}),
            "ttl cannot be changed: AI Core takes it only when a deployment is created",
        ),
    ] {
        let mut object = but(fields);
        // What was put by another manager is not removed by leaving it out.
        if object["spec"]["ttl"].is_null() {
            object["spec"]["ttl"] = Value::Null;
        }
        let patch = json!({"spec": object["spec"]}).to_string();
        let outcome = scene
            .kubectl(&["patch", "aid", "churn", "--type=merge", "-p", &patch])
            .await;
        assert!(!outcome.succeeded, "this change was accepted: {patch}");
        assert!(
            outcome.errors.contains(sentence),
            "{patch} was refused without {sentence:?}:\n{}",
            outcome.errors
        );
    }
    scene.delete_and_wait("churn").await;
    scene.finish(0).await;
}

#[tokio::test]
async fn kubectl_explain_has_a_sentence_for_every_field() {
    let scene = scene().await;
    for resource in ["aid.spec", "aiconn.spec", "aid.status"] {
        let explained = scene.kubectl(&["explain", resource]).await;
        assert!(explained.succeeded, "{}", explained.errors);
        assert!(
            !explained.output.contains("<no description>"),
            "{resource} has a field without a text:\n{}",
            explained.output
        );
    }
    scene.finish(0).await;
}
