//! What is kept between syncs: what each page looked like, and how to ask whether it changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wharf_sdk::{Context, Downloaded, Error, State, StateScope};

/// What the state of an attachment carries, in bytes of JSON; the contract's messages end at 1 MiB.
const MAX_BYTES: usize = 900 << 10;
/// What a piece of state beside it carries; the contract allows 64 KiB.
const MAX_PIECE: usize = 60 << 10;
/// The most pieces: some million pages. What does not fit is forgotten, and those pages are read again.
const MAX_PIECES: usize = 2_000;
/// What a page takes besides its texts.
const OVERHEAD: usize = 40;

/// The pages of the last sync.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Kept {
    /// Where they are from.
    pub(super) url: String,
    /// By normalised name.
    pub(super) pages: BTreeMap<String, Seen>,
    /// Which of two sets of pieces holds the rest. Pieces count at once and the state with the job's success, so a sync
    /// writes the set that the last good one did not.
    #[serde(default)]
    set: u8,
    #[serde(default)]
    pieces: usize,
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
        self.pages.insert(name.to_owned(), seen);
    }

    /// Adds the pages that lie in pieces.
    pub(super) async fn whole(mut self, context: &Context) -> Result<Self, Error> {
        for piece in 0..self.pieces.min(MAX_PIECES) {
            let state = context.get_state(StateScope::Attachment, &key(self.set, piece)).await?;
            let pages = state.and_then(|state| serde_json::from_slice(&state.value).ok());
            // One that is lost costs reading its pages again.
            self.pages.extend(pages.unwrap_or_else(BTreeMap::<String, Seen>::new));
        }
        Ok(self)
    }

    /// What is to be kept with the job; the rest is put into pieces.
    pub(super) async fn split(self, before: &Self, context: &Context) -> Result<Self, Error> {
        let Self { url, pages, .. } = self;
        let same = pages == before.pages;
        let (first, rest) = parts(pages);
        let mut now = Self { url, pages: first, set: before.set, pieces: rest.len() };
        if same && before.pieces == rest.len() || rest.is_empty() {
            return Ok(now);
        }
        now.set = 1 - before.set.min(1);
        for (number, piece) in rest.iter().enumerate() {
            let value = serde_json::to_vec(piece).map_err(|error| {
                Error::fault("internal.json", "what is kept of pages cannot be written")
                    .caused_by(&error)
            })?;
            let key = key(now.set, number);
            let there = context.get_state(StateScope::Attachment, &key).await?;
            let revision = there.map_or(0, |state| state.revision);
            let state = State { revision, value };
            context.put_state(StateScope::Attachment, &key, state, true).await?;
        }
        Ok(now)
    }
}

fn key(set: u8, piece: usize) -> String {
    format!("pages-{set}-{piece}")
}

/// The pages that fit into the state, and pieces with the others.
fn parts(pages: BTreeMap<String, Seen>) -> (BTreeMap<String, Seen>, Vec<BTreeMap<String, Seen>>) {
    let mut parts: Vec<BTreeMap<String, Seen>> = vec![BTreeMap::new()];
    let mut bytes = 0;
    for (name, seen) in pages {
        let texts = seen.etag.len() + seen.last_modified.len() + seen.digest.len();
        let more = name.len() + texts + OVERHEAD;
        let limit = if parts.len() == 1 { MAX_BYTES } else { MAX_PIECE };
        if bytes + more > limit {
            if parts.len() > MAX_PIECES {
                break;
            }
            parts.push(BTreeMap::new());
            bytes = 0;
        }
        bytes += more;
        if let Some(last) = parts.last_mut() {
            last.insert(name, seen);
        }
    }
    let rest = parts.split_off(1);
    (parts.pop().unwrap_or_default(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_fits_into_its_message_and_nothing_is_lost() {
        let seen = Seen {
            etag: "\"0123456789abcdef\"".to_owned(),
            digest: "0".repeat(32),
            ..Seen::default()
        };
        let pages: BTreeMap<String, Seen> =
            (0..50_000).map(|n| (format!("project-{n}"), seen.clone())).collect();
        let (first, rest) = parts(pages.clone());
        let length = |part: &BTreeMap<String, Seen>| serde_json::to_vec(part).unwrap().len();
        assert!(length(&first) < 1 << 20 && first.len() > 5_000, "{}", length(&first));
        assert!(rest.len() > 10 && rest.iter().all(|part| length(part) < 64 << 10));
        let mut again = first;
        again.extend(rest.into_iter().flatten());
        assert_eq!(again, pages);
    }
}
