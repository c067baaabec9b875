//! The end of the storm as a table: what was injected, what was called, and what was found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use aicore_emulator::{Entry, Kind};

use crate::verdict::{Finding, Verdict};

/// What the table is made of.
#[derive(Debug)]
pub struct Report<'a> {
    /// The seed.
    pub seed: u64,
    /// How long it stormed.
    pub stormed: Duration,
    /// How long it took until every wish had come about.
    pub settled: Duration,
    /// What users did.
    pub deeds: BTreeMap<String, usize>,
    /// What went wrong besides the faults of AI Core.
    pub trouble: BTreeMap<String, usize>,
    /// How often a person had to answer.
    pub answers: usize,
    /// AI Core's log.
    pub audit: &'a [Entry],
    /// What was found.
    pub findings: &'a [Finding],
}

impl Report<'_> {
    /// The table as text.
    pub fn text(&self) -> String {
        let mut text = format!(
            "storm with seed {}: raged for {:.0} s, settled within {:.0} s\n",
            self.seed,
            self.stormed.as_secs_f64(),
            self.settled.as_secs_f64()
        );
        section(&mut text, "injected", &self.trouble);
        section(
            &mut text,
            "calls of AI Core that went wrong",
            &self.faults(),
        );
        section(&mut text, "wishes of users", &self.deeds);
        let people = [(
            "answers to Ambiguous on the shared Connection".to_owned(),
            self.answers,
        )];
        section(&mut text, "people asked", &people.into());
        self.calls(&mut text);
        let found = Verdict::ALL.map(|verdict| {
            let found = self
                .findings
                .iter()
                .filter(|finding| finding.verdict == verdict);
            (format!("{verdict:?}"), found.count())
        });
        section_in_order(&mut text, "found", found);
        text
    }

    /// How many calls each kind of fault has hit.
    fn faults(&self) -> BTreeMap<String, usize> {
        let mut hit: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for entry in self.audit {
            if let (Some(fault), Some(request)) = (&entry.fault, &entry.request_id) {
                hit.entry(fault).or_default().insert(request);
            }
        }
        hit.into_iter()
            .map(|(fault, requests)| (fault.to_owned(), requests.len()))
            .collect()
    }

    /// The calls by operation; each item of a bulk call counts.
    fn calls(&self, text: &mut String) {
        let mut rows: BTreeMap<String, [usize; 4]> = BTreeMap::new();
        for entry in self.audit.iter().filter(|entry| entry.kind == Kind::Call) {
            let row = rows.entry(format!("{:?}", entry.operation)).or_default();
            row[0] += 1;
            row[1] += usize::from(entry.accepted);
            row[2] += usize::from(entry.http_status.is_none());
            row[3] += usize::from(entry.bulk);
        }
        let _ = writeln!(
            text,
            "  {:<52}{:>8}{:>10}{:>12}{:>9}",
            "calls of the operator", "calls", "accepted", "unanswered", "in bulk"
        );
        for (operation, [calls, accepted, unanswered, bulk]) in rows {
            let _ = writeln!(
                text,
                "    {operation:<50}{calls:>8}{accepted:>10}{unanswered:>12}{bulk:>9}"
            );
        }
    }
}

fn section(text: &mut String, title: &str, rows: &BTreeMap<String, usize>) {
    section_in_order(text, title, rows.clone());
}

fn section_in_order(
    text: &mut String,
    title: &str,
    rows: impl IntoIterator<Item = (String, usize)>,
) {
    let _ = writeln!(text, "  {title}");
    for (what, count) in rows {
        let _ = writeln!(text, "    {what:<50}{count:>8}");
    }
}
