//! The variables that name a proxy: AI Core and its token endpoint are reached through it, what NO_PROXY names is not, nor is the API server, and
//! nobody is told the proxy's password.

use std::sync::Arc;

use harness::emulated::TENANT;
use harness::forwarding::{CREDENTIALS, ForwardProxy};
use harness::manifests::deployment;
use harness::scene::{CONNECTION, SECRET, Scene, Setting, connection, secret};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::manifests::OPERATOR;

/// A host that no name server knows: whoever reaches it has been led there.
const HOST: &str = "ai-core.invalid";

/// A scene whose operator is told of a proxy by these variables. There is no Connection yet.
async fn scene_with(variables: &[(&str, String)], arguments: &[&str]) -> Scene {
    let variables: Vec<(String, String)> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let setting = Setting {
        connected: false,
        variables: &variables,
        arguments,
        ..Setting::of(OPERATOR)
    };
    Scene::start(setting).await
}

/// Makes a Connection whose key has these addresses in place of AI Core's own.
async fn connect_to(scene: &Scene, url: &str) {
    let key = scene.ai_core.service_key(TENANT).await.to_string();
    let key = key.replace(scene.ai_core.url(), url);
    assert!(key.contains(url), "{key}");
    scene.put(&secret(SECRET, &json!({"key": key}))).await;
    scene.put(&connection(CONNECTION, SECRET)).await;
}

/// Runs a deployment from beginning to end.
async fn run(scene: &Scene) {
    scene
        .until_reason("Connection", CONNECTION, "Connected")
        .await;
    scene.put(&deployment("churn")).await;
    scene.until_ready("churn", "Running").await;
    scene.delete_and_wait("churn").await;
}

/// Where the emulator listens.
fn address(scene: &Scene) -> &str {
    scene.ai_core.url().trim_start_matches("http://")
}

/// Nobody is told the password, or what is sent in its place.
async fn assert_discreet(scene: &Scene) {
    let connection = scene.get("Connection", CONNECTION).await;
    let events = scene.events().await;
    let told = format!("{}{connection}{events:?}", scene.operator.log());
    let (_, password) = CREDENTIALS.split_once(':').expect("there is one");
    for hidden in [password, "a-wrong-password", "cHJveHktdXNlcj"] {
        assert!(!told.contains(hidden), "{hidden} was told");
    }
}

/// The variables have to be there before the emulator's address is known, so the proxy leads to a server that is found out later.
async fn proxied(variable: &str, arguments: &[&str], credentials: &str) -> (Scene, ForwardProxy) {
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = ForwardProxy::before(&front.local_addr().unwrap().to_string()).await;
    let variables = [(variable, proxy.url_with(credentials))];
    let scene = scene_with(&variables, arguments).await;
    tokio::spawn(carry(front, address(&scene).to_owned(), None));
    (scene, proxy)
}

/// Carries connections to a server, where there is an acceptor after taking TLS off.
async fn carry(front: TcpListener, server: String, acceptor: Option<TlsAcceptor>) {
    while let Ok((mut client, _)) = front.accept().await {
        let (server, acceptor) = (server.clone(), acceptor.clone());
        tokio::spawn(async move {
            let mut remote = TcpStream::connect(server).await.unwrap();
            // Whoever breaks a connection off is heard of from its other end.
            let _ = match acceptor {
                None => copy_bidirectional(&mut client, &mut remote).await,
                Some(acceptor) => match acceptor.accept(client).await {
                    Ok(mut client) => copy_bidirectional(&mut client, &mut remote).await,
                    Err(_) => return,
                },
            };
        });
    }
}

#[tokio::test]
async fn http_goes_through_the_proxy_with_its_credentials_tokens_included() {
    let (scene, proxy) = proxied("HTTP_PROXY", &[], CREDENTIALS).await;
    connect_to(&scene, &format!("http://{HOST}")).await;
    run(&scene).await;
    let asked = proxy.asked();
    for begin in [
        &format!("POST http://{HOST}/oauth/token"),
        &format!("GET http://{HOST}/v2/lm/deployments"),
        &format!("POST http://{HOST}/v2/lm/deployments"),
        &format!("DELETE http://{HOST}/v2/lm/deployments/"),
    ] {
        let went = asked.iter().any(|line| line.starts_with(begin.as_str()));
        assert!(went, "{begin} is not among {asked:#?}");
    }
    assert_discreet(&scene).await;
    scene.finish(1).await;
}

#[tokio::test]
async fn what_no_proxy_names_is_reached_directly() {
    let (scene, proxy) = {
        let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = ForwardProxy::before(&front.local_addr().unwrap().to_string()).await;
        let variables = [
            ("HTTP_PROXY", proxy.url_with(CREDENTIALS)),
            ("NO_PROXY", "127.0.0.0/8,.example.com".to_owned()),
        ];
        (scene_with(&variables, &[]).await, proxy)
    };
    connect_to(&scene, scene.ai_core.url()).await;
    run(&scene).await;
    assert_eq!(proxy.asked(), Vec::<String>::new());
    scene.finish(1).await;
}

#[tokio::test]
async fn a_proxy_that_refuses_its_user_is_named_and_the_password_is_not() {
    let (scene, proxy) = proxied("HTTP_PROXY", &[], "proxy-user:a-wrong-password").await;
    connect_to(&scene, &format!("http://{HOST}")).await;
    let what = "it says that no token is to be had";
    let is_told = |object: &Value| {
        let ready = harness::scene::condition(object, "Ready");
        ready["status"] == "False" && ready["message"].to_string().contains("407")
    };
    scene.until("Connection", CONNECTION, what, is_told).await;
    assert_eq!(proxy.asked(), Vec::<String>::new());
    assert_discreet(&scene).await;
    scene.finish(0).await;
}

/// An authority of its own, and what a server needs to be taken for [`HOST`] by whoever trusts it.
fn certified() -> (String, TlsAcceptor) {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = parameters.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(parameters, key);
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    let certificate = parameters.signed_by(&key, &issuer).unwrap().pem();
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key.unwrap())
        .unwrap();
    (authority, TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn https_is_tunnelled_and_the_api_server_is_none_of_the_proxys_business() {
    let (authority, acceptor) = certified();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority).unwrap();
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = ForwardProxy::before(&front.local_addr().unwrap().to_string()).await;
    let variables = [("HTTPS_PROXY", proxy.url_with(CREDENTIALS))];
    let arguments = ["--ca-file", file.to_str().unwrap()];
    let scene = scene_with(&variables, &arguments).await;
    tokio::spawn(carry(front, address(&scene).to_owned(), Some(acceptor)));
    connect_to(&scene, &format!("https://{HOST}")).await;
    run(&scene).await;
    let asked = proxy.asked();
    let tunnel = format!("CONNECT {HOST}:443 HTTP/1.1");
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|line| *line == tunnel), "{asked:#?}");
    assert_discreet(&scene).await;
    scene.finish(1).await;
}
