//! A list, as every list endpoint sends it.
//!
//! What stands in the answer is in the list, and what was cut off anywhere is no list.

use std::fmt::Debug;

use aicore_operator::aicore::{Error, fuzzing};
use serde_json::Value;

use crate::bounds::{cuts, in_proportion};

pub fn run(input: &[u8]) {
    check(input, "id", fuzzing::deployments, |one| &one.id);
    check(input, "id", fuzzing::configurations, |one| &one.id);
    check(input, "resourceGroupId", fuzzing::resource_groups, |one| {
        &one.id
    });
    check(input, "model", fuzzing::models, |one| &one.name);
    check(input, "id", fuzzing::ids, |id| id);
}

fn check<T: Debug>(
    body: &[u8],
    field: &str,
    read: impl Fn(&[u8]) -> Result<fuzzing::Listed<T>, Error>,
    id: impl Fn(&T) -> &String,
) {
    let (objects, count) = match in_proportion(body.len(), || read(body)) {
        Ok(list) => list,
        Err(error) => {
            assert!(error.outcome_unknown(), "{error} counts as an answer");
            return;
        }
    };
    for cut in cuts(body.trim_ascii_end()) {
        assert!(read(cut).is_err(), "cut after {} bytes", cut.len());
    }
    // What the reader does not look at may be no JSON; then there is nothing to compare with.
    let Ok(answer) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let entries = match &answer["resources"] {
        Value::Array(entries) => entries.as_slice(),
        _ => &[],
    };
    assert!(!entries.is_empty() || objects.is_empty());
    assert!(
        answer["resources"].is_array() || count == Some(0),
        "what has no resources is taken for an empty list"
    );
    assert_eq!(objects.len(), entries.len(), "entries are lost");
    for (entry, object) in entries.iter().zip(&objects) {
        assert!(!id(object).is_empty());
        if let Some(sent) = entry[field].as_str() {
            assert_eq!(sent, id(object));
        }
    }
}
