//! Where in a Secret the credentials are.
//!
//! A Secret holds a service key in one of four layouts: the JSON of a service key under one key of the Secret (as `kubectl create
//! secret --from-file` makes it), or one of the three layouts of a SAP BTP service operator `ServiceBinding`: one entry per
//! credential, all credentials as JSON under its `secretKey`, or everything as JSON under its `secretRootKey`.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use serde_json::{Map, Value};

use super::service_key_error::ServiceKeyError;

/// The key of a Secret that is looked at first when none is named.
const DEFAULT_KEY: &str = "key";

/// The credentials as one object, from the entry `key` or from wherever they are.
pub(super) fn credentials(
    data: &BTreeMap<String, ByteString>,
    key: Option<&str>,
) -> Result<Map<String, Value>, ServiceKeyError> {
    match key {
        Some(key) => {
            let value = data.get(key).ok_or_else(|| ServiceKeyError::NoSuchKey {
                key: key.to_owned(),
                present: join(data.keys()),
            })?;
            credentials_within(parse_object(key, value)?)
                .ok_or(ServiceKeyError::MissingField { field: "clientid" })
        }
        None if data.contains_key("clientid") => Ok(flat_credentials(data)),
        None => only_credentials(data),
    }
}

/// One entry per credential: the entries are the credentials.
fn flat_credentials(data: &BTreeMap<String, ByteString>) -> Map<String, Value> {
    data.iter()
        .filter_map(|(key, value)| {
            let value = std::str::from_utf8(&value.0).ok()?;
            Some((key.clone(), Value::from(value)))
        })
        .collect()
}

/// The entry `key`, or the only one that holds credentials.
fn only_credentials(
    data: &BTreeMap<String, ByteString>,
) -> Result<Map<String, Value>, ServiceKeyError> {
    let mut found: BTreeMap<&String, Map<String, Value>> = data
        .iter()
        .filter_map(|(key, value)| Some((key, credentials_within(parse_object(key, value).ok()?)?)))
        .collect();
    if let Some(credentials) = found.remove(&DEFAULT_KEY.to_owned()) {
        return Ok(credentials);
    }
    if found.len() > 1 {
        return Err(ServiceKeyError::Several {
            keys: join(found.keys().copied()),
        });
    }
    if let Some((_, credentials)) = found.pop_first() {
        return Ok(credentials);
    }
    match (data.len(), data.first_key_value()) {
        // A single entry was clearly meant to be the key, so say what is wrong with it.
        (1, Some((key, value))) => {
            parse_object(key, value)?;
            Err(ServiceKeyError::MissingField { field: "clientid" })
        }
        _ => Err(ServiceKeyError::NoServiceKey {
            present: join(data.keys()),
        }),
    }
}

/// The object itself, or the first value one level below it that has a `clientid`: with both `secretRootKey` and `secretKey` set,
/// a binding nests the credentials in the root object, as an object or as JSON text.
fn credentials_within(object: Map<String, Value>) -> Option<Map<String, Value>> {
    if object.contains_key("clientid") {
        return Some(object);
    }
    object
        .into_iter()
        .filter_map(|(_, value)| object_of(value))
        .find(|inner| inner.contains_key("clientid"))
}

fn parse_object(key: &str, value: &ByteString) -> Result<Map<String, Value>, ServiceKeyError> {
    // The parser's own message may quote the text, which is the secret: only the place is passed on.
    let not_json = |line, column| ServiceKeyError::NotJson {
        key: key.to_owned(),
        line,
        column,
    };
    match serde_json::from_slice(&value.0) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(not_json(0, 0)),
        Err(error) => Err(not_json(error.line(), error.column())),
    }
}

pub(super) fn object_of(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        Value::String(text) => serde_json::from_str(&text).ok(),
        _ => None,
    }
}

fn join<'a>(keys: impl Iterator<Item = &'a String>) -> String {
    let joined = keys.map(String::as_str).collect::<Vec<_>>().join(", ");
    if joined.is_empty() {
        "nothing".to_owned()
    } else {
        joined
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn credentials() -> Value {
        json!({
            "clientid": "sb-1", "clientsecret": "s3cret-value",
            "serviceurls": {"AI_API_URL": "https://api.ai.example.com"},
        })
    }

    fn secret<const N: usize>(entries: [(&str, String); N]) -> BTreeMap<String, ByteString> {
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), ByteString(value.into_bytes())))
            .collect()
    }

    fn read<const N: usize>(
        entries: [(&str, String); N],
    ) -> Result<Map<String, Value>, ServiceKeyError> {
        super::credentials(&secret(entries), None)
    }

    fn assert_found(found: &Map<String, Value>) {
        assert_eq!(found["clientid"], "sb-1");
        assert!(
            found["clientsecret"]
                .as_str()
                .unwrap()
                .starts_with("s3cret-value")
        );
        assert!(
            object_of(found["serviceurls"].clone())
                .unwrap()
                .contains_key("AI_API_URL")
        );
    }

    #[test]
    fn a_service_key_is_found_under_any_single_key() {
        assert_found(&read([("key", credentials().to_string())]).unwrap());
        assert_found(
            &read([
                ("my-key.json", credentials().to_string()),
                ("note", "hello".into()),
            ])
            .unwrap(),
        );
        let both = secret([
            ("first", credentials().to_string()),
            ("second", "{}".into()),
        ]);
        assert_found(&super::credentials(&both, Some("first")).unwrap());
    }

    #[test]
    fn a_binding_with_one_entry_per_credential_is_read() {
        let entries = [
            ("clientid", "sb-1".to_owned()),
            ("clientsecret", "s3cret-value\n".to_owned()),
            ("url", "https://zone.authentication.example.com".to_owned()),
            ("identityzoneid", "zone-id".to_owned()),
            (
                "serviceurls",
                r#"{"AI_API_URL":"https://api.ai.example.com/v2"}"#.to_owned(),
            ),
            ("type", "aicore".to_owned()),
            ("tags", r#"["aicore"]"#.to_owned()),
        ];
        assert_found(&read(entries).unwrap());
    }

    #[test]
    fn a_binding_with_secret_key_or_root_key_or_both_is_read() {
        assert_found(
            &read([
                ("credentials", credentials().to_string()),
                ("type", "aicore".into()),
            ])
            .unwrap(),
        );
        let mut root = credentials();
        root["type"] = json!("aicore");
        root["serviceurls"] = json!(r#"{"AI_API_URL":"https://api.ai.example.com/"}"#);
        assert_found(&read([("root", root.to_string())]).unwrap());
        assert_found(
            &read([(
                "root",
                json!({"type": "aicore", "inner": credentials()}).to_string(),
            )])
            .unwrap(),
        );
        let as_text = json!({"plan": "extended", "inner": credentials().to_string()});
        assert_found(&read([("root", as_text.to_string())]).unwrap());
    }

    #[test]
    fn two_service_keys_in_one_secret_need_a_name() {
        let error = read([
            ("a", credentials().to_string()),
            ("b", credentials().to_string()),
        ])
        .unwrap_err();
        assert!(
            matches!(&error, ServiceKeyError::Several { keys } if keys == "a, b"),
            "{error}"
        );
        let missing =
            super::credentials(&secret([("a", credentials().to_string())]), Some("c")).unwrap_err();
        assert!(
            matches!(missing, ServiceKeyError::NoSuchKey { .. }),
            "{missing}"
        );
    }
}
