//! The one word by which a condition or an event says why. `docs/troubleshooting.md` has an entry for each, and a test holds it to that.

use strum::{Display, IntoStaticStr, VariantArray};

/// Why a condition is as it is, or what an event tells. People and alert rules rely on the words.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, IntoStaticStr, VariantArray,
)]
pub enum Reason {
    /// AI Core, or the Connection, does not let the object into its resource group.
    AccessDenied,
    /// Several deployments may be the object's, and nothing proves which is.
    Ambiguous,
    /// The certificate of a service key is not valid any more.
    CertificateExpired,
    /// The certificate of a service key ends soon.
    CertificateExpiring,
    /// The deployment belongs to another object.
    Claimed,
    /// An object went together with its deployment, as its spec asks.
    CleanedUp,
    /// Whether the configuration of the spec can be given to the deployment is being found out.
    Comparing,
    /// A configuration was made in AI Core.
    ConfigurationCreated,
    /// A deployment is in no list; proof that it is gone is awaited.
    ConfirmingAbsence,
    /// A Connection works.
    Connected,
    /// The Connection that the spec names does not exist.
    ConnectionMissing,
    /// The Connection is not ready to create anything through.
    ConnectionNotReady,
    /// A deployment was made.
    Created,
    /// A create call was interrupted, and what came of it is being found out.
    CreateUnresolved,
    /// A deployment is being made.
    Creating,
    /// Another operator owns the Secret and can revoke its key at any time.
    CredentialsOwnedElsewhere,
    /// The token server does not accept the key.
    CredentialsRejected,
    /// The key was revoked together with the object of another operator that owns the Secret.
    CredentialsRevoked,
    /// AI Core does not accept the deletion.
    DeleteRefused,
    /// There is no deployment, as the spec asks.
    Deleted,
    /// A deployment is being deleted.
    Deleting,
    /// The deployment has failed.
    DeploymentDead,
    /// A deployment is gone, with proof.
    DeploymentGone,
    /// The deployment was deleted by somebody else.
    DeploymentMissing,
    /// The ConfigMap for applications cannot be written.
    EndpointNotWritten,
    /// The ConfigMap that the spec names belongs to somebody else.
    EndpointTaken,
    /// The time to live of the deployment has run out.
    Expired,
    /// An object was let go by force.
    ForceReleased,
    /// The configuration of the spec cannot be used.
    InvalidConfiguration,
    /// The office hours of the spec cannot be read.
    InvalidSchedule,
    /// The Secret holds no service key that can be read.
    InvalidSecret,
    /// The end of a failed deployment's log.
    LastLogLines,
    /// An answer cannot be understood.
    MalformedAnswer,
    /// AI Core retires the model that a deployment serves.
    ModelRetiring,
    /// AI Core has never shown the deployment that the object names.
    NeverSeen,
    /// The adopted deployment is gone and nothing says what to create.
    NoConfiguration,
    /// AI Core does not know what was asked for.
    NotFound,
    /// This process does not hold the Lease.
    NotLeading,
    /// No deployment of the object takes requests.
    NotServing,
    /// The operator only looks, and has found what it may have.
    Observed,
    /// A fresh list is awaited, or the operator only looks at what it would change.
    Observing,
    /// Another operator has announced a create call for the object.
    OperatorConflict,
    /// A deployment was left as it is.
    Orphaned,
    /// Deployments that were made for objects of a namespace belong to none of them now.
    OrphansFound,
    /// A deployment is in a passing state for too long.
    Overdue,
    /// Nothing is done about the object until its annotation is removed.
    Paused,
    /// The object is being prepared.
    Preparing,
    /// The configuration of the spec is being looked for or made.
    PreparingConfiguration,
    /// The object is protected from what its spec asks for.
    Protected,
    /// AI Core refuses a deployment because a quota is used up.
    QuotaExceeded,
    /// AI Core asks for fewer calls.
    RateLimited,
    /// A Connection has become ready.
    Ready,
    /// What is to be let go by force could not be written down before.
    RecordNotWritten,
    /// AI Core refuses a call.
    Refused,
    /// An object was let go.
    Released,
    /// The finalizer is being taken off.
    Releasing,
    /// The spec asks for a replacement, and the adopted deployment may not be replaced.
    ReplacementForbidden,
    /// A deployment is being replaced by another one.
    Replacing,
    /// A deployment that the object has besides is on its way out.
    Retiring,
    /// AI Core does not accept the former configuration.
    RollBackRefused,
    /// The former configuration runs again because the one of the spec has failed.
    RolledBack,
    /// The deployment is being given its former configuration.
    RollingBack,
    /// The deployment runs.
    Running,
    /// The office hours have begun or ended.
    Scheduled,
    /// The Secret of the Connection does not exist.
    SecretMissing,
    /// The operator may not read the Secret of the Connection.
    SecretOutOfReach,
    /// The Secret of the Connection is being deleted.
    SecretTerminating,
    /// The deployment takes requests.
    Serving,
    /// The deployment is starting.
    Starting,
    /// AI Core does not accept the stop.
    StopRefused,
    /// The deployment does not run, as the spec asks.
    Stopped,
    /// The deployment was stopped by somebody else.
    StoppedElsewhere,
    /// The deployment is being stopped.
    Stopping,
    /// A deployment was found to be the object's and is recorded.
    Taken,
    /// A deployment was found to be the object's and is about to be recorded.
    Taking,
    /// The Connection leads to another tenant than the one that the deployment lives in.
    TenantChanged,
    /// The Connection is being deleted.
    Terminating,
    /// AI Core does not accept the token.
    Unauthorized,
    /// AI Core answers that it cannot serve now.
    Unavailable,
    /// Whether everything is being uninstalled could not be found out.
    UninstallUnchecked,
    /// AI Core reports a state that this operator does not know.
    UnknownState,
    /// AI Core does not answer.
    Unreachable,
    /// AI Core does not accept the change of the configuration.
    UpdateRefused,
    /// The deployment is being given the configuration of the spec.
    Updating,
    /// A call was not sent, because nobody wanted it any more.
    Withdrawn,
    /// A call is accepted again and again and nothing comes of it.
    WithoutEffect,
}

impl Reason {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Every reason, in the order of the alphabet.
    #[must_use]
    pub fn all() -> &'static [Self] {
        Self::VARIANTS
    }
}
