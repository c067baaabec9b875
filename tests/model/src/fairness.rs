//! Law 6: from every state, with no more faults, every object comes to rest where it should.

use std::hash::{DefaultHasher, Hash, Hasher};

use aicore_operator::lifecycle::Step;
use aicore_operator::lifecycle::situation::{Connection, State as RemoteState, Target};
use aicore_operator::lifecycle::step::{Done, Stall};

use crate::action::Action;
use crate::cluster::OBJECTS;
use crate::effects::Server;
use crate::ids::Id;
use crate::model::Model;
use crate::process::Cache;
use crate::remote::{Creator, Deployment, Listing, Who};
use crate::state::State;

/// More moves than any continuation takes.
const MOVES: usize = 400;

/// Why a continuation is no good end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unrest {
    /// It goes on for ever.
    Endless,
    /// An object waits for something that does not come, or for a person without a reason.
    Stuck(usize, Step),
    /// An object says that its goal is reached, and it is not.
    Untrue(usize, Done),
    /// A deployment that we made belongs to nobody.
    Leaked(Id),
}

fn mark(state: &State) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

impl Model {
    /// Whether the fair continuation of a state comes to no good end.
    pub fn unrest(&self, state: &State) -> Option<Unrest> {
        let mut path = vec![mark(state)];
        let mut here = state.clone();
        loop {
            if path.len() > MOVES {
                return Some(Unrest::Endless);
            }
            if self
                .ends
                .lock()
                .is_ok_and(|ends| path.last().is_some_and(|mark| ends.contains(mark)))
            {
                break;
            }
            // That is noticed by itself.
            if here.broken.is_some() {
                break;
            }
            let Some((next, mark)) = self.fair_move(&here, &path) else {
                match self.bad_end(&here) {
                    None => break,
                    unrest => return unrest,
                }
            };
            path.push(mark);
            here = next;
        }
        if let Ok(mut ends) = self.ends.lock() {
            ends.extend(path);
        }
        None
    }

    /// The states of the fair continuation, for a person.
    pub fn continuation(&self, state: &State) -> Vec<State> {
        let mut path = vec![mark(state)];
        let mut states = vec![state.clone()];
        while let Some((next, mark)) = states.last().and_then(|here| self.fair_move(here, &path)) {
            path.push(mark);
            states.push(next);
            if states.len() > MOVES {
                break;
            }
        }
        states
    }

    /// The next state when nothing goes wrong any more, or nothing where all has come to rest.
    fn fair_move(&self, state: &State, path: &[u64]) -> Option<(State, u64)> {
        // What has led back to where it was before makes way for others.
        let try_action = |action| {
            let next = self.apply(state, action)?;
            let mark = mark(&next);
            (!path.contains(&mark)).then_some((next, mark))
        };
        if state.connection != Connection::Ready {
            return try_action(Action::Connect(Connection::Ready));
        }
        if state.leader.held_list.is_some() {
            return try_action(Action::List);
        }
        for name in 0..OBJECTS {
            if state.leader.memories[name].cache != Cache::Live {
                return try_action(Action::Watch(name));
            }
        }
        if state.uninstalling {
            let swept = (0..OBJECTS)
                .find(|name| state.objects[*name].is_some_and(|object| !object.terminating));
            if let Some(name) = swept {
                return try_action(Action::Sweep(name));
            }
        }
        let unlisted = state
            .existing()
            .find(|(_, deployment)| deployment.listing != Listing::Current);
        if let Some((id, _)) = unlisted {
            return try_action(Action::CatchUp(id));
        }
        if let Some(call) = state.calls.first() {
            let arrive = Action::Arrive {
                call: 0,
                answered: true,
                shown: true,
                refused: false,
            };
            return try_action(if call.answer.is_some() {
                Action::Answer(0)
            } else {
                arrive
            });
        }
        let processes = [Who::Former, Who::Leader]
            .into_iter()
            .filter(|who| state.process(*who).is_some());
        let proceeded = processes
            .flat_map(|who| {
                (0..OBJECTS).map(move |name| Action::Proceed(who, name, Server::Answers))
            })
            .find_map(try_action);
        if proceeded.is_some() {
            return proceeded;
        }
        let decided = (0..OBJECTS).find_map(|name| try_action(Action::Decide(name)));
        let moved = || {
            state
                .existing()
                .find_map(|(id, _)| try_action(Action::Move(id, true)))
        };
        decided.or_else(moved).or_else(|| try_action(Action::Tick))
    }

    fn bad_end(&self, state: &State) -> Option<Unrest> {
        for name in 0..OBJECTS {
            let Some(observation) = self.protocol.observe(state, Who::Leader, name) else {
                continue;
            };
            let step = self.protocol.next_step(&observation.situation);
            if !self.may_rest(step) {
                return Some(Unrest::Stuck(name, step));
            }
            let there = observation
                .object
                .recorded_id()
                .and_then(|id| state.deployments[id as usize]);
            let true_word = match step {
                Step::Done(Done::Running) => there.is_some_and(|there| {
                    there.state == RemoteState::Running && there.target == Target::Running
                }),
                Step::Done(Done::Stopped) => there.is_none_or(|there| !there.is_live()),
                Step::Done(Done::Deleted | Done::Released) => there.is_none(),
                _ => true,
            };
            if let (false, Step::Done(done)) = (true_word, step) {
                return Some(Unrest::Untrue(name, done));
            }
        }
        self.leaked(state).map(Unrest::Leaked)
    }

    /// A deployment that we made, that nobody records, and about which no person is asked.
    fn leaked(&self, state: &State) -> Option<Id> {
        let asked = |id: Id| {
            (0..OBJECTS).any(|name| {
                let observation = self.protocol.observe(state, Who::Leader, name);
                observation.is_some_and(|observation| {
                    let step = self.protocol.next_step(&observation.situation);
                    let there = state.deployments[id as usize];
                    // Once a person has answered, all others that bear the object's name are looked at.
                    let later = step == Step::Stall(Stall::Ambiguous)
                        && there.is_some_and(|there| there.configuration.bears(name));
                    later || observation.candidates.contains(id)
                })
            })
        };
        let open = |deployment: &Deployment| {
            let mut intents = state
                .objects
                .iter()
                .flatten()
                .filter_map(|object| object.status.intent);
            intents.any(|intent| intent.configuration == deployment.configuration)
        };
        let ours = |deployment: &Deployment| match deployment.creator {
            Creator::Intent(by, _) => !state.let_go_uids.contains(by) && !state.left_open,
            Creator::Stranger => false,
        };
        let named = |id| state.named.iter().any(|named| named.contains(id));
        state
            .existing()
            .filter(|(_, deployment)| ours(deployment) && !open(deployment))
            .filter(|(_, deployment)| !state.is_out_of_time(deployment))
            .map(|(id, _)| id)
            .filter(|id| !named(*id) && !state.let_go.contains(*id))
            .filter(|id| state.recorders(*id).next().is_none())
            .find(|id| !asked(*id))
    }
}
