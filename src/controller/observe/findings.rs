//! The record of an object, with what an effect needs besides.

use std::time::Duration;

use crate::aicore;
use crate::lifecycle::situation::Record;

/// The record of an object with the details behind it.
pub(crate) struct Findings {
    pub(crate) record: Record,
    pub(crate) remote: Option<aicore::Deployment>,
    pub(crate) candidates: Vec<String>,
    pub(crate) recheck: Option<Duration>,
}

impl Findings {
    pub(crate) fn of(record: Record) -> Self {
        Self {
            record,
            remote: None,
            candidates: Vec::new(),
            recheck: None,
        }
    }
}
