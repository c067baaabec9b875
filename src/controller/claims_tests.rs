use super::*;
use crate::api::DeploymentStatus;

fn tenant(zone: &str) -> Tenant {
    Tenant {
        api_url: "https://api.example.com".into(),
        identity_zone_id: zone.into(),
    }
}

fn realm(zone: &str) -> Realm {
    Realm::at(&tenant(zone), "sub.example.com")
}

fn key(zone: &str) -> GroupKey {
    GroupKey {
        realm: realm(zone),
        group: "team-a".into(),
    }
}

fn everybody_in_zone_1(_: &(String, String)) -> Option<Realm> {
    Some(realm("zone-1"))
}

fn object(uid: &str, age: i64, adopt: Option<&str>, recorded: Option<&str>) -> Deployment {
    let mut object: Deployment = serde_json::from_value(serde_json::json!({
        "apiVersion": "aicore.dev/v1alpha1", "kind": "Deployment",
        "metadata": {"name": uid, "namespace": "default", "uid": uid, "creationTimestamp": Timestamp::from_second(1_000_000 - age).unwrap()},
        "spec": {"resourceGroup": "team-a", "connectionRef": {"name": "prod"}, "deletionPolicy": "Delete",
                 "adopt": adopt.map(|id| serde_json::json!({"deploymentId": id})), "configurationId": "configuration-1"},
    }))
    .expect("the object is valid");
    object.status = recorded.map(|id| DeploymentStatus {
        tenant: Some(tenant("zone-1")),
        deployment: Some(crate::api::RecordedDeployment {
            id: id.into(),
            ..Default::default()
        }),
        ..Default::default()
    });
    object
}

#[test]
fn who_records_an_id_holds_it_against_an_older_object_that_only_names_it() {
    let claims = Claims::default();
    claims.observe(&object("older", 100, Some("d1"), None));
    assert_eq!(
        claims
            .holder(&key("zone-1"), "d1", &everybody_in_zone_1)
            .as_deref(),
        Some("older")
    );
    claims.observe(&object("recorder", 1, None, Some("d1")));
    assert_eq!(
        claims
            .holder(&key("zone-1"), "d1", &everybody_in_zone_1)
            .as_deref(),
        Some("recorder")
    );
}

#[test]
fn among_objects_that_only_name_an_id_the_oldest_holds_it() {
    let claims = Claims::default();
    claims.observe(&object("young", 1, Some("d1"), None));
    claims.observe(&object("old", 100, Some("d1"), None));
    assert_eq!(
        claims
            .holder(&key("zone-1"), "d1", &everybody_in_zone_1)
            .as_deref(),
        Some("old")
    );
    claims.forget("old");
    assert_eq!(
        claims
            .holder(&key("zone-1"), "d1", &everybody_in_zone_1)
            .as_deref(),
        Some("young")
    );
}

#[test]
fn the_same_id_in_another_tenant_is_another_deployment() {
    let claims = Claims::default();
    claims.observe(&object("a", 1, None, Some("d1")));
    assert_eq!(
        claims.holder(&key("zone-2"), "d1", &everybody_in_zone_1),
        None
    );
}

#[test]
fn a_reservation_outlives_a_stale_view_of_the_object() {
    let claims = Claims::default();
    claims.observe(&object("a", 1, None, None));
    claims.observe(&object("b", 1, None, None));
    assert!(claims.reserve("a", &key("zone-1"), "d1", &everybody_in_zone_1));
    claims.observe(&object("a", 1, None, None));
    assert!(
        !claims.reserve("b", &key("zone-1"), "d1", &everybody_in_zone_1),
        "a stale view must not give the deployment away"
    );
    claims.unreserve("a");
    assert!(claims.reserve("b", &key("zone-1"), "d1", &everybody_in_zone_1));
}

