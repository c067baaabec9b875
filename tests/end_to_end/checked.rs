//! An inline configuration is held against its executable before it is created, because nothing can delete it again.

use aicore_emulator::Effect;
use aicore_emulator::Operation::{
    self, CreateConfiguration, GetArtifact, GetConfiguration, GetExecutable,
};
use harness::emulated::Emulated;
use harness::scene::{GROUP, LIMIT, Scene, Setting, condition};
use serde_json::{Value, json};

use crate::manifests::{OPERATOR, configuration, deployment, scene, with};

/// An artifact that every resource group of the emulator has.
const MODEL: &str = "8a2d5a37-54a3-4a5e-8a8c-0d8b0e0f6a52";

/// A scene whose operator asks again for what it has found out after a second.
async fn curious_scene() -> Scene {
    let setting = Setting {
        arguments: &["--resync-seconds", "1"],
        ..Setting::of(OPERATOR)
    };
    Scene::start(setting).await
}

fn from(configuration: Value) -> Value {
    with("churn", json!({"configuration": configuration}))
}

fn scorer(artifacts: &Value) -> Value {
    json!({"scenarioId": "churn", "executableId": "churn-scorer", "inputArtifacts": artifacts})
}

/// Puts a configuration that is refused with all these words, and nothing is created.
async fn assert_objection(configuration: Value, words: &[&str]) {
    let scene = scene().await;
    scene.put(&from(configuration)).await;
    let message = scene.until_stalled("churn", "InvalidConfiguration").await;
    for word in words {
        assert!(message.contains(word), "{word} is not in: {message}");
    }
    assert!(message.len() <= 1024, "{} bytes: {message}", message.len());
    scene.until_told("InvalidConfiguration").await;
    assert_eq!(scene.ai_core.calls(CreateConfiguration).await.len(), 0);
    scene.delete_and_wait("churn").await;
    scene.finish(0).await;
}

#[tokio::test]
async fn parameters_that_are_unknown_and_that_are_missing_are_told_at_once() {
    let parameters = json!({"modelNane": "gpt-4o", "colour": "blue"});
    let configuration = json!({
        "scenarioId": "foundation-models",
        "executableId": "azure-openai",
        "parameters": parameters,
    });
    let words = [
        "nothing was created",
        "does not take the parameter `colour`, `modelNane` (did you mean `modelName`?)",
        "needs the parameter `modelName`",
        "it takes `emulator.outcome`, `modelName`, `modelVersion`",
    ];
    assert_objection(configuration, &words).await;
}

#[tokio::test]
async fn an_input_artifact_that_is_missing_is_told() {
    let words = ["needs the input artifact `model`", "it takes `model`"];
    assert_objection(scorer(&json!({})), &words).await;
}

#[tokio::test]
async fn an_input_artifact_that_is_unknown_is_told() {
    let artifacts = json!({"model": MODEL, "data": MODEL});
    assert_objection(
        scorer(&artifacts),
        &["does not take the input artifact `data`"],
    )
    .await;
}

#[tokio::test]
async fn an_artifact_that_the_resource_group_does_not_have_is_told() {
    let words = ["has no artifact `no-such-artifact` (`model`)"];
    assert_objection(scorer(&json!({"model": "no-such-artifact"})), &words).await;
}

#[tokio::test]
async fn an_executable_that_does_not_exist_is_told_with_those_that_do() {
    let words = ["scenario `churn` has no executable `churn-servr`; it has `churn-server`,"];
    let configuration = json!({"scenarioId": "churn", "executableId": "churn-servr"});
    assert_objection(configuration, &words).await;
}

#[tokio::test]
async fn a_scenario_that_does_not_exist_is_told_with_those_that_do() {
    let words = ["AI Core has no scenario `foundation-model`; it has `foundation-models`,"];
    let configuration = json!({"scenarioId": "foundation-model", "executableId": "azure-openai"});
    assert_objection(configuration, &words).await;
}

