//! One thing that is told apart about a situation, in words.

use std::fmt::Debug;

use crate::situation::Situation;
use crate::step::Step;
use crate::words::Word;

/// A situation on its way through the tables.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// What is known.
    pub situation: Situation,
    /// What the tables before have said.
    pub said: Option<Step>,
}

impl Point {
    /// A situation for which the tables before have said this.
    pub fn after(situation: &Situation, said: Step) -> Self {
        Self {
            situation: *situation,
            said: Some(said),
        }
    }
}

impl From<Situation> for Point {
    fn from(situation: Situation) -> Self {
        Self {
            situation,
            said: None,
        }
    }
}

/// One thing that is told apart about a situation, or about what else `P` is, with a word for each of its values.
pub struct Aspect<P = Point> {
    /// What it is called.
    pub name: &'static str,
    /// The words for its values.
    pub words: Vec<Word>,
    value_of: Box<dyn Fn(&P) -> usize + Send + Sync>,
}

impl<P: Debug> Aspect<P> {
    /// Tells `values` apart.
    pub fn new<T, W>(
        name: &'static str,
        values: &[T],
        word: impl Fn(T) -> W,
        value_of: impl Fn(&P) -> T + Send + Sync + 'static,
    ) -> Self
    where
        T: Copy + PartialEq + Send + Sync + 'static,
        W: Into<String>,
    {
        let values = values.to_vec();
        let words = values.iter().map(|value| word(*value).into());
        Self {
            name,
            words: words.map(|text| Word { text, kind: None }).collect(),
            value_of: Box::new(move |point| {
                let value = value_of(point);
                values
                    .iter()
                    .position(|other| *other == value)
                    .unwrap_or_else(|| panic!("{name} lacks a value of {point:?}"))
            }),
        }
    }

    /// Tells yes from no.
    pub fn flag(name: &'static str, value_of: impl Fn(&P) -> bool + Send + Sync + 'static) -> Self {
        let word = |value| if value { "yes" } else { "no" };
        Self::new(name, &[false, true], word, value_of)
    }

    /// What has only one value: the heading of a table's only column.
    pub fn only(name: &'static str) -> Self {
        Self::new(name, &[()], |()| name, |_| ())
    }

    /// The number of the value that this point has.
    pub fn value_of(&self, point: &P) -> usize {
        (self.value_of)(point)
    }
}

/// How many combinations of values there are.
pub fn size<P>(aspects: &[Aspect<P>]) -> usize {
    aspects.iter().map(|aspect| aspect.words.len()).product()
}

/// The number of a point's combination of values.
pub fn number<P: Debug>(aspects: &[Aspect<P>], point: &P) -> usize {
    aspects.iter().fold(0, |number, aspect| {
        number * aspect.words.len() + aspect.value_of(point)
    })
}
