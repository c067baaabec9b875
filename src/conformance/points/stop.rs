//! A stop: alone and among others, and what is seen of it.

use super::server::evidence;
use crate::conformance::observations::{NOT_REACHED, Observations, bulk_entry};
use crate::conformance::point::{Outcome, Point, handled, holds, seen, unworkable};
use crate::conformance::question::Question;
use crate::conformance::shown::Shown;

/// Whatever may have stopped it.
const STOPS: [Question; 3] = [
    Question::StopInUnknown,
    Question::StopInBulk,
    Question::Stop,
];

pub(super) const POINTS: &[Point] = &[
    Point {
        id: "bulk-update",
        question: "Does a bulk update of deployments work?",
        assumed: "as `/lm/meta` says",
        readings: &[
            holds(
                "works",
                "Stops and deletions are gathered into bulk requests.",
            ),
            holds("refused", "Single calls are made."),
            handled("works-unannounced", "Not used: single calls are made."),
            handled(
                "refused-though-announced",
                "After a refusal single calls are made.",
            ),
        ],
        read: bulk_update,
    },
    Point {
        id: "bulk-media-type",
        question: "Is a bulk update taken as `application/json` as well?",
        assumed: "no, as `application/merge-patch+json` only",
        readings: &[
            holds(
                "merge-patch-only",
                "The operator sends `application/merge-patch+json`.",
            ),
            handled("both", "The operator sends `application/merge-patch+json`."),
        ],
        read: media_type,
    },
    Point {
        id: "bulk-item-error",
        question: "How is one deployment of a bulk update refused that does not exist?",
        assumed: "202, with its own error of code, message, requestId and target",
        readings: &[
            holds(
                "whole-error",
                "The refusal is told with the object, and the next call for it is made alone.",
            ),
            handled(
                "short-error",
                "The refusal is told with the object, and the next call for it is made alone.",
            ),
            handled(
                "not-mentioned",
                "Taken for an unknown outcome: a later list decides, and the next call for it is made alone.",
            ),
            handled("accepted", "A later list shows that nothing came of it."),
        ],
        read: item_error,
    },
    Point {
        id: "stop-answer",
        question: "What is answered to a stop while RUNNING?",
        assumed: "202",
        readings: &[
            holds("202", "It waits until the deployment is STOPPED."),
            handled("other-success", "It waits until the deployment is STOPPED."),
            unworkable("refused", "What runs can be neither stopped nor deleted."),
        ],
        read: stop_answer,
    },
    Point {
        id: "target-after-stop",
        question: "When is `targetStatus` STOPPED after an accepted stop?",
        assumed: "at once",
        readings: &[
            holds("at-once", "It waits until the deployment is STOPPED."),
            handled(
                "later",
                "The stop is sent again only if a list long after it still shows RUNNING.",
            ),
            handled(
                "never",
                "The stop is sent again only if a list long after it still shows RUNNING.",
            ),
        ],
        read: target,
    },
    Point {
        id: "status-after-stop",
        question: "Which status is seen first after an accepted stop?",
        assumed: "RUNNING, with targetStatus STOPPED",
        readings: &[
            holds("RUNNING", "It waits until the deployment is STOPPED."),
            handled("STOPPING", "It waits until the deployment is STOPPED."),
            handled("STOPPED", "It goes on at once."),
            handled("other", "It waits, and tells the status."),
        ],
        read: status,
    },
    Point {
        id: "last-operation-after-stop",
        question: "What does `lastOperation` say after an accepted stop?",
        assumed: "UPDATE",
        readings: &[
            holds("UPDATE", "It is shown, and nothing depends on it."),
            handled("CREATE", "It is shown, and nothing depends on it."),
            handled("absent", "Nothing depends on it."),
            handled("other", "It is shown, and nothing depends on it."),
        ],
        read: last_operation,
    },
    Point {
        id: "end-of-stop",
        question: "Does a stopped deployment become STOPPED?",
        assumed: "yes",
        readings: &[
            holds("STOPPED", "It is deleted, or stays as it is."),
            handled("another-end", "It is deleted, or stays as it is."),
            handled("gone", "A list and a look prove that it is gone."),
            unworkable(
                "never",
                "It did not end in the time that was waited. If it never does, nothing can be deleted; the object is Stalled after `--overdue-seconds`.",
            ),
        ],
        read: end,
    },
];

fn bulk_update(it: &Observations) -> Outcome {
    let probe = it.reply(Question::BulkOfUnknown)?;
    let announced = it.reply(Question::Meta).is_ok_and(|meta| {
        meta.json()["aiApi"]["capabilities"]["bulkUpdates"]["deployments"] == true
    });
    match (probe.status, announced) {
        (200..300, _) => {
            let evidence = match it.reply(Question::StopInBulk) {
                Ok(_) if it.bulk_took_ours() => "it stopped the deployment".to_owned(),
                Ok(reply) => format!("it did not stop the deployment: {}", evidence(reply)),
                Err(_) => evidence(probe),
            };
            seen(
                if announced {
                    "works"
                } else {
                    "works-unannounced"
                },
                evidence,
            )
        }
        (400..500, true) => seen("refused-though-announced", evidence(probe)),
        (400..500, false) => seen("refused", evidence(probe)),
        _ => Err(evidence(probe)),
    }
}

