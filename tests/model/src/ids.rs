//! Small sets of deployment ids.

/// The id of a deployment in AI Core. Ids are given in order and never again.
pub type Id = u8;

/// A set of ids below 16.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ids(u16);

impl Ids {
    /// Whether `id` is in the set.
    pub fn contains(self, id: Id) -> bool {
        self.0 & (1 << id) != 0
    }

    /// Adds `id`.
    pub fn insert(&mut self, id: Id) {
        self.0 |= 1 << id;
    }

    /// Takes `id` out.
    pub fn remove(&mut self, id: Id) {
        self.0 &= !(1 << id);
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The ids in order.
    pub fn iter(self) -> impl Iterator<Item = Id> {
        (0..16).filter(move |id| self.contains(*id))
    }
}

impl Extend<Id> for Ids {
    fn extend<I: IntoIterator<Item = Id>>(&mut self, ids: I) {
        ids.into_iter().for_each(|id| self.insert(id));
    }
}

impl FromIterator<Id> for Ids {
    fn from_iter<I: IntoIterator<Item = Id>>(ids: I) -> Self {
        let mut set = Self::default();
        set.extend(ids);
        set
    }
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}
