//! What the token endpoint and the API have in common as HTTP servers.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Response, Url};

/// The longest Retry-After that is believed: nothing may stand still for hours because of one header.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);

/// Why a body could not be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// It is larger than the limit.
    TooLarge,
    /// The connection failed on the way.
    Connection(reqwest::Error),
}

/// A body of at most `limit` bytes, while it arrives.
pub(super) struct Body {
    response: Response,
    limit: usize,
    read: usize,
}

impl Body {
    pub(super) fn new(response: Response, limit: usize) -> Self {
        Self {
            response,
            limit,
            read: 0,
        }
    }

    /// What has arrived since the last call, or else what comes next; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        let announced = self.response.content_length();
        if announced.is_some_and(|length| length > self.limit as u64) {
            return Err(ReadError::TooLarge);
        }
        let chunk = self.response.chunk().await.map_err(ReadError::Connection)?;
        self.read += chunk.as_ref().map_or(0, Bytes::len);
        if self.read > self.limit {
            return Err(ReadError::TooLarge);
        }
        Ok(chunk)
    }
}

/// Reads a body of at most `limit` bytes whole.
pub(super) async fn read(response: Response, limit: usize) -> Result<Vec<u8>, ReadError> {
    let mut body = Body::new(response, limit);
    let mut whole = Vec::new();
    while let Some(chunk) = body.next().await? {
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

/// The server's clock when it answered.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(text(headers, &DATE)?)
}

/// How long the server asks to be left alone, at most 15 minutes: a number of seconds, or a date, which is compared with the server's
/// own clock.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?;
    let asked_for = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let until = http_date(value)?;
        let now = date(headers).unwrap_or_else(Timestamp::now);
        Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO)
    };
    Some(asked_for.min(MAX_RETRY_AFTER))
}

/// Host and port, for texts.
pub(super) fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.scheme().to_owned(),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

fn http_date(value: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(retry_after: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        super::retry_after(&headers)
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date_by_the_servers_clock() {
        let clock = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(wait("7", None), Some(Duration::from_secs(7)));
        assert_eq!(
            wait("Sun, 06 Nov 1994 08:50:07 GMT", clock),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            wait("Sun, 06 Nov 1994 08:49:07 GMT", clock),
            Some(Duration::ZERO)
        );
        assert_eq!(wait("soon", clock), None);
        assert_eq!(wait("", clock), None);
    }

    #[test]
    fn nobody_is_kept_waiting_for_more_than_a_quarter_of_an_hour() {
        let clock = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for value in [
            "86400",
            "99999999999999999999999999",
            "Mon, 07 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(wait(value, clock), Some(MAX_RETRY_AFTER), "{value}");
        }
    }
}
