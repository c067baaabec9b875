//! Several Connections that lead to one tenant, or say so: whose credentials are used for whom.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use aicore_emulator::{Effect, Operation};
use aicore_operator::aicore::{
    Client, ClientOptions, Event, GroupKey, Inventory, InventoryOptions, Observed,
};
use aicore_operator::api::Reason;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};

use crate::inventory::{NEVER, PATIENCE};
use crate::remote::{self, GROUP, Remote, accepted};

/// How long a token of the [`Issuer`] lives.
const LIFE: Duration = Duration::from_secs(1);

struct Watching {
    inventory: Arc<Inventory>,
    events: UnboundedReceiver<Event>,
}

impl Watching {
    fn new(busy: Duration) -> Self {
        let (changes, events) = unbounded_channel();
        let idle = NEVER;
        let inventory = Inventory::new(InventoryOptions { idle, busy }, changes);
        Self { inventory, events }
    }

    async fn event(&mut self) -> Event {
        let event = timeout(PATIENCE, self.events.recv()).await;
        event.expect("an event comes").expect("the inventory lives")
    }

    /// Waits for a list, and gives the key under which it came.
    async fn listed(&mut self) -> GroupKey {
        match self.event().await {
            Event::Changed(change) => change.key,
            other => panic!("{other:?}"),
        }
    }

    /// Waits for a list that is asked for from now on.
    async fn listed_again(&mut self, key: &GroupKey) {
        let asked = self.inventory.observe(key, Some(Instant::now()));
        assert!(matches!(asked, Observed::Waiting), "{asked:?}");
        self.listed().await;
    }
}

// === credentials that were accepted ===

/// What is wrong with the token endpoint, for one of its clients.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// No answer comes.
    Hangs,
    Fails,
    Throttles,
    /// A page of a proxy comes.
    Misleads,
}

/// A token endpoint that gives tokens of the emulator, which end soon, to any client that has no trouble.
#[derive(Clone)]
struct Issuer {
    url: String,
    key: Value,
    http: reqwest::Client,
    state: Arc<Mutex<Issuing>>,
}

#[derive(Default)]
struct Issuing {
    troubles: HashMap<&'static str, Trouble>,
    asked: Vec<String>,
}

impl Issuer {
    async fn start(remote: &Remote) -> Self {
        let key = remote.control(Method::GET, "service-key", &Value::Null);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            key: key.await,
            http: reqwest::Client::new(),
            state: Arc::default(),
        };
        let routes = Router::new()
            .route("/oauth/token", post(Self::answer))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        issuer
    }

    async fn answer(State(issuer): State<Self>, form: String) -> Response {
        let trouble = {
            let mut state = issuer.state.lock();
            state.asked.push(form.clone());
            let mut troubles = state.troubles.iter();
            let of_caller = troubles.find(|(id, _)| form.contains(&format!("client_id={id}&")));
            of_caller.map(|(_, trouble)| *trouble)
        };
        match trouble {
            None => issuer.token().await.into_response(),
            Some(Trouble::Hangs) => std::future::pending().await,
            Some(Trouble::Fails) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Some(Trouble::Throttles) => StatusCode::TOO_MANY_REQUESTS.into_response(),
            Some(Trouble::Misleads) => "<html>".into_response(),
        }
    }

    async fn token(&self) -> String {
        let text = |field: &str| self.key[field].as_str().unwrap().to_owned();
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", text("clientid")),
            ("client_secret", text("clientsecret")),
        ];
        let url = format!("{}/oauth/token", text("url"));
        let answer = self.http.post(url).form(&form).send().await;
        let mut token: Value = answer.unwrap().json().await.unwrap();
        token["expires_in"] = json!(LIFE.as_secs());
        token.to_string()
    }

    /// A client that was accepted once, and has no valid token any more after [`LIFE`].
    async fn client(&self, id: &str) -> Client {
        let mut key = self.key.clone();
        key["clientid"] = json!(id);
        key["url"] = json!(self.url);
        let options = ClientOptions {
            request_timeout: Duration::from_secs(2),
            ..remote::options()
        };
        let client = Client::new(remote::service_key(&key), &options).unwrap();
        accepted(client).await
    }

    /// How often a client has asked for a token.
    fn asked(&self, id: &str) -> usize {
        let state = self.state.lock();
        let named = format!("client_id={id}&");
        state
            .asked
            .iter()
            .filter(|form| form.contains(&named))
            .count()
    }
}

