//! An answer that refuses: the secret that was sent, then the body.
//!
//! What is shown of it is short, on one line, and never the secret.

use aicore_operator::aicore::fuzzing;
use http::HeaderMap;
use http::header::{HeaderValue, LOCATION};

use super::MARKER;
use crate::bounds::in_proportion;
use crate::input::{first_part, text};

/// The longest text, in characters: 300 of the message, 60 each of code and request id, and the words between.
const LONGEST: usize = 500;

pub fn run(input: &[u8]) {
    let (secret, body) = first_part(input);
    let secret = text(secret);
    let rejection = in_proportion(input.len(), || {
        fuzzing::rejection(400, body, &[&secret, "another-secret"])
    });
    let shown = rejection.to_string();
    assert!(shown.chars().count() <= LONGEST, "{shown}");
    assert!(!shown.contains(char::is_control), "{shown:?}");
    assert!(!shown.contains("eyJ"), "a JSON Web Token: {shown}");
    assert!(!shown.contains("another-secret"), "{shown}");
    an_answer_as_it_came_does_not_hold_it(&secret, body);
    // A secret with spaces in it is one with other spaces as well.
    let secret = secret.split(|c: char| c.is_whitespace() || c.is_control());
    let secret: Vec<&str> = secret.filter(|word| !word.is_empty()).collect();
    let secret = secret.join(" ");
    if is_foreign(&secret) {
        let code = rejection.code.unwrap_or_default();
        let shows = code.contains(&secret) || rejection.message.contains(&secret);
        assert!(!shows, "{shown}");
    }
}

/// A secret that could be a piece of our own words cannot be kept out of them.
fn is_foreign(secret: &str) -> bool {
    secret.contains(MARKER) && !secret.contains(['[', ']', '('])
}

fn an_answer_as_it_came_does_not_hold_it(secret: &str, body: &[u8]) {
    let headers = HeaderValue::from_bytes(body).map(|value| (LOCATION, value));
    let headers = HeaderMap::from_iter(headers);
    let (body, location) = fuzzing::reply(&headers, body, &[secret]);
    for text in [body, location.unwrap_or_default()] {
        assert!(!(is_foreign(secret) && text.contains(secret)), "{text}");
    }
}
