//! Mirrors what a `PULP_MANIFEST` lists.
//!
//! The host downloads the manifest, with the validators of the last time. When nothing changed, that is all.
//! Else every line becomes a declared unit; fetching, comparing and removing are the host's.

mod address;
mod upload;

use std::fs::File;
use std::io::{self, BufReader};

use serde::{Deserialize, Serialize};
use wharf_sdk::{
    Check, CheckScope, Checked, Component, Context, Done, Download, Downloaded, Error, Importer,
    Level, Progress, SyncRequest, Unit, UploadRequest, async_trait,
};

use crate::FILE;
use crate::manifest::{Entry, Next, ReadError, Reader};
use crate::path::shown;
use address::Address;

/// The largest manifest: twice what its most files need with paths of 100 bytes.
const MAX_MANIFEST_BYTES: u64 = 2 << 30;
/// Doubled lines told one by one; the rest is counted.
const DOUBLED_TOLD: u64 = 20;

/// The component `importer`.
pub(crate) struct Manifests;

#[derive(Debug, Deserialize, Serialize)]
struct Settings {
    /// Without one, files can only be uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// What is kept between syncs: which manifest was read last, and how to ask whether it changed.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Kept {
    url: String,
    etag: String,
    last_modified: String,
    sha256: String,
}

#[async_trait]
impl Component for Manifests {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        if check.scope == CheckScope::Instance {
            return Ok(Checked::good());
        }
        let settings: Settings = check.values()?;
        let Some(url) = settings.url else { return Ok(Checked::good()) };
        match Address::read(&url) {
            Ok(address) => {
                Checked::good().normalised(&Settings { url: Some(address.text().to_owned()) })
            }
            Err(error) => Ok(Checked::good().error("/url", "config.url", error.to_string())),
        }
    }
}

#[async_trait]
impl Importer for Manifests {
    async fn sync(&self, request: SyncRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let url = settings.url.ok_or_else(|| {
            let message = "no source is set: files can be uploaded, but there is nothing to sync";
            Error::usage("config.no_source", message).at_field("/url")
        })?;
        let address = Address::read(&url)
            .map_err(|error| Error::usage("config.url", error.to_string()).at_field("/url"))?;
        let whole = request.only.is_empty();
        // Files that failed the last time are to be tried again, though the manifest is the same.
        let failed = request.last.as_ref().is_some_and(|last| last.outcome != "succeeded");
        let shortcut = whole && !request.full && !failed;
        let kept = request.attachment.state();
        let kept = kept.filter(|kept: &Kept| shortcut && kept.url == address.text());
        let manifest = download(context, &address, kept.as_ref()).await?;
        let now = Kept::of(&address, &manifest, kept.as_ref());
        if kept.is_some_and(|kept| manifest.not_modified || kept.sha256 == now.sha256) {
            context.log(Level::INFO, "the manifest is the one of the last sync").await;
            return Done::nothing_to_do().state(&now);
        }
        let announced = declare(&address, &manifest, &request, context).await?;
        let done = Done::changed().announced(announced);
        // What was not read whole must not count as read the next time.
        if whole { done.state(&now) } else { Ok(done.state_bytes(request.attachment.state)) }
    }

    async fn upload(&self, request: UploadRequest, context: &Context) -> Result<Done, Error> {
        upload::upload(&request, context).await
    }
}

impl Kept {
    fn of(address: &Address, manifest: &Downloaded, before: Option<&Self>) -> Self {
        let sha256 = match before {
            Some(before) if manifest.not_modified => before.sha256.clone(),
            _ => manifest.digest.clone(),
        };
        let or_before = |now: &str, before: Option<&String>| match before {
            Some(before) if now.is_empty() && manifest.not_modified => before.clone(),
            _ => now.to_owned(),
        };
        Self {
            url: address.text().to_owned(),
            etag: or_before(&manifest.etag, before.map(|kept| &kept.etag)),
            last_modified: or_before(
                &manifest.last_modified,
                before.map(|kept| &kept.last_modified),
            ),
            sha256,
        }
    }
}

