//! Deployments in AI Core that were made for an object of this cluster and that no object holds any more.
//!
//! A deployment has no name of its own, so the name of its configuration tells whose it was. Each Connection lists those that were made for its
//! own namespace, and those for others in the resource groups that it grants to others, without their names: one namespace learns nothing about
//! another. Where AI Core leaves the name of the configuration out, nobody can tell, and the deployment counts as unclaimed only.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::ResourceExt;

use super::reference;
use super::views::ConnectionName;
use crate::aicore::{self, GroupKey, Snapshot};
use crate::api::{ConnectionStatus, Deployment, DeploymentStatus, Orphan, Reason};
use crate::controller::context::Context;
use crate::controller::observe::look::is_going;
use crate::controller::observe::signs::{is_known, may_be_late, may_be_of};
use crate::controller::subject::{adopts, goal};
use crate::controller::tell::events::News;
use crate::lifecycle::identity::Identity;
use crate::lifecycle::situation::Goal;

/// How many orphans a status lists.
pub(crate) const MAXIMUM_LISTED: usize = 20;

/// Those of the unclaimed deployments of a resource group that were made for an object of the Connection's namespace, or of one that it may have
/// granted the group.
pub(crate) fn among(
    unclaimed: &BTreeSet<String>,
    context: &Context,
    connection: &ConnectionName,
    key: &GroupKey,
    snapshot: &Snapshot,
) -> Vec<Orphan> {
    let access = context.connections.access(connection).unwrap_or_default();
    let shared = access.iter().any(|grant| grant.names(&key.group));
    let made_for = |deployment: &aicore::Deployment| {
        let maker = Identity::of_configuration(deployment.configuration_name.as_deref()?)?;
        let ours = maker.cluster == context.cluster_id
            && context.options.scope.contains(&maker.namespace)
            && (shared || maker.namespace == connection.0);
        (ours && !is_going(deployment)).then_some(maker)
    };
    let ours: Vec<(&aicore::Deployment, Identity)> = snapshot
        .iter()
        .filter(|deployment| unclaimed.contains(&deployment.id))
        .filter_map(|deployment| Some((deployment, made_for(deployment)?)))
        .collect();
    if ours.is_empty() {
        return Vec::new();
    }
    let objects = living_in(context, key);
    let is_wanted = |deployment: &aicore::Deployment, maker: &Identity| {
        objects.iter().any(|object| {
            let is_maker = object.name_any() == maker.name
                && object.namespace().as_ref() == Some(&maker.namespace);
            let goal = goal(object, context.options.deletion_policy);
            may_have_made(object, deployment) || is_maker && may_find(object, goal, deployment)
        })
    };
    ours.into_iter()
        .filter(|(deployment, maker)| !is_wanted(deployment, maker))
        .map(|(deployment, maker)| Orphan {
            id: deployment.id.clone(),
            resource_group: key.group.clone(),
            deployment: (maker.namespace == connection.0).then_some(maker.name),
            state: deployment.status.to_string(),
        })
        .collect()
}

/// The objects that make or look for something in this resource group of this tenant, none older than what was last written to it.
fn living_in(context: &Context, key: &GroupKey) -> Vec<Arc<Deployment>> {
    let newest = |cached: Arc<Deployment>| {
        let memory = context.memories.of(&cached.uid()?);
        let newest = memory.lock().newest(cached);
        Some(newest)
    };
    let objects = context.deployments.state().into_iter();
    objects
        .filter_map(newest)
        .filter(|object| lives_in(context, object, key))
        .collect()
}

fn lives_in(context: &Context, object: &Deployment, key: &GroupKey) -> bool {
    let recorded = object
        .status
        .as_ref()
        .filter(|status| status.records_something());
    let tenant = match recorded {
        Some(status) => status.tenant.clone(),
        None => context.connections.tenant(&reference::named(object)),
    };
    object.spec.resource_group == key.group && tenant.as_ref() == Some(key.tenant())
}

