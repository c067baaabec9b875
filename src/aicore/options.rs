//! How the remote is talked to.

use std::time::Duration;

use reqwest::Certificate;

use super::pace::{Paces, Rate};
use crate::lease::Permit;
use crate::metrics::RemoteCalls;

/// How the remote is talked to.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Whether plain http addresses are allowed, over which secrets travel in the clear. For tests on one machine.
    pub allow_http: bool,
    /// Certificate authorities that are trusted besides those of the system.
    pub authorities: Vec<Certificate>,
    /// How long one call may take: waiting for its turn, getting a token, until the answer is read whole.
    pub request_timeout: Duration,
    /// How long it may take to open a connection.
    pub connect_timeout: Duration,
    /// From which age on a token is blamed for a 403, and for a 401 below `/admin`: then the call is made once more with a new one. A
    /// younger token is not, or every call that is denied for good would cost a token.
    pub doubted_token_age: Duration,
    /// How often a tenant may be called.
    pub rate: Rate,
    /// What the clients of one tenant share: the budget, and the pauses that AI Core asks for.
    pub paces: Paces,
    /// Where every request is measured, also those for tokens.
    pub remote_calls: RemoteCalls,
    /// Leave to write, which every request but a GET asks for right before it is sent, and which ends it. Those for tokens change nothing.
    pub permit: Permit,
}

impl Default for ClientOptions {
    /// https only, 30 seconds for a call, 10 seconds for a connection, a token is doubted after 1 minute, a budget of its own, and leave to
    /// write at any time.
    fn default() -> Self {
        Self {
            allow_http: false,
            authorities: Vec::new(),
            request_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            doubted_token_age: Duration::from_secs(60),
            rate: Rate::default(),
            paces: Paces::default(),
            remote_calls: RemoteCalls::default(),
            permit: Permit::default(),
        }
    }
}
