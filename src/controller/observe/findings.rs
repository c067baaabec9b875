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
    /// Whether what was found is not the result of the open create call, which may still have one.
    pub(crate) call_stays_open: bool,
    /// Whether a stop that the status records can have no effect any more.
    pub(crate) stop_is_over: bool,
}

impl Findings {
    pub(crate) fn of(record: Record) -> Self {
        Self {
            record,
            remote: None,
            candidates: Vec::new(),
            recheck: None,
            call_stays_open: false,
            stop_is_over: false,
        }
    }
}
