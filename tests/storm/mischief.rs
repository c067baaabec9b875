//! What can go wrong, and the dice for it.

use std::time::Duration;

use aicore_emulator::Operation::{
    self, ChangeConfiguration, CreateConfiguration, CreateDeployment, DeleteDeployment,
    ListConfigurations, ListDeployments, StopDeployment, Token,
};
use aicore_emulator::{Effect, Fault, Match, PartialBulk, Response, StaleList};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

use crate::objects::GROUPS;
use crate::schedule::pause;

/// The calls that change something.
const WRITES: [Operation; 5] = [
    CreateDeployment,
    StopDeployment,
    ChangeConfiguration,
    DeleteDeployment,
    CreateConfiguration,
];

/// The latest that a held back call has its effect, in milliseconds. It is later than the operator waits for an answer, and with the age of
/// the oldest list still well within the time that it takes to be certain that a call had no effect.
const LATEST_EFFECT: u64 = 3_200;

/// The age of the oldest list, in milliseconds: less than half of the operator's grace period.
pub const OLDEST_LIST: u64 = 800;

/// The latest that an answer comes after its effect, in milliseconds: later than the operator waits.
const LATEST_ANSWER: u64 = 4_000;

/// How long it takes about until the operator has begun to work.
const STARTING: Duration = Duration::from_millis(200);

/// How long it takes about until a call comes that is aimed at.
const AIMING: Duration = Duration::from_millis(700);

/// How often, on average, something of a kind goes wrong.
const FAULTS: Duration = Duration::from_millis(1_700);
const REVOCATIONS: Duration = Duration::from_secs(9);
const CUTS: Duration = Duration::from_secs(15);
const BULK: Duration = Duration::from_secs(30);
const STRANGERS: Duration = Duration::from_secs(20);

/// How often the API server is restarted, and at least how many times.
const RESTARTS: Duration = Duration::from_secs(60);
const LEAST_RESTARTS: u32 = 2;

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Mischief {
    /// AI Core does not answer as it should, for some calls and for some time.
    Fault {
        /// What goes wrong.
        fault: Box<Fault>,
        /// How long.
        lasts: Duration,
    },
    /// Every token that was handed out is worthless.
    RevokeTokens,
    /// AI Core takes no bulk calls for a while.
    NoBulk(Duration),
    /// The operator is cut off from the API server.
    Cut(Duration),
    /// The API server ends and starts again.
    RestartApiServer,
    /// Somebody else makes a deployment from the shared configuration of a group.
    Stranger(&'static str),
}

/// One kill, and the start after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kill {
    /// Whether the operator lives until it has called AI Core: a slow machine must not end every life before it has begun.
    pub at_work: bool,
    /// How long it lives at least, from its start or from that call on.
    pub after: Duration,
    /// What is waited for then, so that the kill comes at the worst moment.
    pub aim: Option<Aim>,
    /// How long it stays away.
    pub down: Duration,
}

/// A moment of the operator's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aim {
    /// The next call of this operation, answered or not.
    pub operation: Operation,
    /// How long after it.
    pub then: Duration,
}

impl Kill {
    /// How long it takes about, from one start of the operator to the next.
    pub fn duration(&self) -> Duration {
        let aiming = self.aim.map_or(Duration::ZERO, |_| AIMING);
        STARTING + self.after + aiming + self.down
    }
}

/// So many kills: most of them soon after the start, some after a life that is long enough to settle what was interrupted before.
pub fn kills(random: &mut ChaCha8Rng, count: usize) -> Vec<Kill> {
    (0..count)
        .map(|_| {
            let milliseconds = if random.random_bool(0.9) {
                random.random_range(50..1_200)
            } else {
                random.random_range(4_000..8_000)
            };
            let aim = random.random_bool(0.4).then(|| Aim {
                operation: *[
                    CreateDeployment,
                    CreateDeployment,
                    CreateConfiguration,
                    StopDeployment,
                    DeleteDeployment,
                    ChangeConfiguration,
                ]
                .choose(random)
                .expect("there are some"),
                then: Duration::from_millis(random.random_range(0..60)),
            });
            let down = if random.random_bool(0.8) {
                0
            } else {
                random.random_range(100..1_500)
            };
            Kill {
                at_work: random.random_bool(0.85),
                after: Duration::from_millis(milliseconds),
                aim,
                down: Duration::from_millis(down),
            }
        })
        .collect()
}

/// Everything that goes wrong in a storm of this length, in its order.
pub fn draw(random: &mut ChaCha8Rng, length: Duration) -> Vec<(Duration, Mischief)> {
    let mut all = Vec::new();
    repeat(random, length, FAULTS, &mut all, |random| Mischief::Fault {
        fault: Box::new(fault(random)),
        lasts: Duration::from_millis(random.random_range(1_000..6_000)),
    });
    repeat(random, length, REVOCATIONS, &mut all, |_| {
        Mischief::RevokeTokens
    });
    repeat(random, length, CUTS, &mut all, |random| {
        Mischief::Cut(Duration::from_millis(random.random_range(100..3_000)))
    });
    repeat(random, length, BULK, &mut all, |random| {
        Mischief::NoBulk(Duration::from_millis(random.random_range(1_000..8_000)))
    });
    repeat(random, length, STRANGERS, &mut all, |random| {
        Mischief::Stranger(GROUPS.choose(random).expect("there are some"))
    });
    let restarts = LEAST_RESTARTS.max((length.as_secs() / RESTARTS.as_secs()) as u32);
    for _ in 0..restarts {
        let at = length.mul_f64(random.random_range(0.1..0.95));
        all.push((at, Mischief::RestartApiServer));
    }
    all.sort_by_key(|(at, _)| *at);
    all
}

