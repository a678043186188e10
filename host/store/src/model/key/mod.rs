//! Canonical keys: one text, one digest for a key, however it was written.
//!
//! A key has the fields of its type's `unit_key` in that order, without blanks; text, whole numbers, true, false and
//! null only (a fraction has no one form that every language writes). Its digest is the sha256 of the type's name, a zero byte and that text. A place is the sha256 of the type's
//! name, a one byte and a JSON array of the values of the `repo_key` fields, taken from the key, else from the
//! attributes; a field that is absent counts as null.

mod read;
mod rekey;

use std::borrow::Cow;
use std::fmt;

use sha2::{Digest as _, Sha256};

use self::read::{Scalar, read};
pub use self::rekey::rekey;
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
    #[error(
        "its field \"{field}\" is a list or an object; a key holds text, whole numbers, true, false and null"
    )]
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

#[cfg(test)]
mod tests;
