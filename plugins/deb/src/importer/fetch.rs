//! Fetching what vouches for the rest: `InRelease`, or `Release` where that is missing; and who vouches for it.
//!
//! With trusted keys nothing is read before one of them is found to have signed exactly that: the text inside an
//! `InRelease`, or the fetched bytes of `Release` by `Release.gpg`. A bad `InRelease` is no reason to look for another.

use std::path::PathBuf;

use wharf_openpgp::{Keyring, Refusal, Verified};
use wharf_sdk::{Context, Download, Downloaded, Error};

use super::kept::KeptSuite;
use super::settings::{Settings, Suite};
use crate::release::{self, ClearsignError, Release};

const INRELEASE: &str = "InRelease";
const RELEASE: &str = "Release";
const SIGNATURE: &str = "Release.gpg";
/// The largest `Release`, signed or not; the largest seen has some 300 KB.
const MAX_RELEASE: u64 = 16 << 20;
/// The largest detached signature.
const MAX_SIGNATURE: u64 = 256 << 10;

/// What upstream says of a distribution.
pub(super) enum Found {
    /// What it said the last time.
    Unchanged(KeptSuite),
    /// Something else. The kept part has no areas yet.
    Changed(Box<Release>, KeptSuite),
}

impl Found {
    /// What is kept of it.
    pub(super) fn kept(&self) -> &KeptSuite {
        match self {
            Self::Unchanged(kept) | Self::Changed(_, kept) => kept,
        }
    }
}

/// Asks upstream for distributions.
pub(super) struct Source<'a> {
    pub(super) settings: &'a Settings,
    /// None: signatures are not looked at.
    pub(super) keyring: Option<&'a Keyring>,
    pub(super) context: &'a Context,
    /// Seconds since 1970.
    pub(super) now: i64,
}

/// Whether a server or folder said that it has no such file.
pub(super) fn is_missing(error: &Error) -> bool {
    matches!(error.code(), "source.status" | "source.not_found" | "source.file")
}

