//! Finds one member of a ZIP archive. Source: PKWARE's APPNOTE, sections 4.3 and 4.4.
//!
//! The central directory is read in full first: a name that is there twice, or leads elsewhere, makes the whole archive
//! unusable, for installers differ in which of two members they take.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder};

use super::{MAX_METADATA, PackageError, stays_inside};

/// The most members. The largest wheels have some 50,000.
const MAX_MEMBERS: usize = 500_000;
/// The longest name of a member.
const MAX_NAME: usize = 4096;

/// The bytes of the one member for which `wanted` holds; `what` names it for people.
///
/// # Errors
/// The archive is not sound, or has no such member, or several.
pub(super) fn member(
    file: File,
    what: &'static str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<u8>, PackageError> {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_file(file, &mut buffer).map_err(|error| broken(&error))?;
    let announced = archive.entries_hint();
    let mut names = HashSet::new();
    let mut found: Option<(ZipArchiveEntryWayfinder, CompressionMethod)> = None;
    let mut entries = archive.entries(&mut buffer);
    while let Some(entry) = entries.next_entry().map_err(|error| broken(&error))? {
        let name = name(entry.file_path().as_bytes())?;
        if names.len() >= MAX_MEMBERS {
            return Err(PackageError::Members(MAX_MEMBERS));
        }
        let is_it = wanted(&name);
        if is_it && found.is_some() {
            return Err(PackageError::Several(what));
        }
        if is_it {
            found = Some((entry.wayfinder(), entry.compression_method()));
        }
        if let Some(twice) = names.replace(name) {
            return Err(PackageError::Twice(twice));
        }
    }
    if announced != names.len() as u64 {
        let text = format!("it announces {announced} members and has {}", names.len());
        return Err(PackageError::Zip(text));
    }
    let (place, method) = found.ok_or(PackageError::Missing(what))?;
    let entry = archive.get_entry(place).map_err(|error| broken(&error))?;
    let (mut bytes, most) = (Vec::new(), MAX_METADATA + 1);
    // The reader fails when size or checksum are not what the directory says.
    if method == CompressionMethod::STORE {
        entry.verifying_reader(entry.reader()).take(most).read_to_end(&mut bytes)?;
    } else if method == CompressionMethod::DEFLATE {
        let unpacked = DeflateDecoder::new(entry.reader());
        entry.verifying_reader(unpacked).take(most).read_to_end(&mut bytes)?;
    } else {
        return Err(PackageError::Compression);
    }
    if bytes.len() as u64 > MAX_METADATA {
        return Err(PackageError::Long);
    }
    Ok(bytes)
}

/// A member's name, if it is one that can be unpacked anywhere.
fn name(bytes: &[u8]) -> Result<String, PackageError> {
    let name = String::from_utf8_lossy(bytes);
    if bytes.len() <= MAX_NAME && stays_inside(&name) {
        return Ok(name.into_owned());
    }
    Err(PackageError::Path(name.chars().take(200).collect()))
}

fn broken(error: &rawzip::Error) -> PackageError {
    PackageError::Zip(error.to_string())
}
