//! X.509 service keys and certificate authorities of one's own, held against a server that speaks mutual TLS.

use aicore_operator::aicore::{Client, ClientOptions, Error, ServiceKeyError};
use aicore_operator::api::Reason;
use harness::mutual_tls::{Authority, Issued};
use jiff::{SignedDuration, Timestamp};
use rcgen::KeyPair;
use reqwest::Certificate;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::remote::{GROUP, service_key};
use crate::scripted::{answer, list, read_request, token};

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
        let authority = Authority::default();
        let acceptor = authority.acceptor();
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
    let issued = Authority::default().issue("client.example.com");
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

/// A certificate that ended an hour ago.
fn expired(authority: &Authority) -> Issued {
    let hours = SignedDuration::from_hours;
    authority.issue_for(hours(-2), hours(-1))
}

#[tokio::test]
async fn a_certificate_that_has_ended_is_told_as_that_and_not_as_a_failed_connection() {
    let server = Server::start(1).await;
    let issued = expired(&server.authority);
    let key = service_key(&server.key(&issued));
    let validity = key.certificate().expect("it can be read");
    let client = Client::new(key, &server.trusting()).unwrap();

    let error = client.check_token().await.unwrap_err();

    let Error::CertificateExpired { not_after, source } = &error else {
        panic!("{error:?}")
    };
    assert!(
        matches!(**source, Error::TokenUnavailable { .. }),
        "{source:?}"
    );
    assert_eq!(*not_after, validity.not_after);
    assert_eq!(error.reason(), Reason::CertificateExpired);
    assert!(error.needs_a_person() && !error.outcome_unknown());
    let text = format!("{error} {error:?}");
    assert!(text.contains(&not_after.to_string()), "{text}");
    assert!(!text.contains("PRIVATE KEY"), "{text}");
}

#[tokio::test]
async fn the_end_of_the_certificate_is_read_from_the_key() {
    let server = Server::start(0).await;
    let hours = SignedDuration::from_hours;
    let issued = server.authority.issue_for(hours(-1), hours(5));
    let key = service_key(&server.key(&issued));
    let validity = key.certificate().expect("it can be read");
    let left = validity.not_after.duration_since(Timestamp::now());
    assert_eq!((left.as_secs() + 30) / 3600, 5);
    let life = validity.not_after.duration_since(validity.not_before);
    assert_eq!(life, hours(6));

    let mut secret = server.key(&issued);
    let fields = secret.as_object_mut().unwrap();
    fields.remove("certificate");
    fields.remove("credential-type");
    fields.remove("certurl");
    secret["clientsecret"] = json!("a-secret");
    secret["url"] = json!(server.url);
    assert_eq!(service_key(&secret).certificate(), None);
}
