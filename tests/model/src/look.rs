//! Looking for deployments that are an object's although it does not record them, as `src/controller/observe/{look,lost,others}.rs` and
//! `src/controller/claims.rs` do it.

use aicore_operator::lifecycle::Step;
use aicore_operator::lifecycle::evidence::{Rivalry, Settling};
use aicore_operator::lifecycle::intent::{OpenIntent, Outcome};
use aicore_operator::lifecycle::situation::{
    Fit, Goal, Look, Present, Record, Remote, Replacement, Resolution, Target,
};

use crate::cluster::{Configuration, Intent, Name, OBJECTS, Object, Source};
use crate::ids::{Id, Ids};
use crate::mutant::Mutant;
use crate::observe::{Observer, is_gone};
use crate::process::{Cache, Stage};
use crate::remote::{Listed, Who};
use crate::state::State;

impl State {
    /// The object that holds `id` as far as this process knows: the oldest that records or reserves it, else the oldest that names it.
    pub fn holder(&self, who: Who, id: Id) -> Option<Name> {
        (0..OBJECTS)
            .filter_map(|name| {
                let object = self.view(who, name)?;
                let reserved = self.memory(who, name).reserved == Some(id);
                let rank = if reserved || object.records(id) {
                    0
                } else if names(&object, id) {
                    1
                } else {
                    return None;
                };
                Some((rank, object.uid, name))
            })
            .min()
            .map(|(_, _, name)| name)
    }

    /// Whether this process is creating from `configuration` for an object other than `but`.
    pub fn is_creating(&self, who: Who, but: Option<Name>, configuration: Configuration) -> bool {
        let memories = self
            .process(who)
            .map_or(&[][..], |process| &process.memories);
        memories.iter().enumerate().any(|(name, memory)| {
            memory.plan.is_some_and(|plan| {
                Some(name) != but
                    && matches!(plan.step, Step::Create | Step::Replace)
                    && !matches!(plan.stage, Stage::Tell | Stage::Act)
                    && plan
                        .intent
                        .is_some_and(|intent| intent.configuration == configuration)
            })
        })
    }
}

/// Whether an object without a deployment names `id` as the one to adopt.
pub(crate) fn names(object: &Object, id: Id) -> bool {
    object.adopts() == Some(id) && object.recorded_id().is_none() && !object.terminating
}

