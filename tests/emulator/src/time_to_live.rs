//! `ttl`: how long a deployment may live.

use std::time::Duration;

/// Shortest time to live that AI Core takes: `limits.timeToLiveDeployments.minimum` of `/lm/meta` is `10m`.
const MINIMUM: Duration = Duration::from_secs(600);

/// A time to live as the user wrote it: a natural number and one unit (`10m`, `24H`, `2d`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimeToLive {
    text: String,
    duration: Duration,
}

impl TimeToLive {
    /// Reads what a client sent. The error is a sentence for the API's answer.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let malformed = || {
            format!(
                "Invalid ttl {text:?}: give a natural number and one of the units m, h, d, such as 24h"
            )
        };
        let unit = text.chars().next_back().ok_or_else(malformed)?;
        let seconds = match unit {
            'm' | 'M' => 60,
            'h' | 'H' => 3_600,
            'd' | 'D' => 86_400,
            _ => return Err(malformed()),
        };
        let number = &text[..text.len() - 1];
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        // Thousand years are enough for anybody, and keep sums of times in range.
        let number = number
            .parse::<u64>()
            .ok()
            .filter(|number| *number <= 365_000)
            .ok_or_else(malformed)?;
        let duration = Duration::from_secs(number * seconds);
        if duration < MINIMUM {
            return Err(format!("Invalid ttl {text:?}: the minimum is 10m"));
        }
        Ok(Self {
            text: text.to_owned(),
            duration,
        })
    }

    /// The text that the client sent.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The virtual time that the deployment may live.
    pub(crate) fn duration(&self) -> Duration {
        self.duration
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_read_in_both_cases() {
        for (text, seconds) in [
            ("10m", 600),
            ("600M", 36_000),
            ("1h", 3_600),
            ("24H", 86_400),
            ("2d", 172_800),
        ] {
            assert_eq!(
                TimeToLive::parse(text).map(|ttl| ttl.duration().as_secs()),
                Ok(seconds),
                "{text}"
            );
        }
    }

    #[test]
    fn fractions_compounds_weeks_and_bare_numbers_are_refused() {
        for text in [
            "",
            "5",
            "h",
            "4.5h",
            "4h30m",
            "5w",
            "-5h",
            "9m",
            "0d",
            "5,",
            "99999999999999999999d",
            "é",
        ] {
            assert!(TimeToLive::parse(text).is_err(), "{text:?} was accepted");
        }
    }
}
