//! What is known of one object and its remote deployment. Every type here is finite, so that all situations can be enumerated.

/// Where the object is to be driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Goal {
    /// The remote deployment serves.
    Running,
    /// The remote deployment exists, if it ever did, and costs nothing.
    Stopped,
    /// Nothing is left in AI Core; the object stays.
    Deleted,
    /// The object itself was deleted and its policy says Delete: nothing is left in AI Core, then the finalizer comes off.
    Released,
    /// The object itself was deleted and its policy says Orphan: the finalizer comes off and the remote deployment is left alone.
    Orphaned,
}

impl Goal {
    /// Whether the object is on its way out of Kubernetes.
    pub fn is_terminating(self) -> bool {
        matches!(self, Self::Released | Self::Orphaned)
    }
}

/// Whether AI Core can be reached for this object, and whether it is the tenant that the object's ids live in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connection {
    /// The key works and leads to the recorded tenant, or no tenant is recorded yet.
    Ready,
    /// The key is there, but AI Core did not answer it lately. This can heal.
    Unreachable,
    /// There is no key that could work: no Connection, no Secret, or AI Core rejects it. A person must act.
    Unusable,
    /// The key leads to another tenant than the one that the recorded ids live in.
    OtherTenant,
    /// The key works and leads to the recorded tenant, but the object's namespace is not allowed to use it any more: what there is can be
    /// looked at, stopped and deleted.
    Withdrawn,
}

impl Connection {
    /// Whether what is recorded can be looked at, stopped and deleted.
    pub fn answers(self) -> bool {
        matches!(self, Self::Ready | Self::Withdrawn)
    }
}

/// Who holds the deployment that is recorded or named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// This object, or nobody.
    Ours,
    /// Another object of this cluster.
    Another,
}

/// What the object's status records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// No deployment and no create call in flight.
    Nothing {
        /// Where a first deployment is to come from.
        source: Source,
        /// What was found when looking for a deployment that is this object's already.
        look: Look,
    },
    /// A create call was announced and its outcome is open.
    Intent(Resolution),
    /// A deployment.
    Deployment {
        /// Who holds it.
        claim: Claim,
        /// What AI Core says of it.
        remote: Remote,
    },
}

/// Where a first deployment is to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// An existing deployment named by its id.
    Adopt,
    /// A configuration, in this state of preparation.
    Create(Preparation),
}

/// How far everything is that a create call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preparation {
    /// The spec names nothing to create from, because it adopted a deployment that is gone.
    NoConfiguration,
    /// The configuration of the spec does not exist in AI Core yet, or was not looked for.
    ConfigurationMissing,
    /// The Connection or its Secret does not carry our finalizer, or is about to go: a deployment made now might become unreachable.
    ChainBroken,
    /// All is there.
    Complete,
}

/// What a look for a deployment of this object found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Look {
    /// No complete and fresh list is there yet.
    Pending,
    /// A complete list holds no deployment of this object.
    Nothing,
    /// One deployment is this object's.
    One,
    /// More than one bears this object's name.
    Several,
    /// The deployment that the object names is claimed by another object.
    Claimed,
}

/// What is known about an open create call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// No complete list is there that was requested after the call could have had its effect for the last time.
    Pending,
    /// The call's result was found.
    Found,
    /// Enough time has passed, and a list requested after it holds no result: the call had no effect.
    NoEffect,
    /// There are candidates, but nothing proves which one it is.
    Ambiguous,
    /// An operator with another Lease has announced the call, and may be about to make it.
    Foreign,
}

/// What AI Core says of a recorded deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remote {
    /// No list is there that was requested after our last write.
    Unobserved,
    /// It is in the list.
    Present(Present),
    /// It is in no fresh list.
    Absent {
        /// Whether that proves that it is gone.
        proof: Proof,
        /// Why it may have gone.
        ending: Ending,
    },
}

/// A deployment that AI Core lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Present {
    /// Its state.
    pub state: State,
    /// Where AI Core is driving it.
    pub target: Target,
    /// Whether it uses the configuration that the spec asks for.
    pub configuration: Fit,
    /// Whether the operator itself has sent the stop that this deployment got.
    pub stop_sent: bool,
    /// Whether its ttl has run out, so that AI Core stops and deletes it.
    pub expired: bool,
    /// Whether it has stayed in a passing state for too long.
    pub overdue: bool,
}

