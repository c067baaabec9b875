//! JSON without a known form, as much of it as may matter.

use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How many values are kept. AI Core allows 5,000 characters where it uses this (`AiDeploymentDetails`).
const MAX_VALUES: usize = 2_000;

/// The first values of some JSON, in the order of the text. The rest is read and forgotten: a value takes many times the memory of its text, and
/// `[],` three bytes.
#[derive(Default)]
pub(super) struct Sketch(pub(super) Value);

impl<'de> Deserialize<'de> for Sketch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let left = Cell::new(MAX_VALUES);
        Left(&left).deserialize(deserializer).map(Sketch)
    }
}

/// How many more values are kept.
#[derive(Clone, Copy)]
struct Left<'a>(&'a Cell<usize>);

impl Left<'_> {
    fn is_nothing(self) -> bool {
        self.0.get() == 0
    }
}

impl<'de> DeserializeSeed<'de> for Left<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.set(self.0.get().saturating_sub(1));
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Left<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while !self.is_nothing() {
            match list.next_element_seed(self)? {
                Some(value) => kept.push(value),
                None => return Ok(kept.into()),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(kept.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while !self.is_nothing() {
            match map.next_key::<String>()? {
                Some(key) => kept.insert(key, map.next_value_seed(self)?),
                None => return Ok(kept.into()),
            };
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(kept.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sketch(text: &str) -> Value {
        serde_json::from_str::<Sketch>(text).unwrap().0
    }

    #[test]
    fn what_is_short_is_kept_whole() {
        let value = json!({"a": [1, -1, 1.5, true, null, "text", {"b": {}}], "c": []});
        assert_eq!(sketch(&value.to_string()), value);
    }

    #[test]
    fn of_what_is_long_the_beginning_is_kept() {
        let long = format!(
            r#"{{"first": 1, "long": [{}0], "last": 1}}"#,
            "[],".repeat(MAX_VALUES)
        );
        let kept = sketch(&long);
        assert_eq!(kept["first"], 1);
        assert_eq!(kept["long"].as_array().map(Vec::len), Some(MAX_VALUES - 3));
        assert_eq!(kept.get("last"), None);
    }

    #[test]
    fn what_is_no_json_is_refused_behind_the_beginning_too() {
        let cut = format!("[{}", "0,".repeat(2 * MAX_VALUES));
        assert!(serde_json::from_str::<Sketch>(&cut).is_err());
    }
}
