//! The custom resources: what a user writes, and what the operator tells back.
//!
//! One group, one version, two kinds: [`Deployment`] is a wish about one AI Core deployment, [`Connection`] says where and as whom.
//! The group is a single constant from which finalizers and annotations derive.

mod access;
mod condition;
mod configuration;
mod connection;
mod deployment;
mod endpoint;
mod generate;
mod management;
mod model;
mod reason;
mod schedule;
mod update;

pub use access::{AccessGrant, LabelOperator, LabelRequirement, NamespaceSelector};
pub use condition::{Condition, ConditionKind, ConditionStatus, set_conditions};
pub use configuration::{ConfigurationTemplate, RecordedConfiguration};
pub use connection::{
    Connection, ConnectionSpec, ConnectionStatus, LeftCall, LeftDeployment, Orphan, SecretReference,
};
pub use deployment::{
    Adoption, ConnectionReference, DeletionPolicy, Deployment, DeploymentSpec, DeploymentStatus,
    DesiredState, ExpiryPolicy, Intent, RecordedDeployment, RecreatePolicy, RetiringDeployment,
};
pub use endpoint::Endpoint;
pub use generate::custom_resource_definitions;
pub use management::ManagementPolicy;
pub use model::{ModelRetirement, RecordedResources};
pub use reason::Reason;
pub use schedule::{OfficeHours, OfficeHoursStatus};
pub use update::{FailurePolicy, ReplacePolicy, RolledBack, SentConfiguration, UpdatePolicy};

/// The API group of every kind, finalizer and annotation of this operator.
pub const GROUP: &str = "aicore.dev";

/// The only version served today.
pub const VERSION: &str = "v1alpha1";

/// The finalizer on a Deployment: its remote deployment may still exist.
pub const DEPLOYMENT_FINALIZER: &str = "aicore.dev/deployment";

/// The finalizer on a Connection and on its Secret: something may still need them to reach AI Core.
pub const IN_USE_FINALIZER: &str = "aicore.dev/in-use";

/// The annotation by which a person holds a Deployment: with any value but `false`, nothing of it is stopped, deleted or let go.
pub const PROTECTED_ANNOTATION: &str = "aicore.dev/protected";

/// The annotation by which a person pauses a Deployment: with any value but `false`, nothing is done about it.
pub const PAUSED_ANNOTATION: &str = "aicore.dev/paused";

/// The annotation by which a person lets a deleted Deployment go, whatever may be left in AI Core. Its value is the reason, which is kept.
pub const FORCE_RELEASE_ANNOTATION: &str = "aicore.dev/force-release";

/// The annotation by which a person says which deployments are not a Deployment's own, after it has asked: their ids, separated by commas.
pub const NOT_MINE_ANNOTATION: &str = "aicore.dev/not-mine";

/// The annotation on the operator's Lease that keeps the times which the cluster's store knows nothing of, as a JSON list of `from` and `to`.
pub const GAPS_ANNOTATION: &str = "aicore.dev/gaps";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finalizer_and_annotation_belongs_to_the_group() {
        let names = [
            DEPLOYMENT_FINALIZER,
            IN_USE_FINALIZER,
            PROTECTED_ANNOTATION,
            PAUSED_ANNOTATION,
            FORCE_RELEASE_ANNOTATION,
            NOT_MINE_ANNOTATION,
            GAPS_ANNOTATION,
        ];
        for name in names {
            assert_eq!(name.split_once('/').map(|(group, _)| group), Some(GROUP));
        }
    }
}
