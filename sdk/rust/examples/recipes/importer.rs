//! Brings recipes in: from an index that is asked for only if it changed, course by course.

use std::collections::BTreeMap;
use std::io::BufReader;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wharf_sdk::{
    Check, CheckScope, Checked, Component, Context, Done, Download, Downloaded, Error, File,
    Importer, Keep, Progress, ResolveRequest, SyncRequest, UploadRequest, async_trait,
};

use super::index::{Entry, Index, is_name};
use super::recipe::{self, Attributes, RECIPE};
use super::{resolve, upload};

/// The largest index that is read: it is held in memory.
const MAX_INDEX: u64 = 64 << 20;

/// The component `importer`.
pub(crate) struct Indexes;

#[derive(Debug, Deserialize, Serialize)]
struct Settings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// What is remembered between syncs.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Kept {
    url: String,
    etag: String,
    last_modified: String,
    /// The digest of every course's entries.
    courses: BTreeMap<String, Vec<u8>>,
}

#[async_trait]
impl Component for Indexes {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        if check.scope == CheckScope::Instance {
            return Ok(Checked::good());
        }
        let mut settings: Settings = check.values()?;
        let Some(url) = &mut settings.url else { return Ok(Checked::good()) };
        *url = url.trim().to_owned();
        if url.ends_with('/') {
            let message = format!("{url} is a folder; name the index in it: {url}recipes.json");
            return Ok(Checked::good().error("/url", "config.url", message));
        }
        Checked::good().normalised(&settings)
    }
}

#[async_trait]
impl Importer for Indexes {
    async fn sync(&self, request: SyncRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let url = settings.url.ok_or_else(|| {
            let message = "no source is set: recipes can be uploaded, but there is nothing to sync";
            Error::usage("config.no_source", message).at_field("/url")
        })?;
        // What failed the last time is to be tried again, though the index is the same.
        let failed = request.last.as_ref().is_some_and(|last| last.outcome != "succeeded");
        let kept: Option<Kept> = request.attachment.state();
        let kept = kept.filter(|kept| kept.url == url && !request.full && !failed);
        let kept = kept.unwrap_or_default();

        let download = Download::from_url(&url)
            .max_bytes(MAX_INDEX)
            .unless_unchanged(&kept.etag, &kept.last_modified);
        let file = context.download(download).await?;
        if file.not_modified {
            return Done::nothing_to_do().state(&kept);
        }
        let index = read(&url, &file, context)?;
        let announced: usize = index.courses.values().map(Vec::len).sum();
        let courses = declare(&url, &index, &kept, context).await?;
        let now = Kept { url, etag: file.etag, last_modified: file.last_modified, courses };
        Done::changed().announced(u64::try_from(announced).unwrap_or(u64::MAX)).state(&now)
    }

    async fn upload(&self, request: UploadRequest, context: &Context) -> Result<Done, Error> {
        upload::upload(&request, context).await
    }

    async fn resolve(&self, request: ResolveRequest, context: &Context) -> Result<Done, Error> {
        resolve::resolve(&request, context).await
    }
}

/// Reads the downloaded index.
fn read(url: &str, file: &Downloaded, context: &Context) -> Result<Index, Error> {
    let path = context.in_work_dir(file.staged.as_deref().unwrap_or("".as_ref()));
    let staged = std::fs::File::open(path).map_err(|error| {
        let message = format!("the downloaded index of {url} cannot be opened");
        Error::operation("storage.staged", message).caused_by(&error).retryable()
    })?;
    serde_json::from_reader(BufReader::new(staged)).map_err(|error| {
        let message = format!("{url} is no index of recipes: {error}. Nothing was changed");
        Error::operation("content.index", message)
    })
}

/// Declares every course, or keeps it when its entries are those of the last sync. Gives the digests.
async fn declare(
    url: &str,
    index: &Index,
    kept: &Kept,
    context: &Context,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut digests = BTreeMap::new();
    for (done, (course, entries)) in (0..).zip(&index.courses) {
        let total = u64::try_from(index.courses.len()).unwrap_or(u64::MAX);
        context.progress(Progress::new(done, total).unit("courses")).await;
        let digest = digest(entries)?;
        if kept.courses.get(course) == Some(&digest) {
            context.keep(Keep::field(RECIPE, "course", course)?).await?;
        } else {
            for entry in entries {
                tell(url, course, entry, context).await?;
            }
        }
        digests.insert(course.clone(), digest);
    }
    Ok(digests)
}

/// Declares one recipe. One that is wrong fails alone: the others are of use without it.
async fn tell(url: &str, course: &str, entry: &Entry, context: &Context) -> Result<(), Error> {
    if !is_name(&entry.name) || !is_name(course) {
        let message = "names are made of small letters, digits and dashes; it is left out";
        let error = Error::operation("content.name", message);
        return context.failed(format!("{course}/{}", entry.name), error).await;
    }
    let attributes = match Attributes::new(course, &entry.title, &entry.time, &entry.uses) {
        Ok(attributes) => attributes,
        Err(error) => return context.failed(&entry.name, error).await,
    };
    let folder = url.rsplit_once('/').map_or(url, |(folder, _index)| folder);
    let file = File::at(recipe::path(course, &entry.name))
        .url(format!("{folder}/{}", entry.file))
        .size(entry.size)
        .sha256(&entry.sha256);
    context.unit(recipe::unit(&entry.name, &attributes, file)?).await
}

fn digest(entries: &[Entry]) -> Result<Vec<u8>, Error> {
    let text = serde_json::to_vec(entries)
        .map_err(|error| Error::fault("internal.index", error.to_string()))?;
    Ok(Sha256::digest(&text).to_vec())
}
