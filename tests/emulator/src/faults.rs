//! Faults: what goes wrong between a caller and the API, switched on over `/_emulator/faults`.

use axum::http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::call::{Answer, Call, Operation};

/// A fault: which calls it hits, how often, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Shown in the audit log. The id of the fault when empty.
    #[serde(default)]
    pub name: String,
    /// The calls that it can hit; all when empty.
    #[serde(rename = "match", default)]
    pub matches: Match,
    /// How many matching calls it lets pass first.
    #[serde(default)]
    pub skip: u64,
    /// How many calls it hits; without end when absent.
    #[serde(default)]
    pub times: Option<u64>,
    /// How likely it hits a matching call, from 0 to 1.
    #[serde(default = "always")]
    pub probability: f64,
    /// What it does.
    pub effect: Effect,
}

/// Which calls a fault can hit. Every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Match {
    /// One of these operations; any when empty, the token endpoint included. A bulk call is hit when one of its items
    /// is.
    pub operations: Vec<Operation>,
    /// The group in the path or in the header `AI-Resource-Group`.
    pub resource_group: Option<String>,
    /// A deployment that the call names.
    pub deployment_id: Option<String>,
}

/// What a fault does to a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// Milliseconds to wait before the effect.
    LatencyMs(u64),
    /// Milliseconds to wait between the effect and the answer.
    AnswerLatencyMs(u64),
    /// Another answer instead of the effect.
    Respond(Response),
    /// Another answer after the effect.
    RespondAfter(Response),
    /// The connection is closed without effect and without answer.
    DropBefore,
    /// The connection is closed after the effect, without answer.
    DropAfter,
    /// Only this part of the body is sent (0 to 1), then the connection is closed.
    TruncateBody(f64),
    /// Some items of a bulk call fail without effect.
    PartialBulk(PartialBulk),
    /// Lists, counts and single reads of deployments show an old state.
    StaleList(StaleList),
    /// The same as `dropBefore`, for an outage.
    Down,
}

/// The answer that a fault sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Body; empty when absent.
    #[serde(default)]
    pub body: String,
    /// Header `Content-Type`; `text/plain` when absent.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Header `Retry-After`, seconds or a date; none when absent.
    #[serde(default)]
    pub retry_after: Option<String>,
}

/// Which items of a bulk call fail, and with what code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartialBulk {
    /// 2 means every second item, beginning with the second; 1 means all.
    pub every_nth: usize,
    /// `code` of the item's error.
    pub code: String,
}

/// How old the state is that readers see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StaleList {
    /// Age in milliseconds, at most ten minutes.
    pub age_ms: u64,
}

/// A fault that is switched on, as `GET /_emulator/faults` shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Active {
    pub(crate) id: String,
    /// How many matching calls it has let pass.
    pub(crate) skipped: u64,
    /// How many calls it has hit.
    pub(crate) hits: u64,
    #[serde(flatten)]
    pub(crate) fault: Fault,
}

/// A fault that hits a call.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) name: String,
    pub(crate) effect: Effect,
}

/// The faults that are switched on, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<Active>,
    last_id: u64,
}

fn always() -> f64 {
    1.0
}

impl Faults {
    /// Switches a fault on. The answer is its id; the error a sentence.
    pub(crate) fn add(&mut self, mut fault: Fault) -> Result<String, String> {
        fault.check()?;
        self.last_id += 1;
        let id = format!("f{}", self.last_id);
        if fault.name.is_empty() {
            fault.name.clone_from(&id);
        }
        self.active.push(Active {
            id: id.clone(),
            skipped: 0,
            hits: 0,
            fault,
        });
        Ok(id)
    }

    /// The faults that are switched on.
    pub(crate) fn list(&self) -> &[Active] {
        &self.active
    }