impl Observer<'_> {
    pub(crate) fn holder(&self, id: Id) -> Option<Name> {
        if self.protocol.has(Mutant::ClaimsIgnored) {
            return None;
        }
        self.state.holder(self.who, id)
    }

    fn is_unclaimed(&self, id: Id) -> bool {
        self.state
            .holder(self.who, id)
            .is_none_or(|holder| holder == self.name)
    }

    /// Whether no other object holds `id`, nor has held it in the time of this process or left it behind on purpose.
    fn is_lost(&self, id: Id) -> bool {
        let former = self
            .state
            .process(self.who)
            .map(|process| process.former_ids);
        let left = self.state.left.contains(id) || former.unwrap_or_default().contains(id);
        self.is_unclaimed(id) && !left
    }

    fn listed(&self) -> impl Iterator<Item = (Id, Listed)> + use<> {
        let list = self.state.list(self.who);
        (0..)
            .zip(list)
            .filter_map(|(id, listed)| Some((id, listed?)))
    }

    /// Looks for a deployment of an object whose status records none.
    pub(crate) fn look(&mut self, goal: Goal) -> Look {
        let at_rest = matches!(goal, Goal::Stopped | Goal::Deleted);
        let lapsed = self.object.status.lapsed.iter().flatten().next().is_some();
        if self.memory.looked && at_rest && !lapsed && self.object.adopts().is_none() {
            return Look::Nothing;
        }
        if self.is_outdated() {
            return Look::Pending;
        }
        let look = match self.object.adopts() {
            Some(id) => self.adopted(id),
            None => self.lost(goal),
        };
        self.memory.looked = look == Look::Nothing;
        look
    }

    fn adopted(&mut self, id: Id) -> Look {
        self.candidates = Ids::from_iter([id]);
        match (self.state.list(self.who)[id as usize], self.holder(id)) {
            (_, Some(holder)) if holder != self.name => Look::Claimed,
            (None, _) => Look::Nothing,
            (Some(_), _) => Look::One,
        }
    }

    /// Deployments that bear the object's name, or that come from the configuration that it names.
    fn lost(&mut self, goal: Goal) -> Look {
        if self.protocol.has(Mutant::NoLookBeforeCreate) {
            return Look::Nothing;
        }
        self.candidates = self.bearing_name();
        if let (Source::Shared(id), true) = (self.object.spec.source, self.candidates.is_empty()) {
            let found = self.lost_to_a_configuration(Configuration::Shared(id));
            return match (goal, found) {
                (Goal::Running, _) | (_, Look::One) => found,
                // What is only possible is told, and nothing more.
                _ => {
                    self.candidates = Ids::default();
                    Look::Nothing
                }
            };
        }
        match self.candidates.len() {
            0 => Look::Nothing,
            1 => Look::One,
            _ => Look::Several,
        }
    }

    fn bearing_name(&self) -> Ids {
        self.listed()
            .filter(|(id, listed)| {
                listed.configuration.bears(self.name)
                    && listed.target != Target::Deleted
                    && !self.object.knows(*id)
                    && self.is_lost(*id)
            })
            .map(|(id, _)| id)
            .collect()
    }

    /// Deployments from a configuration that may be anybody's: late results of calls that were given up, or such as are younger than an object
    /// that knows of no call although it was held before this process saw it.
    fn lost_to_a_configuration(&mut self, configuration: Configuration) -> Look {
        let settle = self.protocol.timing.settle();
        let young = |(name, intent): (Name, Intent)| self.known_for(name, &intent) < settle;
        if self.protocol.exclusive && self.others_open(configuration).any(young) {
            return Look::Pending;
        }
        let may_be_unrecorded = !self.memory.is_new && self.object.status.serial == 0;
        let candidates: Ids = self
            .listed()
            .filter(|(id, listed)| {
                let younger = may_be_unrecorded && *id >= self.object.born;
                listed.configuration == configuration
                    && listed.target != Target::Deleted
                    && !self.object.knows(*id)
                    && (self.is_late(*id, listed) || younger)
                    && self.is_lost(*id)
            })
            .map(|(id, _)| id)
            .collect();
        if candidates.is_empty() {
            return Look::Nothing;
        }
        if self.state.is_creating(self.who, None, configuration) {
            return Look::Pending;
        }
        if self.others_open(configuration).next().is_some() {
            return Look::Nothing;
        }
        self.candidates = candidates;
        let list = self.state.list(self.who);
        let late = |id: Id| list[id as usize].is_some_and(|listed| self.is_late(id, &listed));
        if self.protocol.exclusive && candidates.len() == 1 && candidates.iter().all(late) {
            Look::One
        } else {
            Look::Several
        }
    }

    /// Whether a deployment may be the result of a create call that was given up.
    fn is_late(&self, id: Id, listed: &Listed) -> bool {
        let mut lapsed = self.object.status.lapsed.iter().flatten();
        lapsed.any(|call| call.configuration == listed.configuration && !call.known.contains(id))
            && listed.target != Target::Deleted
    }

    /// Deployments that are the object's besides the recorded one: late results of create calls that were given up, and once the recorded
    /// deployment is gone, all that bear its name.
    pub(crate) fn unrecorded(&self, record: &Record) -> Ids {
        let Record::Deployment { remote, .. } = record else {
            return Ids::default();
        };
        match remote {
            _ if is_gone(record) || self.is_replaced(remote) => {
                let mut found = self.late();
                found.extend(self.bearing_name().iter());
                found
            }
            // While the recorded one is missing without proof, another one may be its successor.
            Remote::Present(_) => self.late(),
            _ => Ids::default(),
        }
    }

    /// Whether a successor is to be made of a deployment that is there.
    fn is_replaced(&self, remote: &Remote) -> bool {
        matches!(
            remote,
            Remote::Present(Present {
                configuration: Fit::Foreign(Replacement::CreateFirst),
                ..
            })
        )
    }

    fn late(&self) -> Ids {
        let mut calls = self.object.status.lapsed.iter().flatten();
        let under_way = calls.any(|call| {
            self.state.is_creating(self.who, None, call.configuration)
                || self.others_open(call.configuration).next().is_some()
        });
        if under_way {
            return Ids::default();
        }
        self.listed()
            .filter(|(id, listed)| {
                let provable = self.protocol.exclusive || listed.configuration.bears(self.name);
                provable
                    && self.is_late(*id, listed)
                    && !self.object.knows(*id)
                    && self.is_lost(*id)
            })
            .map(|(id, _)| id)
            .collect()
    }

    /// Looks for the result of a create call whose answer was lost.
    pub(crate) fn resolution(&mut self, intent: &Intent) -> Resolution {
        let known_for = match self.memory.intent {
            Some((serial, ticks)) if serial == intent.serial => ticks,
            _ => 0,
        };
        self.memory.intent = Some((intent.serial, known_for));
        if self.is_outdated() {
            return Resolution::Pending;
        }
        let returned = self
            .memory
            .created
            .filter(|(serial, _)| *serial == intent.serial);
        if let Some((_, id)) = returned.filter(|(_, id)| self.is_unclaimed(*id)) {
            self.candidates = Ids::from_iter([id]);
            return Resolution::Found;
        }
        let candidates = self.results_of(intent.configuration);
        let rivalry = Rivalry {
            rivals: self.others_open(intent.configuration).next().is_some(),
            left: candidates.iter().any(|id| !intent.known.contains(id)),
            settling: self.settling(intent, known_for),
        };
        let outcome = self.outcome(intent, candidates);
        let resolution = self.protocol.resolution(&outcome, rivalry);
        if let Some(id) = self.chosen(intent, rivalry.settling, resolution) {
            self.candidates = Ids::from_iter([id]);
            return Resolution::Found;
        }
        self.candidates = match &outcome {
            Outcome::NoCandidate => Ids::default(),
            Outcome::Found(id) => Ids::from_iter([number(id)]),
            Outcome::Ambiguous(ids) => ids.iter().map(|id| number(id)).collect(),
        };
        resolution
    }

    /// What a person has chosen by naming a deployment. It is taken only when the call has settled and its own result was not found: it may
    /// still be on its way.
    fn chosen(
        &mut self,
        intent: &Intent,
        settling: Settling,
        resolution: Resolution,
    ) -> Option<Id> {
        let id = self.object.adopts()?;
        let listed = self.state.list(self.who)[id as usize]?;
        let fits = self.protocol.has(Mutant::ChosenAtOnce)
            && listed.configuration == intent.configuration
            && !intent.known.contains(id);
        let settled = settling == Settling::Over && resolution != Resolution::Found;
        ((fits || settled) && self.adopted(id) == Look::One).then_some(id)
    }

    /// The unclaimed deployments of a configuration.
    fn results_of(&self, configuration: Configuration) -> Ids {
        self.listed()
            .filter(|(id, listed)| listed.configuration == configuration && self.is_lost(*id))
            .map(|(id, _)| id)
            .collect()
    }

    /// How far the create calls for a configuration have settled, as far as this process has seen.
    fn settling(&self, intent: &Intent, known_for: u8) -> Settling {
        let settle = self.protocol.timing.settle();
        let others = self.others_open(intent.configuration);
        let others = others.map(|(name, other)| self.known_for(name, &other));
        if self.protocol.has(Mutant::ClearIntentAtOnce) {
            Settling::Over
        } else if others.chain([known_for]).any(|ticks| ticks < settle) {
            Settling::Going
        } else if self.memory.unsettled {
            Settling::Unseen
        } else {
            Settling::Over
        }
    }

    /// For how many ticks this process has known of another object's create call.
    fn known_for(&self, name: Name, intent: &Intent) -> u8 {
        let known = self.state.memory(self.who, name).intent;
        let known = known.filter(|(serial, _)| *serial == intent.serial);
        known.map_or(0, |(_, ticks)| ticks)
    }

    /// What the set of all open create calls says.
    fn outcome(&self, intent: &Intent, candidates: Ids) -> Outcome {
        let candidates = candidates.iter().map(word).collect();
        let bears_our_name = self.object.status.configuration == Some(intent.configuration)
            && intent.configuration.bears(self.name);
        let open = |uid: u8, intent: &Intent| OpenIntent {
            object: word(uid),
            known: intent.known.iter().map(word).collect(),
        };
        let mut all: Vec<OpenIntent> = self
            .others_open(intent.configuration)
            .filter_map(|(name, other)| Some(open(self.known(name)?.uid, &other)))
            .collect();
        all.push(open(self.object.uid, intent));
        let provable = bears_our_name || self.protocol.exclusive;
        self.protocol
            .resolve(&word(self.object.uid), &all, &candidates, provable)
    }

    /// Another object, as far as this process knows.
    fn known(&self, name: Name) -> Option<Object> {
        match self.state.memory(self.who, name).cache {
            Cache::Held(cached) if self.protocol.has(Mutant::CacheHidesOwnWrites) => cached,
            _ => self.state.view(self.who, name),
        }
    }

    /// The open create calls of other objects for a configuration, own writes included that the cache does not show yet.
    fn others_open(
        &self,
        configuration: Configuration,
    ) -> impl Iterator<Item = (Name, Intent)> + '_ {
        (0..OBJECTS)
            .filter(|name| *name != self.name)
            .filter_map(|name| Some((name, self.known(name)?.status.intent?)))
            .filter(move |(_, intent)| intent.configuration == configuration)
    }
}

/// An id as AI Core writes it.
fn word(id: u8) -> String {
    char::from(b'a' + id).to_string()
}

fn number(word: &str) -> Id {
    word.as_bytes()[0] - b'a'
}
