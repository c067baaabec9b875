//! The addresses that a service key names.

use reqwest::Url;

use super::service_key_error::ServiceKeyError;

fn parse_url(field: &'static str, value: &str) -> Result<Url, ServiceKeyError> {
    let invalid = |why| ServiceKeyError::InvalidUrl { field, why };
    let url = Url::parse(value).map_err(|_| invalid("it is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("it does not begin with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it holds a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("it has a query or fragment"));
    }
    Ok(url)
}

/// The AI API without its usual path.
pub(super) fn api_url(value: &str) -> Result<Url, ServiceKeyError> {
    let field = "serviceurls.AI_API_URL";
    let mut url = parse_url(field, value)?;
    if !matches!(url.path().trim_end_matches('/'), "" | "/v2") {
        return Err(ServiceKeyError::InvalidUrl {
            field,
            why: "it has a path other than /v2",
        });
    }
    url.set_path("");
    Ok(url)
}

/// Where tokens are issued below the address in `field`.
pub(super) fn token_url(field: &'static str, value: &str) -> Result<Url, ServiceKeyError> {
    let mut url = parse_url(field, value)?;
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/oauth/token").unwrap_or(path);
    let path = format!("{path}/oauth/token");
    url.set_path(&path);
    Ok(url)
}
