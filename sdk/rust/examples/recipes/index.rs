//! The format: `recipes.json` lists recipes by course; each is a text file beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The name of an index in a published tree.
pub(crate) const INDEX: &str = "recipes.json";

/// A whole index.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Index {
    /// Milliseconds since 1970.
    #[serde(default)]
    pub(crate) made_ms: i64,
    pub(crate) courses: BTreeMap<String, Vec<Entry>>,
}

/// One recipe.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// Relative to the folder of the index.
    pub(crate) file: String,
    pub(crate) sha256: String,
    pub(crate) size: u64,
    pub(crate) title: String,
    /// Such as `25 min`.
    pub(crate) time: String,
    /// Names of recipes that are needed first.
    #[serde(default)]
    pub(crate) uses: Vec<String>,
}

/// Whether this can be the name of a recipe, and so a part of a path.
pub(crate) fn is_name(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=100).contains(&text.len()) && text.bytes().all(good)
}
