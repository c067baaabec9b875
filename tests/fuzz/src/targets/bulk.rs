//! The answer to a change of several deployments: the ids, one on a line, then the body.
//!
//! Success is what the answer clearly says of an id, and nothing else.

use aicore_operator::aicore::{Error, fuzzing};
use serde_json::Value;

use crate::bounds::in_proportion;
use crate::input::{first_part, text};

pub fn run(input: &[u8]) {
    let (ids, body) = first_part(input);
    let ids = text(ids);
    let ids: Vec<&str> = ids.lines().take(100).collect();
    let outcomes = in_proportion(body.len() * (1 + ids.len()), || {
        fuzzing::bulk_outcomes(body, &ids)
    });
    let Ok(outcomes) = outcomes else { return };
    assert_eq!(outcomes.len(), ids.len());
    let entries = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|answer| answer["deployments"].as_array().cloned());
    for (id, outcome) in ids.iter().zip(outcomes) {
        let of_id = |entry: &&Value| entry["id"].as_str() == Some(id);
        let of_id: Vec<&Value> = entries.iter().flatten().filter(of_id).collect();
        let refused = of_id.iter().any(|entry| !entry["error"].is_null());
        match outcome {
            Ok(()) => assert!(
                !of_id.is_empty() && !refused,
                "the answer does not say that {id} was changed: {of_id:?}"
            ),
            Err(Error::RefusedInBulk(_)) => assert!(
                refused && of_id.iter().all(|entry| !entry["error"].is_null()),
                "the answer does not say that {id} was not changed: {of_id:?}"
            ),
            Err(error) => assert!(error.outcome_unknown(), "{id}: {error}"),
        }
    }
}
