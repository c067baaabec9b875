//! What was seen in one run, as it came. Nothing is concluded here.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::question::Question;
use super::shown::Shown;
use crate::aicore::{Reply, TokenFacts};

/// Everything that one run has seen.
#[derive(Debug, Default)]
pub(crate) struct Observations {
    /// What is known of the token.
    pub(crate) token: Option<TokenFacts>,
    /// By how many seconds AI Core's clock is ahead of ours (`Date`), or nothing when it does not tell the time.
    pub(crate) clock: Option<Option<i64>>,
    /// The time to live that was asked for.
    pub(crate) ttl: String,
    /// The id of a deployment that does not exist.
    pub(crate) unknown_id: String,
    /// The id of the deployment that was created.
    pub(crate) id: Option<String>,
    /// The answers.
    pub(crate) exchanges: BTreeMap<Question, Exchange>,
    /// The looks at the deployment, in their order.
    pub(crate) looks: Vec<Look>,
    /// For each 429, whether it said how long to wait.
    pub(crate) throttled: Vec<bool>,
}

/// A question and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// When it was answered, from the beginning of the run.
    pub(crate) at: Duration,
    /// How many looks there were before it.
    pub(crate) looks_before: usize,
    /// The answer, or why there is none.
    pub(crate) reply: Result<Reply, String>,
}

/// One look at the deployment, by its id and in the list.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// When, from the beginning of the run.
    pub(crate) at: Duration,
    /// `GET /lm/deployments/{id}`
    pub(crate) single: Sight,
    /// `GET /lm/deployments`
    pub(crate) listed: Sight,
}

/// What a look saw.
#[derive(Clone, Debug)]
pub(crate) enum Sight {
    /// The deployment.
    Shown(Shown),
    /// It is not there: 404 or 410 for its id, or a list without it.
    Absent(Option<u16>, String),
    /// Neither.
    Unclear(Option<u16>, String),
}

// === impl Observations ===

impl Observations {
    /// The answer to a question, or the sentence why there is none.
    pub(crate) fn reply(&self, question: Question) -> Result<&Reply, String> {
        let exchange = self.exchanges.get(&question).ok_or(NOT_REACHED)?;
        let reply = exchange.reply.as_ref();
        reply.map_err(|failure| format!("no answer came: {failure}"))
    }

    /// The look right before a question, and the one right after it.
    pub(crate) fn around(&self, question: Question) -> (Option<&Shown>, Option<&Look>) {
        let Some(exchange) = self.exchanges.get(&question) else {
            return (None, None);
        };
        let before = exchange.looks_before.checked_sub(1);
        let before = before.and_then(|index| self.looks.get(index)?.single.shown());
        (before, self.looks.get(exchange.looks_before))
    }

    /// The looks from this question on.
    pub(crate) fn looks_after(&self, question: Question) -> &[Look] {
        let first = self.exchanges.get(&question).map(|it| it.looks_before);
        first.map_or(&[], |first| &self.looks[first.min(self.looks.len())..])
    }

    /// The first of these questions that was answered with a success.
    pub(crate) fn accepted(&self, questions: &[Question]) -> Option<Question> {
        let is_accepted = |question: &Question| {
            let accepted = self.reply(*question).is_ok_and(Reply::is_success);
            accepted && (*question != Question::StopInBulk || self.bulk_took_ours())
        };
        questions.iter().copied().find(is_accepted)
    }

    /// Whether the bulk request stopped the deployment.
    pub(crate) fn bulk_took_ours(&self) -> bool {
        let id = self.id.as_deref().unwrap_or_default();
        let reply = self.reply(Question::StopInBulk);
        reply.is_ok_and(|reply| reply.is_success() && bulk_entry(reply, id).is_some_and(is_taken))
    }

    /// All that was shown of the deployment, in single looks and in lists.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &Shown> {
        let sights = self
            .looks
            .iter()
            .flat_map(|look| [&look.single, &look.listed]);
        sights.filter_map(Sight::shown)
    }
}

/// Why a question has no answer that was not put.
pub(crate) const NOT_REACHED: &str = "the run did not get so far";

/// What the answer to a bulk request says of an id.
pub(crate) fn bulk_entry(reply: &Reply, id: &str) -> Option<Value> {
    let body = reply.json();
    let entries = body.get("deployments")?.as_array()?;
    let entry = entries.iter().find(|entry| entry["id"] == id)?;
    Some(entry.clone())
}

fn is_taken(entry: Value) -> bool {
    entry.get("error").is_none_or(Value::is_null)
}

// === impl Sight ===

impl Sight {
    /// Reads the answer to `GET /lm/deployments/{id}`.
    pub(crate) fn single(reply: Result<&Reply, &str>, id: &str) -> Self {
        let reply = match reply {
            Ok(reply) => reply,
            Err(failure) => return Self::Unclear(None, failure.to_owned()),
        };
        match (reply.status, reply.json()) {
            (200, Value::Object(fields))
                if fields.get("id").and_then(Value::as_str) == Some(id) =>
            {
                Self::Shown(Shown(fields))
            }
            (404 | 410, _) => Self::Absent(Some(reply.status), reply.said.to_string()),
            _ => Self::Unclear(Some(reply.status), reply.said.to_string()),
        }
    }

    /// Reads the answer to `GET /lm/deployments`.
    pub(crate) fn listed(reply: Result<&Reply, &str>, id: &str) -> Self {
        let reply = match reply {
            Ok(reply) => reply,
            Err(failure) => return Self::Unclear(None, failure.to_owned()),
        };
        let status = Some(reply.status);
        let Some(entries) = reply.resources().filter(|_| reply.status == 200) else {
            return Self::Unclear(status, reply.said.to_string());
        };
        let entry = entries
            .into_iter()
            .find(|entry| entry.get("id").and_then(Value::as_str) == Some(id));
        match entry {
            Some(Value::Object(fields)) => Self::Shown(Shown(fields)),
            _ => Self::Absent(status, "a list without it".to_owned()),
        }
    }

    /// The deployment, where it was shown.
    pub(crate) fn shown(&self) -> Option<&Shown> {
        match self {
            Self::Shown(shown) => Some(shown),
            Self::Absent(..) | Self::Unclear(..) => None,
        }
    }

    /// Whether it is not there.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(..))
    }
}

// === impl Look ===

impl Look {
    /// Whether it is neither found by its id nor in the list.
    pub(crate) fn is_absent(&self) -> bool {
        self.single.is_absent() && self.listed.is_absent()
    }

    /// What was shown of it, by its id or else in the list.
    pub(crate) fn shown(&self) -> Option<&Shown> {
        self.single.shown().or(self.listed.shown())
    }
}

// === impl Reply ===

impl Reply {
    /// Whether it is a success.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The entries of a list.
    pub(crate) fn resources(&self) -> Option<Vec<Value>> {
        match self.json().get_mut("resources").map(Value::take) {
            Some(Value::Array(entries)) => Some(entries),
            _ => None,
        }
    }
}
