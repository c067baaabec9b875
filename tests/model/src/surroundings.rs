//! AI Core, the network, the watch, the users and the strangers.

use aicore_operator::lifecycle::situation::{State as RemoteState, Target};

use crate::cluster::{Configuration, Name, OBJECTS, Object};
use crate::ids::{Id, Ids};
use crate::model::Model;
use crate::process::{Cache, Process};
use crate::remote::{Answer, Creator, Deployment, Listing, Verb, Who};
use crate::state::{DEPLOYMENTS, State};

impl Model {
    /// A call has its effect.
    pub(crate) fn arrive(
        &self,
        state: &mut State,
        place: usize,
        answered: bool,
        shown: bool,
        refused: bool,
    ) {
        let call = state.calls[place];
        let answer = if refused {
            Answer::Refused
        } else {
            effect(state, call.uid, call.verb, shown)
        };
        state.calls[place].answer = Some(answer);
        if answered || call.waiting.is_none() {
            self.answer(state, place, Some(answer));
        }
    }

    /// A call ends for whoever waits for it.
    pub(crate) fn answer(&self, state: &mut State, place: usize, answer: Option<Answer>) {
        let call = state.calls.remove(place);
        if let Some(who) = call.waiting {
            self.protocol
                .answered(state, who, call.name, call.verb, answer);
        }
    }

    /// Whoever waits for a call gives up.
    pub(crate) fn give_up(&self, state: &mut State, place: usize) {
        let call = &mut state.calls[place];
        let (waiting, name, verb) = (call.waiting.take(), call.name, call.verb);
        if call.answer.is_some() {
            state.calls.remove(place);
        }
        if let Some(who) = waiting {
            self.protocol.answered(state, who, name, verb, None);
        }
    }

    /// A tick passes, unless something has to happen before.
    pub(crate) fn tick(&self, state: &mut State) -> bool {
        let timing = self.protocol.timing;
        for call in &mut state.calls {
            if call.age >= timing.timeout {
                return false;
            }
            call.age += 1;
        }
        for deployment in state.deployments.iter_mut().flatten() {
            if let Listing::Older(_, _, age) | Listing::Unborn(age) = &mut deployment.listing {
                if *age >= timing.lag {
                    return false;
                }
                *age += 1;
            }
        }
        for memory in &mut state.leader.memories {
            if let Some((_, ticks)) = &mut memory.intent {
                *ticks = (*ticks + 1).min(timing.settle());
            }
            if let Some((_, ticks)) = &mut memory.stop {
                *ticks = (*ticks + 1).min(timing.settle());
            }
            if state.restored {
                memory.known = (memory.known + 1).min(timing.settle());
            }
            for ticks in memory.missing.iter_mut().flatten() {
                *ticks = (*ticks + 1).min(timing.create_grace());
            }
        }
        true
    }
}

/// What AI Core does when it gets a call.
fn effect(state: &mut State, uid: u8, verb: Verb, shown: bool) -> Answer {
    let id = match verb {
        Verb::Create(configuration, serial) => {
            state.creates(uid, configuration);
            let id = state.create(configuration, Creator::Intent(uid, serial), shown);
            return Answer::Created(id);
        }
        Verb::Stop(id) | Verb::Delete(id) | Verb::Change(id, _) => id,
    };
    let Some(before) = state.deployments[id as usize] else {
        return Answer::NotFound;
    };
    let mut after = before;
    let accepted = match verb {
        Verb::Stop(_) => {
            after.target = Target::Stopped;
            matches!(before.state, RemoteState::Running | RemoteState::Pending)
                && before.target == Target::Running
        }
        Verb::Delete(_) => {
            after.target = Target::Deleted;
            !before.is_live()
        }
        Verb::Change(_, configuration) => {
            after.configuration = configuration;
            after.state = RemoteState::Pending;
            let changeable = matches!(
                before.state,
                RemoteState::Running | RemoteState::Pending | RemoteState::Dead
            );
            let same = before.configuration.program() == configuration.program();
            changeable && same && before.target == Target::Running
        }
        Verb::Create(..) => false,
    };
    if !accepted {
        return Answer::Refused;
    }
    state.change(id, Some(after), shown);
    Answer::Accepted
}

