//! Lists and what else is read while the deployment runs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::server::evidence;
use crate::aicore::Reply;
use crate::conformance::observations::Observations;
use crate::conformance::point::{Outcome, Point, handled, holds, seen, unworkable};
use crate::conformance::question::Question;

/// The only fields that `$select=status` leaves, as far as they are known.
const STATUS_FIELDS: [&str; 7] = [
    "id",
    "configurationId",
    "status",
    "createdAt",
    "modifiedAt",
    "statusDetails",
    "details",
];

pub(super) const POINTS: &[Point] = &[
    Point {
        id: "list-without-top",
        question: "Is a list without `$top` as long as one with the largest `$top`?",
        assumed: "yes",
        readings: &[
            holds("as-long", "`$top` is always sent."),
            handled(
                "shorter",
                "`$top` is always sent, and where a list may have been cut, the rest is asked for.",
            ),
            handled(
                "longer",
                "A list that may have been cut is not relied on before the rest was asked for.",
            ),
        ],
        read: without_top,
    },
    Point {
        id: "skip",
        question: "Does `$skip` leave out entries?",
        assumed: "yes",
        readings: &[
            holds(
                "honoured",
                "Where a list may have been cut, the next page is asked for.",
            ),
            handled(
                "ignored",
                "Where a list may have been cut, `$count` decides.",
            ),
            handled(
                "refused",
                "Where a list may have been cut, `$count` decides.",
            ),
        ],
        read: |it| skipped(it, Question::SkipWithDollar),
    },
    Point {
        id: "bare-skip",
        question: "Does `skip`, without `$`, leave out entries?",
        assumed: "no",
        readings: &[
            holds("ignored", "The operator sends `$skip` only."),
            handled("honoured", "The operator sends `$skip` only."),
            handled("refused", "The operator sends `$skip` only."),
        ],
        read: |it| skipped(it, Question::SkipWithoutDollar),
    },
    Point {
        id: "count-in-list",
        question: "What does `count` in a list count?",
        assumed: "the entries of that page",
        readings: &[
            holds("page", "It proves nothing, and is not relied on."),
            handled(
                "total",
                "A page with fewer entries is followed by the next one.",
            ),
            handled("absent", "It is not relied on."),
            handled("less", "It is not relied on."),
            unworkable(
                "more-than-there-is",
                "Every list counts as incomplete, so that nothing is ever proven gone.",
            ),
        ],
        read: count,
    },
    Point {
        id: "list-order",
        question: "Do lists keep their order?",
        assumed: "yes",
        readings: &[
            holds("kept", "Pages add up."),
            handled(
                "changes",
                "A list of one page is read in any order; of several pages, an entry that comes twice makes `$count` decide.",
            ),
        ],
        read: order,
    },
    Point {
        id: "select-status",
        question: "What does `$select=status` leave of an entry?",
        assumed: "a few fields",
        readings: &[
            holds("few-fields", "The operator reads whole entries."),
            handled("all-fields", "The operator reads whole entries."),
            handled("refused", "The operator reads whole entries."),
        ],
        read: select,
    },
    Point {
        id: "count-endpoint",
        question: "What does `GET /lm/deployments/$count` answer?",
        assumed: "a bare number",
        readings: &[
            holds(
                "bare-number",
                "It decides where a list may have been cut and `$skip` is not understood.",
            ),
            handled("in-quotes", "The number in the quotes is read."),
            handled(
                "other",
                "A list that may have been cut, on a server that does not understand `$skip`, counts as incomplete.",
            ),
        ],
        read: count_endpoint,
    },
    Point {
        id: "logs-without-group",
        question: "Are the logs of a deployment given without the header `AI-Resource-Group`?",
        assumed: "no",
        readings: &[
            holds("no", "The header is always sent."),
            handled("yes", "The header is always sent."),
        ],
        read: logs,
    },
];

/// The entries of the list that names the largest `$top`.
fn all(it: &Observations) -> Result<usize, String> {
    let reply = it.reply(Question::ListWithTop)?;
    let entries = reply.resources().filter(|_| reply.is_success());
    entries.map(|entries| entries.len()).ok_or(evidence(reply))
}

