//! The state of each deployment at each moment of a log.

use std::collections::BTreeMap;

use aicore_emulator::{Entry, Kind, Operation, State};

use super::STALE;

/// The log, replayed.
pub(super) struct Timeline<'a> {
    /// For each deployment its states from an entry on; nothing means that it is gone.
    states: BTreeMap<&'a str, Vec<(u64, Option<&'a State>)>>,
    /// The lists that the operator was given whole, in their order.
    lists: Vec<&'a Entry>,
}

impl<'a> Timeline<'a> {
    pub(super) fn of(audit: &'a [Entry]) -> Self {
        let mut states: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for entry in audit {
            // A call that found nothing says nothing: its deployment may be in another tenant or hidden from the caller.
            let tells = entry.before.is_some() || entry.after.is_some();
            if let (Some(id), true) = (&entry.deployment_id, tells) {
                states
                    .entry(id)
                    .or_default()
                    .push((entry.seq, entry.after.as_ref()));
            }
        }
        let answered = |entry: &&Entry| {
            entry.operation == Operation::ListDeployments
                && entry.http_status == Some(200)
                && entry
                    .fault
                    .as_ref()
                    .is_none_or(|fault| fault.starts_with(STALE))
        };
        Self {
            states,
            lists: audit.iter().filter(answered).collect(),
        }
    }

    /// The state of a deployment right before an entry, or nothing when there was no such deployment.
    pub(super) fn state_before(&self, id: &str, seq: u64) -> Option<&'a State> {
        let states = self.states.get(id)?;
        let next = states.partition_point(|(since, _)| *since < seq);
        states[..next].last()?.1
    }

    /// Whether there ever was such a deployment.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.states.contains_key(id)
    }

    /// The entry with which a deployment was gone.
    pub(super) fn gone(&self, id: &str) -> Option<u64> {
        let (seq, state) = self.states.get(id)?.last()?;
        state.is_none().then_some(*seq)
    }

    /// The lists of a call's tenant and group that were answered between two entries.
    pub(super) fn lists_between(
        &self,
        call: &Entry,
        after: u64,
        before: u64,
    ) -> impl DoubleEndedIterator<Item = &'a Entry> {
        let lists = self.lists.iter().copied();
        let place = (call.tenant.clone(), call.resource_group.clone());
        lists.filter(move |list| {
            (list.tenant.clone(), list.resource_group.clone()) == place
                && list.seq > after
                && list.seq < before
        })
    }

    /// The newest list of a call's tenant and group that the operator had before the call.
    pub(super) fn last_list(&self, call: &Entry) -> Option<&'a Entry> {
        self.lists_between(call, 0, call.seq).next_back()
    }
}

/// Whether a list showed an old state.
pub(super) fn is_stale(list: &Entry) -> bool {
    list.fault.is_some()
}

/// The calls of the operator for one operation.
pub(super) fn calls(audit: &[Entry], operation: Operation) -> impl Iterator<Item = &Entry> {
    audit
        .iter()
        .filter(move |entry| entry.kind == Kind::Call && entry.operation == operation)
}
