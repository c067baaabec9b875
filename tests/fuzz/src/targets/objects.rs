//! Single objects: deployments, configurations, executables, groups, what the server can do, logs, and the answers to a creation and to
//! `$count`. Each reader gets the same input.

use aicore_operator::aicore::{Deployment, Error, Status, TargetStatus, fuzzing};
use aicore_operator::controller::fuzzing::{state_of, target_of};
use aicore_operator::lifecycle::identity::content_hash;
use aicore_operator::lifecycle::situation::{State, Target};
use serde_json::Value;

use crate::bounds::{cuts, in_proportion};

pub fn run(input: &[u8]) {
    if let Some(deployment) = whole(input, fuzzing::deployment) {
        its_state_is_what_was_sent(input, &deployment);
    }
    if whole(input, fuzzing::content).is_some() {
        a_copy_has_the_same_content(input);
    }
    whole(input, fuzzing::configuration);
    whole(input, fuzzing::executable);
    whole(input, fuzzing::resource_group);
    whole(input, fuzzing::meta);
    whole(input, fuzzing::created_id);
    whole(input, fuzzing::log_lines);
    // A number that was cut is a number; that nothing was cut is shown by the length of the body.
    let count = in_proportion(input.len(), || fuzzing::count(input));
    assert!(count.is_err() || input.iter().any(u8::is_ascii_digit));
}

/// What a reader makes of the input. What was cut off anywhere is no object.
fn whole<T>(input: &[u8], read: fn(&[u8]) -> Result<T, Error>) -> Option<T> {
    let object = in_proportion(input.len(), || read(input)).ok()?;
    for cut in cuts(input.trim_ascii_end()) {
        assert!(read(cut).is_err(), "cut after {} bytes", cut.len());
    }
    Some(object)
}

/// A state that the contract does not list is none that it lists, and a deletion is one that was sent.
fn its_state_is_what_was_sent(input: &[u8], deployment: &Deployment) {
    let status = &deployment.status;
    assert_eq!(&Status::from(status.as_str()), status);
    let is_listed = [
        "UNKNOWN",
        "PENDING",
        "RUNNING",
        "STOPPING",
        "STOPPED",
        "DEAD",
        "COMPLETED",
        "DELETING",
    ]
    .contains(&status.as_str());
    assert_eq!(state_of(status) != State::Other, is_listed, "{status}");
    let target = deployment.target_status.as_ref();
    if let Some(target) = target {
        assert_eq!(&TargetStatus::from(target.as_str()), target);
    }
    let Ok(sent) = serde_json::from_slice::<Value>(input) else {
        return;
    };
    let is = |field: &str, word: &str| {
        let sent = sent[field].as_str();
        sent.is_some_and(|sent| sent.eq_ignore_ascii_case(word))
    };
    assert!(!is_listed || is("status", status.as_str()), "{status}");
    let deleted = target_of(target) == Target::Deleted;
    assert_eq!(deleted, is("targetStatus", "DELETED"), "{target:?}");
}

/// A configuration that is made from what was read binds the same, so that the operator knows its own again.
fn a_copy_has_the_same_content(input: &[u8]) {
    let content = fuzzing::content(input).expect("it was read before");
    let copy = serde_json::to_vec(&content.named("copy".to_owned())).expect("it is plain texts");
    let again = fuzzing::content(&copy).expect("it can be read again");
    assert_eq!(again, content);
    assert_eq!(content_hash(&again), content_hash(&content));
}
