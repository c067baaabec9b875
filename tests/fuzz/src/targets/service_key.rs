//! A Secret: the key that is asked for, or an empty line; then each entry, its name on the first line.
//!
//! What is read opens exactly what the Secret says, and no text shows a value of the Secret that is not public.

use std::collections::BTreeMap;

use aicore_operator::aicore::{ServiceKey, Tenant, Validity, fuzzing};
use k8s_openapi::ByteString;
use serde_json::json;

use super::{MARKER, shown};
use crate::bounds::in_proportion;
use crate::input::{first_line, first_part, parts, text};

pub fn run(input: &[u8]) {
    let (wanted, entries) = first_part(input);
    let wanted = text(wanted);
    let entries = parts(entries).into_iter().map(first_line);
    let secret: BTreeMap<String, ByteString> = entries
        .map(|(name, value)| (text(name), ByteString(value.to_vec())))
        .collect();
    let wanted = (!wanted.is_empty()).then_some(&*wanted);
    if let Some(Err(error)) = secret
        .values()
        .next()
        .map(|json| ServiceKey::from_json(&json.0))
    {
        assert!(!shown(&error).contains(MARKER), "{error}");
    }
    let outcome = in_proportion(input.len(), || ServiceKey::from_secret(&secret, wanted));
    let names = format!("{wanted:?}{:?}", secret.keys());
    match outcome {
        Err(error) => {
            let shown = shown(&error);
            // The names of the entries are shown, and only they.
            assert!(names.contains(MARKER) || !shown.contains(MARKER), "{shown}");
        }
        Ok(key) => {
            its_addresses_are_usable(&key);
            its_certificate_ends_after_the_warning(&key);
            it_does_not_show_its_secret(&key);
            it_comes_back(&key);
        }
    }
}

fn its_addresses_are_usable(key: &ServiceKey) {
    for url in [key.api_url(), key.token_url()] {
        assert!(matches!(url.scheme(), "http" | "https"), "{url}");
        assert!(url.has_host() && url.username().is_empty(), "{url}");
        let extra = (url.password(), url.query(), url.fragment());
        assert_eq!(extra, (None, None, None), "{url}");
    }
    assert_eq!(key.api_url().path(), "/");
    assert!(key.token_url().path().ends_with("/oauth/token"));
    let tenant = key.tenant();
    assert_eq!(tenant.api_url, key.api_url().origin().ascii_serialization());
    assert!(!tenant.identity_zone_id.is_empty());
}

fn its_certificate_ends_after_the_warning(key: &ServiceKey) {
    let Some(validity) = key.certificate() else {
        return;
    };
    assert!(validity.warn_from() <= validity.not_after, "{validity:?}");
    assert!(!validity.is_over(validity.not_after), "{validity:?}");
    let written = serde_json::to_value(validity).expect("it is two times");
    let again: Validity = serde_json::from_value(written).expect("it can be read again");
    assert_eq!(again, validity);
}

fn it_does_not_show_its_secret(key: &ServiceKey) {
    let tenant = key.tenant();
    let public = [
        key.client_id(),
        key.token_url().as_str(),
        key.api_url().as_str(),
        &tenant.identity_zone_id,
    ];
    if !public.iter().any(|public| public.contains(MARKER)) {
        let shown = format!("{key:?} {tenant:?} {}", key.fingerprint());
        assert!(!shown.contains(MARKER), "{shown}");
    }
}

/// A key that is written down as it was read is the same key.
fn it_comes_back(key: &ServiceKey) {
    let secret = fuzzing::secret(key);
    // Where no zone was named, the address of the token endpoint stands in for it, which is none.
    let zone = Some(&key.tenant().identity_zone_id).filter(|zone| !zone.contains('/'));
    let written = json!({
        "clientid": key.client_id(), "clientsecret": secret, "url": key.token_url().as_str(),
        "identityzoneid": zone, "serviceurls": {"AI_API_URL": key.api_url().as_str()},
    });
    let alone = ServiceKey::from_json(written.to_string().as_bytes());
    let entry = ByteString(written.to_string().into_bytes());
    let again = ServiceKey::from_secret(&[("key".to_owned(), entry)].into(), Some("key"));
    let again = again.expect("it can be read again");
    assert_eq!(again.tenant(), key.tenant());
    let alone = alone.expect("it can be read outside of a Secret");
    assert_eq!(alone.fingerprint(), again.fingerprint());
    // The white space around a certificate is no part of a client secret.
    if secret.trim() == secret {
        assert_eq!(again.fingerprint(), key.fingerprint());
    }
    let tenant = serde_json::to_value(key.tenant()).expect("it is plain texts");
    let tenant: Tenant = serde_json::from_value(tenant).expect("it can be read again");
    assert_eq!(&tenant, key.tenant());
}
