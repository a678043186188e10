//! Upstream's own files, kept as they are: what vouches for the rest, and the indexes that were chosen, in every
//! compression that upstream has them in.
//!
//! They become units like everything else of a version, so going back, copying and collecting treat them right. Files
//! are looked for here and not by the host, because upstreams list files that they do not serve: such are passed over.

use std::collections::BTreeMap;

use wharf_sdk::{Context, Download, Downloaded, Error, File, Unit};

use super::choose::{Choice, Offer};
use super::fetch::{is_missing, staged, unreadable};
use super::kept::KeptSuite;
use super::settings::Suite;
use super::sync::Mirror;
use crate::release::{Release, split};
use crate::types::{FILE, FileKey};
use crate::unpack::Compression;

const IN_RELEASE: &str = "InRelease";
const RELEASE: &str = "Release";
const SIGNATURE: &str = "Release.gpg";
/// The largest of the three.
const MAX_BYTES: u64 = 16 << 20;

/// Paths from the repository's root, with digests.
type Files = BTreeMap<String, String>;

/// Declares the files of a distribution. Gives those that upstream has; `held` are those of the last time.
pub(super) async fn declare(
    mirror: &mut Mirror<'_>,
    suite: &Suite,
    release: &Release,
    choice: &Choice,
    now: &KeptSuite,
    held: Option<&Files>,
) -> Result<Files, Error> {
    let mut files = Files::new();
    for (name, file) in vouching(mirror, suite, release, now).await? {
        let path = format!("{}{name}", suite.folder);
        let unit = unit(suite, &path, &file, mirror.context)?;
        mirror.tell(&path, unit).await?;
        files.insert(path, hex(&file));
    }
    let mut wanted = Vec::new();
    for offer in listed(release, choice) {
        let path = format!("{}{}", suite.folder, offer.path);
        let held = held.and_then(|held| held.get(&path)).map(String::as_str);
        if let Some(sha256) = offer.sha256().filter(|sha256| held == Some(sha256)) {
            let file = file(&path).size(offer.size).sha256(sha256);
            let file = file.url(mirror.settings.address(&path)).eager();
            let unit = keyed(suite, &path, sha256)?.file(file);
            mirror.tell(&path, unit).await?;
            files.insert(path, sha256.to_owned());
        } else {
            wanted.push((path, offer));
        }
    }
    let asked = wanted.iter().map(|(_, offer)| mirror.request(suite, offer, release.by_hash));
    let mut answers = mirror.context.download_all(asked.collect()).await?;
    while let Some((place, answer)) = answers.next().await? {
        let Some((path, _)) = wanted.get(place) else { continue };
        match answer {
            Ok(file) => {
                let unit = unit(suite, path, &file, mirror.context)?;
                mirror.tell(path, unit).await?;
                files.insert(path.clone(), hex(&file));
            }
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

/// Every compression of the chosen indexes that is listed with a digest.
fn listed(release: &Release, choice: &Choice) -> Vec<Offer> {
    let stems: Vec<&str> = choice
        .areas
        .iter()
        .flat_map(|area| &area.indexes)
        .chain(&choice.beside)
        .map(|index| index.path.as_str())
        .collect();
    let chosen = |path: &str| {
        let rest = stems.iter().find_map(|stem| path.strip_prefix(stem));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') && !rest.contains('/'))
    };
    let offers = release.digests.iter().filter(|(path, _)| chosen(path));
    let offer = |(path, listed): (&str, &crate::release::Listed)| {
        let digest = listed.digest()?;
        // How it is compressed does not matter: it is not opened.
        let compression = Compression::None;
        Some(Offer { compression, path: path.to_owned(), size: listed.size, digest })
    };
    offers.filter_map(offer).collect()
}

/// What vouches for the distribution: the file that was read, and what belongs to it.
async fn vouching(
    mirror: &Mirror<'_>,
    suite: &Suite,
    release: &Release,
    now: &KeptSuite,
) -> Result<Vec<(&'static str, Downloaded)>, Error> {
    let ask = |name: &str| {
        let url = mirror.settings.address(&format!("{}{name}", suite.folder));
        let download = Download::from_url(url).max_bytes(MAX_BYTES);
        if now.file == name { download.digest(now.digest.clone()) } else { download }
    };
    let names = [IN_RELEASE, RELEASE, SIGNATURE];
    let mut answers = mirror.context.download_all(names.map(ask).to_vec()).await?;
    let mut found: BTreeMap<&'static str, Downloaded> = BTreeMap::new();
    while let Some((place, answer)) = answers.next().await? {
        let Some(name) = names.get(place).copied() else { continue };
        match answer {
            Ok(file) => {
                found.insert(name, file);
            }
            Err(error) if name != now.file && is_missing(&error) => {}
            Err(error) => return Err(error),
        }
    }
    for name in [IN_RELEASE, RELEASE] {
        let Some(file) = found.get(name).filter(|_| name != now.file) else { continue };
        if !says_the_same(name, file, release, mirror.context)? {
            let text = format!(
                "{name} of {} is not of one piece with {}; it is left out until the next sync",
                suite.distribution, now.file
            );
            mirror.context.warn("source.changing", text, name).await?;
            found.remove(name);
        }
    }
    // A signature without what it signs is nothing.
    if !found.contains_key(RELEASE) {
        found.remove(SIGNATURE);
    }
    Ok(found.into_iter().collect())
}

/// Whether a file says what the one that was read says.
fn says_the_same(
    name: &str,
    file: &Downloaded,
    release: &Release,
    context: &Context,
) -> Result<bool, Error> {
    let bytes = std::fs::read(staged(file, context)).map_err(|error| unreadable(name, &error))?;
    let other = if name == IN_RELEASE {
        split(&bytes).ok().and_then(|signed| Release::read(&signed.text).ok())
    } else {
        Release::read(&bytes).ok()
    };
    Ok(other.is_some_and(|other| other == *release))
}

/// The unit of a file that was just downloaded.
fn unit(suite: &Suite, path: &str, from: &Downloaded, context: &Context) -> Result<Unit, Error> {
    let staged = staged(from, context);
    let name = staged.strip_prefix(context.work_dir()).unwrap_or(&staged);
    let sha256 = hex(from);
    let file = file(path).size(from.size).sha256(&sha256).staged(name.to_string_lossy());
    Ok(keyed(suite, path, &sha256)?.file(file))
}

fn keyed(suite: &Suite, path: &str, sha256: &str) -> Result<Unit, Error> {
    let key = FileKey {
        distribution: suite.distribution.clone(),
        path: path.to_owned(),
        sha256: sha256.to_owned(),
    };
    Unit::new(FILE).key(&key)
}

fn file(path: &str) -> File {
    File::at(path.rsplit('/').next().unwrap_or(path))
}

fn hex(file: &Downloaded) -> String {
    file.digest.trim_start_matches("sha256:").to_owned()
}
