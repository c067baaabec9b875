//! What is going to happen, as a pure function of the seed: who wishes what and when, what goes wrong, and when the operator is killed.
//!
//! What comes of it is not: the order in which calls, answers and kills meet differs from run to run. The same seed makes the same trouble, not
//! the same luck.

use std::time::Duration;

use rand::Rng as _;
use rand::SeedableRng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

use crate::mischief::{self, Kill, Mischief};
use crate::objects::{DesiredState, Plan, Policy, Source};

/// How many Deployment objects there are.
pub const OBJECTS: usize = 220;

/// How many users there are. Each one has a team of objects, and does one thing after the other.
pub const USERS: usize = 10;

/// How long it is, on average, from one wish of a user about an object to the next.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long it is, on average, from one sweep of a whole team to the next.
const SWEEPS: Duration = Duration::from_secs(40);

/// Which part of the storm the first wishes are spread over.
const OPENING: f64 = 0.3;

/// The shares of each kind of chance are drawn from a stream of their own, so that more of one kind does not reshuffle the others.
#[derive(Clone, Copy)]
enum Stream {
    Objects = 1,
    Users,
    Mischief,
    Kills,
}

/// Everything that is going to happen.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The objects.
    pub objects: Vec<Plan>,
    /// What each user does, in its order.
    pub errands: Vec<Vec<Errand>>,
    /// What goes wrong, in its order.
    pub mischief: Vec<(Duration, Mischief)>,
    /// The kills, one after the other.
    pub kills: Vec<Kill>,
}

/// Something that a user does at a time after the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// When.
    pub at: Duration,
    /// What.
    pub deed: Deed,
}

/// What a user does. Objects are named by their place in [`Schedule::objects`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// `kubectl apply` of the whole object, which creates it when it is not there.
    Apply(usize),
    /// Another value of a parameter of the inline configuration.
    Edit(usize, u32),
    /// Another `desiredState`.
    Wish(usize, DesiredState),
    /// Another `deletionPolicy`.
    Policy(usize, Policy),
    /// `kubectl delete` of one object.
    Delete(usize),
    /// `kubectl delete -l team=...` of all objects of the user at once.
    Sweep,
    /// The ttl of a deployment comes near its end.
    Age(usize),
}

impl Deed {
    /// For the table.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Apply(_) => "apply",
            Self::Edit(..) => "edit the configuration",
            Self::Wish(_, DesiredState::Running) => "wish Running",
            Self::Wish(_, DesiredState::Stopped) => "wish Stopped",
            Self::Wish(_, DesiredState::Deleted) => "wish Deleted",
            Self::Policy(..) => "change the deletionPolicy",
            Self::Delete(_) => "delete",
            Self::Sweep => "delete a team by its label",
            Self::Age(_) => "let a ttl run out",
        }
    }
}

impl Schedule {
    /// The schedule of a storm with so many kills.
    pub fn of(seed: u64, kills: usize) -> Self {
        let random = |stream: Stream| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(stream as u64);
            random
        };
        let kills = mischief::kills(&mut random(Stream::Kills), kills);
        let length = kills.iter().map(Kill::duration).sum();
        let objects = plans(&mut random(Stream::Objects));
        let errands = errands(&mut random(Stream::Users), &objects, length);
        let mischief = mischief::draw(&mut random(Stream::Mischief), length);
        Self {
            objects,
            errands,
            mischief,
            kills,
        }
    }
}

fn plans(random: &mut ChaCha8Rng) -> Vec<Plan> {
    (0..OBJECTS).map(|number| plan(random, number)).collect()
}

fn plan(random: &mut ChaCha8Rng, number: usize) -> Plan {
    let source = match number % 22 {
        0..12 => Source::Inline,
        12..17 => Source::Exclusive(random.random_range(0..2)),
        17..19 => Source::Shared,
        _ => Source::Adopted,
    };
    let may_expire = matches!(source, Source::Inline | Source::Exclusive(_));
    let fate = match random.random_range(0..100) {
        0..70 => None,
        70..85 => Some(DesiredState::Running),
        85..95 => Some(DesiredState::Stopped),
        _ => Some(DesiredState::Deleted),
    };
    Plan {
        name: format!("churn-{number:03}"),
        namespace: random.random_range(0..2),
        group: random.random_range(0..2),
        user: number % USERS,
        source,
        ttl: (may_expire && random.random_bool(0.15))
            .then(|| *[10, 20].choose(random).expect("there are two")),
        policy: policy(random),
        fate,
        last_policy: policy(random),
    }
}

fn policy(random: &mut ChaCha8Rng) -> Policy {
    if random.random_bool(0.12) {
        Policy::Orphan
    } else {
        Policy::Delete
    }
}

fn errands(random: &mut ChaCha8Rng, objects: &[Plan], length: Duration) -> Vec<Vec<Errand>> {
    (0..USERS)
        .map(|user| {
            let sweeps = sweeps(random, length);
            let mut errands: Vec<Errand> = sweeps
                .iter()
                .map(|at| Errand {
                    at: *at,
                    deed: Deed::Sweep,
                })
                .collect();
            for (object, plan) in objects.iter().enumerate() {
                if plan.user == user {
                    errands.extend(life(random, object, plan, &sweeps, length));
                }
            }
            errands.sort_by_key(|errand| errand.at);
            errands
        })
        .collect()
}

