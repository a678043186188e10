//! A page becomes units: one for the project, one for each file that is wanted.

use std::collections::BTreeMap;

use url::Url;
use wharf_sdk::{Context, Error, Unit};

use super::settings::Plan;
use crate::filename::{self, Distribution, Kind};
use crate::index::{File, Metadata, Page};
use crate::unit::{FILE, FileAttributes, FileKey, METADATA, ProjectAttributes};

/// Declares what the plan wants of a page. Says how many units.
pub(super) async fn declare(
    plan: &Plan,
    name: &str,
    page: Page,
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
    let project = ProjectAttributes { status: page.status, yanked: yanked.collect() };
    context.unit(project.unit(name)?).await?;
    let mut count = 1;
    for (file, distribution) in files.into_values() {
        context.unit(unit(name, file, distribution)?).await?;
        count += 1;
    }
    Ok(count)
}

fn unit(name: &str, file: File, distribution: Distribution) -> Result<Unit, Error> {
    let metadata = metadata_file(&file, distribution.kind);
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
    let unit = Unit::new(FILE).key(&key)?.attributes(&attributes)?.file(bytes);
    Ok(match metadata {
        Some(metadata) => unit.file(metadata),
        None => unit,
    })
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
