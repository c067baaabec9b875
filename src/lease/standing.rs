//! Whether somebody else's Lease has run out, as far as whoever stands by can tell.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use tokio::time::Instant;

use super::record;

/// What whoever stands by has seen of the Lease.
#[derive(Debug, Default)]
pub(super) struct Standing {
    seen: Option<Seen>,
}

#[derive(Debug)]
struct Seen {
    version: u64,
    since: Instant,
    holder: Option<String>,
}

/// What a look at the Lease tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nobody holds it, or its holder has not renewed it for as long as it lasts.
    Free,
    /// Somebody holds it.
    Held {
        /// Whether the last look showed another holder, or there was none.
        is_news: bool,
    },
    /// It is older than it was at the last look: the cluster's store was set back.
    Older,
}

impl Standing {
    /// Whether the Lease was ever seen.
    pub(super) fn has_seen(&self) -> bool {
        self.seen.is_some()
    }

    /// Takes in what the API server has answered before `now`. Only a change that is seen here counts as a renewal, from when it is seen: what
    /// the Lease says of time comes from another clock. On a machine that was suspended less time has passed, and it waits the longer.
    pub(super) fn look(
        &mut self,
        lease: &Lease,
        me: &str,
        duration: Duration,
        now: Instant,
    ) -> Look {
        let version = record::version(lease);
        let holder = record::holder(lease);
        let before = self.seen.as_ref();
        if before.is_some_and(|seen| version < seen.version) {
            return Look::Older;
        }
        let unchanged = before.filter(|seen| seen.version == version);
        let since = unchanged.map_or(now, |seen| seen.since);
        let is_news = before.is_none_or(|seen| seen.holder.as_deref() != holder);
        self.seen = Some(Seen {
            version,
            since,
            holder: holder.map(str::to_owned),
        });
        // One's own name is there when the answer to one's own writing was lost.
        let is_held = holder.is_some_and(|holder| holder != me);
        match is_held && now - since < duration.max(record::duration(lease)) {
            true => Look::Held { is_news },
            false => Look::Free,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(15);
    const MOMENT: Duration = Duration::from_millis(1);

    /// A Lease that says that it was renewed at the beginning of time.
    fn lease(version: u64, holder: Option<&str>) -> Lease {
        let lease = serde_json::json!({
            "metadata": {"name": "aicore-operator", "resourceVersion": version.to_string()},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": "1970-01-01T00:00:00.000000Z"},
        });
        serde_json::from_value(lease).expect("it is a Lease")
    }

    fn held(is_news: bool) -> Look {
        Look::Held { is_news }
    }

    #[test]
    fn a_lease_runs_out_when_no_renewal_was_seen_for_as_long_as_it_lasts() {
        let mut standing = Standing::default();
        let (found, begin) = (lease(7, Some("a")), Instant::now());
        let mut look = |at| standing.look(&found, "b", LEASE, at);
        assert_eq!(look(begin), held(true), "whatever its own time says");
        assert_eq!(look(begin + LEASE - MOMENT), held(false));
        assert_eq!(look(begin + LEASE), Look::Free);
    }

    #[test]
    fn a_renewal_counts_from_when_it_is_seen() {
        let mut standing = Standing::default();
        let (old, new, begin) = (lease(7, Some("a")), lease(8, Some("a")), Instant::now());
        let seen = begin + LEASE - MOMENT;
        standing.look(&old, "b", LEASE, begin);
        assert_eq!(standing.look(&new, "b", LEASE, seen), held(false));
        let end = seen + LEASE;
        assert_eq!(standing.look(&new, "b", LEASE, end - MOMENT), held(false));
        assert_eq!(standing.look(&new, "b", LEASE, end), Look::Free);
    }

    #[test]
    fn the_longer_duration_counts_where_two_operators_disagree() {
        let mut standing = Standing::default();
        let (found, begin) = (lease(7, Some("a")), Instant::now());
        let mut look = |at| standing.look(&found, "b", Duration::from_secs(1), at);
        look(begin);
        assert_eq!(look(begin + LEASE - MOMENT), held(false));
        assert_eq!(look(begin + LEASE), Look::Free);
    }

    #[test]
    fn a_lease_that_nobody_else_holds_is_free_at_once() {
        for holder in [None, Some(""), Some("b")] {
            let found = lease(7, holder);
            let look = Standing::default().look(&found, "b", LEASE, Instant::now());
            assert_eq!(look, Look::Free, "{holder:?}");
        }
    }

    #[test]
    fn an_older_version_tells_that_the_store_was_set_back() {
        let mut standing = Standing::default();
        let now = Instant::now();
        standing.look(&lease(7, Some("a")), "b", LEASE, now);
        let older = standing.look(&lease(6, None), "b", LEASE, now);
        assert_eq!(older, Look::Older);
    }
}
