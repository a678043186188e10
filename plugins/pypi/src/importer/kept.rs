//! What is kept between syncs: what each page looked like, and how to ask whether it changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wharf_sdk::Downloaded;

/// What may be kept in all, in bytes of JSON; the contract carries a message of 1 MiB. What does not fit is forgotten:
/// those pages are read again.
const MAX_BYTES: usize = 900 << 10;
/// What a page takes besides its texts.
const OVERHEAD: usize = 40;

/// The pages of the last sync.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Kept {
    /// Where they are from.
    pub(super) url: String,
    /// By normalised name.
    pub(super) pages: BTreeMap<String, Seen>,
    /// Counted while pages are added.
    #[serde(skip)]
    bytes: usize,
}

/// A page as it was: ETag, else date, and the start of its digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Seen {
    #[serde(default, rename = "e", skip_serializing_if = "String::is_empty")]
    pub(super) etag: String,
    #[serde(default, rename = "m", skip_serializing_if = "String::is_empty")]
    pub(super) last_modified: String,
    #[serde(rename = "d")]
    pub(super) digest: String,
}

impl Seen {
    pub(super) fn of(page: &Downloaded) -> Self {
        let hex = page.digest.trim_start_matches("sha256:");
        let etag = page.etag.clone();
        Self {
            // One validator is enough, and the better one is the tag.
            last_modified: if etag.is_empty() { page.last_modified.clone() } else { String::new() },
            etag,
            digest: hex.get(..32).unwrap_or(hex).to_owned(),
        }
    }
}

impl Kept {
    pub(super) fn of(url: &str) -> Self {
        Self { url: url.to_owned(), ..Self::default() }
    }

    pub(super) fn add(&mut self, name: &str, seen: Seen) {
        let texts = seen.etag.len() + seen.last_modified.len() + seen.digest.len();
        let bytes = name.len() + texts + OVERHEAD;
        if self.bytes + bytes <= MAX_BYTES {
            self.bytes += bytes;
            self.pages.insert(name.to_owned(), seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_fits_into_a_message() {
        let mut kept = Kept::of("https://x.example/simple/");
        let seen = Seen {
            etag: "\"0123456789abcdef\"".to_owned(),
            digest: "0".repeat(32),
            ..Seen::default()
        };
        for n in 0..50_000 {
            kept.add(&format!("project-{n}"), seen.clone());
        }
        let text = serde_json::to_vec(&kept).unwrap();
        assert!(text.len() < 1 << 20 && kept.pages.len() > 5_000, "{}", text.len());
        let again: Kept = serde_json::from_slice(&text).unwrap();
        assert_eq!(again.pages, kept.pages);
    }
}
