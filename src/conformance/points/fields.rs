//! What a deployment looks like: fields that are null, missing or new, and words that the contract does not list.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::conformance::observations::{NOT_REACHED, Observations};
use crate::conformance::point::{Outcome, Point, handled, holds, seen, unworkable};
use crate::conformance::shown::Shown;

/// The fields that every deployment must have (`AiDeployment`).
const REQUIRED: [&str; 5] = ["id", "configurationId", "status", "createdAt", "modifiedAt"];
/// The fields that it may have besides.
const OPTIONAL: [&str; 14] = [
    "deploymentUrl",
    "configurationName",
    "executableId",
    "scenarioId",
    "statusMessage",
    "statusDetails",
    "targetStatus",
    "lastOperation",
    "latestRunningConfigurationId",
    "ttl",
    "details",
    "submissionTime",
    "startTime",
    "completionTime",
];
/// The words of `status`.
const STATUSES: [&str; 7] = [
    "UNKNOWN",
    "PENDING",
    "RUNNING",
    "STOPPING",
    "STOPPED",
    "DEAD",
    "COMPLETED",
];

pub(super) const POINTS: &[Point] = &[
    Point {
        id: "null-fields",
        question: "Are fields null that have no value?",
        assumed: "they are left out",
        readings: &[
            holds("none", "Null, empty and missing mean the same."),
            handled("some", "Null, empty and missing mean the same."),
        ],
        read: null_fields,
    },
    Point {
        id: "missing-fields",
        question: "Are fields missing that the contract requires?",
        assumed: "no",
        readings: &[
            holds("none", "Everything that is read is there."),
            handled("times", "A ttl is not seen to end."),
            handled(
                "configuration",
                "Without `configurationId` the deployment of a lost answer is only recognised by the configuration's name.",
            ),
            unworkable(
                "status",
                "Without `status` nothing is ever stopped or deleted.",
            ),
        ],
        read: missing_fields,
    },
    Point {
        id: "unknown-fields",
        question: "Are there fields that the contract does not have?",
        assumed: "no",
        readings: &[
            holds("none", "Other fields would be left unread."),
            handled("some", "They are left unread."),
        ],
        read: unknown_fields,
    },
    Point {
        id: "unknown-states",
        question: "Does `status` have words that the contract does not list?",
        assumed: "no",
        readings: &[
            holds("none", "Another word would be told and waited out."),
            handled("DELETING", "Taken for an accepted deletion: it waits."),
            handled("some", "It is told and waited out."),
        ],
        read: unknown_states,
    },
    Point {
        id: "list-entry",
        question: "Do the entries of a list have what a single deployment has?",
        assumed: "status, targetStatus and configurationId",
        readings: &[
            holds(
                "complete",
                "One list serves all objects of a resource group.",
            ),
            handled(
                "without-target",
                "Each call is sent once, and again only when it has had no effect.",
            ),
            handled(
                "without-configuration",
                "The deployment of a lost answer is only recognised by the configuration's name.",
            ),
            unworkable(
                "without-status",
                "Without `status` nothing is ever stopped or deleted.",
            ),
        ],
        read: list_entry,
    },
    Point {
        id: "configuration-name-in-list",
        question: "Do the entries of a list have `configurationName`?",
        assumed: "yes",
        readings: &[
            holds(
                "yes",
                "The name leads to the object that a deployment was made for.",
            ),
            handled("no", "The names are had from the list of configurations."),
        ],
        read: configuration_name,
    },
];

fn some_shown(it: &Observations) -> Result<Vec<&Shown>, String> {
    let shown: Vec<_> = it.shown().collect();
    if shown.is_empty() {
        return Err(NOT_REACHED.to_owned());
    }
    Ok(shown)
}

fn null_fields(it: &Observations) -> Outcome {
    let shown = some_shown(it)?;
    let fields = shown.into_iter().flat_map(|shown| &shown.0);
    let nulls: BTreeSet<_> = fields
        .filter(|(_, value)| value.is_null())
        .map(|(name, _)| name.as_str())
        .collect();
    some_or_none(&nulls)
}

fn unknown_fields(it: &Observations) -> Outcome {
    let shown = some_shown(it)?;
    let names = shown.into_iter().flat_map(|shown| shown.0.keys());
    let unknown: BTreeSet<_> = names
        .map(String::as_str)
        .filter(|name| !REQUIRED.contains(name) && !OPTIONAL.contains(name))
        .collect();
    some_or_none(&unknown)
}

fn some_or_none(names: &BTreeSet<&str>) -> Outcome {
    if names.is_empty() {
        return seen("none", "in every look");
    }
    seen("some", Vec::from_iter(names.iter().copied()).join(", "))
}

fn missing_fields(it: &Observations) -> Outcome {
    let shown = some_shown(it)?;
    let missing: BTreeSet<_> = REQUIRED
        .into_iter()
        .filter(|field| {
            shown
                .iter()
                .any(|shown| shown.0.get(*field).is_none_or(Value::is_null))
        })
        .collect();
    let evidence = Vec::from_iter(missing.iter().copied()).join(", ");
    if missing.contains("status") {
        return seen("status", evidence);
    }
    if missing.contains("configurationId") {
        return seen("configuration", evidence);
    }
    if missing.is_empty() {
        return seen("none", "in every look");
    }
    seen("times", evidence)
}

fn unknown_states(it: &Observations) -> Outcome {
    let shown = some_shown(it)?;
    let words: BTreeSet<_> = shown.into_iter().map(Shown::status).collect();
    let unknown: Vec<_> = words
        .iter()
        .filter(|word| !STATUSES.contains(word))
        .copied()
        .collect();
    match unknown[..] {
        [] => seen("none", Vec::from_iter(words).join(", ")),
        ["DELETING"] => seen("DELETING", "DELETING"),
        _ => seen("some", unknown.join(", ")),
    }
}

/// The entries of lists in which the deployment was found.
fn entries(it: &Observations) -> Result<Vec<&Shown>, String> {
    let listed: Vec<_> = it
        .looks
        .iter()
        .filter_map(|look| look.listed.shown())
        .collect();
    if listed.is_empty() {
        return Err("no list had it".to_owned());
    }
    Ok(listed)
}

fn list_entry(it: &Observations) -> Outcome {
    let listed = entries(it)?;
    let lacks = |field| listed.iter().any(|shown| shown.text(field).is_none());
    let evidence = format!("in {} lists", listed.len());
    if lacks("status") {
        return seen("without-status", evidence);
    }
    if lacks("configurationId") {
        return seen("without-configuration", evidence);
    }
    if lacks("targetStatus") {
        return seen("without-target", evidence);
    }
    seen("complete", evidence)
}

fn configuration_name(it: &Observations) -> Outcome {
    let listed = entries(it)?;
    let has_name = listed
        .iter()
        .all(|shown| shown.text("configurationName").is_some());
    seen(
        if has_name { "yes" } else { "no" },
        format!("in {} lists", listed.len()),
    )
}
