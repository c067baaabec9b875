//! Why a call of AI Core did not give what was asked for, and what may be concluded from that.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use super::answer::Rejection;
use super::credentials::Tenant;
use crate::api::Reason;
use crate::lease::Refusal;

/// A call that failed. Cloning is cheap: one failure is told to everyone who waited for the same call.
///
/// Two questions decide what follows: may the request have had its effect ([`Error::outcome_unknown`]), and does it need a
/// person ([`Error::needs_a_person`]).
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The token endpoint refused the credentials (400, 401 or 403).
    #[error(
        "the token endpoint refused the credentials ({0}); put a valid service key of this tenant into the Secret"
    )]
    TokenRejected(Rejection),
    /// The token endpoint could not be reached, or gave no usable token.
    #[error(
        "no token could be had from {host}: {message}; check that `url` of the service key is right and reachable"
    )]
    TokenUnavailable {
        /// The host of the token endpoint.
        host: String,
        /// What happened.
        message: String,
        /// The HTTP status code of the answer, when there was one.
        status: Option<u16>,
        /// How long the endpoint asks to be left alone.
        retry_after: Option<Duration>,
        /// The failure of the connection, when there was no whole answer.
        #[source]
        source: Option<Arc<reqwest::Error>>,
    },
    /// No token could be had with an X.509 service key whose certificate is not valid any more.
    #[error(
        "the certificate of the service key was valid until {not_after}, and no token can be had with it; put a new service key of this tenant into the \
         Secret"
    )]
    CertificateExpired {
        /// The last moment at which it was valid.
        not_after: Timestamp,
        /// How the token endpoint has refused it.
        #[source]
        source: Arc<Self>,
    },
    /// The API does not accept a token that it was just issued (401, also with a second token).
    #[error(
        "AI Core does not accept the token of these credentials ({0}); check that `url` and AI_API_URL of the service key are of the same tenant"
    )]
    Unauthorized(Rejection),
    /// The credentials do not reach this resource group or object (403). AI Core's gateway answers so also for a group that does not exist.
    #[error(
        "AI Core denies access ({0}); check the name of the resource group and that the credentials may use it"
    )]
    Forbidden(Rejection),
    /// There is no such object (404). For a deployment that was just created this can be wrong for some minutes.
    #[error("AI Core knows no such object ({0}); check the id and the resource group")]
    NotFound(Rejection),
    /// The request was refused (any other 4xx): it is wrong as it is, or the object's state does not allow it.
    #[error("AI Core refused the request ({0}); correct what it names")]
    Rejected(Rejection),
    /// One of the changes of a bulk request was refused, while the request was accepted: most often the deployment's state does not allow it
    /// any more.
    #[error(
        "AI Core refused this change among others that it accepted ({0}); the deployment is looked at again"
    )]
    RefusedInBulk(Rejection),
    /// Too many requests (429), or AI Core asked for a pause (also with 503) that is not over: then nothing was sent.
    #[error("AI Core asks for fewer requests ({message}); the request is made again later")]
    Throttled {
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
        /// What the server said.
        message: Rejection,
    },
    /// Too many calls of this tenant wait for their turn. Nothing was sent.
    #[error(
        "too many calls of this tenant are waiting for their turn; the request is made again later"
    )]
    Crowded {
        /// How long it would take until the turn comes.
        retry_after: Duration,
    },
    /// The server failed (5xx), or gave up waiting (408).
    #[error("AI Core cannot answer now ({message}); the request is made again later")]
    Unavailable {
        /// The HTTP status code.
        status: u16,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
        /// What the server said.
        message: Rejection,
    },
    /// No answer came: no connection, a timeout, or a connection that was closed.
    #[error(
        "no answer from {host}: {message}; check the network, the proxy and AI_API_URL of the service key"
    )]
    Unreachable {
        /// The host of the API.
        host: String,
        /// Whether the request may have been sent before the connection failed.
        sent: bool,
        /// What happened.
        message: String,
        /// The failure of the connection.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// A successful answer whose body is not what the API describes. Nothing of the body is told: it may repeat the token.
    #[error(
        "AI Core's answer cannot be understood: {message}; check that AI_API_URL of the service key leads to AI Core and not to a proxy's page"
    )]
    Malformed {
        /// What is wrong with the body.
        message: String,
    },
    /// A successful answer that was cut short, or a list that does not hold everything: it proves nothing.
    #[error("AI Core's answer is not complete: {message}; the request is made again later")]
    Incomplete {
        /// What is missing.
        message: String,
        /// The failure of the connection, when the body was cut.
        #[source]
        source: Option<Arc<reqwest::Error>>,
    },
    /// The server redirects (3xx). It is not followed, because the token would travel to another address.
    #[error(
        "AI Core's address answers with a redirect (HTTP {status}), which is not followed to keep the token safe; correct AI_API_URL of the service key"
    )]
    Insecure {
        /// The HTTP status code.
        status: u16,
    },
    /// An id or a resource group that no request can carry. Nothing was sent.
    #[error("the {what} `{value}` cannot be sent to AI Core; correct it")]
    InvalidArgument {
        /// What the value is.
        what: &'static str,
        /// The value, shortened.
        value: String,
    },
    /// A change was not wanted any more when its turn came. Nothing was sent.
    #[error(
        "the change was not sent, because its object has changed while it waited; the object is looked at again"
    )]
    Withdrawn,
    /// This process does not lead, or not any more, so it must not write.
    #[error("{0}")]
    NotLeading(#[from] Refusal),
    /// No Connection with credentials for the tenant is known. Nothing was sent.
    #[error("no Connection leads to the tenant at {} (identity zone `{}`); restore the Connection or its Secret", .0.api_url, .0.identity_zone_id)]
    NoConnection(Tenant),
}

