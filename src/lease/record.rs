//! What a Lease says, and how it is written.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::ResourceExt;
use tracing::warn;

use super::gaps::Gap;
use crate::api::GAPS_ANNOTATION;

/// The holder of a Lease that somebody must have had before, and that is gone: it has to run out like any other.
const UNKNOWN: &str = "unknown";

/// A new Lease. One that `was_lost` counts as held by somebody unknown who worked at the beginning of time.
pub(super) fn new(name: &str, duration: Duration, was_lost: bool) -> Lease {
    let (holder, renewed) = match was_lost {
        true => (Some(UNKNOWN.to_owned()), Timestamp::UNIX_EPOCH),
        false => (None, now()),
    };
    Lease {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..Default::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: holder,
            lease_duration_seconds: Some(seconds(duration)),
            renew_time: Some(MicroTime(renewed)),
            ..Default::default()
        }),
    }
}

/// The Lease as it is taken by `holder`.
pub(super) fn taken(found: &Lease, holder: &str, duration: Duration, gaps: &[Gap]) -> Lease {
    let mut lease = found.clone();
    let annotations = lease.annotations_mut();
    annotations.remove(GAPS_ANNOTATION);
    if !gaps.is_empty() {
        let text = serde_json::to_string(gaps).expect("times can be written as JSON");
        annotations.insert(GAPS_ANNOTATION.to_owned(), text);
    }
    let now = MicroTime(now());
    let spec = lease.spec.get_or_insert_default();
    spec.holder_identity = Some(holder.to_owned());
    spec.lease_duration_seconds = Some(seconds(duration));
    spec.acquire_time = Some(now.clone());
    spec.renew_time = Some(now);
    spec.lease_transitions = Some(spec.lease_transitions.unwrap_or_default().saturating_add(1));
    lease
}

/// The Lease as it is renewed. Its time rises with each renewal, also when the clock is set back.
pub(super) fn renewed(lease: &Lease) -> Lease {
    let mut renewed = lease.clone();
    let last = renew_time(lease).as_microsecond();
    let next =
        now().max(Timestamp::from_microsecond(last.saturating_add(1)).unwrap_or(Timestamp::MAX));
    renewed.spec.get_or_insert_default().renew_time = Some(MicroTime(next));
    renewed
}

/// The Lease as it is let go.
pub(super) fn released(lease: &Lease) -> Lease {
    let mut released = renewed(lease);
    released.spec.get_or_insert_default().holder_identity = None;
    released
}

/// What has become of a Lease since its holder wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is as its holder wrote it, whose answer may have been lost; or somebody has put a label on it.
    Ours,
    /// It is older than what its holder wrote: the cluster's store was set back.
    Older,
    /// It has another holder, or nobody holds it.
    Taken(String),
}

/// What has become of a Lease that `me` has `written`. Nobody else writes this name, and the times of its renewals only rise.
pub(super) fn fate(written: &Lease, found: &Lease, me: &str) -> Fate {
    if version(found) < version(written) {
        return Fate::Older;
    }
    match holder(found) {
        Some(holder) if holder != me => Fate::Taken(holder.to_owned()),
        None => Fate::Taken("nobody".to_owned()),
        Some(_) if renew_time(found) < renew_time(written) => Fate::Older,
        Some(_) => Fate::Ours,
    }
}

/// Who holds it, if anybody does.
pub(super) fn holder(lease: &Lease) -> Option<&str> {
    let holder = lease.spec.as_ref()?.holder_identity.as_deref()?;
    Some(holder).filter(|holder| !holder.is_empty())
}

/// How long it lasts without a renewal, rounded up to whole seconds.
pub(super) fn duration(lease: &Lease) -> Duration {
    let spec = lease.spec.as_ref();
    let seconds = spec.and_then(|spec| spec.lease_duration_seconds);
    Duration::from_secs(seconds.unwrap_or_default().max(0).unsigned_abs().into())
}

