//! How much of each fault, and of what others do, one exploration allows.

use aicore_operator::lifecycle::situation::Connection;

use crate::action::Action;
use crate::effects::Server;
use crate::state::State;

/// How often each may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// The leading process dies.
    pub crashes: u8,
    /// Another process takes the Lease over while the former leader goes on with what it does.
    pub takeovers: u8,
    /// A call to AI Core, or its answer, is lost or late.
    pub lost_calls: u8,
    /// AI Core refuses to create.
    pub refusals: u8,
    /// A write to Kubernetes takes effect, but its answer is lost.
    pub lost_writes: u8,
    /// The watch shows nothing new of an object for a while.
    pub held_watches: u8,
    /// The lists show nothing new for a while.
    pub held_lists: u8,
    /// A change is not in the lists for a while.
    pub late_lists: u8,
    /// A deployment is in no list, although it answers.
    pub omissions: u8,
    /// AI Core cannot be reached, or accepts no key.
    pub outages: u8,
    /// A user changes a spec.
    pub edits: u8,
    /// A user deletes an object.
    pub deletions: u8,
    /// A user applies an object again that is gone.
    pub applications: u8,
    /// Somebody deletes the custom resource definition, and with it all objects.
    pub uninstalls: u8,
    /// Etcd is restored from a backup.
    pub restores: u8,
    /// A stranger creates a deployment from a shared configuration.
    pub strangers: u8,
    /// A stranger copies a deployment that an object has.
    pub copies: u8,
    /// So much time passes that create calls are too old.
    pub hours: u8,
    /// Somebody stops or deletes a deployment behind our back.
    pub meddling: u8,
    /// A running deployment dies.
    pub deaths: u8,
    /// A ttl runs out.
    pub expiries: u8,
}

impl Budget {
    /// Nothing happens but what has to.
    pub const NONE: Self = Self {
        crashes: 0,
        takeovers: 0,
        lost_calls: 0,
        refusals: 0,
        lost_writes: 0,
        held_watches: 0,
        held_lists: 0,
        late_lists: 0,
        omissions: 0,
        outages: 0,
        edits: 0,
        deletions: 0,
        applications: 0,
        uninstalls: 0,
        restores: 0,
        strangers: 0,
        copies: 0,
        hours: 0,
        meddling: 0,
        deaths: 0,
        expiries: 0,
    };
}

impl State {
    /// Takes what an action costs from the budget.
    pub(crate) fn pay(&mut self, action: Action) {
        let budget = &mut self.budget;
        match action {
            Action::Proceed(_, _, server) => {
                budget.lost_writes -= u8::from(server != Server::Answers);
            }
            Action::Arrive {
                call,
                answered,
                shown,
                refused,
            } => {
                let waited_for = self.calls[call].waiting.is_some();
                budget.lost_calls -= u8::from(waited_for && !answered);
                budget.late_lists -= u8::from(!shown);
                budget.refusals -= u8::from(refused);
            }
            Action::Lose(call) => {
                budget.lost_calls -= u8::from(self.calls[call].waiting.is_some());
            }
            Action::GiveUp(call) => {
                budget.lost_calls -= u8::from(self.calls[call].answer.is_none());
            }
            Action::Move(_, shown) => budget.late_lists -= u8::from(!shown),
            Action::Connect(to) => budget.outages -= u8::from(to != Connection::Ready),
            Action::Crash => budget.crashes -= 1,
            Action::TakeOver => budget.takeovers -= 1,
            Action::HoldWatch(_) => budget.held_watches -= 1,
            Action::HoldList => budget.held_lists -= 1,
            Action::Omit(_) => budget.omissions -= 1,
            Action::Desire(..)
            | Action::Configure(..)
            | Action::Adopt(..)
            | Action::Orphan(_)
            | Action::Annotate(..) => budget.edits -= 1,
            Action::DeleteObject(_) => budget.deletions -= 1,
            Action::Apply(_) => budget.applications -= 1,
            Action::Uninstall => budget.uninstalls -= 1,
            Action::Restore => budget.restores -= 1,
            Action::StrangerCreates => budget.strangers -= 1,
            Action::StrangerCopies(_) => budget.copies -= 1,
            Action::Hour => budget.hours -= 1,
            Action::StrangerStops(_) | Action::StrangerDeletes(_) => budget.meddling -= 1,
            Action::Die(_) => budget.deaths -= 1,
            Action::Expire(_) => budget.expiries -= 1,
            Action::Decide(_)
            | Action::Answer(_)
            | Action::CatchUp(_)
            | Action::Tick
            | Action::Watch(_)
            | Action::List
            | Action::Sweep(_)
            | Action::Save => {}
        }
    }
}
