//! A change of several deployments in one request (`PATCH /lm/deployments`), and its answer.
//!
//! An accepted request says nothing about its parts: by contract the answer has one entry per id, with a message or with an error. What the
//! answer does not clearly say of an id stays unknown for that id.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Rejection;
use super::error::Error;
use super::paging::incomplete;
use super::wire::{malformed, parse};

/// The most deployments that one request may name [OpenAPI document, `AiDeploymentModificationRequestList`].
pub(super) const MAX_ITEMS: usize = 100;

/// What can be asked of several deployments at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// To stop. AI Core accepts it in PENDING and RUNNING only.
    Stop,
    /// To be deleted. AI Core accepts it in UNKNOWN, STOPPED and DEAD only.
    Delete,
}

/// The body of the request.
pub(super) fn request(verb: Verb, ids: &[&str]) -> Value {
    let target_status = match verb {
        Verb::Stop => "STOPPED",
        Verb::Delete => "DELETED",
    };
    let items = ids
        .iter()
        .map(|id| json!({"id": id, "targetStatus": target_status}));
    json!({"deployments": items.collect::<Vec<_>>()})
}

#[derive(Deserialize)]
struct AnswerJson {
    deployments: Option<Vec<Value>>,
}

/// What became of each id, in their order. `explain` reads an error of the answer.
pub(super) fn outcomes(
    body: &[u8],
    ids: &[&str],
    explain: impl Fn(&Value) -> Rejection,
) -> Result<Vec<Result<(), Error>>, Error> {
    let answer: AnswerJson = parse(body)?;
    let entries = answer.deployments.ok_or_else(|| {
        malformed("the answer to a bulk request lacks its deployments".to_owned())
    })?;
    let outcome = |id: &&str| outcome(&entries, id, &explain);
    Ok(ids.iter().map(outcome).collect())
}

fn outcome(
    entries: &[Value],
    id: &str,
    explain: impl Fn(&Value) -> Rejection,
) -> Result<(), Error> {
    let of_id = entries
        .iter()
        .filter(|entry| entry.get("id").and_then(Value::as_str) == Some(id));
    let (errors, accepted): (Vec<_>, Vec<_>) = of_id
        .map(|entry| entry.get("error").filter(|error| !error.is_null()))
        .partition(Option::is_some);
    match (errors.first().copied().flatten(), accepted.is_empty()) {
        (None, false) => Ok(()),
        (None, true) => Err(incomplete(format!(
            "the answer to a bulk request does not mention deployment {id}"
        ))),
        (Some(error), true) => Err(Error::RefusedInBulk(explain(&json!({"error": error})))),
        (Some(_), false) => Err(malformed(format!(
            "the answer to a bulk request says of deployment {id} both that it was changed and that it was not"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes_of(body: &Value) -> Result<Vec<Result<(), Error>>, Error> {
        let explain = |error: &Value| Rejection::new(202, error.to_string().as_bytes(), &[]);
        outcomes(body.to_string().as_bytes(), &["d1", "d2"], explain)
    }

    fn accepted(id: &str) -> Value {
        json!({"id": id, "message": "Deployment modification scheduled"})
    }

    #[test]
    fn each_entry_is_about_its_own_id_in_whatever_order_they_come() {
        let error = json!({"code": "01010076", "message": "no", "requestId": "r-1"});
        let refused = json!({"id": "d1", "error": error});
        let outcomes = outcomes_of(&json!({"deployments": [accepted("d2"), refused]})).unwrap();
        let [Err(Error::RefusedInBulk(rejection)), Ok(())] = outcomes.as_slice() else {
            panic!("{outcomes:?}")
        };
        assert_eq!(
            rejection.to_string(),
            "HTTP 202, code 01010076: no (request id r-1)"
        );
    }

    #[test]
    fn an_error_is_a_refusal_in_whatever_form() {
        for error in [json!({}), json!([]), json!("no"), json!(false), json!("")] {
            let refused = json!({"id": "d1", "message": "scheduled", "error": error});
            let outcomes = outcomes_of(&json!({"deployments": [refused, accepted("d2")]})).unwrap();
            assert!(
                matches!(outcomes.as_slice(), [Err(Error::RefusedInBulk(_)), Ok(())]),
                "{outcomes:?}"
            );
        }
        let entry = json!({"id": "d1", "message": "scheduled", "error": null});
        let outcomes = outcomes_of(&json!({"deployments": [entry, accepted("d2")]})).unwrap();
        assert!(matches!(outcomes.as_slice(), [Ok(()), Ok(())]));
    }

    #[test]
    fn what_an_answer_does_not_clearly_say_stays_unknown() {
        let refused = json!({"id": "d1", "error": {"code": "1", "message": "no"}});
        for first in [
            json!([]),
            json!([null]),
            json!(["d1"]),
            json!([{"message": "scheduled"}]),
            json!([accepted("D1")]),
            json!([accepted("d1"), refused]),
        ] {
            let mut entries = first.as_array().unwrap().clone();
            entries.push(accepted("d2"));
            let outcomes = outcomes_of(&json!({"deployments": entries})).unwrap();
            let [Err(error), Ok(())] = outcomes.as_slice() else {
                panic!("{first}: {outcomes:?}")
            };
            assert!(error.outcome_unknown(), "{first}: {error}");
        }
    }

    #[test]
    fn an_answer_of_another_form_tells_nothing_about_any() {
        for body in [
            json!({}),
            json!({"deployments": null}),
            json!({"deployments": {"d1": "scheduled"}}),
            json!({"executions": [accepted("d1"), accepted("d2")]}),
            json!([accepted("d1"), accepted("d2")]),
        ] {
            let error = outcomes_of(&body).unwrap_err();
            assert!(error.outcome_unknown(), "{body}: {error}");
        }
    }
}
