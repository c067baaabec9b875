//! Alerts and dashboard: they are right by themselves, and they ask for what the operator really exports.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use aicore_emulator::Operation::{ListDeployments, Token};
use aicore_emulator::{BulkUpdates, Effect, Response, Settings};
use harness::manifests::{deployment, deployment_that_ends, with};
use harness::mutual_tls::Authority;
use harness::patience::until;
use harness::scene::{CONNECTION, LIMIT, Scene, Setting, connection, secret};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::documents::{path, read, sections};
use crate::evaluation::{OF_TARGETS, Part, Scraper, alternatives};
use crate::tools::{run, tool};

const ALERTS: &str = "deploy/monitoring/alerts.yaml";
const RULE: &str = "deploy/monitoring/prometheus-rule.yaml";
const DASHBOARD: &str = "deploy/monitoring/dashboard.json";

/// What finds nothing as long as all is well, by how it begins, and why.
const SILENT: [(&str, &str); 2] = [
    (
        "max by (cluster, namespace, job) (max_over_time(aicore_leader",
        "the operator that was there is still there",
    ),
    ("absent_over_time(aicore_leader", "there is an operator"),
];

/// The labels of each metric, with the values that were seen.
type Exported = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// What an expression asks for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    selectors: Vec<Selector>,
    grouped_by: Vec<String>,
}

#[derive(Deserialize)]
struct Selector {
    metric: String,
    labels: BTreeMap<String, Option<String>>,
}

fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn alerts() -> Vec<Value> {
    let rules = yaml(ALERTS)["groups"][0]["rules"].clone();
    rules.as_array().expect("the rules are a list").clone()
}

fn text<'a>(value: &'a Value, what: &str) -> &'a str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{what} is no text: {value}"))
}

#[test]
fn the_alerts_fire_when_they_should_and_only_then() {
    let promtool = |arguments: &[&str]| {
        let folder = path("deploy/monitoring");
        run(
            Command::new(tool("promtool"))
                .args(arguments)
                .current_dir(folder),
            "",
        )
    };
    promtool(&["check", "rules", "--lint-fatal", "alerts.yaml"]);
    promtool(&["test", "rules", "alerts_test.yaml"]);
    let tests = read("deploy/monitoring/alerts_test.yaml");
    for alert in alerts() {
        let name = text(&alert["alert"], "the name");
        let fires = tests.contains(&format!("alertname: {name}\n        exp_alerts:\n"));
        assert!(fires, "no test shows that {name} fires");
    }
}

#[test]
fn the_object_for_the_prometheus_operator_has_the_same_rules() {
    let rule = json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "aicore-operator", "labels": {"app.kubernetes.io/name": "aicore-operator"}},
        "spec": yaml(ALERTS),
    });
    let rule = serde_saphyr::to_string(&rule).expect("it can be written");
    let rule =
        format!("# Generated from alerts.yaml by `UPDATE=1 cargo test --test insight`.\n{rule}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path(RULE), &rule).expect("the file can be written");
    }
    assert_eq!(read(RULE), rule, "{RULE} is not in sync with {ALERTS}");
}

#[test]
fn every_alert_leads_to_a_page_that_says_what_to_do() {
    let anchor = |title: &str| title.to_lowercase().replace(' ', "-");
    for alert in alerts() {
        let runbook = text(&alert["annotations"]["runbook_url"], "the runbook");
        let (file, wanted) = runbook.split_once('#').unwrap_or((runbook, ""));
        let page = read(file);
        let mut titles = sections(&page, "##");
        titles.extend(sections(&page, "###"));
        let found = titles.iter().any(|(title, _)| anchor(title) == wanted);
        assert!(wanted.is_empty() || found, "{file} has no section {wanted}");
    }
}

