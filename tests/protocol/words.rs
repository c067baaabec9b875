//! Steps and values in words.

use std::collections::HashSet;

use crate::fold::Values;
use crate::step::Step;

/// A step in a few words. Steps that have a kind and a reason have a colon between the two.
pub fn of(step: Step) -> String {
    let effect = match step {
        Step::AddFinalizer => "add finalizer",
        Step::Take => "take",
        Step::PrepareConfiguration => "prepare configuration",
        Step::Create => "create",
        Step::Replace => "replace",
        Step::TakeBack => "take back",
        Step::ClearIntent => "clear intent",
        Step::Forget => "forget",
        Step::Retire => "retire",
        Step::Stop => "stop",
        Step::Delete => "delete",
        Step::ChangeConfiguration => "change configuration",
        Step::RollBack => "roll back",
        Step::Release(release) => return format!("release: {release:?}"),
        Step::Done(done) => return format!("done: {done:?}"),
        Step::Wait(wait) => return format!("wait: {wait:?}"),
        Step::Stall(stall) => return format!("stalled: {stall:?}"),
    };
    effect.to_owned()
}

/// The kind of a step.
pub fn kind_of(step: Step) -> &'static str {
    match step {
        Step::Release(_) => "release",
        Step::Done(_) => "done",
        Step::Wait(_) => "wait",
        Step::Stall(_) => "stalled",
        _ => "effect",
    }
}

/// A value in words.
#[derive(Clone, Debug)]
pub struct Word {
    /// The word.
    pub text: String,
    /// What kind of value it is, where values have kinds.
    pub kind: Option<&'static str>,
}

/// Some of the values with these words, as short as they can be said. A kind of which all is there is named by itself.
pub fn list(words: &[Word], values: &Values) -> String {
    let (chosen, left): (Vec<usize>, Vec<usize>) = values
        .occurring
        .iter()
        .partition(|value| values.covered.contains(value));
    if left.is_empty() {
        return "*".to_owned();
    }
    let (chosen, left) = (names(words, &chosen, &left), names(words, &left, &chosen));
    if chosen.len() > 4 && left.len() < chosen.len() {
        format!("any but {}", left.join(", "))
    } else {
        chosen.join(", ")
    }
}

/// Names `values`. `others` are not among them.
fn names(words: &[Word], values: &[usize], others: &[usize]) -> Vec<String> {
    let of_kind = |values: &[usize], kind| {
        let kinds = values.iter().map(|value| words[*value].kind);
        kinds.filter(|other| *other == Some(kind)).count()
    };
    let name = |value: &usize| match words[*value].kind {
        Some(kind) if of_kind(values, kind) > 1 && of_kind(others, kind) == 0 => {
            format!("any {kind}")
        }
        _ => words[*value].text.clone(),
    };
    let mut seen = HashSet::new();
    let names = values.iter().map(name);
    names.filter(|name| seen.insert(name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::{Done, Release, Wait};

    fn list_of(words: &[Word], covered: &[usize]) -> String {
        let values = Values {
            covered: covered.to_vec(),
            occurring: (0..words.len()).collect(),
        };
        list(words, &values)
    }

    #[test]
    fn a_list_is_as_short_as_it_can_be_said() {
        let words = ["a", "b", "c", "d", "e", "f"].map(|text| Word {
            text: text.to_owned(),
            kind: None,
        });
        assert_eq!(list_of(&words, &[0, 1, 2, 3, 4, 5]), "*");
        assert_eq!(list_of(&words, &[0, 3]), "a, d");
        assert_eq!(list_of(&words, &[0, 1, 3, 4, 5]), "any but c");
    }

    #[test]
    fn a_kind_is_named_where_all_of_it_is_there() {
        let steps = [
            Step::Stop,
            Step::Delete,
            Step::Wait(Wait::Stopping),
            Step::Wait(Wait::Deleting),
            Step::Done(Done::Stopped),
            Step::Done(Done::Deleted),
            Step::Release(Release::Gone),
        ];
        let words = steps.map(|step| Word {
            text: of(step),
            kind: Some(kind_of(step)),
        });
        assert_eq!(list_of(&words, &[0, 1, 2, 3]), "any effect, any wait");
        assert_eq!(
            list_of(&words, &[0, 2, 4]),
            "stop, wait: Stopping, done: Stopped"
        );
        assert_eq!(list_of(&words, &[6]), "release: Gone");
    }
}
