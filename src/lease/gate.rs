//! The way to the Kubernetes API on which nothing is written without leading.

use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use tower::layer::layer_fn;
use tower::{BoxError, Service};

use super::leadership::Permit;

/// A client whose every request that writes asks for leave, and fails with a [`super::Refusal`] without it. See [`super::is_refusal`].
///
/// # Errors
///
/// When no client can be made from the configuration.
pub fn gated(config: Config, permit: &Permit) -> Result<Client, kube::Error> {
    let gate = layer_fn(|inner| Gate {
        inner,
        permit: permit.clone(),
    });
    Ok(ClientBuilder::try_from(config)?.with_layer(&gate).build())
}

/// Lets requests through that read, and others only while this process leads.
struct Gate<S> {
    inner: S,
    permit: Permit,
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let reads = reads(&request);
        // A future does nothing before it is polled.
        let answer = self.inner.call(request);
        if reads {
            return answer.boxed();
        }
        let permit = self.permit.clone();
        let limited = async move { permit.limit(answer).await? };
        limited.boxed()
    }
}

/// Whether a request changes nothing.
fn reads(request: &Request<Body>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

#[cfg(test)]
mod tests {
    use http::Response;
    use tower::service_fn;

    use super::*;
    use crate::lease::{Leadership, Refusal};

    async fn ask(leadership: &Leadership, method: Method, path: &str) -> Result<u16, BoxError> {
        let inner = service_fn(async |_: Request<Body>| Ok::<_, BoxError>(Response::new(())));
        let mut gate = Gate {
            inner,
            permit: leadership.permit(),
        };
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).expect("it is a request");
        Ok(gate.call(request).await?.status().as_u16())
    }

    #[tokio::test]
    async fn whoever_does_not_lead_reads_and_writes_nothing() {
        let leadership = Leadership::default();
        let pods = "/api/v1/namespaces/default/pods";
        assert_eq!(ask(&leadership, Method::GET, pods).await.ok(), Some(200));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let refused = ask(&leadership, method.clone(), pods).await;
            let refused = refused.expect_err("nothing may be written");
            assert_eq!(refused.downcast_ref(), Some(&Refusal::NotHeld), "{method}");
        }
    }

    #[tokio::test]
    async fn whoever_leads_writes() {
        let leadership = Leadership::default();
        leadership.renew(leadership.now(), std::time::Duration::from_secs(60));
        let path = "/api/v1/namespaces/default/pods";
        assert_eq!(ask(&leadership, Method::POST, path).await.ok(), Some(200));
    }
}
