//! What the contract leaves undecided: a question, its readings, and what each of them means for the operator.

use serde::Serialize;

use super::observations::Observations;

/// One undecided point of the contract.
#[derive(Debug)]
pub struct Point {
    /// Its name, which does not change from one version to the next.
    pub id: &'static str,
    /// What is asked.
    pub question: &'static str,
    /// What the operator takes for granted.
    pub assumed: &'static str,
    /// Everything that may be seen. None where nothing is asked.
    pub readings: &'static [Reading],
    /// Reads it from what was seen, or says why that does not tell.
    pub(crate) read: fn(&Observations) -> Outcome,
}

/// One way in which the contract can be read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Its name, which does not change from one version to the next.
    pub word: &'static str,
    /// What the operator makes of it.
    pub verdict: Verdict,
    /// What that means, in a sentence.
    pub meaning: &'static str,
}

/// What a reading means for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// It is as assumed.
    Holds,
    /// It is another reading, with which the operator works as well.
    Handled,
    /// The operator cannot work with it.
    Unworkable,
    /// It was not asked, or the answer does not tell.
    NotAsked,
}

/// A reading with what shows it, or why there is none.
pub(crate) type Outcome = Result<Seen, String>;

/// A reading that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The word of the reading.
    pub(crate) word: &'static str,
    /// What shows it.
    pub(crate) evidence: String,
}

pub(crate) fn seen(word: &'static str, evidence: impl Into<String>) -> Outcome {
    Ok(Seen {
        word,
        evidence: evidence.into(),
    })
}

pub(crate) const fn holds(word: &'static str, meaning: &'static str) -> Reading {
    Reading {
        word,
        verdict: Verdict::Holds,
        meaning,
    }
}

pub(crate) const fn handled(word: &'static str, meaning: &'static str) -> Reading {
    Reading {
        word,
        verdict: Verdict::Handled,
        meaning,
    }
}

pub(crate) const fn unworkable(word: &'static str, meaning: &'static str) -> Reading {
    Reading {
        word,
        verdict: Verdict::Unworkable,
        meaning,
    }
}

impl Verdict {
    /// For a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "as assumed",
            Self::Handled => "handled",
            Self::Unworkable => "UNWORKABLE",
            Self::NotAsked => "not asked",
        }
    }
}

impl Point {
    /// The reading of this word.
    pub fn reading(&self, word: &str) -> Option<&'static Reading> {
        self.readings.iter().find(|reading| reading.word == word)
    }
}
