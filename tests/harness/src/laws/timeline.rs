//! The state of each deployment at each moment of a log.

use std::collections::BTreeMap;

use aicore_emulator::{Entry, Kind, Operation, State};
use jiff::Timestamp;

use super::STALE;

/// The log, replayed.
#[derive(Debug)]
pub struct Timeline<'a> {
    /// For each deployment its states, one after the other.
    states: BTreeMap<&'a str, Vec<Moment<'a>>>,
    /// The lists that the operator was given whole, in their order.
    lists: Vec<&'a Entry>,
}

/// The state of a deployment from an entry on.
#[derive(Clone, Copy, Debug)]
struct Moment<'a> {
    seq: u64,
    at: Timestamp,
    /// Nothing when it is gone.
    state: Option<&'a State>,
}

impl<'a> Timeline<'a> {
    /// Replays a whole log.
    #[must_use]
    pub fn of(audit: &'a [Entry]) -> Self {
        let mut states: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for entry in audit {
            // A call that found nothing says nothing: its deployment may be in another tenant or hidden from the caller.
            let tells = entry.before.is_some() || entry.after.is_some();
            if let (Some(id), true) = (&entry.deployment_id, tells) {
                states.entry(id).or_default().push(Moment {
                    seq: entry.seq,
                    at: entry.at,
                    state: entry.after.as_ref(),
                });
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
        let next = states.partition_point(|moment| moment.seq < seq);
        states[..next].last()?.state
    }

    /// Whether there ever was such a deployment.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.states.contains_key(id)
    }

    /// The entry with which a deployment was gone.
    pub(super) fn gone(&self, id: &str) -> Option<u64> {
        self.last(id).map(|moment| moment.seq)
    }

    /// When a deployment was gone; nothing while it exists.
    #[must_use]
    pub fn gone_at(&self, id: &str) -> Option<Timestamp> {
        self.last(id).map(|moment| moment.at)
    }

    fn last(&self, id: &str) -> Option<&Moment<'a>> {
        let last = self.states.get(id)?.last()?;
        last.state.is_none().then_some(last)
    }

    /// The states that a deployment had at some time between `from` and the entry `seq`, that entry left out.
    pub fn states_between(
        &self,
        id: &str,
        from: Timestamp,
        seq: u64,
    ) -> impl Iterator<Item = &'a State> {
        let states = self.states.get(id).map_or(&[][..], Vec::as_slice);
        let before = &states[..states.partition_point(|moment| moment.seq < seq)];
        // The state that held at `from` is the last one that began before.
        let first = before
            .partition_point(|moment| moment.at <= from)
            .saturating_sub(1);
        before[first..].iter().filter_map(|moment| moment.state)
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
