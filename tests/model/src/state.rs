//! Everything there is at one moment.

use aicore_operator::lifecycle::situation::Connection;

use crate::budget::Budget;
use crate::cluster::{Name, OBJECTS, Object, Uid};
use crate::ids::{Id, Ids};
use crate::laws::Law;
use crate::process::{Cache, Memory, Process};
use crate::remote::{Call, Deployment, Listed, Who};

/// How many deployments there can ever be.
pub const DEPLOYMENTS: usize = 8;

/// What a list shows, by id.
pub type List = [Option<Listed>; DEPLOYMENTS];

/// A backup of etcd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backup {
    /// The objects, by name.
    pub objects: [Option<Object>; OBJECTS],
    /// The time of the backup: the id of the first deployment that is younger.
    pub next_id: Id,
}

/// Everything there is at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The objects, by name.
    pub objects: [Option<Object>; OBJECTS],
    /// The deployments, by id.
    pub deployments: [Option<Deployment>; DEPLOYMENTS],
    /// The id of the next deployment.
    pub next_id: Id,
    /// The uid of the next object.
    pub next_uid: Uid,
    /// The calls that are on their way, oldest first.
    pub calls: Vec<Call>,
    /// The process that holds the Lease.
    pub leader: Process,
    /// A process that held it before and does not know better yet.
    pub former: Option<Process>,
    /// How AI Core can be reached.
    pub connection: Connection,
    /// The deployments that were left behind on purpose, as the Connection keeps them.
    pub left: Ids,
    /// What a backup of etcd holds.
    pub backup: Option<Box<Backup>>,
    /// The deployments from a time that etcd has forgotten.
    pub forgotten: Ids,
    /// Whether the custom resource definition is being deleted.
    pub uninstalling: bool,
    /// The faults and users that may still come.
    pub budget: Budget,
    /// The deployments whose ttl has run out.
    pub expired: Ids,
    /// For the laws: deployments that nobody has to answer for, because their object was let go by the user's word.
    pub let_go: Ids,
    /// For the laws: the uids of those objects.
    pub let_go_uids: Ids,
    /// For the laws: whether one of those objects went with an open create call from a shared configuration: its result is somewhere among those
    /// of the others.
    pub left_open: bool,
    /// For the laws: deployments that were to serve until their successors did.
    pub replaced: Ids,
    /// For the laws: deployments that somebody else has ended.
    pub ended: Ids,
    /// For the laws: whether etcd was restored.
    pub restored: bool,
    /// For the laws: the deployments that each object has ever named.
    pub named: [Ids; OBJECTS],
    /// For the laws: the serial number of the last create call of each uid.
    pub posted: [u8; OBJECTS * 2],
    /// The law that was broken on the way here.
    pub broken: Option<Law>,
}

impl State {
    /// A process.
    pub fn process(&self, who: Who) -> Option<&Process> {
        match who {
            Who::Leader => Some(&self.leader),
            Who::Former => self.former.as_ref(),
        }
    }

    /// What a process remembers of an object.
    ///
    /// # Panics
    ///
    /// When there is no such process.
    pub fn memory(&self, who: Who, name: Name) -> &Memory {
        &self.process(who).expect("the process lives").memories[name]
    }

    /// The same, to be changed.
    ///
    /// # Panics
    ///
    /// When there is no such process.
    pub fn memory_mut(&mut self, who: Who, name: Name) -> &mut Memory {
        let process = match who {
            Who::Leader => &mut self.leader,
            Who::Former => self.former.as_mut().expect("the process lives"),
        };
        &mut process.memories[name]
    }

    /// The object as this process knows it: the newer one of what its watch has shown and of what its own last write returned.
    pub fn view(&self, who: Who, name: Name) -> Option<Object> {
        let memory = self.memory(who, name);
        let Cache::Held(cached) = memory.cache else {
            return self.objects[name];
        };
        let cached = cached?;
        let newer = |own: &Object| own.uid == cached.uid && own.version > cached.version;
        memory.newest.filter(newer).or(Some(cached))
    }

    /// The object as the cache of this process shows it.
    pub fn cached(&self, who: Who, name: Name) -> Option<Object> {
        match self.memory(who, name).cache {
            Cache::Live => self.objects[name],
            Cache::Held(cached) => cached,
        }
    }

    /// What a list shows now.
    pub fn listed(&self) -> List {
        self.deployments
            .map(|deployment| deployment.and_then(|deployment| deployment.listed()))
    }

    /// The list that this process has.
    pub fn list(&self, who: Who) -> List {
        self.process(who)
            .and_then(|process| process.held_list)
            .unwrap_or_else(|| self.listed())
    }

    /// The objects that record `id`.
    pub fn recorders(&self, id: Id) -> impl Iterator<Item = &Object> {
        self.objects
            .iter()
            .flatten()
            .filter(move |object| object.records(id))
    }

    /// The ids of the deployments that exist.
    pub fn existing(&self) -> impl Iterator<Item = (Id, &Deployment)> {
        self.deployments
            .iter()
            .enumerate()
            .filter_map(|(id, deployment)| Some((id as Id, deployment.as_ref()?)))
    }
}
