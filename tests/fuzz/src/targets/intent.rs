//! Which deployment is the result of which create call: the candidates in words, then an open call on each line: its object and what it knew.

use std::collections::BTreeSet;

use aicore_operator::lifecycle::intent::{OpenIntent, Outcome, resolve};

use crate::bounds::in_proportion;
use crate::input::{first_line, text};

pub fn run(input: &[u8]) {
    let (candidates, calls) = first_line(input);
    let (candidates, calls) = (text(candidates), text(calls));
    let candidates: BTreeSet<String> = words(&candidates).take(50).collect();
    let mut open: Vec<OpenIntent> = Vec::new();
    for call in calls.lines().take(20) {
        let mut words = words(call);
        let Some(object) = words.next() else { continue };
        // An object has one open call.
        if open.iter().all(|other| other.object != object) {
            let known = words.collect();
            open.push(OpenIntent { object, known });
        }
    }
    for provable in [true, false] {
        check(&open, &candidates, provable);
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(str::to_owned)
}

fn check(open: &[OpenIntent], candidates: &BTreeSet<String>, provable: bool) {
    let mut taken = BTreeSet::new();
    let backwards: Vec<OpenIntent> = open.iter().rev().cloned().collect();
    for call in open {
        let size = (1 + open.len()) * (1 + candidates.len()) * 100;
        let outcome = in_proportion(size, || resolve(&call.object, open, candidates, provable));
        let again = resolve(&call.object, &backwards, candidates, provable);
        assert_eq!(outcome, again, "the order of the calls decides");
        let possible = |id: &String| candidates.contains(id) && !call.known.contains(id);
        match outcome {
            Outcome::Found(id) => {
                assert!(provable, "{id} is taken without proof");
                assert!(possible(&id), "{id} is no candidate of {call:?}");
                assert!(taken.insert(id.clone()), "two calls have made {id}");
            }
            Outcome::Ambiguous(ids) => assert!(!ids.is_empty() && ids.iter().all(possible)),
            Outcome::NoCandidate => {}
        }
    }
}
