//! Every change between the desired states, from every source, under every policy: what it costs in calls of AI Core, and what becomes of it.
//!
//! A table is what a person reviews. A test makes an object of every line, all side by side in one scene, and holds AI Core's log against it.

use std::collections::BTreeSet;

use aicore_emulator::Operation::{self, CreateDeployment, DeleteDeployment, StopDeployment};
use harness::scene::{GROUP, LIMIT, Scene, condition, id_of};
use serde_json::{Value, json};

use crate::manifests::{configuration, scene, wish, with};

/// Made is what comes from `configuration` and from `configurationId`, each. New is an object that does not exist yet; every other one has run
/// before. With deletionPolicy Orphan all is the same, except that the deletion of the object makes no call.
const CHANGES: &str = "
    source   from     to       | calls        | and at deletion | Ready says, and the id is
    made     New      Running  | create       | stop+delete     | Running new
    made     New      Stopped  | -            | -               | Stopped none
    made     New      Deleted  | -            | -               | Deleted none
    made     Running  Running  | -            | stop+delete     | Running kept
    made     Running  Stopped  | stop         | delete          | Stopped kept
    made     Running  Deleted  | stop+delete  | -               | Deleted none
    made     Stopped  Running  | delete+create| stop+delete     | Running new
    made     Stopped  Stopped  | -            | delete          | Stopped kept
    made     Stopped  Deleted  | delete       | -               | Deleted none
    made     Deleted  Running  | create       | stop+delete     | Running new
    made     Deleted  Stopped  | -            | -               | Stopped none
    made     Deleted  Deleted  | -            | -               | Deleted none
    adopted  New      Running  | -            | stop+delete     | Running adopted
    adopted  New      Stopped  | stop         | delete          | Stopped adopted
    adopted  New      Deleted  | stop+delete  | -               | Deleted none
    adopted  Running  Running  | -            | stop+delete     | Running kept
    adopted  Running  Stopped  | stop         | delete          | Stopped kept
    adopted  Running  Deleted  | stop+delete  | -               | Deleted none
    adopted  Stopped  Running  | delete+create| stop+delete     | Running new
    adopted  Stopped  Stopped  | -            | delete          | Stopped kept
    adopted  Stopped  Deleted  | delete       | -               | Deleted none
    adopted  Deleted  Running  | create       | stop+delete     | Running new
    adopted  Deleted  Stopped  | -            | -               | Stopped none
    adopted  Deleted  Deleted  | -            | -               | Deleted none
";

/// What somebody else does to the deployment of an object that is Running or Stopped, by recreatePolicy.
const INTERFERENCE: &str = "
    source   state    policy and deed  | calls         | and at deletion | Ready says, and the id is
    made     Running  Never   stops    | -             | delete          | StoppedElsewhere kept
    made     Running  Never   removes  | -             | -               | DeploymentMissing kept
    made     Running  Always  stops    | delete+create | stop+delete     | Running new
    made     Running  Always  removes  | create        | stop+delete     | Running new
    made     Stopped  Never   removes  | -             | -               | Stopped kept
    made     Stopped  Always  removes  | -             | -               | Stopped kept
    adopted  Running  Never   stops    | -             | delete          | StoppedElsewhere kept
    adopted  Running  Never   removes  | -             | -               | DeploymentMissing kept
    adopted  Running  Always  stops    | delete+create | stop+delete     | Running new
    adopted  Running  Always  removes  | create        | stop+delete     | Running new
    adopted  Stopped  Never   removes  | -             | -               | Stopped kept
    adopted  Stopped  Always  removes  | -             | -               | Stopped kept
";