/// When it was renewed, by the clock of who did it; the beginning of time where it does not say.
pub(super) fn renew_time(lease: &Lease) -> Timestamp {
    let spec = lease.spec.as_ref();
    let time = spec.and_then(|spec| spec.renew_time.as_ref());
    time.map_or(Timestamp::UNIX_EPOCH, |time| time.0)
}

/// The gaps that it keeps.
pub(super) fn gaps(lease: &Lease) -> Vec<Gap> {
    let Some(text) = lease.annotations().get(GAPS_ANNOTATION) else {
        return Vec::new();
    };
    serde_json::from_str(text).unwrap_or_else(|error| {
        warn!(%error, text, "the annotation {GAPS_ANNOTATION} of the Lease cannot be read and is replaced");
        Vec::new()
    })
}

/// Versions of one object can be compared as numbers (Kubernetes API concepts, "Resource versions").
pub(super) fn version(lease: &Lease) -> u64 {
    let version = lease.resource_version();
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}

/// Now, as exactly as a Lease can say it.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(15);

    fn stored(mut lease: Lease, version: u64) -> Lease {
        lease.metadata.resource_version = Some(version.to_string());
        lease
    }

    fn taken_by(holder: &str) -> Lease {
        stored(taken(&new("lease", LEASE, false), holder, LEASE, &[]), 7)
    }

    #[test]
    fn a_renewal_whose_answer_was_lost_and_a_label_leave_the_lease_to_its_holder() {
        let written = taken_by("a");
        let lost = stored(renewed(&written), 8);
        assert_eq!(fate(&written, &lost, "a"), Fate::Ours);
        let mut labelled = stored(written.clone(), 8);
        labelled.labels_mut().insert("team".into(), "a".into());
        assert_eq!(fate(&written, &labelled, "a"), Fate::Ours);
    }

    #[test]
    fn an_older_version_and_an_older_renewal_tell_that_the_store_was_set_back() {
        let old = taken_by("a");
        let written = stored(renewed(&old), 8);
        assert_eq!(fate(&written, &old, "a"), Fate::Older);
        let touched_since = stored(old, 9);
        assert_eq!(fate(&written, &touched_since, "a"), Fate::Older);
        let of_another = stored(taken_by("b"), 6);
        assert_eq!(fate(&written, &of_another, "a"), Fate::Older);
    }

    #[test]
    fn a_lease_that_another_has_taken_or_that_was_emptied_is_lost() {
        let written = taken_by("a");
        let other = stored(taken_by("b"), 8);
        assert_eq!(fate(&written, &other, "a"), Fate::Taken("b".to_owned()));
        let emptied = stored(released(&written), 8);
        assert_eq!(
            fate(&written, &emptied, "a"),
            Fate::Taken("nobody".to_owned())
        );
    }

    #[test]
    fn a_lease_that_was_lost_has_to_run_out_and_tells_of_a_gap_from_the_beginning() {
        let lease = new("lease", LEASE, true);
        assert!(holder(&lease).is_some());
        assert_eq!(renew_time(&lease), Timestamp::UNIX_EPOCH);
        assert_eq!(holder(&new("lease", LEASE, false)), None);
    }

    #[test]
    fn the_gaps_are_kept_with_the_lease_and_what_cannot_be_read_is_none() {
        let gap = Gap {
            from: Timestamp::UNIX_EPOCH,
            to: now(),
        };
        let mut lease = taken(&new("lease", LEASE, false), "a", LEASE, &[gap]);
        assert_eq!(gaps(&lease), [gap]);
        assert_eq!(gaps(&taken(&lease, "b", LEASE, &[])), []);
        let nonsense = "yesterday".to_owned();
        lease
            .annotations_mut()
            .insert(GAPS_ANNOTATION.to_owned(), nonsense);
        assert_eq!(gaps(&lease), []);
    }

    #[test]
    fn a_duration_is_rounded_up_to_whole_seconds() {
        let lease = new("lease", Duration::from_millis(1500), false);
        assert_eq!(duration(&lease), Duration::from_secs(2));
    }
}
