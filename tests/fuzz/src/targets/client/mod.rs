//! The whole client, over real HTTP, against a server that says what the input says: the name of a call, then the answers, in their order.
//!
//! What is asserted is what only the whole can show: that nothing is sent to anybody else, that no text shows a credential, that nobody waits for
//! ever, and that no answer which was cut short counts as one.

mod calls;
mod script;

use std::collections::BTreeSet;
use std::time::Duration;

use aicore_operator::aicore::{Client, ClientOptions, Rate, ServiceKey};
use k8s_openapi::ByteString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use self::calls::Outcome;
use self::script::{Script, Served};
use super::{MARKER, shown};
use crate::input::{first_part, text};

/// The secret of the service key.
const SECRET: &str = "swordfish-of-the-client";
/// The longest pause that the server can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
}

pub fn run(input: &[u8]) {
    RUNTIME.with(|runtime| runtime.block_on(check(input)));
}

async fn check(input: &[u8]) {
    let (name, answers) = first_part(input);
    let (server, elsewhere) = (listen().await, listen().await);
    let address = server.local_addr().expect("an address");
    let script = Script::read(answers, elsewhere.local_addr().expect("an address"));
    let answers = script.remaining();
    let serving = tokio::spawn(script.clone().serve(server));
    let client = client(&format!("http://{address}"));
    let outcome = calls::make(&client, text(name).trim()).await;
    serving.abort();
    let served = script.served();
    nobody_else_was_asked(&elsewhere).await;
    // One for each answer, one that finds none, and a second try of each in the other way to ask for a token.
    assert!(served.len() <= 2 * answers + 4, "{} requests", served.len());
    no_credential_is_shown(&outcome, &served, &client);
    for error in &outcome.errors {
        let wait = error.retry_after();
        assert!(wait.is_none_or(|wait| wait <= LONGEST_WAIT), "{wait:?}");
    }
    if outcome.errors.is_empty() && outcome.needs_bodies {
        let cut = served.iter().any(|served| served.is_cut);
        assert!(!cut, "an answer that was cut short is taken for whole");
    }
    if let Some(ids) = &outcome.whole_list {
        it_holds_what_the_server_counts(ids, &served);
    }
}

async fn listen() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    listener.expect("a port is free")
}

fn client(url: &str) -> Client {
    let key = json!({
        "clientid": "sb-fuzz", "clientsecret": SECRET, "url": url, "identityzoneid": "zone",
        "serviceurls": {"AI_API_URL": url},
    });
    let key = ByteString(key.to_string().into_bytes());
    let key = ServiceKey::from_secret(&[("key".to_owned(), key)].into(), None);
    let at_once = const { std::num::NonZeroU32::new(1_000_000).unwrap() };
    let options = ClientOptions {
        allow_http: true,
        request_timeout: Duration::from_secs(5),
        rate: Rate {
            per_second: at_once,
            burst: at_once,
        },
        ..ClientOptions::default()
    };
    Client::new(key.expect("it is a key"), &options).expect("it is a client")
}

/// Addresses in answers are never followed: a token must not reach another host.
async fn nobody_else_was_asked(elsewhere: &TcpListener) {
    let asked = tokio::time::timeout(Duration::ZERO, elsewhere.accept()).await;
    assert!(asked.is_err(), "another host was asked");
}

fn no_credential_is_shown(outcome: &Outcome, served: &[Served], client: &Client) {
    let tokens = served.iter().filter_map(|served| served.token.as_deref());
    // A token that says nothing, like `a`, stands in every text.
    let tokens = tokens.filter(|token| token.contains(MARKER));
    let credentials: BTreeSet<&str> = tokens.chain([SECRET]).collect();
    let mut texts: Vec<String> = outcome.errors.iter().map(|error| shown(error)).collect();
    texts.push(format!("{client:?}"));
    // A reader that panics in a task of its own ends as an error.
    let panicked = texts.iter().find(|text| text.contains("panicked"));
    assert_eq!(panicked, None);
    for credential in credentials {
        for text in &texts {
            assert!(!text.contains(credential), "{credential} is shown: {text}");
        }
    }
}

fn it_holds_what_the_server_counts(ids: &[String], served: &[Served]) {
    let different: BTreeSet<&String> = ids.iter().collect();
    // A list that was asked for in two ways, or counted by itself, has more than one count.
    if served
        .iter()
        .any(|served| served.status == Some(400) || served.is_count)
    {
        return;
    }
    for page in served.iter().filter(|served| !served.is_token) {
        let page: Value = serde_json::from_slice(&page.body).unwrap_or_default();
        let count = page["count"].as_u64().unwrap_or_default();
        assert!(
            count <= different.len() as u64,
            "the server counts {count}, but the list has {}",
            different.len()
        );
    }
}