impl State {
    /// Makes a deployment.
    ///
    /// # Panics
    ///
    /// When there are too many: then the exploration needs smaller bounds.
    pub(crate) fn create(
        &mut self,
        configuration: Configuration,
        creator: Creator,
        shown: bool,
    ) -> Id {
        let id = self.next_id;
        assert!(
            (id as usize) < DEPLOYMENTS,
            "more deployments than the model has room for"
        );
        self.next_id += 1;
        let mut deployment = Deployment::new(configuration, creator);
        if !shown {
            deployment.listing = Listing::Unborn(0);
        }
        self.deployments[id as usize] = Some(deployment);
        id
    }

    /// Puts another state of a deployment in place of the one before; lists show it at once or not.
    pub(crate) fn change(&mut self, id: Id, after: Option<Deployment>, shown: bool) {
        let before = self.deployments[id as usize];
        self.deployments[id as usize] = match (before, after) {
            (Some(before), Some(after)) if !shown && before.listing == Listing::Current => {
                Some(Deployment {
                    listing: Listing::Older(before.state, before.target, 0),
                    ..after
                })
            }
            (_, after) => after,
        };
    }

    /// Lists show a deployment like this.
    pub(crate) fn list_as(&mut self, id: Id, listing: Listing) {
        if let Some(deployment) = &mut self.deployments[id as usize] {
            deployment.listing = listing;
        }
    }

    /// Stores an object. One that is being deleted goes as soon as no finalizer holds it.
    pub(crate) fn put(&mut self, name: Name, object: Object) {
        let goes = object.terminating && !object.finalizer;
        self.objects[name] = (!goes).then_some(object);
        let processes = std::iter::once(&mut self.leader).chain(&mut self.former);
        processes
            .filter(|process| goes && process.memories[name].cache == Cache::Live)
            .for_each(|process| process.forget(name, &object));
    }

    /// The leading process dies, and another one starts, which lists all objects first.
    pub(crate) fn crash(&mut self) {
        self.leader = Process::default();
        for call in &mut self.calls {
            call.waiting = call.waiting.filter(|who| *who != Who::Leader);
        }
        self.drop_answered();
    }

    /// Etcd is restored from the backup. The operator notices it and starts anew.
    pub(crate) fn restore(&mut self) {
        let Some(backup) = self.backup.take() else {
            return;
        };
        self.forgotten = (backup.next_id..self.next_id).collect();
        self.note_what_serves(&backup.objects);
        for (name, before) in backup.objects.iter().enumerate() {
            let lost = self.objects[name].filter(|now| before.is_none_or(|it| it.uid != now.uid));
            if let Some(lost) = lost {
                self.orphaned(&lost);
            }
            self.objects[name] = *before;
            if let Some(object) = before {
                self.posted[object.uid as usize] = object.status.serial;
            }
        }
        self.restored = true;
        self.crash();
    }

    /// For the laws: what serves although the backup does not know of it is not to be ended before anything else serves. But a successor may be
    /// stopped by a wish that is forgotten.
    fn note_what_serves(&mut self, backup: &[Option<Object>; OBJECTS]) {
        let forgotten = self.forgotten;
        let serving = self.existing().filter(|(id, deployment)| {
            let named = matches!(deployment.configuration, Configuration::Inline(..));
            let runs =
                deployment.state == RemoteState::Running && deployment.target == Target::Running;
            forgotten.contains(*id) && named && runs
        });
        let serving: Ids = serving.map(|(id, _)| id).collect();
        self.replaced.extend(serving.iter());
        let is_known_to_serve = |name: Name, id: Id| {
            backup[name].is_some_and(|object| {
                object.recorded_id() == Some(id) && object.predecessor().is_none()
            })
        };
        let stopped: Ids = self
            .calls
            .iter()
            .filter_map(|call| match call.verb {
                Verb::Stop(id) if !is_known_to_serve(call.name, id) => Some(id),
                _ => None,
            })
            .collect();
        self.ended.extend(stopped.iter());
    }

