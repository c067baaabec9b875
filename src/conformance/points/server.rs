//! Tokens, clock, capabilities, and what is answered about things that do not exist.

use serde_json::Value;

use crate::aicore::{Reply, Way};
use crate::conformance::observations::{NOT_REACHED, Observations};
use crate::conformance::point::{Outcome, Point, handled, holds, seen, unworkable};
use crate::conformance::question::Question;

/// Clocks that differ by less are the same: a `Date` has whole seconds, and an answer takes its time.
const SAME_CLOCK: i64 = 3;
const HOUR: u64 = 3_600;

pub(super) const POINTS: &[Point] = &[
    Point {
        id: "token-request",
        question: "How are credentials shown to the token endpoint?",
        assumed: "in the form, or by certificate",
        readings: &[
            holds("form", "The form is tried first."),
            holds("certificate", "The service key is an X.509 one."),
            handled(
                "basic",
                "The form was refused; Basic authentication is tried next, and first from then on.",
            ),
        ],
        read: token_request,
    },
    Point {
        id: "token-lifetime",
        question: "How long does a token live?",
        assumed: "hours, as the answer states",
        readings: &[
            holds("hours", "It is renewed before it ends."),
            handled("shorter", "It is renewed in the last tenth of its life."),
            handled(
                "not-stated",
                "It is taken to live for five minutes, and renewed when it is refused.",
            ),
        ],
        read: token_lifetime,
    },
    Point {
        id: "clock",
        question: "Does the header `Date` tell the time, and the same as ours?",
        assumed: "the same time",
        readings: &[
            holds("same", "A ttl ends by AI Core's clock."),
            handled(
                "differs",
                "A ttl ends by AI Core's clock, whatever ours says.",
            ),
            handled(
                "absent",
                "Without AI Core's clock no ttl is seen to end before the deployment is gone.",
            ),
        ],
        read: clock,
    },
    Point {
        id: "rate-limit",
        question: "Are calls refused because they are too many?",
        assumed: "no, at the pace of this run",
        readings: &[
            holds("none-seen", "Nothing was refused with 429."),
            handled(
                "with-retry-after",
                "All calls of the tenant pause for as long as it asks.",
            ),
            handled(
                "without-retry-after",
                "All calls of the tenant pause for a second.",
            ),
        ],
        read: rate_limit,
    },
    Point {
        id: "bulk-capability",
        question: "What does `/lm/meta` say of bulk updates of deployments?",
        assumed: "whether they work",
        readings: &[
            holds(
                "yes",
                "Stops and deletions are gathered into bulk requests.",
            ),
            holds("no", "Single calls are made."),
            holds(
                "not-mentioned",
                "Not mentioned is no: single calls are made.",
            ),
            handled(
                "no-description",
                "There is no description of the server, which is taken for no: single calls are made.",
            ),
        ],
        read: bulk_capability,
    },
    Point {
        id: "unknown-resource-group",
        question: "What is answered to a list of a resource group that does not exist?",
        assumed: "403",
        readings: &[
            holds(
                "403",
                "Told as `AccessDenied`. It proves nothing about a deployment.",
            ),
            handled(
                "404",
                "Told as `NotFound`. It proves nothing about a deployment: only the list of resource groups does.",
            ),
            handled(
                "other-refusal",
                "Told as a refusal. It proves nothing about a deployment.",
            ),
            unworkable(
                "empty-list",
                "A group that cannot be reached looks like an empty one. Check the names of groups by hand: a deployment in a group \
                that is denied could count as gone.",
            ),
        ],
        read: |it| refused_list(it, Question::ListUnknownGroup, "empty-list"),
    },
    Point {
        id: "unknown-resource-group-id",
        question: "What is answered to `GET /admin/resourceGroups/{id}` of one that does not exist?",
        assumed: "404",
        readings: &[
            holds(
                "404",
                "With a list of groups that lacks it, that proves that the group is gone, and everything in it.",
            ),
            handled(
                "denied",
                "These credentials may not look at resource groups, so a group is never proven gone.",
            ),
            handled(
                "other-refusal",
                "It proves nothing: a deployment in a group that is gone is waited for.",
            ),
            unworkable(
                "found",
                "A group that does not exist is found, so a group is never proven gone.",
            ),
        ],
        read: unknown_group,
    },
    Point {
        id: "missing-group-header",
        question: "What is answered to a list without the header `AI-Resource-Group`?",
        assumed: "it is refused",
        readings: &[
            holds("403", "The header is always sent."),
            holds("404", "The header is always sent."),
            holds("other-refusal", "The header is always sent."),
            handled("list", "The header is always sent."),
        ],
        read: |it| refused_list(it, Question::ListWithoutGroup, "list"),
    },
    Point {
        id: "unknown-deployment",
        question: "What is answered to `GET /lm/deployments/{id}` of one that does not exist?",
        assumed: "404",
        readings: &[
            holds(
                "404",
                "With a list that lacks it, that proves that a deployment is gone.",
            ),
            handled("410", "Taken for 404."),
            unworkable(
                "other",
                "Nothing is ever proven gone, so that no object can be let go.",
            ),
        ],
        read: unknown_deployment,
    },
    Point {
        id: "error-shape",
        question: "What does the body of an error look like?",
        assumed: "the envelope `{\"error\": {\"code\", \"message\", ...}}`",
        readings: &[
            holds("envelope", "Code and message are told."),
            handled("other-json", "What is found of code and message is told."),
            handled("text", "The text is told."),
            handled(
                "page",
                "The title of the page is told; the HTTP status decides.",
            ),
            handled("empty", "The HTTP status decides."),
        ],
        read: error_shape,
    },
    Point {
        id: "request-id-spelling",
        question: "What is the request id called in the body of an error?",
        assumed: "`requestId`",
        readings: &[
            holds("requestId", "It is told with the error."),
            handled("requestID", "It is told with the error."),
            handled("request_id", "It is told with the error."),
            handled("none", "No request id is told."),
        ],
        read: request_id,
    },
    Point {
        id: "unknown-status-filter",
        question: "What is answered to a list with a filter for a status that does not exist?",
        assumed: "it is refused",
        readings: &[
            holds("refused", "The operator does not filter by status."),
            handled("empty-list", "The operator does not filter by status."),
            handled("ignored", "The operator does not filter by status."),
        ],
        read: unknown_status,
    },
];

