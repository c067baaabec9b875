//! How often each thing happened.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Counters by name.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<String, usize>>);

impl Tally {
    /// Counts one more.
    pub fn count(&self, what: &str) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counters.entry(what.to_owned()).or_default() += 1;
    }

    /// All counters, in the order of their names.
    pub fn counters(&self) -> BTreeMap<String, usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// All of them together.
    pub fn total(&self) -> usize {
        self.counters().values().sum()
    }
}
