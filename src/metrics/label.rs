//! Values of labels that a server or a person has chosen.

/// The longest value, in characters. Prometheus can refuse a whole scrape for one that is longer (`label_value_length_limit`).
const MAXIMUM: usize = 64;

/// A text as the value of a label: short, and of characters that no format and no query has to escape. Other ones become `_`.
pub(super) fn value(text: &str) -> String {
    let plain = |character: char| match character {
        '.' | '-' | '_' | ':' | '/' => character,
        _ if character.is_ascii_alphanumeric() => character,
        _ => '_',
    };
    text.chars().take(MAXIMUM).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_as_it_is_and_everything_else_becomes_harmless() {
        for name in [
            "gpt-4o",
            "anthropic--claude-3.5-sonnet",
            "2024-08-06",
            "meta/llama3:8b",
        ] {
            assert_eq!(value(name), name);
        }
        assert_eq!(value("a\"} 1\nb{é"), "a___1_b__");
        assert_eq!(value(&"ä".repeat(100_000)), "_".repeat(MAXIMUM));
    }
}
