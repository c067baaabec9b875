//! The emulator's clock, and sums of times that cannot overflow.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Wall-clock time that never steps back: read once from the system, then carried on by the monotonic clock, so that a
/// correction of the system clock cannot reorder the audit log.
#[derive(Debug)]
pub(crate) struct Clock {
    started_at: Timestamp,
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            started_at: Timestamp::now(),
            started: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        later(self.started_at, self.started.elapsed())
    }
}

/// A time after another one; the last possible one where the sum is too large.
pub(crate) fn later(time: Timestamp, span: Duration) -> Timestamp {
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// A time before another one; the first possible one where the difference is too large.
pub(crate) fn earlier(time: Timestamp, span: Duration) -> Timestamp {
    time.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// [`later`] by milliseconds.
pub(crate) fn later_ms(time: Timestamp, milliseconds: u64) -> Timestamp {
    later(time, Duration::from_millis(milliseconds))
}
