//! What must never happen, held against what AI Core and the API server have logged. Pure, and knows nothing of the operator's code.

mod creations;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use aicore_emulator::{Entry, Kind, Operation};
use harness::laws::Timeline;
use jiff::Timestamp;

use crate::ledger::{History, Write};
use crate::objects::SHARED;

pub use creations::Creations;

/// How old the operator's knowledge may be when it sends a call: a list shows an old state, its answer is late, and the operator is busy.
const AGE_OF_KNOWLEDGE: Duration = Duration::from_secs(5);

/// Something that must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// A deployment that the operator made is still there, and no object has it.
    Leaked,
    /// Two create calls for one announcement, or two deployments of one object at the same time.
    Duplicate,
    /// What is RUNNING, PENDING or STOPPING was to be deleted.
    EarlyDelete,
    /// An object was let go while a deployment of it was still there.
    EarlyRelease,
    /// A create call was announced for an object that is being deleted.
    CreatedWhileDeleting,
    /// A deployment that the operator neither made nor was told to adopt was written to, or taken.
    StrangerTouched,
    /// An object took a deployment that another object had recorded, and that it was not told to adopt.
    Stolen,
    /// A person was asked although the deployment proves whose it is.
    Ambiguous,
    /// An object is not what it was to be in the end.
    Stuck,
    /// The operator ended by itself, or panicked.
    Crashed,
}

impl Verdict {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 10] = [
        Self::Leaked,
        Self::Duplicate,
        Self::EarlyDelete,
        Self::EarlyRelease,
        Self::CreatedWhileDeleting,
        Self::StrangerTouched,
        Self::Stolen,
        Self::Ambiguous,
        Self::Stuck,
        Self::Crashed,
    ];
}

/// Something that happened and must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub verdict: Verdict,
    /// What happened, for a person.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.verdict, self.what)
    }
}

/// Everything that the storm has left.
#[derive(Debug, Default)]
pub struct Evidence {
    /// AI Core's whole log.
    pub audit: Vec<Entry>,
    /// What became of each object, by uid.
    pub histories: BTreeMap<String, History>,
    /// Each object that is not what it was to be.
    pub unmet: Vec<String>,
    /// Each end of the operator that nothing excuses.
    pub crashes: Vec<String>,
}

/// Everything that happened and must not.
pub fn findings(evidence: &Evidence) -> Vec<Finding> {
    let timeline = Timeline::of(&evidence.audit);
    let creations = Creations::of(&evidence.audit, &evidence.histories);
    let told = |verdict, all: &[String]| -> Vec<Finding> {
        let all = all.iter().cloned();
        all.map(|what| Finding { verdict, what }).collect()
    };
    [
        leaks(evidence, &timeline, &creations),
        creations.unannounced(),
        overlaps(evidence, &timeline, &creations),
        early_deletes(evidence, &timeline),
        early_releases(evidence, &timeline),
        created_while_deleting(evidence),
        strangers_touched(evidence),
        thefts(evidence),
        needless_questions(evidence),
        told(Verdict::Stuck, &evidence.unmet),
        told(Verdict::Crashed, &evidence.crashes),
    ]
    .concat()
}

impl Verdict {
    fn found(self, what: String) -> Finding {
        Finding {
            verdict: self,
            what,
        }
    }
}

/// The calls of the operator.
fn calls(audit: &[Entry]) -> impl Iterator<Item = &Entry> {
    audit.iter().filter(|entry| entry.kind == Kind::Call)
}

