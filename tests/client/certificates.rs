//! X.509 service keys and certificate authorities of one's own, held against a server that speaks mutual TLS.

use std::sync::Arc;

use aicore_operator::aicore::{Client, ClientOptions, Error, ServiceKeyError};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reqwest::Certificate;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::remote::{GROUP, service_key};
use crate::scripted::{answer, list, read_request, token};

/// An authority that nobody knows, and what it has issued.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its private key, in PEM.
struct Issued {
    certificate: String,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(parameters, key),
        }
    }

    fn issue(&self, name: &str) -> Issued {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap().pem();
        Issued { certificate, key }
    }
}

/// A request as the server saw it.
#[derive(Debug)]
struct Seen {
    head: String,
    shows_certificate: bool,
}

/// A token endpoint and an API on one address. It has tokens for whoever shows a certificate of the authority.
struct Server {
    url: String,
    authority: Authority,
    seen: JoinHandle<Vec<Seen>>,
}

impl Server {
    /// Starts a server that answers so many requests.
    async fn start(requests: usize) -> Self {
        let authority = Authority::new();
        let acceptor = acceptor(&authority);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let seen = tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < requests {
                let (stream, _) = listener.accept().await.unwrap();
                // Whoever does not trust this server ends here.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let shows_certificate = stream.get_ref().1.peer_certificates().is_some();
                let head = read_request(&mut stream).await;
                let said = match (head.starts_with("POST /oauth/token "), shows_certificate) {
                    (true, true) => token(),
                    (true, false) => answer("401 Unauthorized", "", "{}"),
                    (false, _) => list(json!(0), []),
                };
                stream.write_all(said.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
                seen.push(Seen {
                    head,
                    shows_certificate,
                });
            }
            seen
        });
        Self {
            url,
            authority,
            seen,
        }
    }

    /// An X.509 service key with this certificate.
    fn key(&self, issued: &Issued) -> Value {
        json!({
            "clientid": "sb-1",
            "certificate": issued.certificate,
            "key": issued.key.serialize_pem(),
            "certurl": self.url,
            "credential-type": "x509",
            "serviceurls": {"AI_API_URL": self.url},
        })
    }

    /// Options that trust the authority.
    fn trusting(&self) -> ClientOptions {
        ClientOptions {
            authorities: vec![Certificate::from_pem(self.authority.pem.as_bytes()).unwrap()],
            ..ClientOptions::default()
        }
    }
}

fn acceptor(authority: &Authority) -> TlsAcceptor {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let issued = authority.issue("127.0.0.1");
    let certificate = pem_der(&issued.certificate);
    let mut roots = RootCertStore::empty();
    roots.add(pem_der(&authority.pem)).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()
        .unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![certificate],
            issued.key.serialize_der().try_into().unwrap(),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn pem_der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

#[tokio::test]
async fn an_x509_key_shows_its_certificate_to_the_token_endpoint_and_to_nobody_else() {
    let server = Server::start(2).await;
    let issued = server.authority.issue("client.example.com");
    let key = service_key(&server.key(&issued));
    let client = Client::new(key, &server.trusting()).unwrap();

    let listed = client.list_deployments(GROUP).await.unwrap();

    assert!(listed.deployments.is_empty());
    let seen = server.seen.await.unwrap();
    let [token, call] = &seen[..] else {
        panic!("two requests, not {seen:?}")
    };
    assert!(token.shows_certificate, "{token:?}");
    assert!(
        !token.head.to_lowercase().contains("authorization"),
        "{token:?}"
    );
    assert!(!call.shows_certificate, "{call:?}");
    assert!(call.head.starts_with("GET /v2/lm/deployments"), "{call:?}");
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_refused_in_words() {
    let server = Server::start(1).await;
    let issued = Authority::new().issue("client.example.com");
    let key = service_key(&server.key(&issued));
    let client = Client::new(key, &server.trusting()).unwrap();
    let error = client.check_token().await.unwrap_err();
    assert!(matches!(error, Error::TokenUnavailable { .. }), "{error:?}");
    let text = format!("{error} {error:?}");
    assert!(!text.contains("PRIVATE KEY"), "{text}");
}

#[tokio::test]
async fn a_private_key_that_does_not_belong_to_the_certificate_is_told_before_anything_is_sent() {
    let server = Server::start(1).await;
    let mut issued = server.authority.issue("client.example.com");
    issued.key = KeyPair::generate().unwrap();
    let key = service_key(&server.key(&issued));
    let error = Client::new(key, &server.trusting()).unwrap_err();
    assert!(
        matches!(error, ServiceKeyError::InvalidCertificate),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_gives_no_token() {
    let server = Server::start(1).await;
    let issued = server.authority.issue("client.example.com");
    let key = service_key(&server.key(&issued));
    let client = Client::new(key, &ClientOptions::default()).unwrap();
    let error = client.check_token().await.unwrap_err();
    assert!(matches!(error, Error::TokenUnavailable { .. }), "{error:?}");
}
