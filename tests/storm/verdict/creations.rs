//! Which create call was announced by which object.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aicore_emulator::{Entry, Operation};
use jiff::Timestamp;

use super::{Finding, Verdict, calls};
use crate::ledger::{History, Intent};

/// How much later than the end of its announcement a call may still arrive: an operator that was killed has sent it before.
const ON_THE_WAY: Duration = Duration::from_secs(1);

/// The create calls of the operator, each with the announcement that it belongs to.
#[derive(Debug)]
pub struct Creations<'a> {
    calls: Vec<(&'a Entry, Option<&'a str>)>,
}

/// An announcement while it is open.
struct Announcement<'a> {
    uid: &'a str,
    configuration: &'a str,
    opened: Timestamp,
    /// Nothing when it is open to the end.
    closed: Option<Timestamp>,
}

impl<'a> Creations<'a> {
    /// Gives each call an announcement of its own for the same configuration. One that was open when the call arrived comes before one that had
    /// ended just then: its call is most often answered, or was never sent. Where that leaves more calls without one than there need be, it was
    /// not so, and all count alike.
    pub fn of(audit: &'a [Entry], histories: &'a BTreeMap<String, History>) -> Self {
        let announcements: Vec<Announcement<'a>> = histories
            .iter()
            .flat_map(|(uid, history)| announcements(uid, history))
            .collect();
        let mut posts: Vec<&Entry> = calls(audit).filter(|call| may_create(call)).collect();
        posts.sort_by_key(|call| arrival(call));
        let likely = assign(&posts, &announcements, |open, time| open.has_ended(time));
        let possible = assign(&posts, &announcements, |_, _| false);
        let unannounced = |given: &[_]| {
            given
                .iter()
                .filter(|uid: &&Option<_>| uid.is_none())
                .count()
        };
        let given = match unannounced(&likely) <= unannounced(&possible) {
            true => likely,
            false => possible,
        };
        Self {
            calls: posts.into_iter().zip(given).collect(),
        }
    }

    /// The deployments that were made, each with its call.
    pub(super) fn made(&self) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let made = self.calls.iter().filter(|(call, _)| call.accepted);
        made.filter_map(|(call, _)| Some((call.deployment_id.as_deref()?, *call)))
    }

    /// The uid of the object that a deployment was made for.
    pub fn maker(&self, id: &str) -> Option<&'a str> {
        let (_, uid) = self.find(id)?;
        *uid
    }

    /// When a deployment was made.
    pub(super) fn made_at(&self, id: &str) -> Option<Timestamp> {
        self.find(id).map(|(call, _)| call.at)
    }

    /// The calls that nothing announced, or that an earlier call was announced by.
    pub(super) fn unannounced(&self) -> Vec<Finding> {
        let unannounced = self.calls.iter().filter(|(_, uid)| uid.is_none());
        unannounced
            .map(|(call, _)| {
                Verdict::Duplicate.found(format!(
                    "create call {} from {} (deployment {}) has no announcement of its own",
                    call.seq,
                    call.configuration_id.as_deref().unwrap_or_default(),
                    call.deployment_id.as_deref().unwrap_or("unknown")
                ))
            })
            .collect()
    }

    fn find(&self, id: &str) -> Option<&(&'a Entry, Option<&'a str>)> {
        self.calls
            .iter()
            .find(|(call, _)| call.accepted && call.deployment_id.as_deref() == Some(id))
    }
}

/// The uid of each call's announcement: of those that may be it the one that closed first, and before all for which it is `unlikely`. Where nothing is
/// unlikely that is the best there is: where any assignment leaves no call without an announcement, this one does.
fn assign<'a>(
    posts: &[&Entry],
    announcements: &[Announcement<'a>],
    unlikely: impl Fn(&Announcement<'_>, Timestamp) -> bool,
) -> Vec<Option<&'a str>> {
    let mut taken = BTreeSet::new();
    let of = |call: &&Entry| {
        let time = arrival(call);
        let open = announcements.iter().enumerate().filter(|(number, open)| {
            !taken.contains(number)
                && call.configuration_id.as_deref() == Some(open.configuration)
                && open.holds(time)
        });
        let order = |open: &Announcement<'_>| {
            let closed = open.closed.unwrap_or(Timestamp::MAX);
            (unlikely(open, time), closed)
        };
        let (number, open) = open.min_by_key(|(_, open)| order(open))?;
        taken.insert(number);
        Some(open.uid)
    };
    posts.iter().map(of).collect()
}

impl Announcement<'_> {
    fn has_ended(&self, time: Timestamp) -> bool {
        self.closed.is_some_and(|closed| closed < time)
    }

    fn holds(&self, time: Timestamp) -> bool {
        let closed = self
            .closed
            .and_then(|closed| closed.checked_add(ON_THE_WAY).ok());
        self.opened <= time && closed.is_none_or(|closed| time <= closed)
    }
}

/// Every call that made a deployment, or may have made one as far as its sender can tell. What AI Core refused may be sent again.
fn may_create(call: &Entry) -> bool {
    call.operation == Operation::CreateDeployment
        && (call.accepted || call.http_status.is_none_or(|status| status >= 500))
}

fn arrival(call: &Entry) -> Timestamp {
    call.received_at.unwrap_or(call.at)
}

fn announcements<'a>(uid: &'a str, history: &'a History) -> Vec<Announcement<'a>> {
    let mut all: Vec<Announcement<'a>> = Vec::new();
    let mut open: Option<&Intent> = None;
    for write in &history.writes {
        if write.intent.as_ref() == open && write.held {
            continue;
        }
        if let (Some(_), Some(last)) = (open, all.last_mut()) {
            last.closed = Some(write.answered);
        }
        open = write.intent.as_ref().filter(|_| write.held);
        if let Some(intent) = open {
            all.push(Announcement {
                uid,
                configuration: &intent.configuration,
                opened: write.received,
                closed: None,
            });
        }
    }
    all
}
