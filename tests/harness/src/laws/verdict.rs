//! What tools take an object for hangs on three conditions, of which exactly one has to hold.
//!
//! kstatus, and so Flux and `helm --wait`, take Stalled for failed, Reconciling for under way, and neither of the two for done; Argo CD's check in
//! `deploy/argocd` does the same. A test judges that for every reason; this law makes it true of every object that any test has seen.

use serde_json::Value;

use super::{Evidence, Law, Violation};
use crate::scene::condition;

pub(super) fn violations(evidence: &Evidence) -> Vec<Violation> {
    let objects = evidence.objects.iter();
    let broken = objects.flat_map(|object| {
        let told = object.contradictions.iter();
        told.map(|what| Law::OneVerdict.broken(format!("{}: {what}", object.name)))
    });
    broken.collect()
}

/// What the conditions of an object say that is no single verdict. An object without conditions says nothing.
pub(crate) fn contradiction(object: &Value) -> Option<String> {
    let conditions = object["status"]["conditions"].as_array()?;
    if conditions.is_empty() {
        return None;
    }
    let is = |kind: &str, status: &str| condition(object, kind)["status"] == status;
    let verdicts = ["Ready", "Reconciling", "Stalled"].map(|kind| is(kind, "True"));
    let one = verdicts.iter().filter(|holds| **holds).count() == 1;
    let ready = condition(object, "Ready");
    let explained = ["Reconciling", "Stalled"].iter().all(|kind| {
        let other = condition(object, kind);
        let present = conditions.iter().any(|it| it["type"] == **kind);
        !present
            || other["status"] == "True"
                && other["reason"] == ready["reason"]
                && other["message"] == ready["message"]
    });
    let whole = is("Ready", "True") || is("Ready", "False");
    (!(one && explained && whole)).then(|| object["status"]["conditions"].to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(conditions: &[(&str, &str, &str)]) -> Value {
        let conditions = conditions.iter().map(|(kind, status, reason)| {
            json!({"type": kind, "status": status, "reason": reason, "message": "m"})
        });
        json!({"status": {"conditions": conditions.collect::<Vec<_>>()}})
    }

    #[test]
    fn exactly_one_of_three_conditions_holds_and_says_why_as_ready_does() {
        for good in [
            &[][..],
            &[
                ("Ready", "True", "Running"),
                ("Available", "True", "Serving"),
            ],
            &[
                ("Ready", "False", "Starting"),
                ("Reconciling", "True", "Starting"),
            ],
            &[
                ("Ready", "False", "Claimed"),
                ("Stalled", "True", "Claimed"),
            ],
        ] {
            assert_eq!(contradiction(&object(good)), None);
        }
        for bad in [
            &[("Available", "True", "Serving")][..],
            &[("Ready", "False", "Starting")],
            &[
                ("Ready", "True", "Running"),
                ("Reconciling", "True", "Running"),
            ],
            &[
                ("Ready", "True", "Running"),
                ("Stalled", "False", "Running"),
            ],
            &[
                ("Ready", "Unknown", "Starting"),
                ("Reconciling", "True", "Starting"),
            ],
            &[
                ("Ready", "False", "Starting"),
                ("Reconciling", "True", "Creating"),
            ],
            &[
                ("Ready", "False", "Claimed"),
                ("Reconciling", "True", "Claimed"),
                ("Stalled", "True", "Claimed"),
            ],
        ] {
            assert!(contradiction(&object(bad)).is_some(), "{bad:?}");
        }
    }
}
