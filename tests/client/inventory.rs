//! Observation: one list per resource group, for however many objects and connections.

use std::sync::Arc;
use std::time::Duration;

use aicore_emulator::{Effect, Operation};
use aicore_operator::aicore::{
    Change, Event, GroupKey, Inventory, InventoryOptions, Observed, Status,
};
use aicore_operator::api::Reason;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout};

use crate::remote::{GROUP, Remote, accepted};

/// Nothing polls by itself within a test.
pub(crate) const NEVER: Duration = Duration::from_secs(3600);
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

struct Watched {
    remote: Remote,
    inventory: Arc<Inventory>,
    events: UnboundedReceiver<Event>,
    key: GroupKey,
}

impl Watched {
    async fn start(idle: Duration, busy: Duration) -> Self {
        let remote = Remote::start().await;
        let (changes, events) = unbounded_channel();
        let inventory = Inventory::new(InventoryOptions { idle, busy }, changes);
        inventory.attach("team/prod", remote.accepted_client().await);
        let key = remote.key(GROUP).await;
        Self {
            remote,
            inventory,
            events,
            key,
        }
    }

    /// Started, with one object that has seen the first list.
    async fn with_an_object(idle: Duration, busy: Duration) -> Self {
        let mut watched = Self::start(idle, busy).await;
        watched.inventory.watch(&watched.key, "uid-1");
        watched.change().await;
        watched
    }

    async fn event(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("an event comes")
            .expect("the inventory lives")
    }

    async fn change(&mut self) -> Change {
        match self.event().await {
            Event::Changed(change) => change,
            other => panic!("{other:?}"),
        }
    }

    async fn lists(&self) -> usize {
        self.remote.count(Operation::ListDeployments).await
    }
}

#[tokio::test]
async fn a_group_that_was_never_listed_grows_old_from_when_it_is_looked_at() {
    let mut watched = Watched::start(NEVER, NEVER).await;
    watched
        .remote
        .respond(Operation::ListDeployments, 503, "")
        .await;
    watched.inventory.watch(&watched.key, "uid-1");
    let begin = Instant::now();
    let event = watched.event().await;
    assert!(matches!(event, Event::Failed { .. }), "{event:?}");
    let waited = begin.elapsed();
    let ages = watched.inventory.ages();
    let [(key, age)] = ages.as_slice() else {
        panic!("{ages:?}")
    };
    assert!(*key == watched.key && *age >= waited, "{ages:?}");
}

#[tokio::test]
async fn nothing_is_listed_while_nobody_watches() {
    let watched = Watched::start(Duration::from_millis(1), Duration::from_millis(1)).await;
    // A whole call's time in which a poller would have shown itself.
    watched.remote.client().await.meta().await.unwrap();
    assert_eq!(watched.lists().await, 0);
}

#[tokio::test]
async fn a_thousand_objects_in_a_group_cause_one_list() {
    let mut watched = Watched::start(NEVER, NEVER).await;
    for object in 0..1_000 {
        watched
            .inventory
            .watch(&watched.key, &format!("uid-{object}"));
        watched.inventory.observe(&watched.key, None);
    }
    watched.change().await;
    assert!(matches!(
        watched.inventory.observe(&watched.key, None),
        Observed::Fresh(_)
    ));
    assert_eq!(watched.lists().await, 1);
}

#[tokio::test]
async fn a_decision_waits_for_a_list_that_was_requested_after_its_last_write() {
    let mut watched = Watched::with_an_object(NEVER, Duration::from_millis(20)).await;
    let id = watched.remote.deployment("RUNNING").await;
    let written = Instant::now();
    assert!(matches!(
        watched.inventory.observe(&watched.key, Some(written)),
        Observed::Waiting
    ));
    let change = watched.change().await;
    assert!(change.ids.contains(&id) && change.snapshot.requested_at > written);
    let Observed::Fresh(snapshot) = watched.inventory.observe(&watched.key, Some(written)) else {
        panic!("the list is there")
    };
    assert_eq!(snapshot.get(&id).unwrap().status, Status::Running);
    assert!(matches!(
        watched
            .inventory
            .observe(&watched.key, Some(Instant::now())),
        Observed::Waiting
    ));
    let change = watched.change().await;
    assert!(
        change.ids.is_empty(),
        "who waited is told even when nothing changed: {change:?}"
    );
    assert_eq!(watched.lists().await, 3);
}

#[tokio::test]
async fn a_list_under_way_does_not_answer_what_was_asked_after_it_began() {
    let mut watched = Watched::start(NEVER, Duration::from_millis(20)).await;
    watched
        .remote
        .fault(Operation::ListDeployments, Effect::AnswerLatencyMs(300))
        .await;
    watched.inventory.watch(&watched.key, "uid-1");
    while watched.lists().await == 0 {
        tokio::task::yield_now().await;
    }
    let written = Instant::now();
    watched.inventory.observe(&watched.key, Some(written));
    assert!(watched.change().await.snapshot.requested_at < written);
    assert!(watched.change().await.snapshot.requested_at > written);
    assert_eq!(watched.lists().await, 2);
}

