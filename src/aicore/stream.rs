//! Parsing a body while it arrives, so that a list of ten thousand deployments is never in memory as text.
//!
//! The parser is an ordinary blocking one on a thread for such work; the chunks come to it over a channel. When the caller gives up, the
//! channel closes, the parser meets the end of the body, and the thread is free again.

use std::io::{self, BufReader, Read};

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;
use tokio::task::{JoinError, spawn_blocking};

use super::http::{Body, ReadError};

/// How many chunks may wait for the parser. Few: they would only be memory.
const AHEAD: usize = 1;
/// The parser reads byte by byte, which is fast from a buffer only. In bytes.
const BUFFER: usize = 64 * 1024;

/// Has `parse` read the body. A body that was not whole is an error, whatever the parser made of its beginning.
pub(super) async fn parse<T: Send + 'static>(
    body: Body,
    parse: impl FnOnce(BufReader<Chunks>) -> T + Send + 'static,
) -> Result<Result<T, JoinError>, ReadError> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let chunks = Chunks {
        receiver,
        current: Bytes::new(),
    };
    let parsing = spawn_blocking(move || parse(BufReader::with_capacity(BUFFER, chunks)));
    let read = forward(body, sender).await;
    let parsed = parsing.await;
    read.map(|()| parsed)
}

/// Hands the chunks on, until the end or until the parser has seen enough.
async fn forward(mut body: Body, sender: mpsc::Sender<Bytes>) -> Result<(), ReadError> {
    loop {
        let chunk = tokio::select! {
            chunk = body.next() => chunk?,
            () = sender.closed() => None,
        };
        let Some(chunk) = chunk else { return Ok(()) };
        // Where the parser has gone meanwhile, the next round ends.
        let _ = sender.send(chunk).await;
    }
}

/// A body as a blocking parser reads it.
pub(super) struct Chunks {
    receiver: mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let read = self.current.len().min(buffer.len());
        self.current.copy_to_slice(&mut buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::{StreamExt, stream};
    use tokio::sync::oneshot;

    use super::*;

    /// A body of these chunks that then never ends.
    fn endless(chunks: [&'static str; 2]) -> Body {
        let chunks = stream::iter(chunks).map(Ok::<_, Infallible>);
        let body = reqwest::Body::wrap_stream(chunks.chain(stream::pending()));
        Body::new(http::Response::new(body).into(), 1000)
    }

    #[tokio::test]
    async fn the_thread_is_free_again_when_the_caller_gives_up() {
        let (begin, begun) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let reading = parse(endless(["some", "thing"]), |mut body| {
            let mut beginning = [0; 9];
            begin
                .send(body.read_exact(&mut beginning).map(|()| beginning))
                .unwrap();
            let mut rest = String::new();
            end.send(body.read_to_string(&mut rest)).unwrap();
        });
        tokio::select! {
            _ = reading => panic!("the body has no end"),
            beginning = begun => assert_eq!(&beginning.unwrap().unwrap(), b"something"),
        }
        assert_eq!(ended.await.unwrap().unwrap(), 0);
    }

    #[tokio::test]
    async fn a_body_is_not_read_on_when_the_parser_has_seen_enough() {
        let parsed = parse(endless(["<html>", ""]), drop).await;
        assert!(matches!(parsed, Ok(Ok(()))));
    }
}
