//! Calls that the state of the deployment does not allow, and one that should change nothing.

use super::server::evidence;
use crate::conformance::observations::Observations;
use crate::conformance::point::{Outcome, Point, Reading, handled, holds, seen};
use crate::conformance::question::Question;

/// After a refusal the operator looks again, and decides by what it sees.
const REFUSALS: &[Reading] = &[
    holds("400", "The operator's view was old: it looks again."),
    holds("409", "The operator's view was old: it looks again."),
    holds("412", "The operator's view was old: it looks again."),
    handled(
        "404",
        "The deployment may be gone: a look and a list decide.",
    ),
    handled(
        "other-refusal",
        "Told with the object, and looked at again after a pause.",
    ),
    handled(
        "server-error",
        "Taken for an unknown outcome: a later list decides.",
    ),
    handled(
        "accepted",
        "Not relied on: the operator does not send it in this state.",
    ),
];

/// A call that was accepted before may be refused when it comes again.
const REPEATS: &[Reading] = &[
    holds("accepted", "It does no harm."),
    handled("400", "The operator's view was old: it looks again."),
    handled("409", "The operator's view was old: it looks again."),
    handled("412", "The operator's view was old: it looks again."),
    handled(
        "404",
        "The deployment may be gone: a look and a list decide.",
    ),
    handled(
        "other-refusal",
        "Told with the object, and looked at again after a pause.",
    ),
    handled(
        "server-error",
        "Taken for an unknown outcome: a later list decides.",
    ),
];

pub(super) const POINTS: &[Point] = &[
    Point {
        id: "stop-in-unknown",
        question: "What is answered to a stop while UNKNOWN?",
        assumed: REFUSED,
        readings: REFUSALS,
        read: |it| refused(it, Question::StopInUnknown),
    },
    Point {
        id: "delete-in-pending",
        question: "What is answered to a deletion while PENDING?",
        assumed: REFUSED,
        readings: REFUSALS,
        read: |it| refused(it, Question::DeleteInPending),
    },
    Point {
        id: "delete-in-running",
        question: "What is answered to a deletion while RUNNING?",
        assumed: REFUSED,
        readings: REFUSALS,
        read: |it| refused(it, Question::DeleteInRunning),
    },
    Point {
        id: "same-configuration",
        question: "What is answered to a change to the configuration that it has?",
        assumed: "it is accepted and changes nothing",
        readings: &[
            holds(
                "accepted",
                "Not sent knowingly: what has its configuration is left alone.",
            ),
            handled(
                "refused",
                "Not sent knowingly: what has its configuration is left alone.",
            ),
            handled(
                "starts-anew",
                "Not sent knowingly: what has its configuration is left alone.",
            ),
        ],
        read: same_configuration,
    },
    Point {
        id: "stop-again",
        question: "What is answered to a second stop, before the first one shows in the status?",
        assumed: "it is accepted and does no harm",
        readings: REPEATS,
        read: |it| refused(it, Question::StopAgain),
    },
    Point {
        id: "stop-in-stopping",
        question: "What is answered to a stop while STOPPING?",
        assumed: REFUSED,
        readings: REFUSALS,
        read: |it| refused(it, Question::StopInStopping),
    },
    Point {
        id: "delete-in-stopping",
        question: "What is answered to a deletion while STOPPING?",
        assumed: REFUSED,
        readings: REFUSALS,
        read: |it| refused(it, Question::DeleteInStopping),
    },
    Point {
        id: "stop-in-stopped",
        question: "What is answered to a stop while STOPPED?",
        assumed: REFUSED,
        readings: REFUSALS,
        read: |it| refused(it, Question::StopInStopped),
    },
    Point {
        id: "delete-again",
        question: "What is answered to a second deletion, before the deployment is gone?",
        assumed: "it is accepted and does no harm",
        readings: REPEATS,
        read: |it| refused(it, Question::DeleteAgain),
    },
    Point {
        id: "delete-when-gone",
        question: "What is answered to a deletion when the deployment is gone?",
        assumed: "404",
        readings: &[
            holds("404", "A look and a list prove that it is gone."),
            handled("400", "A look and a list prove that it is gone."),
            handled("409", "A look and a list prove that it is gone."),
            handled("412", "A look and a list prove that it is gone."),
            handled("other-refusal", "A look and a list prove that it is gone."),
            handled("server-error", "A look and a list prove that it is gone."),
            handled("accepted", "A look and a list prove that it is gone."),
        ],
        read: |it| answer(it, Question::DeleteWhenGone),
    },
];

const REFUSED: &str = "it is refused with 400, 409 or 412";

/// The answer to a call in a certain state, when the deployment was still in it afterwards.
fn refused(it: &Observations, question: Question) -> Outcome {
    let outcome = answer(it, question)?;
    let (before, after) = it.around(question);
    let before = before.map(|shown| shown.status()).unwrap_or_default();
    let Some(after) = after else {
        return Err(format!(
            "{}, but nothing was seen after it",
            outcome.evidence
        ));
    };
    let stayed = after.single.is_absent()
        || after
            .shown()
            .is_some_and(|shown| shown.status() == before || shown.is_going());
    if stayed {
        return Ok(outcome);
    }
    let after = after
        .shown()
        .map(|shown| shown.status())
        .unwrap_or_default();
    Err(format!(
        "{}, but its state changed at that moment: {before}, then {after}",
        outcome.evidence
    ))
}

fn answer(it: &Observations, question: Question) -> Outcome {
    let reply = it.reply(question)?;
    let evidence = evidence(reply);
    match reply.status {
        200..300 => seen("accepted", evidence),
        400 => seen("400", evidence),
        404 => seen("404", evidence),
        409 => seen("409", evidence),
        412 => seen("412", evidence),
        500.. => seen("server-error", evidence),
        _ => seen("other-refusal", evidence),
    }
}

fn same_configuration(it: &Observations) -> Outcome {
    let reply = it.reply(Question::SameConfiguration)?;
    let evidence = evidence(reply);
    match reply.status {
        200..300 => {}
        400..500 => return seen("refused", evidence),
        _ => return Err(evidence),
    }
    let mut running = it
        .looks_after(Question::SameConfiguration)
        .iter()
        .filter_map(|look| look.single.shown());
    // What was shown until a stop or a deletion was asked for.
    let left = running.find(|shown| shown.status() != "RUNNING" || shown.target() != "RUNNING");
    match left {
        Some(shown) if shown.target() == "RUNNING" => seen(
            "starts-anew",
            format!("{evidence}, then {}", shown.status()),
        ),
        _ => seen("accepted", evidence),
    }
}
