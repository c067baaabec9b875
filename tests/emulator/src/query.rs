//! The query of a request, and what AI Core's parameters have in common.

use crate::errors::ApiError;
use crate::settings::{BareTop, Settings};

/// Most results that a list may be asked for [OpenAPI document, parameter `$top`].
const MAXIMUM_TOP: usize = 100_000;

/// The parameters of a query, decoded, in their order.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) top: usize,
    pub(crate) skip: usize,
}

impl Query {
    /// Reads the query of a request, or a form.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The values of a list parameter: separated by commas, or repeated.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&str>> {
        let values: Vec<&str> = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','))
            .collect();
        (!values.is_empty()).then_some(values)
    }

    /// A parameter that is `true` or `false`; false when absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(ApiError::bad_request(format!(
                "{name} is {other:?}, but must be true or false"
            ))),
        }
    }

    /// A parameter that is a whole number from `minimum` to `maximum`.
    pub(crate) fn number(
        &self,
        name: &str,
        minimum: usize,
        maximum: usize,
    ) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number = text
            .parse()
            .ok()
            .filter(|number| (minimum..=maximum).contains(number));
        number.map(Some).ok_or_else(|| {
            ApiError::bad_request(format!(
                "{name} is {text:?}, but must be a whole number from {minimum} to {maximum}"
            ))
        })
    }

    /// `$select`: AI Core knows the value `status` alone.
    pub(crate) fn selects_status(&self) -> Result<bool, ApiError> {
        match self.get("$select") {
            None => Ok(false),
            Some("status") => Ok(true),
            Some(other) => Err(ApiError::bad_request(format!(
                "$select is {other:?}, but must be status"
            ))),
        }
    }

    /// `$top` and `$skip` of a list.
    pub(crate) fn page(&self, settings: &Settings) -> Result<Page, ApiError> {
        let mut top = self.number("$top", 0, MAXIMUM_TOP)?;
        let mut skip = self.number("$skip", 0, usize::MAX)?;
        if settings.bare_top == BareTop::Honour {
            top = top.or(self.number("top", 0, MAXIMUM_TOP)?);
            skip = skip.or(self.number("skip", 0, usize::MAX)?);
        }
        Ok(Page {
            top: top.unwrap_or(settings.list_default_top),
            skip: skip.unwrap_or(0),
        })
    }
}

impl Page {
    /// The part of `all` that the page shows.
    pub(crate) fn of<T>(self, all: impl Iterator<Item = T>) -> Vec<T> {
        all.skip(self.skip).take(self.top).collect()
    }
}
