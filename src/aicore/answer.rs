//! What a refusing answer says, made safe to show.
//!
//! AI Core wraps its own errors in an envelope; the gateway before it answers in plain text, a proxy in HTML, and the token endpoint
//! in OAuth's JSON. All of them end as one [`Rejection`], short, on one line, and without a credential that was sent.

use std::fmt;

use serde_json::{Map, Value};

/// The longest text that is taken over from a server, in characters.
const MAX_TEXT: usize = 300;
/// The longest error code that is taken over from a server, in characters.
const MAX_CODE: usize = 60;
/// Shorter credentials are not looked for in texts: a word of few letters would be blanked everywhere.
const MIN_SECRET: usize = 6;
/// Stands in the place of a credential.
const REDACTED: &str = "[redacted]";

/// What a server said when it refused a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The HTTP status code.
    pub status: u16,
    /// The error code in the body, when there is one: a text such as `01010076` (AI Core) or `invalid_client` (OAuth).
    pub code: Option<String>,
    /// The explanation, at most about 300 characters on one line, with the request id when the server gave one; empty when it gave none.
    pub message: String,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, ", code {code}")?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl Rejection {
    /// Reads a refusing answer. `secrets` are blanked wherever the server repeats them.
    pub(super) fn new(status: u16, body: &[u8], secrets: &[&str]) -> Self {
        let parts = Parts::of(body);
        // On one line first: a secret with a space in it may come with another space.
        let secrets: Vec<String> = secrets.iter().map(|secret| one_line(secret)).collect();
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let clean = |text: &str, limit| shorten(&redact(&one_line(text), &secrets), limit);
        let mut message = parts
            .message
            .map(|text| clean(&text, MAX_TEXT))
            .unwrap_or_default();
        if let Some(id) = parts
            .request_id
            .map(|id| clean(&id, MAX_CODE))
            .filter(|id| !id.is_empty())
        {
            let separator = if message.is_empty() { "" } else { " " };
            message.push_str(&format!("{separator}(request id {id})"));
        }
        let code = parts
            .code
            .map(|code| clean(&code, MAX_CODE))
            .filter(|code| !code.is_empty());
        Self {
            status,
            code,
            message,
        }
    }
}

/// The telling parts of a body, as the server sent them.
#[derive(Default)]
struct Parts {
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
}

impl Parts {
    fn of(body: &[u8]) -> Self {
        if let Ok(Value::Object(root)) = serde_json::from_slice(body) {
            return match root.get("error") {
                Some(Value::Object(envelope)) => Self::of_object(envelope),
                _ => Self::of_object(&root),
            };
        }
        let text = String::from_utf8_lossy(body);
        let message = if text.trim_start().starts_with('<') {
            html_hint(&text)
        } else {
            text.into_owned()
        };
        Self {
            message: Some(message),
            ..Self::default()
        }
    }

    /// Reads the AI Core envelope, and OAuth's `error` with `error_description`.
    fn of_object(object: &Map<String, Value>) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| text(object.get(*name)?));
        Self {
            code: first(&["code", "error"]),
            message: first(&["message", "error_description"])
                .or_else(|| detail(object.get("details")?)),
            // The specification says requestId; published samples have the other two.
            request_id: first(&["requestId", "requestID", "request_id"]),
        }
    }
}

/// The message of the first detail; `details` is an object in the specification and an array in a published sample.
fn detail(details: &Value) -> Option<String> {
    let detail = match details {
        Value::Array(list) => list.first()?,
        other => other,
    };
    text(detail.get("message")?)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A proxy's page says little beyond its title.
fn html_hint(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        let end = start + lower[start..].find("</title>")?;
        Some(page[start..end].trim())
    });
    match title {
        Some(title) if !title.is_empty() => format!("an HTML page with the title \"{title}\""),
        _ => "an HTML page".to_owned(),
    }
}