#[tokio::test]
async fn every_query_finds_what_a_running_operator_exports_and_every_metric_is_explained() {
    let scene = Scene::start(Setting {
        arguments: &["--resync-seconds", "1", "--model-check-seconds", "1"],
        ai_core: Settings {
            bulk_updates: BulkUpdates::Present,
            ..Settings::fast()
        },
        ..Setting::of(env!("CARGO_BIN_EXE_aicore-operator"))
    })
    .await;
    let scraper = Scraper::start(&scene).await;
    live_through_everything(&scene).await;
    let scrapes = scraper.scrapes();
    let metrics = scrapes.last().expect("it was scraped");

    let exported = exported(metrics);
    for (metric, labels) in &exported {
        for label in labels.keys() {
            let ours = !OF_TARGETS.contains(&label.as_str());
            assert!(ours, "Prometheus renames the label {label} of {metric}");
        }
    }
    let alerts: Vec<String> = alerts()
        .iter()
        .map(|alert| text(&alert["expr"], "expr").to_owned())
        .collect();
    let panels = dashboard_queries();
    let queries = alerts.iter().chain(&panels);
    let parts: Vec<Part> = queries
        .flat_map(|query| alternatives(query))
        .map(part)
        .collect();
    for (name, queries) in [("alerts", alerts), ("dashboard", panels)] {
        assert!(!queries.is_empty(), "the {name} ask for nothing");
        hold(name, &queries, &exported);
    }
    crate::evaluation::hold(&parts, &scrapes);
    for (beginning, why) in SILENT {
        let asked = parts.iter().any(|it| it.expression.starts_with(beginning));
        assert!(asked, "nobody asks for what finds nothing because {why}");
    }
    let page = read("docs/monitoring.md");
    for family in metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
    {
        let family = family.split(' ').next().unwrap_or_default();
        assert!(
            page.contains(family),
            "docs/monitoring.md does not explain {family}"
        );
    }
    for name in ["dead", "stuck", "assistant"] {
        scene.delete_and_wait(name).await;
    }
    scene.finish(6).await;
}

fn part(expression: String) -> Part {
    let is_silent = |(beginning, _): &(&str, &str)| expression.starts_with(beginning);
    let finds = !SILENT.iter().any(is_silent);
    Part { expression, finds }
}

/// Has the operator meet what there are metrics for: objects in every condition, a model that goes, a request for many, and calls that fail.
async fn live_through_everything(scene: &Scene) {
    let broken = connection("broken", "missing");
    scene.put(&broken).await;
    scene
        .until_reason("Connection", "broken", "SecretMissing")
        .await;
    use_a_certificate(scene).await;
    serve_a_model_that_goes(scene).await;
    scene.put(&deployment_that_ends("dead", "DEAD")).await;
    scene
        .until_reason("Deployment", "dead", "DeploymentDead")
        .await;
    let stuck = deployment_that_ends("stuck", "STUCK_PENDING");
    scene.put(&stuck).await;
    scene.until_reason("Deployment", "stuck", "Starting").await;
    let counted = |object: &Value| object["status"]["orphanCount"].is_number();
    scene
        .until("Connection", CONNECTION, "it has counted", counted)
        .await;
    let many = ["churn-1", "churn-2", "churn-3"];
    for name in many {
        scene.put(&deployment(name)).await;
    }
    for name in many {
        scene.until_ready(name, "Running").await;
    }
    for name in many {
        scene.delete("Deployment", name).await;
    }
    for name in many {
        scene.until_gone("Deployment", name).await;
    }
    for (name, operation, status) in [
        ("down", ListDeployments, 503),
        ("busy", ListDeployments, 429),
        ("no tokens", Token, 503),
    ] {
        let answer = Response {
            status,
            body: String::new(),
            content_type: None,
            retry_after: None,
        };
        let effect = Effect::Respond(answer);
        scene
            .ai_core
            .fault(name, &[operation], Some(1), effect)
            .await;
        if operation == Token {
            scene.ai_core.revoke_tokens().await;
        }
        until_exported(scene, operation == Token, status).await;
    }
    // Rates need what comes after as well.
    scene.ai_core.listed_again(2, LIMIT).await;
}

/// Waits until a call that was answered with this status is counted.
async fn until_exported(scene: &Scene, token: bool, status: u16) {
    let verb = if token { "TOKEN" } else { "GET" };
    let series = format!("aicore_remote_calls_total{{verb=\"{verb}\",code=\"{status}\"}}");
    until(&series, async || {
        let text = scrape(scene).await;
        text.contains(&series).then_some(()).ok_or(text)
    })
    .await;
}

