//! A way to the API server that a test can cut.

use std::net::{Ipv4Addr, SocketAddr};

use http::Uri;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Carries connections to a server until it is cut. TLS goes through untouched, so the server's certificate has to name the loopback
/// address. It ends when it is dropped, and with it every connection that it carries.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    open: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Opens a way to the server at this URL.
    ///
    /// # Panics
    ///
    /// When the URL has no host or no port, or no port of the loopback interface can be listened on.
    pub async fn to(server: &str) -> Self {
        let server: Uri = server.parse().expect("the server has a URL");
        let target = server.authority().expect("the URL names a host");
        assert!(target.port().is_some(), "{server} names no port");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port of the loopback interface can be listened on");
        let address = listener.local_addr().expect("it listens");
        let (open, is_open) = watch::channel(true);
        Self {
            address,
            open,
            accepting: tokio::spawn(accept(listener, target.to_string(), is_open)),
        }
    }

    /// `https://ADDRESS:PORT`, in place of the server's URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Breaks every connection off, and ends every new one before its first byte, until [`Proxy::restore`].
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Carries new connections again.
    pub fn restore(&self) {
        self.open.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, target: String, open: watch::Receiver<bool>) {
    while let Ok((client, _)) = listener.accept().await {
        if *open.borrow() {
            tokio::spawn(carry(client, target.clone(), open.clone()));
        }
    }
}

/// Carries one connection until one of its ends closes it, or the way is cut.
async fn carry(mut client: TcpStream, target: String, mut open: watch::Receiver<bool>) {
    let Ok(mut server) = TcpStream::connect(target).await else {
        // The client learns from the end of its connection that there is no server.
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = open.wait_for(|open| !open) => {}
    }
}