/// Results of the same configuration are interchangeable: where an object leaves an unfinished create call behind by its policy, one deployment of
/// that configuration may stay that no object ever had.
fn leaks(evidence: &Evidence, timeline: &Timeline<'_>, creations: &Creations<'_>) -> Vec<Finding> {
    let histories = || evidence.histories.values();
    let orphaned =
        || histories().filter(|history| history.release().is_some_and(|release| release.orphans));
    let accounted: BTreeSet<&str> = histories()
        .flat_map(History::holds)
        .chain(orphaned().flat_map(History::recorded))
        .collect();
    let mut unfinished: BTreeMap<&str, usize> = BTreeMap::new();
    for history in orphaned() {
        if let Some(intent) = history
            .release()
            .and_then(|release| release.intent.as_ref())
        {
            *unfinished.entry(&intent.configuration).or_default() += 1;
        }
    }
    creations
        .made()
        .filter(|(id, _)| timeline.gone_at(id).is_none() && !accounted.contains(id))
        .filter(|(_, call)| {
            let configuration = call.configuration_id.as_deref().unwrap_or_default();
            let left = unfinished.get_mut(configuration).filter(|left| **left > 0);
            left.map(|left| *left -= 1).is_none()
        })
        .map(|(id, call)| {
            Verdict::Leaked.found(format!(
                "{id} in {}, made from {} by call {}, belongs to no object",
                call.resource_group.as_deref().unwrap_or_default(),
                call.configuration_id.as_deref().unwrap_or_default(),
                call.seq
            ))
        })
        .collect()
}

/// Two deployments of one object at the same time.
fn overlaps(
    evidence: &Evidence,
    timeline: &Timeline<'_>,
    creations: &Creations<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (uid, history) in &evidence.histories {
        let mut owned: Vec<(Timestamp, &str)> = history
            .recorded()
            .into_iter()
            .filter_map(|id| Some((owned_since(uid, history, id, creations)?, id)))
            .collect();
        owned.sort();
        for (since, id) in &owned {
            let former = owned.iter().take_while(|(earlier, _)| earlier < since);
            for (_, former) in former {
                if timeline.gone_at(former).is_none_or(|gone| gone > *since) {
                    findings.push(Verdict::Duplicate.found(format!(
                        "{} has had {id} since {since}, while {former} existed",
                        history.name
                    )));
                }
            }
        }
    }
    findings
}

/// Since when a deployment that an object recorded has been its own: since it was made for it, or since it took what was made for another.
fn owned_since(
    uid: &str,
    history: &History,
    id: &str,
    creations: &Creations<'_>,
) -> Option<Timestamp> {
    if creations.maker(id) == Some(uid) {
        return creations.made_at(id);
    }
    history.first_recorded(id)
}

/// A refused call is forgiven where the deployment could be deleted a moment before the call was sent: no list is younger than its answer.
fn early_deletes(evidence: &Evidence, timeline: &Timeline<'_>) -> Vec<Finding> {
    let forbids = |state: &aicore_emulator::State| {
        ["RUNNING", "PENDING", "STOPPING"].contains(&state.status.as_str())
    };
    calls(&evidence.audit)
        .filter(|call| call.operation == Operation::DeleteDeployment)
        .filter_map(|call| {
            let state = call.before.as_ref().filter(|state| forbids(state))?;
            let id = call.deployment_id.as_deref()?;
            let sent = call.received_at.unwrap_or(call.at);
            let knowledge = sent.checked_sub(AGE_OF_KNOWLEDGE).unwrap_or(sent);
            let mut known = timeline.states_between(id, knowledge, call.seq);
            let could_not_know = known.any(|state| !forbids(state));
            (call.accepted || !could_not_know).then(|| {
                Verdict::EarlyDelete.found(format!(
                    "call {} deletes {id}, which is {}/{}",
                    call.seq, state.status, state.target_status
                ))
            })
        })
        .collect()
}

fn early_releases(evidence: &Evidence, timeline: &Timeline<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (uid, history) in &evidence.histories {
        let Some(release) = history.release().filter(|release| !release.orphans) else {
            continue;
        };
        for id in history.recorded() {
            let gone = timeline.gone_at(id);
            let another_has_it = || {
                let mut others = evidence.histories.iter().filter(|(other, _)| *other != uid);
                others.any(|(_, other)| other.recorded_at(id, release.received))
            };
            let early = gone.is_none_or(|gone| gone > release.answered);
            if early && timeline.knows(id) && !another_has_it() {
                let until = gone.map_or("to the end".to_owned(), |gone| format!("until {gone}"));
                findings.push(Verdict::EarlyRelease.found(format!(
                    "{} ({uid}) was let go at {}, while {id} existed ({until})",
                    history.name, release.answered
                )));
            }
        }
    }
    findings
}

