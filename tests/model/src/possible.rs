//! What the operator, AI Core and the network may do next.

use aicore_operator::lifecycle::situation::Connection;

use crate::action::Action;
use crate::cluster::OBJECTS;
use crate::effects::Server;
use crate::process::Cache;
use crate::protocol::Protocol;
use crate::remote::{Call, Listing, Verb, Who};
use crate::state::State;

impl State {
    /// What may happen by itself, in time or as a fault.
    pub(crate) fn fair_and_faulty(&self, protocol: &Protocol, actions: &mut Vec<Action>) {
        self.of_the_operator(protocol, actions);
        for (place, call) in self.calls.iter().enumerate() {
            self.of_a_call(place, call, actions);
        }
        for (id, deployment) in self.existing() {
            actions.push(Action::Move(id, true));
            if self.budget.late_lists > 0 {
                actions.push(Action::Move(id, false));
            }
            if matches!(deployment.listing, Listing::Older(..) | Listing::Unborn(_)) {
                actions.push(Action::CatchUp(id));
            }
            let is_recorded = self.recorders(id).next().is_some();
            let is_listed = deployment.listing == Listing::Current;
            if self.budget.omissions > 0 && is_listed && is_recorded {
                actions.push(Action::Omit(id));
            }
        }
        actions.push(Action::Tick);
        self.of_what_is_seen(actions);
    }

    fn of_the_operator(&self, protocol: &Protocol, actions: &mut Vec<Action>) {
        for name in 0..OBJECTS {
            actions.push(Action::Decide(name));
            for who in [Who::Leader, Who::Former] {
                let process = self.process(who);
                let Some(plan) = process.and_then(|process| process.memories[name].plan) else {
                    continue;
                };
                actions.push(Action::Proceed(who, name, Server::Answers));
                if self.budget.lost_writes > 0 && protocol.writes_next(&plan) {
                    actions.push(Action::Proceed(who, name, Server::AnswerLost));
                    actions.push(Action::Proceed(who, name, Server::Fails));
                }
            }
        }
        if self.budget.crashes > 0 {
            actions.push(Action::Crash);
        }
        if self.budget.takeovers > 0 && self.former.is_none() {
            actions.push(Action::TakeOver);
        }
    }

    fn of_a_call(&self, place: usize, call: &Call, actions: &mut Vec<Action>) {
        if call.answer.is_some() {
            actions.extend([Action::Answer(place), Action::GiveUp(place)]);
            return;
        }
        let waited_for = call.waiting.is_some();
        let may_be_lost = self.budget.lost_calls > 0;
        let may_be_late = self.budget.late_lists > 0;
        let arrive = |answered, shown, refused| Action::Arrive {
            call: place,
            answered,
            shown,
            refused,
        };
        actions.push(arrive(true, true, false));
        if may_be_late {
            actions.push(arrive(true, false, false));
        }
        if waited_for && may_be_lost {
            actions.extend([arrive(false, true, false), Action::GiveUp(place)]);
            if may_be_late {
                actions.push(arrive(false, false, false));
            }
        }
        if may_be_lost || !waited_for {
            actions.push(Action::Lose(place));
        }
        if waited_for && self.budget.refusals > 0 && matches!(call.verb, Verb::Create(..)) {
            actions.push(arrive(true, true, true));
        }
    }

    /// What concerns the lists, the watches, and the way to AI Core.
    fn of_what_is_seen(&self, actions: &mut Vec<Action>) {
        if self.leader.held_list.is_some() {
            actions.push(Action::List);
        } else if self.budget.held_lists > 0 {
            actions.push(Action::HoldList);
        }
        for name in 0..OBJECTS {
            if self.leader.memories[name].cache != Cache::Live {
                actions.push(Action::Watch(name));
            } else if self.budget.held_watches > 0 && self.objects[name].is_some() {
                actions.push(Action::HoldWatch(name));
            }
        }
        if self.connection != Connection::Ready {
            actions.push(Action::Connect(Connection::Ready));
        } else if self.budget.outages > 0 {
            actions.push(Action::Connect(Connection::Unreachable));
            actions.push(Action::Connect(Connection::Unusable));
        }
    }
}