fn token_request(it: &Observations) -> Outcome {
    let facts = it.token.ok_or(NOT_REACHED)?;
    match facts.way {
        Way::Form => seen("form", "client id and secret were accepted in the form"),
        Way::Basic => seen(
            "basic",
            "client id and secret were accepted as Basic authentication",
        ),
        Way::Certificate => seen("certificate", "the certificate was accepted"),
    }
}

fn token_lifetime(it: &Observations) -> Outcome {
    let facts = it.token.ok_or(NOT_REACHED)?;
    match facts.stated_lifetime.map(|lifetime| lifetime.as_secs()) {
        None => seen("not-stated", "expires_in is missing"),
        Some(seconds) if seconds >= HOUR => seen("hours", format!("expires_in {seconds}")),
        Some(seconds) => seen("shorter", format!("expires_in {seconds}")),
    }
}

fn clock(it: &Observations) -> Outcome {
    match it.clock.ok_or(NOT_REACHED)? {
        None => seen("absent", "no answer has the header"),
        Some(ahead) if ahead.abs() <= SAME_CLOCK => {
            seen("same", format!("{ahead} s ahead of ours"))
        }
        Some(ahead) => seen("differs", format!("{ahead} s ahead of ours")),
    }
}

fn rate_limit(it: &Observations) -> Outcome {
    let calls = it.exchanges.len() + 2 * it.looks.len();
    let times = it.throttled.len();
    match it.throttled.first() {
        None => seen("none-seen", format!("in about {calls} calls")),
        Some(true) => seen(
            "with-retry-after",
            format!("429, {times} times in about {calls} calls"),
        ),
        Some(false) => seen(
            "without-retry-after",
            format!("429, {times} times in about {calls} calls"),
        ),
    }
}

