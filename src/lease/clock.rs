//! The time, by every clock of the machine.
//!
//! Timers run by a clock that nobody sets, and that stands still while the machine is suspended. Whoever wakes up from that would believe in its
//! Lease although another has led for an hour. So the time since the machine was started, which goes on meanwhile, and the time of day are read
//! as well, and the clock counts that says that most time has passed. One that is set forward costs a renewal, and one that is set back nothing.
//!
//! A virtual machine whose host stops all its clocks, and that is told the time of day only later, cannot know. Until then it has what it was
//! sure of before.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A moment, by each of the clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// By the clock of the timers.
    running: Instant,
    /// Since the machine was started, while it was suspended included; zero where the system does not tell.
    since_start: Duration,
    /// The time of day, which anybody may set.
    of_day: SystemTime,
}

/// Where the time is read.
#[derive(Clone)]
pub(super) struct Clock(Arc<dyn Fn() -> Moment + Send + Sync>);

impl Moment {
    fn now() -> Self {
        Self {
            running: Instant::now(),
            since_start: since_start(),
            of_day: SystemTime::now(),
        }
    }

    /// How much time has passed since an earlier moment, by the clock that says most.
    pub(super) fn since(&self, earlier: &Self) -> Duration {
        let running = self.running.saturating_duration_since(earlier.running);
        let since_start = self.since_start.saturating_sub(earlier.since_start);
        let of_day = self.of_day.duration_since(earlier.of_day);
        // One that was set back says nothing.
        running.max(since_start).max(of_day.unwrap_or_default())
    }
}

impl Clock {
    pub(super) fn now(&self) -> Moment {
        (self.0)()
    }
}

impl Default for Clock {
    /// That of the machine.
    fn default() -> Self {
        Self(Arc::new(Moment::now))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}

#[cfg(target_os = "linux")]
fn since_start() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn since_start() -> Duration {
    Duration::ZERO
}

#[cfg(test)]
pub(super) mod tests {
    use parking_lot::Mutex;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// What happens to a machine while its timers stand still.
    #[derive(Clone, Copy, Debug)]
    pub(in crate::lease) enum Leap {
        /// It is suspended for this long.
        Suspended(Duration),
        /// Its time of day is set forward.
        SetForward(Duration),
        /// Its time of day is set back.
        SetBack(Duration),
    }

    impl Moment {
        fn after(mut self, leap: Leap) -> Self {
            match leap {
                Leap::Suspended(time) => self.since_start += time,
                Leap::SetForward(time) => self.of_day += time,
                Leap::SetBack(time) => self.of_day -= time,
            }
            self
        }
    }

    /// A clock that makes the leaps that are put into the list.
    pub(in crate::lease) fn leaping() -> (Clock, Arc<Mutex<Vec<Leap>>>) {
        let leaps = Arc::new(Mutex::new(Vec::new()));
        let made = leaps.clone();
        let now = move || {
            let made: Vec<Leap> = made.lock().clone();
            made.into_iter().fold(Moment::now(), Moment::after)
        };
        (Clock(Arc::new(now)), leaps)
    }

    #[test]
    fn the_clock_counts_that_says_that_most_time_has_passed() {
        let begin = Moment::now();
        let second = Duration::from_secs(1);
        let ran = Moment {
            running: begin.running + second,
            ..begin
        };
        assert_eq!(ran.since(&begin), second);
        for leap in [Leap::Suspended(HOUR), Leap::SetForward(HOUR)] {
            assert_eq!(ran.after(leap).since(&begin), HOUR, "{leap:?}");
        }
        assert_eq!(ran.after(Leap::SetBack(HOUR)).since(&begin), second);
    }

    #[test]
    fn every_clock_of_this_machine_runs() {
        let begin = Moment::now();
        std::thread::sleep(Duration::from_millis(20));
        let end = Moment::now();
        assert!(end.running > begin.running);
        assert!(end.of_day > begin.of_day);
        assert_eq!(
            cfg!(target_os = "linux"),
            end.since_start > begin.since_start
        );
    }
}
