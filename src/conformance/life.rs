//! The run itself: one deployment from its creation to its proven end, with questions at every stage.

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::course::{Move, next_move};
use super::ledger::Ledger;
use super::observations::{Look, Observations};
use super::plan::Plan;
use super::question::{BEFORE, Question, RUNNING};
use super::report::Report;
use super::session::{Session, state_of};
use super::shown::Shown;
use super::trouble::Trouble;
use crate::aicore::Client;

/// What is asked in a state that should not allow it. When one of these is accepted, the deployment ends early, and what could not be asked of
/// it is asked of another one.
const ENDS_EARLY: [Question; 4] = [
    Question::StopInUnknown,
    Question::DeleteInPending,
    Question::DeleteInRunning,
    Question::DeleteInStopping,
];

/// How often a deployment is looked at that is gone.
const LAST_LOOKS: u32 = 2;

/// Asks everything, removes what it has made in every case, and tells what was seen.
///
/// Once `stop` is cancelled nothing more is asked. What is made and not yet removed stands in `ledger` at every moment.
pub async fn run(
    client: &Client,
    plan: &Plan,
    ledger: &Ledger,
    stop: &CancellationToken,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Report {
    let at = Timestamp::now();
    let mut session = Session::new(client, plan, ledger, stop, progress);
    let mut configuration = None;
    let outcome = session.ask_everything(&mut configuration).await;
    if let Err(trouble) = &outcome {
        session.tell(&format!("{trouble}; cleaning up"));
    }
    session.remove_everything().await;
    Report::new(
        at,
        client.tenant(),
        plan,
        &session.lives,
        outcome.err(),
        configuration,
        ledger.left(),
    )
}

impl Session<'_> {
    async fn ask_everything(
        &mut self,
        configuration: &mut Option<(String, String)>,
    ) -> Result<(), Trouble> {
        let token = self.client.token_facts().await;
        let token = token.map_err(|source| Trouble::Failed {
            what: "no token could be had",
            source,
        })?;
        self.seen().token = Some(token);
        for question in BEFORE {
            self.go_on()?;
            // An answer that did not come is told in the report.
            drop(self.ask(*question).await);
        }
        let name = self.configure().await?;
        *configuration = name.map(|name| (self.names.configuration_id.clone(), name));
        for life in 0..=ENDS_EARLY.len() {
            if life > 0 {
                self.tell("it ended early; the rest is asked of another deployment");
                self.begin_life();
            }
            self.go_on()?;
            self.create().await?;
            self.live().await?;
            let ended_early =
                ENDS_EARLY.map(|question| self.seen().accepted(&[question]).is_some());
            if !ended_early.contains(&true) {
                return never_ran(self.seen()).map_or(Ok(()), Err);
            }
        }
        Ok(())
    }

    /// The life of one deployment.
    async fn live(&mut self) -> Result<(), Trouble> {
        let mut patience = Patience::new();
        loop {
            self.go_on()?;
            let look = self.look().await;
            if let Some(question) = self.in_passing(&look) {
                drop(self.ask(question).await);
                continue;
            }
            match next_move(&look, self.seen()) {
                Move::Wait => patience.check(self.plan, state_of(&look))?,
                Move::AskWhileRunning => {
                    for question in RUNNING {
                        self.go_on()?;
                        drop(self.ask(*question).await);
                    }
                    continue;
                }
                Move::Stop => {
                    self.stop_it().await;
                    continue;
                }
                Move::Delete => {
                    drop(self.ask(Question::Delete).await);
                    continue;
                }
                Move::Refused(question) => return Err(refused(self.seen(), question)),
                Move::Gone => break,
            }
            self.pause(self.plan.poll).await;
        }
        if !self.asked.contains(&Question::DeleteWhenGone) {
            drop(self.ask(Question::DeleteWhenGone).await);
        }
        for _ in 0..LAST_LOOKS {
            self.pause(self.plan.poll).await;
            self.look().await;
        }
        Ok(())
    }

    /// Stops it in a bulk request where those are accepted, and else alone.
    async fn stop_it(&mut self) {
        let bulk = self.seen().accepted(&[Question::BulkOfUnknown]);
        if bulk.is_some() && !self.asked.contains(&Question::StopInBulk) {
            drop(self.ask(Question::StopInBulk).await);
            let answered = self.seen().reply(Question::StopInBulk).is_ok();
            if self.seen().bulk_took_ours() || !answered {
                return;
            }
        }
        drop(self.ask(Question::Stop).await);
    }
}

fn refused(seen: &Observations, question: Question) -> Trouble {
    let said = seen.reply(question).map(|reply| reply.said.to_string());
    Trouble::Refused {
        what: if question == Question::Delete {
            "delete"
        } else {
            "stop"
        },
        said: said.unwrap_or_else(|why| why),
    }
}

/// The trouble with a deployment that has ended without having run.
fn never_ran(seen: &Observations) -> Option<Trouble> {
    let shown = || seen.looks.iter().filter_map(Look::shown);
    if shown().any(|shown| shown.status() == "RUNNING") {
        return None;
    }
    let state = shown().next_back().map(Shown::status).unwrap_or_default();
    Some(Trouble::NeverRan {
        state: state.to_owned(),
    })
}

/// How long nothing has changed.
struct Patience {
    state: String,
    since: Instant,
}

impl Patience {
    fn new() -> Self {
        Self {
            state: String::new(),
            since: Instant::now(),
        }
    }

    fn check(&mut self, plan: &Plan, state: String) -> Result<(), Trouble> {
        if state != self.state {
            *self = Self {
                state,
                since: Instant::now(),
            };
        }
        if self.since.elapsed() < plan.wait {
            return Ok(());
        }
        Err(Trouble::Stuck {
            state: self.state.clone(),
            waited: plan.wait,
        })
    }
}
