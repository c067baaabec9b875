//! Which deployment is the result of a create call whose answer was lost.
//!
//! AI Core's create call takes no name and no idempotency key, so a result is recognised by what it is not: it uses the configuration that
//! was posted, it belongs to no object, and it did not exist when the call was announced. No clock is compared.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A create call that was announced and whose outcome is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    /// The uid of the object that announced it.
    pub object: String,
    /// Deployments of the configuration that existed before, whoever they belonged to: they may have been let go since.
    pub known: BTreeSet<String>,
}

/// What is known about one open create call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No deployment can be its result.
    NoCandidate,
    /// This deployment is its result.
    Found(String),
    /// Some of these may be its result, and nothing proves which.
    Ambiguous(Vec<String>),
}

/// The outcome of the create call of `object`, resolved over the set of all open calls for the same configuration and ttl.
///
/// `candidates` are the deployments with that configuration and ttl that no object claims. `provable` says whether nobody else creates from
/// that configuration: it bears our name, or the Connection is exclusive. Results of the same configuration are interchangeable, so as many
/// candidates as calls that could have made them, or fewer, are handed out in order; more than that means that somebody else was there, and
/// nothing is taken.
pub fn resolve(
    object: &str,
    open: &[OpenIntent],
    candidates: &BTreeSet<String>,
    provable: bool,
) -> Outcome {
    let Some(call) = open.iter().find(|intent| intent.object == object) else {
        return Outcome::NoCandidate;
    };
    // What only an older call could have made says nothing about this one.
    let possible: BTreeSet<&String> = candidates.difference(&call.known).collect();
    let rivals = open
        .iter()
        .filter(|rival| possible.iter().any(|id| !rival.known.contains(*id)));
    if possible.is_empty() {
        return Outcome::NoCandidate;
    }
    if !provable || possible.len() > rivals.count() {
        return Outcome::Ambiguous(possible.into_iter().cloned().collect());
    }
    shared_out(open, candidates)
        .remove(object)
        .map_or(Outcome::NoCandidate, Outcome::Found)
}

/// Which call gets which candidate. The call that knew most deployments has the fewest candidates, so it chooses first; equals choose by uid, so
/// that every observer agrees.
fn shared_out(open: &[OpenIntent], candidates: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut order: Vec<&OpenIntent> = open.iter().collect();
    order.sort_by_key(|intent| (Reverse(intent.known.len()), &intent.object));
    let mut left = candidates.clone();
    let mut shares = BTreeMap::new();
    for intent in order {
        let share = left.difference(&intent.known).next().cloned();
        if let Some(id) = share {
            left.remove(&id);
            shares.insert(intent.object.clone(), id);
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn open(object: &str, known: &[&str]) -> OpenIntent {
        OpenIntent {
            object: object.to_owned(),
            known: set(known),
        }
    }

    #[test]
    fn a_single_new_deployment_is_the_result() {
        assert_eq!(
            resolve("a", &[open("a", &["d1"])], &set(&["d1", "d2"]), true),
            Outcome::Found("d2".to_owned())
        );
    }

    #[test]
    fn what_existed_before_the_call_is_not_its_result() {
        assert_eq!(
            resolve("a", &[open("a", &["d1"])], &set(&["d1"]), true),
            Outcome::NoCandidate
        );
    }

    #[test]
    fn a_candidate_without_proof_is_named_but_not_taken() {
        assert_eq!(
            resolve("a", &[open("a", &[])], &set(&["d1"]), false),
            Outcome::Ambiguous(vec!["d1".to_owned()])
        );
    }

    #[test]
    fn more_candidates_than_calls_are_ambiguous_for_everybody() {
        let intents = [open("a", &[]), open("b", &[])];
        let candidates = set(&["d1", "d2", "d3"]);
        for object in ["a", "b"] {
            assert!(
                matches!(resolve(object, &intents, &candidates, true), Outcome::Ambiguous(ids) if ids.len() == 3)
            );
        }
    }

    #[test]
    fn as_many_candidates_as_calls_are_shared_out_without_overlap() {
        let intents: Vec<_> = (0..16)
            .map(|n| open(&format!("object-{n:02}"), &["old"]))
            .collect();
        let candidates: BTreeSet<_> = (0..16)
            .map(|n| format!("d{n:02}"))
            .chain(["old".to_owned()])
            .collect();
        let found: BTreeSet<_> = intents
            .iter()
            .map(|intent| resolve(&intent.object, &intents, &candidates, true))
            .map(|outcome| format!("{outcome:?}"))
            .collect();
        assert_eq!(found.len(), 16, "every call finds its own: {found:?}");
        assert!(
            found
                .iter()
                .all(|outcome| outcome.starts_with("Found") && !outcome.contains("old"))
        );
    }

    #[test]
    fn fewer_candidates_than_calls_leave_the_last_calls_without_result() {
        let intents = [open("a", &[]), open("b", &[])];
        assert_eq!(
            resolve("a", &intents, &set(&["d1"]), true),
            Outcome::Found("d1".to_owned())
        );
        assert_eq!(
            resolve("b", &intents, &set(&["d1"]), true),
            Outcome::NoCandidate
        );
    }

    #[test]
    fn the_call_that_knew_more_chooses_first() {
        let intents = [open("a", &[]), open("b", &["d1"])];
        let candidates = set(&["d1", "d2"]);
        assert_eq!(
            resolve("b", &intents, &candidates, true),
            Outcome::Found("d2".to_owned())
        );
        assert_eq!(
            resolve("a", &intents, &candidates, true),
            Outcome::Found("d1".to_owned())
        );
    }

    #[test]
    fn what_only_an_older_call_could_have_made_does_not_confuse_a_newer_one() {
        let open = [open("old", &[]), open("new", &["d1", "d2"])];
        let candidates = set(&["d1", "d2", "d3"]);
        assert_eq!(
            resolve("new", &open, &candidates, true),
            Outcome::Found("d3".to_owned())
        );
        assert!(matches!(
            resolve("old", &open, &candidates, true),
            Outcome::Ambiguous(ids) if ids.len() == 3
        ));
    }
}
