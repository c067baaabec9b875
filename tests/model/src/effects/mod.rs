//! The effects of a step, one at a time, in the order of `src/controller/act`.

mod create;
mod retire;

use aicore_operator::lifecycle::Step;
use aicore_operator::lifecycle::situation::{Goal, Order, State as RemoteState};
use aicore_operator::lifecycle::step::Release;

use crate::cluster::{Name, Object, Recorded, Wanted};
use crate::ids::Id;
use crate::laws::Law;
use crate::mutant::Mutant;
use crate::plan::is_rest;
use crate::process::{Cache, Memory, Plan, Stage};
use crate::protocol::Protocol;
use crate::remote::{Answer, Call, Verb, Who};
use crate::state::State;

/// How the API server behaves at a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Server {
    /// It does what it is asked to, and says so.
    Answers,
    /// It does what it is asked to, but the answer is lost.
    AnswerLost,
    /// It does nothing.
    Fails,
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Done,
    /// The object has changed since it was read.
    Stale,
    /// Nobody knows.
    Failed,
}

/// One process at work on one object.
struct Worker<'a> {
    protocol: &'a Protocol,
    state: &'a mut State,
    who: Who,
    name: Name,
    plan: Plan,
    server: Server,
}

impl Protocol {
    /// Does the next thing of what was decided. False where that is to wait.
    pub fn proceed(&self, state: &mut State, who: Who, name: Name, server: Server) -> bool {
        let Some(plan) = state.memory(who, name).plan else {
            return false;
        };
        let mut worker = Worker {
            protocol: self,
            state,
            who,
            name,
            plan,
            server,
        };
        match plan.stage {
            Stage::Wait => return false,
            Stage::Send => worker.send(),
            Stage::Tell => worker.tell(),
            Stage::Keep(id) => worker.keep(id),
            Stage::Close => worker.close(),
            Stage::Act => worker.act(),
        }
        true
    }

    /// Takes in the answer to a call, or that there will be none.
    pub fn answered(
        &self,
        state: &mut State,
        who: Who,
        name: Name,
        verb: Verb,
        answer: Option<Answer>,
    ) {
        unsettle(state, who, name);
        let memory = state.memory_mut(who, name);
        memory.stop = None;
        memory.is_new &= !matches!(verb, Verb::Create(..));
        let Some(plan) = &mut memory.plan else {
            return;
        };
        match (verb, answer) {
            (Verb::Create(..), Some(Answer::Created(id))) => plan.stage = Stage::Keep(id),
            (Verb::Create(..), Some(_)) => plan.stage = Stage::Close,
            (Verb::Create(..), None) if self.has(Mutant::PostAgain) => plan.stage = Stage::Send,
            (Verb::Create(..), None) if self.has(Mutant::LostIsRefused) => {
                plan.stage = Stage::Close
            }
            (Verb::Delete(id), Some(Answer::Accepted)) => {
                memory.accepted.insert(id);
                memory.plan = None;
            }
            _ => memory.plan = None,
        }
    }
}

