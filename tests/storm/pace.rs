//! The time of the schedule. On a slow machine the kills take longer than the schedule says, and everything else keeps step with them.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How far the storm is.
#[derive(Debug)]
pub struct Pace {
    start: Instant,
    reached: watch::Sender<Duration>,
}

impl Pace {
    /// The storm begins now.
    pub fn begin() -> Self {
        Self {
            start: Instant::now(),
            reached: watch::Sender::new(Duration::ZERO),
        }
    }

    /// How long it has been raging.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The kills are so far in the schedule.
    pub fn reach(&self, time: Duration) {
        self.reached.send_replace(time);
    }

    /// Waits for a time of the schedule.
    pub async fn until(&self, time: Duration) {
        tokio::time::sleep_until(self.start + time).await;
        let mut reached = self.reached.subscribe();
        // The sender is here, so it is not gone.
        let _ = reached.wait_for(|reached| *reached >= time).await;
    }
}
