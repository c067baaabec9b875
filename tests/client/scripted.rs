//! A server that says exactly what a test tells it, for answers that the emulator never gives.

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use aicore_operator::aicore::Client;

use crate::remote;

/// A server that gives one answer after the other, each on a connection of its own, to whatever is asked.
pub(crate) struct Scripted {
    url: String,
    requests: JoinHandle<Vec<String>>,
}

impl Scripted {
    /// `answers` are whole HTTP answers: head, empty line, body. The token request comes before the first one, by itself.
    pub(crate) async fn start(answers: Vec<String>) -> Self {
        Self::without_token(std::iter::once(token()).chain(answers).collect()).await
    }

    /// The answers begin with that to the token request.
    pub(crate) async fn without_token(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = tokio::spawn(async move {
            let mut requests = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                requests.push(read_request(&mut stream).await);
                // A client that has read enough goes before the end.
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
            requests
        });
        Self { url, requests }
    }

    pub(crate) fn client(&self) -> Client {
        remote::client(&self.key())
    }

    /// A client that doubts every token that is refused, however young.
    pub(crate) fn doubting_client(&self) -> Client {
        remote::doubting_client(&self.key())
    }

    fn key(&self) -> Value {
        let urls = json!({"AI_API_URL": self.url});
        json!({"clientid": "c", "clientsecret": "secret-1", "url": self.url, "serviceurls": urls})
    }

    /// The first lines and headers of the requests, once every answer was given.
    pub(crate) async fn requests(self) -> Vec<String> {
        self.requests.await.unwrap()
    }
}

/// The answer of a token endpoint.
pub(crate) fn token() -> String {
    let body = r#"{"access_token":"the-access-token","expires_in":3600}"#;
    answer("200 OK", "", body)
}

/// An answer with a status (`200 OK`), further header lines and a body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A list with these entries, and the count of a server that counts them so.
pub(crate) fn list(count: Value, entries: impl IntoIterator<Item = Value>) -> String {
    let resources: Vec<_> = entries.into_iter().collect();
    let body = json!({"count": count, "resources": resources});
    answer("200 OK", "", &body.to_string())
}

/// Reads a request whole: closing a connection with unread data would reset it.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return head.to_owned();
            }
        }
        assert_ne!(
            stream.read_buf(&mut request).await.unwrap(),
            0,
            "the request was cut: {text}"
        );
    }
}
