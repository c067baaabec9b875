//! Why a Secret, or a file, does not give a usable service key.

/// Why a Secret, or a file, does not give a usable service key. No variant repeats a value of it.
#[derive(Debug, thiserror::Error)]
pub enum ServiceKeyError {
    /// The key of the Secret that was asked for is not there.
    #[error(
        "the Secret has no key `{key}`; it has: {present}; name the right one in spec.secretRef.key"
    )]
    NoSuchKey {
        /// The key that was asked for.
        key: String,
        /// The keys that the Secret has, separated by commas.
        present: String,
    },
    /// No entry of the Secret looks like credentials of AI Core.
    #[error(
        "the Secret holds no AI Core service key: neither an entry `clientid` nor one whose value is JSON with `clientid` \
         (it has: {present}); store the service key's JSON under `key`"
    )]
    NoServiceKey {
        /// The keys that the Secret has, separated by commas.
        present: String,
    },
    /// Several entries hold a service key, and guessing could reach the wrong tenant.
    #[error(
        "several keys of the Secret hold a service key ({keys}); name the right one in spec.secretRef.key"
    )]
    Several {
        /// The keys that hold one, separated by commas.
        keys: String,
    },
    /// The value is not a JSON object.
    #[error(
        "the value under `{key}` of the Secret is not a JSON object (line {line}, column {column}); paste the whole service key"
    )]
    NotJson {
        /// The key of the Secret.
        key: String,
        /// The line of the fault, counted from 1; 0 when the JSON is sound but no object.
        line: usize,
        /// The column of the fault, counted from 1; 0 when the JSON is sound but no object.
        column: usize,
    },
    /// The service key itself is not a JSON object.
    #[error(
        "the service key is not a JSON object (line {line}, column {column}); give the whole service key, as SAP BTP shows it"
    )]
    NoObject {
        /// The line of the fault, counted from 1; 0 when the JSON is sound but no object.
        line: usize,
        /// The column of the fault, counted from 1; 0 when the JSON is sound but no object.
        column: usize,
    },
    /// A field that every service key with a client secret has is missing or empty.
    #[error(
        "the service key lacks `{field}`; create a new service key or binding and store it whole"
    )]
    MissingField {
        /// The field's name as AI Core writes it.
        field: &'static str,
    },
    /// A URL of the service key cannot be used.
    #[error("`{field}` of the service key is not usable: {why}; store the service key unchanged")]
    InvalidUrl {
        /// The field's name as AI Core writes it.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The identity zone is none that could be: it becomes part of texts and of the labels of metrics.
    #[error(
        "`{field}` of the service key is not usable: it has to be 1 to 64 letters, digits, `.`, `_` and `-`; store the service key unchanged"
    )]
    InvalidZone {
        /// The field's name as AI Core writes it.
        field: &'static str,
    },
    /// A URL of the service key is plain http, so secret and token would travel in the clear.
    #[error(
        "`{field}` of the service key is a plain http address; use https, or allow http with --allow-http where nothing is at stake"
    )]
    Insecure {
        /// The field's name as AI Core writes it.
        field: &'static str,
    },
    /// The certificate or the private key of an X.509 service key is no PEM, or the two do not belong together. The cause is kept back: it could
    /// quote them.
    #[error(
        "`certificate` and `key` of the service key cannot be used: they have to be a certificate chain and its private key in PEM; store the service key unchanged"
    )]
    InvalidCertificate,
    /// The HTTP client could not be set up, for instance because the system has no CA certificates.
    #[error("the HTTP client cannot be set up; check that the system has CA certificates")]
    HttpClient(#[source] reqwest::Error),
}
