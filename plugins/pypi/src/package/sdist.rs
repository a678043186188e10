//! The PKG-INFO of a source distribution. Source: PEP 625, PEP 643.

use std::fs::File;
use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;

use super::{MAX_METADATA, PackageError, stays_inside, zip};

/// What an archive may unpack to before its PKG-INFO comes.
const MAX_UNPACKED: u64 = 4 << 30;
/// Members that are looked at before it comes.
const MAX_MEMBERS: usize = 500_000;
const WHAT: &str = "NAME-VERSION/PKG-INFO";

/// `FOLDER/PKG-INFO`, in the one folder that everything is in.
fn is_info(member: &str) -> bool {
    member.split_once('/').is_some_and(|(_folder, name)| name == "PKG-INFO")
}

pub(super) fn from_zip(file: File) -> Result<Vec<u8>, PackageError> {
    zip::member(file, WHAT, is_info)
}

/// Reads to the end: a second PKG-INFO would be the one that unpacking leaves.
pub(super) fn from_tar(file: File) -> Result<Vec<u8>, PackageError> {
    let unpacked = MultiGzDecoder::new(BufReader::with_capacity(1 << 18, file));
    let mut archive = tar::Archive::new(Bounded { inner: unpacked, left: MAX_UNPACKED });
    let mut found = None;
    for (number, entry) in archive.entries()?.enumerate() {
        if number >= MAX_MEMBERS {
            return Err(PackageError::Members(MAX_MEMBERS));
        }
        let entry = entry.map_err(bounded)?;
        let path = entry.path_bytes();
        let name = String::from_utf8_lossy(&path).into_owned();
        let name = name.strip_prefix("./").unwrap_or(&name);
        if !name.is_empty() && !stays_inside(name) {
            return Err(PackageError::Path(name.chars().take(200).collect()));
        }
        if !is_info(name) || !entry.header().entry_type().is_file() {
            continue;
        }
        if found.is_some() {
            return Err(PackageError::Twice(name.to_owned()));
        }
        let mut bytes = Vec::new();
        entry.take(MAX_METADATA + 1).read_to_end(&mut bytes).map_err(bounded)?;
        if bytes.len() as u64 > MAX_METADATA {
            return Err(PackageError::Long);
        }
        found = Some(bytes);
    }
    found.ok_or(PackageError::Missing(WHAT))
}

/// Ends with an error of its own kind when too much came.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

fn bounded(error: io::Error) -> PackageError {
    if error.kind() == io::ErrorKind::FileTooLarge {
        PackageError::Bomb(MAX_UNPACKED)
    } else {
        PackageError::Read(error)
    }
}
