//! JSON as signed texts need it: no name twice, no number that is not an integer.
//!
//! A reader that takes the last of two equal names and one that takes the first see different
//! claims under one signature (RFC 7515 §4, RFC 8725 §2.4 leave the choice open; we refuse). And a
//! number with a fraction or an exponent would be read as a float.

use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Levels of objects and arrays one text may nest. `serde_json` itself stops at 128.
pub const DEPTH_MAX: usize = 32;

/// Why a text is not the JSON we accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, a name twice in one object, a number that is not an integer, or nested deeper than
    /// [`DEPTH_MAX`].
    #[error("not a JSON text we accept")]
    Malformed,
    /// JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
}

/// Parses `text`. The text's length is the caller's to limit.
pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict { depth: 0 }.deserialize(&mut reader).map_err(|_| JsonError::Malformed)?;
    reader.end().map_err(|_| JsonError::Malformed)?;
    Ok(value)
}

/// Parses `text`, which must be an object.
pub fn parse_object(text: &[u8]) -> Result<Map<String, Value>, JsonError> {
    match parse(text)? {
        Value::Object(map) => Ok(map),
        _ => Err(JsonError::NotAnObject),
    }
}

/// Whether every number in `value` is an integer and no level lies deeper than [`DEPTH_MAX`].
pub fn is_exact(value: &Value) -> bool {
    fn check(value: &Value, depth: usize) -> bool {
        match value {
            Value::Number(number) => number.is_u64() || number.is_i64(),
            Value::Array(items) => {
                depth < DEPTH_MAX && items.iter().all(|item| check(item, depth + 1))
            }
            Value::Object(map) => {
                depth < DEPTH_MAX && map.values().all(|item| check(item, depth + 1))
            }
            _ => true,
        }
    }
    check(value, 0)
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom("nested too deep"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated names and without fractions")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(inner)?;
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a name twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_twice_is_refused_at_any_level() {
        assert!(parse(br#"{"a":1,"a":1}"#).is_err());
        assert!(parse(br#"[{"b":{"a":1,"a":2}}]"#).is_err());
        assert!(parse(br#"{"a":1,"b":{"a":2}}"#).is_ok());
    }

    #[test]
    fn a_number_that_is_not_an_integer_is_refused() {
        for text in ["1.0", "1e2", "[0.1]", "18446744073709551616", "-0.0"] {
            assert_eq!(parse(text.as_bytes()), Err(JsonError::Malformed), "{text}");
        }
        assert_eq!(parse(b"18446744073709551615"), Ok(Value::from(u64::MAX)));
        assert_eq!(parse(b"-9223372036854775808"), Ok(Value::from(i64::MIN)));
    }

    #[test]
    fn nesting_is_accepted_at_the_limit_and_refused_one_past_it() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert!(parse(nested(DEPTH_MAX + 1).as_bytes()).is_err());
    }

    #[test]
    fn text_behind_the_value_is_refused() {
        assert!(parse(b"{} x").is_err());
        assert!(parse_object(b"[]").is_err());
    }
}