async fn the_second_steps_in(trouble: Trouble) {
    let remote = Remote::start().await;
    let issuer = Issuer::start(&remote).await;
    let (first, second) = (issuer.client("first").await, issuer.client("second").await);
    assert_eq!(first.realm(), second.realm());
    let key = second.group_key(GROUP);
    sleep(LIFE).await;
    issuer.state.lock().troubles.insert("first", trouble);

    let mut watching = Watching::new(Duration::from_millis(10));
    watching.inventory.attach("a-team/first", first);
    watching.inventory.attach("b-team/second", second);
    watching.inventory.watch(&key, "uid-1");
    assert_eq!(watching.listed().await, key, "{trouble:?}");

    // From then on the second one goes first, and nobody waits for the first one again.
    let asked = issuer.asked("first");
    watching.listed_again(&key).await;
    sleep(LIFE).await;
    watching.listed_again(&key).await;
    let elsewhere = GroupKey {
        group: "team-b".to_owned(),
        ..key
    };
    let _ = watching.inventory.list_once(&elsewhere).await;
    assert_eq!(issuer.asked("first"), asked, "{trouble:?}");
}

#[tokio::test]
async fn a_connection_that_gets_no_token_keeps_nothing_from_the_others_of_its_tenant() {
    for trouble in [
        Trouble::Hangs,
        Trouble::Fails,
        Trouble::Throttles,
        Trouble::Misleads,
    ] {
        the_second_steps_in(trouble).await;
    }
}

#[tokio::test]
async fn another_connection_of_the_tenant_steps_in_where_one_is_refused() {
    let remote = Remote::start().await;
    let issuer = Issuer::start(&remote).await;
    let (first, second) = (issuer.client("first").await, issuer.client("second").await);
    let key = second.group_key(GROUP);
    // Once with each token of the first one.
    let no = remote::response(401, "");
    remote
        .fault_for(2, Operation::ListDeployments, Effect::Respond(no))
        .await;
    let mut watching = Watching::new(Duration::from_millis(10));
    watching.inventory.attach("a-team/first", first);
    watching.inventory.attach("b-team/second", second);
    watching.inventory.watch(&key, "uid-1");
    watching.listed().await;
    watching.listed_again(&key).await;
    let lists = remote.calls(Operation::ListDeployments).await;
    let statuses: Vec<_> = lists.iter().filter_map(|list| list.http_status).collect();
    assert_eq!(statuses, [401, 401, 200, 200]);
}

#[tokio::test]
async fn new_credentials_that_are_accepted_are_tried_at_once_where_looking_fails() {
    let remote = Remote::start().await;
    let client = remote.accepted_client().await;
    let key = client.group_key(GROUP);
    let mut watching = Watching::new(NEVER);
    watching.inventory.attach("team/prod", client);
    remote.respond(Operation::ListDeployments, 403, "").await;
    watching.inventory.watch(&key, "uid-1");
    match watching.event().await {
        Event::Failed { error, .. } => assert_eq!(error.reason(), Reason::AccessDenied),
        other => panic!("{other:?}"),
    }
    remote.heal().await;
    let other = remote.accepted_client().await;
    watching.inventory.attach("team/other", other);
    assert!(matches!(watching.event().await, Event::Recovered { .. }));
}

// === credentials that were not accepted yet ===

/// Whoever writes a key can say in it that it is of this tenant.
async fn claiming(remote: &Remote) -> Client {
    remote
        .client_with(|key| key["clientsecret"] = json!("made-up"))
        .await
}

