//! Creating a deployment: announce, call, record.

use super::{Server, Worker, Written, record};
use crate::cluster::Intent;
use crate::ids::Id;
use crate::laws::Law;
use crate::mutant::Mutant;
use crate::process::{Cache, Stage};

impl Worker<'_> {
    /// Announces the create call. It is too early without a list, or while this process makes another such call.
    pub(super) fn announce(&mut self) {
        let Some(Intent { configuration, .. }) = self.plan.intent else {
            return self.end();
        };
        let outdated = self.memory().outdated && !self.has(Mutant::OldListsCount);
        let name = Some(self.name);
        if outdated || self.state.is_creating(self.who, name, configuration) {
            return self.end();
        }
        let before = self.state.view(self.who, self.name);
        let uses_it = (0..).zip(self.state.list(self.who)).filter(|(_, listed)| {
            listed.is_some_and(|listed| listed.configuration == configuration)
        });
        let intent = Intent {
            serial: before.map_or(0, |object| object.status.serial) + 1,
            configuration,
            known: uses_it.map(|(id, _)| id).collect(),
            until: None,
        };
        self.plan.intent = Some(intent);
        if let Some(plan) = &mut self.memory().plan {
            plan.intent = Some(intent);
        }
        if self.has(Mutant::PostBeforeIntent) {
            return self.send();
        }
        let terminating = self.state.objects[self.name].is_some_and(|object| object.terminating);
        let forgotten = self.has(Mutant::FormerForgotten);
        let replaced = before
            .filter(|_| !forgotten)
            .and_then(|object| object.recorded_id());
        self.state.replaced.extend(replaced);
        let written = self.write(|object| {
            if forgotten {
                object.status.deployment = None;
            }
            object.status.make_way();
            object.status.intent = Some(intent);
            object.status.serial = intent.serial;
        });
        if let Some(before) = before.filter(|_| written == Written::Done) {
            self.state.lets_go(&before, before.predecessor());
        }
        if written == Written::Done && terminating {
            self.state.breaks(Law::CreatedWhileDeleting);
        }
        self.then(written, Stage::Send);
    }

    /// Records the id that the create call returned, on the newest version of the object, as long as its intent is open.
    pub(super) fn keep(&mut self, id: Id) {
        let reserved = self.memory().reserved == Some(id);
        if !reserved && !self.reserve(id) {
            return self.end();
        }
        self.memory().created = self.plan.intent.map(|intent| (intent.serial, id));
        let live = self.state.objects[self.name].filter(|object| object.uid == self.plan.uid);
        let Some(live) = live.filter(|_| self.server != Server::Fails) else {
            return self.end();
        };
        if live.version == self.plan.version {
            // When the answer is lost it is tried again, and then the object has changed.
            if self.write(|object| record(object, id)) == Written::Done {
                self.end();
            }
            return;
        }
        let open = live.status.intent == self.plan.intent
            || self.has(Mutant::KeepBlindly)
            || self.has(Mutant::PostBeforeIntent);
        let told = !self.has(Mutant::ReadUnregistered);
        let memory = self.memory();
        if matches!(memory.cache, Cache::Held(_)) && told {
            memory.newest = Some(live);
        }
        if !open {
            memory.reserved = None;
            return self.end();
        }
        if let Some(plan) = &mut memory.plan {
            plan.version = live.version;
        }
    }

    /// Records that the create call was refused.
    pub(super) fn close(&mut self) {
        self.write(|object| {
            object.status.intent = None;
            object.status.take_back();
        });
        self.end();
    }
}
