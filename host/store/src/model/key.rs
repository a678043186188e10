//! Canonical keys: one text, one digest for a key, however it was written.
//!
//! A key has the fields of its type's `unit_key` in that order, without blanks; text, whole numbers, true, false and
//! null only (a fraction has no one form that every language writes). Its digest is the sha256 of the type's name, a zero byte and that text. A place is the sha256 of the type's
//! name, a one byte and a JSON array of the values of the `repo_key` fields, taken from the key, else from the
//! attributes; a field that is absent counts as null.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use sha2::{Digest as _, Sha256};

use super::{Digest, TypeDefinition};

/// A unit's key in its one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalKey {
    /// A JSON object.
    pub text: String,
    /// Tells the unit from all others of all types.
    pub digest: [u8; 32],
    /// The unit's place in a repository, if its type has places.
    pub repo_key: Option<[u8; 32]>,
}

/// Why a key is not one of its type.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is no JSON object.
    #[error("its {what} is no JSON object: {problem}")]
    NoObject {
        /// key or attributes
        what: &'static str,
        /// What the parser says.
        problem: String,
    },
    /// A field of the type's key is not there.
    #[error("its key lacks the field \"{field}\"")]
    Missing {
        /// The field.
        field: String,
    },
    /// The key has a field that the type's key has not.
    #[error("its key has the field \"{field}\", which is not one of its type's unit_key")]
    Unknown {
        /// The field.
        field: String,
    },
    /// A field is named twice.
    #[error("its {what} names the field \"{field}\" twice")]
    Twice {
        /// key or attributes
        what: &'static str,
        /// The field.
        field: String,
    },
    /// A value is a list or an object.
    #[error("its field \"{field}\" is a list or an object; a key holds text, whole numbers, true, false and null")]
    Nested {
        /// The field.
        field: String,
    },
    /// A number is not whole, or too large to be exact.
    #[error("its field \"{field}\" is {number}; a key holds whole numbers only: write it as text")]
    Fraction {
        /// The field.
        field: String,
        /// The number.
        number: f64,
    },
    /// A field that the digest of the bytes fills has another value.
    #[error("its field \"{field}\" is {declared}, but the bytes have the sha256 {digest}")]
    DigestDiffers {
        /// The field.
        field: String,
        /// What the key says.
        declared: String,
        /// What the bytes say.
        digest: Digest,
    },
}

/// Brings a key into its one form, and says where the unit stands.
///
/// `key` and `attributes` are JSON objects. `artifact` is the digest of the unit's first file: it fills the fields that
/// come from it; without it the key must have them.
///
/// # Errors
///
/// The key is not one of this type, or the attributes are no JSON object.
pub fn canonical_key(
    definition: &TypeDefinition,
    key: &str,
    attributes: &str,
    artifact: Option<&Digest>,
) -> Result<CanonicalKey, KeyError> {
    let mut fields = key_fields(definition, key)?;
    let place = place(definition, &fields, attributes)?;
    let mut text = Vec::with_capacity(key.len() + 80);
    for (index, field) in definition.unit_key.iter().enumerate() {
        let value = fields.get_mut(index).and_then(Option::take);
        let value = match artifact.filter(|_| field.from_artifact) {
            Some(digest) => filled(&field.name, value, *digest)?,
            None => value.ok_or_else(|| KeyError::Missing { field: field.name.clone() })?,
        };
        text.push(if index == 0 { b'{' } else { b',' });
        quote(&mut text, &field.name)?;
        text.push(b':');
        value.write(&mut text, &field.name)?;
    }
    text.push(b'}');
    let text = String::from_utf8(text).map_err(|error| no_object("key", &error))?;
    let digest = digest(definition, 0, text.as_bytes());
    Ok(CanonicalKey { text, digest, repo_key: place })
}

/// Says where a unit stands whose key waits for the digest of its bytes. None: its type has no places.
///
/// # Errors
///
/// As [`canonical_key`], but fields that come from the bytes may lack.
pub fn repo_key(
    definition: &TypeDefinition,
    key: &str,
    attributes: &str,
) -> Result<Option<[u8; 32]>, KeyError> {
    let fields = key_fields(definition, key)?;
    let lacks = |(index, _): &(usize, _)| fields.get(*index).is_none_or(Option::is_none);
    let missing = definition.unit_key.iter().enumerate().filter(|(_, field)| !field.from_artifact);
    if let Some((_, field)) = missing.into_iter().find(lacks) {
        return Err(KeyError::Missing { field: field.name.clone() });
    }
    place(definition, &fields, attributes)
}

fn key_fields<'a>(
    definition: &TypeDefinition,
    key: &'a str,
) -> Result<Vec<Option<Scalar<'a>>>, KeyError> {
    let wanted = definition.unit_key.iter().map(|field| field.name.as_str());
    let object = read("key", key, wanted.collect())?;
    match object.unknown {
        Some(field) => Err(KeyError::Unknown { field }),
        None => Ok(object.values),
    }
}