/// The sweeps of one user: those of all users together come as often as [`SWEEPS`] says.
fn sweeps(random: &mut ChaCha8Rng, length: Duration) -> Vec<Duration> {
    let mut at = pause(random, SWEEPS * USERS as u32);
    let mut sweeps = Vec::new();
    while at < length {
        sweeps.push(at);
        at += pause(random, SWEEPS * USERS as u32);
    }
    sweeps
}

/// What a user does with one object: a walk in which what is gone is made again.
fn life(
    random: &mut ChaCha8Rng,
    object: usize,
    plan: &Plan,
    sweeps: &[Duration],
    length: Duration,
) -> Vec<Errand> {
    let mut at = length.mul_f64(random.random_range(0.0..OPENING));
    let mut errands = Vec::new();
    let mut there = false;
    let mut parameter = 0;
    while at < length {
        let deed = if there {
            parameter += 1;
            change(random, object, plan, parameter)
        } else {
            Deed::Apply(object)
        };
        there = !matches!(deed, Deed::Delete(_));
        errands.push(Errand { at, deed });
        let next = at + pause(random, PATIENCE);
        if sweeps.iter().any(|sweep| (at..next).contains(sweep)) && plan.may_go() {
            there = false;
        }
        if !there && plan.source == Source::Adopted {
            // What it adopted is gone, so there is nothing to apply it for again.
            break;
        }
        at = next;
    }
    errands
}

fn change(random: &mut ChaCha8Rng, object: usize, plan: &Plan, parameter: u32) -> Deed {
    loop {
        let deed = match random.random_range(0..100) {
            0..30 => Deed::Edit(object, parameter),
            30..44 => Deed::Wish(object, DesiredState::Stopped),
            44..60 => Deed::Wish(object, DesiredState::Running),
            60..70 => Deed::Wish(object, DesiredState::Deleted),
            70..76 => Deed::Policy(object, policy(random)),
            76..92 => Deed::Delete(object),
            _ => Deed::Age(object),
        };
        let makes_sense = match deed {
            Deed::Edit(..) => plan.source == Source::Inline,
            Deed::Delete(_) => plan.may_go(),
            Deed::Age(_) => plan.ttl.is_some(),
            _ => true,
        };
        if makes_sense {
            return deed;
        }
    }
}

/// A pause of this length on average, as between events that know nothing of each other, and never longer than six times that.
pub fn pause(random: &mut ChaCha8Rng, average: Duration) -> Duration {
    let uniform: f64 = random.random_range(0.0025..1.0);
    average.mul_f64(-uniform.ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_schedule_and_another_seed_another() {
        assert_eq!(Schedule::of(7, 20), Schedule::of(7, 20));
        assert_ne!(Schedule::of(7, 20), Schedule::of(8, 20));
    }

    #[test]
    fn more_kills_leave_the_objects_and_the_first_kills_as_they_are() {
        let (short, long) = (Schedule::of(7, 20), Schedule::of(7, 40));
        assert_eq!(short.objects, long.objects);
        assert_eq!(short.kills, long.kills[..20]);
    }

    #[test]
    fn every_object_is_applied_before_anything_else_is_done_with_it() {
        let schedule = Schedule::of(1, 100);
        for (object, plan) in schedule.objects.iter().enumerate() {
            let deeds = schedule.errands[plan.user].iter().map(|errand| errand.deed);
            let first = deeds.filter(|deed| *deed != Deed::Sweep).find(|deed| {
                matches!(deed, Deed::Apply(other) | Deed::Edit(other, _) | Deed::Wish(other, _) | Deed::Policy(other, _)
                    | Deed::Delete(other) | Deed::Age(other) if *other == object)
            });
            assert_eq!(first, Some(Deed::Apply(object)), "{plan:?}");
        }
    }

    #[test]
    fn what_an_object_adopted_is_not_adopted_again_once_the_object_is_deleted() {
        for seed in 0..20 {
            let schedule = Schedule::of(seed, 100);
            for (object, _) in schedule
                .objects
                .iter()
                .enumerate()
                .filter(|(_, plan)| plan.source == Source::Adopted)
            {
                let applied = schedule
                    .errands
                    .iter()
                    .flatten()
                    .filter(|errand| errand.deed == Deed::Apply(object));
                assert_eq!(applied.count(), 1);
            }
        }
    }

    #[test]
    fn there_is_some_of_everything() {
        let schedule = Schedule::of(3, 100);
        let kinds: std::collections::BTreeSet<_> = schedule
            .errands
            .iter()
            .flatten()
            .map(|errand| errand.deed.kind())
            .collect();
        assert_eq!(kinds.len(), 9, "{kinds:?}");
        for source in [
            Source::Inline,
            Source::Exclusive(0),
            Source::Exclusive(1),
            Source::Shared,
            Source::Adopted,
        ] {
            for place in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let here = schedule
                    .objects
                    .iter()
                    .filter(|plan| plan.source == source && (plan.namespace, plan.group) == place);
                assert!(here.count() > 0, "{source:?} at {place:?}");
            }
        }
    }
}
