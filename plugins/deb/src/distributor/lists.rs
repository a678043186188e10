//! The lists of a publication while they grow: paragraphs, spooled to files of the job's folder.
//!
//! What is for all architectures is spooled apart and stands in the list of each; so no list has to wait until all
//! architectures are known.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::types::ReleaseInfo;

/// The architecture of what is for all.
pub(super) const ALL: &str = "all";

/// One distribution.
#[derive(Default)]
pub(super) struct Distribution {
    pub(super) release: ReleaseInfo,
    /// By component and architecture.
    pub(super) binaries: BTreeMap<(String, String), Spool>,
    /// By component.
    pub(super) sources: BTreeMap<String, Spool>,
    /// Files beside the lists: path, size and digest, as the Release lists them.
    pub(super) beside: Vec<(String, u64, String)>,
}

/// A file that grows.
pub(super) struct Spool {
    pub(super) path: PathBuf,
    file: BufWriter<File>,
}

impl Spool {
    fn create(path: PathBuf) -> io::Result<Self> {
        let file = BufWriter::with_capacity(64 << 10, File::create_new(&path)?);
        Ok(Self { path, file })
    }

    /// The file, complete.
    pub(super) fn finish(mut self) -> io::Result<PathBuf> {
        self.file.flush()?;
        Ok(self.path)
    }
}

/// All distributions.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) distributions: BTreeMap<String, Distribution>,
    spools: u32,
}

impl Lists {
    pub(super) fn distribution(&mut self, name: &str) -> &mut Distribution {
        self.distributions.entry(name.to_owned()).or_default()
    }

    /// Appends a paragraph to the list of binary packages for an architecture.
    pub(super) fn binary(
        &mut self,
        work: &Path,
        at: (&str, &str, &str),
        paragraph: &[&[u8]],
    ) -> io::Result<()> {
        let (distribution, component, architecture) = at;
        let number = &mut self.spools;
        let distribution = self.distributions.entry(distribution.to_owned()).or_default();
        let key = (component.to_owned(), architecture.to_owned());
        write(spool(&mut distribution.binaries, key, work, number)?, paragraph)
    }

    /// Appends a paragraph to the list of source packages.
    pub(super) fn source(
        &mut self,
        work: &Path,
        at: (&str, &str),
        paragraph: &[&[u8]],
    ) -> io::Result<()> {
        let number = &mut self.spools;
        let distribution = self.distributions.entry(at.0.to_owned()).or_default();
        write(spool(&mut distribution.sources, at.1.to_owned(), work, number)?, paragraph)
    }
}

/// The file of a list, made with its first paragraph.
fn spool<'a, K: Ord>(
    spools: &'a mut BTreeMap<K, Spool>,
    key: K,
    work: &Path,
    number: &mut u32,
) -> io::Result<&'a mut Spool> {
    match spools.entry(key) {
        Entry::Occupied(spool) => Ok(spool.into_mut()),
        Entry::Vacant(free) => {
            *number += 1;
            Ok(free.insert(Spool::create(work.join(format!("spool-{number}")))?))
        }
    }
}

fn write(spool: &mut Spool, paragraph: &[&[u8]]) -> io::Result<()> {
    paragraph.iter().try_for_each(|part| spool.file.write_all(part))
}
