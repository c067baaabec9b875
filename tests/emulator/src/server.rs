//! The running server.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt;

use crate::clock::Clock;
use crate::dispatch::Dropped;
use crate::endpoint;
use crate::settings::Settings;
use crate::tenant::{Tenant, TenantSeed};
use crate::world::{Shared, World};
use crate::{api, control};

/// What an emulator starts with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Timings and switches.
    pub settings: Settings,
    /// The tenants. They share the URL and nothing else.
    pub tenants: Vec<TenantSeed>,
    /// Resource groups that every tenant has from the start, besides `default`.
    pub resource_groups: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            settings: Settings::default(),
            tenants: vec![TenantSeed::default()],
            resource_groups: vec!["team-a".to_owned(), "team-b".to_owned()],
        }
    }
}

/// A running emulator. Dropping it closes the port and all connections.
#[derive(Debug)]
pub struct Emulator {
    url: String,
    server: JoinHandle<()>,
}

impl Emulator {
    /// Starts an emulator on the current Tokio runtime. When this returns, the port is open.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on, or a setting or tenant is impossible.
    pub async fn start(options: Options) -> io::Result<Self> {
        let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidInput, message);
        let settings = options
            .settings
            .merged(&serde_json::json!({}))
            .map_err(invalid)?;
        let listener = TcpListener::bind(options.listen).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let clock = Clock::start();
        let now = clock.now();
        let mut world = World::new(url.clone(), settings, clock);
        for seed in options.tenants {
            let zone = seed.identity_zone_id.clone();
            world.first_tenant.get_or_insert_with(|| zone.clone());
            let tenant = Tenant::new(seed, &options.resource_groups, now);
            if world.tenants.insert(zone.clone(), tenant).is_some() {
                return Err(invalid(format!("the tenant {zone} is given twice")));
            }
        }
        let shared = Shared::new(world);
        let router = Router::new()
            .nest("/_emulator", control::routes())
            .merge(api::routes());
        let router = endpoint::with_fallbacks(router).with_state(shared);
        Ok(Self {
            url,
            server: tokio::spawn(accept(listener, router)),
        })
    }

    /// `http://ADDRESS:PORT`, without a path.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Ends the emulator: when this returns, the port and all connections are closed.
    pub async fn stop(mut self) {
        self.server.abort();
        // The only error is the cancellation that was just asked for.
        let _cancelled = (&mut self.server).await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Accepts connections for ever. The set ends all of them when this task is aborted.
async fn accept(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, router.clone()));
            }
            // Out of file descriptors, or the caller is already gone: the next one may do better.
            Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
        }
        while connections.try_join_next().is_some() {}
    }
}

/// A call that is answered by closing its connection.
#[derive(Debug, thiserror::Error)]
#[error("a fault closes the connection")]
struct ConnectionDropped;

/// Serves one connection. This is done with hyper instead of `axum::serve` because only a hyper service can fail, and
/// a failing service is what closes a connection without an answer.
async fn serve(stream: TcpStream, router: Router) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let service = service_fn(|request| {
        let router = router.clone();
        async move {
            let Ok(response) = router.oneshot(request).await;
            match response.extensions().get::<Dropped>() {
                Some(Dropped) => Err(ConnectionDropped),
                None => Ok(response),
            }
        }
    });
    if let Err(error) = http1::Builder::new()
        // A setting says what time it is.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(%error, "a connection ended early");
    }
}
