//! One run: its calls, its looks, and what they have shown.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::ledger::Ledger;
use super::observations::{Exchange, Look, Observations, Sight};
use super::plan::Plan;
use super::question::{IN_PASSING, Names, Question, State};
use super::shown::Shown;
use super::trouble::Trouble;
use crate::aicore::{Call, Client, Error, Reply, request_id};

/// After so many refusals in a row because of too many calls, it is given up.
const MAX_REFUSALS: u32 = 20;
/// The pause after a refusal that does not say how long.
const SHORT_PAUSE: Duration = Duration::from_secs(1);

/// One run.
pub(super) struct Session<'a> {
    pub(super) client: &'a Client,
    pub(super) plan: &'a Plan,
    pub(super) ledger: &'a Ledger,
    /// Somebody wants the run to end.
    pub(super) stop: &'a CancellationToken,
    /// Where a line is told.
    pub(super) progress: &'a (dyn Fn(&str) + Send + Sync),
    pub(super) names: Names,
    /// What was asked once is not asked of a second deployment.
    pub(super) asked: BTreeSet<Question>,
    /// What was seen: one of these for each deployment.
    pub(super) lives: Vec<Observations>,
    pub(super) started: Instant,
    last_state: String,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        client: &'a Client,
        plan: &'a Plan,
        ledger: &'a Ledger,
        stop: &'a CancellationToken,
        progress: &'a (dyn Fn(&str) + Send + Sync),
    ) -> Self {
        let random: u64 = rand::random();
        Self {
            client,
            plan,
            ledger,
            stop,
            progress,
            names: Names {
                group: plan.group.clone(),
                unknown_group: format!("no-such-group-{random:016x}"),
                id: String::new(),
                // Ids of AI Core are a `d` with 15 hexadecimal digits.
                unknown_id: format!("d{:015x}", random >> 4),
                configuration_id: String::new(),
                ttl: plan.time_to_live(),
            },
            asked: BTreeSet::new(),
            lives: Vec::new(),
            started: Instant::now(),
            last_state: String::new(),
        }
    }

    /// What was seen of the present deployment.
    pub(super) fn seen(&mut self) -> &mut Observations {
        if self.lives.is_empty() {
            self.begin_life();
        }
        let last = self.lives.len() - 1;
        &mut self.lives[last]
    }

    /// What follows is about another deployment.
    pub(super) fn begin_life(&mut self) {
        self.names.id.clear();
        self.last_state.clear();
        self.lives.push(Observations {
            ttl: self.names.ttl.clone(),
            unknown_id: self.names.unknown_id.clone(),
            ..Observations::default()
        });
    }

    /// The error when somebody wants the run to end.
    pub(super) fn go_on(&self) -> Result<(), Trouble> {
        if self.stop.is_cancelled() {
            return Err(Trouble::Interrupted);
        }
        Ok(())
    }

    /// Waits, though not when somebody wants the run to end.
    pub(super) async fn pause(&self, time: Duration) {
        self.stop.run_until_cancelled(sleep(time)).await;
    }

    /// Tells a line.
    pub(super) fn tell(&self, line: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        (self.progress)(&format!("{seconds:7.1} s  {line}"));
    }

    /// Puts a question, and keeps the answer.
    pub(super) async fn ask(&mut self, question: Question) -> Result<Reply, Error> {
        self.asked.insert(question);
        let looks_before = self.seen().looks.len();
        let outcome = self.call(question).await;
        let reply = outcome.as_ref().map_err(ToString::to_string).cloned();
        let said = reply
            .as_ref()
            .map_or_else(Clone::clone, |reply| reply.said.to_string());
        self.tell(&format!("asked {question:?}: {said}"));
        let at = self.started.elapsed();
        let exchange = Exchange {
            at,
            looks_before,
            reply,
        };
        self.seen().exchanges.insert(question, exchange);
        outcome
    }

    /// Looks at the deployment, by its id and in the list.
    pub(super) async fn look(&mut self) -> Look {
        let single = self.call(Question::Get).await;
        let listed = self.call(Question::ListWithTop).await;
        let id = &self.names.id;
        let look = Look {
            at: self.started.elapsed(),
            single: sight(&single, |reply| Sight::single(reply, id)),
            listed: sight(&listed, |reply| Sight::listed(reply, id)),
        };
        let state = state_of(&look);
        if state != self.last_state {
            self.tell(&format!("{id} is {state}"));
            self.last_state = state;
        }
        self.seen().looks.push(look.clone());
        look
    }

    /// The question for which the deployment is in the right state now.
    pub(super) fn in_passing(&self, look: &Look) -> Option<Question> {
        let shown: &Shown = look.single.shown()?;
        let mut questions = IN_PASSING.iter();
        let fits =
            |(question, when): &&(Question, State)| !self.asked.contains(question) && when(shown);
        questions.find(fits).map(|(question, _)| *question)
    }

    /// Makes a call; once more where it was refused because there are too many, which has no effect.
    async fn call(&mut self, question: Question) -> Result<Reply, Error> {
        let mut refusals = 0;
        loop {
            let names = self.names.clone();
            let request = question.request(&names);
            let call = Call {
                method: request.method,
                path: &request.path,
                query: &request.query,
                group: request.group,
                body: request.body,
                ids: &[],
                request_id: request_id(),
                media_type: request.media_type,
            };
            let outcome = self.client.ask(&call).await;
            refusals += 1;
            let pause = match &outcome {
                Ok(reply) if reply.status == 429 => {
                    self.seen().throttled.push(reply.retry_after.is_some());
                    reply.retry_after
                }
                Err(error @ (Error::Throttled { .. } | Error::Crowded { .. })) => {
                    error.retry_after()
                }
                _ => {
                    self.note_clock(outcome.as_ref().ok());
                    return outcome;
                }
            };
            if refusals >= MAX_REFUSALS || self.stop.is_cancelled() {
                return outcome;
            }
            self.pause(pause.unwrap_or(SHORT_PAUSE)).await;
        }
    }

    /// The first answer tells how the clocks differ.
    fn note_clock(&mut self, reply: Option<&Reply>) {
        let (Some(reply), None) = (reply, self.seen().clock) else {
            return;
        };
        let ahead = |date: Timestamp| date.duration_since(Timestamp::now()).as_secs();
        self.seen().clock = Some(reply.date.map(ahead));
    }
}

fn sight(outcome: &Result<Reply, Error>, read: impl Fn(Result<&Reply, &str>) -> Sight) -> Sight {
    match outcome {
        Ok(reply) => read(Ok(reply)),
        Err(error) => read(Err(&error.to_string())),
    }
}

/// In a few words, what a look has shown.
pub(super) fn state_of(look: &Look) -> String {
    match (&look.single, &look.listed) {
        (Sight::Shown(shown), listed) => {
            let listed = if listed.is_absent() {
                ", not in the list"
            } else {
                ""
            };
            format!("{}, target {}{listed}", shown.status(), shown.target())
        }
        (Sight::Absent(..), Sight::Absent(..)) => "not there".to_owned(),
        (Sight::Absent(..), Sight::Shown(_)) => "in the list, but not found by its id".to_owned(),
        (Sight::Unclear(status, said), _) | (_, Sight::Unclear(status, said)) => match status {
            // What is said may have a request id in it, so that it is never the same twice.
            Some(status) => format!("not known (HTTP {status})"),
            None => format!("not known: {said}"),
        },
    }
}