/// The object of one line.
struct Subject {
    name: String,
    /// The state that it is in before what the line is about, or New.
    from: &'static str,
    /// The rest of what the line is about.
    rest: Vec<&'static str>,
    /// The calls that follow, those at its deletion, and what Ready and the id are before that.
    expected: [&'static str; 3],
    spec: Value,
    /// The deployment that it adopts; empty where it makes one.
    adopted: String,
    /// The deployment that it has before what the line is about.
    before: String,
}

impl Subject {
    /// The objects of a table, with these fields beside those of its source.
    async fn of_table(scene: &Scene, table: &'static str, fields: &Value) -> Vec<Self> {
        let mut subjects = Vec::new();
        let lines = table.lines().filter(|line| line.contains('|')).skip(1);
        for line in lines {
            let parts: Vec<&str> = line.split('|').map(str::trim).collect();
            let [words, calls, last, outcome] = parts[..] else {
                panic!("not a line of four parts: {line}");
            };
            let words: Vec<&str> = words.split_whitespace().collect();
            let sources: &[&str] = match words[0] {
                "made" => &["configuration", "configurationId"],
                _ => &["adopt"],
            };
            for source in sources {
                let (mut spec, adopted) = spec_of(scene, source).await;
                let fields = fields.as_object().expect("fields are an object").clone();
                spec.as_object_mut().expect("it is one").extend(fields);
                let policy = spec["deletionPolicy"].as_str().unwrap_or_default();
                let name = [&[*source, policy], &words[1..]].concat().join("-");
                subjects.push(Self {
                    name: name.to_lowercase(),
                    from: words[1],
                    rest: words[2..].to_vec(),
                    expected: [calls, if policy == "Orphan" { "-" } else { last }, outcome],
                    spec,
                    adopted,
                    before: String::new(),
                });
            }
        }
        subjects
    }

    async fn put(&self, scene: &Scene, desired_state: &str) {
        let mut object = with(&self.name, self.spec.clone());
        object["spec"]["desiredState"] = json!(desired_state);
        scene.put(&object).await;
    }

    /// What the condition Ready says, and what has become of the id.
    fn outcome(&self, object: &Value) -> String {
        let reason = condition(object, "Ready")["reason"].as_str();
        let id = match id_of(object) {
            id if id.is_empty() => "none",
            id if id == self.before => "kept",
            id if id == self.adopted => "adopted",
            _ => "new",
        };
        format!("{} {id}", reason.unwrap_or_default())
    }

