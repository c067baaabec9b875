//! How an input is laid out: as text that a person can read and write, so that a corpus is a folder of readable files.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The line between two parts of an input.
const SEPARATOR: &[u8] = b"\n===\n";

/// The parts of an input, which a line `===` divides. There is at least one, which may be empty.
pub fn parts(input: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = input;
    while let Some((part, after)) = split_at(rest, SEPARATOR) {
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}

/// The first part of an input, and what follows.
pub fn first_part(input: &[u8]) -> (&[u8], &[u8]) {
    split_at(input, SEPARATOR).unwrap_or((input, b""))
}

/// The first line, and what follows.
pub fn first_line(input: &[u8]) -> (&[u8], &[u8]) {
    split_at(input, b"\n").unwrap_or((input, b""))
}

/// What stands before and after a mark.
pub fn split_at<'a>(input: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = input.windows(mark.len()).position(|found| found == mark)?;
    Some((&input[..place], &input[place + mark.len()..]))
}

/// A text; what is no UTF-8 is replaced.
pub fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

/// The lines of an input as headers. What cannot be one is left out, as a server would be refused that sends it.
pub fn headers(input: &[u8]) -> HeaderMap {
    let lines = input.split(|byte| *byte == b'\n');
    let headers = lines.filter_map(|line| {
        let (name, value) = split_at(line, b":")?;
        let name = HeaderName::from_bytes(name).ok()?;
        Some((name, HeaderValue::from_bytes(value.trim_ascii()).ok()?))
    });
    let mut map = HeaderMap::new();
    for (name, value) in headers.take(100) {
        map.append(name, value);
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_divided_where_it_says_so() {
        assert_eq!(parts(b"a\n===\n\n===\nb=="), [&b"a"[..], b"", b"b=="]);
        assert_eq!(parts(b""), [b""]);
        assert_eq!(
            first_part(b"a\n===\nb\n===\nc"),
            (&b"a"[..], &b"b\n===\nc"[..])
        );
        assert_eq!(first_line(b"a\nb\nc"), (&b"a"[..], &b"b\nc"[..]));
    }

    #[test]
    fn headers_that_come_twice_are_kept_and_nonsense_is_not() {
        let headers = headers(b"Link: <a>\nno header\nlink: <\xff>\n: x\n");
        assert_eq!(headers.get_all("link").iter().count(), 2);
        assert_eq!(headers.len(), 2);
    }
}