impl Source<'_> {
    /// A distribution's `Release`.
    pub(super) async fn release(
        &self,
        suite: &Suite,
        kept: Option<&KeptSuite>,
    ) -> Result<Found, Error> {
        // Where there was no InRelease the last time, an unchanged Release is one request.
        if let Some(kept) = kept.filter(|kept| kept.file == RELEASE) {
            let file = self.download(suite, RELEASE, MAX_RELEASE, Some(kept)).await?;
            if file.not_modified || file.digest == kept.digest {
                return Ok(Found::Unchanged(fresh(RELEASE, &file, Some(kept))));
            }
        }
        let in_release = kept.filter(|kept| kept.file == INRELEASE);
        match self.download(suite, INRELEASE, MAX_RELEASE, in_release).await {
            Ok(file) => self.take(suite, INRELEASE, &file, in_release).await,
            Err(error) if is_missing(&error) => {
                let file = self.download(suite, RELEASE, MAX_RELEASE, None).await?;
                self.take(suite, RELEASE, &file, None).await
            }
            Err(error) => Err(error),
        }
    }

    async fn download(
        &self,
        suite: &Suite,
        name: &str,
        most: u64,
        kept: Option<&KeptSuite>,
    ) -> Result<Downloaded, Error> {
        let mut download = Download::from_url(self.url(suite, name)).max_bytes(most);
        if let Some(kept) = kept {
            download = download.unless_unchanged(&kept.etag, &kept.last_modified);
        }
        let file = self.context.download(download).await?;
        if file.not_modified && kept.is_none() {
            let message = "the host says that a file is unchanged, but was not asked";
            return Err(Error::fault("protocol.download", message));
        }
        Ok(file)
    }

    fn url(&self, suite: &Suite, name: &str) -> String {
        self.settings.address(&format!("{}{name}", suite.folder))
    }

    async fn take(
        &self,
        suite: &Suite,
        name: &str,
        file: &Downloaded,
        kept: Option<&KeptSuite>,
    ) -> Result<Found, Error> {
        let mut now = fresh(name, file, kept);
        if kept.is_some_and(|kept| file.not_modified || kept.digest == file.digest) {
            return Ok(Found::Unchanged(now));
        }
        let url = self.url(suite, name);
        let bytes = read(file, &url, self.context)?;
        let (text, verified) = if name == INRELEASE {
            self.clear_signed(&bytes, &url)?
        } else {
            let verified = self.detached(suite, &bytes, &url).await?;
            (bytes, verified)
        };
        let release = Release::read(&text).map_err(|error| unusable(&url, &error))?;
        now.date = release.date;
        now.valid_until = release.valid_until;
        if let Some(verified) = verified {
            now.signed_until = verified.until();
            now.signers = verified.signers.into_keys().collect();
        }
        Ok(Found::Changed(Box::new(release), now))
    }

    /// What an `InRelease` signs, and who did.
    fn clear_signed(&self, bytes: &[u8], url: &str) -> Result<(Vec<u8>, Option<Verified>), Error> {
        let signed = release::split(bytes).map_err(|error| match (self.keyring, error) {
            (None, error) => unusable(url, &error),
            (Some(_), ClearsignError::Begin) => refused(url, &Refusal::Empty),
            (Some(_), error) => refused(url, &Refusal::Unreadable(error.to_string())),
        })?;
        let verified = self.keyring.map(|keyring| {
            let verified = keyring.verify_text(signed.hashed(), &signed.signature, self.now);
            verified.map_err(|refusal| refused(url, &refusal))
        });
        Ok((signed.text, verified.transpose()?))
    }

    /// Who signed exactly these bytes of a `Release`.
    async fn detached(
        &self,
        suite: &Suite,
        bytes: &[u8],
        url: &str,
    ) -> Result<Option<Verified>, Error> {
        let Some(keyring) = self.keyring else { return Ok(None) };
        let signature = match self.download(suite, SIGNATURE, MAX_SIGNATURE, None).await {
            Ok(file) => read(&file, &self.url(suite, SIGNATURE), self.context)?,
            Err(error) if is_missing(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        let verified = keyring.verify(bytes, &signature, self.now);
        verified.map(Some).map_err(|refusal| refused(url, &refusal))
    }
}

fn read(file: &Downloaded, url: &str, context: &Context) -> Result<Vec<u8>, Error> {
    std::fs::read(staged(file, context)).map_err(|error| unreadable(url, &error))
}

fn unusable(url: &str, error: &dyn std::error::Error) -> Error {
    let message =
        format!("{url} cannot be used: {error}. Nothing was changed; tell whoever makes it");
    Error::operation("content.release", message)
}

/// What nobody vouches for who is trusted.
fn refused(url: &str, refusal: &Refusal) -> Error {
    let code = refusal.code();
    let advice = match code {
        "signature.missing" => {
            "ask whoever makes it to sign it; without the setting signed_by it is taken as it is"
        }
        "signature.key" => {
            "if it is upstream's new key, and you know that from elsewhere, add it to signed_by"
        }
        "signature.expired" => "ask whoever makes it; a key that was renewed goes into signed_by",
        _ => "somebody may have changed it on the way; tell whoever makes it",
    };
    let message = format!("{url} is not taken: {refusal}. Nothing was changed; {advice}");
    Error::operation(code, message)
}

/// Where a downloaded file lies.
pub(super) fn staged(file: &Downloaded, context: &Context) -> PathBuf {
    context.in_work_dir(file.staged.as_deref().unwrap_or("".as_ref()))
}

pub(super) fn unreadable(what: &str, error: &std::io::Error) -> Error {
    let message = format!("the downloaded {what} cannot be read");
    Error::operation("storage.staged", message).caused_by(error).retryable()
}

/// What to keep of an answer; after "unchanged", what was kept before and the answer does not repeat.
fn fresh(name: &str, file: &Downloaded, kept: Option<&KeptSuite>) -> KeptSuite {
    let mut now = KeptSuite {
        file: name.to_owned(),
        etag: file.etag.clone(),
        last_modified: file.last_modified.clone(),
        digest: file.digest.clone(),
        ..KeptSuite::default()
    };
    let Some(kept) = kept else { return now };
    if file.not_modified || file.digest == kept.digest {
        now.digest.clone_from(&kept.digest);
        now.date = kept.date;
        now.valid_until = kept.valid_until;
        now.signers.clone_from(&kept.signers);
        now.signed_until = kept.signed_until;
        now.areas.clone_from(&kept.areas);
        now.files.clone_from(&kept.files);
        if file.not_modified && now.etag.is_empty() {
            now.etag.clone_from(&kept.etag);
        }
        if file.not_modified && now.last_modified.is_empty() {
            now.last_modified.clone_from(&kept.last_modified);
        }
    }
    now
}
