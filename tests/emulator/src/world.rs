//! Everything the emulator knows, behind one lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::audit::{Audit, Entry, Kind, State};
use crate::call::Operation;
use crate::clock::Clock;
use crate::deployment::Deployment;
use crate::faults::Faults;
use crate::lifecycle::{self, Step};
use crate::resource_group::ResourceGroup;
use crate::settings::Settings;
use crate::tenant::Tenant;
use crate::tokens::Tokens;

/// The state of the emulator.
pub(crate) struct World {
    pub(crate) base_url: String,
    pub(crate) settings: Settings,
    pub(crate) tenants: BTreeMap<String, Tenant>,
    /// The tenant that the control plane means when a request names none.
    pub(crate) first_tenant: Option<String>,
    pub(crate) tokens: Tokens,
    pub(crate) audit: Audit,
    pub(crate) faults: Faults,
    clock: Clock,
    now: Timestamp,
}

/// The world as the parts of the server share it.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// The world, moved on to the present moment.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        let mut world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance();
        world
    }
}

impl World {
    pub(crate) fn new(base_url: String, settings: Settings, clock: Clock) -> Self {
        Self {
            base_url,
            settings,
            tenants: BTreeMap::new(),
            first_tenant: None,
            tokens: Tokens::new(),
            audit: Audit::default(),
            faults: Faults::default(),
            now: clock.now(),
            clock,
        }
    }

    /// The moment of this visit: time stands still while the lock is held.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Plays all transitions that are due, and logs them in the order in which they were due.
    fn advance(&mut self) {
        let since = std::mem::replace(&mut self.now, self.clock.now());
        let mut advance = Advance {
            settings: &self.settings,
            since,
            now: self.now,
            transitions: Vec::new(),
        };
        for tenant in self.tenants.values_mut() {
            tenant
                .groups
                .retain(|_, group| advance.keep_group(&tenant.zone, group));
        }
        let mut transitions = advance.transitions;
        transitions.sort_by_key(|entry| entry.at);
        for entry in transitions {
            self.audit.append(entry);
        }
    }
}

/// One pass over all deployments.
struct Advance<'a> {
    settings: &'a Settings,
    /// Nothing is played earlier than this: a setting that was shortened, or a deployment that thawed, must not write
    /// into a past that has been logged.
    since: Timestamp,
    now: Timestamp,
    transitions: Vec<Entry>,
}

impl Advance<'_> {
    /// Moves the deployments of a group on. False when the group is gone, with all of them.
    fn keep_group(&mut self, zone: &str, group: &mut ResourceGroup) -> bool {
        let end = group
            .gone_at(self.settings)
            .map_or(Timestamp::MAX, |gone_at| gone_at.max(self.since));
        let until = end.min(self.now);
        let moving: Vec<String> = group
            .deployments()
            .values()
            .filter(|deployment| self.due(deployment, until).is_some())
            .map(|deployment| deployment.id.clone())
            .collect();
        for id in moving {
            self.move_deployment(zone, group, &id, until);
        }
        if end > self.now {
            return true;
        }
        for deployment in group.deployments().values() {
            self.log(end, zone, &group.id, deployment, None);
        }
        false
    }

    fn move_deployment(
        &mut self,
        zone: &str,
        group: &mut ResourceGroup,
        id: &str,
        until: Timestamp,
    ) {
        while let Some(deployment) = group.deployments().get(id).cloned() {
            let Some((at, step)) = self.due(&deployment, until) else {
                return;
            };
            let mut moved = deployment.clone();
            if moved.carry_out(step, at, self.settings) {
                self.log(at, zone, &group.id, &deployment, Some(moved.state()));
                group.put(moved, at);
            } else {
                self.log(at, zone, &group.id, &deployment, None);
                group.remove(id, at);
            }
        }
    }

    /// The next step of a deployment, if its time has come.
    fn due(&self, deployment: &Deployment, until: Timestamp) -> Option<(Timestamp, Step)> {
        let (due, step) = lifecycle::next(deployment, self.settings)?;
        (due <= until).then_some((due.max(self.since), step))
    }

    fn log(
        &mut self,
        at: Timestamp,
        zone: &str,
        group: &str,
        deployment: &Deployment,
        after: Option<State>,
    ) {
        self.transitions.push(Entry {
            tenant: Some(zone.to_owned()),
            resource_group: Some(group.to_owned()),
            deployment_id: Some(deployment.id.clone()),
            configuration_id: Some(deployment.configuration.id.clone()),
            accepted: true,
            before: Some(deployment.state()),
            after,
            ..Entry::new(Kind::Transition, Operation::Transition, at)
        });
    }
}
