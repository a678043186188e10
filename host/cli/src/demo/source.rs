//! What the demo shows: a folder or an address.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use wharf_engine::fetch::{Config, Fetcher, Meter, Request, Source as Place, Trust};

use super::download::Truth;
use super::folder::{self, Extent};
use super::manifest::{self, Entry};
use crate::api::{Class, Problem};
use crate::commands::Origin;
use crate::error::Error;
use crate::render::text::{exact, many, size};

/// What nobody wants to see of a checkout.
const LEFT_OUT: [&str; 2] = ["target", ".git"];
/// The usual names of the published lists.
const MANIFEST: &str = "PULP_MANIFEST";
pub(super) const SUMS: &str = "SHA256SUMS";
/// The largest manifest taken, in bytes.
const MAX_MANIFEST: u64 = 1 << 30;

/// The lists that are published beside the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lists {
    /// The name of the manifest.
    pub(super) manifest: String,
    /// Whether `SHA256SUMS` is published.
    pub(super) sums: bool,
}

/// A source, looked at before anything is started.
#[derive(Debug)]
pub(super) struct Source {
    /// What the importer is told.
    pub(super) origin: Origin,
    /// Names directly below the folder that are left out.
    pub(super) without: Vec<&'static str>,
    /// How much there is.
    pub(super) extent: Extent,
    /// What the result is compared with.
    pub(super) truth: Arc<Truth>,
}

impl Source {
    /// Looks at the folder or address that was named, or at the current folder. `scratch` is where
    /// the demo keeps its data.
    pub(super) async fn look(named: Option<&str>, scratch: &Path) -> Result<Self, Error> {
        let without = if named.is_none() { LEFT_OUT.to_vec() } else { Vec::new() };
        let origin = Origin::of(named.unwrap_or("."))?;
        if origin.key == "url" {
            return Self::upstream(origin, scratch).await;
        }
        let (root, scratch) = (PathBuf::from(&origin.value), scratch.to_owned());
        let names = without.clone();
        let look = move || look_into(&root, &names, &scratch).map(|extent| (extent, root));
        let (extent, root) = blocking(look).await?;
        Ok(Self { origin, without, extent, truth: Arc::new(Truth::Folder(root)) })
    }

    async fn upstream(origin: Origin, scratch: &Path) -> Result<Self, Error> {
        let text = fetch(&origin.value, &scratch.join("upstream")).await?;
        let entries = manifest::read(&text, &origin.value)?;
        if entries.is_empty() {
            return Err(empty(&origin.value));
        }
        let bytes = entries.iter().map(|entry| entry.size).sum();
        let files = entries.iter().map(|entry| entry.path.clone()).collect();
        let extent = Extent { files, bytes };
        fits(&extent, scratch)?;
        let digests: HashMap<String, String> =
            entries.into_iter().map(|Entry { path, sha256, .. }| (path, sha256)).collect();
        Ok(Self { origin, without: Vec::new(), extent, truth: Arc::new(Truth::Digests(digests)) })
    }

    /// What the importer is told.
    pub(super) fn settings(&self) -> Map<String, Value> {
        let mut settings = Map::new();
        settings.insert(self.origin.key.to_owned(), Value::from(self.origin.value.as_str()));
        if !self.without.is_empty() {
            // A slash at the beginning: directly below the folder.
            let patterns = self.without.iter().map(|name| format!("/{name}"));
            settings.insert("exclude".to_owned(), patterns.collect());
        }
        settings
    }

    /// The published lists, under names that no file of the source has.
    pub(super) fn lists(&self) -> Lists {
        let taken = |name: &str| self.extent.files.contains(name);
        let mut manifest = MANIFEST.to_owned();
        while taken(&manifest) {
            manifest.push_str(".demo");
        }
        Lists { manifest, sums: !taken(SUMS) }
    }

    /// `/srv/tree without target, .git: 10,000 files, 9.77 MiB`
    pub(super) fn describe(&self) -> String {
        let without = match self.without.as_slice() {
            [] => String::new(),
            names => format!(" without {}", names.join(" and ")),
        };
        let place = exact(&self.origin.value);
        format!("{place}{without}: {}", describe(&self.extent))
    }
}

/// `10,000 files, 9.77 MiB`
fn describe(extent: &Extent) -> String {
    format!("{}, {}", many(extent.files.len() as u64, "file", "files"), size(extent.bytes))
}

fn look_into(root: &Path, without: &[&str], scratch: &Path) -> Result<Extent, Error> {
    let scratch = scratch.canonicalize().unwrap_or_else(|_gone| scratch.to_owned());
    if scratch.starts_with(root) {
        return Err(Error::usage(
            format!("the demo keeps its data in {}, inside the source", scratch.display()),
            "name a smaller folder, or set TMPDIR to a folder elsewhere",
        ));
    }
    let extent = folder::measure(root, without)?;
    if extent.files.is_empty() {
        return Err(empty(&root.display().to_string()));
    }
    fits(&extent, &scratch)?;
    Ok(extent)
}

fn empty(place: &str) -> Error {
    Error::usage(
        format!("{place} holds no files"),
        "name a folder with files in it, or the URL of a PULP_MANIFEST",
    )
}

/// The demo copies everything once.
fn fits(extent: &Extent, scratch: &Path) -> Result<(), Error> {
    match folder::free(scratch) {
        Some(free) if extent.bytes > free => Err(Error::from(Problem {
            class: Class::Operation,
            code: "storage.space".to_owned(),
            message: format!(
                "the source has {}, and {} has room for {}",
                size(extent.bytes),
                scratch.display(),
                size(free)
            ),
            at: None,
            help: Some(
                "name a smaller source, or set TMPDIR to a folder with more room".to_owned(),
            ),
            details: None,
        })),
        _ => Ok(()),
    }
}

/// Upstream's own list, fetched apart from the sync.
async fn fetch(url: &str, target: &Path) -> Result<String, Error> {
    let request = Request {
        sources: vec![Place { url: url.to_owned(), headers: BTreeMap::new() }],
        target: target.to_owned(),
        max_bytes: Some(MAX_MANIFEST),
        trust: Arc::new(Trust::public().typed(url)),
        ..Request::default()
    };
    let told = |error: wharf_engine::fetch::Error| {
        Error::from(Problem::from(wharf_engine::Problem::from(error)))
    };
    let fetcher = Fetcher::new(Config { retries: 1, ..Config::default() }).map_err(told)?;
    fetcher.fetch(&request, &CancellationToken::new(), &Meter::default()).await.map_err(told)?;
    let path = target.to_owned();
    let read = move || {
        let text = std::fs::read_to_string(&path);
        text.map_err(|source| Error::File { action: "read", path: path.clone(), source })
    };
    blocking(read).await
}

/// Runs what blocks beside the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Broken {
        request: "looking at the source".to_owned(),
        reason: error.to_string(),
    })?
}