impl Worker<'_> {
    fn has(&self, mutant: Mutant) -> bool {
        self.protocol.has(mutant)
    }

    fn memory(&mut self) -> &mut Memory {
        self.state.memory_mut(self.who, self.name)
    }

    fn stage(&mut self, stage: Stage) {
        if let Some(plan) = &mut self.memory().plan {
            plan.stage = stage;
        }
    }

    fn end(&mut self) {
        self.memory().plan = None;
    }

    /// Goes on to `next` where a write is done, and ends otherwise.
    fn then(&mut self, written: Written, next: Stage) {
        match written {
            Written::Done => self.stage(next),
            Written::Stale | Written::Failed => self.end(),
        }
    }

    fn tell(&mut self) {
        let told = self.plan.told;
        let written = self.write(|object| object.status = told);
        if is_rest(self.plan.step) {
            self.end();
        } else {
            self.then(written, Stage::Act);
        }
    }

    fn act(&mut self) {
        if self.plan.retiring {
            return self.go_on_retiring();
        }
        match self.plan.step {
            Step::Retire => return self.retire(),
            Step::Take => self.take(),
            Step::Create | Step::Replace => return self.announce(),
            Step::TakeBack => {
                self.write(|object| object.status.take_back());
            }
            Step::Forget => self.forget(),
            Step::ChangeConfiguration | Step::RollBack => return self.send(),
            Step::Stop if self.has(Mutant::StopUnrecorded) => return self.send(),
            Step::Delete if self.has(Mutant::DeleteUnrecorded) => return self.send(),
            Step::Stop | Step::Delete => {
                let id = self.plan.id;
                let written = self.write(|object| object.status.stop_sent_for = id);
                return self.then(written, Stage::Send);
            }
            Step::AddFinalizer => self.add_finalizer(),
            Step::Release(release) => self.release(release),
            Step::ClearIntent => {
                unsettle(self.state, self.who, self.name);
                self.write(|object| {
                    give_up(object);
                    object.status.take_back();
                });
            }
            Step::PrepareConfiguration => {
                let configuration = self.plan.intent.map(|intent| intent.configuration);
                self.write(|object| object.status.configuration = configuration);
            }
            Step::Done(_) | Step::Wait(_) | Step::Stall(_) => {}
        }
        self.end();
    }

    /// Puts the finalizer on. The API server does not take one for an object that is being deleted.
    fn add_finalizer(&mut self) {
        let live = self.state.objects[self.name];
        if live.is_some_and(|object| object.terminating) {
            return;
        }
        let added = self.write(|object| object.finalizer = true);
        self.memory().is_new |= added == Written::Done;
    }

    /// Takes the finalizer off. What is left behind on purpose is written down before.
    fn release(&mut self, release: Release) {
        let before = self.state.objects[self.name];
        let leaves = matches!(release, Release::Orphaned | Release::Forced);
        if leaves && self.server != Server::Fails && !self.has(Mutant::LeftUnrecorded) {
            let known = self.state.view(self.who, self.name);
            let ids = known.into_iter().flat_map(|object| object.recorded_ids());
            self.state.left.extend(ids);
        }
        self.write(|object| object.finalizer = false);
        let after = self.state.objects[self.name];
        let Some(object) = before.filter(|_| before != after) else {
            return;
        };
        let by_the_users_word = match release {
            Release::Orphaned => object.goal() == Goal::Orphaned,
            Release::Forced => object.spec.order == Order::LetGo,
            Release::Uninstalled => self.state.uninstalling,
            Release::Unchecked => true,
            _ => false,
        };
        if by_the_users_word {
            self.state.orphaned(&object);
        } else {
            self.state.released(&object);
        }
    }

    /// Records a deployment that was found.
    fn take(&mut self) {
        let (who, name) = (self.who, self.name);
        let object = self.state.view(who, name);
        let named = object.and_then(|object| object.adopts());
        let former = self.state.process(who).map(|process| process.former_ids);
        let lost = |id: Id| !former.unwrap_or_default().contains(id);
        // What another object had and let go is no result of a call.
        let is_result = object.is_some_and(|object| object.status.intent.is_some());
        let free = |id: &Id| !is_result || named == Some(*id) || lost(*id);
        let free = self.plan.id.filter(free);
        let Some(id) = free.filter(|id| self.reserve(*id)) else {
            return;
        };
        let chosen =
            named == Some(id) && object.is_some_and(|object| object.status.intent.is_some());
        let created = self.memory().created;
        let is_proven =
            created.is_some_and(|(_, created)| created == id) || self.has(Mutant::FoundIsProof);
        let present = self.plan.shown;
        let replaced = object.and_then(|object| object.recorded_id());
        let written = self.write(|object| {
            match present {
                Some(RemoteState::Stopped | RemoteState::Completed | RemoteState::Dead) => {
                    object.status.retire();
                }
                Some(_) => object.status.make_way(),
                None => {}
            }
            if let Some(gone) = object.status.deployment {
                object.status.previous.insert(gone.id);
            }
            // It may be another call's result after all, or none, and then the call may still have one of its own.
            if !is_proven {
                give_up(object);
            }
            record(object, id);
        });
        if present.is_some() && written == Written::Done {
            self.state.replaced.extend(replaced);
        }
        if written == Written::Stale {
            self.memory().reserved = None;
        } else if chosen && !self.protocol.exclusive {
            self.state.chose(self.plan.uid);
        }
    }

    /// Forgets a deployment that is proven to be gone.
    fn forget(&mut self) {
        let name = self.name;
        unsettle(self.state, self.who, name);
        let written = self.write(|object| {
            let Some(gone) = object.status.deployment.take() else {
                return;
            };
            if object.wanted(name) == Wanted::Nothing {
                object.status.configuration = gone.configuration;
            }
            object.status.previous.insert(gone.id);
            object.status.stop_sent_for = None;
            object.status.take_back();
        });
        if written == Written::Done {
            self.memory().reserved = None;
            self.forget_all_about(self.plan.id);
        }
    }

    fn forget_all_about(&mut self, id: Option<Id>) {
        if let Some(id) = id {
            let memory = self.memory();
            memory.missing[id as usize] = None;
            memory.accepted.remove(id);
            memory.gone.remove(id);
        }
    }

    /// Reserves `id` in the register of claims, unless another object holds it.
    fn reserve(&mut self, id: Id) -> bool {
        let holder = self.state.holder(self.who, id);
        let free = holder.is_none_or(|holder| holder == self.name);
        let unasked = self.has(Mutant::NoReservation);
        let known = self.state.view(self.who, self.name).is_some();
        let taken = free || unasked || self.has(Mutant::ClaimsIgnored);
        if taken && known && !unasked {
            self.memory().reserved = Some(id);
        }
        taken
    }

    /// Sends the call of the step, unless the Lease has lapsed, or the user does not want it any more.
    fn send(&mut self) {
        if self.who == Who::Former {
            if !self.has(Mutant::LapsedLease) {
                return self.end();
            }
            self.state.breaks(Law::SentWithoutLease);
        }
        if self.is_withdrawn() {
            if !self.has(Mutant::SentUnasked) {
                return self.end();
            }
            self.state.breaks(Law::SentUnwanted);
        }
        let Some(verb) = self.verb() else {
            return self.end();
        };
        let call = Call {
            waiting: Some(self.who),
            name: self.name,
            uid: self.plan.uid,
            verb,
            shown: self.plan.shown,
            age: 0,
            answer: None,
        };
        self.protocol.sends(self.state, &call, self.plan.version);
        let sent = self.plan.id.map(|id| (self.plan.step, id));
        if self.who == Who::Leader && sent.is_some() {
            if self.memory().sent == sent {
                self.state.breaks(Law::Repeated);
            }
            self.memory().sent = sent;
        }
        self.state.calls.push(call);
        self.stage(Stage::Wait);
    }

    /// Whether the cache shows that the user has changed his mind since this was decided: it may have waited for others to be sent together.
    fn is_withdrawn(&self) -> bool {
        let plan = &self.plan;
        let cached = self.state.cached(self.who, self.name);
        let same = cached
            .is_some_and(|object| object.uid == plan.uid && object.generation <= plan.generation);
        matches!(plan.step, Step::Stop | Step::Delete) && !same
    }

    fn verb(&self) -> Option<Verb> {
        let (id, intent) = (self.plan.id, self.plan.intent);
        Some(match self.plan.step {
            Step::Create | Step::Replace => Verb::Create(intent?.configuration, intent?.serial),
            Step::Stop => Verb::Stop(id?),
            Step::Delete => Verb::Delete(id?),
            Step::ChangeConfiguration => Verb::Change(id?, intent?.configuration),
            _ => return None,
        })
    }

    /// Writes to the object on the version that was looked at, or that the write before has made.
    fn write(&mut self, change: impl FnOnce(&mut Object)) -> Written {
        if self.server == Server::Fails {
            return Written::Failed;
        }
        let live = self.state.objects[self.name];
        let Some(mut object) = live.filter(|object| object.uid == self.plan.uid) else {
            return Written::Stale;
        };
        if object.version != self.plan.version && !self.has(Mutant::BlindWrites) {
            return Written::Stale;
        }
        change(&mut object);
        object.version += 1;
        self.state.put(self.name, object);
        if self.server == Server::AnswerLost {
            return Written::Failed;
        }
        let memory = self.memory();
        if matches!(memory.cache, Cache::Held(_)) {
            memory.newest = Some(object);
        }
        if let Some(plan) = &mut memory.plan {
            plan.version = object.version;
        }
        Written::Done
    }
}

/// Gives up the open create call, but keeps it in mind.
fn give_up(object: &mut Object) {
    let status = &mut object.status;
    status.lapsed = pushed(status.lapsed, status.intent.take());
}

fn record(object: &mut Object, id: Id) {
    object.status.deployment = Some(Recorded::unseen(id));
    object.status.intent = None;
    object.status.stop_sent_for = None;
}

/// Puts one more behind those that are there; the oldest goes where there is no room.
fn pushed<T: Copy>(all: [Option<T>; 2], one: Option<T>) -> [Option<T>; 2] {
    match (all, one) {
        (_, None) => all,
        ([None, _], one) => [one, None],
        ([first, None], one) => [first, one],
        ([_, second], one) => [second, one],
    }
}

/// Only lists that are requested from now on count.
fn unsettle(state: &mut State, who: Who, name: Name) {
    let held = who == Who::Leader && state.leader.held_list.is_some();
    let memory = state.memory_mut(who, name);
    memory.outdated |= held;
    memory.looked = false;
}
