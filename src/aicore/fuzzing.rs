//! What the fuzz targets reach of the parsers: each reads what a server has sent.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::time::Instant;

use super::answer::Rejection;
use super::contents::{ConfigurationContent, ContentJson};
use super::credentials::ServiceKey;
use super::error::Error;
use super::executables::{Executable, ExecutableJson, Identified};
use super::grant::Issued;
use super::logs::{self, LogLine};
use super::models::{Model, ModelJson};
use super::realm::Zone;
use super::reply::Reply;
use super::token::Token;
use super::types::{Configuration, Deployment, Meta, ResourceGroup};
use super::wire::{self, ConfigurationJson, DeploymentJson, MetaJson, ResourceGroupJson};
use super::{bulk, http, links};

/// A list, and how many entries the server says that there are.
pub type Listed<T> = (Vec<T>, Option<u64>);

fn list<T: wire::Checked>(body: &[u8]) -> Result<Listed<T::Object>, Error> {
    wire::list::<T>(body).map(|list| (list.objects, list.count))
}

/// A list of deployments.
pub fn deployments(body: &[u8]) -> Result<Listed<Deployment>, Error> {
    list::<DeploymentJson>(body)
}

/// A list of configurations.
pub fn configurations(body: &[u8]) -> Result<Listed<Configuration>, Error> {
    list::<ConfigurationJson>(body)
}

/// A list of resource groups.
pub fn resource_groups(body: &[u8]) -> Result<Listed<ResourceGroup>, Error> {
    list::<ResourceGroupJson>(body)
}

/// A list of models.
pub fn models(body: &[u8]) -> Result<Listed<Model>, Error> {
    list::<ModelJson>(body)
}

/// A list of which only the ids are read.
pub fn ids(body: &[u8]) -> Result<Listed<String>, Error> {
    list::<Identified>(body)
}

/// A deployment.
pub fn deployment(body: &[u8]) -> Result<Deployment, Error> {
    wire::object::<DeploymentJson>(body)
}

/// A configuration.
pub fn configuration(body: &[u8]) -> Result<Configuration, Error> {
    wire::object::<ConfigurationJson>(body)
}

/// What a configuration binds.
pub fn content(body: &[u8]) -> Result<ConfigurationContent, Error> {
    wire::object::<ContentJson>(body)
}

/// An executable.
pub fn executable(body: &[u8]) -> Result<Executable, Error> {
    wire::object::<ExecutableJson>(body)
}

/// A resource group.
pub fn resource_group(body: &[u8]) -> Result<ResourceGroup, Error> {
    wire::object::<ResourceGroupJson>(body)
}

/// What the server can do.
pub fn meta(body: &[u8]) -> Result<Meta, Error> {
    wire::object::<MetaJson>(body)
}

/// The id of what was created.
pub fn created_id(body: &[u8]) -> Result<String, Error> {
    wire::created_id(body)
}

/// The bare number of a `$count`.
pub fn count(body: &[u8]) -> Result<u64, Error> {
    wire::count(body)
}

/// The lines of a log.
pub fn log_lines(body: &[u8]) -> Result<Vec<LogLine>, Error> {
    logs::read(body)
}

/// A refusing answer.
pub fn rejection(status: u16, body: &[u8], secrets: &[&str]) -> Rejection {
    Rejection::new(status, body, secrets)
}

/// What became of each of several changes.
pub fn bulk_outcomes(body: &[u8], ids: &[&str]) -> Result<Vec<Result<(), Error>>, Error> {
    let explain = |error: &Value| Rejection::new(202, error.to_string().as_bytes(), &[]);
    bulk::outcomes(body, ids, explain)
}

/// How long the server asks to be left alone.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    http::retry_after(headers)
}

/// The server's clock.
pub fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http::date(headers)
}

/// Where the list of resource groups goes on.
pub fn continue_token(headers: &HeaderMap) -> Result<Option<String>, Error> {
    links::continue_token(headers)
}

/// The id at the end of a `Location`.
pub fn created_at_location(headers: &HeaderMap, collection: &[&str]) -> Option<String> {
    links::created_id(headers, collection)
}

/// What a token answer holds.
pub struct TokenAnswer {
    /// The token.
    pub access_token: String,
    /// How long it lives.
    pub lifetime: Duration,
    /// How the token shows itself, where it can be sent.
    pub debug: Option<String>,
}

/// An answer of the token endpoint; none where it is none.
pub fn token(body: &[u8]) -> Option<TokenAnswer> {
    let issued: Issued = serde_json::from_slice(body).ok()?;
    let token = Token::new(1, &issued, Instant::now());
    Some(TokenAnswer {
        lifetime: issued.lifetime(),
        debug: token.map(|token| format!("{token:?}")),
        access_token: issued.access_token,
    })
}

/// The zone that a token tells of itself.
pub fn zone(token: &str) -> Option<String> {
    Zone::of(token).0
}

/// What is kept of an answer as it came: its body, and its `Location`.
pub fn reply(headers: &HeaderMap, body: &[u8], secrets: &[&str]) -> (String, Option<String>) {
    let reply = Reply::new(StatusCode::OK, headers, body, secrets);
    (reply.body, reply.location)
}

/// The secret of a service key.
pub fn secret(key: &ServiceKey) -> &str {
    key.proof().expose()
}