#[tokio::test]
async fn only_what_changed_is_told_and_fast_while_something_moves() {
    let mut watched = Watched::with_an_object(NEVER, Duration::from_millis(20)).await;
    let moving = watched.remote.deployment("RUNNING").await;
    let still = watched.remote.deployment("RUNNING").await;
    watched.inventory.set_busy(&watched.key, "uid-1", true);
    let mut seen = watched.change().await.ids;
    while !seen.contains(&still) {
        seen.extend(watched.change().await.ids);
    }
    watched.remote.force(&moving, "STOPPING").await;
    assert!(watched.change().await.ids.iter().eq([&moving]));
    watched
        .remote
        .control(
            Method::DELETE,
            &format!("deployments/{moving}"),
            &Value::Null,
        )
        .await;
    let change = watched.change().await;
    assert_eq!(
        (
            change.ids.into_iter().collect::<Vec<_>>(),
            change.snapshot.get(&moving)
        ),
        (vec![moving], None)
    );
}

#[tokio::test]
async fn a_failure_is_told_once_and_its_end_too() {
    let mut watched =
        Watched::with_an_object(Duration::from_millis(10), Duration::from_millis(10)).await;
    watched
        .remote
        .fault(Operation::ListDeployments, Effect::Down)
        .await;
    match watched.event().await {
        Event::Failed { key, error } => {
            assert_eq!((&key, error.reason()), (&watched.key, Reason::Unreachable))
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        watched.inventory.observe(&watched.key, None),
        Observed::Failed(_)
    ));
    assert!(watched.inventory.list_once(&watched.key).await.is_err());
    let failures = watched.lists().await;
    while watched.lists().await < failures + 2 {
        tokio::task::yield_now().await;
    }
    watched.remote.heal().await;
    assert!(matches!(watched.event().await, Event::Recovered { .. }));
    assert!(matches!(
        watched.inventory.observe(&watched.key, None),
        Observed::Fresh(_)
    ));
}

#[tokio::test]
async fn a_connection_that_moved_to_another_tenant_serves_its_old_one_no_more() {
    let watched = Watched::start(NEVER, NEVER).await;
    let moved = watched
        .remote
        .client_with(|key| key["identityzoneid"] = json!("zone-2"))
        .await;
    watched.inventory.attach("team/prod", accepted(moved).await);
    let error = watched.inventory.list_once(&watched.key).await.unwrap_err();
    assert!(error.to_string().contains("no Connection"), "{error}");
    assert_eq!(watched.lists().await, 0);
}

#[tokio::test]
async fn a_report_costs_a_call_only_where_no_poller_runs() {
    let mut watched = Watched::start(NEVER, NEVER).await;
    watched.remote.deployment("RUNNING").await;
    let snapshot = watched.inventory.list_once(&watched.key).await.unwrap();
    assert_eq!(snapshot.iter().len(), 1);
    assert_eq!(watched.lists().await, 1);
    watched.inventory.watch(&watched.key, "uid-1");
    // These come while the first list is under way, and wait for it.
    let reports = (0..10).map(|_| {
        let (inventory, key) = (Arc::clone(&watched.inventory), watched.key.clone());
        tokio::spawn(async move { inventory.list_once(&key).await })
    });
    for report in join_all(reports).await {
        assert_eq!(report.unwrap().unwrap().iter().len(), 1);
    }
    watched.change().await;
    assert_eq!(watched.lists().await, 2);
}

#[tokio::test]
async fn the_poller_of_a_group_ends_with_the_last_object_in_it() {
    let mut watched = Watched::with_an_object(NEVER, NEVER).await;
    watched.inventory.watch(&watched.key, "uid-2");
    watched.inventory.unwatch("uid-1");
    assert_eq!(
        watched
            .inventory
            .list_once(&watched.key)
            .await
            .unwrap()
            .iter()
            .len(),
        0
    );
    assert_eq!(watched.lists().await, 1, "uid-2 still lives there");
    let elsewhere = watched.remote.key("team-b").await;
    watched.inventory.watch(&elsewhere, "uid-2");
    assert_eq!(watched.change().await.key, elsewhere);
    // It would not list again for an hour: a newer list is a call of the report's own.
    let left = Instant::now();
    let ended = async {
        while watched
            .inventory
            .list_once(&watched.key)
            .await
            .unwrap()
            .requested_at
            < left
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, ended).await.expect("the poller ends");
}
