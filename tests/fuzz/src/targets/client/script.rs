//! A server that gives the answers of an input, as they stand there, and remembers what it was asked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::input::{first_line, parts, split_at, text};

/// A token, where the input has none.
const TOKEN: &[u8] =
    b"HTTP/1.1 200 OK\n\n{\"access_token\":\"swordfish-of-the-server\",\"expires_in\":3600}";
/// The first line of an answer of the token endpoint.
const OF_TOKENS: &[u8] = b"token";
/// Stands in an answer for the address of a host that must not be asked.
const ELSEWHERE: &str = "elsewhere";

/// The answers that are left, and those that were given.
#[derive(Clone)]
pub struct Script(Arc<Mutex<State>>);

struct State {
    tokens: VecDeque<Vec<u8>>,
    answers: VecDeque<Vec<u8>>,
    served: Vec<Served>,
}

/// A request, and the answer to it.
#[derive(Clone)]
pub struct Served {
    /// Whether it was for a token.
    pub is_token: bool,
    /// Whether it was for a bare number of entries.
    pub is_count: bool,
    /// The token that it brought.
    pub token: Option<String>,
    /// The status of the answer, where it has one.
    pub status: Option<u16>,
    /// The body of the answer.
    pub body: Vec<u8>,
    /// Whether it is a success that says that it has more bytes than it has.
    pub is_cut: bool,
}

impl Script {
    /// Reads the answers.
    pub fn read(input: &[u8], elsewhere: SocketAddr) -> Self {
        let mut state = State {
            tokens: VecDeque::new(),
            answers: VecDeque::new(),
            served: Vec::new(),
        };
        for answer in parts(input).into_iter().filter(|part| !part.is_empty()) {
            let answer = put_address(answer, elsewhere);
            match first_line(&answer) {
                (OF_TOKENS, answer) => state.tokens.push_back(answer.to_vec()),
                _ => state.answers.push_back(answer),
            }
        }
        Self(Arc::new(Mutex::new(state)))
    }

    /// How many answers there are.
    pub fn remaining(&self) -> usize {
        let state = self.state();
        state.tokens.len() + state.answers.len()
    }

    /// What was asked and answered.
    pub fn served(&self) -> Vec<Served> {
        self.state().served.clone()
    }

    /// Answers until it is aborted.
    pub async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(self.clone().answer(stream));
        }
    }

    async fn answer(self, mut stream: TcpStream) {
        let Some(request) = request(&mut stream).await else {
            return;
        };
        let answer = self.state().take(&request);
        // A client that has heard enough goes before the end.
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The answer to a request, as it is sent. Where none is left the connection is closed.
    fn take(&mut self, request: &str) -> Vec<u8> {
        let line = request.lines().next().unwrap_or_default();
        let is_token = line.starts_with("POST /oauth/token");
        let answer = match is_token {
            true => self.tokens.pop_front().unwrap_or_else(|| TOKEN.to_vec()),
            false => self.answers.pop_front().unwrap_or_default(),
        };
        let (head, body) = split_at(&answer, b"\n\n").unwrap_or((&answer, b""));
        let (head, status) = (text(head), status(head));
        let is_success = status.is_some_and(|status| (200..300).contains(&status) && status != 204);
        let mut token = request.lines().filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let value = name
                .eq_ignore_ascii_case("authorization")
                .then_some(value)?;
            value.strip_prefix("Bearer ").map(str::to_owned)
        });
        self.served.push(Served {
            is_token,
            is_count: line.contains("count"),
            token: token.next(),
            status,
            body: body.to_vec(),
            is_cut: is_success && announced(&head).is_some_and(|length| length > body.len()),
        });
        wire(&head, body)
    }
}

/// Reads a request whole.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    loop {
        let whole = split_at(&request, b"\r\n\r\n").is_some_and(|(head, body)| {
            let length = announced(&text(head)).unwrap_or_default();
            body.len() >= length
        });
        if whole {
            return Some(text(&request));
        }
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
}

/// The answer with the line ends of HTTP, and with its length where it says nothing of that.
fn wire(head: &str, body: &[u8]) -> Vec<u8> {
    if head.is_empty() {
        return Vec::new();
    }
    let mut wire = head.lines().collect::<Vec<_>>().join("\r\n");
    let says = head.to_ascii_lowercase();
    if !says.contains("content-length") && !says.contains("transfer-encoding") {
        wire.push_str(&format!("\r\ncontent-length: {}", body.len()));
    }
    [wire.as_bytes(), b"\r\n\r\n", body].concat()
}

fn status(head: &[u8]) -> Option<u16> {
    let line = text(first_line(head).0);
    line.split(' ').nth(1)?.parse().ok()
}

/// The length that a head announces, where it is beyond doubt.
fn announced(head: &str) -> Option<usize> {
    let head = head.to_ascii_lowercase();
    let mut lengths = head
        .lines()
        .filter_map(|line| line.strip_prefix("content-length:"));
    let length = lengths.next()?.trim();
    let is_sure = lengths.next().is_none()
        && !head.contains("transfer-encoding")
        && length.bytes().all(|byte| byte.is_ascii_digit());
    is_sure.then(|| length.parse().ok())?
}

fn put_address(answer: &[u8], elsewhere: SocketAddr) -> Vec<u8> {
    let mut put = Vec::new();
    let mut rest = answer;
    while let Some((before, after)) = split_at(rest, ELSEWHERE.as_bytes()) {
        put.extend_from_slice(before);
        put.extend_from_slice(elsewhere.to_string().as_bytes());
        rest = after;
    }
    put.extend_from_slice(rest);
    put
}
