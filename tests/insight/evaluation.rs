//! Queries as Prometheus evaluates them on what a live operator has exported over some time.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use harness::scene::{LIMIT, Scene};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::tools::{run, tool};

/// From one scrape to the next.
const INTERVAL: Duration = Duration::from_millis(500);

/// More scrapes than this do not fit into the five minutes over which most queries look, when one counts for a second.
const SCRAPES: usize = 280;

/// What Prometheus adds to each series from a ServiceMonitor. A label of the operator's own by such a name is renamed.
pub const OF_TARGETS: [&str; 8] = [
    "cluster",
    "container",
    "endpoint",
    "instance",
    "job",
    "namespace",
    "pod",
    "service",
];

/// Scrapes an operator until it is dropped.
pub struct Scraper {
    scrapes: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

/// A part of a query, and whether it finds something in a healthy system.
pub struct Part {
    pub expression: String,
    pub finds: bool,
}

impl Scraper {
    pub async fn start(scene: &Scene) -> Self {
        let url = format!("http://{}/metrics", scene.operator.address().await);
        let scrapes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&scrapes);
        let client = reqwest::Client::builder().no_proxy().timeout(LIMIT).build();
        let client = client.expect("a client can be made");
        let task = tokio::spawn(async move {
            loop {
                let answer = client.get(&url).send().await.expect("the operator answers");
                let text = answer.text().await.expect("the answer is whole");
                kept.lock().push(text);
                tokio::time::sleep(INTERVAL).await;
            }
        });
        Self { scrapes, task }
    }

    /// All scrapes so far, or evenly chosen ones where there are too many.
    pub fn scrapes(&self) -> Vec<String> {
        let scrapes = self.scrapes.lock();
        let step = scrapes.len().div_ceil(SCRAPES).max(1);
        scrapes.iter().rev().step_by(step).rev().cloned().collect()
    }
}

impl Drop for Scraper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Has promtool evaluate every part at the time of the last scrape. What finds something finds a number there: nothing divided by nothing is none.
pub fn hold(parts: &[Part], scrapes: &[String]) {
    let results: Vec<Value> = parts
        .iter()
        .map(|part| {
            let numbers = format!("count(({0}) == ({0})) > bool 0", part.expression);
            let samples = match part.finds {
                true => json!([{"labels": "{}", "value": 1}]),
                false => json!([]),
            };
            let time = format!("{}s", scrapes.len() - 1);
            json!({"expr": numbers, "eval_time": time, "exp_samples": samples})
        })
        .collect();
    let test = json!({
        "evaluation_interval": "1s",
        "tests": [{
            "interval": "1s",
            "input_series": series(scrapes),
            "promql_expr_test": results,
        }],
    });
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("scrapes.yaml");
    std::fs::write(&file, test.to_string()).expect("the folder can be written to");
    run(
        Command::new(tool("promtool"))
            .args(["test", "rules"])
            .arg(&file),
        "",
    );
}

/// Every series of the scrapes with its values, and the labels of a target.
fn series(scrapes: &[String]) -> Vec<Value> {
    let mut series: std::collections::BTreeMap<&str, Vec<&str>> = Default::default();
    for (number, scrape) in scrapes.iter().enumerate() {
        for line in scrape.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').expect("a line has a value");
            let values = series.entry(name).or_insert_with(|| vec!["_"; number]);
            values.resize(number, "_");
            values.push(value);
        }
    }
    let with_target = |(name, values): (&str, Vec<&str>)| {
        let (metric, labels) = name.split_once('{').unwrap_or((name, "}"));
        let target = r#"namespace="aicore-operator",job="aicore-operator",pod="a""#;
        let labels = match labels {
            "}" => format!("{target}}}"),
            labels => format!("{target},{labels}"),
        };
        json!({"series": format!("{metric}{{{labels}"), "values": values.join(" ")})
    };
    series.into_iter().map(with_target).collect()
}

/// What the condition of an alert is about: each of its alternatives, without the number that the value is compared with. No name in a query of ours
/// has one of these words or signs in it.
pub fn alternatives(expression: &str) -> Vec<String> {
    let alternatives = at_top_level(expression, &[" or "]);
    let without_limit = |one: &String| at_top_level(one, &[" > ", " < ", " == "])[0].clone();
    alternatives.iter().map(without_limit).collect()
}

/// The parts of a text between these words, as far as they are in no parentheses or braces.
fn at_top_level(text: &str, words: &[&str]) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let word = words
            .iter()
            .find(|word| depth == 0 && rest.starts_with(**word));
        if let Some(word) = word {
            parts.push(String::new());
            rest = &rest[word.len()..];
            continue;
        }
        match next {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            _ => {}
        }
        parts.last_mut().expect("there is one").push(next);
        rest = &rest[next.len_utf8()..];
    }
    parts
}

#[test]
fn a_condition_is_taken_apart_where_its_alternatives_are() {
    let parts =
        alternatives("max by (a) (x{b=~\"c|d\"} or y) > 0 or z - time() < 14 * 86400 or absent(x)");
    let expected = ["max by (a) (x{b=~\"c|d\"} or y)", "z - time()", "absent(x)"];
    assert_eq!(parts, expected);
}
