//! The headers of an answer: Retry-After and Date, Link and Location.

use std::time::Duration;

use aicore_operator::aicore::fuzzing;
use http::HeaderMap;
use http::header::{HeaderValue, LINK};

use crate::bounds::in_proportion;
use crate::input::headers;

/// The longest Retry-After that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

pub fn run(input: &[u8]) {
    let headers = headers(input);
    in_proportion(input.len(), || {
        fuzzing::date(&headers);
        let wait = fuzzing::retry_after(&headers);
        assert!(wait.is_none_or(|wait| wait <= LONGEST_WAIT), "{wait:?}");
    });
    let id = in_proportion(input.len(), || {
        fuzzing::created_at_location(&headers, &["lm", "deployments"])
    });
    assert!(id.as_deref().is_none_or(is_id), "{id:?}");
    let token = in_proportion(input.len(), || fuzzing::continue_token(&headers));
    if matches!(token, Ok(None)) {
        last_page_by_every_reading(&headers);
    }
}

/// An id that a request can carry as one segment of its path.
fn is_id(id: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !matches!(id, "" | "." | ".." | "lm" | "deployments") && id.chars().all(allowed)
}

/// A link that holds bytes which are no ASCII is a link as well: a page that has one is not the last.
fn last_page_by_every_reading(headers: &HeaderMap) {
    let links = headers.get_all(LINK).iter().filter_map(|link| {
        let visible = |byte: &u8| if byte.is_ascii() { *byte } else { b'?' };
        let link: Vec<u8> = link.as_bytes().iter().map(visible).collect();
        HeaderValue::from_bytes(&link).ok()
    });
    let mut ascii = HeaderMap::new();
    for link in links {
        ascii.append(LINK, link);
    }
    let token = fuzzing::continue_token(&ascii);
    assert!(
        matches!(token, Ok(None)),
        "there is another page: {token:?}"
    );
}
