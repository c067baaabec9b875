//! The log of a deployment.

use jiff::Timestamp;
use serde::Deserialize;

use super::client::{Client, get};
use super::error::Error;
use super::text::Text;
use super::transport::Call;
use super::wire;

/// A line of a deployment's log (`RTALogCommonResultItem`), as the user's own program wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written (RFC 3339).
    pub timestamp: Option<String>,
    /// What it says.
    pub message: String,
}

impl Client {
    /// The newest `lines` of a deployment's log, newest first. Without `since` AI Core looks back one hour.
    ///
    /// # Errors
    ///
    /// Besides the common ones: [`Error::NotFound`] where there is no deployment, or no log of it.
    pub async fn last_log_lines(
        &self,
        group: &str,
        id: &str,
        lines: u16,
        since: Option<Timestamp>,
    ) -> Result<Vec<LogLine>, Error> {
        let path = ["lm", "deployments", id, "logs"];
        let (lines, since) = (lines.to_string(), since.map(|since| since.to_string()));
        let mut query = vec![("$order", "desc"), ("$top", &*lines)];
        query.extend(since.as_deref().map(|since| ("start", since)));
        let call = Call {
            query: &query,
            ..get(&path, Some(group))
        };
        let answer = self.transport.fetch(&call).await?;
        read(&answer.body)
    }
}

/// Reads the lines of a log. Those that say nothing are left out.
pub(super) fn read(body: &[u8]) -> Result<Vec<LogLine>, Error> {
    let log = wire::parse::<LogJson>(body)?;
    let result = log.data.and_then(|data| data.result).unwrap_or_default();
    let lines = result.into_iter().filter_map(|line| {
        Some(LogLine {
            timestamp: line.timestamp.0,
            message: line.msg.0?,
        })
    });
    Ok(lines.collect())
}

#[derive(Deserialize)]
struct LogJson {
    data: Option<DataJson>,
}

#[derive(Deserialize)]
struct DataJson {
    result: Option<Vec<LineJson>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LineJson {
    timestamp: Text,
    msg: Text,
}