/// An announcement that was first seen after the deletion may have been made before, by a write whose answer the API server could not give.
fn created_while_deleting(evidence: &Evidence) -> Vec<Finding> {
    let announces = |history: &History, before: &Write, after: &Write| {
        after.terminating
            && after.by_operator
            && after.intent.is_some()
            && after.intent != before.intent
            && !history.may_have_changed(before.received, after.received)
    };
    let mut findings = Vec::new();
    for history in evidence.histories.values() {
        let pairs = history.writes.iter().zip(history.writes.iter().skip(1));
        findings.extend(
            pairs
                .filter(|(before, after)| announces(history, before, after))
                .map(|(_, after)| {
                    Verdict::CreatedWhileDeleting.found(format!(
                        "{} announced {:?} at {}, while it was being deleted",
                        history.name, after.intent, after.answered
                    ))
                }),
        );
    }
    findings
}

fn strangers_touched(evidence: &Evidence) -> Vec<Finding> {
    let writes = [
        Operation::StopDeployment,
        Operation::ChangeConfiguration,
        Operation::DeleteDeployment,
    ];
    let named: BTreeSet<&str> = evidence
        .histories
        .values()
        .flat_map(|history| &history.writes)
        .filter_map(|write| write.adopts.as_deref())
        .collect();
    let strangers: BTreeSet<&str> = evidence
        .audit
        .iter()
        .filter(|entry| entry.kind == Kind::Control && entry.before.is_none())
        .filter_map(|entry| entry.deployment_id.as_deref())
        .filter(|id| !named.contains(id))
        .collect();
    let written = calls(&evidence.audit)
        .filter(|call| writes.contains(&call.operation))
        .filter_map(|call| {
            let id = call.deployment_id.as_deref()?;
            strangers.contains(id).then(|| {
                Verdict::StrangerTouched.found(format!(
                    "call {} ({:?}) is about {id}, which is somebody else's",
                    call.seq, call.operation
                ))
            })
        });
    let taken = evidence.histories.values().flat_map(|history| {
        let recorded = history.recorded().into_iter();
        recorded.filter(|id| strangers.contains(id)).map(|id| {
            Verdict::StrangerTouched.found(format!(
                "{} took {id}, which is somebody else's",
                history.name
            ))
        })
    });
    written.chain(taken).collect()
}

/// An object of the same name is the same object, applied again.
fn thefts(evidence: &Evidence) -> Vec<Finding> {
    let mut takers: BTreeMap<&str, Vec<(Timestamp, &History)>> = BTreeMap::new();
    for history in evidence.histories.values() {
        for id in history.recorded() {
            let first = history.first_recorded(id).map(|first| (first, history));
            takers.entry(id).or_default().extend(first);
        }
    }
    let mut findings = Vec::new();
    for (id, mut takers) in takers {
        takers.sort_by_key(|(first, _)| *first);
        for ((_, former), (at, taker)) in takers.iter().zip(takers.iter().skip(1)) {
            let named = taker
                .writes
                .iter()
                .any(|write| write.adopts.as_deref() == Some(id));
            if former.name != taker.name && !named {
                findings.push(Verdict::Stolen.found(format!(
                    "{} took {id} at {at}, which {} had recorded",
                    taker.name, former.name
                )));
            }
        }
    }
    findings
}

fn needless_questions(evidence: &Evidence) -> Vec<Finding> {
    evidence
        .histories
        .values()
        .filter(|history| history.connection != SHARED)
        .filter_map(|history| {
            let asks = |write: &&Write| write.by_operator && write.reason == "Ambiguous";
            let asked = history.writes.iter().find(asks)?;
            Some(Verdict::Ambiguous.found(format!(
                "{} of Connection {} was Ambiguous at {}",
                history.name, history.connection, asked.answered
            )))
        })
        .collect()
}
