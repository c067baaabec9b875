//! Headers that name an address: `Link` (RFC 8288), by which the list of resource groups is paged, and `Location`.

use reqwest::Url;
use reqwest::header::{HeaderMap, LINK, LOCATION};

use super::error::Error;

/// The `continueToken` of the link to the next page; none on the last page.
///
/// Only the token is taken from the link, never its address: the access token must not follow a link to another host.
pub(super) fn continue_token(headers: &HeaderMap) -> Result<Option<String>, Error> {
    // A title may hold any bytes. A header that was left out for them would make its page look like the last one.
    let values = headers.get_all(LINK).iter();
    let values: Vec<_> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    // Splitting at '<' is safe: it stands in no URL, and a quoted parameter that holds one only makes a piece without a target.
    for link in values.iter().flat_map(|value| value.split('<').skip(1)) {
        let Some((target, parameters)) = link.split_once('>') else {
            continue;
        };
        if leads_on(parameters) {
            return match token_of(target) {
                Some(token) => Ok(Some(token)),
                None => Err(Error::Incomplete {
                    message:
                        "there are more resource groups, but the link to them has no continueToken"
                            .to_owned(),
                    source: None,
                }),
            };
        }
    }
    Ok(None)
}

/// Whether a link leads to the next page: by `rel=next`, or without any `rel`, because the specification does not mention one. Where there seem to
/// be several, one is enough: a title can look like a `rel`, and a page too many does no harm.
fn leads_on(parameters: &str) -> bool {
    let relations = parameters.split(';').filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("rel")
            .then(|| value.trim().trim_end_matches(',').trim().trim_matches('"'))
    });
    let mut relations = relations.peekable();
    relations.peek().is_none()
        || relations
            .flat_map(str::split_whitespace)
            .any(|word| word.eq_ignore_ascii_case("next"))
}

/// The id of what was created in a collection: the last segment of the path of `Location`.
pub(super) fn created_id(headers: &HeaderMap, collection: &[&str]) -> Option<String> {
    let location = address(headers.get(LOCATION)?.to_str().ok()?)?;
    let id = location
        .path_segments()?
        .rfind(|segment| !segment.is_empty())?;
    // Ids of AI Core need no encoding. The address of the collection itself names nothing in it.
    let is_id = id
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    (is_id && !collection.contains(&id)).then(|| id.to_owned())
}

/// A relative address needs a base to be read; which one does not matter.
fn address(text: &str) -> Option<Url> {
    Url::parse("https://localhost").ok()?.join(text).ok()
}

fn token_of(target: &str) -> Option<String> {
    let url = address(target)?;
    url.query_pairs()
        .find(|(name, _)| name == "continueToken")
        .map(|(_, token)| token.into_owned())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn token(link: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(LINK, link.parse().unwrap());
        continue_token(&headers).unwrap()
    }

    #[test]
    fn the_token_of_the_next_page_is_taken_from_any_form_of_link() {
        for link in [
            "<https://api.example.com/v2/admin/resourceGroups?continueToken=a%2Fb>; rel=\"next\"",
            "</v2/admin/resourceGroups?$top=5&continueToken=a%2Fb>; rel=next",
            "</v2/admin/resourceGroups?continueToken=a%2Fb>",
            "</first>; rel=\"first\", </v2/x?continueToken=a%2Fb>; title=\"more\"; REL=\"next\"",
        ] {
            assert_eq!(token(link).as_deref(), Some("a/b"), "{link}");
        }
    }

    #[test]
    fn the_id_of_what_was_created_ends_its_location() {
        let id = |location: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, location.parse().unwrap());
            created_id(&headers, &["lm", "deployments"])
        };
        for location in [
            "/v2/lm/deployments/d1234",
            "https://api.example.com/v2/lm/deployments/d1234/?expand=x",
            "d1234",
        ] {
            assert_eq!(id(location).as_deref(), Some("d1234"), "{location}");
        }
        for location in ["/v2/lm/deployments/", "/", "/v2/lm/deployments/a%2Fb"] {
            assert_eq!(id(location), None, "{location}");
        }
        assert_eq!(created_id(&HeaderMap::new(), &[]), None);
    }

    #[test]
    fn a_title_hides_no_page_whatever_it_holds() {
        let link = b"</v2/x?continueToken=a>; rel=\"next\"; title=\"M\xfcller\"";
        let link = HeaderValue::from_bytes(link).unwrap();
        let headers = HeaderMap::from_iter([(LINK, link)]);
        assert_eq!(continue_token(&headers).unwrap().as_deref(), Some("a"));
        let link = "</v2/x?continueToken=a>; title=\"; rel=prev\"; rel=next";
        assert_eq!(token(link).as_deref(), Some("a"));
    }

    #[test]
    fn a_link_elsewhere_is_the_last_page() {
        assert_eq!(continue_token(&HeaderMap::new()).unwrap(), None);
        assert_eq!(
            token("</docs>; rel=\"help\", </v2?continueToken=x>; rel=prev"),
            None
        );
    }

    #[test]
    fn a_next_page_without_a_token_is_not_taken_for_the_last_one() {
        let mut headers = HeaderMap::new();
        headers.insert(
            LINK,
            "</v2/admin/resourceGroups?page=2>; rel=next"
                .parse()
                .unwrap(),
        );
        assert!(matches!(
            continue_token(&headers),
            Err(Error::Incomplete { .. })
        ));
    }
}
