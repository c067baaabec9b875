//! A deletion, and how it is seen that the deployment is gone.

use super::server::evidence;
use crate::conformance::observations::{Look, NOT_REACHED, Observations, Sight};
use crate::conformance::point::{Outcome, Point, handled, holds, seen, unworkable};
use crate::conformance::question::Question;
use crate::conformance::shown::Shown;

/// Whatever may have deleted it.
const DELETIONS: [Question; 4] = [
    Question::DeleteInPending,
    Question::DeleteInRunning,
    Question::DeleteInStopping,
    Question::Delete,
];

pub(super) const POINTS: &[Point] = &[
    Point {
        id: "delete-answer",
        question: "What is answered to a deletion while STOPPED?",
        assumed: "202",
        readings: &[
            holds("202", "It waits until the deployment is proven gone."),
            handled(
                "other-success",
                "It waits until the deployment is proven gone.",
            ),
            unworkable("refused", "What is stopped cannot be deleted."),
        ],
        read: delete_answer,
    },
    Point {
        id: "target-in-delete-answer",
        question: "Does the answer to a deletion have `targetStatus`?",
        assumed: "DELETED",
        readings: &[
            holds("DELETED", "The next look decides."),
            handled("absent", "The next look decides."),
            handled("other", "The next look decides."),
        ],
        read: target_in_answer,
    },
    Point {
        id: "shown-while-deleting",
        question: "How does a deployment look that is being deleted?",
        assumed: "its status stays, and targetStatus is DELETED",
        readings: &[
            holds(
                "target-DELETED",
                "It waits until the deployment is proven gone.",
            ),
            handled(
                "status-DELETING",
                "It waits until the deployment is proven gone.",
            ),
            handled(
                "unchanged",
                "The deletion is sent again only if a list long after it still shows it so.",
            ),
            handled("gone-at-once", "A look and a list prove that it is gone."),
        ],
        read: while_deleting,
    },
    Point {
        id: "last-operation-after-delete",
        question: "What does `lastOperation` say after an accepted deletion?",
        assumed: "DELETE",
        readings: &[
            holds("DELETE", "It is shown, and nothing depends on it."),
            handled("absent", "Nothing depends on it."),
            handled("other", "It is shown, and nothing depends on it."),
        ],
        read: last_operation,
    },
    Point {
        id: "gone-by-id",
        question: "What is answered to `GET /lm/deployments/{id}` when it is gone?",
        assumed: "404",
        readings: &[
            holds(
                "404",
                "With a list that lacks it, that proves that it is gone.",
            ),
            handled("410", "Taken for 404."),
            unworkable(
                "other-refusal",
                "Nothing is ever proven gone, so that no object can be let go.",
            ),
            unworkable(
                "still-found",
                "It was still found when the waiting ended. Nothing that is found is ever let go.",
            ),
        ],
        read: gone_by_id,
    },
    Point {
        id: "list-and-id-agree",
        question: "Do the list and `GET /lm/deployments/{id}` always agree whether it is there?",
        assumed: "yes",
        readings: &[
            holds("always", "Both are needed as proof all the same."),
            handled(
                "list-lags",
                "Both are needed as proof: it waits until the list lacks it.",
            ),
            handled(
                "id-lags",
                "Both are needed as proof: it waits until its id is not found.",
            ),
            handled(
                "both-lag",
                "Both are needed as proof: it waits until neither shows it.",
            ),
        ],
        read: agree,
    },
    Point {
        id: "stays-gone",
        question: "Does a deployment that is gone, by its id and in the list, stay gone?",
        assumed: "yes",
        readings: &[
            holds("yes", "One proof is enough."),
            unworkable(
                "comes-back",
                "It is let go while it may still be there. Delete it by hand if it stays.",
            ),
        ],
        read: stays_gone,
    },
];

fn delete_answer(it: &Observations) -> Outcome {
    let reply = it.reply(Question::Delete)?;
    match reply.status {
        202 => seen("202", evidence(reply)),
        200..300 => seen("other-success", evidence(reply)),
        400..500 => seen("refused", evidence(reply)),
        _ => Err(evidence(reply)),
    }
}

fn deletion(it: &Observations) -> Result<Question, String> {
    it.accepted(&DELETIONS).ok_or(NOT_REACHED.to_owned())
}

