//! How many objects of one namespace are worked on at the same time.
//!
//! An object keeps its place while its calls are answered. Those of one namespace, whose server may answer late or never, must not hold up all
//! the others by taking every place there is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::scope::Scope;

/// When an object tries again for which there was no place.
pub(crate) const PAUSE: Duration = Duration::from_millis(250);

/// The places for the objects of one kind. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    /// For each namespace.
    most: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// The place of an object at work, until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    namespace: String,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

impl Slots {
    /// Of so many places altogether no namespace gets more than half, unless there is only one.
    pub(crate) fn new(concurrency: u16, scope: &Scope) -> Self {
        let most = match scope {
            Scope::One(_) => concurrency,
            Scope::All | Scope::AllBut(_) => concurrency.div_ceil(2),
        };
        Self {
            most: usize::from(most),
            taken: Default::default(),
        }
    }

    /// A place for an object of this namespace, if there is one.
    pub(crate) fn take(&self, namespace: &str) -> Option<Slot> {
        let mut taken = self.taken.lock();
        let count = taken.entry(namespace.to_owned()).or_default();
        if *count == self.most {
            return None;
        }
        *count += 1;
        Some(Slot {
            namespace: namespace.to_owned(),
            taken: self.taken.clone(),
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(count) = taken.get_mut(&self.namespace) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.namespace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_gets_half_of_the_places_and_leaves_the_rest_to_others() {
        let slots = Slots::new(5, &Scope::All);
        let mut here: Vec<_> = (0..3).map(|_| slots.take("here")).collect();
        assert!(here.iter().all(Option::is_some));
        assert!(slots.take("here").is_none());
        assert!(slots.take("there").is_some());
        here.pop();
        assert!(slots.take("here").is_some());
        drop(here);
        assert!(slots.taken.lock().is_empty());
    }

    #[test]
    fn the_only_namespace_gets_all() {
        let slots = Slots::new(2, &Scope::One("here".into()));
        let taken = [slots.take("here"), slots.take("here")];
        assert!(taken.iter().all(Option::is_some));
        assert!(slots.take("here").is_none());
    }

    #[test]
    fn there_is_a_place_for_everybody_where_only_one_is_worked_on_at_a_time() {
        let slots = Slots::new(1, &Scope::All);
        assert!(slots.take("here").is_some());
    }
}
