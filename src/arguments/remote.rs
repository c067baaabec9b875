//! How AI Core is reached.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aicore_operator::aicore::ClientOptions;
use clap::Args;
use clap::builder::FalseyValueParser;
use reqwest::Certificate;

use super::seconds;

#[derive(Debug, Args)]
pub struct RemoteArguments {
    /// Accept service keys with plain http addresses, where everybody on the way can read the key and the tokens
    #[arg(long, env = "AICORE_OPERATOR_ALLOW_HTTP", value_parser = FalseyValueParser::new())]
    allow_http: bool,

    /// A file with certificate authorities in PEM that are trusted besides those of the system, for AI Core and its token endpoint. Both are
    /// reached through the proxy that HTTPS_PROXY names, except for the hosts of NO_PROXY; the Kubernetes API never is
    #[arg(long, env = "AICORE_OPERATOR_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// How long one call of the AI Core API may take, in seconds
    #[arg(long, env = "AICORE_OPERATOR_REQUEST_TIMEOUT_SECONDS", value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    request_timeout_seconds: Duration,
}

impl RemoteArguments {
    /// What they mean for a client.
    ///
    /// # Errors
    ///
    /// When the file of `--ca-file` cannot be read, or holds no certificate.
    pub fn options(&self) -> Result<ClientOptions, String> {
        let trusted = self.ca_file.as_deref().map(authorities).transpose()?;
        Ok(ClientOptions {
            allow_http: self.allow_http,
            authorities: trusted.unwrap_or_default(),
            request_timeout: self.request_timeout_seconds,
            ..ClientOptions::default()
        })
    }
}

/// The certificates in a file.
fn authorities(file: &Path) -> Result<Vec<Certificate>, String> {
    let unusable = |why: String| format!("--ca-file {}: {why}", file.display());
    let text = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
    match Certificate::from_pem_bundle(&text) {
        Ok(authorities) if !authorities.is_empty() => Ok(authorities),
        _ => Err(unusable("there is no certificate in PEM in it".to_owned())),
    }
}
