//! Publishes what upstream made, byte for byte and at upstream's own paths, so that its signature holds.
//!
//! The way through: the files that the importer kept → of each distribution the `Release`, which gives their names by
//! digest → the kept indexes, read for the paths of the packages that they list (`listed`) → each of these packages must
//! be in the version. Nothing can be left out of an index that somebody else signed: what is missing is named, and
//! nothing is published.

mod listed;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write as _;
use std::path::PathBuf;

use serde::Serialize;
use wharf_sdk::{Context, Done, Error, Progress, PublishedFile, Query, Unit};

use super::tree::{Kept, Told, by_hash};
use super::unwritten;
use crate::release::{Release, split};
use crate::types::{DEB, FILE, FileKey, INSTALLER, RELEASE, ReleaseInfo, ReleaseKey, SOURCE};
use listed::Wanted;

/// The largest `Release` that is read.
const MAX_RELEASE: usize = 16 << 20;
/// Missing packages that are named.
const NAMED: usize = 10;
const SIGNATURE: &str = "Release.gpg";
const NAMES: [&str; 3] = ["InRelease", "Release", SIGNATURE];

/// A file that the importer kept.
struct Held {
    distribution: String,
    sha256: String,
    size: u64,
    unit: u64,
    /// Its name in the unit.
    file: String,
}

#[derive(Serialize)]
struct Summary {
    packages: u64,
    distributions: usize,
    /// Files of upstream's own.
    files: usize,
    /// Files that upstream's `Release` lists, and that are not here: of other components and architectures, mostly.
    not_here: usize,
    verbatim: bool,
}

/// Publishes a version. `whole` false: only what clients read first.
pub(super) async fn publish(
    query: Query,
    mut kept: Kept,
    whole: bool,
    context: &Context,
) -> Result<Done, Error> {
    let mut held = held(&query, context).await?;
    if held.is_empty() {
        let message = "the version holds no files of upstream's own. Set verbatim=true on the importer, sync, and \
                       publish again";
        return Err(Error::operation("content.verbatim", message));
    }
    let (mut distributions, mut listed, mut not_here) = (BTreeMap::new(), HashSet::new(), 0);
    for (path, file) in releases(&held) {
        let release = read_release(path, file, context).await?;
        let folder = path.strip_suffix(name(path)).unwrap_or_default();
        let paths = release.digests.iter().map(|(path, _)| format!("{folder}{path}"));
        listed.extend(paths.filter(|path| held.contains_key(path)));
        if whole {
            not_here += by_digest(folder, &release, &held, context).await?;
        }
        distributions.insert(file.distribution.clone(), folder.to_owned());
    }
    // An additive repository keeps files of before that nothing vouches for any more.
    held.retain(|path, _| NAMES.contains(&name(path)) || listed.contains(path));
    for (path, file) in &held {
        let published = PublishedFile::of_unit(path, file.unit, &file.file);
        if NAMES.contains(&name(path)) {
            let signature = name(path) == SIGNATURE;
            let media_type = if signature { "application/pgp-signature" } else { "text/plain" };
            // Its own date is upstream's; clients ask by the one of the answer, in whole seconds.
            let modified_ms = kept.date().saturating_mul(1_000);
            let published = published.media_type(media_type).modified_ms(modified_ms);
            context.file(published.entry_point()).await?;
        } else if whole {
            context.file(published).await?;
        }
    }
    let packages = if whole { packages(&query, &held, context).await? } else { 0 };
    kept.distributions = told(&query, &distributions, context).await?;
    let summary = Summary {
        packages,
        distributions: distributions.len(),
        files: held.len(),
        not_here,
        verbatim: true,
    };
    Done::changed().summary(&summary)?.state(&kept)
}

/// All kept files, by path.
async fn held(query: &Query, context: &Context) -> Result<BTreeMap<String, Held>, Error> {
    let mut held = BTreeMap::new();
    let mut pages = context.units(query.clone().of_type(FILE)).await?;
    while let Some(page) = pages.next().await? {
        for unit in page {
            let key: FileKey = unit.read_key()?;
            let Some(file) = unit.files().next() else { continue };
            let held_file = Held {
                distribution: key.distribution,
                sha256: key.sha256,
                size: file.bytes().unwrap_or_default(),
                unit: unit.id(),
                file: file.path().to_owned(),
            };
            held.insert(key.path, held_file);
        }
    }
    Ok(held)
}

/// One file of each folder that lists the others.
fn releases(held: &BTreeMap<String, Held>) -> impl Iterator<Item = (&str, &Held)> {
    held.iter().map(|(path, file)| (path.as_str(), file)).filter(|(path, _)| {
        let folder = path.strip_suffix(name(path)).unwrap_or_default();
        let signed_here = || held.contains_key(&format!("{folder}InRelease"));
        match name(path) {
            "InRelease" => true,
            "Release" => !signed_here(),
            _ => false,
        }
    })
}