/// Whether a deployment may be the result of a create call of the object whose answer is missing. It may bear the name of another object: a
/// spec can name any configuration.
fn may_have_made(object: &Deployment, deployment: &aicore::Deployment) -> bool {
    object.status.as_ref().is_some_and(|status| {
        let mut open = status.intent.iter();
        let mut lapsed = status.lapsed.iter();
        open.any(|call| may_be_of(call, deployment))
            || lapsed.any(|call| may_be_late(call, deployment))
    })
}

/// Whether the object that a deployment was made for may still find it: as its own while it records none, or as one of those that have to go
/// with it.
fn may_find(object: &Deployment, goal: Goal, deployment: &aicore::Deployment) -> bool {
    let records = object
        .status
        .as_ref()
        .is_some_and(DeploymentStatus::records_something);
    let looks = !records && adopts(object).is_none();
    let goes_with_it = matches!(goal, Goal::Released | Goal::Deleted);
    looks || goes_with_it || is_known(object, &deployment.id)
}

/// What a person has to hear when there are more orphans than a Connection's status tells of.
pub(crate) fn news(before: &ConnectionStatus, orphans: &[Orphan]) -> Option<News> {
    let known: BTreeSet<&str> = before
        .orphans
        .iter()
        .map(|orphan| orphan.id.as_str())
        .collect();
    let count = before.orphan_count.unwrap_or_default();
    let more = orphans.len() as i64 > count;
    // A list that was cut does not tell which ones are new, but only whether there are more.
    let all_known = count <= MAXIMUM_LISTED as i64;
    let new: Vec<&Orphan> = orphans
        .iter()
        .filter(|orphan| !known.contains(orphan.id.as_str()))
        .collect();
    if new.is_empty() || !(more || all_known) {
        return None;
    }
    let described: Vec<String> = new
        .iter()
        .map(|orphan| {
            let maker = orphan.deployment.as_deref();
            format!(
                "{} (resource group {}, {}, made for {})",
                orphan.id,
                orphan.resource_group,
                orphan.state,
                maker.unwrap_or("an object of another namespace")
            )
        })
        .collect();
    let ids: Vec<&str> = new.iter().map(|orphan| orphan.id.as_str()).collect();
    let note = format!(
        "no Deployment holds what was made for one, and it costs as long as it runs. Name it in spec.adopt of a Deployment, or delete \
         it in AI Core: {}",
        described.join(", ")
    );
    Some(News::bad(Reason::OrphansFound, &ids.join(" "), note))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aicore::{Status, TargetStatus};

    fn object(fields: &Value, status: &Value) -> Deployment {
        let mut object = json!({
            "metadata": {"name": "churn", "namespace": "team-a"},
            "spec": {"resourceGroup": "team-a", "connectionRef": {"name": "prod"}},
            "status": status,
        });
        let spec = object["spec"].as_object_mut().expect("it is an object");
        spec.extend(fields.as_object().expect("it is an object").clone());
        serde_json::from_value(object).expect("it is a Deployment")
    }

    fn deployment(id: &str) -> aicore::Deployment {
        aicore::Deployment {
            id: id.to_owned(),
            configuration_id: "c1".to_owned(),
            configuration_name: None,
            scenario_id: None,
            executable_id: None,
            status: Status::Running,
            status_message: None,
            target_status: Some(TargetStatus::Running),
            deployment_url: None,
            latest_running_configuration_id: None,
            last_operation: None,
            ttl: None,
            created_at: None,
            submission_time: None,
            start_time: None,
            completion_time: None,
            resources: None,
        }
    }

    /// Whether an object that is to run and has this status may still find the deployment d1 of configuration c1.
    fn running_may_find(status: &Value) -> bool {
        may_find(
            &object(&json!({}), status),
            Goal::Running,
            &deployment("d1"),
        )
    }

    #[test]
    fn what_an_object_that_runs_another_deployment_has_left_behind_is_an_orphan() {
        let status = json!({"deployment": {"id": "d2"}});
        assert!(!running_may_find(&status));
    }

    #[test]
    fn the_possible_result_of_a_create_call_is_none() {
        let call = |configuration: &str, known: &[&str]| json!({"serial": 1, "configurationId": configuration, "known": known});
        let recorded = json!({"id": "d2"});
        let made = |status: &Value| may_have_made(&object(&json!({}), status), &deployment("d1"));
        assert!(made(&json!({"intent": call("c1", &[])})));
        assert!(made(
            &json!({"deployment": recorded, "lapsed": [call("c1", &[])]})
        ));
        assert!(
            !made(&json!({"intent": call("c2", &[])})),
            "the call was for another configuration"
        );
        assert!(
            !made(&json!({"intent": call("c1", &["d1"])})),
            "it was there before the call"
        );
    }

    #[test]
    fn what_was_made_long_after_a_call_is_no_late_result_of_it() {
        let mut made = deployment("d1");
        made.created_at = Some("2026-01-01T12:00:00Z".to_owned());
        let call = |announced: &str| json!({"serial": 1, "configurationId": "c1", "announcedAt": announced});
        let late =
            |call: Value| may_have_made(&object(&json!({}), &json!({"lapsed": [call]})), &made);
        assert!(late(call("2026-01-01T11:59:00Z")));
        assert!(!late(call("2026-01-01T09:59:00Z")));
        let open = json!({"intent": call("2026-01-01T09:59:00Z")});
        assert!(
            may_have_made(&object(&json!({}), &open), &made),
            "an open call is answered by a look, however long it takes"
        );
    }

    #[test]
    fn an_object_that_has_nothing_looks_for_its_own_unless_it_adopts_another() {
        assert!(running_may_find(&json!({})));
        let adopting = object(&json!({"adopt": {"deploymentId": "d2d2"}}), &json!({}));
        assert!(!may_find(&adopting, Goal::Running, &deployment("d1")));
    }

    #[test]
    fn what_goes_with_its_object_is_none() {
        let status = json!({"deployment": {"id": "d2"}});
        let object = object(&json!({}), &status);
        assert!(may_find(&object, Goal::Released, &deployment("d1")));
        assert!(may_find(&object, Goal::Deleted, &deployment("d1")));
        assert!(!may_find(&object, Goal::Orphaned, &deployment("d1")));
    }

    #[test]
    fn an_old_list_does_not_make_an_orphan_of_what_is_gone() {
        let status = json!({"deployment": {"id": "d2"}, "previousIds": ["d1"]});
        assert!(running_may_find(&status));
    }

    fn orphans(ids: impl IntoIterator<Item = usize>) -> Vec<Orphan> {
        let orphan = |number| Orphan {
            id: format!("d{number:03}"),
            resource_group: "team-a".to_owned(),
            deployment: Some("churn".to_owned()),
            state: "RUNNING".to_owned(),
        };
        ids.into_iter().map(orphan).collect()
    }

    /// The ids that are told of when a status that tells of `before` is about to tell of `now`.
    fn told(
        before: impl IntoIterator<Item = usize>,
        now: impl IntoIterator<Item = usize>,
    ) -> Option<String> {
        let mut before = orphans(before);
        let count = before.len() as i64;
        before.truncate(MAXIMUM_LISTED);
        let before = ConnectionStatus {
            orphans: before,
            orphan_count: Some(count),
            ..ConnectionStatus::default()
        };
        news(&before, &orphans(now)).map(|news| news.about)
    }

    #[test]
    fn a_new_orphan_is_told_once() {
        assert_eq!(told([], [1, 2]).as_deref(), Some("d001 d002"));
        assert_eq!(told([1, 2], [1, 2]), None);
        assert_eq!(told([1], [1, 2]).as_deref(), Some("d002"));
        assert_eq!(
            told([1], [2]).as_deref(),
            Some("d002"),
            "one came, one went"
        );
        assert_eq!(told([1, 2], [2]), None, "one went");
    }

    #[test]
    fn orphans_that_only_move_up_into_the_list_are_not_told_again() {
        assert_eq!(told(0..30, 5..30), None);
        assert!(told(0..30, 0..31).is_some(), "there is one more");
    }
}
