//! The two types of unit, as both components know them.
//!
//! What a file is never changes with it; what an index says about it may. Which files are yanked therefore stands with
//! the project, whose unit is another one as soon as anything of it changes: each version of a repository keeps what
//! was true for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wharf_sdk::{Error, Unit};

use crate::filename::Kind;
use crate::index::Status;

/// A distribution file.
pub(crate) const FILE: &str = "python_file";
/// Metadata that an index added to a wheel that was stored already.
pub(crate) const ADDED: &str = "python_metadata";
/// What an index says about a project.
pub(crate) const PROJECT: &str = "python_project";
/// What the name of a metadata file ends in, behind that of its distribution. Source: PEP 658.
pub(crate) const METADATA: &str = ".metadata";

/// The key of a file.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct FileKey {
    pub(crate) filename: String,
    /// Left out while nobody knows it: the host fills it in when the bytes come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
}

/// The key of metadata that was added: the name of its file.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AddedKey {
    pub(crate) filename: String,
    /// Its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
}

/// The attributes of metadata that was added.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AddedAttributes {
    /// Of the project, normalised.
    pub(crate) name: String,
    /// The SHA-256 of the wheel that it is in.
    pub(crate) wheel: String,
}

/// The attributes of a file.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct FileAttributes {
    /// Of the project, normalised.
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) package_type: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) requires_python: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) upload_time: Option<String>,
}

/// The key of a project.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ProjectKey {
    pub(crate) name: String,
    /// The SHA-256 of the attributes.
    pub(crate) digest: String,
}

/// The attributes of a project.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct ProjectAttributes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
    /// Reasons by file name; a reason may be empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) yanked: BTreeMap<String, String>,
    /// The list of projects that it was mirrored from. None: it is nobody's but the repository's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<String>,
}

impl ProjectAttributes {
    /// The unit of the project with this name.
    pub(crate) fn unit(&self, name: &str) -> Result<Unit, Error> {
        let text = serde_json::to_vec(self).map_err(|error| {
            Error::fault("internal.json", format!("{name} cannot be written as JSON: {error}"))
        })?;
        let key = ProjectKey { name: name.to_owned(), digest: sha256(&text) };
        Unit::new(PROJECT).key(&key)?.attributes(self)
    }
}

/// The SHA-256 in hex digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    let digits = Sha256::digest(bytes);
    digits.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
