//! A new deployment: the answer that announces it, and when it can be seen.

use std::time::Duration;

use super::server::evidence;
use crate::aicore::time_to_live::seconds;
use crate::conformance::observations::{Look, NOT_REACHED, Observations, Sight};
use crate::conformance::point::{Outcome, Point, handled, holds, seen, unworkable};
use crate::conformance::question::Question;
use crate::conformance::shown::Shown;

/// How long a new deployment may be missing by default (`--create-grace-seconds`).
const GRACE: Duration = Duration::from_secs(300);

pub(super) const POINTS: &[Point] = &[
    Point {
        id: "create-answer",
        question: "What is answered to an accepted creation?",
        assumed: "202 with the id",
        readings: &[
            holds("202-with-id", "The id is written down."),
            handled("other-success-with-id", "The id is written down."),
            handled(
                "id-in-location-only",
                "The id is taken from the header `Location`.",
            ),
            handled(
                "no-id",
                "Taken for a lost answer: a list tells what was created.",
            ),
        ],
        read: create_answer,
    },
    Point {
        id: "location-header",
        question: "Does the answer to a creation have the header `Location`?",
        assumed: "yes, and it ends with the id",
        readings: &[
            holds("with-id", "Used where the body has no id."),
            handled("absent", "The id in the body is enough."),
            handled("other", "The id in the body is enough."),
        ],
        read: location,
    },
    Point {
        id: "visible-by-id",
        question: "When is a new deployment found by its id?",
        assumed: "at once",
        readings: VISIBLE,
        read: |it| visible(it, |look| &look.single),
    },
    Point {
        id: "visible-in-list",
        question: "When does the list have a new deployment?",
        assumed: "at once",
        readings: VISIBLE,
        read: |it| visible(it, |look| &look.listed),
    },
    Point {
        id: "first-status",
        question: "Which status is seen first?",
        assumed: "UNKNOWN",
        readings: &[
            holds("UNKNOWN", "It waits until the runtime has taken it over."),
            handled("PENDING", "It waits until it runs."),
            handled("RUNNING", "It serves."),
            handled("other", "It waits, and tells the status."),
        ],
        read: first_status,
    },
    Point {
        id: "target-after-create",
        question: "What is `targetStatus` of a new deployment?",
        assumed: "RUNNING",
        readings: &[
            holds("RUNNING", "It is left to start."),
            handled("absent", "Taken for one that is meant to run."),
            handled("other", "It waits, and tells the status."),
        ],
        read: target_after_create,
    },
    Point {
        id: "ttl-in-answers",
        question: "How is the `ttl` of a deployment shown?",
        assumed: "as it was sent",
        readings: &[
            holds(
                "as-sent",
                "It tells a lost answer's deployment from others.",
            ),
            handled("in-other-words", "The same length counts as the same ttl."),
            handled(
                "absent",
                "A ttl that is not shown may be any: only the configuration tells deployments apart.",
            ),
            unworkable(
                "another-length",
                "After a lost answer the deployment is not recognised, and a second one is created. Do not use `spec.ttl`.",
            ),
        ],
        read: ttl,
    },
];

const VISIBLE: &[crate::conformance::point::Reading] = &[
    holds(
        "at-once",
        "Its absence counts only after the grace period all the same.",
    ),
    handled(
        "later",
        "Its absence counts only after the grace period (`--create-grace-seconds`, 300 by default).",
    ),
    unworkable(
        "after-the-grace-period",
        "It counts as gone before it can be seen. Raise `--create-grace-seconds` above the time that was seen.",
    ),
];

fn create_answer(it: &Observations) -> Outcome {
    let reply = it.reply(Question::Create)?;
    let has_id = reply.json()["id"].as_str().is_some_and(|id| !id.is_empty());
    match (reply.status, has_id) {
        (202, true) => seen("202-with-id", evidence(reply)),
        (200..300, true) => seen("other-success-with-id", evidence(reply)),
        (200..300, false) if it.id.is_some() && location_ends_with_id(it) => {
            seen("id-in-location-only", evidence(reply))
        }
        (200..300, false) => seen("no-id", evidence(reply)),
        _ => Err(evidence(reply)),
    }
}

fn location(it: &Observations) -> Outcome {
    let reply = it.reply(Question::Create)?;
    if !reply.is_success() {
        return Err(evidence(reply));
    }
    match &reply.location {
        None => seen("absent", "there is none"),
        Some(location) if location_ends_with_id(it) => seen("with-id", location),
        Some(location) => seen("other", location),
    }
}

fn location_ends_with_id(it: &Observations) -> bool {
    let location = it
        .reply(Question::Create)
        .ok()
        .and_then(|reply| reply.location.as_deref());
    let last = location.and_then(|location| location.trim_end_matches('/').rsplit('/').next());
    last.is_some() && last == it.id.as_deref()
}

fn visible(it: &Observations, sight: fn(&Look) -> &Sight) -> Outcome {
    let created = it.exchanges.get(&Question::Create).ok_or(NOT_REACHED)?;
    if it
        .reply(Question::Create)
        .is_ok_and(|reply| !reply.is_success())
    {
        return Err(NOT_REACHED.to_owned());
    }
    let first = it
        .looks
        .iter()
        .position(|look| sight(look).shown().is_some());
    let waited = |look: &Look| look.at.saturating_sub(created.at);
    let last = it.looks.last().map(waited).unwrap_or_default();
    let time = first.map_or(last, |index| waited(&it.looks[index]));
    let evidence = format!("{:.1} s after the answer", time.as_secs_f64());
    match first {
        Some(0) => seen("at-once", evidence),
        Some(_) if time <= GRACE => seen("later", evidence),
        Some(_) => seen("after-the-grace-period", evidence),
        None if time > GRACE => seen("after-the-grace-period", format!("not {evidence}")),
        None => Err("it was not seen before the run ended".to_owned()),
    }
}

fn first_shown(it: &Observations) -> Result<&Shown, String> {
    let mut shown = it.looks.iter().filter_map(Look::shown);
    shown.next().ok_or(NOT_REACHED.to_owned())
}

fn first_status(it: &Observations) -> Outcome {
    let status = first_shown(it)?.status();
    match status {
        "UNKNOWN" => seen("UNKNOWN", status),
        "PENDING" => seen("PENDING", status),
        "RUNNING" => seen("RUNNING", status),
        _ => seen("other", format!("`{status}`")),
    }
}

fn target_after_create(it: &Observations) -> Outcome {
    match first_shown(it)?.target() {
        "RUNNING" => seen("RUNNING", "RUNNING"),
        "" => seen("absent", "there is none"),
        other => seen("other", format!("`{other}`")),
    }
}

fn ttl(it: &Observations) -> Outcome {
    let shown = first_shown(it)?.0.get("ttl");
    let text = shown.and_then(|ttl| ttl.as_str()).unwrap_or_default();
    let evidence = format!(
        "sent {}, shown {}",
        it.ttl,
        shown.map_or("nothing".to_owned(), ToString::to_string)
    );
    match (text, seconds(text)) {
        (text, _) if text == it.ttl => seen("as-sent", evidence),
        (_, Some(shown)) if Some(shown) == seconds(&it.ttl) => seen("in-other-words", evidence),
        (_, Some(_)) => seen("another-length", evidence),
        (_, None) => seen("absent", evidence),
    }
}