fn place(
    definition: &TypeDefinition,
    key: &[Option<Scalar<'_>>],
    attributes: &str,
) -> Result<Option<[u8; 32]>, KeyError> {
    let from_key = |name: &str| definition.unit_key.iter().position(|field| field.name == name);
    let wanted = definition.repo_key.iter().map(String::as_str);
    let wanted: Vec<&str> = wanted.filter(|name| from_key(name).is_none()).collect();
    let object = read("attributes", attributes, wanted.clone())?;
    if definition.repo_key.is_empty() {
        return Ok(None);
    }
    let mut text = Vec::with_capacity(128);
    for (index, name) in definition.repo_key.iter().enumerate() {
        text.push(if index == 0 { b'[' } else { b',' });
        let value = from_key(name).map_or_else(
            || {
                let place = wanted.iter().position(|wanted| wanted == name);
                place.and_then(|place| object.values.get(place))
            },
            |place| key.get(place),
        );
        let value = value.and_then(Option::as_ref);
        value.unwrap_or(&Scalar::Null).write(&mut text, name)?;
    }
    text.push(b']');
    Ok(Some(digest(definition, 1, &text)))
}

fn digest(definition: &TypeDefinition, kind: u8, text: &[u8]) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(definition.id.as_bytes());
    sha.update([kind]);
    sha.update(text);
    sha.finalize().into()
}

/// The value of a field that the digest of the bytes fills.
fn filled<'a>(
    field: &str,
    declared: Option<Scalar<'a>>,
    digest: Digest,
) -> Result<Scalar<'a>, KeyError> {
    let hex = digest.to_hex();
    match declared {
        None | Some(Scalar::Null) => {}
        Some(Scalar::Text(text)) if text.eq_ignore_ascii_case(&hex) => {}
        Some(other) => {
            let mut text = Vec::new();
            other.write(&mut text, field)?;
            let declared = String::from_utf8_lossy(&text).into_owned();
            return Err(KeyError::DigestDiffers { field: field.to_owned(), declared, digest });
        }
    }
    Ok(Scalar::Text(Cow::Owned(hex)))
}

fn no_object(what: &'static str, problem: &dyn fmt::Display) -> KeyError {
    KeyError::NoObject { what, problem: problem.to_string() }
}

fn quote(out: &mut Vec<u8>, text: &str) -> Result<(), KeyError> {
    serde_json::to_writer(out, text).map_err(|error| no_object("key", &error))
}

/// A value as it may stand in a key.
#[derive(Debug, PartialEq)]
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    Null,
    Nested,
}

impl Scalar<'_> {
    fn write(&self, out: &mut Vec<u8>, field: &str) -> Result<(), KeyError> {
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
struct Object<'a> {
    /// In the order in which they were wanted.
    values: Vec<Option<Scalar<'a>>>,
    /// The first field that was not wanted.
    unknown: Option<String>,
    /// The first wanted field that came twice.
    twice: Option<String>,
}