fn bulk_capability(it: &Observations) -> Outcome {
    let reply = it.reply(Question::Meta)?;
    if !reply.is_success() {
        return seen("no-description", evidence(reply));
    }
    let capability = &reply.json()["aiApi"]["capabilities"]["bulkUpdates"]["deployments"];
    match capability {
        Value::Bool(true) => seen("yes", "bulkUpdates.deployments is true"),
        Value::Bool(false) => seen("no", "bulkUpdates.deployments is false"),
        _ => seen("not-mentioned", "there is no bulkUpdates.deployments"),
    }
}

/// A list that should be refused; `listed` is the word for one that is not.
fn refused_list(it: &Observations, question: Question, listed: &'static str) -> Outcome {
    let reply = it.reply(question)?;
    let evidence = evidence(reply);
    match reply.status {
        200..300 => {
            let entries = reply.resources().map_or(0, |entries| entries.len());
            seen(listed, format!("{evidence}, {entries} entries"))
        }
        403 => seen("403", evidence),
        404 => seen("404", evidence),
        400..500 => seen("other-refusal", evidence),
        _ => Err(evidence),
    }
}

fn unknown_group(it: &Observations) -> Outcome {
    let reply = it.reply(Question::GetUnknownGroup)?;
    match reply.status {
        200..300 => seen("found", evidence(reply)),
        404 => seen("404", evidence(reply)),
        401 | 403 => seen("denied", evidence(reply)),
        400..500 => seen("other-refusal", evidence(reply)),
        _ => Err(evidence(reply)),
    }
}

fn unknown_deployment(it: &Observations) -> Outcome {
    let reply = it.reply(Question::GetUnknownDeployment)?;
    match reply.status {
        404 => seen("404", evidence(reply)),
        410 => seen("410", evidence(reply)),
        500.. => Err(evidence(reply)),
        _ => seen("other", evidence(reply)),
    }
}

fn error_shape(it: &Observations) -> Outcome {
    let reply = refusal(it)?;
    let json = reply.json();
    let body = reply.body.trim();
    match (&json, &json["error"]["message"]) {
        (_, Value::String(_)) => seen("envelope", evidence(reply)),
        (Value::Null, _) if body.is_empty() => seen("empty", evidence(reply)),
        (Value::Null, _) if body.starts_with('<') => seen("page", evidence(reply)),
        (Value::Null, _) => seen("text", evidence(reply)),
        _ => seen("other-json", evidence(reply)),
    }
}

fn request_id(it: &Observations) -> Outcome {
    let json = refusal(it)?.json();
    let error = &json["error"];
    for spelling in ["requestId", "requestID", "request_id"] {
        if error[spelling].is_string() {
            return seen(spelling, "in the envelope");
        }
    }
    let fields = error.as_object().into_iter().flat_map(|error| error.keys());
    let fields: Vec<_> = fields.map(String::as_str).collect();
    seen(
        "none",
        format!(
            "the error has: {}",
            if fields.is_empty() {
                "nothing".to_owned()
            } else {
                fields.join(", ")
            }
        ),
    )
}

/// An error of the API itself; those of the gateway before it look different.
fn refusal(it: &Observations) -> Result<&Reply, String> {
    let reply = it.reply(Question::GetUnknownDeployment)?;
    if reply.is_success() {
        return Err("nothing was refused with an error of the API itself".to_owned());
    }
    Ok(reply)
}

fn unknown_status(it: &Observations) -> Outcome {
    let reply = it.reply(Question::FilterUnknownStatus)?;
    match (reply.status, reply.resources().map(|entries| entries.len())) {
        (200..300, Some(0)) => seen("empty-list", evidence(reply)),
        (200..300, Some(some)) => seen("ignored", format!("{}, {some} entries", evidence(reply))),
        (400..500, _) => seen("refused", evidence(reply)),
        _ => Err(evidence(reply)),
    }
}

pub(super) fn evidence(reply: &Reply) -> String {
    reply.said.to_string()
}
