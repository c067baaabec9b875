//! AI Core: deployments, what lists show of them, and the calls that are on their way.

use aicore_operator::lifecycle::situation::{State, Target};

use crate::cluster::{Configuration, Name, Uid};
use crate::ids::Id;

/// Who created a deployment. AI Core does not tell; only the laws may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Creator {
    /// The create call that the object with this uid announced under this serial number.
    Intent(Uid, u8),
    /// Somebody else.
    Stranger,
}

/// What lists show of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listing {
    /// What is the case.
    Current,
    /// What was the case, for so many ticks by now.
    Older(State, Target, u8),
    /// Nothing yet, for so many ticks by now. Asked for by its id it answers 404 as well.
    Unborn(u8),
    /// Nothing, although it answers when it is asked for by its id.
    Omitted,
}

/// One deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deployment {
    /// Its state.
    pub state: State,
    /// Where AI Core is driving it.
    pub target: Target,
    /// What it was created from, or changed to.
    pub configuration: Configuration,
    /// Who created it.
    pub creator: Creator,
    /// Whether its ttl has run out.
    pub expired: bool,
    /// What lists show of it.
    pub listing: Listing,
}

/// What a list shows of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Listed {
    /// Its state.
    pub state: State,
    /// Where AI Core is driving it.
    pub target: Target,
    /// What it was created from.
    pub configuration: Configuration,
    /// Whether its ttl has run out.
    pub expired: bool,
}

impl Deployment {
    /// A new one.
    pub fn new(configuration: Configuration, creator: Creator) -> Self {
        Self {
            state: State::Unknown,
            target: Target::Running,
            configuration,
            creator,
            expired: false,
            listing: Listing::Current,
        }
    }

    /// What it answers when it is asked for by its id, or nothing for 404.
    pub fn get(&self) -> Option<Listed> {
        (!matches!(self.listing, Listing::Unborn(_))).then_some(Listed {
            state: self.state,
            target: self.target,
            configuration: self.configuration,
            expired: self.expired,
        })
    }

    /// What a list shows of it.
    pub fn listed(&self) -> Option<Listed> {
        match self.listing {
            Listing::Current => self.get(),
            Listing::Older(state, target, _) => Some(Listed {
                state,
                target,
                configuration: self.configuration,
                expired: self.expired,
            }),
            Listing::Unborn(_) | Listing::Omitted => None,
        }
    }

    /// Whether deleting it now would take down something that serves or is still being changed.
    pub fn is_live(&self) -> bool {
        matches!(
            self.state,
            State::Running | State::Pending | State::Stopping
        )
    }

    /// The next move that AI Core makes by itself: where nothing is to be moved, none; where it goes for good, `Some(None)`.
    pub fn progress(&self) -> Option<Option<Self>> {
        let to = |state, target| {
            Some(Some(Self {
                state,
                target,
                ..*self
            }))
        };
        match (self.state, self.target) {
            (State::Running | State::Pending, Target::Stopped) => {
                to(State::Stopping, Target::Stopped)
            }
            (State::Stopping, target) => to(State::Stopped, target),
            (_, Target::Deleted) => Some(None),
            (State::Stopped, _) if self.expired => to(State::Stopped, Target::Deleted),
            (State::Unknown, target) => to(State::Pending, target),
            (State::Pending, target) => to(State::Running, target),
            _ => None,
        }
    }
}

/// What is asked of AI Core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Create a deployment, under the serial number of the intent that announced it.
    Create(Configuration, u8),
    /// Stop this one.
    Stop(Id),
    /// Delete this one.
    Delete(Id),
    /// Give this one another configuration.
    Change(Id, Configuration),
}

/// What AI Core answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Created, with this id.
    Created(Id),
    /// Accepted.
    Accepted,
    /// Refused: 400, 409 or 412.
    Refused,
    /// 404.
    NotFound,
}

/// Which process waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// The one that holds the Lease.
    Leader,
    /// The one that held it before.
    Former,
}

/// A call on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// Who waits for the answer; nobody, when the process has died or given up.
    pub waiting: Option<Who>,
    /// For which object.
    pub name: Name,
    /// The object's uid.
    pub uid: Uid,
    /// What is asked.
    pub verb: Verb,
    /// The state in which the sender saw the deployment.
    pub shown: Option<State>,
    /// How many ticks it has been on its way.
    pub age: u8,
    /// What AI Core has answered, when the call has had its effect already.
    pub answer: Option<Answer>,
}