fn entries(reply: &Reply) -> Result<Vec<Value>, String> {
    let entries = reply.resources().filter(|_| reply.is_success());
    entries.ok_or(evidence(reply))
}

fn without_top(it: &Observations) -> Outcome {
    let (all, some) = (
        all(it)?,
        entries(it.reply(Question::ListWithoutTop)?)?.len(),
    );
    let evidence = format!("{some} entries of {all}");
    seen(
        match some.cmp(&all) {
            std::cmp::Ordering::Equal => "as-long",
            std::cmp::Ordering::Less => "shorter",
            std::cmp::Ordering::Greater => "longer",
        },
        evidence,
    )
}

fn skipped(it: &Observations, question: Question) -> Outcome {
    let all = all(it)?;
    let reply = it.reply(question)?;
    if (400..500).contains(&reply.status) {
        return seen("refused", evidence(reply));
    }
    let some = entries(reply)?.len();
    let evidence = format!("{some} entries of {all}");
    if some == all {
        return seen("ignored", evidence);
    }
    seen("honoured", evidence)
}

/// Only a page that does not hold everything tells what is counted, except when the number fits neither.
fn count(it: &Observations) -> Outcome {
    let all = all(it)?;
    let reply = it.reply(Question::SkipWithDollar)?;
    let page = entries(reply)?.len();
    let count = &reply.json()["count"];
    let evidence = format!("count is {count}, with {page} entries of {all}");
    let number = count.as_u64().and_then(|count| usize::try_from(count).ok());
    match number {
        None => seen("absent", evidence),
        Some(count) if count > all => seen("more-than-there-is", evidence),
        Some(count) if count < page => seen("less", evidence),
        Some(_) if page == all => Err("no page was shorter than the whole list".to_owned()),
        Some(count) if count == page => seen("page", evidence),
        Some(count) if count == all => seen("total", evidence),
        Some(_) => Err(evidence),
    }
}

fn order(it: &Observations) -> Outcome {
    let ids = |question| -> Result<Vec<String>, String> {
        let entries = entries(it.reply(question)?)?;
        Ok(entries
            .iter()
            .map(|entry| entry["id"].to_string())
            .collect())
    };
    let (once, again) = (
        ids(Question::Configurations)?,
        ids(Question::ConfigurationsAgain)?,
    );
    if BTreeSet::from_iter(&once) != BTreeSet::from_iter(&again) {
        return Err("somebody else created a configuration meanwhile".to_owned());
    }
    match once.len() {
        0 | 1 => Err("there are fewer than two configurations to compare".to_owned()),
        number if once == again => seen("kept", format!("{number} configurations, listed twice")),
        number => seen("changes", format!("{number} configurations, listed twice")),
    }
}

fn select(it: &Observations) -> Outcome {
    let reply = it.reply(Question::SelectStatus)?;
    if (400..500).contains(&reply.status) {
        return seen("refused", evidence(reply));
    }
    let entries = entries(reply)?;
    let fields = entries
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|entry| entry.keys());
    let fields: BTreeSet<_> = fields.map(String::as_str).collect();
    if fields.is_empty() {
        return Err("the list is empty".to_owned());
    }
    let is_short = fields.iter().all(|field| STATUS_FIELDS.contains(field));
    let evidence = Vec::from_iter(fields).join(", ");
    seen(if is_short { "few-fields" } else { "all-fields" }, evidence)
}

fn count_endpoint(it: &Observations) -> Outcome {
    let reply = it.reply(Question::Count)?;
    let evidence = format!(
        "HTTP {}, {}: {}",
        reply.status,
        reply.media_type.as_deref().unwrap_or("no media type"),
        reply.said.message
    );
    let body = reply.body.trim();
    let is_number = |text: &str| text.parse::<u64>().is_ok();
    if reply.is_success() && is_number(body) {
        return seen("bare-number", evidence);
    }
    if reply.is_success() && is_number(body.trim_matches('"').trim()) {
        return seen("in-quotes", evidence);
    }
    seen("other", evidence)
}

fn logs(it: &Observations) -> Outcome {
    let reply = it.reply(Question::LogsWithoutGroup)?;
    match reply.status {
        200..300 => seen("yes", evidence(reply)),
        400..500 => seen("no", evidence(reply)),
        _ => Err(evidence(reply)),
    }
}
