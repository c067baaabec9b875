//! What keeps a Connection from working, and whether a person has to mend it.
//!
//! A person must act where nothing but a change of the Secret, of a right or of an object helps. What AI Core or the network may mend by themselves
//! is waited for.

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use super::chain::Hold;
use crate::aicore::{Error, ServiceKeyError, Tenant, Validity};
use crate::api::{Connection, Reason};
use crate::controller::context::Options;
use crate::controller::problem::{Failure, Problem};

/// How old a Connection is before a Secret that is not there needs a person. Whoever applies both at once may apply the Secret later, and another
/// operator takes some minutes to write it.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// A person must act.
fn stalled(reason: Reason, message: String) -> Failure {
    Failure {
        problem: Problem { reason, message },
        stalled: true,
    }
}

/// An answer of AI Core's or of its token endpoint, or that there was none.
pub(super) fn answered(error: &Error) -> Failure {
    Failure {
        problem: Problem {
            reason: error.reason(),
            message: error.to_string(),
        },
        stalled: error.needs_a_person(),
    }
}

/// The Secret is not there, or not yet.
pub(super) fn secret_missing(connection: &Connection, now: Timestamp) -> Failure {
    let created = connection.creation_timestamp().map_or(now, |time| time.0);
    Failure {
        problem: Problem {
            reason: Reason::SecretMissing,
            message: format!(
                "there is no Secret {} in this namespace; create it with a SAP AI Core service key",
                connection.spec.secret_ref.name
            ),
        },
        stalled: now.duration_since(created) > PATIENCE,
    }
}

/// The Secret holds nothing that could be used.
pub(super) fn unusable(secret: &str, error: &ServiceKeyError) -> Failure {
    stalled(Reason::InvalidSecret, format!("Secret {secret}: {error}"))
}

/// The operator is installed so that it reads Secrets elsewhere.
pub(super) fn out_of_reach(options: &Options, secret: &str) -> Failure {
    let message = format!(
        "Secret {secret} cannot be used: the operator reads Secrets in {} only. Have this namespace added (secrets.namespaces of the chart), or use a \
         Connection there that grants this namespace access",
        options.secret_namespaces.join(", ")
    );
    stalled(Reason::SecretOutOfReach, message)
}

/// The certificate of the key is not valid any more. It counts although a token may still open the API: there will be no other one.
pub(super) fn certificate_expired(
    validity: Validity,
    secret: &str,
    now: Timestamp,
) -> Option<Failure> {
    let message = format!(
        "the certificate of Secret {secret} was valid until {}: put a new service key of the same tenant into the Secret. A token that was had with it \
         goes on being used for the deployments there are, and no new one is created",
        validity.not_after
    );
    let expired = || stalled(Reason::CertificateExpired, message);
    validity.is_over(now).then(expired)
}

/// The key leads to another tenant than the one that Deployments live in which went through the Connection.
pub(super) fn tenant_changed(now: &Tenant, cut_off: &str) -> Failure {
    let message = format!(
        "the key leads to the tenant at {} (identity zone {}), where these Deployments do not live. Put a key of their tenant back into the Secret, or \
         have them name a Connection to it; no new one is created until then: {cut_off}",
        now.api_url, now.identity_zone_id
    );
    stalled(Reason::TenantChanged, message)
}

/// A Connection on its way out still serves to stop and delete what it has made, but nothing new is created through it. It goes by itself when its
/// Deployments have; a Secret that goes alone leaves a Connection that a person has to give another one.
pub(super) fn terminating(connection: &Connection, hold: Hold) -> Option<Failure> {
    let secret = &connection.spec.secret_ref.name;
    let (reason, what) = match hold {
        Hold::ConnectionTerminating => (Reason::Terminating, "this Connection".to_owned()),
        Hold::SecretTerminating => (Reason::SecretTerminating, format!("Secret {secret}")),
        Hold::Both | Hold::Changed | Hold::SecretMissing => return None,
    };
    let message = format!(
        "{what} is being deleted: it goes on being used for the deployments there are, and no new one is created"
    );
    Some(Failure {
        problem: Problem { reason, message },
        stalled: hold == Hold::SecretTerminating,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn connection() -> Connection {
        let object = json!({
            "metadata": {"name": "prod", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"secretRef": {"name": "key"}},
        });
        serde_json::from_value(object).expect("it is a Connection")
    }

    #[test]
    fn a_secret_may_come_for_ten_minutes_and_then_a_person_has_to_bring_it() {
        let at = |time: &str| secret_missing(&connection(), time.parse().unwrap());
        assert!(!at("2026-01-01T00:10:00Z").stalled);
        assert!(at("2026-01-01T00:10:01Z").stalled);
        // Before the API server's clock.
        assert!(!at("2025-12-31T23:59:59Z").stalled);
        let mut new = connection();
        new.metadata.creation_timestamp = None;
        assert!(!secret_missing(&new, Timestamp::MAX).stalled);
    }

    #[test]
    fn what_is_being_deleted_is_told_and_only_a_secret_that_goes_alone_needs_a_person() {
        let failure = |hold| terminating(&connection(), hold);
        let leaving = failure(Hold::ConnectionTerminating).unwrap();
        assert_eq!(
            (leaving.problem.reason, leaving.stalled),
            (Reason::Terminating, false)
        );
        let alone = failure(Hold::SecretTerminating).unwrap();
        assert_eq!(
            (alone.problem.reason, alone.stalled),
            (Reason::SecretTerminating, true)
        );
        assert_eq!(failure(Hold::Both), None);
    }
}