#[test]
fn unclaimed_is_what_nobody_else_holds() {
    let claims = Claims::default();
    claims.observe(&object("a", 1, None, Some("d1")));
    let unclaimed = |but| {
        claims.unclaimed(
            &key("zone-1"),
            ["d1", "d2"].into_iter(),
            but,
            &everybody_in_zone_1,
        )
    };
    assert_eq!(unclaimed(None), BTreeSet::from(["d2".to_owned()]));
    assert_eq!(unclaimed(Some("b")), BTreeSet::from(["d2".to_owned()]));
    assert_eq!(
        unclaimed(Some("a")).len(),
        2,
        "an object must not lose sight of its own deployment"
    );
}

#[test]
fn an_object_that_is_gone_does_not_come_back_by_a_late_write() {
    let claims = Claims::default();
    claims.refresh(&object("a", 1, None, Some("d1")));
    assert_eq!(
        claims.holder(&key("zone-1"), "d1", &everybody_in_zone_1),
        None
    );
}

fn observer(uid: &str, age: i64, adopt: Option<&str>, recorded: Option<&str>) -> Deployment {
    let mut object = object(uid, age, adopt, recorded);
    object.spec.management_policy = crate::api::ManagementPolicy::Observe;
    object
}

#[test]
fn an_observer_keeps_its_deployment_from_nobody_and_has_news_of_it() {
    let claims = Claims::default();
    claims.observe(&observer("observer", 100, Some("d1"), Some("d1")));
    assert!(claims.reserve("other", &key("zone-1"), "d1", &everybody_in_zone_1));
    let concerned = claims.concerned("team-a", "d1");
    assert_eq!(concerned.len(), 1, "{concerned:?}");
    claims.forget("observer");
    assert!(!claims.was_recorded("d1"));
}

#[test]
fn what_an_observer_has_created_stays_its_own() {
    let claims = Claims::default();
    let mut creator = observer("creator", 100, None, Some("d1"));
    creator.status.as_mut().expect("it has one").create_serial = 1;
    claims.observe(&creator);
    let holder = claims.holder(&key("zone-1"), "d1", &everybody_in_zone_1);
    assert_eq!(holder.as_deref(), Some("creator"));
}

#[test]
fn an_observer_that_is_to_manage_takes_nothing_from_a_younger_object_that_does() {
    let claims = Claims::default();
    let mut former = object("former", 100, Some("d1"), Some("d1"));
    former.status.as_mut().expect("it has one").observed_only = true;
    claims.observe(&former);
    let holder = || claims.holder(&key("zone-1"), "d1", &everybody_in_zone_1);
    assert_eq!(holder().as_deref(), Some("former"));
    claims.observe(&object("younger", 1, Some("d1"), Some("d1")));
    assert_eq!(holder().as_deref(), Some("younger"));
}

#[test]
fn who_lets_go_tells_who_may_have_it() {
    let claims = Claims::default();
    claims.observe(&object("second", 1, Some("d1"), None));
    let heirs = |heirs: Vec<ObjectRef<Deployment>>| heirs.len();
    assert_eq!(
        heirs(claims.observe(&object("first", 100, Some("d1"), Some("d1")))),
        0
    );
    assert_eq!(
        heirs(claims.observe(&object("first", 100, Some("d1"), Some("d1")))),
        0
    );
    assert_eq!(
        heirs(claims.observe(&observer("first", 100, Some("d1"), Some("d1")))),
        1
    );
    assert_eq!(heirs(claims.forget("first")), 0, "it held nothing any more");
    assert_eq!(heirs(claims.forget("second")), 0);
}

#[test]
fn who_goes_over_to_observing_gives_up_what_it_has_reserved() {
    let claims = Claims::default();
    claims.observe(&object("first", 100, Some("d1"), None));
    assert!(claims.reserve("first", &key("zone-1"), "d1", &everybody_in_zone_1));
    claims.observe(&observer("first", 100, Some("d1"), Some("d1")));
    assert!(claims.reserve("second", &key("zone-1"), "d1", &everybody_in_zone_1));
}