// === impl Error ===

impl Error {
    /// Whether the request may have had its effect all the same: timeouts and closed connections after sending, 5xx, 408, redirects,
    /// and successful answers that cannot be read. After a create that failed so, only a later list tells.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Unreachable { sent, .. } => *sent,
            Self::NotLeading(refusal) => *refusal == Refusal::BrokenOff,
            Self::Unavailable { .. }
            | Self::Malformed { .. }
            | Self::Incomplete { .. }
            | Self::Insecure { .. } => true,
            Self::TokenRejected(_)
            | Self::TokenUnavailable { .. }
            | Self::CertificateExpired { .. }
            | Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::Rejected(_)
            | Self::RefusedInBulk(_)
            | Self::Throttled { .. }
            | Self::Crowded { .. }
            | Self::Withdrawn
            | Self::InvalidArgument { .. }
            | Self::NoConnection(_) => false,
        }
    }

    /// How long the server asks to be left alone, when it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. }
            | Self::Unavailable { retry_after, .. }
            | Self::TokenUnavailable { retry_after, .. } => *retry_after,
            Self::Crowded { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// Whether somebody has to change a Secret, a right or a spec. Everything else can heal by itself. An address that redirects counts as such,
    /// because a proxy on the way may do that for a while.
    pub fn needs_a_person(&self) -> bool {
        match self {
            Self::TokenRejected(_)
            | Self::CertificateExpired { .. }
            | Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::Rejected(_)
            | Self::InvalidArgument { .. }
            | Self::NoConnection(_) => true,
            Self::TokenUnavailable { .. }
            | Self::RefusedInBulk(_)
            | Self::Throttled { .. }
            | Self::Crowded { .. }
            | Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::Malformed { .. }
            | Self::Incomplete { .. }
            | Self::Insecure { .. }
            | Self::Withdrawn
            | Self::NotLeading(_) => false,
        }
    }

    /// Whether the credentials are what it is about, or the way to a token for them: a matter of whoever owns them.
    pub fn is_about_credentials(&self) -> bool {
        matches!(
            self,
            Self::TokenRejected(_)
                | Self::TokenUnavailable { .. }
                | Self::CertificateExpired { .. }
                | Self::Unauthorized(_)
        )
    }

    /// Whether other credentials of the same tenant could fare better: each has a token endpoint of its own, too.
    pub(super) fn depends_on_credentials(&self) -> bool {
        self.is_about_credentials() || matches!(self, Self::Forbidden(_))
    }

    /// The reason for a condition: `Unauthorized`, `CredentialsRejected`, `CertificateExpired`, `AccessDenied`, `RateLimited`, `Unreachable`, `Unavailable`,
    /// `NotFound`, `Refused`, `MalformedAnswer`, `Withdrawn` or `NotLeading`.
    pub fn reason(&self) -> Reason {
        match self {
            Self::TokenRejected(_) => Reason::CredentialsRejected,
            Self::CertificateExpired { .. } => Reason::CertificateExpired,
            Self::TokenUnavailable {
                status: None,
                source: Some(_),
                ..
            }
            | Self::Unreachable { .. } => Reason::Unreachable,
            Self::TokenUnavailable {
                status: Some(429), ..
            }
            | Self::Throttled { .. }
            | Self::Crowded { .. } => Reason::RateLimited,
            Self::TokenUnavailable { .. } | Self::Unavailable { .. } => Reason::Unavailable,
            Self::Unauthorized(_) | Self::NoConnection(_) => Reason::Unauthorized,
            Self::Forbidden(_) => Reason::AccessDenied,
            Self::NotFound(_) => Reason::NotFound,
            Self::Rejected(_) | Self::RefusedInBulk(_) | Self::InvalidArgument { .. } => {
                Reason::Refused
            }
            Self::Malformed { .. } | Self::Incomplete { .. } | Self::Insecure { .. } => {
                Reason::MalformedAnswer
            }
            Self::Withdrawn => Reason::Withdrawn,
            Self::NotLeading(_) => Reason::NotLeading,
        }
    }
}

/// The innermost cause of a failed connection: the outer layers only say that a request could not be sent.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(status: u16) -> Rejection {
        Rejection {
            status,
            code: None,
            message: "no".into(),
        }
    }

    #[test]
    fn only_a_request_that_reached_the_server_and_was_not_refused_has_an_unknown_outcome() {
        let malformed = Error::Malformed {
            message: "no id".into(),
        };
        let unavailable = Error::Unavailable {
            status: 503,
            retry_after: None,
            message: rejection(503),
        };
        let throttled = Error::Throttled {
            retry_after: None,
            message: rejection(429),
        };
        for (error, unknown) in [
            (malformed, true),
            (unavailable, true),
            (Error::Insecure { status: 303 }, true),
            (throttled, false),
            (Error::Rejected(rejection(400)), false),
            (Error::Unauthorized(rejection(401)), false),
            (Error::TokenRejected(rejection(401)), false),
        ] {
            assert_eq!(error.outcome_unknown(), unknown, "{error}");
        }
    }

    #[test]
    fn an_error_reads_as_a_sentence_with_what_the_server_said() {
        let error = Error::Forbidden(Rejection {
            status: 403,
            code: None,
            message: "RBAC: access denied".into(),
        });
        assert_eq!(
            error.to_string(),
            "AI Core denies access (HTTP 403: RBAC: access denied); check the name of the resource group and that the credentials may use it"
        );
    }
}