fn repeat(
    random: &mut ChaCha8Rng,
    length: Duration,
    average: Duration,
    all: &mut Vec<(Duration, Mischief)>,
    mut next: impl FnMut(&mut ChaCha8Rng) -> Mischief,
) {
    let mut at = pause(random, average);
    while at < length {
        all.push((at, next(random)));
        at += pause(random, average);
    }
}

/// A fault that hits a handful of calls. Its name is what the table counts it by.
fn fault(random: &mut ChaCha8Rng) -> Fault {
    let (name, operations, effect) = match random.random_range(0..100) {
        0..9 => ("429", some(random), respond(429, "slow down", Some("1"))),
        9..18 => ("500", some(random), respond(500, "it broke", None)),
        18..22 => ("503", some(random), respond(503, "<html></html>", None)),
        22..30 => (
            "call lost before its effect",
            WRITES.to_vec(),
            Effect::DropBefore,
        ),
        30..42 => (
            "answer lost after the effect",
            WRITES.to_vec(),
            Effect::DropAfter,
        ),
        42..48 => (
            "answer replaced after the effect",
            WRITES.to_vec(),
            Effect::RespondAfter(response(502, "<html>Bad Gateway</html>", None)),
        ),
        48..57 => (
            "answer cut short",
            vec![ListDeployments, ListConfigurations, CreateDeployment],
            Effect::TruncateBody(random.random_range(0.02..0.98)),
        ),
        57..65 => (
            "some items of a bulk call refused",
            Vec::new(),
            Effect::PartialBulk(PartialBulk {
                every_nth: random.random_range(1..4),
                code: "01510001".to_owned(),
            }),
        ),
        65..77 => (
            "stale list",
            Vec::new(),
            Effect::StaleList(StaleList {
                age_ms: random.random_range(100..OLDEST_LIST),
            }),
        ),
        77..85 => (
            "late effect",
            WRITES.to_vec(),
            Effect::LatencyMs(random.random_range(50..LATEST_EFFECT)),
        ),
        85..93 => {
            let calls = [&WRITES[..], &[CreateDeployment], &[ListDeployments]];
            (
                "late answer",
                calls.choose(random).expect("there are some").to_vec(),
                Effect::AnswerLatencyMs(random.random_range(50..LATEST_ANSWER)),
            )
        }
        93..96 => ("no token", vec![Token], respond(503, "later", None)),
        _ => ("down", Vec::new(), Effect::Down),
    };
    Fault {
        name: name.to_owned(),
        matches: Match {
            operations,
            ..Match::default()
        },
        skip: random.random_range(0..4),
        times: Some(random.random_range(1..12)),
        probability: 1.0,
        effect,
    }
}

/// All calls, the writes, or one kind of writes.
fn some(random: &mut ChaCha8Rng) -> Vec<Operation> {
    match random.random_range(0..3) {
        0 => Vec::new(),
        1 => WRITES.to_vec(),
        _ => vec![*WRITES.choose(random).expect("there are some")],
    }
}

fn respond(status: u16, body: &str, retry_after: Option<&str>) -> Effect {
    Effect::Respond(response(status, body, retry_after))
}

fn response(status: u16, body: &str, retry_after: Option<&str>) -> Response {
    Response {
        status,
        body: body.to_owned(),
        content_type: None,
        retry_after: retry_after.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn a_storm_of_a_hundred_kills_has_every_kind_of_trouble_in_it() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let drawn = draw(&mut random, Duration::from_secs(180));
        let faults: std::collections::BTreeSet<_> = drawn
            .iter()
            .filter_map(|(_, mischief)| match mischief {
                Mischief::Fault { fault, .. } => Some(fault.name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(faults.len(), 13, "{faults:?}");
        let has = |wanted: fn(&Mischief) -> bool| drawn.iter().any(|(_, found)| wanted(found));
        assert!(has(|mischief| matches!(mischief, Mischief::RevokeTokens)));
        assert!(has(|mischief| matches!(mischief, Mischief::NoBulk(_))));
        assert!(has(|mischief| matches!(mischief, Mischief::Cut(_))));
        assert!(has(|mischief| matches!(
            mischief,
            Mischief::RestartApiServer
        )));
        assert!(has(|mischief| matches!(mischief, Mischief::Stranger(_))));
    }

    #[test]
    fn kills_come_about_two_seconds_apart() {
        let kills = kills(&mut ChaCha8Rng::seed_from_u64(1), 1_000);
        let whole: Duration = kills.iter().map(Kill::duration).sum();
        assert!(
            (1_500..2_500).contains(&whole.as_secs()),
            "{whole:?} for 1000 kills"
        );
    }
}
