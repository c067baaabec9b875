//! What can happen next.

use aicore_operator::lifecycle::situation::{Connection, Order};

use crate::cluster::{Desired, Name, Source};
use crate::effects::Server;
use crate::ids::Id;
use crate::remote::Who;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The leader decides what to do with an object.
    Decide(Name),
    /// A process does the next thing of what it has decided.
    Proceed(Who, Name, Server),
    /// The call at this place has its effect.
    Arrive {
        /// The place.
        call: usize,
        /// Whether the answer comes back at once.
        answered: bool,
        /// Whether lists show the effect at once.
        shown: bool,
        /// Whether AI Core refuses although it could do it.
        refused: bool,
    },
    /// The answer to a call that had its effect comes back.
    Answer(usize),
    /// A call gets lost before it has an effect.
    Lose(usize),
    /// Whoever waits for this call does so no longer. It may still have its effect.
    GiveUp(usize),
    /// AI Core moves a deployment on; lists show it at once or not.
    Move(Id, bool),
    /// Lists show what is the case with a deployment.
    CatchUp(Id),
    /// Everything that takes a bounded time has happened.
    Tick,
    /// So much time passes that no create call that was announced before can have its effect any more.
    Hour,
    /// The leading process dies, and another one starts.
    Crash,
    /// Another process takes the Lease over.
    TakeOver,
    /// The watch shows nothing new of an object.
    HoldWatch(Name),
    /// The watch of the leader shows an object as it is.
    Watch(Name),
    /// The lists show nothing new.
    HoldList,
    /// A new list comes.
    List,
    /// AI Core can be reached like this.
    Connect(Connection),
    /// A user wants another state.
    Desire(Name, Desired),
    /// A user wants another configuration.
    Configure(Name, Source),
    /// A user names a deployment.
    Adopt(Name, Id),
    /// A user wants the deployment to be left alone when the object goes.
    Orphan(Name),
    /// A user orders something by annotation.
    Annotate(Name, Order),
    /// Somebody deletes the custom resource definition.
    Uninstall,
    /// The API server deletes an object because its definition is deleted.
    Sweep(Name),
    /// Somebody makes a backup of etcd.
    Save,
    /// Somebody restores etcd from the backup, and the operator starts anew.
    Restore,
    /// A user deletes an object.
    DeleteObject(Name),
    /// A user applies an object again that is gone.
    Apply(Name),
    /// Somebody creates a deployment from the shared configuration.
    StrangerCreates,
    /// Somebody creates a deployment from the same configuration as the one that an object has.
    StrangerCopies(Name),
    /// Somebody stops a deployment.
    StrangerStops(Id),
    /// Somebody deletes a deployment that has stopped.
    StrangerDeletes(Id),
    /// A deployment dies.
    Die(Id),
    /// A ttl runs out.
    Expire(Id),
    /// A deployment is in no list any more, although it answers.
    Omit(Id),
}
