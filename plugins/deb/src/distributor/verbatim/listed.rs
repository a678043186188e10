//! What kept indexes list: the path and digest of every package.
//!
//! Only paths and digests are looked at: whether a package makes sense was the importer's question.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use wharf_sdk::Error;

use super::{Held, name};
use crate::control::{Paragraph, Reader};
use crate::distributor::unwritten;
use crate::names;
use crate::unpack::Compression;

/// What one index may unpack to.
const MAX_INDEX: u64 = 4 << 30;
/// The most files in all indexes.
const MAX_FILES: usize = 10_000_000;

/// Paths with the digest that each must have.
#[derive(Default)]
pub(super) struct Wanted {
    paths: HashMap<String, [u8; 32]>,
}

impl Wanted {
    fn add(&mut self, index: &str, path: &str, hex: &str) -> Result<(), Error> {
        let (Some(path), Some(digest)) = (names::path(path), digest(hex)) else {
            let message =
                format!("{index} lists {} without a good path and SHA256", names::shown(path));
            return Err(Error::operation("content.index", message));
        };
        if self.paths.len() >= MAX_FILES {
            let message = format!("the indexes list more than {MAX_FILES} files");
            return Err(Error::operation("limit.files", message));
        }
        match self.paths.insert(path, digest) {
            Some(before) if before != digest => {
                let message =
                    format!("{index} lists a file that another line has with other bytes");
                Err(Error::operation("content.conflict", message))
            }
            _ => Ok(()),
        }
    }

    /// The other way round.
    pub(super) fn by_digest(self) -> HashMap<[u8; 32], Vec<String>> {
        let mut places: HashMap<[u8; 32], Vec<String>> = HashMap::new();
        for (path, digest) in self.paths {
            places.entry(digest).or_default().push(path);
        }
        places
    }
}

/// The indexes of packages, each in the smallest compression that can be read.
pub(super) fn indexes(held: &BTreeMap<String, Held>) -> Vec<(&str, &Held)> {
    let mut smallest: BTreeMap<&str, (&str, &Held)> = BTreeMap::new();
    for (path, file) in held {
        let Some(stem) = compression(path).and_then(|it| path.strip_suffix(it.suffix())) else {
            continue;
        };
        if !matches!(name(stem), "Packages" | "Sources") {
            continue;
        }
        let best = smallest.entry(stem).or_insert((path, file));
        if file.size < best.1.size {
            *best = (path, file);
        }
    }
    smallest.into_values().collect()
}

fn compression(path: &str) -> Option<Compression> {
    match name(path).rsplit_once('.') {
        None => Some(Compression::None),
        Some((_, ending)) => Compression::ALL
            .into_iter()
            .find(|it| it.suffix().strip_prefix('.').is_some_and(|own| own == ending)),
    }
}

/// Reads an index; `wanted` comes back with what it lists.
pub(super) fn read(path: &str, file: &Path, mut wanted: Wanted) -> Result<Wanted, Error> {
    let refuse = |error: &dyn std::error::Error| {
        Error::operation("content.index", format!("the kept {path} cannot be read: {error}"))
    };
    let compression = compression(path).unwrap_or(Compression::None);
    let input = BufReader::with_capacity(256 << 10, File::open(file).map_err(|e| unwritten(&e))?);
    let unpacked = compression.open(input, MAX_INDEX).map_err(|error| refuse(&error))?;
    let mut reader =
        Reader::new(BufReader::with_capacity(256 << 10, unpacked), Reader::<&[u8]>::INDEX);
    let sources = path.rsplit('/').next().is_some_and(|name| name.starts_with("Sources"));
    while let Some(paragraph) = reader.read_next().map_err(|error| refuse(&error))? {
        if sources {
            source(path, &paragraph, &mut wanted)
        } else {
            binary(path, &paragraph, &mut wanted)
        }?;
    }
    Ok(wanted)
}

fn binary(index: &str, paragraph: &Paragraph<'_>, wanted: &mut Wanted) -> Result<(), Error> {
    let text = |name| paragraph.text(name).unwrap_or_default();
    wanted.add(index, &text("Filename"), &text("SHA256"))
}

fn source(index: &str, paragraph: &Paragraph<'_>, wanted: &mut Wanted) -> Result<(), Error> {
    let folder = paragraph.text("Directory").unwrap_or_default();
    for line in paragraph.lines("Checksums-Sha256") {
        let mut words = line.split_ascii_whitespace();
        let (hex, file) = (words.next().unwrap_or_default(), words.nth(1).unwrap_or_default());
        wanted.add(index, &format!("{folder}/{file}"), hex)?;
    }
    Ok(())
}

/// 64 hex digits as bytes.
pub(super) fn digest(hex: &str) -> Option<[u8; 32]> {
    let hex = names::hex(hex, 64)?;
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(size: u64) -> Held {
        Held {
            distribution: String::new(),
            sha256: String::new(),
            size,
            unit: 1,
            file: String::new(),
        }
    }

    #[test]
    fn one_compression_of_each_index_is_read() {
        let all = BTreeMap::from([
            ("d/Packages".to_owned(), held(9)),
            ("d/Packages.xz".to_owned(), held(3)),
            ("d/Packages.bz2".to_owned(), held(1)),
            ("d/Sources.gz".to_owned(), held(3)),
            ("d/InRelease".to_owned(), held(1)),
            ("d/Contents-amd64.gz".to_owned(), held(1)),
        ]);
        let paths: Vec<&str> = indexes(&all).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["d/Packages.xz", "d/Sources.gz"]);
    }

    #[test]
    fn paths_and_digests_must_be_good_and_agree() {
        let (mut wanted, sum) = (Wanted::default(), "0a".repeat(32));
        assert!(wanted.add("i", "./pool/a.deb", &sum).is_ok());
        assert!(wanted.add("i", "pool/a.deb", &sum.to_uppercase()).is_ok());
        assert!(wanted.add("i", "pool/a.deb", &"0b".repeat(32)).is_err());
        for (path, hex) in [("../a", sum.as_str()), ("", &sum), ("a", ""), ("a", "00")] {
            assert!(Wanted::default().add("i", path, hex).is_err(), "{path} {hex}");
        }
        assert_eq!(wanted.by_digest().len(), 1);
    }
}
