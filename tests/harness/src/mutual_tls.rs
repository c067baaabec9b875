//! A token endpoint that asks for a certificate, as that of an X.509 service key does.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::emulated::{Emulated, TENANT};

/// An authority that nobody knows, and what it issues.
pub struct Authority {
    /// Its certificate.
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its private key, in PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: KeyPair,
}

impl Default for Authority {
    fn default() -> Self {
        let mut parameters = parameters(Vec::new());
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = parameters.self_signed(&key);
        Self {
            pem: certificate.expect("it can be signed").pem(),
            issuer: Issuer::new(parameters, key),
        }
    }
}

impl Authority {
    /// A certificate for a name, valid for longer than any test takes.
    #[must_use]
    pub fn issue(&self, name: &str) -> Issued {
        self.sign(parameters(vec![name.to_owned()]))
    }

    /// A certificate for a client that is valid from one moment until another, both counted from now.
    #[must_use]
    pub fn issue_for(&self, from: SignedDuration, until: SignedDuration) -> Issued {
        let now = Timestamp::now();
        let at = |offset| SystemTime::from(now + offset).into();
        let mut parameters = parameters(vec!["client.example.com".to_owned()]);
        (parameters.not_before, parameters.not_after) = (at(from), at(until));
        self.sign(parameters)
    }

    fn sign(&self, parameters: CertificateParams) -> Issued {
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = parameters.signed_by(&key, &self.issuer);
        Issued {
            certificate: certificate.expect("it can be signed").pem(),
            key,
        }
    }

    /// A server on the loopback address that this authority has certified. Whoever shows a certificate has to have it from this authority as well.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let issued = self.issue("127.0.0.1");
        let mut roots = RootCertStore::empty();
        roots.add(der(&self.pem)).expect("it is an authority");
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .allow_unauthenticated()
                .build()
                .expect("there is an authority");
        let key = issued.key.serialize_der().try_into();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![der(&issued.certificate)], key.expect("it is a key"))
            .expect("they belong together");
        // A session that is resumed would not look at the certificate again.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        TlsAcceptor::from(Arc::new(config))
    }
}

fn parameters(names: Vec<String>) -> CertificateParams {
    CertificateParams::new(names).expect("the names can stand in a certificate")
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("it is a certificate")
}

/// The token endpoint of the X.509 keys of [`TENANT`], in front of an emulator. It ends when it is dropped.
pub struct TokenEndpoint {
    /// Who issues the certificates that it takes.
    pub authority: Authority,
    url: String,
    folder: TempDir,
    behind: Arc<OnceLock<Behind>>,
    accepting: JoinHandle<()>,
}

/// Where the tokens come from.
struct Behind {
    client: reqwest::Client,
    key: Value,
}

impl TokenEndpoint {
    /// Opens one. It has no token for anybody before [`TokenEndpoint::lead_to`].
    ///
    /// # Panics
    ///
    /// When no port of the loopback interface can be listened on.
    pub async fn start() -> Self {
        let authority = Authority::default();
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port of the loopback interface can be listened on");
        let address = listener.local_addr().expect("it listens");
        let folder = tempfile::tempdir().expect("a folder can be made");
        let written = std::fs::write(folder.path().join("ca.crt"), &authority.pem);
        written.expect("the folder can be written to");
        let behind = Arc::new(OnceLock::new());
        let accepting = tokio::spawn(accept(listener, authority.acceptor(), behind.clone()));
        Self {
            authority,
            url: format!("https://{address}"),
            folder,
            behind,
            accepting,
        }
    }

    /// The file with its authority, for `--ca-file`.
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        Path::join(self.folder.path(), "ca.crt")
    }

    /// Has it give out the tokens of an emulator from now on.
    pub async fn lead_to(&self, ai_core: &Emulated) {
        let client = reqwest::Client::builder().no_proxy().build();
        let behind = Behind {
            client: client.expect("a client without options can be made"),
            key: ai_core.service_key(TENANT).await,
        };
        assert!(self.behind.set(behind).is_ok(), "it leads somewhere");
    }

    /// An X.509 service key with a certificate.
    ///
    /// # Panics
    ///
    /// Before [`TokenEndpoint::lead_to`].
    #[must_use]
    pub fn service_key(&self, issued: &Issued) -> Value {
        let mut key = self.behind.get().expect("it leads somewhere").key.clone();
        let fields = key.as_object_mut().expect("a key is an object");
        for field in ["clientsecret", "url"] {
            fields.remove(field);
        }
        key["credential-type"] = json!("x509");
        key["certificate"] = json!(issued.certificate);
        key["key"] = json!(issued.key.serialize_pem());
        key["certurl"] = json!(self.url);
        key
    }
}

impl Drop for TokenEndpoint {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, behind: Arc<OnceLock<Behind>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, behind) = (acceptor.clone(), behind.clone());
        // Whose certificate is refused learns it from the end of the connection.
        tokio::spawn(async move { serve(stream, &acceptor, &behind).await });
    }
}

/// Answers one request: with a token for whoever shows a certificate.
async fn serve(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    behind: &OnceLock<Behind>,
) -> io::Result<()> {
    let stream = acceptor.accept(stream).await?;
    let shows_certificate = stream.get_ref().1.peer_certificates().is_some();
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.split_once(':') else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    stream.read_exact(&mut vec![0; length]).await?;
    let (status, body) = match behind.get() {
        Some(behind) if shows_certificate => behind.token().await,
        _ => (401, r#"{"error":"invalid_client"}"#.to_owned()),
    };
    let answer = format!(
        "HTTP/1.1 {status} \r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

impl Behind {
    /// What the emulator answers to the client secret of the same tenant.
    async fn token(&self) -> (u16, String) {
        let text = |field: &str| self.key[field].as_str().unwrap_or_default().to_owned();
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", text("clientid")),
            ("client_secret", text("clientsecret")),
        ];
        let url = format!("{}/oauth/token", text("url"));
        let asked = self.client.post(url).form(&form).send().await;
        let answer = asked.expect("the emulator answers");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("the answer is whole"))
    }
}
