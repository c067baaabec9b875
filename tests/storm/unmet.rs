//! Whether every object is what it was to be in the end, and what AI Core has is what the object says.

use std::collections::BTreeMap;

use harness::emulated::RemoteDeployment;
use harness::scene::{condition, id_of};
use serde_json::Value;

use crate::objects::{DesiredState, Ground, PARAMETER, Plan, Source, Wish};

/// The objects that there are, by namespace and name.
pub type Objects = BTreeMap<(String, String), Value>;

/// Sorts objects by namespace and name.
pub fn by_name(found: Vec<Value>) -> Objects {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    found
        .into_iter()
        .map(|object| {
            let metadata = &object["metadata"];
            let key = (text(&metadata["namespace"]), text(&metadata["name"]));
            (key, object)
        })
        .collect()
}

/// The namespace and name of an object.
pub fn key(plan: &Plan) -> (String, String) {
    (plan.namespace().to_owned(), plan.name.clone())
}

/// Whether somebody has asked for its deletion.
pub fn is_going(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Each object that differs from what it was to be, and in what.
pub fn unmet(
    objects: &[Plan],
    ground: &[Ground],
    wishes: &BTreeMap<usize, Option<Wish>>,
    found: &Objects,
    remote: &[RemoteDeployment],
) -> Vec<String> {
    let remote: BTreeMap<&str, &RemoteDeployment> = remote
        .iter()
        .map(|deployment| (deployment.id.as_str(), deployment))
        .collect();
    wishes
        .iter()
        .filter_map(|(object, wish)| {
            let plan = &objects[*object];
            let found = found.get(&key(plan));
            let configuration = ground[*object].configuration.as_deref();
            let difference = difference(plan, wish.as_ref(), configuration, found, &remote)?;
            Some(format!(
                "{}/{} ({:?}, {} in {}): {difference}",
                plan.namespace(),
                plan.name,
                plan.source,
                plan.connection(),
                plan.group()
            ))
        })
        .collect()
}

/// In what an object differs from what it is to be.
fn difference(
    plan: &Plan,
    wish: Option<&Wish>,
    configuration: Option<&str>,
    found: Option<&Value>,
    remote: &BTreeMap<&str, &RemoteDeployment>,
) -> Option<String> {
    let Some(wish) = wish else {
        return found.map(|found| format!("it is to be gone, but is {}", state_of(found)));
    };
    let Some(found) = found else {
        return Some(format!("it is to be {}, but is gone", wish.desired_state));
    };
    let ready = condition(found, "Ready");
    let reason = ready["reason"].as_str().unwrap_or_default();
    let current = found["status"]["observedGeneration"] == found["metadata"]["generation"]
        && ready["status"] == "True"
        && !is_going(found);
    let id = id_of(found);
    let deployment = remote.get(id.as_str());
    let status = deployment.map_or("gone", |deployment| deployment.status.as_str());
    let reached = match wish.desired_state {
        DesiredState::Running if reason == "Expired" => plan.ttl.is_some() && status == "gone",
        DesiredState::Running => {
            let runs_it = deployment.is_some_and(|deployment| match plan.source {
                Source::Inline => {
                    deployment.parameters.get(PARAMETER) == Some(&wish.parameter.to_string())
                }
                _ => Some(deployment.configuration_id.as_str()) == configuration,
            });
            reason == "Running" && status == "RUNNING" && runs_it
        }
        DesiredState::Stopped => {
            reason == "Stopped" && ["gone", "STOPPED", "DEAD"].contains(&status)
        }
        DesiredState::Deleted => reason == "Deleted" && status == "gone",
    };
    (!(current && reached)).then(|| {
        format!(
            "it is to be {}, but is {}; deployment {id} is {status}",
            wish.desired_state,
            state_of(found)
        )
    })
}

fn state_of(found: &Value) -> String {
    let ready = condition(found, "Ready");
    format!(
        "{}{} ({}), next: {}",
        if is_going(found) { "terminating, " } else { "" },
        ready["reason"],
        ready["message"],
        found["status"]["nextStep"]
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::objects::Policy;

    fn plan(source: Source) -> Plan {
        Plan {
            name: "churn".to_owned(),
            namespace: 0,
            group: 0,
            user: 0,
            source,
            ttl: None,
            policy: Policy::Delete,
            fate: None,
            last_policy: Policy::Delete,
        }
    }

    fn wish(desired_state: DesiredState) -> Wish {
        Wish {
            desired_state,
            parameter: 7,
            policy: Policy::Delete,
        }
    }

    /// An object that is ready for a reason, with the deployment `d1`.
    fn ready(reason: &str) -> Value {
        json!({
            "metadata": {"namespace": "storm-north", "name": "churn", "generation": 3},
            "status": {
                "observedGeneration": 3,
                "deployment": {"id": "d1"},
                "conditions": [{"type": "Ready", "status": "True", "reason": reason}],
            },
        })
    }

    fn remote(status: &str, parameter: &str) -> RemoteDeployment {
        RemoteDeployment {
            id: "d1".to_owned(),
            tenant: "zone-1".to_owned(),
            configuration_id: "c1".to_owned(),
            configuration_name: None,
            status: status.to_owned(),
            parameters: BTreeMap::from([(PARAMETER.to_owned(), parameter.to_owned())]),
        }
    }

    fn is_met(
        plan: &Plan,
        wish: Option<Wish>,
        found: Option<Value>,
        remote: Option<RemoteDeployment>,
    ) -> bool {
        let ground = Ground {
            configuration: Some("c1".to_owned()),
            deployment: None,
        };
        let unmet = unmet(
            std::slice::from_ref(plan),
            &[ground],
            &BTreeMap::from([(0, wish)]),
            &by_name(found.into_iter().collect()),
            &remote.into_iter().collect::<Vec<_>>(),
        );
        unmet.is_empty()
    }

    #[test]
    fn what_is_to_be_gone_is_gone() {
        let plan = plan(Source::Inline);
        assert!(is_met(&plan, None, None, None));
        assert!(!is_met(&plan, None, Some(ready("Deleted")), None));
    }

    #[test]
    fn what_is_to_run_runs_with_what_was_last_written_in_its_spec() {
        let plan = plan(Source::Inline);
        let met = |found, remote| is_met(&plan, Some(wish(DesiredState::Running)), found, remote);
        assert!(met(Some(ready("Running")), Some(remote("RUNNING", "7"))));
        assert!(!met(None, Some(remote("RUNNING", "7"))));
        assert!(!met(Some(ready("Running")), Some(remote("RUNNING", "6"))));
        assert!(!met(Some(ready("Running")), Some(remote("STOPPED", "7"))));
        assert!(!met(Some(ready("Running")), None));
        assert!(!met(Some(ready("Expired")), None));
    }

    #[test]
    fn an_object_that_is_going_or_speaks_of_a_former_spec_is_not_what_it_was_to_be() {
        let plan = plan(Source::Shared);
        let met = |found| {
            let running = Some(remote("RUNNING", "7"));
            is_met(
                &plan,
                Some(wish(DesiredState::Running)),
                Some(found),
                running,
            )
        };
        assert!(met(ready("Running")));
        let mut going = ready("Running");
        going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(!met(going));
        let mut old = ready("Running");
        old["metadata"]["generation"] = json!(4);
        assert!(!met(old));
    }

    #[test]
    fn what_is_to_cost_nothing_does_not_run() {
        let plan = plan(Source::Inline);
        let met =
            |state, reason, remote| is_met(&plan, Some(wish(state)), Some(ready(reason)), remote);
        assert!(met(
            DesiredState::Stopped,
            "Stopped",
            Some(remote("STOPPED", "7"))
        ));
        assert!(met(DesiredState::Stopped, "Stopped", None));
        assert!(!met(
            DesiredState::Stopped,
            "Stopped",
            Some(remote("RUNNING", "7"))
        ));
        assert!(met(DesiredState::Deleted, "Deleted", None));
        assert!(!met(
            DesiredState::Deleted,
            "Deleted",
            Some(remote("STOPPED", "7"))
        ));
    }
}
