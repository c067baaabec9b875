//! What Helm makes of the chart without any cluster.

use std::collections::BTreeSet;

use aicore_operator::lifecycle::identity::MAXIMUM_CLUSTER_ID;
use harness::scene::Outcome;
use serde_json::Value;
use tokio::process::Command;

use crate::world::{CHART, RELEASE, helm_program, run, set};

async fn helm(arguments: &[&str]) -> Outcome {
    run(Command::new(helm_program().await), arguments, "").await
}

/// What the chart becomes with these values.
async fn render(values: &[&str]) -> Outcome {
    render_with(&set(values)).await
}

/// What the chart becomes with these arguments of Helm.
pub async fn render_with(arguments: &[&str]) -> Outcome {
    let template = ["template", RELEASE, CHART, "--namespace", RELEASE];
    helm(&[&template, arguments].concat()).await
}

#[tokio::test]
async fn helm_finds_nothing_wrong_with_it() {
    let linted = helm(&["lint", "--strict", CHART]).await;
    assert!(linted.succeeded, "{}{}", linted.output, linted.errors);
}

#[tokio::test]
async fn a_value_that_is_wrong_is_refused_by_name() {
    let longest = format!("clusterId={}", "a".repeat(MAXIMUM_CLUSTER_ID + 1));
    assert!(render(&[&longest[..longest.len() - 1]]).await.succeeded);
    let wrong = [
        ("secrets.clusterwide=true", "clusterwide"),
        ("secret.clusterWide=true", "'secret'"),
        ("replicas=two", "/replicas"),
        ("mode=watch", "/mode"),
        ("defaultDeletionPolicy=keep", "/defaultDeletionPolicy"),
        ("watchNamespace=Team A", "/watchNamespace"),
        ("secrets.namespaces=team-a", "/secrets/namespaces"),
        ("excludeNamespaces={Team A}", "/excludeNamespaces/0"),
        ("image.digest=latest", "/image/digest"),
        ("clusterId=a b", "/clusterId"),
        (&longest, "/clusterId"),
        ("nameOverride=1st", "/nameOverride"),
        ("lease.durationSeconds=1", "/lease/durationSeconds"),
        ("lease.durationSeconds=301", "/lease/durationSeconds"),
        ("networkPolicy.metricsFrom=null", "networkPolicy"),
    ];
    for (value, named) in wrong {
        let refused = render(&[value]).await;
        assert!(!refused.succeeded, "{value} is taken");
        assert!(
            refused.errors.contains(named),
            "{value}: {}",
            refused.errors
        );
    }
}

#[tokio::test]
async fn values_that_contradict_each_other_are_refused_with_a_sentence() {
    let wrong: [&[&str]; 13] = [
        &["watchNamespace=a", "excludeNamespaces={b}"],
        &["secrets.namespaces={a,b}", "excludeNamespaces={b}"],
        &["secrets.clusterWide=true", "secrets.namespaces={a}"],
        &["watchNamespace=a", "secrets.clusterWide=true"],
        &["watchNamespace=a", "emulator.enabled=true"],
        &["secrets.namespaces={a}", "emulator.enabled=true"],
        &["serviceMonitor.enabled=true", "service.enabled=false"],
        &["serviceAccount.create=false"],
        &["podLabels.app\\.kubernetes\\.io/name=mine"],
        &["extraEnvironment[0].name=AICORE_OPERATOR_MODE"],
        &["extraArguments={--mode=observe}"],
        &[
            "clusterId=a",
            "extraEnvironment[0].name=AICORE_OPERATOR_CLUSTER_ID",
        ],
        &[
            "extraEnvironment[0].name=NO_PROXY",
            "extraEnvironment[1].name=NO_PROXY",
        ],
    ];
    for values in wrong {
        let refused = render(values).await;
        assert!(!refused.succeeded, "{values:?} are taken");
        let sentence = [": set ", ": leave ", ": name "];
        let told = sentence.iter().any(|way| refused.errors.contains(way));
        assert!(told, "{values:?}: {}", refused.errors);
    }
}

#[tokio::test]
async fn every_secret_is_within_reach_only_where_somebody_says_so() {
    let binding = "kind: ClusterRoleBinding\nmetadata:\n  name: aicore-operator-secrets";
    let told = "AICORE_OPERATOR_SECRET_NAMESPACES";
    for (values, everywhere) in [
        (&[][..], false),
        (&["secrets.namespaces={team-a,team-b}"], false),
        (&["secrets.clusterWide=true"], true),
    ] {
        let rendered = render(values).await;
        assert!(rendered.succeeded, "{}", rendered.errors);
        assert_eq!(rendered.output.contains(binding), everywhere, "{values:?}");
        assert_eq!(rendered.output.contains(told), !everywhere, "{values:?}");
    }
}