    /// Another process takes the Lease over. The former leader goes on with what it does.
    pub(crate) fn take_over(&mut self) {
        self.former = Some(std::mem::take(&mut self.leader));
        for call in &mut self.calls {
            call.waiting = call.waiting.map(|_| Who::Former);
        }
    }

    /// A former leader that does nothing any more is of no interest.
    pub(crate) fn retire(&mut self) {
        if self.former.as_ref().is_some_and(Process::is_idle) {
            self.former = None;
        }
    }

    fn drop_answered(&mut self) {
        self.calls
            .retain(|call| call.waiting.is_some() || call.answer.is_none());
    }

    /// The watch of the leader shows an object as it is.
    pub(crate) fn watch(&mut self, name: Name) {
        let memory = &mut self.leader.memories[name];
        let Cache::Held(before) = memory.cache else {
            return;
        };
        let same = before.map(|object| object.uid) == self.objects[name].map(|object| object.uid);
        memory.cache = Cache::Live;
        memory.newest = None;
        if let Some(before) = before.filter(|_| !same) {
            self.leader.forget(name, &before);
        }
    }

    /// The watch of the leader shows nothing new of an object from now on.
    pub(crate) fn hold_watch(&mut self, name: Name) {
        self.leader.memories[name].cache = Cache::Held(self.objects[name]);
    }

    /// The lists of the leader show nothing new from now on.
    pub(crate) fn hold_list(&mut self, settle: u8) {
        self.leader.held_list = Some(self.listed());
        for memory in &mut self.leader.memories {
            memory.outdated = false;
            memory.unsettled = memory.intent.is_some_and(|(_, ticks)| ticks < settle);
            memory.stop_unsettled = memory.stop.is_none_or(|(_, ticks)| ticks < settle);
            memory.known_unsettled = memory.known < settle;
        }
    }

    /// A new list comes.
    pub(crate) fn relist(&mut self) {
        self.leader.held_list = None;
        for memory in &mut self.leader.memories {
            memory.outdated = false;
            memory.unsettled = false;
            memory.stop_unsettled = false;
            memory.known_unsettled = false;
            memory.sent = None;
        }
    }

    /// A user changes an object.
    pub(crate) fn edit(&mut self, name: Name, change: impl FnOnce(&mut Object)) {
        if let Some(mut object) = self.objects[name] {
            change(&mut object);
            object.generation += 1;
            object.version += 1;
            // Nothing keeps an object that is from a time before it was held.
            if self.restored && object.terminating && !object.finalizer {
                self.orphaned(&object);
            }
            self.put(name, object);
        }
    }

    /// Numbers the versions of every object anew: only their order matters.
    pub(crate) fn renumber(&mut self) {
        for name in 0..OBJECTS {
            let mut versions: Vec<&mut u8> = Vec::with_capacity(8);
            versions.extend(
                self.objects[name]
                    .iter_mut()
                    .map(|object| &mut object.version),
            );
            for process in std::iter::once(&mut self.leader).chain(&mut self.former) {
                let memory = &mut process.memories[name];
                if let Cache::Held(Some(object)) = &mut memory.cache {
                    versions.push(&mut object.version);
                }
                versions.extend(memory.newest.iter_mut().map(|own| &mut own.version));
                versions.extend(memory.plan.iter_mut().map(|plan| &mut plan.version));
            }
            let mut order: Vec<u8> = versions.iter().map(|version| **version).collect();
            order.sort_unstable();
            order.dedup();
            for version in versions {
                *version = order.partition_point(|other| other < version) as u8;
            }
        }
    }
}
