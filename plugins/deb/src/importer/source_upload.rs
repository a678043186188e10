//! A source package that a user brings: a `.dsc`, and every file that it lists, held against its digests.
//!
//! A signature around a `.dsc` says who made it, and is not looked at: who may upload is the host's business.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use wharf_sdk::{Context, Error};

use super::fetch::unreadable;
use super::units::{self, MAX_SOURCE_FILES, Place};
use super::upload::Brought;
use crate::control::{Paragraph, Reader};
use crate::names;
use crate::release::split;
use crate::types::{DEB, SOURCE};
use crate::version::without_epoch;

/// The largest `.dsc`.
const MAX_BYTES: u64 = 1 << 20;
/// What a `.dsc` calls otherwise than an index does, and its lists of files: the index's names the `.dsc` itself, too.
const REPLACED: &[&str] = &[
    "Source",
    "Package",
    "Directory",
    "Files",
    "Checksums-Md5",
    "Checksums-Sha1",
    "Checksums-Sha256",
    "Checksums-Sha512",
];

/// Declares the source packages among what was brought. Gives their number, and what belongs to none: binary packages.
pub(super) async fn declare<'a>(
    place: &Place,
    brought: &'a [Brought<'a>],
    kind: &str,
    context: &Context,
) -> Result<(usize, Vec<&'a Brought<'a>>), Error> {
    let mut rest: BTreeMap<&str, &Brought<'_>> =
        brought.iter().map(|file| (file.name, file)).collect();
    let sources: Vec<&Brought<'_>> = brought.iter().filter(|file| is_dsc(file.name)).collect();
    if kind == DEB && !sources.is_empty() {
        let message = format!("a .dsc is of type {SOURCE}; leave out --type, or say so");
        return Err(Error::usage("usage.type", message).at_field("/type"));
    }
    for dsc in &sources {
        let text = read(dsc, context)?;
        let mut reader = Reader::new(text.as_slice(), Reader::<&[u8]>::INDEX);
        let paragraph = reader.read_next().map_err(|error| refuse(dsc, &error.to_string()))?;
        let paragraph = paragraph.ok_or_else(|| refuse(dsc, "it is empty"))?;
        check(dsc, &paragraph, brought)?;
        for line in paragraph.lines("Checksums-Sha256") {
            rest.remove(line.rsplit(' ').next().unwrap_or_default());
        }
        rest.remove(dsc.name);
        one(place, dsc, &paragraph, brought, context).await?;
    }
    let stray = |name: &&str| kind == SOURCE || (!sources.is_empty() && !name.ends_with("deb"));
    if let Some(name) = rest.keys().copied().find(stray) {
        let message = format!("{} is listed by no .dsc that came with it", names::shown(name));
        return Err(Error::usage("content.package", message).for_item(name));
    }
    let rest = brought.iter().filter(|file| rest.contains_key(file.name)).collect();
    Ok((sources.len(), rest))
}

fn is_dsc(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| ending == "dsc")
}

/// What a `.dsc` says, without the signature around it.
fn read(dsc: &Brought<'_>, context: &Context) -> Result<Vec<u8>, Error> {
    if dsc.size.is_none_or(|size| size > MAX_BYTES) {
        return Err(refuse(dsc, &format!("it has more than {MAX_BYTES} bytes")));
    }
    let bytes = std::fs::read(context.in_work_dir(dsc.staged))
        .map_err(|error| unreadable(dsc.staged, &error))?;
    if !bytes.starts_with(b"-----BEGIN PGP") {
        return Ok(bytes);
    }
    Ok(split(&bytes).map_err(|error| refuse(dsc, &error.to_string()))?.text)
}

/// Every listed file must be here, and be what is listed (F101, F118).
fn check(
    dsc: &Brought<'_>,
    paragraph: &Paragraph<'_>,
    brought: &[Brought<'_>],
) -> Result<(), Error> {
    let word = |name| paragraph.text(name).unwrap_or_default();
    let (package, version) = (word("Source"), word("Version"));
    let called = format!("{package}_{}.dsc", without_epoch(&version));
    if called != dsc.name {
        let why = format!(
            "it holds {} {}; give it the name {}",
            names::shown(&package),
            names::shown(&version),
            names::shown(&called)
        );
        return Err(Error::usage("content.name", said(dsc, &why)).for_item(dsc.name));
    }
    let mut count = 0;
    for line in paragraph.lines("Checksums-Sha256").take(MAX_SOURCE_FILES) {
        count += 1;
        let listed = units::source_file(&line)
            .ok_or_else(|| refuse(dsc, "a line of its Checksums-Sha256 cannot be used"))?;
        let (sha256, size, name) = listed;
        let Some(file) = brought.iter().find(|file| file.name == name) else {
            let why = format!(
                "it lists {name}, which did not come with it; upload all its files together"
            );
            return Err(Error::usage("content.incomplete", said(dsc, &why)).for_item(name));
        };
        if file.sha256 != sha256 || file.size.is_some_and(|found| found != size) {
            let why = format!(
                "{name} is not the file that it lists: its sha256 is {}, listed is {sha256}",
                file.sha256
            );
            return Err(Error::usage("integrity.digest", said(dsc, &why)).for_item(name));
        }
    }
    if count == 0 {
        let why = "it lists no files with a SHA256; weaker digests do not count";
        return Err(Error::usage("policy.digest", said(dsc, why)).for_item(dsc.name));
    }
    Ok(())
}

/// As an index would list it.
async fn one(
    place: &Place,
    dsc: &Brought<'_>,
    paragraph: &Paragraph<'_>,
    brought: &[Brought<'_>],
    context: &Context,
) -> Result<(), Error> {
    let mut text = format!("Package: {}\n", paragraph.text("Source").unwrap_or_default());
    text.push_str(&paragraph.without(REPLACED));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str("Checksums-Sha256:\n");
    for line in paragraph.lines("Checksums-Sha256") {
        writeln!(text, " {line}").map_err(|error| refuse(dsc, &error.to_string()))?;
    }
    let size = dsc.size.unwrap_or_default();
    writeln!(text, " {} {size} {}", dsc.sha256, dsc.name)
        .map_err(|error| refuse(dsc, &error.to_string()))?;
    let mut reader = Reader::new(text.as_bytes(), Reader::<&[u8]>::INDEX);
    let listed = reader.read_next().map_err(|error| refuse(dsc, &error.to_string()))?;
    let listed = listed.ok_or_else(|| refuse(dsc, "it is empty"))?;
    let staged = |name: &str| brought.iter().find(|file| file.name == name).map(|file| file.staged);
    let declared = units::source_with(place, &listed, |name, file| match staged(name) {
        Some(staged) => file.staged(staged),
        None => file,
    });
    let declared = declared.map_err(|(_name, error)| error)?;
    context.unit(declared.unit).await
}

fn said(dsc: &Brought<'_>, why: &str) -> String {
    format!("{}: {why}", names::shown(dsc.name))
}

fn refuse(dsc: &Brought<'_>, why: &str) -> Error {
    Error::usage("content.package", said(dsc, why)).for_item(dsc.name)
}
