//! Refusals: from the API itself, in its envelope, and from the gateway in front of it, in plain text.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::call::Answer;
use crate::lifecycle::{Refused, Status};
use crate::settings::{ErrorShape, ErrorStatus, RequestIdSpelling, Settings};

/// Code of an operation that the status of a deployment does not allow, as the troubleshooting pages show it.
pub(crate) const STATUS_CODE: &str = "01010076";
/// Code of a configuration that cannot be used, as users of the service reported it.
pub(crate) const CONFIGURATION_CODE: &str = "01510003";
// The codes below are published nowhere; nobody may rely on them.
const BAD_REQUEST_CODE: &str = "01010001";
const NOT_FOUND_CODE: &str = "01010004";
const QUOTA_CODE: &str = "01510029";
const GONE_CODE: &str = "01010010";

/// A refusal of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// From the gateway: plain text, never in the envelope.
    gateway: bool,
}

impl ApiError {
    fn api(status: StatusCode, code: &'static str, message: String) -> Self {
        Self {
            status,
            code,
            message,
            gateway: false,
        }
    }

    fn gateway(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            code: "",
            message: message.to_owned(),
            gateway: true,
        }
    }

    /// The request itself is wrong.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::api(StatusCode::BAD_REQUEST, BAD_REQUEST_CODE, message.into())
    }

    /// No deployment of this id in this resource group.
    pub(crate) fn deployment_not_found(id: &str, settings: &Settings) -> Self {
        let message = format!("Deployment ID {id} not found");
        Self::api(client_error(settings.gone_status), NOT_FOUND_CODE, message)
    }

    /// What the path names is not there.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::api(StatusCode::NOT_FOUND, NOT_FOUND_CODE, message.into())
    }

    /// The status of the deployment does not allow what was asked for.
    pub(crate) fn refused(refused: &Refused, status: ErrorStatus) -> Self {
        let Refused(current) = refused;
        Self::api(client_error(status), STATUS_CODE, status_message(current))
    }

    /// The configuration cannot be used for a deployment.
    pub(crate) fn unusable_configuration(id: &str, why: &str) -> Self {
        let message = format!(
            "Invalid Request, Runtime Adapter Exception; The Configuration {id} you've provided is invalid: {why}"
        );
        Self::api(StatusCode::BAD_REQUEST, CONFIGURATION_CODE, message)
    }

    /// One more deployment would be too many.
    pub(crate) fn over_quota(limit: usize, status: ErrorStatus) -> Self {
        let message = format!(
            "The deployment quota is exhausted: {limit} deployments are allowed, stopped ones included. Delete one first"
        );
        Self::api(client_error(status), QUOTA_CODE, message)
    }

    /// A continue token that does not work any more.
    pub(crate) fn expired_continue_token() -> Self {
        Self::api(
            StatusCode::GONE,
            GONE_CODE,
            "The continue token has expired, list again without it".to_owned(),
        )
    }

    /// The resource group is not there, or not ready.
    pub(crate) fn group_not_found(id: &str) -> Self {
        Self::not_found(format!("Resource group {id} not found"))
    }

    /// The gateway does not let this caller through to this resource group.
    pub(crate) fn access_denied() -> Self {
        Self::gateway(StatusCode::FORBIDDEN, "RBAC: access denied")
    }

    /// The gateway got a token whose time is over.
    pub(crate) fn token_expired() -> Self {
        Self::gateway(StatusCode::UNAUTHORIZED, "Jwt is expired")
    }

    /// The gateway got no token.
    pub(crate) fn token_missing() -> Self {
        Self::gateway(StatusCode::UNAUTHORIZED, "Jwt is missing")
    }

    /// The gateway got a token from somebody else.
    pub(crate) fn token_foreign() -> Self {
        Self::gateway(StatusCode::UNAUTHORIZED, "Jwt issuer is not configured")
    }

    /// The path leads nowhere.
    pub(crate) fn no_route() -> Self {
        Self::gateway(StatusCode::NOT_FOUND, "404 page not found")
    }

    /// The path does not take this method.
    pub(crate) fn method_not_allowed() -> Self {
        Self::gateway(StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed")
    }

    /// A fault of the emulator itself.
    pub(crate) fn internal(message: String) -> Self {
        Self::api(StatusCode::INTERNAL_SERVER_ERROR, "500", message)
    }

    /// The content of the envelope. SAP's Python SDK wants all four fields.
    pub(crate) fn body(&self, settings: &Settings, request_id: &str, target: &str) -> Value {
        let mut body = json!({"code": self.code, "message": self.message, "target": target});
        let name = match settings.request_id_spelling {
            RequestIdSpelling::RequestId => "requestId",
            RequestIdSpelling::RequestIdCapital => "requestID",
            RequestIdSpelling::SnakeCase => "request_id",
            RequestIdSpelling::Absent => return body,
        };
        body[name] = json!(request_id);
        body
    }

    /// The answer that carries this refusal.
    pub(crate) fn answer(&self, settings: &Settings, request_id: &str, target: &str) -> Answer {
        let shape = if self.gateway {
            ErrorShape::PlainText
        } else {
            settings.error_shape
        };
        let mut answer = match shape {
            ErrorShape::Envelope => Answer::json(
                self.status,
                &json!({"error": self.body(settings, request_id, target)}),
            ),
            ErrorShape::PlainText => Answer::text(self.status, self.message.clone()),
            ErrorShape::Html => Answer::text(self.status, html_page(self.status)),
            ErrorShape::Empty => Answer::empty(self.status),
        };
        if shape == ErrorShape::Html {
            answer.headers.insert(
                header::CONTENT_TYPE,
                header::HeaderValue::from_static("text/html"),
            );
        }
        answer
    }
}

/// The sentence about a status that forbids a call.
fn status_message(current: &Status) -> String {
    format!("Invalid Request, Current status {current} cannot be changed")
}

fn client_error(status: ErrorStatus) -> StatusCode {
    StatusCode::from_u16(status.into()).unwrap_or(StatusCode::BAD_REQUEST)
}

/// A page as a proxy makes it: it tells the status and nothing of the cause.
fn html_page(status: StatusCode) -> String {
    format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
}
