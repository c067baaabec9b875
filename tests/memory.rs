//! Reading the list of 10,000 deployments takes little more memory than the deployments themselves, and no answer takes more than a pod has.
//!
//! The list is the emulator's own. It is fetched once and then served by a thread that allocates nothing, so that what the allocator counts
//! is the client's alone.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;

use aicore_emulator::{Emulator, Options};
use aicore_operator::aicore::{
    Client, ClientOptions, Event, Inventory, InventoryOptions, Observed, ServiceKey,
};
use k8s_openapi::ByteString;
use peak_alloc::PeakAlloc;
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// There is one allocator: the tests take turns.
static TURN: Mutex<()> = Mutex::new(());

const GROUP: &str = "team-a";
const DEPLOYMENTS: usize = 10_000;

#[test]
fn a_list_of_ten_thousand_deployments_is_read_in_less_than_twice_its_size() {
    let _turn = TURN.lock().unwrap();
    let body = emulated_list();
    let size = body.len();
    let url = serve(body);
    runtime().block_on(async {
        let (changes, mut events) = unbounded_channel();
        let options = InventoryOptions::default();
        let inventory = Inventory::new(options, changes);
        let client = client(&url);
        // It is accepted before memory is measured.
        client.list_deployments("another").await.unwrap();
        let key = client.group_key(GROUP);
        inventory.attach("team/prod", client);

        let before = ALLOCATOR.current_usage();
        let mut figures = Vec::new();
        inventory.watch(&key, "uid-1");
        for _ in 0..2 {
            ALLOCATOR.reset_peak_usage();
            match events.recv().await.unwrap() {
                Event::Changed(change) => assert_eq!(change.snapshot.iter().len(), DEPLOYMENTS),
                other => panic!("{other:?}"),
            }
            let peak = ALLOCATOR.peak_usage() - before;
            figures.push((peak, ALLOCATOR.current_usage() - before));
            let asked = inventory.observe(&key, Some(Instant::now()));
            assert!(matches!(asked, Observed::Waiting));
        }
        for (round, (peak, kept)) in figures.iter().enumerate() {
            println!(
                "list {}: body {size} bytes, at most {peak} bytes held, {kept} bytes kept",
                round + 1
            );
        }
        let (first_peak, kept) = figures[0];
        let (second_peak, _) = figures[1];
        assert!(
            first_peak < 2 * size,
            "{first_peak} bytes for a list of {size}"
        );
        // The one before is kept until the next one is whole.
        assert!(
            second_peak < 2 * size + kept,
            "{second_peak} bytes for a list of {size} beside one of {kept}"
        );
    });
}

/// The chart gives a pod 256 MiB, and the operator needs some of it for everything else.
#[test]
fn no_list_takes_more_memory_than_a_pod_has() {
    let _turn = TURN.lock().unwrap();
    let (whole, part) = (64 * 1024 * 1024 - 1024, 16 * 1024 * 1024);
    let answers = [
        repeated(whole, r#"{"resources":["#, r#"{"id":"d"},"#, "0]}"),
        repeated(whole, r#"{"resources":["#, "{},", "0]}"),
        repeated(whole, r#"{"resources":[{"id":""#, "d", r#""}]}"#),
        repeated(part, r#"{"resources":[],"count":["#, "[],", "0]}"),
        repeated(
            part,
            r#"{"resources":[{"id":"d1","details":["#,
            "[],",
            "0]}]}",
        ),
    ];
    for answer in answers {
        let told = answer[..40].to_owned();
        let url = serve(answer.into_bytes());
        runtime().block_on(async {
            let client = client(&url);
            client.check_token().await.unwrap();
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            let read = client.list_deployments(GROUP).await;
            let peak = ALLOCATOR.peak_usage() - before;
            let entries = read.map(|list| list.deployments.len());
            println!("{told}...: at most {peak} bytes held, {entries:?}");
            assert!(peak < 200 * 1024 * 1024, "{peak} bytes for {told}...");
        });
    }
}

/// A text of about this many bytes.
fn repeated(length: usize, beginning: &str, part: &str, end: &str) -> String {
    [beginning, &part.repeat(length / part.len()), end].concat()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// The answer of the emulator to a list call: the body.
fn emulated_list() -> Vec<u8> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let emulator = Emulator::start(Options::default()).await.unwrap();
        let (url, http) = (emulator.url(), reqwest::Client::new());
        let seed = json!({"resourceGroup": GROUP, "count": DEPLOYMENTS, "status": "RUNNING"});
        let seeded = http
            .post(format!("{url}/_emulator/deployments/seed"))
            .json(&seed)
            .send();
        seeded.await.unwrap().error_for_status().unwrap();
        let key = http.get(format!("{url}/_emulator/service-key")).send();
        let key: Value = key.await.unwrap().json().await.unwrap();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", key["clientid"].as_str().unwrap()),
            ("client_secret", key["clientsecret"].as_str().unwrap()),
        ];
        let token = http.post(format!("{url}/oauth/token")).form(&form).send();
        let token: Value = token.await.unwrap().json().await.unwrap();
        let list = http
            .get(format!("{url}/v2/lm/deployments"))
            .bearer_auth(token["access_token"].as_str().unwrap())
            .header("AI-Resource-Group", GROUP)
            .send();
        let list = list.await.unwrap().error_for_status().unwrap();
        let body = list.bytes().await.unwrap().to_vec();
        emulator.stop().await;
        body
    })
}

/// Serves tokens and this list, one request a connection. The thread lives as long as the process.
fn serve(list: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let head = |length: usize| {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")
    };
    let whole = |body: &[u8]| [head(body.len()).as_bytes(), body].concat();
    let answers = Answers {
        token: whole(br#"{"access_token":"the-access-token","expires_in":3600}"#),
        list: whole(&list),
        nothing_more: whole(br#"{"count":0,"resources":[]}"#),
    };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answers.give(stream.unwrap());
        }
    });
    url
}

/// Whole HTTP answers.
struct Answers {
    token: Vec<u8>,
    list: Vec<u8>,
    /// A list of round length is asked whether it goes on.
    nothing_more: Vec<u8>,
}

impl Answers {
    fn give(&self, mut stream: TcpStream) {
        let mut request = [0; 4096];
        let mut length = 0;
        while !is_whole(&request[..length]) {
            let read = stream.read(&mut request[length..]).unwrap();
            assert_ne!(read, 0, "the request was cut");
            length += read;
        }
        let request = std::str::from_utf8(&request[..length]).unwrap();
        let answer = if request.starts_with("POST /oauth/token") {
            &self.token
        } else if request.contains("skip=") {
            &self.nothing_more
        } else {
            &self.list
        };
        // A client that has ended goes before the end.
        let _ = stream.write_all(answer);
    }
}

/// Whether the head is there, and a body of the announced length.
fn is_whole(request: &[u8]) -> bool {
    let text = std::str::from_utf8(request).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn client(url: &str) -> Client {
    let urls = json!({"AI_API_URL": url});
    let key = json!({"clientid": "c", "clientsecret": "secret-1", "url": url, "serviceurls": urls});
    let data = BTreeMap::from([("key".to_owned(), ByteString(key.to_string().into_bytes()))]);
    let key = ServiceKey::from_secret(&data, None).unwrap();
    let options = ClientOptions {
        allow_http: true,
        ..ClientOptions::default()
    };
    Client::new(key, &options).unwrap()
}
