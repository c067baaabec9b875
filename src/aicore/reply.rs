//! An answer as it came, whatever it says.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};

use super::answer::{Rejection, redact};
use super::http;

/// An answer, read whole, of which nothing was concluded yet. Credentials that were sent do not stand in it.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The HTTP status code.
    pub(crate) status: u16,
    /// The body as text.
    pub(crate) body: String,
    /// `Content-Type`, without its parameters.
    pub(crate) media_type: Option<String>,
    /// `Location`.
    pub(crate) location: Option<String>,
    /// The server's clock (`Date`).
    pub(crate) date: Option<Timestamp>,
    /// How long the server asks to be left alone (`Retry-After`).
    pub(crate) retry_after: Option<Duration>,
    /// What it says, in one short line.
    pub(crate) said: Rejection,
}

impl Reply {
    /// `secrets` are blanked wherever the server repeats them.
    pub(crate) fn new(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        secrets: &[&str],
    ) -> Self {
        let text = |name| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(redact(value, secrets))
        };
        let media_type = text(CONTENT_TYPE);
        Self {
            status: status.as_u16(),
            body: redact(&String::from_utf8_lossy(body), secrets),
            media_type: media_type
                .and_then(|value| Some(value.split(';').next()?.trim().to_owned())),
            location: text(LOCATION),
            date: http::date(headers),
            retry_after: http::retry_after(headers),
            said: Rejection::new(status.as_u16(), body, secrets),
        }
    }
}