#[tokio::test]
async fn what_is_missing_is_created_as_soon_as_the_executable_allows_it() {
    let scene = curious_scene().await;
    let refused = json!([{"scenarioId": "churn", "id": "churn-server", "deployable": false, "parameters": []}]);
    scene.ai_core.set(json!({"executables": refused})).await;
    scene.put(&deployment("churn")).await;
    let message = scene.until_stalled("churn", "InvalidConfiguration").await;
    for words in ["cannot be deployed", "it takes no parameter"] {
        assert!(message.contains(words), "{words} is not in: {message}");
    }
    scene.ai_core.set(json!({"executables": []})).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_spec_that_is_corrected_is_followed_at_once() {
    let scene = scene().await;
    scene
        .put(&from(configuration(&json!({"imagTag": "1"}))))
        .await;
    scene.until_stalled("churn", "InvalidConfiguration").await;
    let parameters = json!({"imagTag": null, "imageTag": "1"});
    let correction = json!({"spec": {"configuration": {"parameters": parameters}}});
    scene.change("Deployment", "churn", correction).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

/// AI Core does not tell what an executable takes, and so nothing speaks against a configuration.
async fn assert_no_objection(scene: Scene) {
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn an_executable_that_says_nothing_of_what_it_takes_speaks_against_nothing() {
    let scene = scene().await;
    let silent = json!([{"scenarioId": "churn", "id": "churn-server"}]);
    scene.ai_core.set(json!({"executables": silent})).await;
    assert_no_objection(scene).await;
}

#[tokio::test]
async fn executables_that_cannot_be_read_speak_against_nothing() {
    for status in [403, 404, 500] {
        let scene = scene().await;
        refuse(&scene.ai_core, GetExecutable, status).await;
        assert_no_objection(scene).await;
    }
}

#[tokio::test]
async fn artifacts_that_cannot_be_read_speak_against_nothing() {
    let scene = scene().await;
    refuse(&scene.ai_core, GetArtifact, 403).await;
    scene
        .put(&from(scorer(&json!({"model": "hidden-artifact"}))))
        .await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

async fn refuse(ai_core: &Emulated, operation: Operation, status: u16) {
    let answer = aicore_emulator::Response {
        status,
        body: String::new(),
        content_type: None,
        retry_after: None,
    };
    ai_core
        .fault("refused", &[operation], None, Effect::Respond(answer))
        .await;
}

#[tokio::test]
async fn many_objects_of_one_executable_cost_one_look_at_it() {
    let scene = scene().await;
    for number in 0..5 {
        scene.put(&deployment(&format!("churn-{number}"))).await;
    }
    for number in 0..5 {
        scene
            .until_ready(&format!("churn-{number}"), "Running")
            .await;
    }
    assert_eq!(scene.ai_core.calls(GetExecutable).await.len(), 1);
    for number in 0..5 {
        scene.delete_and_wait(&format!("churn-{number}")).await;
    }
    scene.finish(5).await;
}

#[tokio::test]
async fn a_configuration_is_copied_with_what_the_spec_gives_itself() {
    let scene = scene().await;
    let original = scene.ai_core.add_configuration(GROUP).await;
    let copy = json!({"copyOf": original, "parameters": {"resourcePlan": "infer.s"}});
    scene.put(&from(copy)).await;
    let id = scene.until_ready("churn", "Running").await;
    let made = scene.ai_core.only_deployment().await;
    assert_ne!(made.configuration_id, original);
    assert_eq!(
        json!(made.parameters),
        json!({"imageTag": "1", "resourcePlan": "infer.s"})
    );
    assert_eq!(scene.ai_core.calls(GetConfiguration).await.len(), 1);

    // Only what it gives is changed: the deployment stays, and the original is not read again. The new one is, for its scenario and executable.
    let change = json!({"spec": {"configuration": {"parameters": {"resourcePlan": "infer.m"}}}});
    scene.change("Deployment", "churn", change).await;
    let plan = |object: &Value| {
        object["status"]["deployment"]["resources"]["resourcePlan"] == "infer.m"
            && condition(object, "Ready")["status"] == "True"
    };
    let changed = scene
        .until("Deployment", "churn", "it runs on infer.m", plan)
        .await;
    assert_eq!(changed["status"]["deployment"]["id"], json!(id));
    assert_eq!(scene.ai_core.calls(GetConfiguration).await.len(), 2);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_copy_is_found_again_by_a_new_process() {
    let mut scene = scene().await;
    let original = scene.ai_core.add_configuration(GROUP).await;
    scene.put(&from(json!({"copyOf": original}))).await;
    let id = scene.until_ready("churn", "Running").await;
    scene.operator.kill().await;
    scene.operator.start_again();
    scene.ai_core.listed_again(2, LIMIT).await;
    assert_eq!(scene.until_ready("churn", "Running").await, id);
    assert_eq!(scene.ai_core.calls(CreateConfiguration).await.len(), 1);
    scene.delete_and_wait("churn").await;
    scene.finish(1).await;
}

#[tokio::test]
async fn a_configuration_to_copy_that_does_not_exist_is_told() {
    let scene = scene().await;
    scene
        .put(&from(json!({"copyOf": "no-such-configuration"})))
        .await;
    let message = scene.until_stalled("churn", "InvalidConfiguration").await;
    for words in ["no-such-configuration", GROUP, "copyOf"] {
        assert!(message.contains(words), "{words} is not in: {message}");
    }
    assert_eq!(scene.ai_core.calls(CreateConfiguration).await.len(), 0);
    scene.delete_and_wait("churn").await;
    scene.finish(0).await;
}

#[tokio::test]
async fn a_copy_is_held_against_its_executable_too() {
    let scene = scene().await;
    let original = scene.ai_core.add_configuration(GROUP).await;
    let copy = json!({"copyOf": original, "parameters": {"colour": "blue"}});
    scene.put(&from(copy)).await;
    let message = scene.until_stalled("churn", "InvalidConfiguration").await;
    assert!(message.contains("`colour`"), "{message}");
    scene.delete_and_wait("churn").await;
    scene.finish(0).await;
}

#[tokio::test]
async fn a_configuration_that_copies_and_names_an_executable_is_refused() {
    let scene = scene().await;
    for configuration in [
        json!({"copyOf": "c0ffee00", "scenarioId": "churn", "executableId": "churn-server"}),
        json!({"copyOf": "c0ffee00", "executableId": "churn-server"}),
        json!({"scenarioId": "churn"}),
        json!({"parameters": {"imageTag": "1"}}),
    ] {
        let outcome = scene.apply(&from(configuration.clone())).await;
        let told = outcome
            .errors
            .contains("give either scenarioId and executableId, or copyOf");
        assert!(told, "{configuration}: {}", outcome.errors);
    }
    scene.finish(0).await;
}

#[tokio::test]
async fn the_longest_names_make_a_configuration_that_ai_core_takes() {
    let cluster = "c".repeat(63);
    let setting = Setting {
        arguments: &["--cluster-id", &cluster],
        ..Setting::of(OPERATOR)
    };
    let scene = Scene::start(setting).await;
    let name = "d".repeat(63);
    scene.put(&deployment(&name)).await;
    scene.until_ready(&name, "Running").await;
    scene.delete_and_wait(&name).await;
    scene.finish(1).await;
}
