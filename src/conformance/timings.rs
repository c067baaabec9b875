//! How long things took, from the answer to a call to the look that showed its effect.

use std::time::Duration;

use serde::Serialize;

use super::observations::{Look, Observations};
use super::question::Question;
use super::shown::Shown;

/// How long something took.
#[derive(Clone, Debug, Serialize)]
pub struct Timing {
    /// Its name, which does not change from one version to the next.
    pub id: &'static str,
    /// The seconds, by at most one look too many; none when it was not seen.
    pub seconds: Option<f64>,
}

type Shows = fn(&Look) -> bool;

const STOPS: &[Question] = &[Question::StopInBulk, Question::Stop];
const DELETIONS: &[Question] = &[Question::Delete];

const TIMINGS: &[(&str, &[Question], Shows)] = &[
    ("create-to-visible-by-id", &[Question::Create], |look| {
        look.single.shown().is_some()
    }),
    ("create-to-visible-in-list", &[Question::Create], |look| {
        look.listed.shown().is_some()
    }),
    ("create-to-pending", &[Question::Create], |look| {
        has_status(look, "PENDING")
    }),
    ("create-to-running", &[Question::Create], |look| {
        has_status(look, "RUNNING")
    }),
    ("stop-to-stopping", STOPS, |look| {
        has_status(look, "STOPPING")
    }),
    ("stop-to-stopped", STOPS, |look| has_status(look, "STOPPED")),
    ("delete-to-gone-by-id", DELETIONS, |look| {
        look.single.is_absent()
    }),
    ("delete-to-gone-from-list", DELETIONS, |look| {
        look.listed.is_absent()
    }),
];

fn has_status(look: &Look, status: &str) -> bool {
    look.single.shown().map(Shown::status) == Some(status)
}

/// How long things took with the last deployment with which they were seen.
pub(super) fn timings(lives: &[Observations]) -> Vec<Timing> {
    let timings = TIMINGS.iter().map(|(id, calls, shows)| {
        let seconds = lives
            .iter()
            .rev()
            .find_map(|life| took(life, calls, *shows));
        Timing {
            id,
            seconds: seconds.map(|time| (time.as_secs_f64() * 1_000.0).round() / 1_000.0),
        }
    });
    timings.collect()
}

fn took(seen: &Observations, calls: &[Question], shows: Shows) -> Option<Duration> {
    let call = seen.accepted(calls)?;
    let look = seen.looks_after(call).iter().find(|look| shows(look))?;
    Some(look.at.saturating_sub(seen.exchanges[&call].at))
}
