//! What can be done next: one effect, or waiting, or nothing.

/// One step. Every effect is safe to run twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Put our finalizer on the object.
    AddFinalizer,
    /// Take our finalizer off the object.
    Release(Release),
    /// Record the deployment that was found to be this object's, in the place of one that is gone.
    Take,
    /// Find or create the configuration that the spec asks for, and record its id.
    PrepareConfiguration,
    /// Record an intent, then create a deployment.
    Create,
    /// Record that the deployment serves until its successor does, together with the intent, then create the successor.
    Replace,
    /// Record the deployment that still serves as the object's again, in the place of a successor that is not wanted any more.
    TakeBack,
    /// Forget an intent whose call had no effect.
    ClearIntent,
    /// Forget a deployment that is proven to be gone.
    Forget,
    /// Record another deployment of the object, so that it is stopped and deleted.
    Retire,
    /// Stop the deployment.
    Stop,
    /// Delete the deployment.
    Delete,
    /// Give the deployment the configuration that the spec asks for.
    ChangeConfiguration,
    /// Give the deployment the configuration back that ran before the one that has failed.
    RollBack,
    /// The goal is reached.
    Done(Done),
    /// Something is under way, or will heal by itself.
    Wait(Wait),
    /// A person must act.
    Stall(Stall),
}

/// Why the finalizer may come off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Release {
    /// The deployment is proven to be gone.
    Gone,
    /// The deployment is gone, but was never seen present.
    NeverSeen,
    /// Nothing was ever created, and a complete list confirms it.
    NeverCreated,
    /// Nothing is recorded, and without a key nothing could be checked.
    Unchecked,
    /// The user said Orphan.
    Orphaned,
    /// Another object holds the deployment.
    ClaimedByAnother,
    /// The custom resource definition is being deleted, which is no wish to delete models.
    Uninstalled,
    /// A person has forced it.
    Forced,
}

/// How the goal is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Done {
    /// The deployment runs with the wanted configuration.
    Running,
    /// The deployment is stopped, or there is none.
    Stopped,
    /// There is no deployment.
    Deleted,
    /// The deployment's ttl has run out.
    Expired,
    /// The goal is not reached, and nothing is written: what would be done is told.
    Observed,
    /// The object is terminating and our finalizer is off already: others still hold it.
    Released,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wait {
    /// AI Core does not answer.
    Unreachable,
    /// A list that is fresh enough.
    Observation,
    /// The Connection and its Secret to carry our finalizer.
    Chain,
    /// The outcome of a create call whose answer was lost.
    Resolution,
    /// The deployment to run.
    Starting,
    /// The deployment to take on the configuration that AI Core has accepted.
    Updating,
    /// The answer whether the wanted configuration has the deployment's scenario and executable.
    Comparison,
    /// The deployment to run again with the configuration that it was given back.
    RollingBack,
    /// The successor of a deployment that serves until then.
    Successor,
    /// The deployment to stop.
    Stopping,
    /// The deployment to be gone.
    Deleting,
    /// Proof that a missing deployment is gone.
    Absence,
    /// A state that AI Core's published API does not have to pass.
    UnknownState,
    /// The answer whether the custom resource definition is being deleted.
    Uninstall,
    /// Another deployment of the object to be gone.
    Retiring,
}

/// Why nothing goes on without a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stall {
    /// There is no key that could work.
    ConnectionUnusable,
    /// The key leads to another tenant than the recorded one.
    TenantChanged,
    /// The object's namespace is not allowed to use the Connection any more, and the next step needs that.
    AccessDenied,
    /// Another object claims the deployment.
    Claimed,
    /// Several deployments could be this object's.
    Ambiguous,
    /// The deployment is dead.
    DeploymentDead,
    /// The deployment runs with its former configuration, because the wanted one has failed.
    RolledBack,
    /// The deployment would have to be replaced, and must not be deleted.
    ReplacementForbidden,
    /// Somebody else stopped the deployment.
    StoppedElsewhere,
    /// The deployment is gone and the operator did not delete it.
    DeploymentMissing,
    /// The deployment was never seen under its recorded or named id.
    NeverSeen,
    /// The spec names nothing to create a deployment from.
    NoConfiguration,
    /// The deployment stays in a passing state for too long.
    Overdue,
    /// An operator with another Lease works on the object.
    OperatorConflict,
    /// The object is protected, and would have to be stopped, deleted or let go.
    Protected,
    /// A person has paused the object, and something would be done.
    Paused,
    /// The object is deleted and has something of its own in AI Core, where nothing is written for it.
    Observing,
}
