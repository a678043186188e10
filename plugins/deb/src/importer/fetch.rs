//! Fetching what vouches for the rest: `InRelease`, or `Release` where that is missing.

use std::path::PathBuf;

use wharf_sdk::{Context, Download, Downloaded, Error};

use super::kept::KeptSuite;
use super::settings::{Settings, Suite};
use crate::release::{self, Release};

const INRELEASE: &str = "InRelease";
const RELEASE: &str = "Release";
/// The largest `Release`, signed or not; the largest seen has some 300 KB.
const MAX_RELEASE: u64 = 16 << 20;

/// What upstream says of a distribution.
pub(super) enum Found {
    /// What it said the last time.
    Unchanged(KeptSuite),
    /// Something else. The kept part has no areas yet.
    Changed(Box<Release>, KeptSuite),
}

/// Asks upstream for a distribution's `Release`.
pub(super) async fn release(
    settings: &Settings,
    suite: &Suite,
    kept: Option<&KeptSuite>,
    context: &Context,
) -> Result<Found, Error> {
    // Where there was no InRelease the last time, an unchanged Release is one request.
    if let Some(kept) = kept.filter(|kept| kept.file == RELEASE) {
        let file = download(settings, suite, RELEASE, Some(kept), context).await?;
        if file.not_modified || file.digest == kept.digest {
            return Ok(Found::Unchanged(fresh(RELEASE, &file, Some(kept))));
        }
    }
    let in_release = kept.filter(|kept| kept.file == INRELEASE);
    match download(settings, suite, INRELEASE, in_release, context).await {
        Ok(file) => take(settings, suite, INRELEASE, &file, in_release, context),
        Err(error) if is_missing(&error) => {
            let file = download(settings, suite, RELEASE, None, context).await?;
            take(settings, suite, RELEASE, &file, None, context)
        }
        Err(error) => Err(error),
    }
}

/// Whether a server or folder said that it has no such file.
pub(super) fn is_missing(error: &Error) -> bool {
    matches!(error.code(), "source.status" | "source.not_found" | "source.file")
}

async fn download(
    settings: &Settings,
    suite: &Suite,
    name: &str,
    kept: Option<&KeptSuite>,
    context: &Context,
) -> Result<Downloaded, Error> {
    let url = settings.address(&format!("{}{name}", suite.folder));
    let mut download = Download::from_url(url).max_bytes(MAX_RELEASE);
    if let Some(kept) = kept {
        download = download.unless_unchanged(&kept.etag, &kept.last_modified);
    }
    let file = context.download(download).await?;
    if file.not_modified && kept.is_none() {
        let message = "the host says that a file is unchanged, but was not asked";
        return Err(Error::fault("protocol.download", message));
    }
    Ok(file)
}

fn take(
    settings: &Settings,
    suite: &Suite,
    name: &str,
    file: &Downloaded,
    kept: Option<&KeptSuite>,
    context: &Context,
) -> Result<Found, Error> {
    let now = fresh(name, file, kept);
    if kept.is_some_and(|kept| file.not_modified || kept.digest == file.digest) {
        return Ok(Found::Unchanged(now));
    }
    let url = settings.address(&format!("{}{name}", suite.folder));
    let refuse = |error: &dyn std::error::Error| {
        let message =
            format!("{url} cannot be used: {error}. Nothing was changed; tell whoever makes it");
        Error::operation("content.release", message)
    };
    let bytes = std::fs::read(staged(file, context)).map_err(|error| unreadable(&url, &error))?;
    let release = if name == INRELEASE {
        let signed = release::split(&bytes).map_err(|error| refuse(&error))?;
        Release::read(&signed.text)
    } else {
        Release::read(&bytes)
    };
    let release = release.map_err(|error| refuse(&error))?;
    Ok(Found::Changed(Box::new(release), now))
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