async fn read_release(path: &str, file: &Held, context: &Context) -> Result<Release, Error> {
    let refuse = |error: &dyn std::error::Error| {
        Error::operation("content.release", format!("the kept {path} cannot be used: {error}"))
    };
    let mut chunks = context.open_artifact(&format!("sha256:{}", file.sha256), 0).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await? {
        if bytes.len() + chunk.len() > MAX_RELEASE {
            let message = format!("the kept {path} is larger than {MAX_RELEASE} bytes");
            return Err(Error::operation("limit.release", message));
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = if name(path) == "InRelease" {
        split(&bytes).map_err(|error| refuse(&error))?.text
    } else {
        bytes
    };
    Release::read(&text).map_err(|error| refuse(&error))
}

/// Publishes kept files under their digests too. Gives how many listed files are not here.
async fn by_digest(
    folder: &str,
    release: &Release,
    held: &BTreeMap<String, Held>,
    context: &Context,
) -> Result<usize, Error> {
    let (mut named, mut not_here) = (HashSet::new(), 0);
    for (path, listed) in release.digests.iter() {
        let whole = format!("{folder}{path}");
        let Some(file) = held.get(&whole) else {
            not_here += 1;
            continue;
        };
        if listed.sha256.as_deref() != Some(file.sha256.as_str()) {
            let message = format!(
                "{whole} is not the one that its Release lists; `wharf sync --full` reads both again"
            );
            return Err(Error::operation("content.verbatim", message));
        }
        let strong = listed.sha512.as_deref().map(|hex| by_hash(&whole, "SHA512", hex));
        for name in strong.into_iter().chain([by_hash(&whole, "SHA256", &file.sha256)]) {
            if named.insert(name.clone()) {
                context.file(PublishedFile::of_unit(name, file.unit, &file.file)).await?;
            }
        }
    }
    Ok(not_here)
}

/// Publishes every package that a kept index lists, at the path that it lists. Gives how many.
async fn packages(
    query: &Query,
    held: &BTreeMap<String, Held>,
    context: &Context,
) -> Result<u64, Error> {
    let mut wanted = Wanted::default();
    for (number, (path, file)) in listed::indexes(held).into_iter().enumerate() {
        let staged = fetch(number, file, context).await?;
        let (path, owned) = (path.to_owned(), std::mem::take(&mut wanted));
        let reading = tokio::task::spawn_blocking(move || listed::read(&path, &staged, owned));
        wanted = reading.await.map_err(|error| {
            Error::fault("internal.thread", "the reader of an index ended").caused_by(&error)
        })??;
    }
    let mut places: HashMap<[u8; 32], Vec<String>> = wanted.by_digest();
    let total = places.len() as u64;
    let mut published = 0;
    for kind in [DEB, SOURCE] {
        let mut pages = context.units(query.clone().of_type(kind)).await?;
        while let Some(page) = pages.next().await? {
            for unit in &page {
                published += place(unit, &mut places, context).await?;
            }
            let progress = Progress::new(published, total).unit("files").phase("publishing");
            context.progress(progress).await;
        }
    }
    if places.is_empty() { Ok(published) } else { Err(missing(&places, total)) }
}

/// Publishes the files of a unit wherever they are listed.
async fn place(
    unit: &Unit,
    places: &mut HashMap<[u8; 32], Vec<String>>,
    context: &Context,
) -> Result<u64, Error> {
    let mut published = 0;
    for file in unit.files() {
        let digest = file.hex("sha256").and_then(listed::digest);
        let Some(paths) = digest.and_then(|digest| places.remove(&digest)) else { continue };
        for path in paths {
            context.file(PublishedFile::of_unit(path, unit.id(), file.path())).await?;
        }
        published += 1;
    }
    Ok(published)
}

fn missing(places: &HashMap<[u8; 32], Vec<String>>, total: u64) -> Error {
    let mut paths: Vec<&str> = places.values().flatten().map(String::as_str).collect();
    paths.sort_unstable();
    let named = paths.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = if paths.len() > NAMED { ", ..." } else { "" };
    let message = format!(
        "{} of {total} files that upstream's indexes list are not in the version: {named}{more}. An index that upstream \
         signed cannot leave them out: sync until none fails, or publish without verbatim",
        places.len()
    );
    Error::operation("content.missing", message)
}

/// An index in the work folder.
async fn fetch(number: usize, file: &Held, context: &Context) -> Result<PathBuf, Error> {
    let path = context.in_work_dir(format!("kept-{number}"));
    let mut into = std::fs::File::create_new(&path).map_err(|error| unwritten(&error))?;
    let mut chunks = context.open_artifact(&format!("sha256:{}", file.sha256), 0).await?;
    while let Some(chunk) = chunks.next().await? {
        into.write_all(&chunk).map_err(|error| unwritten(&error))?;
    }
    Ok(path)
}

/// What clients are told of the distributions; `folders` by distribution.
async fn told(
    query: &Query,
    folders: &BTreeMap<String, String>,
    context: &Context,
) -> Result<BTreeMap<String, Told>, Error> {
    let mut told = BTreeMap::new();
    let mut pages = context.units(query.clone().of_type(RELEASE)).await?;
    while let Some(page) = pages.next().await? {
        for unit in page {
            let (key, mut info): (ReleaseKey, ReleaseInfo) =
                (unit.read_key()?, unit.read_attributes()?);
            let Some(folder) = folders.get(&key.distribution) else { continue };
            info.components.retain(|component| !component.ends_with(INSTALLER));
            // A flat one is named by its folder, and has no components.
            let flat = (!folder.starts_with("dists/")).then(|| format!("./{folder}"));
            let components = if flat.is_some() { Vec::new() } else { info.components };
            let one = Told { components, sources: info.sources, verbatim: true };
            told.insert(flat.unwrap_or(key.distribution), one);
        }
    }
    Ok(told)
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