/// The states of a deployment in AI Core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the words of the AI Core API")]
pub enum State {
    Unknown,
    Pending,
    Running,
    Stopping,
    Stopped,
    Dead,
    Completed,
    Deleting,
    /// A word that AI Core's published API does not have.
    Other,
}

/// The target states of a deployment in AI Core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// RUNNING, none, or a word that the published API does not have.
    Running,
    /// STOPPED.
    Stopped,
    /// DELETED.
    Deleted,
}

/// Whether a deployment uses the configuration that the spec asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fit {
    /// It does, or the spec asks for none in particular.
    Wanted,
    /// It uses another one of the same scenario and executable.
    Other,
    /// It shows another one, but AI Core has accepted the change to the wanted one.
    Sent,
    /// The configuration that the spec asks for does not exist in AI Core yet, or was not looked for.
    Unprepared,
    /// It uses another one, and whether that is of the same scenario and executable is not known.
    Unknown,
    /// It uses one of another scenario or executable. AI Core refuses such a change, so the deployment has to be replaced.
    Foreign(Replacement),
    /// It is dead since it was given the wanted one, and it is to be given back the one that ran before.
    Failed,
    /// The wanted one has failed, and AI Core has accepted the change back to the one that ran before.
    RolledBack,
}

/// How a deployment is replaced whose configuration cannot be changed to the wanted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Replacement {
    /// It serves until its successor does.
    CreateFirst,
    /// The same, but the Connection or its Secret does not carry our finalizer, or is about to go.
    Unheld,
    /// It goes before its successor is created.
    DeleteFirst,
    /// It was adopted with the policy Orphan, so it must not go without a person's word.
    Forbidden,
}

/// Whether a missing deployment is proven to be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// Not yet: it may be too young to be seen, or its id was not asked for by itself.
    None,
    /// Its id answers 404 in the recorded tenant and group and a complete fresh list lacks it, long enough after its creation or after an
    /// accepted delete; or its whole resource group is gone.
    Gone,
    /// The same, but it was never seen present.
    NeverSeen,
}

/// Why a deployment is not there or does not run any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The operator stopped or deleted it.
    Ours,
    /// Its ttl has run out.
    Expired,
    /// It was stopped or dead when it was last seen, and AI Core or a person has cleaned it up.
    Inactive,
    /// Nothing explains it.
    Unexplained,
}

/// What a person has ordered for an object besides its spec, by annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Nothing.
    None,
    /// `aicore.dev/protected`: nothing of this object is stopped, deleted or let go.
    Hold,
    /// `aicore.dev/force-release`: once the object is deleted it goes, whatever may be left in AI Core. This overrules a hold.
    LetGo,
}

/// Whether the object is deleted because the custom resource definition is, which is no wish to delete models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Uninstall {
    /// The definition was not read since the object's deletion was seen.
    Unchecked,
    /// The definition stays, or the deletion of the remote deployment had begun before.
    No,
    /// The definition is being deleted, and every object with it.
    Yes,
}

/// Deployments of the object besides the recorded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Others {
    /// None is known.
    None,
    /// The recorded one is gone, has ended or is to be replaced, and one that bears the object's name and that no object holds can take its place.
    Successor,
    /// The same, but there are several, or nothing proves that it is the object's.
    Successors,
    /// One that no object holds has to go and is not recorded yet: the late result of a create call that was given up, one that the status has
    /// forgotten, or, where nothing is to be left, any that bears the object's name.
    Unrecorded,
    /// One is recorded as retiring, and not proven gone yet.
    Retiring,
    /// One is recorded as retiring that serves until the recorded one does.
    Serving,
}

/// Everything that the next step depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Situation {
    /// Where the object is to be driven.
    pub goal: Goal,
    /// Whether our finalizer is on the object.
    pub finalizer: bool,
    /// What a person has ordered besides.
    pub order: Order,
    /// Whether the object goes because everything is uninstalled. It counts only while the object is terminating.
    pub uninstall: Uninstall,
    /// Whether AI Core can be reached, and which tenant answers.
    pub connection: Connection,
    /// What the status records, and what AI Core says of it.
    pub record: Record,
    /// What else there is of this object.
    pub others: Others,
    /// Whether a deployment that somebody else stopped or deleted is to be made anew.
    pub recreate: bool,
}