#[tokio::test]
async fn a_key_that_only_says_which_tenant_it_is_of_gets_nothing_that_others_have_asked_for() {
    let remote = Remote::start().await;
    remote.deployment("RUNNING").await;
    let (owner, eve) = (remote.accepted_client().await, claiming(&remote).await);
    assert_eq!(owner.tenant(), eve.tenant());
    let key = owner.group_key(GROUP);
    let claimed = eve.group_key(GROUP);
    let mut watching = Watching::new(Duration::from_millis(10));
    watching.inventory.attach("a-eve/own", eve.clone());
    watching.inventory.attach("team/prod", owner);
    watching.inventory.watch(&key, "uid-1");
    assert_eq!(watching.listed().await, key);

    for group in [GROUP, "team-b"] {
        let claimed = eve.group_key(group);
        watching.inventory.watch(&claimed, "uid-2");
        match watching.event().await {
            Event::Failed { error, key } => {
                assert_eq!(key, claimed);
                assert_eq!(error.reason(), Reason::CredentialsRejected);
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            watching.inventory.observe(&claimed, None),
            Observed::Failed(_)
        ));
        assert!(watching.inventory.list_once(&claimed).await.is_err());
    }
    assert!(
        watching
            .inventory
            .ages()
            .iter()
            .all(|(key, _)| *key != claimed)
    );
    // Nothing was asked for on her behalf.
    watching.listed_again(&key).await;
    let lists = remote.calls(Operation::ListDeployments).await;
    let groups: HashSet<_> = lists
        .iter()
        .map(|list| list.resource_group.as_deref())
        .collect();
    assert_eq!(groups, HashSet::from([Some(GROUP)]));
}

#[tokio::test]
async fn the_list_by_which_credentials_are_accepted_serves_everybody_from_then_on() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let alone = client.group_key(GROUP);
    assert!(alone.realm.is_unproven());
    let mut watching = Watching::new(NEVER);
    watching.inventory.attach("team/prod", client.clone());
    watching.inventory.watch(&alone, "uid-1");
    watching.inventory.observe(&alone, None);
    match watching.event().await {
        Event::Accepted { key } => assert_eq!(key, alone),
        other => panic!("{other:?}"),
    }
    let key = watching.listed().await;
    assert_eq!(key, client.group_key(GROUP));
    assert!(!key.realm.is_unproven());
    assert!(matches!(
        watching.inventory.observe(&key, None),
        Observed::Fresh(_)
    ));
    assert_eq!(remote.count(Operation::ListDeployments).await, 1);
    // Whoever comes with the old key is told to come again.
    watching.inventory.watch(&alone, "uid-2");
    assert!(matches!(watching.event().await, Event::Accepted { .. }));
    watching.inventory.unwatch("uid-2");
    watching.inventory.unwatch("uid-1");
}

#[tokio::test]
async fn a_group_that_is_refused_does_not_keep_credentials_from_being_accepted() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let alone = client.group_key("no-such-group");
    let mut watching = Watching::new(NEVER);
    watching.inventory.attach("team/prod", client.clone());
    watching.inventory.watch(&alone, "uid-1");
    assert!(matches!(watching.event().await, Event::Accepted { .. }));
    match watching.event().await {
        Event::Failed { key, error } => {
            assert_eq!(key, client.group_key("no-such-group"));
            assert!(!key.realm.is_unproven(), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn credentials_that_are_accepted_elsewhere_are_tried_at_once() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    let alone = client.group_key(GROUP);
    let mut watching = Watching::new(NEVER);
    watching.inventory.attach("team/prod", client.clone());
    remote.fault(Operation::ListDeployments, Effect::Down).await;
    watching.inventory.watch(&alone, "uid-1");
    assert!(matches!(watching.event().await, Event::Failed { .. }));
    client.list_resource_groups().await.unwrap();
    watching.inventory.accepted(&client);
    assert!(matches!(watching.event().await, Event::Accepted { .. }));
}

#[tokio::test]
async fn the_description_of_the_api_makes_no_credentials_accepted() {
    let remote = Remote::start().await;
    let client = remote.client().await;
    client.meta().await.unwrap();
    assert!(client.realm().is_unproven());
    client.list_deployments(GROUP).await.unwrap();
    assert!(!client.realm().is_unproven());
}
