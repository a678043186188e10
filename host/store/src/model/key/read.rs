//! Reads the fields of a key or of attributes: keeps those that are wanted, and only checks the rest.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{KeyError, no_object, quote};

/// A value as it may stand in a key.
#[derive(Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Text(Cow<'a, str>),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    Null,
    Nested,
}

impl Scalar<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>, field: &str) -> Result<(), KeyError> {
        let written = match self {
            Self::Text(text) => return quote(out, text),
            Self::Unsigned(number) => write!(out, "{number}"),
            Self::Signed(number) => write!(out, "{number}"),
            Self::Float(number) if is_exact(*number) => write!(out, "{:.0}", number + 0.0),
            Self::Float(number) => {
                return Err(KeyError::Fraction { field: field.to_owned(), number: *number });
            }
            Self::Bool(value) => write!(out, "{value}"),
            Self::Null => out.write_all(b"null"),
            Self::Nested => return Err(KeyError::Nested { field: field.to_owned() }),
        };
        written.map_err(|error| no_object("key", &error))
    }
}

/// Whether a number with a point or an exponent is a whole one that no language writes in two ways.
fn is_exact(number: f64) -> bool {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.fract() == 0.0 && number.abs() < EXACT
}

/// What was found of an object.
pub(super) struct Object<'a> {
    /// In the order in which they were wanted.
    pub(super) values: Vec<Option<Scalar<'a>>>,
    /// The first field that was not wanted.
    pub(super) unknown: Option<String>,
    /// The first wanted field that came twice.
    twice: Option<String>,
}

pub(super) fn read<'a>(
    what: &'static str,
    text: &'a str,
    wanted: Vec<&str>,
) -> Result<Object<'a>, KeyError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let object = Fields(wanted)
        .deserialize(&mut deserializer)
        .and_then(|object| deserializer.end().map(|()| object))
        .map_err(|error| no_object(what, &error))?;
    match object.twice {
        Some(field) => Err(KeyError::Twice { what, field }),
        None => Ok(object),
    }
}

/// Reads an object, keeps the wanted fields, and only checks the rest.
struct Fields<'w>(Vec<&'w str>);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Object<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Object<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let values = self.0.iter().map(|_| None).collect();
        let mut object = Object { values, unknown: None, twice: None };
        while let Some(name) = map.next_key_seed(AnyScalar)? {
            let Scalar::Text(name) = name else { continue };
            let Some(place) = self.0.iter().position(|wanted| *wanted == name) else {
                object.unknown.get_or_insert_with(|| name.into_owned());
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value_seed(AnyScalar)?;
            if let Some(slot) = object.values.get_mut(place)
                && slot.replace(value).is_some()
            {
                object.twice.get_or_insert_with(|| name.into_owned());
            }
        }
        Ok(object)
    }
}

struct AnyScalar;

impl<'de> DeserializeSeed<'de> for AnyScalar {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Scalar<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Unsigned(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Signed(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Float(number))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }
}
