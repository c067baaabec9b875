//! One process of the operator: what it remembers, and what it is doing.

use aicore_operator::lifecycle::Step;
use aicore_operator::lifecycle::situation::State as RemoteState;

use crate::cluster::{Intent, Name, OBJECTS, Object, Status, Uid};
use crate::ids::{Id, Ids};
use crate::state::{DEPLOYMENTS, List};

/// One process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Process {
    /// What it remembers of each object.
    pub memories: [Memory; OBJECTS],
    /// The list that it still has while it gets no newer one.
    pub held_list: Option<List>,
    /// The ids that objects recorded which are gone.
    pub former_ids: Ids,
}

/// What the watch shows of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::large_enum_variant,
    reason = "a state is copied as a whole; nothing in it is on the heap"
)]
pub enum Cache {
    /// What is the case.
    #[default]
    Live,
    /// What was the case.
    Held(Option<Object>),
}

/// What a process remembers of an object: `controller/memory.rs`, and its entry in `controller/claims.rs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    /// What the watch shows.
    pub cache: Cache,
    /// What the last own write returned, where the watch does not show it yet.
    pub newest: Option<Object>,
    /// Whether the held list was requested before our last remote write ended.
    pub outdated: bool,
    /// Whether the held list was requested before the settling time had passed.
    pub unsettled: bool,
    /// The open intent that was seen, and for how many ticks.
    pub intent: Option<(u8, u8)>,
    /// For how many ticks the object has been known, where etcd was restored: nothing else depends on it.
    pub known: u8,
    /// Whether the held list was requested before the settling time had passed since then.
    pub known_unsettled: bool,
    /// The deployment whose stop is recorded, and for how many ticks that was seen.
    pub stop: Option<(Id, u8)>,
    /// Whether the held list was requested before the settling time of that stop had passed.
    pub stop_unsettled: bool,
    /// For how many ticks every list has lacked each deployment.
    pub missing: [Option<u8>; DEPLOYMENTS],
    /// The deployments whose delete was accepted.
    pub accepted: Ids,
    /// What the create call with this serial number has returned.
    pub created: Option<(u8, Id)>,
    /// The deployments that are proven to be gone.
    pub gone: Ids,
    /// Whether this process has itself put the finalizer on, and nothing was created since.
    pub is_new: bool,
    /// Whether a look had no result, and no remote write came since.
    pub looked: bool,
    /// The id that is reserved for the object.
    pub reserved: Option<Id>,
    /// What is being done.
    pub plan: Option<Plan>,
    /// For the laws: the call that was sent about this deployment, where no newer list has come since.
    pub sent: Option<(Step, Id)>,
}

/// A step that was decided, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// The step.
    pub step: Step,
    /// What comes next.
    pub stage: Stage,
    /// The object's uid.
    pub uid: Uid,
    /// How often the spec had been changed when this was decided.
    pub generation: u8,
    /// The version of the object that the next write builds on.
    pub version: u8,
    /// Whether it is about a deployment that is retiring.
    pub retiring: bool,
    /// The deployment that the step is about.
    pub id: Option<Id>,
    /// The state in which it was seen.
    pub shown: Option<RemoteState>,
    /// What is to be recorded before anything is done.
    pub told: Status,
    /// The announced create call.
    pub intent: Option<Intent>,
}

/// What comes next in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Recording what was seen.
    Tell,
    /// The first effect of the step itself.
    Act,
    /// Sending the call.
    Send,
    /// Waiting for the answer.
    Wait,
    /// Recording the id that the create call returned.
    Keep(Id),
    /// Recording that the create call was refused.
    Close,
}

impl Process {
    /// Forgets an object that is gone.
    pub fn forget(&mut self, name: Name, object: &Object) {
        let recorded = object.status.deployment.iter();
        let retiring = object.status.retiring.iter().flatten();
        recorded
            .chain(retiring)
            .for_each(|recorded| self.former_ids.insert(recorded.id));
        let plan = self.memories[name].plan;
        self.memories[name] = Memory {
            plan,
            ..Memory::default()
        };
    }

    /// Whether it is doing nothing.
    pub fn is_idle(&self) -> bool {
        self.memories.iter().all(|memory| memory.plan.is_none())
    }
}

impl Memory {
    /// Forgets what is remembered of a call or a deployment that the object does not record any more.
    pub(crate) fn forget_what_is_over(&mut self, object: &Object) {
        let open = object.status.intent.map(|intent| intent.serial);
        self.intent = self.intent.filter(|(serial, _)| Some(*serial) == open);
        for (id, missing) in (0..).zip(&mut self.missing) {
            *missing = missing.filter(|_| object.records(id));
        }
    }
}
