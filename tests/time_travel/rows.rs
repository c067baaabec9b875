//! The objects: what each was when the backup was made, what became of it afterwards, and what is right once the backup is restored.

use aicore_emulator::Operation::{
    self, ChangeConfiguration, CreateDeployment, DeleteDeployment, StopDeployment,
};

use After::{
    Created, CreatedAtLast, Deleted, DeletedAtLast, Ended, GivenTheChoice, Halted, Kept, LetGo,
    Orphaned, Replaced, ReplacedAtLast, Resolved, Restarted, Retagged, Started, StartedAndStopped,
};
use Before::{Absent, CreateCut, Held, NeverRan, Outgrown, Removed, Runs, Stopped, Terminating};
use Deployment::{First, Last, New, Strangers};
use Source::{Adopted, Exclusive, Inline, Plain};

/// One object and its story.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What its deployments are made from.
    pub source: Source,
    /// Whether its deployment is made anew when somebody else has deleted it.
    pub recreate: bool,
    /// What it was when the backup was made.
    pub before: Before,
    /// What became of it afterwards.
    pub after: After,
    /// What it is once the backup is restored, and by which calls.
    pub restored: Then,
    /// What it is when its last wish is made again, as a tool for GitOps does, and by which calls.
    pub again: Then,
}

/// What the deployments of an object are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A configuration in the spec, which bears the object's name in AI Core.
    Inline,
    /// An existing configuration that strangers create deployments from as well.
    Plain,
    /// An existing configuration that nobody else creates deployments from.
    Exclusive,
    /// A stranger's deployment that the spec names.
    Adopted,
}

/// What an object was when the backup was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// There was none.
    Absent,
    /// It ran.
    Runs,
    /// It had run and was stopped.
    Stopped,
    /// It was to be stopped from the beginning, so it had no deployment yet.
    NeverRan,
    /// It had run, and nothing was left in AI Core by its `desiredState`.
    Removed,
    /// It was deleted and its deployment was gone, but somebody else's finalizer held it.
    Held,
    /// Its deletion was asked for, and nothing had come of that.
    Terminating,
    /// It ran, another executable was asked for, and nothing had come of that.
    Outgrown,
    /// Its create call had had its effect, and the answer was lost with the operator.
    CreateCut,
}

/// What became of an object after the backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Nothing.
    Kept,
    /// It was deleted.
    Deleted,
    /// It was deleted, and its deployment was left alone.
    Orphaned,
    /// Its deployment was stopped.
    Halted,
    /// Its deployment was stopped, and it was started again: another deployment.
    Restarted,
    /// It was started.
    Started,
    /// Its deployment was given another configuration.
    Retagged,
    /// A successor with another executable took the place of its deployment, which was deleted.
    Replaced,
    /// The same, but the predecessor was stopping when everything ended.
    ReplacedAtLast,
    /// The finalizer that held it went, and so did it.
    LetGo,
    /// Its deletion came to its end.
    Ended,
    /// The result of its create call was found.
    Resolved,
    /// The result of its create call was not to be proven, and a person named it.
    GivenTheChoice,
    /// It was made.
    Created,
    /// It was made, and stopped.
    StartedAndStopped,
    /// It was made at last: its create call was under way when everything ended.
    CreatedAtLast,
    /// It was deleted at last: its deployment was stopping when everything ended.
    DeletedAtLast,
}

/// One of the deployments that an object has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployment {
    /// None.
    Nothing,
    /// The one that it had when the backup was made.
    First,
    /// The one that it had when everything ended.
    Last,
    /// One that was made since the restore.
    New,
    /// None of its own: what strangers have made last from its configuration.
    Strangers,
}

/// What an object is expected to be, and by which calls it has come to that.
#[derive(Clone, Copy, Debug)]
pub struct Then {
    /// Its state.
    pub state: State,
    /// Every call that writes to one of its deployments, in the order of the calls for each of them.
    pub calls: &'static [(Operation, Deployment)],
}

