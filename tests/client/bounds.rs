//! What a server can make the client do is bounded: where its secrets go, and how much it reads.

use std::time::{Duration, Instant};

use aicore_operator::aicore::{Client, ClientOptions, Error};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::remote::{self, GROUP};
use crate::scripted::{Scripted, answer, read_request, token};

/// A server that nobody should ask anything. It keeps what it was asked.
struct Elsewhere {
    url: String,
    asked: JoinHandle<String>,
}

impl Elsewhere {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await
        });
        Self { url, asked }
    }

    fn redirect(&self, status: &str) -> String {
        let location = format!("location: {}/v2/lm/deployments\r\n", self.url);
        answer(status, &location, "")
    }

    async fn assert_unasked(self, status: &str) {
        // What is followed is followed before the client gives its result.
        assert!(
            !self.asked.is_finished(),
            "{status}: {}",
            self.asked.await.unwrap()
        );
        self.asked.abort();
    }
}

const REDIRECTS: [&str; 5] = [
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
];

#[tokio::test]
async fn no_redirect_leads_a_token_to_another_host() {
    for status in REDIRECTS {
        let elsewhere = Elsewhere::start().await;
        let answers = (0..4).map(|_| elsewhere.redirect(status)).collect();
        let server = Scripted::start(answers).await;
        let client = server.client();
        let errors = [
            client.list_deployments(GROUP).await.map(drop).unwrap_err(),
            client
                .create_deployment(GROUP, "configuration-1", None)
                .await
                .map(drop)
                .unwrap_err(),
            client
                .stop_deployment(GROUP, "deployment-1")
                .await
                .unwrap_err(),
            client
                .delete_deployment(GROUP, "deployment-1")
                .await
                .unwrap_err(),
        ];
        for error in errors {
            assert!(
                matches!(&error, Error::Insecure { .. }),
                "{status}: {error}"
            );
        }
        // All four were asked of the server that the key names.
        assert_eq!(server.requests().await.len(), 5);
        elsewhere.assert_unasked(status).await;
    }
}

#[tokio::test]
async fn no_redirect_leads_the_secret_to_another_host() {
    for status in REDIRECTS {
        let elsewhere = Elsewhere::start().await;
        let server = Scripted::without_token(vec![elsewhere.redirect(status)]).await;
        let error = server.client().check_token().await.unwrap_err();
        assert!(
            matches!(&error, Error::TokenUnavailable { .. }),
            "{status}: {error}"
        );
        elsewhere.assert_unasked(status).await;
    }
}

/// A body of this length that announces none.
fn endless(status: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n\r\n{}",
        " ".repeat(length)
    )
}

#[tokio::test]
async fn a_list_that_is_too_large_is_not_read() {
    let size = 65 * 1024 * 1024;
    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n{{");
    for answer in [announced, endless("200 OK", size)] {
        let server = Scripted::start(vec![answer]).await;
        let read = server.client().list_deployments(GROUP).await;
        let error = read.map(drop).unwrap_err();
        assert!(
            matches!(&error, Error::Malformed { message, .. } if message.contains("64 MiB")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn one_object_is_no_reason_to_read_on_for_ever() {
    let server = Scripted::start(vec![endless("200 OK", 13 * 1024 * 1024)]).await;
    let read = server.client().get_deployment(GROUP, "deployment-1").await;
    let error = read.unwrap_err();
    assert!(
        matches!(&error, Error::Malformed { message, .. } if message.contains("12 MiB")),
        "{error}"
    );
}

#[tokio::test]
async fn a_token_is_no_reason_to_read_on_for_ever() {
    let long = endless("200 OK", 1024 * 1024);
    let server = Scripted::without_token(vec![long]).await;
    let error = server.client().check_token().await.unwrap_err();
    assert!(
        matches!(&error, Error::TokenUnavailable { message, .. } if message.contains("too large")),
        "{error}"
    );
}

#[tokio::test]
async fn of_an_endless_error_the_status_counts() {
    let long = endless("412 Precondition Failed", 1024 * 1024);
    let server = Scripted::start(vec![long]).await;
    let stopped = server.client().stop_deployment(GROUP, "deployment-1").await;
    let error = stopped.unwrap_err();
    assert!(
        matches!(&error, Error::Rejected(rejection) if rejection.status == 412),
        "{error}"
    );
}

#[tokio::test]
async fn headers_without_end_are_no_answer() {
    let header = format!("x-{}: 1\r\n", "a".repeat(1000));
    let long = answer("200 OK", &header.repeat(2000), r#"{"resources":[]}"#);
    let server = Scripted::start(vec![long]).await;
    let read = server.client().list_deployments(GROUP).await;
    let error = read.map(drop).unwrap_err();
    assert!(matches!(&error, Error::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn what_comes_compressed_unasked_is_not_unpacked() {
    // The beginning of a gzip stream, as far as text can carry it.
    let packed = answer("200 OK", "content-encoding: gzip\r\n", "\u{1f}packed");
    let server = Scripted::start(vec![packed]).await;
    let read = server.client().list_deployments(GROUP).await;
    let error = read.map(drop).unwrap_err();
    assert!(matches!(&error, Error::Malformed { .. }), "{error}");
    let requests = server.requests().await;
    let asked = requests[1].to_ascii_lowercase();
    assert!(asked.contains("accept-encoding: identity"), "{asked}");
}

#[tokio::test]
async fn an_answer_that_drips_ends_with_the_time_of_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut answers = [token(), "HTTP/1.1 200 OK\r\n\r\n".to_owned()].into_iter();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await;
            let answer = answers.next().expect("one list is asked for");
            drip(&mut stream, &answer).await;
        }
    });
    let begun = Instant::now();
    let read = impatient(&url).list_deployments(GROUP).await;
    let error = read.map(drop).unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { message, .. } if message.contains("time")),
        "{error}"
    );
    assert!(begun.elapsed() >= Duration::from_millis(500));
    server.abort();
}

/// Sends the answer; where it announces no length, a blank follows every 50 ms.
async fn drip(stream: &mut tokio::net::TcpStream, answer: &str) {
    use tokio::io::AsyncWriteExt as _;
    stream.write_all(answer.as_bytes()).await.unwrap();
    while !answer.contains("content-length") && stream.write_all(b" ").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn impatient(url: &str) -> Client {
    let urls = serde_json::json!({"AI_API_URL": url});
    let key = serde_json::json!({"clientid": "c", "clientsecret": "secret-1", "url": url, "serviceurls": urls});
    let options = ClientOptions {
        request_timeout: Duration::from_millis(500),
        ..remote::options()
    };
    remote::client_with(&key, options)
}