/// Says why nothing can be learned where bulk updates do not work.
fn bulk_works(it: &Observations) -> Result<(), String> {
    let reply = it.reply(Question::BulkOfUnknown)?;
    if reply.is_success() {
        return Ok(());
    }
    Err("bulk updates are refused".to_owned())
}

fn media_type(it: &Observations) -> Outcome {
    bulk_works(it)?;
    let reply = it.reply(Question::BulkAsJson)?;
    match reply.status {
        200..300 => seen("both", evidence(reply)),
        400..500 => seen("merge-patch-only", evidence(reply)),
        _ => Err(evidence(reply)),
    }
}

fn item_error(it: &Observations) -> Outcome {
    bulk_works(it)?;
    let reply = it.reply(Question::BulkOfUnknown)?;
    let Some(entry) = bulk_entry(reply, &it.unknown_id) else {
        return seen("not-mentioned", "the answer has no entry for the id");
    };
    let Some(error) = entry["error"].as_object() else {
        return seen("accepted", format!("message {}", entry["message"]));
    };
    let names = Vec::from_iter(error.keys().map(String::as_str)).join(", ");
    let is_whole = ["code", "message", "requestId", "target"]
        .iter()
        .all(|field| error.contains_key(*field));
    seen(
        if is_whole {
            "whole-error"
        } else {
            "short-error"
        },
        format!("the error has: {names}"),
    )
}

fn stop_answer(it: &Observations) -> Outcome {
    if it.bulk_took_ours() {
        let reply = it.reply(Question::StopInBulk)?;
        return seen("202", format!("{}, in a bulk update", evidence(reply)));
    }
    let reply = it.reply(Question::Stop)?;
    match reply.status {
        202 => seen("202", evidence(reply)),
        200..300 => seen("other-success", evidence(reply)),
        400..500 => seen("refused", evidence(reply)),
        _ => Err(evidence(reply)),
    }
}

/// What was shown after the stop was accepted.
fn shown_after(it: &Observations) -> Result<impl Iterator<Item = &Shown>, String> {
    let stop = it.accepted(&STOPS).ok_or(NOT_REACHED)?;
    Ok(it
        .looks_after(stop)
        .iter()
        .filter_map(|look| look.single.shown()))
}

fn target(it: &Observations) -> Outcome {
    let looks: Vec<_> = shown_after(it)?.collect();
    let first = looks.first().ok_or(NOT_REACHED)?;
    let evidence = format!("`{}` with {}", first.target(), first.status());
    let is_set = |shown: &&Shown| matches!(shown.target(), "STOPPED" | "DELETED");
    if is_set(first) {
        return seen("at-once", evidence);
    }
    seen(
        if looks.into_iter().any(|shown| is_set(&shown)) {
            "later"
        } else {
            "never"
        },
        evidence,
    )
}

fn status(it: &Observations) -> Outcome {
    let first = shown_after(it)?.next().ok_or(NOT_REACHED)?;
    match first.status() {
        "RUNNING" => seen("RUNNING", "RUNNING"),
        "STOPPING" => seen("STOPPING", "STOPPING"),
        "STOPPED" => seen("STOPPED", "STOPPED"),
        other => seen("other", format!("`{other}`")),
    }
}

fn last_operation(it: &Observations) -> Outcome {
    let stop = it.accepted(&STOPS).ok_or(NOT_REACHED)?;
    let first = shown_after(it)?.next().ok_or(NOT_REACHED)?;
    // A change of the configuration that was accepted before may have left its mark.
    let before = it
        .around(stop)
        .0
        .and_then(|shown| shown.text("lastOperation"));
    let evidence = |word: &str| format!("{word}; before the stop {}", before.unwrap_or("nothing"));
    match first.text("lastOperation") {
        None => seen("absent", evidence("nothing")),
        Some("UPDATE") => seen("UPDATE", evidence("UPDATE")),
        Some("CREATE") => seen("CREATE", evidence("CREATE")),
        Some(other) => seen("other", evidence(&format!("`{other}`"))),
    }
}

fn end(it: &Observations) -> Outcome {
    let stop = it.accepted(&STOPS).ok_or(NOT_REACHED)?;
    let looks = it.looks_after(stop);
    let has_ended = |shown: &&Shown| matches!(shown.status(), "STOPPED" | "DEAD" | "COMPLETED");
    let shown: Vec<_> = looks
        .iter()
        .filter_map(|look| look.single.shown())
        .collect();
    if let Some(ended) = shown.iter().copied().find(has_ended) {
        return seen(
            if ended.status() == "STOPPED" {
                "STOPPED"
            } else {
                "another-end"
            },
            ended.status(),
        );
    }
    let last = looks.last().ok_or(NOT_REACHED)?;
    if last.is_absent() {
        return seen("gone", "it was gone before");
    }
    let since = last.at.saturating_sub(it.exchanges[&stop].at).as_secs_f64();
    let state = last.shown().map(Shown::status).unwrap_or_default();
    seen("never", format!("`{state}` after {since:.1} s"))
}
