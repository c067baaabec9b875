//! Looking for deployments that are an object's although it does not record them, as `src/controller/observe/{look,lost,others}.rs` and
//! `src/controller/claims.rs` do it.

use aicore_operator::lifecycle::Step;
use aicore_operator::lifecycle::belonging::{self, Resemblance, Signs, Standing};
use aicore_operator::lifecycle::evidence::{Rivalry, Settling};
use aicore_operator::lifecycle::intent::{OpenIntent, Outcome};
use aicore_operator::lifecycle::late::Age;
use aicore_operator::lifecycle::situation::{Goal, Look, Others, Record, Resolution, Target};

use crate::cluster::{Configuration, Intent, Name, OBJECTS, Object, Source, Wanted};
use crate::ids::{Id, Ids};
use crate::mutant::Mutant;
use crate::observe::Observer;
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

    /// Whether another object has held `id` in the time of this process, or left it behind on purpose.
    fn was_left(&self, id: Id) -> bool {
        let former = self
            .state
            .process(self.who)
            .map(|process| process.former_ids);
        self.state.left.contains(id) || former.unwrap_or_default().contains(id)
    }

    /// Whether no other object holds `id`, nor has ever done so.
    fn is_lost(&self, id: Id) -> bool {
        self.is_unclaimed(id) && !self.was_left(id)
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
        self.named(id)
    }

    fn named(&self, id: Id) -> Look {
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

    /// What is known of a deployment that the object does not record.
    fn signs(&self, id: Id, listed: &Listed) -> Signs {
        let recorded = self.object.recorded_id();
        let may_be_unrecorded = !self.memory.is_new && self.object.status.serial == 0;
        let mut lapsed = self.object.status.lapsed.iter().flatten();
        Signs {
            bears_name: listed.configuration.bears(self.name),
            wanted: self.object.wanted(self.name) == Wanted::Configuration(listed.configuration),
            late: lapsed.any(|call| self.may_be_late(call, id, listed)),
            forgotten: self.state.forgotten.contains(id),
            younger: match recorded {
                Some(recorded) => id > recorded,
                None => may_be_unrecorded && id >= self.object.born,
            },
            exclusive: self.protocol.exclusive,
            going: is_going(listed),
            known: self.object.knows(id),
            disowned: false,
            claimed: !self.is_unclaimed(id),
            left: self.was_left(id),
        }
    }

    /// Whether a deployment may be the result of a create call that was given up.
    fn may_be_late(&self, call: &Intent, id: Id, listed: &Listed) -> bool {
        let age = match self.protocol.has(Mutant::HourIgnored) {
            true => Age::Fresh,
            false => call.age(id),
        };
        let resemblance = Resemblance {
            configuration: call.configuration == listed.configuration,
            ttl: true,
            existed: call.known.contains(id),
            going: is_going(listed),
        };
        resemblance.is_possible_at(age)
    }

    /// Those deployments that the object does not record and that have the signs `are_meant` for.
    fn with_signs(&self, are_meant: impl Fn(Signs) -> bool) -> Vec<(Id, Signs)> {
        self.listed()
            .map(|(id, listed)| (id, self.signs(id, &listed)))
            .filter(|(_, signs)| are_meant(*signs))
            .collect()
    }

    fn bearing_name(&self) -> Ids {
        ids(&self.with_signs(Signs::is_namesake))
    }

    /// Deployments from a configuration that may be anybody's: late results of calls that were given up, or such as are younger than an object
    /// that knows of no call although it was held before this process saw it.
    fn lost_to_a_configuration(&mut self, configuration: Configuration) -> Look {
        let settle = self.protocol.timing.settle();
        let young = |(name, intent): (Name, Intent)| self.known_for(name, &intent) < settle;
        if self.protocol.exclusive && self.others_open(configuration).any(young) {
            return Look::Pending;
        }
        let candidates = self.with_signs(Signs::may_be_lost);
        if candidates.is_empty() {
            return Look::Nothing;
        }
        if self.state.is_creating(self.who, None, configuration) {
            return Look::Pending;
        }
        if self.others_open(configuration).next().is_some() {
            return match candidates.iter().any(|(_, signs)| signs.forgotten) {
                true => Look::Pending,
                false => Look::Nothing,
            };
        }
        self.candidates = ids(&candidates);
        match candidates.as_slice() {
            [(_, signs)] if signs.exclusive && signs.late => Look::One,
            _ => Look::Several,
        }
    }

    /// Deployments that are the object's besides the recorded one, or may be, and what follows from them.
    pub(crate) fn unrecorded(&self, goal: Goal, record: &Record) -> (Ids, Option<Others>) {
        let Record::Deployment { remote, .. } = record else {
            return Default::default();
        };
        let standing = Standing::of(goal, remote, self.settled());
        let stays = matches!(goal, Goal::Running | Goal::Stopped);
        if let Some(id) = self
            .answer()
            .filter(|_| stays && standing == Standing::Missing)
            && self.named(id) == Look::One
        {
            return (Ids::from_iter([id]), Some(Others::Successor));
        }
        let mut lapsed = self.object.status.lapsed.iter().flatten();
        let too_early = lapsed.any(|call| {
            self.state.is_creating(self.who, None, call.configuration)
                || self.others_open(call.configuration).next().is_some()
        });
        let owned = self.with_signs(|signs| {
            let late = signs.late && !too_early;
            self.is_owned(standing, Signs { late, ..signs })
        });
        let doubtful = owned.is_empty();
        let found = match doubtful {
            false => owned,
            true => {
                let is_asked = !self.object.spec.recreate || self.protocol.exclusive;
                let names_it = matches!(self.object.spec.source, Source::Shared(_));
                self.with_signs(|signs| names_it && standing.may_own(signs, is_asked))
            }
        };
        let signs: Vec<Signs> = found.iter().map(|(_, signs)| *signs).collect();
        let found = ids(&found);
        let others = belonging::others(goal, standing, &signs, doubtful);
        match self.answer().filter(|answer| found.contains(*answer)) {
            Some(answer) if others == Some(Others::Successors) => {
                (Ids::from_iter([answer]), Some(Others::Successor))
            }
            _ => (found, others),
        }
    }

    fn is_owned(&self, standing: Standing, signs: Signs) -> bool {
        let has = |mutant| self.protocol.has(mutant);
        match standing {
            Standing::Ended if has(Mutant::NoLookBeforeStoppedElsewhere) => {
                Standing::There.owns(signs)
            }
            Standing::Serves | Standing::Unneeded if has(Mutant::ForgottenIgnored) => {
                Standing::There.owns(signs)
            }
            Standing::Ending if has(Mutant::ForgottenEndedEarly) => Standing::Serves.owns(signs),
            _ => standing.owns(signs),
        }
    }

    /// How far the calls have settled that somebody may have sent before this process knew of the object.
    fn settled(&self) -> Settling {
        let settle = self.protocol.timing.settle();
        if self.protocol.has(Mutant::ForgottenAtOnce) {
            Settling::Over
        } else if self.state.restored && self.memory.known < settle {
            Settling::Going
        } else if self.state.restored && self.memory.known_unsettled {
            Settling::Unseen
        } else {
            Settling::Over
        }
    }

    /// What a person has answered to a question, by naming a deployment.
    fn answer(&self) -> Option<Id> {
        let named = self.object.adopts();
        named.filter(|id| !self.object.knows(*id))
    }

    /// The calls that were given up and of which nothing can come any more.
    pub(crate) fn calls_over(&self) -> Ids {
        let shows = |call: &Intent| {
            let mut listed = self.listed();
            listed.any(|(id, listed)| {
                self.may_be_late(call, id, &listed) && !self.object.knows(id) && self.is_lost(id)
            })
        };
        let lapsed = self.object.status.lapsed.iter().flatten();
        let over = lapsed.filter(|call| call.until.is_some() && !shows(call));
        over.map(|call| call.serial).collect()
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

fn is_going(listed: &Listed) -> bool {
    listed.target == Target::Deleted
}

fn ids(found: &[(Id, Signs)]) -> Ids {
    found.iter().map(|(id, _)| *id).collect()
}

/// An id as AI Core writes it.
fn word(id: u8) -> String {
    char::from(b'a' + id).to_string()
}

fn number(word: &str) -> Id {
    word.as_bytes()[0] - b'a'
}
