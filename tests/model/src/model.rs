//! The model: what an exploration starts from, and what each action leads to.

use std::collections::HashSet;
use std::sync::Mutex;

use aicore_operator::lifecycle::Step;
use aicore_operator::lifecycle::situation::{Connection, State as RemoteState};
use aicore_operator::lifecycle::step::Stall;
use stateright::Property;

use crate::action::Action;
use crate::budget::Budget;
use crate::cluster::{Configuration, OBJECTS, Object, Spec};
use crate::ids::{Id, Ids};
use crate::laws::properties;
use crate::process::{Process, Stage};
use crate::protocol::Protocol;
use crate::remote::{Creator, Listing, Who};
use crate::state::State;
use crate::users::Wishes;

/// One exploration.
#[derive(Debug)]
pub struct Model {
    /// What it is called.
    pub title: &'static str,
    /// The rules.
    pub protocol: Protocol,
    /// What the objects say at first.
    pub specs: [Option<Spec>; OBJECTS],
    /// Deployments of strangers that exist at first, all from the shared configuration 0.
    pub strangers: u8,
    /// What the users may do.
    pub wishes: Wishes,
    /// How much may happen.
    pub budget: Budget,
    /// Why an object may stay as it is until a person acts.
    pub stalls: &'static [Stall],
    /// Whether a deployment has to pass PENDING.
    pub pending: bool,
    /// The states from which a fair remote is known to lead to an end.
    pub(crate) ends: Mutex<HashSet<u64>>,
}

impl Model {
    /// An exploration of the rules as they are, with no faults.
    pub fn new(title: &'static str, specs: [Option<Spec>; OBJECTS]) -> Self {
        Self {
            title,
            protocol: Protocol::default(),
            specs,
            strangers: 0,
            wishes: Wishes::NONE,
            budget: Budget::NONE,
            stalls: &[],
            pending: false,
            ends: Mutex::default(),
        }
    }

    /// What follows from an action, or nothing where it is not possible.
    pub(crate) fn apply(&self, before: &State, action: Action) -> Option<State> {
        if !self.may_happen(before, action) {
            return None;
        }
        let decided = match action {
            Action::Decide(name) => Some(self.protocol.decide(before, name)?),
            _ => None,
        };
        let mut next = before.clone();
        let state = &mut next;
        state.pay(action);
        let happened = match action {
            Action::Decide(name) => {
                state.leader.memories[name].plan = decided;
                true
            }
            Action::Proceed(who, name, server) => self.protocol.proceed(state, who, name, server),
            Action::Tick => self.tick(state),
            _ => {
                self.surround(state, action);
                true
            }
        };
        if happened {
            self.notice(state);
        }
        happened.then_some(next)
    }

    /// Whether an action has any effect, as far as that can be told without trying.
    fn may_happen(&self, state: &State, action: Action) -> bool {
        match action {
            Action::Proceed(who, name, _) => state.process(who).is_some_and(|process| {
                let plan = process.memories[name].plan;
                plan.is_some_and(|plan| plan.stage != Stage::Wait)
            }),
            Action::Move(id, _) => {
                let deployment = state.deployments[id as usize];
                deployment.is_some_and(|deployment| deployment.progress().is_some())
            }
            // A process without the Lease ends before that.
            Action::Tick => state.former.is_none(),
            Action::Hour => state.calls.is_empty() && state.leader.is_idle(),
            _ => true,
        }
    }

    /// What AI Core, the network, the watch and everybody else do.
    fn surround(&self, state: &mut State, action: Action) {
        match action {
            Action::Arrive {
                call,
                answered,
                shown,
                refused,
            } => self.arrive(state, call, answered, shown, refused),
            Action::Answer(call) => {
                let answer = state.calls[call].answer;
                self.answer(state, call, answer);
            }
            Action::Lose(call) => self.answer(state, call, None),
            Action::GiveUp(call) => self.give_up(state, call),
            Action::Move(id, shown) => self.progress(state, id, shown),
            Action::CatchUp(id) => state.list_as(id, Listing::Current),
            Action::Omit(id) => state.list_as(id, Listing::Omitted),
            Action::Crash => state.crash(),
            Action::TakeOver => state.take_over(),
            Action::HoldWatch(name) => state.hold_watch(name),
            Action::Watch(name) => state.watch(name),
            Action::HoldList => state.hold_list(self.protocol.timing.settle()),
            Action::List => state.relist(),
            Action::Connect(connection) => state.connection = connection,
            _ => self.others(state, action),
        }
    }

    /// AI Core moves a deployment on.
    fn progress(&self, state: &mut State, id: Id, shown: bool) {
        let deployment = state.deployments[id as usize];
        let Some(mut after) = deployment.and_then(|deployment| deployment.progress()) else {
            return;
        };
        if let Some(deployment) = &mut after
            && deployment.state == RemoteState::Pending
            && !self.pending
        {
            deployment.state = RemoteState::Running;
        }
        state.change(id, after, shown);
    }

    /// What is noticed at once: by the leader that looks at its objects, and by the laws.
    fn notice(&self, state: &mut State) {
        state.retire();
        self.protocol.look_over(state);
        for name in 0..OBJECTS {
            if state.leader.memories[name].plan.is_some() {
                continue;
            }
            if state.leader.held_list.is_none() {
                state.leader.memories[name].sent = None;
            }
            if let Some(observation) = self.protocol.observe(state, Who::Leader, name) {
                let mut memory = observation.memory;
                memory.forget_what_is_over(&observation.object);
                state.leader.memories[name] = memory;
            }
        }
        state.renumber();
    }

    fn initial(&self) -> State {
        let mut state = State {
            objects: Default::default(),
            deployments: Default::default(),
            next_id: 0,
            next_uid: OBJECTS as u8,
            calls: Vec::new(),
            leader: Process::default(),
            former: None,
            connection: Connection::Ready,
            uninstalling: false,
            left: Ids::default(),
            backup: None,
            forgotten: Ids::default(),
            budget: self.budget,
            expired: Ids::default(),
            let_go: Ids::default(),
            let_go_uids: Ids::default(),
            left_open: false,
            replaced: Ids::default(),
            ended: Ids::default(),
            restored: false,
            named: Default::default(),
            posted: Default::default(),
            broken: None,
        };
        for _ in 0..self.strangers {
            let id = state.create(Configuration::Shared(0), Creator::Stranger, true);
            if let Some(deployment) = &mut state.deployments[id as usize] {
                deployment.state = RemoteState::Running;
            }
        }
        let born = state.next_id;
        for (name, spec) in self.specs.iter().enumerate() {
            state.objects[name] = spec.map(|spec| Object::new(name as u8, born, spec));
            state.named[name].extend(spec.and_then(|spec| spec.adopt));
        }
        state
    }

    /// Whether this step may be the last one until a person acts.
    pub(crate) fn may_rest(&self, step: Step) -> bool {
        match step {
            Step::Done(_) => true,
            Step::Stall(stall) => self.stalls.contains(&stall),
            _ => false,
        }
    }
}

impl stateright::Model for Model {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.initial()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.broken.is_none() {
            state.fair_and_faulty(&self.protocol, actions);
            self.of_others(state, actions);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.apply(state, action).filter(|next| next != state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties()
    }
}
