//! What a call leaves in the audit log.

use jiff::Timestamp;

use crate::audit::{Entry, Kind, State};
use crate::call::{Answer, Call, Created, Subject};
use crate::deployment::Deployment;
use crate::tokens::Identity;
use crate::world::World;

/// What is known about a caller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    pub(crate) tenant: Option<String>,
    pub(crate) client_id: Option<String>,
}

/// Everything that is known of a call when its effect has taken place.
pub(crate) struct CallLog<'a> {
    pub(crate) call: &'a Call,
    pub(crate) now: Timestamp,
    pub(crate) received_at: Timestamp,
    pub(crate) caller: Caller,
    /// The deployments of the call's subjects before the effect, see [`states`].
    pub(crate) before: Vec<Option<State>>,
    pub(crate) http_status: Option<u16>,
    pub(crate) fault: Option<String>,
}

impl CallLog<'_> {
    /// Writes one entry, or one for each item of a bulk call that was accepted. `answer` is what the API said, whether
    /// or not the caller got to see it; nothing when the call had no effect.
    pub(crate) fn write(self, world: &mut World, answer: Option<&Answer>) {
        let accepted = answer.is_some_and(|answer| answer.status.is_success());
        let entries = if self.call.bulk && accepted {
            self.item_entries(world, answer)
        } else {
            let created = answer.and_then(|answer| answer.created.as_ref());
            self.call
                .subjects
                .first()
                .map(|subject| self.call_entry(world, subject, accepted, created))
                .into_iter()
                .collect()
        };
        for entry in entries {
            world.audit.append(entry);
        }
    }

    fn item_entries(&self, world: &World, answer: Option<&Answer>) -> Vec<Entry> {
        let after = states(world, &self.caller, self.call);
        let states = self.before.iter().cloned().zip(after);
        let items = self.call.subjects.iter().zip(states);
        items
            .map(|(subject, (before, after))| {
                let id = subject.deployment_id.as_deref().unwrap_or_default();
                let accepted = !answer.is_some_and(|answer| answer.refused.contains(id));
                Entry {
                    accepted,
                    before,
                    after,
                    ..self.entry(world, subject)
                }
            })
            .collect()
    }

    fn call_entry(
        &self,
        world: &World,
        subject: &Subject,
        accepted: bool,
        created: Option<&Created>,
    ) -> Entry {
        let entry = Entry {
            accepted,
            ..self.entry(world, subject)
        };
        if self.call.bulk {
            return Entry {
                deployment_id: None,
                configuration_id: None,
                ..entry
            };
        }
        if let Some(created) = created {
            let deployment = created.deployment_id.as_deref();
            return Entry {
                after: deployment
                    .and_then(|id| find(world, &self.caller, self.call, id))
                    .map(Deployment::state),
                deployment_id: created.deployment_id.clone(),
                configuration_id: Some(created.configuration_id.clone()),
                ..entry
            };
        }
        Entry {
            before: self.before.first().cloned().flatten(),
            after: states(world, &self.caller, self.call)
                .into_iter()
                .next()
                .flatten(),
            ..entry
        }
    }

    fn entry(&self, world: &World, subject: &Subject) -> Entry {
        let call = self.call;
        let of_deployment = || {
            let deployment = find(world, &self.caller, call, subject.deployment_id.as_deref()?)?;
            Some(deployment.configuration.id.clone())
        };
        Entry {
            received_at: Some(self.received_at),
            method: Some(call.method.to_string()),
            path: Some(call.path.clone()),
            query: call.raw_query.clone(),
            tenant: self.caller.tenant.clone(),
            client_id: self.caller.client_id.clone(),
            resource_group: call.resource_group().map(str::to_owned),
            deployment_id: subject.deployment_id.clone(),
            configuration_id: subject.configuration_id.clone().or_else(of_deployment),
            bulk: call.bulk,
            request_id: Some(call.request_id.clone()),
            http_status: self.http_status,
            fault: self.fault.clone(),
            ..Entry::new(Kind::Call, subject.operation, self.now)
        }
    }
}

/// The present state of each deployment that a call is about.
pub(crate) fn states(world: &World, caller: &Caller, call: &Call) -> Vec<Option<State>> {
    let state = |subject: &Subject| {
        find(world, caller, call, subject.deployment_id.as_deref()?).map(Deployment::state)
    };
    call.subjects.iter().map(state).collect()
}

fn find<'a>(world: &'a World, caller: &Caller, call: &Call, id: &str) -> Option<&'a Deployment> {
    let tenant = world.tenants.get(caller.tenant.as_deref()?)?;
    tenant
        .groups
        .get(call.resource_group()?)?
        .deployments()
        .get(id)
}

impl From<Identity> for Caller {
    fn from(identity: Identity) -> Self {
        Self {
            tenant: Some(identity.tenant),
            client_id: Some(identity.client_id),
        }
    }
}
