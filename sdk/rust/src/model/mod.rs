//! What a plugin and the host talk about: units with files, entries of a publication, attachments, results.
//!
//! Thin, typed covers over the messages of the contract: JSON is written straight from the author's own types
//! and read straight into them, never through a tree.

mod attachment;
mod done;
mod job;
mod listed;
mod path;
mod published;
mod reference;
mod secret;
mod unit;

pub use attachment::{Attachment, Instance};
pub use done::Done;
pub use job::{Contribution, Job};
pub use listed::ListedItem;
pub use path::{ListedPath, PathError};
pub use published::PublishedFile;
pub use reference::{Keep, UnitRef};
pub use secret::SecretName;
pub use unit::{File, FileInfo, Unit};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// Writes a JSON object, and refuses everything that is JSON but no object.
pub(crate) fn to_object<T: Serialize + ?Sized>(what: &str, value: &T) -> Result<String, Error> {
    let text = to_json(what, value)?;
    if text.starts_with('{') {
        Ok(text)
    } else {
        Err(Error::fault("internal.json", format!("{what} must be a JSON object, not {text}")))
    }
}

pub(crate) fn to_json<T: Serialize + ?Sized>(what: &str, value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| {
        Error::fault("internal.json", format!("{what} cannot be written as JSON")).caused_by(&error)
    })
}

/// Reads a JSON object; an empty text is an empty object.
pub(crate) fn from_object<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, Error> {
    let text = if text.is_empty() { "{}" } else { text };
    serde_json::from_str(text).map_err(|error| {
        let refusal = Error::usage("config", format!("{what} cannot be read")).caused_by(&error);
        match field_of(&error.to_string()) {
            Some(field) => refusal.at_field(format!("/{field}")),
            None => refusal,
        }
    })
}

/// The field that serde complains of, where it names one: what is missing, doubled or not known.
fn field_of(complaint: &str) -> Option<&str> {
    let kinds = ["missing field `", "duplicate field `", "unknown field `"];
    let rest = kinds.into_iter().find_map(|kind| complaint.strip_prefix(kind))?;
    rest.split_once('`').map(|(field, _)| field)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wish {
        #[serde(rename = "place")]
        _place: String,
    }

    #[test]
    fn a_field_that_is_missing_or_unknown_is_named() {
        for (text, field) in [("", "/place"), (r#"{"plaec":"x"}"#, "/plaec"), ("[]", "")] {
            let error = from_object::<Wish>("the attributes", text).unwrap_err();
            let wire = wharf_proto::v1::Error::from(error);
            assert_eq!((wire.field.as_str(), wire.code.as_str()), (field, "config"), "{text}");
            assert!(wire.message.starts_with("the attributes cannot be read: "), "{text}");
        }
    }
}
