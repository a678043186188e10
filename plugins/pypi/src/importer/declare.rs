//! A page becomes units: one for the project, one for each file that is wanted.

use std::collections::{BTreeMap, HashMap};

use url::Url;
use wharf_sdk::{Context, Error, Unit};

use super::settings::Plan;
use crate::filename::{self, Distribution, Kind};
use crate::index::{File, Metadata, Page};
use crate::unit::{
    ADDED, AddedAttributes, AddedKey, FILE, FileAttributes, FileKey, METADATA, ProjectAttributes,
};

/// Wheels that the repository has without metadata, with their digests.
pub(super) type Bare = HashMap<String, String>;

/// Declares what the plan wants of a page. Says how many units.
pub(super) async fn declare(
    plan: &Plan,
    name: &str,
    page: Page,
    held: &Bare,
    context: &Context,
) -> Result<u64, Error> {
    let read = |file: &File| filename::read(&file.filename, name).ok();
    let distributions: Vec<Option<Distribution>> = page.files.iter().map(read).collect();
    let foreign = distributions.iter().filter(|it| it.is_none()).count();
    if foreign + page.skipped > 0 {
        let count = foreign + page.skipped;
        let text = format!(
            "{count} entries of the page of {name} are no distributions of it and were left out"
        );
        context.warn("content.entries", text, name).await?;
    }
    // Versions are counted among what can be had at all.
    let taken = |(file, it): (&File, Option<Distribution>)| {
        it.filter(|distribution| plan.takes.file(file, distribution.kind))
    };
    let distributions: Vec<_> = page.files.iter().zip(distributions).map(taken).collect();
    let wanted = plan.filter.wanted(name, &distributions);
    let mut files = BTreeMap::new();
    for ((file, distribution), wanted) in page.files.into_iter().zip(distributions).zip(wanted) {
        if let Some(distribution) = distribution.filter(|_| wanted) {
            // Clients take any of two entries with one name; the first is as good.
            files.entry(file.filename.clone()).or_insert((file, distribution));
        }
    }
    let yanked =
        files.values().filter_map(|(file, _)| Some((file.filename.clone(), file.yanked.clone()?)));
    let index = Some(plan.base.as_str().to_owned());
    let project = ProjectAttributes { status: page.status, yanked: yanked.collect(), index };
    context.unit(project.unit(name)?).await?;
    let mut count = 1;
    for (file, distribution) in files.into_values() {
        let metadata = metadata_file(&file, distribution.kind);
        let bare = file.hashes.get("sha256").filter(|hex| held.get(&file.filename) == Some(hex));
        match (metadata, bare.cloned()) {
            (Some(metadata), Some(wheel)) => {
                context.unit(added(name, wheel, metadata)?).await?;
                context.unit(unit(name, file, distribution)?).await?;
                count += 2;
            }
            (metadata, _) => {
                let unit = unit(name, file, distribution)?;
                let unit = metadata.into_iter().fold(unit, Unit::file);
                context.unit(unit).await?;
                count += 1;
            }
        }
    }
    Ok(count)
}

/// Metadata for a wheel that is stored without: what is stored never changes, so it is a unit of its own.
fn added(name: &str, wheel: String, metadata: wharf_sdk::File) -> Result<Unit, Error> {
    let info = metadata.info();
    let sha256 = info.hex("sha256").map(str::to_owned);
    let key = AddedKey { filename: info.path().to_owned(), sha256 };
    let attributes = AddedAttributes { name: name.to_owned(), wheel };
    Ok(Unit::new(ADDED).key(&key)?.attributes(&attributes)?.file(metadata))
}

fn unit(name: &str, file: File, distribution: Distribution) -> Result<Unit, Error> {
    let key =
        FileKey { filename: file.filename.clone(), sha256: file.hashes.get("sha256").cloned() };
    let attributes = FileAttributes {
        name: name.to_owned(),
        version: distribution.version,
        package_type: distribution.kind,
        requires_python: file.requires_python,
        upload_time: file.upload_time,
    };
    let mut bytes =
        wharf_sdk::File::at(file.filename).url(file.url).media_type(media_type(distribution.kind));
    for (algorithm, hex) in &file.hashes {
        bytes = bytes.digest(format!("{algorithm}:{hex}"));
    }
    if let Some(size) = file.size {
        bytes = bytes.size(size);
    }
    Ok(Unit::new(FILE).key(&key)?.attributes(&attributes)?.file(bytes))
}

/// The metadata beside a wheel: small, needed by whoever resolves, and so fetched whatever the policy is.
fn metadata_file(file: &File, kind: Kind) -> Option<wharf_sdk::File> {
    let sha256 = match &file.metadata {
        _ if kind != Kind::Wheel => return None,
        Metadata::Missing => return None,
        Metadata::There => None,
        Metadata::Sha256(hex) => Some(hex),
    };
    let mut url = Url::parse(&file.url).ok()?;
    let path = format!("{}{METADATA}", url.path());
    url.set_path(&path);
    let metadata = wharf_sdk::File::at(format!("{}{METADATA}", file.filename))
        .url(url)
        .eager()
        .media_type("text/plain; charset=utf-8");
    Some(match sha256 {
        Some(hex) => metadata.sha256(hex),
        None => metadata,
    })
}

pub(super) fn media_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Wheel => "application/zip",
        Kind::Sdist | Kind::Other => "application/octet-stream",
    }
}