#[tokio::test]
async fn each_policy_can_be_switched_off_by_itself() {
    let policies = async |values: &[&str]| {
        let rendered = render(values).await;
        assert!(rendered.succeeded, "{}", rendered.errors);
        let objects: Vec<Value> = serde_saphyr::from_multiple(&rendered.output).unwrap();
        let policies = objects
            .into_iter()
            .filter(|object| object["kind"] == "ValidatingAdmissionPolicy");
        let names = policies.map(|policy| policy["metadata"]["name"].as_str().unwrap().to_owned());
        names.collect::<BTreeSet<_>>()
    };
    let all = policies(&[]).await;
    let switches = [
        ("secretPolicy", "aicore-operator.secrets.aicore.dev"),
        ("configMapPolicy", "aicore-operator.configmaps.aicore.dev"),
        ("protection", "protected.deployments.aicore.dev"),
    ];
    assert_eq!(all, switches.map(|(_, name)| name.to_owned()).into());
    for (value, name) in switches {
        let left = policies(&[&format!("{value}.enabled=false")]).await;
        let gone: Vec<_> = all.difference(&left).collect();
        assert_eq!(gone, [name], "{value}");
    }
}

#[tokio::test]
async fn namespaces_are_left_out_where_somebody_names_them() {
    let told = "- name: AICORE_OPERATOR_EXCLUDE_NAMESPACES\n              value: \"b,c\"";
    for (values, left_out) in [(&[][..], false), (&["excludeNamespaces={b,c}"], true)] {
        let rendered = render(values).await;
        assert!(rendered.succeeded, "{}", rendered.errors);
        assert_eq!(rendered.output.contains(told), left_out, "{values:?}");
    }
}

#[tokio::test]
async fn the_notes_tell_what_lets_prometheus_in() {
    let notes = async |values: &[&str]| {
        let install = ["install", RELEASE, CHART, "--dry-run=client"];
        let shown = helm(&[&install[..], &set(values)].concat()).await;
        assert!(shown.succeeded, "{}", shown.errors);
        shown.output
    };
    let command = "kubectl label namespace <namespace of Prometheus> aicore.dev/metrics=true";
    let told = notes(&["serviceMonitor.enabled=true"]).await;
    assert!(told.lines().any(|line| line == command), "{told}");
    for needless in [
        &[][..],
        &["serviceMonitor.enabled=true", "networkPolicy.enabled=false"],
    ] {
        let told = notes(needless).await;
        assert!(!told.contains("kubectl label"), "{told}");
    }
}

#[tokio::test]
async fn the_version_of_the_chart_is_that_of_the_program() {
    let shown = helm(&["show", "chart", CHART]).await;
    for field in ["version", "appVersion"] {
        let line = format!("{field}: {}", env!("CARGO_PKG_VERSION"));
        let told = shown.output.lines().any(|told| told == line);
        assert!(told, "{line} is not in\n{}", shown.output);
    }
}

#[tokio::test]
async fn the_authorities_that_are_trusted_are_where_the_operator_looks_for_them() {
    let values = [
        "certificateAuthorities.configMap=authorities",
        "certificateAuthorities.key=bundle.pem",
    ];
    let rendered = render(&values).await;
    assert!(rendered.succeeded, "{}", rendered.errors);
    let folder = "/etc/aicore-operator/authorities";
    for line in [
        "- name: AICORE_OPERATOR_CA_FILE",
        &format!("value: {folder}/bundle.pem"),
        &format!("mountPath: {folder}"),
        "name: authorities",
    ] {
        let told = rendered.output.lines().any(|told| told.trim() == line);
        assert!(told, "{line} is not in\n{}", rendered.output);
    }
}

#[tokio::test]
async fn alerts_and_dashboard_come_with_the_chart_as_they_were_tested() {
    let none = render(&[]).await;
    assert!(none.succeeded, "{}", none.errors);
    assert!(!none.output.contains("kind: PrometheusRule"));
    let rendered = render(&["prometheusRule.enabled=true", "dashboard.enabled=true"]).await;
    assert!(rendered.succeeded, "{}", rendered.errors);
    let objects: Vec<Value> = serde_saphyr::from_multiple(&rendered.output).unwrap();
    let of_kind = |kind: &str, name: &str| {
        let found = objects
            .iter()
            .find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
        found.unwrap_or_else(|| panic!("no {kind} {name} in\n{}", rendered.output))
    };
    let read = |file: &str| std::fs::read_to_string(format!("deploy/monitoring/{file}")).unwrap();
    let tested: Value = serde_saphyr::from_str(&read("alerts.yaml")).unwrap();
    assert_eq!(of_kind("PrometheusRule", RELEASE)["spec"], tested);
    let dashboard = &of_kind("ConfigMap", "aicore-operator-dashboard")["data"];
    let dashboard = dashboard["aicore-operator.json"].as_str().unwrap();
    let dashboard: Value = serde_json::from_str(dashboard).unwrap();
    let tested: Value = serde_json::from_str(&read("dashboard.json")).unwrap();
    assert_eq!(dashboard, tested);
}

#[tokio::test]
async fn alerts_lead_to_where_the_pages_are_read() {
    let pages = "https://git.example.com/aicore-operator/blob/main/";
    let runbooks = format!("prometheusRule.runbooks={pages}");
    let rendered = render(&["prometheusRule.enabled=true", &runbooks]).await;
    assert!(rendered.succeeded, "{}", rendered.errors);
    let mut links = rendered
        .output
        .lines()
        .filter_map(|line| line.trim().strip_prefix("runbook_url: "))
        .peekable();
    assert!(links.peek().is_some(), "{}", rendered.output);
    assert!(links.all(|link| link.starts_with(&format!("{pages}docs/"))));
    let refused = render(&["prometheusRule.runbooks=docs"]).await;
    assert!(!refused.succeeded, "{}", refused.output);
}