    /// Switches a fault off. False when there is none of this id.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let count = self.active.len();
        self.active.retain(|active| active.id != id);
        self.active.len() < count
    }

    /// Switches all faults off.
    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    /// The fault that hits this call: the oldest one that matches, has hits left, and is not kept off by `skip` or
    /// chance.
    pub(crate) fn choose(&mut self, call: &Call) -> Option<Hit> {
        self.active.iter_mut().find_map(|active| active.hit(call))
    }
}

impl Active {
    fn hit(&mut self, call: &Call) -> Option<Hit> {
        let fault = &self.fault;
        let spent = fault.times.is_some_and(|times| self.hits >= times);
        if spent || !fault.matches.covers(call) || !fault.effect.fits(call) {
            return None;
        }
        if self.skipped < fault.skip {
            self.skipped += 1;
            return None;
        }
        if !rand::random_bool(fault.probability) {
            return None;
        }
        self.hits += 1;
        Some(Hit {
            name: fault.name.clone(),
            effect: fault.effect.clone(),
        })
    }
}

impl Match {
    fn covers(&self, call: &Call) -> bool {
        let group = self.resource_group.as_deref();
        let deployment = self.deployment_id.as_deref();
        group.is_none_or(|group| call.resource_group() == Some(group))
            && call.subjects.iter().any(|subject| {
                (self.operations.is_empty() || self.operations.contains(&subject.operation))
                    && deployment.is_none_or(|id| subject.deployment_id.as_deref() == Some(id))
            })
    }
}

impl Effect {
    /// Whether the effect means anything for this call.
    fn fits(&self, call: &Call) -> bool {
        let reads = [
            Operation::ListDeployments,
            Operation::CountDeployments,
            Operation::GetDeployment,
        ];
        match self {
            Self::PartialBulk(_) => call.bulk,
            Self::StaleList(_) => call
                .subjects
                .iter()
                .any(|subject| reads.contains(&subject.operation)),
            _ => true,
        }
    }

    /// Whether the call has no effect at all.
    pub(crate) fn prevents(&self) -> bool {
        matches!(self, Self::Respond(_) | Self::DropBefore | Self::Down)
    }

    /// Whether the caller gets no answer.
    pub(crate) fn drops(&self) -> bool {
        matches!(self, Self::DropBefore | Self::DropAfter | Self::Down)
    }

    /// The answer that replaces the API's own.
    pub(crate) fn replacement(&self) -> Option<Answer> {
        match self {
            Self::Respond(response) | Self::RespondAfter(response) => Some(response.answer()),
            _ => None,
        }
    }
}

impl Fault {
    fn check(&self) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.probability) {
            return Err("probability must be from 0 to 1".to_owned());
        }
        match &self.effect {
            Effect::TruncateBody(part) if !(0.0..=1.0).contains(part) => {
                Err("truncateBody must be from 0 to 1".to_owned())
            }
            Effect::PartialBulk(PartialBulk { every_nth: 0, .. }) => {
                Err("everyNth must be at least 1".to_owned())
            }
            Effect::Respond(response) | Effect::RespondAfter(response) => response.check(),
            _ => Ok(()),
        }
    }
}

impl Response {
    fn check(&self) -> Result<(), String> {
        if !(200..600).contains(&self.status) {
            return Err(format!(
                "status {} is not an HTTP status from 200 to 599",
                self.status
            ));
        }
        for value in [&self.content_type, &self.retry_after]
            .into_iter()
            .flatten()
        {
            HeaderValue::from_str(value)
                .map_err(|error| format!("{value:?} cannot be a header: {error}"))?;
        }
        Ok(())
    }

    fn answer(&self) -> Answer {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = Answer::text(status, self.body.clone());
        if let Some(content_type) = &self.content_type {
            answer = answer.with_header(header::CONTENT_TYPE, content_type);
        }
        if let Some(retry_after) = &self.retry_after {
            answer = answer.with_header(header::RETRY_AFTER, retry_after);
        }
        answer
    }
}
