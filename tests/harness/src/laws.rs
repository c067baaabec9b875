//! The laws that no run of the operator may break, as one pure check of what AI Core has logged and of what the objects recorded.
//!
//! The checker knows nothing of the operator's code. It replays the emulator's log into the state of each deployment at each moment, and holds
//! every call against what the operator could have known from the last list that it was given.

mod calls;
mod ownership;
mod timeline;
mod verdict;

use std::collections::BTreeSet;
use std::fmt;

use aicore_emulator::Entry;
use jiff::Timestamp;

pub use timeline::Timeline;
pub(crate) use verdict::contradiction;

/// Name that a fault has to begin with when it shows old lists: what the operator does on such a list is not held against it as long as AI
/// Core refuses it.
pub const STALE: &str = "stale";

/// A law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// What is RUNNING, PENDING or STOPPING is not deleted.
    NeverDeleteWhatRuns,
    /// Every deployment that the operator made is gone, or an object records it.
    NeverLeak,
    /// An object never has two deployments that exist at the same time, unless the first serves until the second does.
    OneDeploymentPerObject,
    /// There were exactly as many creations as the test called for.
    NoDuplicate,
    /// Deployments are not written to that the operator neither made, nor was told to adopt, nor knows by the name of their configuration.
    LeaveStrangersAlone,
    /// A verb is sent again only after a list that still shows the state for it, or when its answer was lost.
    NeverRepeatBlindly,
    /// An object is let go only when its deployment is gone.
    ReleaseOnProof,
    /// One deployment is read by its id only when a list has shown that it is missing.
    ObserveByList,
    /// The conditions of an object always give one verdict: the goal is reached, it goes on by itself, or a person has to act.
    OneVerdict,
}

/// A law that was broken, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// What happened, for the person who reads the failed test.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.law, self.what)
    }
}

/// Everything that is known of one Deployment object.
#[derive(Clone, Debug, Default)]
pub struct ObjectHistory {
    /// Its name.
    pub name: String,
    /// Every id that its status has ever recorded as its deployment.
    pub recorded: BTreeSet<String>,
    /// Every id that it was told to adopt.
    pub adopts: BTreeSet<String>,
    /// The id that its status recorded last.
    pub current: Option<String>,
    /// Every id that its status has ever recorded as one to retire.
    pub retired: BTreeSet<String>,
    /// Every id that its status has ever recorded as one that serves until its successor does.
    pub replaced: BTreeSet<String>,
    /// When the operator let it go: its finalizer was off, or it had vanished.
    pub released: Option<Timestamp>,
    /// Whether its remote deployment is to stay when it goes: by its policy, because a person forces its release, with an uninstall, or because
    /// it only looks at what it has not created.
    pub orphans: bool,
    /// Whether its deletion had begun in AI Core, so that an uninstall does not end it.
    pub deletion_begun: bool,
    /// What its conditions have said that no tool could make one verdict of.
    pub contradictions: BTreeSet<String>,
}

/// All that a run has left to judge by.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The emulator's whole log.
    pub audit: Vec<Entry>,
    /// Every Deployment object that there was.
    pub objects: Vec<ObjectHistory>,
    /// How many deployments the operator had to create.
    pub creations: usize,
}

/// Every law that was broken; none in a good run.
#[must_use]
pub fn violations(evidence: &Evidence) -> Vec<Violation> {
    let timeline = timeline::Timeline::of(&evidence.audit);
    let mut violations = calls::violations(evidence, &timeline);
    violations.extend(ownership::violations(evidence, &timeline));
    violations.extend(verdict::violations(evidence));
    violations
}

impl Law {
    fn broken(self, what: impl Into<String>) -> Violation {
        Violation {
            law: self,
            what: what.into(),
        }
    }
}

#[cfg(test)]
#[path = "laws/tests.rs"]
mod tests;