    /// Waits until it is as its line says. Returns all deployments that it has had.
    async fn until_as_expected(&self, scene: &Scene) -> BTreeSet<String> {
        let what = format!("its line says {}", self.expected[2]);
        let is_so = |object: &Value| {
            object["status"]["observedGeneration"] == object["metadata"]["generation"]
                && self.outcome(object) == self.expected[2]
        };
        let object = scene.until("Deployment", &self.name, &what, is_so).await;
        let previous = object["status"]["previousIds"].as_array();
        let previous = previous.into_iter().flatten();
        let previous = previous.filter_map(|id| id.as_str().map(str::to_owned));
        let known = [id_of(&object), self.adopted.clone(), self.before.clone()];
        previous.chain(known).filter(|id| !id.is_empty()).collect()
    }
}

/// What a source has in the spec, and the deployment that is adopted.
async fn spec_of(scene: &Scene, source: &str) -> (Value, String) {
    if source == "configuration" {
        let spec = json!({"configuration": configuration(&json!({"imageTag": "1"}))});
        return (spec, String::new());
    }
    let existing = scene.ai_core.add_configuration(GROUP).await;
    if source == "configurationId" {
        return (json!({"configurationId": existing}), String::new());
    }
    let id = scene.ai_core.add_deployment(GROUP, &existing).await;
    (json!({"adopt": {"deploymentId": id}}), id)
}

/// Brings every object that is not to be new into the state that its line begins with, by way of Running.
async fn prepare(scene: &Scene, subjects: &mut [Subject]) {
    let mut existing: Vec<_> = subjects
        .iter_mut()
        .filter(|subject| subject.from != "New")
        .collect();
    for subject in &existing {
        subject.put(scene, "Running").await;
    }
    for subject in &mut existing {
        scene.until_ready(&subject.name, "Running").await;
        wish(scene, &subject.name, subject.from).await;
    }
    for subject in &mut existing {
        subject.before = scene.until_ready(&subject.name, subject.from).await;
    }
}

/// Waits until all is as the table says and stays so, deletes the objects, and compares the calls with the table. The first `start` calls have
/// led to where the lines begin.
async fn compare(scene: Scene, subjects: &[Subject], start: usize) {
    for subject in subjects {
        subject.until_as_expected(&scene).await;
    }
    scene.ai_core.listed_again(5, LIMIT).await;
    let mut ids = Vec::new();
    for subject in subjects {
        ids.push(subject.until_as_expected(&scene).await);
    }
    let changed = scene.ai_core.effects().await.len();
    for subject in subjects {
        scene.delete("Deployment", &subject.name).await;
    }
    for subject in subjects {
        scene.until_gone("Deployment", &subject.name).await;
    }

    let effects = scene.ai_core.effects().await;
    let happened = subjects.iter().zip(&ids).map(|(subject, ids)| {
        let parts = [&effects[start..changed], &effects[changed..]];
        let [now, last] = parts.map(|part| calls(part, ids));
        format!("{}: {now}, at deletion {last}", subject.name)
    });
    let expected = subjects.iter().map(|subject| {
        let [now, last, _] = subject.expected;
        format!("{}: {now}, at deletion {last}", subject.name)
    });
    let happened: BTreeSet<String> = happened.collect();
    let expected: BTreeSet<String> = expected.collect();
    let unexpected: Vec<_> = happened.difference(&expected).collect();
    let missing: Vec<_> = expected.difference(&happened).collect();
    assert_eq!(
        unexpected, missing,
        "what happened, and what the table says"
    );
    let before = subjects
        .iter()
        .filter(|subject| subject.adopted.is_empty() && subject.from != "New");
    let after = subjects
        .iter()
        .filter(|subject| subject.expected[0].contains("create"));
    let creations = before.count() + after.count();
    scene.finish(creations).await;
}

/// The calls about these deployments, of all that were accepted.
fn calls(effects: &[(Operation, Option<String>)], ids: &BTreeSet<String>) -> String {
    let about = effects
        .iter()
        .filter(|(_, id)| id.as_ref().is_some_and(|id| ids.contains(id)));
    let words: Vec<&str> = about
        .map(|(operation, _)| match operation {
            CreateDeployment => "create",
            StopDeployment => "stop",
            DeleteDeployment => "delete",
            _ => "change",
        })
        .collect();
    match words.is_empty() {
        true => "-".to_owned(),
        false => words.join("+"),
    }
}

#[tokio::test]
async fn every_change_of_the_desired_state_costs_the_calls_of_the_table() {
    let scene = scene().await;
    let mut subjects = Vec::new();
    for policy in ["Delete", "Orphan"] {
        let fields = json!({"deletionPolicy": policy});
        subjects.extend(Subject::of_table(&scene, CHANGES, &fields).await);
    }
    let names: BTreeSet<_> = subjects.iter().map(|subject| &subject.name).collect();
    assert_eq!(
        names.len(),
        3 * 4 * 3 * 2,
        "source, from, to, deletionPolicy"
    );
    prepare(&scene, &mut subjects).await;
    let start = scene.ai_core.effects().await.len();
    for subject in &subjects {
        match subject.from {
            "New" => subject.put(&scene, subject.rest[0]).await,
            _ => wish(&scene, &subject.name, subject.rest[0]).await,
        }
    }
    compare(scene, &subjects, start).await;
}

#[tokio::test]
async fn what_somebody_else_does_is_answered_as_the_table_says() {
    let scene = scene().await;
    let fields = json!({"deletionPolicy": "Delete"});
    let mut subjects = Subject::of_table(&scene, INTERFERENCE, &fields).await;
    for subject in &mut subjects {
        subject.spec["recreatePolicy"] = json!(subject.rest[0]);
    }
    prepare(&scene, &mut subjects).await;
    let start = scene.ai_core.effects().await.len();
    for subject in &subjects {
        match subject.rest[1] {
            "stops" => {
                let stopped = json!({"status": "STOPPED", "targetStatus": "STOPPED"});
                scene.ai_core.force(&subject.before, stopped).await;
            }
            _ => scene.ai_core.remove(&subject.before).await,
        }
    }
    compare(scene, &subjects, start).await;
}
