//! The objects of the storm: what each is made from, and what it looks like in Kubernetes.

use std::fmt;

use harness::manifests::{configuration, with};
use serde_json::{Value, json};

/// The namespaces.
pub const NAMESPACES: [&str; 2] = ["storm-north", "storm-south"];

/// The resource groups.
pub const GROUPS: [&str; 2] = ["team-a", "team-b"];

/// The Connection of inline objects. Strangers are in its groups too.
pub const PLAIN: &str = "plain";
/// The Connection of objects whose configurations nobody else creates deployments from.
pub const EXCLUSIVE: &str = "exclusive";
/// The Connection of objects whose configuration strangers create deployments from, too.
pub const SHARED: &str = "shared";

/// The parameter that users edit.
pub const PARAMETER: &str = "imageTag";

/// One object, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Its place in [`NAMESPACES`].
    pub namespace: usize,
    /// Its place in [`GROUPS`].
    pub group: usize,
    /// Whose it is.
    pub user: usize,
    /// What its deployments are made from.
    pub source: Source,
    /// How many minutes its deployments live; for ever when absent.
    pub ttl: Option<u32>,
    /// The `deletionPolicy` that it starts with.
    pub policy: Policy,
    /// What it is to be in the end; gone when absent.
    pub fate: Option<DesiredState>,
    /// The `deletionPolicy` that it goes with, when it is to be gone in the end.
    pub last_policy: Policy,
}

/// What the deployments of an object are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A configuration in the spec.
    Inline,
    /// One of the existing configurations that nobody but the operator uses.
    Exclusive(usize),
    /// An existing configuration that strangers use as well.
    Shared,
    /// An existing deployment that the spec names.
    Adopted,
}

/// `desiredState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DesiredState {
    /// It serves.
    Running,
    /// It exists, and costs nothing.
    Stopped,
    /// Nothing is left in AI Core.
    Deleted,
}

/// `deletionPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The deployment goes with its object.
    Delete,
    /// The deployment stays.
    Orphan,
}

impl fmt::Display for DesiredState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// What a user wants an object to be at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// `desiredState`.
    pub desired_state: DesiredState,
    /// The value of the parameter [`PARAMETER`] of an inline configuration.
    pub parameter: u32,
    /// `deletionPolicy`.
    pub policy: Policy,
}

/// What an object finds in AI Core when the storm begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// The configuration that it names.
    pub configuration: Option<String>,
    /// The deployment that it adopts.
    pub deployment: Option<String>,
}

impl Plan {
    /// Whether it may be deleted before the end: what it adopted cannot be adopted a second time.
    pub fn may_go(&self) -> bool {
        self.source != Source::Adopted || self.fate.is_none()
    }

    /// The namespace.
    pub fn namespace(&self) -> &'static str {
        NAMESPACES[self.namespace]
    }

    /// The resource group.
    pub fn group(&self) -> &'static str {
        GROUPS[self.group]
    }

    /// The Connection.
    pub fn connection(&self) -> &'static str {
        match self.source {
            Source::Inline => PLAIN,
            Source::Exclusive(_) | Source::Adopted => EXCLUSIVE,
            Source::Shared => SHARED,
        }
    }

    /// Its wish when it is applied for the first time.
    pub fn first_wish(&self) -> Wish {
        Wish {
            desired_state: DesiredState::Running,
            parameter: 0,
            policy: self.policy,
        }
    }

    /// The whole object, as a user applies it.
    pub fn manifest(&self, wish: &Wish, ground: &Ground) -> Value {
        let mut spec = json!({
            "desiredState": wish.desired_state.to_string(),
            "resourceGroup": self.group(),
            "connectionRef": {"name": self.connection()},
            "deletionPolicy": wish.policy.to_string(),
        });
        match self.source {
            Source::Inline => {
                let parameters = json!({PARAMETER: wish.parameter.to_string()});
                spec["configuration"] = configuration(&parameters);
            }
            Source::Exclusive(_) | Source::Shared => {
                spec["configurationId"] = json!(ground.configuration);
            }
            Source::Adopted => {
                spec["adopt"] = json!({"deploymentId": ground.deployment});
            }
        }
        if let Some(minutes) = self.ttl {
            spec["ttl"] = json!(format!("{minutes}m"));
        }
        let mut object = with(&self.name, spec);
        object["metadata"]["labels"] = json!({"team": self.team()});
        object
    }

    /// The label that its team is deleted by; what may not go has one of its own.
    pub fn team(&self) -> String {
        if self.may_go() {
            team(self.user)
        } else {
            format!("{}-kept", team(self.user))
        }
    }
}

/// The value of the label `team` of a user's objects.
pub fn team(user: usize) -> String {
    format!("team-{user}")
}