/// The state of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no such object.
    Gone,
    /// It is held by somebody else's finalizer only.
    Held,
    /// Ready for this reason, with this deployment.
    Ready(&'static str, Deployment),
    /// Stalled for this reason, with this deployment in its status.
    Stalled(&'static str, Deployment),
    /// Stalled because nothing proves what it names: this one, and maybe others.
    Asks(Deployment),
}

impl Row {
    /// What the object is when its last wish was made again and a person has answered what it asks.
    pub fn answered(&self) -> Then {
        let state = match self.again.state {
            State::Asks(deployment) => State::Ready("Running", deployment),
            state => state,
        };
        then(state, &[])
    }
}

const GONE: Then = then(State::Gone, &[]);
const MISSING: Then = then(State::Stalled("DeploymentMissing", First), &[]);

const fn then(state: State, calls: &'static [(Operation, Deployment)]) -> Then {
    Then { state, calls }
}

/// It runs on, and AI Core was not called for it.
const fn runs(deployment: Deployment) -> Then {
    then(State::Ready("Running", deployment), &[])
}

const fn rests(deployment: Deployment) -> Then {
    then(State::Ready("Stopped", deployment), &[])
}

const fn asks(deployment: Deployment) -> Then {
    then(State::Asks(deployment), &[])
}

const fn row(
    name: &'static str,
    source: Source,
    before: Before,
    after: After,
    restored: Then,
    again: Then,
) -> Row {
    Row {
        name,
        source,
        recreate: false,
        before,
        after,
        restored,
        again,
    }
}

/// All of them.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("kept",             Inline, Runs, Kept, runs(First), runs(First)),
    row("deleted",          Inline, Runs, Deleted, MISSING, GONE),
    row("orphaned",         Inline, Runs, Orphaned, runs(First), GONE),
    row("halted",           Inline, Runs, Halted, then(State::Stalled("StoppedElsewhere", First), &[]), rests(First)),
    row("restarted",        Inline, Runs, Restarted, runs(Last), runs(Last)),
    row("retagged",         Inline, Runs, Retagged,
        then(State::Ready("Running", First), &[(ChangeConfiguration, First)]),
        then(State::Ready("Running", First), &[(ChangeConfiguration, First)])),
    row("replaced",         Inline, Outgrown, Replaced, runs(Last), runs(Last)),
    // What has stopped may be deleted only because its successor is known.
    row("replaced-at-last", Inline, Outgrown, ReplacedAtLast,
        then(State::Ready("Running", Last), &[(DeleteDeployment, First)]), runs(Last)),
    row("deleted-at-last",  Inline, Runs, DeletedAtLast,
        then(State::Stalled("StoppedElsewhere", First), &[]),
        then(State::Gone, &[(DeleteDeployment, First)])),
    Row { recreate: true, ..row("recreated", Inline, Runs, Deleted,
        then(State::Ready("Running", New), &[(CreateDeployment, New)]),
        then(State::Gone, &[(StopDeployment, New), (DeleteDeployment, New)])) },
    // What was wished for when the backup was made is the only wish that is known, until it is made again.
    row("stopped",          Inline, Stopped, Kept, rests(First), rests(First)),
    row("stopped-started",  Inline, Stopped, Started,
        then(State::Ready("Stopped", Last), &[(StopDeployment, Last)]),
        then(State::Ready("Running", New), &[(DeleteDeployment, Last), (CreateDeployment, New)])),
    row("never",            Inline, NeverRan, Kept, rests(Deployment::Nothing), rests(Deployment::Nothing)),
    row("never-started",    Inline, NeverRan, Started,
        then(State::Ready("Stopped", Last), &[(StopDeployment, Last)]),
        then(State::Ready("Running", New), &[(DeleteDeployment, Last), (CreateDeployment, New)])),
    row("removed",          Inline, Removed, Kept,
        then(State::Ready("Deleted", Deployment::Nothing), &[]),
        then(State::Ready("Deleted", Deployment::Nothing), &[])),
    row("removed-started",  Inline, Removed, Started,
        then(State::Ready("Deleted", Deployment::Nothing), &[(StopDeployment, Last), (DeleteDeployment, Last)]),
        then(State::Ready("Running", New), &[(CreateDeployment, New)])),
    row("held",             Inline, Held, LetGo, then(State::Held, &[]), GONE),
    row("terminating",      Inline, Terminating, Ended, GONE, GONE),
    row("create-cut",       Inline, CreateCut, Resolved, runs(First), runs(First)),
    row("new",              Inline, Absent, Created, GONE, runs(Last)),
    row("new-stopped",      Inline, Absent, StartedAndStopped, GONE, rests(Last)),
    row("new-at-last",      Inline, Absent, CreatedAtLast, GONE, runs(Last)),

    row("plain",            Plain, Runs, Kept, runs(First), runs(First)),
    row("plain-deleted",    Plain, Runs, Deleted, asks(Strangers), GONE),
    row("plain-restarted",  Plain, Runs, Restarted, asks(Last), asks(Last)),
    row("plain-started",    Plain, NeverRan, Started, rests(Deployment::Nothing), asks(Last)),
    row("plain-create-cut", Plain, CreateCut, GivenTheChoice, asks(First), runs(First)),
    row("plain-new",        Plain, Absent, Created, GONE, asks(Last)),
    row("plain-removed-started", Plain, Removed, Started,
        then(State::Ready("Deleted", Deployment::Nothing), &[]), asks(Last)),

    row("only",             Exclusive, Runs, Kept, runs(First), runs(First)),
    row("only-deleted",     Exclusive, Runs, Deleted, MISSING, GONE),
    row("only-restarted",   Exclusive, Runs, Restarted, asks(Last), asks(Last)),
    row("only-create-cut",  Exclusive, CreateCut, Resolved, runs(First), runs(First)),
    row("only-new",         Exclusive, Absent, Created, GONE, asks(Last)),
    row("only-removed-started", Exclusive, Removed, Started,
        then(State::Ready("Deleted", Deployment::Nothing), &[]), asks(Last)),

    row("adopted",          Adopted, Runs, Kept, runs(First), runs(First)),
    row("adopted-deleted",  Adopted, Runs, Deleted, MISSING, GONE),
    row("adopted-orphaned", Adopted, Runs, Orphaned, runs(First), GONE),
    row("adopted-new",      Adopted, Absent, Created, GONE, runs(Last)),
];
