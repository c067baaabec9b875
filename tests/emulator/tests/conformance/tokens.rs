//! The token endpoint, and what happens without a good token.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, send};

/// Check 1
#[tokio::test]
async fn a_token_is_given_for_a_form_and_for_basic_authentication() {
    let api = Api::start().await;
    let by_form = api.ask_for_token("client-1", "secret-1").await;
    let basic = format!("Basic {}", BASE64_STANDARD.encode("client-1:secret-1"));
    let request = api
        .http
        .post(api.url("/oauth/token?grant_type=client_credentials"))
        .header("authorization", basic);
    for answer in [by_form, send(request).await] {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = answer.json();
        assert_eq!(
            (&token["token_type"], &token["expires_in"]),
            (&json!("bearer"), &json!(43_199))
        );
        assert!(claims(&token)["exp"].is_u64());
        assert_eq!(claims(&token)["zid"], "zone-1");
    }
    api.set(json!({"tokenSeconds": 7_199})).await;
    let shorter = api.ask_for_token("client-1", "secret-1").await;
    assert_eq!(shorter.json()["expires_in"], 7_199);
}

/// Check 1
#[tokio::test]
async fn wrong_credentials_and_other_grants_are_refused() {
    let api = Api::start().await;
    let wrong = api.ask_for_token("client-1", "guess").await;
    assert_eq!(
        (wrong.status, &wrong.json()["error"]),
        (401, &json!("unauthorized"))
    );
    let grant = send(
        api.http
            .post(api.url("/oauth/token"))
            .form(&[("grant_type", "password")]),
    );
    assert_eq!(grant.await.status, 400);
}

fn claims(token: &Value) -> Value {
    let parts: Vec<&str> = token["access_token"]
        .as_str()
        .expect("a token")
        .split('.')
        .collect();
    assert_eq!(parts.len(), 3, "a JSON web token has three parts");
    let claims = BASE64_URL_SAFE_NO_PAD.decode(parts[1]).expect("base64");
    serde_json::from_slice(&claims).expect("claims")
}

/// Check 2
#[tokio::test]
async fn calls_without_a_good_token_get_401_in_plain_text() {
    let mut api = Api::start().await;
    let bare = send(api.http.get(api.url("/v2/lm/meta"))).await;
    assert_eq!((bare.status, bare.text.as_str()), (401, "Jwt is missing"));
    api.control(Method::POST, "/revoke-tokens", json!({"tenant": "zone-1"}))
        .await;
    let revoked = api.get("/v2/lm/deployments").await;
    assert_eq!(
        (revoked.status, revoked.text.as_str()),
        (401, "Jwt is expired")
    );
    assert_eq!(revoked.header("content-type"), "text/plain");
    api.token = api.new_token().await;
    assert_eq!(api.get("/v2/lm/deployments").await.status, 200);
    api.set(json!({"tokenSeconds": 0})).await;
    api.token = api.new_token().await;
    assert_eq!(api.get("/v2/lm/deployments").await.text, "Jwt is expired");
    api.token = "a.b.c".to_owned();
    assert_eq!(api.get("/v2/lm/deployments").await.status, 401);
}

/// Check 2
#[tokio::test]
async fn replaced_credentials_work_and_old_tokens_live_on() {
    let api = Api::start().await;
    let client = json!({"tenant": "zone-1", "clientId": "client-1", "clientSecret": "rotated"});
    api.control(Method::POST, "/clients", client).await;
    assert_eq!(api.ask_for_token("client-1", "secret-1").await.status, 401);
    assert_eq!(api.ask_for_token("client-1", "rotated").await.status, 200);
    assert_eq!(api.get("/v2/lm/meta").await.status, 200);
}

/// Check 3
#[tokio::test]
async fn a_path_without_v2_leads_nowhere() {
    let api = Api::start().await;
    assert_eq!(api.get("/lm/deployments").await.status, 404);
    assert_eq!(api.get("/v2/lm/deployments").await.status, 200);
}