/// Has a Connection use a key with a certificate. Its end is told, also where no token can be had.
async fn use_a_certificate(scene: &Scene) {
    let issued = Authority::default().issue("client.example.com");
    let key = json!({
        "clientid": "client-1",
        "certificate": issued.certificate,
        "key": issued.key.serialize_pem(),
        "certurl": "https://127.0.0.1:9",
        "serviceurls": {"AI_API_URL": scene.ai_core.url()},
    });
    scene
        .put(&secret("certificate", &json!({"key": key.to_string()})))
        .await;
    scene.put(&connection("certificate", "certificate")).await;
    let told = |object: &Value| object["status"]["certificate"]["notAfter"].is_string();
    scene
        .until("Connection", "certificate", "its end is told", told)
        .await;
}

/// Has a model served that AI Core deprecates and retires soon.
async fn serve_a_model_that_goes(scene: &Scene) {
    let soon = Timestamp::now() + SignedDuration::from_hours(24 * 10);
    let date = format!("{soon:.0}");
    let versions = json!([{"name": "2024-08-06", "deprecated": true, "retirementDate": date}]);
    scene.ai_core.announce(versions).await;
    let configuration = json!({
        "scenarioId": "foundation-models",
        "executableId": "azure-openai",
        "parameters": {"modelName": "gpt-4o", "modelVersion": "2024-08-06"},
    });
    scene
        .put(&with("assistant", json!({"configuration": configuration})))
        .await;
    scene.until_ready("assistant", "Running").await;
    let told = |object: &Value| object["status"]["modelRetirement"]["deprecated"] == true;
    scene
        .until("Deployment", "assistant", "the retirement is told", told)
        .await;
}

async fn scrape(scene: &Scene) -> String {
    let url = format!("http://{}/metrics", scene.operator.address().await);
    let client = reqwest::Client::builder().no_proxy().timeout(LIMIT).build();
    let client = client.expect("a client can be made");
    let answer = client.get(url).send().await.expect("the operator answers");
    answer.text().await.expect("the answer is whole")
}

/// The series of a scrape. No value of a label of ours has a comma or a quote.
fn exported(metrics: &str) -> Exported {
    let mut exported = Exported::new();
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let series = line.rsplit_once(' ').map_or(line, |(series, _)| series);
        let (metric, labels) = series.split_once('{').unwrap_or((series, "}"));
        let values = exported.entry(metric.to_owned()).or_default();
        for label in labels.trim_end_matches('}').split(',') {
            if let Some((name, value)) = label.split_once('=') {
                let value = value.trim_matches('"').to_owned();
                values.entry(name.to_owned()).or_default().insert(value);
            }
        }
    }
    exported
}

/// The expressions of all panels, as Grafana sends them.
fn dashboard_queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("it has panels");
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets
        .map(|target| text(&target["expr"], "expr").replace("$__rate_interval", "5m"))
        .collect()
}

/// Holds that each metric, each label, and each value that is asked for exactly is exported.
fn hold(name: &str, queries: &[String], exported: &Exported) {
    let read = run(
        &mut Command::new(tool("queries")),
        &json!(queries).to_string(),
    );
    let read: Vec<Query> = serde_json::from_str(&read).expect("the tool prints queries");
    for (query, expression) in read.iter().zip(queries) {
        let mut labels: BTreeSet<&str> = OF_TARGETS.into();
        for selector in &query.selectors {
            let metric = &selector.metric;
            let known = exported
                .get(metric)
                .unwrap_or_else(|| panic!("{name}: no {metric} for {expression}"));
            for (label, value) in &selector.labels {
                let values = known.get(label).unwrap_or_else(|| {
                    panic!("{name}: {metric} has no label {label} for {expression}")
                });
                // Whether AI Core answers 429 is up to it.
                let free = label == "code";
                let seen = value
                    .as_ref()
                    .is_none_or(|value| free || values.contains(value));
                assert!(seen, "{name}: {metric} has {values:?} for {expression}");
            }
            labels.extend(known.keys().map(String::as_str));
        }
        for label in &query.grouped_by {
            assert!(
                labels.contains(label.as_str()),
                "{name}: no label {label} for {expression}"
            );
        }
    }
}
