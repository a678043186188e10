//! What is kept between syncs: which `Release` was read last, and the digests of the indexes that were read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wharf_sdk::SyncRequest;

use super::settings::Settings;

/// The state of an attachment.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Kept {
    /// The settings that it was made with: with others it is void.
    pub(super) settings: Settings,
    /// By distribution.
    pub(super) suites: BTreeMap<String, KeptSuite>,
}

/// What is kept of a distribution.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct KeptSuite {
    /// `InRelease` or `Release`: the file that was there.
    pub(super) file: String,
    pub(super) etag: String,
    pub(super) last_modified: String,
    /// Of the file, `sha256:HEX`.
    pub(super) digest: String,
    /// Its date, in seconds since 1970.
    pub(super) date: Option<i64>,
    /// Until when it is valid, as it says.
    pub(super) valid_until: Option<i64>,
    /// Fingerprints of the trusted keys that signed it; none: nobody looked.
    pub(super) signers: Vec<String>,
    /// Until when their signatures are good; `None`: for ever.
    pub(super) signed_until: Option<i64>,
    /// By what was read, `main/binary` or `main/source`: path and digest of every index.
    pub(super) areas: BTreeMap<String, Vec<(String, String)>>,
    /// Files of upstream's own that were there, by path from the repository's root, with their digests.
    #[serde(default)]
    pub(super) files: BTreeMap<String, String>,
}

impl Kept {
    /// What may be used as a shortcut now.
    pub(super) fn of(request: &SyncRequest, settings: &Settings) -> Option<Self> {
        // What failed the last time is to be tried again, though the indexes are the same.
        let failed = request.last.as_ref().is_some_and(|last| last.outcome != "succeeded");
        if request.full || failed || !request.only.is_empty() {
            return None;
        }
        request.attachment.state().filter(|kept: &Self| kept.settings == settings.kept())
    }

    /// What was seen of each distribution of this repository, whatever became of it: nobody may go behind that.
    pub(super) fn seen(request: &SyncRequest, settings: &Settings) -> BTreeMap<String, KeptSuite> {
        let kept: Option<Self> = request.attachment.state();
        kept.filter(|kept| kept.settings.url == settings.url).unwrap_or_default().suites
    }
}