async fn download(
    context: &Context,
    address: &Address,
    kept: Option<&Kept>,
) -> Result<Downloaded, Error> {
    context.progress(Progress::new(0, 0).phase("reading manifest")).await;
    let mut download = Download::from_url(address.text()).max_bytes(MAX_MANIFEST_BYTES);
    if let Some(kept) = kept {
        download = download.unless_unchanged(&kept.etag, &kept.last_modified);
    }
    let manifest = context.download(download).await?;
    if manifest.not_modified && kept.is_none() {
        let message = "the host says that the manifest is unchanged, but was not asked";
        return Err(Error::fault("protocol.download", message));
    }
    Ok(manifest)
}

/// Declares what the manifest lists and gives the number of files, those that fail included.
async fn declare(
    address: &Address,
    manifest: &Downloaded,
    request: &SyncRequest,
    context: &Context,
) -> Result<u64, Error> {
    let path = context.in_work_dir(manifest.staged.as_deref().unwrap_or("".as_ref()));
    let file = File::open(&path).map_err(|error| unreadable(address, &error))?;
    let mut reader = Reader::new(BufReader::with_capacity(256 << 10, file), address.name());
    let (mut files, mut doubled) = (0, 0);
    while let Some(next) = reader.read_next().map_err(|error| refuse(address, &error))? {
        match next {
            Next::File(entry) if !request.wants(&entry.path) => {}
            Next::File(entry) => {
                files += 1;
                tell(address, &entry, context).await?;
                if files % 1_000 == 0 {
                    let progress = Progress::new(files, 0).unit("files");
                    context.progress(progress.phase("reading manifest")).await;
                }
            }
            Next::Doubled { path, line, first } => {
                doubled += 1;
                if doubled <= DOUBLED_TOLD {
                    let text = format!("line {line} of {} repeats line {first}", address.text());
                    context.warn("content.doubled", text, &path).await?;
                }
            }
        }
    }
    if doubled > DOUBLED_TOLD {
        let text = format!("{} repeats {doubled} lines in all", address.text());
        context.warn("content.doubled", text, "").await?;
    }
    Ok(files)
}

async fn tell(address: &Address, entry: &Entry<'_>, context: &Context) -> Result<(), Error> {
    if let Some(why) = &entry.unfit {
        let error = Error::operation("content.path", format!("{why}; the file is left out"));
        return context.failed(shown(&entry.path), error).await;
    }
    context.unit(unit(address, entry)?).await
}

fn unit(address: &Address, entry: &Entry<'_>) -> Result<Unit, Error> {
    #[derive(Serialize)]
    struct Key<'a> {
        relative_path: &'a str,
        sha256: &'a str,
    }
    let file = wharf_sdk::File::at(&*entry.path)
        .sha256(&entry.sha256)
        .size(entry.size)
        .url(address.of_file(&entry.path));
    let key = Key { relative_path: &entry.path, sha256: &entry.sha256 };
    Ok(Unit::new(FILE).key(&key)?.file(file))
}

fn unreadable(address: &Address, error: &io::Error) -> Error {
    let message = format!("the downloaded manifest of {} cannot be opened", address.text());
    Error::operation("storage.staged", message).caused_by(error).retryable()
}

fn refuse(address: &Address, error: &ReadError) -> Error {
    let url = address.text();
    match error {
        ReadError::Read { source } => unreadable(address, source),
        error if error.is_limit() => Error::operation(
            "limit.manifest",
            format!("{url} is not a manifest that can be read: {error}"),
        ),
        error => {
            let message = format!(
                "{url} is not a valid manifest: {error}. Nothing was changed; tell whoever makes it"
            );
            Error::operation("content.manifest", message)
        }
    }
}