fn read<'a>(what: &'static str, text: &'a str, wanted: Vec<&str>) -> Result<Object<'a>, KeyError> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::model::KeyField;

    fn definition(key: &[&str], from_artifact: &[&str], repo_key: &[&str]) -> TypeDefinition {
        let field = |name: &&str| KeyField {
            name: (*name).to_owned(),
            from_artifact: from_artifact.contains(name),
        };
        TypeDefinition {
            id: "thing".to_owned(),
            display_name: "Thing".to_owned(),
            description: "A thing".to_owned(),
            unit_key: key.iter().map(field).collect(),
            search_indexes: Vec::new(),
            referenced_types: Vec::new(),
            version: 1,
            repo_key: repo_key.iter().map(|name| (*name).to_owned()).collect(),
            attributes: None,
        }
    }

    fn text(definition: &TypeDefinition, key: &str) -> Result<String, KeyError> {
        canonical_key(definition, key, "{}", None).map(|key| key.text)
    }

    #[test]
    fn one_key_has_one_form() {
        let kind = definition(&["name", "epoch"], &[], &[]);
        let forms = [
            r#"{"name":"a/é","epoch":1}"#,
            r#"{ "epoch" : 1.0, "name" : "a\/\u00e9" }"#,
            r#"{"epoch":1e0,"name":"a/é"}"#,
        ];
        for form in forms {
            assert_eq!(text(&kind, form).unwrap(), forms[0], "{form}");
        }
        assert_eq!(
            text(&kind, r#"{"name":null,"epoch":-0.0}"#).unwrap(),
            r#"{"name":null,"epoch":0}"#
        );
        let fraction = text(&kind, r#"{"name":true,"epoch":-1.5}"#);
        let epoch = "epoch".to_owned();
        assert_eq!(fraction, Err(KeyError::Fraction { field: epoch, number: -1.5 }));
    }

    #[test]
    fn f65_a_key_that_is_not_of_its_type_is_refused() {
        let kind = definition(&["name", "epoch"], &[], &[]);
        let field = |name: &str| name.to_owned();
        let refused = [
            (r#"{"name":"a"}"#, KeyError::Missing { field: field("epoch") }),
            (r#"{"name":"a","epoch":1,"x":2}"#, KeyError::Unknown { field: field("x") }),
            (r#"{"name":"a","epoch":1,"name":2}"#, KeyError::Twice { what: "key", field: field("name") }),
            (r#"{"name":["a"],"epoch":1}"#, KeyError::Nested { field: field("name") }),
            (r#"{"name":"a","epoch":{"x":[1]}}"#, KeyError::Nested { field: field("epoch") }),
        ];
        for (key, error) in refused {
            assert_eq!(text(&kind, key), Err(error), "{key}");
        }
        for key in ["", "[]", "1", "{", r#"{"name":"a","epoch":1}}"#, r#"{"name":"\ud800","epoch":1}"#] {
            assert!(matches!(text(&kind, key), Err(KeyError::NoObject { what: "key", .. })), "{key}");
        }
        let good = r#"{"name":"a","epoch":1}"#;
        for attributes in ["", "[]", "{\"a\":}", "{} {}"] {
            let error = canonical_key(&kind, good, attributes, None).unwrap_err();
            assert!(matches!(error, KeyError::NoObject { what: "attributes", .. }), "{attributes}");
        }
    }

    #[test]
    fn the_digest_of_the_bytes_fills_its_field() {
        let kind = definition(&["path", "digest"], &["digest"], &["path"]);
        let bytes = Digest::of(b"x");
        let full = format!(r#"{{"path":"a","digest":"{bytes}"}}"#);
        let key = canonical_key(&kind, r#"{"path":"a"}"#, "{}", Some(&bytes)).unwrap();
        assert_eq!(key.text, full);
        assert_eq!(canonical_key(&kind, &full, "{}", None).unwrap(), key);
        assert_eq!(canonical_key(&kind, &full, "{}", Some(&bytes)).unwrap(), key);
        assert_eq!(repo_key(&kind, r#"{"path":"a"}"#, "{}").unwrap(), key.repo_key);
        assert!(matches!(text(&kind, r#"{"path":"a"}"#), Err(KeyError::Missing { .. })));
        let other = canonical_key(&kind, &full, "{}", Some(&Digest::of(b"y")));
        assert!(matches!(other, Err(KeyError::DigestDiffers { .. })));
    }

    #[test]
    fn places_come_from_key_and_attributes() {
        let kind = definition(&["name", "version"], &[], &["name", "slot"]);
        let place = |key: &str, attributes: &str| {
            canonical_key(&kind, key, attributes, None).unwrap().repo_key.unwrap()
        };
        let one = place(r#"{"name":"a","version":1}"#, r#"{"slot":"x","big":{"a":[1]}}"#);
        assert_eq!(one, place(r#"{"name":"a","version":2}"#, r#"{"other":[],"slot":"x"}"#));
        assert_ne!(one, place(r#"{"name":"a","version":1}"#, r#"{"slot":"y"}"#));
        assert_eq!(
            place(r#"{"name":"a","version":1}"#, "{}"),
            place(r#"{"name":"a","version":1}"#, r#"{"slot":null}"#)
        );
        let nested =
            canonical_key(&kind, r#"{"name":"a","version":1}"#, r#"{"slot":[1]}"#, None);
        assert_eq!(nested, Err(KeyError::Nested { field: "slot".to_owned() }));
    }

    fn scalar() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<String>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            (-1.0e9..1.0e9).prop_map(|number: f64| json!(number.trunc())),
            Just(Value::Null),
        ]
    }

    proptest! {
        #[test]
        fn keys_are_equal_exactly_when_their_values_are(
            a in scalar(), b in scalar(), c in scalar(), d in scalar(), spaced in any::<bool>(),
        ) {
            let kind = definition(&["a", "b"], &[], &["b"]);
            let write = |first: &Value, second: &Value, turned: bool| {
                let mut pairs = [("a", first), ("b", second)];
                if turned {
                    pairs.reverse();
                }
                let members: Vec<String> =
                    pairs.iter().map(|(name, value)| format!("\"{name}\" : {value}")).collect();
                format!("{{ {} }}", members.join(" ,\n"))
            };
            let one = canonical_key(&kind, &write(&a, &b, spaced), "{}", None).unwrap();
            prop_assert_eq!(&canonical_key(&kind, &one.text, "{}", None).unwrap(), &one);
            let back: Map<String, Value> = serde_json::from_str(&one.text).unwrap();
            prop_assert_eq!(back.len(), 2);
            prop_assert_eq!(back["a"].as_str(), a.as_str());
            prop_assert_eq!(back["b"].as_f64(), b.as_f64());
            let other = canonical_key(&kind, &write(&c, &d, !spaced), "{}", None).unwrap();
            prop_assert_eq!(one.digest == other.digest, one.text == other.text);
            prop_assert_eq!(one.repo_key == other.repo_key, back["b"] == {
                let other: Map<String, Value> = serde_json::from_str(&other.text).unwrap();
                other["b"].clone()
            });
        }
    }
}
