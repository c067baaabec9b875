//! Noticing that the cluster's own memory was set back.
//!
//! When etcd is restored from a backup, everything that was remembered here may be about objects that exist no more, or about versions that are
//! yet to come. Nothing remembered can be trusted then, so the operator ends and starts anew from what is stored. The Lease tells, at its next
//! renewal. An object that comes in an older version than before tells as well, and often earlier: where the restored store begins with later
//! revisions (`etcdutl snapshot restore --bump-revision`), the watch lists anew.

use tracing::error;

use super::context::Context;

/// Notes that an object came in an older version than before.
pub(crate) fn notice(context: &Context, version: u64, before: u64) {
    error!(
        version,
        before, "an object came in an older version than before"
    );
    context.rewound.notify_one();
}
