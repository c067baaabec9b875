//! Carries the mischief out, and kills the operator.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aicore_emulator::{Kind, Operation};
use harness::operator::Operator;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::mischief::{Aim, Kill, Mischief};
use crate::pace::Pace;
use crate::world::World;

/// How long the call that is aimed at is waited for before the operator is killed without it, and how long its first one.
const AIM_LIMIT: Duration = Duration::from_millis(1_500);
const WORK_LIMIT: Duration = Duration::from_secs(8);

/// How often AI Core's log is read while a call is waited for.
const POLL: Duration = Duration::from_millis(20);

/// How often the operator is looked after, as a kubelet does.
const LOOK: Duration = Duration::from_millis(100);

/// How long after the API server is back the operator may still end for want of it.
const RECOVERY: Duration = Duration::from_secs(5);

/// How often a restart of the API server is tried: while it is away, somebody else may use its port for a moment.
const RESTART_ATTEMPTS: usize = 5;

/// When the operator last had no API server, or may have had none.
#[derive(Debug, Default)]
pub struct ApiAway(Mutex<(usize, Option<Instant>)>);

impl ApiAway {
    fn begin(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 += 1;
    }

    fn end(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = (state.0 - 1, Some(Instant::now()));
    }

    fn excuses_an_end(&self) -> bool {
        let (causes, last) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        causes > 0 || last.is_some_and(|last| last.elapsed() < RECOVERY)
    }
}

/// Does everything that the schedule has, each thing at its time whether the one before has ended or not.
pub async fn rage(
    world: Arc<World>,
    mischief: Vec<(Duration, Mischief)>,
    away: Arc<ApiAway>,
    pace: Arc<Pace>,
) {
    let mut running = JoinSet::new();
    for (at, what) in mischief {
        pace.until(at).await;
        running.spawn(carry_out(Arc::clone(&world), what, Arc::clone(&away)));
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("mischief does not fail");
    }
}

async fn carry_out(world: Arc<World>, what: Mischief, away: Arc<ApiAway>) {
    match what {
        Mischief::Fault { fault, lasts } => {
            let id = world.ai_core.add_fault(&fault).await;
            tokio::time::sleep(lasts).await;
            world.ai_core.remove_fault(&id).await;
        }
        Mischief::RevokeTokens => {
            world.ai_core.revoke_tokens().await;
            world.trouble.count("all tokens revoked");
        }
        Mischief::NoBulk(lasts) => {
            world.ai_core.set(json!({"bulkUpdates": "absent"})).await;
            world.trouble.count("bulk calls switched off");
            tokio::time::sleep(lasts).await;
            world.ai_core.set(json!({"bulkUpdates": "present"})).await;
        }
        Mischief::Cut(lasts) => {
            away.begin();
            world.proxy.cut();
            world.trouble.count("cut off from the API server");
            tokio::time::sleep(lasts).await;
            world.proxy.restore();
            away.end();
        }
        Mischief::RestartApiServer => {
            away.begin();
            restart_api_server(&world).await;
            world.trouble.count("API server restarted");
            away.end();
        }
        Mischief::Stranger(group) => {
            let shared = world
                .shared_of(group)
                .expect("strangers come to the groups that there are");
            world.ai_core.add_deployment(group, shared).await;
            world.trouble.count("deployment of a stranger");
        }
    }
}

async fn restart_api_server(world: &World) {
    for attempt in 1.. {
        match world.control_plane.restart_api_server().await {
            Ok(()) => return,
            Err(error) if attempt == RESTART_ATTEMPTS => panic!("{}", error.with_causes()),
            Err(_) => {}
        }
    }
}

/// The operator, and what happens to it.
pub struct Victim {
    operator: Operator,
    away: Arc<ApiAway>,
    /// How far AI Core's log was read.
    seen: u64,
    /// Ends that nothing excuses, with what it logged last.
    crashes: Vec<String>,
}

impl Victim {
    /// It may end by itself only while the API server is away.
    pub fn new(operator: Operator, away: Arc<ApiAway>) -> Self {
        Self {
            operator,
            away,
            seen: 0,
            crashes: Vec::new(),
        }
    }

    /// Kills it again and again.
    pub async fn suffer(mut self, world: Arc<World>, kills: Vec<Kill>, pace: Arc<Pace>) -> Self {
        let mut time = Duration::ZERO;
        for kill in kills {
            time += kill.duration();
            pace.reach(time);
            if kill.at_work {
                self.until_called(&world, None, WORK_LIMIT).await;
            }
            self.live(&world, Instant::now() + kill.after).await;
            if let Some(Aim { operation, then }) = kill.aim {
                self.until_called(&world, Some(operation), AIM_LIMIT).await;
                tokio::time::sleep(then).await;
            }
            self.operator.kill().await;
            world.trouble.count("operator killed");
            tokio::time::sleep(kill.down).await;
            self.operator.start_again();
        }
        self
    }

    async fn live(&mut self, world: &World, until: Instant) {
        while Instant::now() < until {
            tokio::time::sleep_until(until.min(Instant::now() + LOOK)).await;
            self.look_after(world);
        }
    }

    /// Starts it again when it has ended by itself.
    pub fn look_after(&mut self, world: &World) {
        if !self.operator.has_failed() {
            return;
        }
        if self.away.excuses_an_end() {
            world
                .trouble
                .count("operator ended because the API server was away");
        } else {
            self.crashes.push(self.last_words());
        }
        self.operator.start_again();
    }

    /// Waits for the next call of an operation, or of any, for so long at most.
    async fn until_called(&mut self, world: &World, operation: Option<Operation>, limit: Duration) {
        let end = Instant::now() + limit;
        // What was called before does not count.
        self.has_called(world, operation).await;
        while !self.has_called(world, operation).await && Instant::now() < end {
            tokio::time::sleep(POLL).await;
            self.look_after(world);
        }
    }

    async fn has_called(&mut self, world: &World, operation: Option<Operation>) -> bool {
        let entries = world.ai_core.audit_after(self.seen).await;
        self.seen = entries.last().map_or(self.seen, |entry| entry.seq);
        let mut calls = entries.iter().filter(|entry| entry.kind == Kind::Call);
        calls.any(|call| operation.is_none_or(|operation| call.operation == operation))
    }

    /// Every end that nothing excuses and every panic, in words.
    pub fn crashes(&self) -> Vec<String> {
        let log = self.operator.log();
        let panics = log.lines().filter(|line| line.contains("panicked at"));
        self.crashes
            .iter()
            .cloned()
            .chain(panics.map(str::to_owned))
            .collect()
    }

    /// The log of all its lives.
    pub fn log(&self) -> String {
        self.operator.log()
    }

    fn last_words(&self) -> String {
        let log = self.operator.log();
        let lines: Vec<&str> = log.lines().collect();
        format!(
            "the operator ended by itself: {}",
            lines[lines.len().saturating_sub(3)..].join(" | ")
        )
    }
}
