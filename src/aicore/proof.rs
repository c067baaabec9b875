//! How a service key proves to the token endpoint that it may have tokens.

use reqwest::Identity;
use secrecy::{ExposeSecret, SecretString};

use super::certificate::Validity;
use super::service_key_error::ServiceKeyError;

/// What only the owner of a service key has. `Debug` does not show it.
#[derive(Clone, Debug)]
pub(super) enum Proof {
    /// A client secret, which is sent along.
    Secret(SecretString),
    /// The certificate chain and the private key of an X.509 service key, in PEM. The certificate is shown when the connection is opened (mutual
    /// TLS), and nothing secret is sent.
    Certificate {
        /// Chain and private key.
        pem: SecretString,
        /// When the certificate is valid, where that can be read.
        validity: Option<Validity>,
    },
}

impl Proof {
    /// A certificate chain and its private key. Line ends may be written as `\n`, as environment variables have them.
    ///
    /// # Errors
    ///
    /// [`ServiceKeyError::InvalidCertificate`] when one of them is no PEM.
    pub(super) fn certificate(chain: &str, key: &str) -> Result<Self, ServiceKeyError> {
        let pem = format!("{chain}\n{key}\n").replace("\\n", "\n");
        let validity = Validity::of_chain(&pem);
        let pem = SecretString::from(pem);
        let proof = Self::Certificate { pem, validity };
        proof.identity().map(|_| proof)
    }

    /// The field of the service key that says where this proof is taken.
    pub(super) fn address_field(&self) -> &'static str {
        match self {
            Self::Secret(_) => "url",
            Self::Certificate { .. } => "certurl",
        }
    }

    /// What to show when a connection to the token endpoint is opened.
    pub(super) fn identity(&self) -> Result<Option<Identity>, ServiceKeyError> {
        match self {
            Self::Secret(_) => Ok(None),
            // The parser's message could quote the key.
            Self::Certificate { pem, .. } => Identity::from_pem(pem.expose_secret().as_bytes())
                .map(Some)
                .map_err(|_| ServiceKeyError::InvalidCertificate),
        }
    }

    /// The secret itself, for what must be told apart by it or kept out of texts.
    pub(super) fn expose(&self) -> &str {
        match self {
            Self::Secret(secret) | Self::Certificate { pem: secret, .. } => secret.expose_secret(),
        }
    }
}