fn target_in_answer(it: &Observations) -> Outcome {
    let body = it.reply(deletion(it)?)?.json();
    match body["targetStatus"].as_str() {
        None => seen("absent", "there is none"),
        Some("DELETED") => seen("DELETED", "DELETED"),
        Some(other) => seen("other", format!("`{other}`")),
    }
}

fn while_deleting(it: &Observations) -> Outcome {
    let looks = it.looks_after(deletion(it)?);
    let shown: Vec<_> = looks
        .iter()
        .filter_map(|look| look.single.shown())
        .collect();
    let states =
        |shown: &Shown| format!("status {}, targetStatus {}", shown.status(), shown.target());
    if let Some(deleting) = shown.iter().find(|shown| shown.status() == "DELETING") {
        return seen("status-DELETING", states(deleting));
    }
    match (shown.iter().find(|shown| shown.is_going()), shown.first()) {
        (Some(going), _) => seen("target-DELETED", states(going)),
        (None, Some(first)) => seen("unchanged", states(first)),
        (None, None) if looks.is_empty() => Err(NOT_REACHED.to_owned()),
        (None, None) => seen("gone-at-once", "it was not shown again"),
    }
}

fn last_operation(it: &Observations) -> Outcome {
    let mut shown = it
        .looks_after(deletion(it)?)
        .iter()
        .filter_map(|look| look.single.shown());
    let first = shown.next().ok_or("it was not shown again")?;
    match first.text("lastOperation") {
        None => seen("absent", "there is none"),
        Some("DELETE") => seen("DELETE", "DELETE"),
        Some(other) => seen("other", format!("`{other}`")),
    }
}

fn gone_by_id(it: &Observations) -> Outcome {
    let looks = it.looks_after(deletion(it)?);
    let last = looks.last().ok_or(NOT_REACHED)?;
    let absent = looks.iter().find_map(|look| match &look.single {
        Sight::Absent(status, said) => Some((*status, said)),
        _ => None,
    });
    match (absent, &last.single) {
        (Some((Some(410), said)), _) => seen("410", said),
        (Some((_, said)), _) => seen("404", said),
        (None, Sight::Unclear(Some(400..500), said)) => seen("other-refusal", said),
        (None, Sight::Shown(shown)) => seen(
            "still-found",
            format!("status {}, targetStatus {}", shown.status(), shown.target()),
        ),
        (None, Sight::Unclear(_, said) | Sight::Absent(_, said)) => Err(said.clone()),
    }
}

fn agree(it: &Observations) -> Outcome {
    let count = |is_so: fn(&Look) -> bool| it.looks.iter().filter(|look| is_so(look)).count();
    // Its state may change between the two calls of one look, but not between those of two.
    let lasting = |is_so: fn(&Look) -> bool| {
        let pairs = it.looks.windows(2);
        pairs.filter(|pair| pair.iter().all(is_so)).count()
    };
    let list_has = lasting(|look| look.single.is_absent() && look.listed.shown().is_some());
    let id_has = lasting(|look| look.listed.is_absent() && look.single.shown().is_some());
    let compared = count(|look| {
        let clear = |sight: &Sight| !matches!(sight, Sight::Unclear(..));
        clear(&look.single) && clear(&look.listed)
    });
    if compared == 0 {
        return Err(NOT_REACHED.to_owned());
    }
    let evidence = format!(
        "in {compared} looks the list alone had it {list_has} times in a row, its id alone {id_has} times"
    );
    seen(
        match (list_has, id_has) {
            (0, 0) => "always",
            (_, 0) => "list-lags",
            (0, _) => "id-lags",
            _ => "both-lag",
        },
        evidence,
    )
}

fn stays_gone(it: &Observations) -> Outcome {
    let looks = it.looks_after(deletion(it)?);
    let gone = looks.iter().position(Look::is_absent).ok_or(NOT_REACHED)?;
    let later = &looks[gone + 1..];
    if let Some(back) = later.iter().position(|look| look.shown().is_some()) {
        return seen(
            "comes-back",
            format!("{} looks after it was gone", back + 1),
        );
    }
    if later.is_empty() {
        return Err("it was not looked at again".to_owned());
    }
    seen("yes", format!("in {} later looks", later.len()))
}