/// Blanks the credentials that were sent, and whatever else looks like a JSON Web Token.
pub(super) fn redact(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= MIN_SECRET) {
        text = text.replace(secret, REDACTED);
    }
    // Base64 of `{"` is `eyJ`: the beginning of every JSON Web Token, also of one that is not ours.
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=');
    let mut pieces = text.split("eyJ");
    let mut clean = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // A token has several parts that begin so.
        if !clean.ends_with(REDACTED) {
            clean.push_str(REDACTED);
        }
        clean.push_str(piece.trim_start_matches(is_token));
    }
    clean
}

/// The words of a text on one line, without control characters.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// One line of at most `limit` characters without control characters.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    let line = one_line(text);
    match line.char_indices().nth(limit) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(body: &str) -> Rejection {
        Rejection::new(400, body.as_bytes(), &["the-very-secret"])
    }

    #[test]
    fn the_envelope_gives_code_message_and_request_id_in_every_spelling() {
        for spelling in ["requestId", "requestID", "request_id"] {
            let found = rejection(&format!(
                r#"{{"error":{{"code":"01010076","message":"no","{spelling}":"r-1","details":[]}}}}"#
            ));
            assert_eq!(
                found.to_string(),
                "HTTP 400, code 01010076: no (request id r-1)"
            );
        }
        assert_eq!(
            rejection(r#"{"error":{"code":500,"message":null,"details":[{"message":"gone"}]}}"#)
                .to_string(),
            "HTTP 400, code 500: gone"
        );
    }

    #[test]
    fn an_oauth_error_gives_its_name_and_description() {
        let found =
            rejection(r#"{"error":"invalid_client","error_description":"Bad credentials"}"#);
        assert_eq!(
            found.to_string(),
            "HTTP 400, code invalid_client: Bad credentials"
        );
    }

    #[test]
    fn plain_text_html_and_nothing_are_told_in_a_few_words() {
        assert_eq!(
            rejection("RBAC: access denied").to_string(),
            "HTTP 400: RBAC: access denied"
        );
        let page = "<html><head><TITLE>502 Bad Gateway</TITLE></head><body>long</body></html>";
        assert_eq!(
            rejection(page).message,
            "an HTML page with the title \"502 Bad Gateway\""
        );
        assert_eq!(rejection(" <p>no title").message, "an HTML page");
        assert_eq!(rejection("").to_string(), "HTTP 400");
    }

    #[test]
    fn a_text_is_cut_at_a_character_and_kept_on_one_line() {
        let found = rejection(&format!("a\r\nb\u{1b}[31m{}", "ä".repeat(400)));
        assert!(found.message.starts_with("a b [31mä"), "{}", found.message);
        assert_eq!(found.message.chars().count(), MAX_TEXT + 1);
    }

    #[test]
    fn no_credential_comes_back_out_of_a_text() {
        let found = rejection("bad the-very-secret and Bearer eyJhbGciOi.eyJzdWIi.c2ln, sorry");
        assert_eq!(found.message, "bad [redacted] and Bearer [redacted], sorry");
    }

    #[test]
    fn a_secret_of_several_words_does_not_come_back_with_other_spaces() {
        let found = Rejection::new(
            400,
            b"it says: pass  phrase\nof\0words",
            &["phrase of words"],
        );
        assert_eq!(found.message, "it says: pass [redacted]");
        let found = Rejection::new(400, b"it says: pass phrase", &["pass \t phrase"]);
        assert_eq!(found.message, "it says: [redacted]");
    }

    #[test]
    fn a_text_full_of_tokens_is_read_once() {
        let tokens = "eyJ ".repeat(64 * 1024);
        let found = rejection(&tokens);
        assert!(
            found.message.starts_with("[redacted] [redacted] "),
            "{}",
            found.message
        );
        assert_eq!(
            rejection("eyeyJJ_ and eyJeyJ").message,
            "ey[redacted] and [redacted]"
        );
    }
}
