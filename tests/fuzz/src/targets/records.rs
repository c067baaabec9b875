//! What the operator has written itself and reads again, where anybody may have changed it: an object with its status, or its Lease. And the
//! texts in there that are times.

use aicore_operator::api::{Connection, Deployment};
use aicore_operator::controller::fuzzing::{expiry, may_be_equal, seconds, time};
use aicore_operator::lease::fuzzing as lease;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bounds::in_proportion;
use crate::input::{first_line, text};

/// How many gaps a Lease keeps.
const MOST_GAPS: usize = 10;

pub fn run(input: &[u8]) {
    if let Ok(record) = serde_json::from_slice::<Value>(input) {
        comes_back::<Connection>(&record);
        comes_back::<Deployment>(&record);
        if let Some(lease) = comes_back::<Lease>(&record) {
            a_lease_goes_on(&lease);
        }
    } else {
        let (one, other) = first_line(input);
        times(text(one).trim(), text(other).trim());
    }
}

/// What was read and is written again says the same to the next reader.
fn comes_back<T: Serialize + DeserializeOwned>(record: &Value) -> Option<T> {
    let read: T = serde_json::from_value(record.clone()).ok()?;
    let written = serde_json::to_value(&read).expect("it can be written");
    let again: T = serde_json::from_value(written.clone()).expect("it can be read again");
    assert_eq!(serde_json::to_value(&again).ok(), Some(written));
    Some(read)
}

fn a_lease_goes_on(found: &Lease) {
    let record = lease::read(found);
    assert!(record.holder.as_deref() != Some(""));
    assert!(record.renewed >= Timestamp::MIN && record.duration.as_secs() <= i32::MAX as u64);
    let renewed = lease::read(&lease::renewed(found));
    assert!(renewed.renewed >= record.renewed, "time goes back");
    assert_eq!(renewed.holder, record.holder);
    let now = Timestamp::now();
    let taken = lease::read(&lease::taken(found, "new", now));
    assert_eq!(taken.holder.as_deref(), Some("new"));
    assert!(taken.gaps.len() <= MOST_GAPS, "{} gaps", taken.gaps.len());
    let kept = |gap: &(Timestamp, Timestamp)| record.gaps.contains(gap) || gap.1 == now;
    assert!(taken.gaps.iter().all(kept), "a gap was made up");
}

fn times(one: &str, other: &str) {
    in_proportion(one.len() + other.len(), || {
        let (first, second) = (seconds(one), seconds(other));
        assert!(first.is_none_or(|seconds| seconds >= 0));
        let differ = matches!((first, second), (Some(first), Some(second)) if first != second);
        assert_eq!(may_be_equal(Some(one), Some(other)), !differ);
        assert_eq!(may_be_equal(Some(other), Some(one)), !differ);
        assert!(may_be_equal(Some(one), None) && may_be_equal(Some(one), Some(one)));
        let ends = expiry(one, other);
        if let (Some(created), Some(ends)) = (time(one), ends) {
            assert!(second.is_some() && ends >= created);
        }
    });
}
