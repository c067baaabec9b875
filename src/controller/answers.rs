//! Answers of AI Core that many objects need and that seldom change.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

/// Answers by what was asked. Who asks the same while it is being found out waits for the one answer.
pub(crate) struct Answers<K, V> {
    asked: Mutex<HashMap<K, Slot<V>>>,
}

/// Whoever holds it is asking, or reads what was answered.
type Slot<V> = Arc<AsyncMutex<Option<Answer<V>>>>;

struct Answer<V> {
    value: V,
    good_until: Instant,
}

impl<K, V> Default for Answers<K, V> {
    fn default() -> Self {
        Self {
            asked: Mutex::default(),
        }
    }
}

impl<K: Eq + Hash, V: Clone> Answers<K, V> {
    /// The answer to `question`: a former one as long as it is good, or else what `ask` finds. `good_for` says how long a new one is.
    pub(crate) async fn get(
        &self,
        question: K,
        good_for: impl FnOnce(&V) -> Duration,
        ask: impl Future<Output = V>,
    ) -> V {
        let slot = {
            let mut asked = self.asked.lock();
            let now = Instant::now();
            asked.retain(|_, slot| {
                let Ok(answer) = slot.try_lock() else {
                    return true;
                };
                Arc::strong_count(slot) > 1
                    || answer
                        .as_ref()
                        .is_some_and(|answer| answer.good_until > now)
            });
            Arc::clone(asked.entry(question).or_default())
        };
        let mut slot = slot.lock().await;
        if let Some(answer) = slot
            .as_ref()
            .filter(|answer| answer.good_until > Instant::now())
        {
            return answer.value.clone();
        }
        let value = ask.await;
        *slot = Some(Answer {
            good_until: Instant::now() + good_for(&value),
            value: value.clone(),
        });
        value
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn an_answer_is_asked_for_once_as_long_as_it_is_good() {
        let answers = Answers::default();
        let asked = AtomicU32::new(0);
        let ask = async || asked.fetch_add(1, Ordering::Relaxed);
        let get = async |question: &'static str, good_for| {
            answers.get(question, |_| good_for, ask()).await
        };
        assert_eq!(get("a", MINUTE).await, 0);
        assert_eq!(get("a", MINUTE).await, 0);
        assert_eq!(get("b", Duration::ZERO).await, 1);
        assert_eq!(get("b", Duration::ZERO).await, 2);
        get("a", MINUTE).await;
        let kept = answers.asked.lock().len();
        assert_eq!(kept, 1, "what is too old is forgotten");
    }

    #[tokio::test]
    async fn who_asks_the_same_at_the_same_time_gets_the_same_answer() {
        let answers = Answers::default();
        let asked = AtomicU32::new(0);
        let ask = async || {
            tokio::task::yield_now().await;
            asked.fetch_add(1, Ordering::Relaxed)
        };
        let get = async || answers.get("a", |_| MINUTE, ask()).await;
        let both = tokio::join!(get(), get());
        assert_eq!(both, (0, 0));
    }
}
