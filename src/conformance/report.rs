//! What a run has found out.

use jiff::Timestamp;
use serde::Serialize;

use super::ledger::Left;
use super::observations::Observations;
use super::plan::Plan;
use super::point::{Outcome, Point, Verdict};
use super::points::points;
use super::timings::{Timing, timings};
use super::trouble::Trouble;
use crate::aicore::Tenant;

/// What a run has found out. As JSON, names and words stay the same from one version to the next; new ones may come.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of the operator.
    pub operator_version: &'static str,
    /// When the run began.
    pub at: Timestamp,
    /// Where AI Core is, and the identity zone of the tenant.
    #[serde(flatten)]
    pub tenant: Tenant,
    /// The resource group.
    pub resource_group: String,
    /// Every undecided point of the contract.
    pub points: Vec<Finding>,
    /// How long things took.
    pub timings: Vec<Timing>,
    /// How many points there are of each verdict.
    pub summary: Summary,
    /// Why the run did not get to its end.
    pub failure: Option<String>,
    /// The configuration that it has created and that stays.
    pub configuration: Option<CreatedConfiguration>,
    /// What it has made and could not remove.
    pub left: Vec<Left>,
}

/// What was found out about one point.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The name of the point.
    pub id: &'static str,
    /// What is asked.
    pub question: &'static str,
    /// What the operator takes for granted.
    pub assumed: &'static str,
    /// What the reading means for the operator.
    pub verdict: Verdict,
    /// The name of the reading; none where none was seen.
    pub reading: Option<&'static str>,
    /// What the operator makes of it.
    pub meaning: Option<&'static str>,
    /// What shows it, or why nothing does.
    pub evidence: String,
}

/// How many points there are of each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Those that are as assumed.
    pub holds: usize,
    /// Those with another reading, with which the operator works as well.
    pub handled: usize,
    /// Those with which the operator cannot work.
    pub unworkable: usize,
    /// Those that were not asked, or whose answer does not tell.
    pub not_asked: usize,
}

/// A configuration that stays.
#[derive(Clone, Debug, Serialize)]
pub struct CreatedConfiguration {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Report {
    pub(super) fn new(
        at: Timestamp,
        tenant: &Tenant,
        plan: &Plan,
        lives: &[Observations],
        trouble: Option<Trouble>,
        configuration: Option<(String, String)>,
        left: Vec<Left>,
    ) -> Self {
        let points: Vec<_> = points().map(|point| finding(point, lives)).collect();
        Self {
            operator_version: env!("CARGO_PKG_VERSION"),
            at,
            tenant: tenant.clone(),
            resource_group: plan.group.clone(),
            summary: Summary::of(&points),
            points,
            timings: timings(lives),
            failure: trouble.map(|trouble| trouble.to_string()),
            configuration: configuration.map(|(id, name)| CreatedConfiguration { id, name }),
            left,
        }
    }

    /// What the program ends with: 0 when the operator can work with everything, 1 when it cannot or the run did not get to its end, 3 when
    /// something was left behind.
    pub fn exit_code(&self) -> u8 {
        if !self.left.is_empty() {
            return 3;
        }
        u8::from(self.summary.unworkable > 0 || self.failure.is_some())
    }
}

impl Summary {
    fn of(points: &[Finding]) -> Self {
        let count = |verdict| points.iter().filter(|it| it.verdict == verdict).count();
        Self {
            holds: count(Verdict::Holds),
            handled: count(Verdict::Handled),
            unworkable: count(Verdict::Unworkable),
            not_asked: count(Verdict::NotAsked),
        }
    }
}

/// What is found out about a point. Where several deployments show it, the reading counts that is furthest from what is assumed.
fn finding(point: &Point, lives: &[Observations]) -> Finding {
    let found = lives.iter().map(|life| read(point, life));
    let worst = found.reduce(|one, other| {
        if rank(other.verdict) > rank(one.verdict) {
            other
        } else {
            one
        }
    });
    worst.unwrap_or_else(|| read(point, &Observations::default()))
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::NotAsked => 0,
        Verdict::Holds => 1,
        Verdict::Handled => 2,
        Verdict::Unworkable => 3,
    }
}

fn read(point: &Point, seen: &Observations) -> Finding {
    let outcome: Outcome = (point.read)(seen);
    let (word, reading, evidence) = match outcome {
        Ok(seen) => (Some(seen.word), point.reading(seen.word), seen.evidence),
        Err(why) => (None, None, why),
    };
    let verdict = match (reading, word) {
        (Some(reading), _) => reading.verdict,
        (None, None) => Verdict::NotAsked,
        // A reading of which nobody has said what it means.
        (None, Some(_)) => Verdict::Unworkable,
    };
    Finding {
        id: point.id,
        question: point.question,
        assumed: point.assumed,
        verdict,
        reading: word,
        meaning: reading.map(|reading| reading.meaning),
        evidence,
    }
}
