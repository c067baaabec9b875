//! Waiting for what is to be seen.

use std::time::{Duration, Instant};

use crate::scene::LIMIT;

/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until there is something to be seen, and returns it. A look that sees nothing says what there is instead.
///
/// # Panics
///
/// When [`LIMIT`] has passed; the message has what the last look said.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        let instead = match look().await {
            Ok(seen) => return seen,
            Err(instead) => instead,
        };
        assert!(begun.elapsed() < LIMIT, "{what} is not seen: {instead}");
        tokio::time::sleep(PAUSE).await;
    }
}
