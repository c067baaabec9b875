//! A forward proxy, as companies have it between their clusters and the internet.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The user that it lets through, with the password.
pub const CREDENTIALS: &str = "proxy-user:the-secret-of-the-proxy";

/// The same as its clients send them (RFC 7617).
const AUTHORIZATION: &str = "Basic cHJveHktdXNlcjp0aGUtc2VjcmV0LW9mLXRoZS1wcm94eQ==";

/// The longest head of a request that is read, in bytes.
const MAXIMUM_HEAD: usize = 64 * 1024;

/// Leads every request to one server, whatever host it asks for, so that a host that nobody knows is reached through it or not at all. Plain http is
/// forwarded request by request, everything else is tunnelled (CONNECT). Without [`CREDENTIALS`] nothing is. It ends when it is dropped.
#[derive(Debug)]
pub struct ForwardProxy {
    address: SocketAddr,
    asked: watch::Sender<Vec<String>>,
    accepting: JoinHandle<()>,
}

impl ForwardProxy {
    /// Opens one before the server at this address.
    ///
    /// # Panics
    ///
    /// When no port of the loopback interface can be listened on.
    pub async fn before(server: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port of the loopback interface can be listened on");
        let address = listener.local_addr().expect("it listens");
        let asked = watch::Sender::new(Vec::new());
        let accepting = accept(listener, server.to_owned(), asked.clone());
        Self {
            address,
            asked,
            accepting: tokio::spawn(accepting),
        }
    }

    /// Its URL with these credentials, as an environment variable names it.
    #[must_use]
    pub fn url_with(&self, credentials: &str) -> String {
        format!("http://{credentials}@{}", self.address)
    }

    /// The first line of each request that it let through so far.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }
}

impl Drop for ForwardProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: String, asked: watch::Sender<Vec<String>>) {
    let server = Arc::new(server);
    while let Ok((client, _)) = listener.accept().await {
        let (server, asked) = (Arc::clone(&server), asked.clone());
        tokio::spawn(async move {
            // The client learns from the end of its connection that something went wrong.
            let _ = carry(client, &server, &asked).await;
        });
    }
}

/// Carries one request, and every byte after it.
async fn carry(
    mut client: TcpStream,
    server: &str,
    asked: &watch::Sender<Vec<String>>,
) -> std::io::Result<()> {
    let head = read_head(&mut client).await?;
    let (first, fields) = head.split_once("\r\n").unwrap_or_default();
    let is_known = fields.lines().any(|field| {
        let (name, value) = field.split_once(':').unwrap_or_default();
        name.eq_ignore_ascii_case("proxy-authorization") && value.trim() == AUTHORIZATION
    });
    if !is_known {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(refusal.as_bytes()).await;
    }
    asked.send_modify(|asked| asked.push(first.to_owned()));
    let mut remote = TcpStream::connect(server).await?;
    if first.starts_with("CONNECT ") {
        client
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await?;
    } else {
        // The next request comes on a connection of its own, so that each is seen.
        let forwarded = format!(
            "{}\r\nConnection: close\r\n{}",
            in_origin_form(first),
            others(fields)
        );
        remote.write_all(forwarded.as_bytes()).await?;
    }
    copy_bidirectional(&mut client, &mut remote).await?;
    Ok(())
}

/// The head of a request, with the empty line after it. It is read byte by byte, for what follows is not the proxy's.
async fn read_head(client: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAXIMUM_HEAD {
        head.push(client.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// `GET http://host/path HTTP/1.1` as the host itself is asked (RFC 9112, section 3.2.1).
fn in_origin_form(first: &str) -> String {
    let absolute = first.split(' ').nth(1).unwrap_or_default();
    let path = absolute
        .strip_prefix("http://")
        .and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    first.replacen(absolute, path.unwrap_or("/"), 1)
}

/// The fields that are for the host.
fn others(fields: &str) -> String {
    let for_host = |field: &&str| {
        let name = field.split(':').next().unwrap_or_default();
        let hop_by_hop = ["connection", "proxy-authorization", "proxy-connection"];
        !hop_by_hop
            .iter()
            .any(|other| name.eq_ignore_ascii_case(other))
    };
    fields.split_inclusive("\r\n").filter(for_host).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_forwarded_without_what_was_for_the_proxy() {
        assert_eq!(
            in_origin_form("GET http://host:80/v2/lm?a=b HTTP/1.1"),
            "GET /v2/lm?a=b HTTP/1.1"
        );
        let fields = "Host: host\r\nProxy-Authorization: Basic x\r\nAccept: */*\r\n\r\n";
        assert_eq!(others(fields), "Host: host\r\nAccept: */*\r\n\r\n");
    }
}
