//! Whether a configuration fits its executable: what a person has written, what AI Core offers, and the ids of other executables.
//!
//! The sentence about it goes into a status, so it is short whatever the names are.

use std::collections::BTreeSet;

use aicore_operator::aicore::{Executable, Parameter, fuzzing};
use aicore_operator::lifecycle::configuration::{Offer, objection};
use aicore_operator::lifecycle::identity::content_hash;

use crate::bounds::in_proportion;
use crate::input::{parts, text};

/// The longest sentence, in characters: at most 8 names of each kind, each of at most 64 characters.
const LONGEST: usize = 10_000;

pub fn run(input: &[u8]) {
    let parts = parts(input);
    let part = |number: usize| parts.get(number).copied().unwrap_or_default();
    let Ok(content) = fuzzing::content(part(0)) else {
        return;
    };
    assert_eq!(content_hash(&content).len(), 16);
    let others: Vec<String> = text(part(2)).lines().map(str::to_owned).collect();
    let absent: BTreeSet<String> = content.input_artifacts.values().cloned().collect();
    let mut offers = vec![
        Offer::Unknown,
        Offer::NoScenario(others.clone()),
        Offer::NoExecutable(others),
    ];
    offers.extend(fuzzing::executable(part(1)).map(Offer::Executable));
    for offer in offers {
        // Each name is held against each other one.
        let pairs = (1 + content.parameters.len()) * (1 + part(1).len() + part(2).len());
        let said = in_proportion(input.len() + pairs, || objection(&content, &offer, &absent));
        let length = said.iter().flat_map(|said| said.chars()).count();
        assert!(length <= LONGEST, "{length} characters");
    }
    let parameter = |name: &String| Parameter {
        name: name.clone(),
        has_default: false,
    };
    let fitting = Executable {
        id: content.executable_id.clone(),
        deployable: Some(true),
        parameters: Some(content.parameters.keys().map(parameter).collect()),
        input_artifacts: Some(content.input_artifacts.keys().cloned().collect()),
    };
    let said = objection(&content, &Offer::Executable(fitting), &BTreeSet::new());
    assert_eq!(said, None, "what fits exactly is refused");
}
