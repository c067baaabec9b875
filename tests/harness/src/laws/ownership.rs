//! The laws about objects and what they own.

use std::collections::BTreeSet;

use aicore_emulator::{Entry, Operation};

use super::timeline::{Timeline, calls};
use super::{Evidence, Law, ObjectHistory, Violation};

pub(super) fn violations(evidence: &Evidence, timeline: &Timeline<'_>) -> Vec<Violation> {
    let mut violations = leaks(evidence, timeline);
    violations.extend(duplicates(evidence));
    for object in &evidence.objects {
        violations.extend(overlaps(evidence, timeline, object));
        violations.extend(early_release(evidence, timeline, object));
    }
    violations
}

fn creations(audit: &[Entry]) -> impl Iterator<Item = (u64, &str)> {
    calls(audit, Operation::CreateDeployment)
        .filter(|call| call.accepted)
        .filter_map(|call| Some((call.seq, call.deployment_id.as_deref()?)))
}

/// Law 2, first half.
fn leaks(evidence: &Evidence, timeline: &Timeline<'_>) -> Vec<Violation> {
    let orphaned = |object: &&ObjectHistory| object.released.is_some() && object.orphans;
    let held: BTreeSet<&str> = evidence
        .objects
        .iter()
        .filter(|object| object.released.is_none() || orphaned(object))
        .filter_map(|object| object.current.as_deref())
        .collect();
    creations(&evidence.audit)
        .filter(|(_, id)| timeline.gone(id).is_none() && !held.contains(id))
        .map(|(seq, id)| {
            Law::NeverLeak.broken(format!("{id}, created by call {seq}, belongs to no object"))
        })
        .collect()
}

/// Law 3.
fn duplicates(evidence: &Evidence) -> Option<Violation> {
    let made: Vec<&str> = creations(&evidence.audit).map(|(_, id)| id).collect();
    (made.len() != evidence.creations).then(|| {
        Law::NoDuplicate.broken(format!(
            "{} deployments were to be created, but these were: {made:?}",
            evidence.creations
        ))
    })
}

/// Law 2, second half.
fn overlaps(
    evidence: &Evidence,
    timeline: &Timeline<'_>,
    object: &ObjectHistory,
) -> Vec<Violation> {
    let own: Vec<(u64, &str)> = creations(&evidence.audit)
        .filter(|(_, id)| object.recorded.contains(*id))
        .collect();
    let pairs = own.iter().zip(own.iter().skip(1));
    pairs
        .filter(|((_, former), _)| !object.replaced.contains(*former))
        .filter(|((_, former), (created, _))| {
            timeline.gone(former).is_none_or(|gone| gone > *created)
        })
        .map(|((_, former), (seq, id))| {
            Law::OneDeploymentPerObject.broken(format!(
                "call {seq} creates {id} for {} while {former} exists",
                object.name
            ))
        })
        .collect()
}

/// Law 6.
fn early_release(
    evidence: &Evidence,
    timeline: &Timeline<'_>,
    object: &ObjectHistory,
) -> Vec<Violation> {
    let Some(released) = object.released.filter(|_| !object.orphans) else {
        return Vec::new();
    };
    let held_by_another = |id: &str| {
        evidence.objects.iter().any(|other| {
            other.name != object.name
                && other.current.as_deref() == Some(id)
                && other.released.is_none_or(|other| other > released)
        })
    };
    let gone = |id: &str| {
        let seq = timeline.gone(id)?;
        let entry = evidence.audit.iter().find(|entry| entry.seq == seq)?;
        Some(entry.at)
    };
    let ids = object.current.iter().chain(&object.retired);
    // An id that AI Core never had, as a mistyped one to adopt, holds nothing back.
    ids.filter(|id| timeline.knows(id) && !held_by_another(id))
        .map(|id| (id, gone(id)))
        .filter(|(_, gone)| gone.is_none_or(|gone| gone > released))
        .map(|(id, gone)| {
            Law::ReleaseOnProof.broken(format!(
                "{} was let go at {released}, while {id} existed ({})",
                object.name,
                gone.map_or("to the end".to_owned(), |gone| format!("until {gone}"))
            ))
        })
        .collect()
}
