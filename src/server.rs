//! What the operator answers over HTTP: whether it lives, whether it is ready, and its metrics.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::metrics::{self, Metrics};

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("--listen {address}: nothing can be served there; choose another address or port")]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

/// A server whose port is open.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    metrics: Arc<Metrics>,
}

impl Server {
    /// Opens the port; port 0 takes a free one. The log says which.
    pub async fn bind(address: SocketAddr, metrics: Arc<Metrics>) -> Result<Self, ListenError> {
        let failed = |source| ListenError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        info!(%address, "serving probes and metrics");
        Ok(Self { listener, metrics })
    }

    /// Answers until `shutdown` is cancelled and the requests under way are answered:
    ///
    /// - `/livez`: 200, always;
    /// - `/readyz`: 200 when every object has been listed once, 503 before;
    /// - `/metrics`: the metrics.
    pub async fn serve(self, shutdown: CancellationToken) {
        let routes = Router::new()
            .route("/livez", get("ok"))
            .route("/readyz", get(readiness))
            .route("/metrics", get(metrics))
            .with_state(self.metrics);
        let served = axum::serve(self.listener, routes)
            .with_graceful_shutdown(shutdown.cancelled_owned())
            .await;
        if let Err(error) = served {
            error!(%error, "probes and metrics are not served any more");
        }
    }
}

async fn readiness(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    if metrics.listed().is_complete() {
        (StatusCode::OK, "ok")
    } else {
        let what = "the API server has not listed all objects yet";
        (StatusCode::SERVICE_UNAVAILABLE, what)
    }
}

async fn metrics(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.encode())
}

#[cfg(test)]
mod tests {
    use kube::runtime::reflector;

    use super::*;

    struct Serving {
        url: String,
        metrics: Arc<Metrics>,
        shutdown: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    impl Serving {
        async fn start() -> Self {
            let metrics = Arc::new(Metrics::new());
            let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
            let server = Server::bind(any_port, metrics.clone())
                .await
                .expect("a port of the loopback interface is free");
            let address = server.listener.local_addr().expect("it is bound");
            let shutdown = CancellationToken::new();
            let task = tokio::spawn(server.serve(shutdown.clone()));
            Self {
                url: format!("http://{address}"),
                metrics,
                shutdown,
                task,
            }
        }

        async fn get(&self, path: &str) -> reqwest::Response {
            let client = reqwest::Client::builder().no_proxy().build();
            let client = client.expect("a client without options can be made");
            let answer = client.get(format!("{}{path}", self.url)).send().await;
            answer.expect("the server answers")
        }
    }

    #[tokio::test]
    async fn it_lives_from_the_start_and_is_ready_when_both_kinds_are_listed() {
        let serving = Serving::start().await;
        assert_eq!(serving.get("/livez").await.status(), 200);
        assert_eq!(serving.get("/readyz").await.status(), 503);

        let listed = serving.metrics.listed();
        let first = listed.connections.set(reflector::store().0);
        first.expect("nothing was listed before");
        assert_eq!(serving.get("/readyz").await.status(), 503);
        let first = listed.deployments.set(reflector::store().0);
        first.expect("nothing was listed before");
        assert_eq!(serving.get("/readyz").await.status(), 200);
    }

    #[tokio::test]
    async fn metrics_say_what_they_are() {
        let serving = Serving::start().await;
        serving.metrics.forced_release();
        let answer = serving.get("/metrics").await;
        assert_eq!(answer.headers()[CONTENT_TYPE], metrics::CONTENT_TYPE);
        let text = answer.text().await.expect("the answer is whole");
        assert!(text.contains("aicore_forced_releases_total 1"), "{text}");
    }

    #[tokio::test]
    async fn it_ends_when_it_is_asked_to_although_a_client_keeps_its_connection() {
        let serving = Serving::start().await;
        let client = reqwest::Client::builder().no_proxy().build();
        let client = client.expect("a client without options can be made");
        let answer = client.get(format!("{}/livez", serving.url)).send().await;
        drop(answer.expect("the server answers").text().await);

        serving.shutdown.cancel();

        serving.task.await.expect("the server ends in order");
    }

    #[tokio::test]
    async fn an_address_that_is_taken_is_named() {
        let serving = Serving::start().await;
        let taken = serving.url.trim_start_matches("http://");
        let taken = taken.parse().expect("it is an address");
        let refused = Server::bind(taken, Arc::new(Metrics::new())).await;
        let message = refused.expect_err("the port is taken").to_string();
        assert!(message.contains(&taken.to_string()), "{message}");
    }
}
