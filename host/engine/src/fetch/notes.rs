//! A few lines beside a large staging file, so that a later attempt of the same job can continue it (F112).
//!
//! ```text
//! TARGET.notes:  address as requested LF validator as the server wrote it LF
//! ```
//!
//! Written only where a strong digest will tell whether the joined parts are one file.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
};

use tokio_util::sync::CancellationToken;

use super::{
    target::{Target, remove},
    verify::Expected,
};

/// Files below this size are simply fetched again.
pub(super) const WORTH_NOTING: u64 = 8 << 20;

/// Larger notes are not ours.
const LONGEST: u64 = 16 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notes {
    pub(super) url: String,
    pub(super) validator: String,
}

impl Notes {
    /// What an earlier attempt left at this target, hashed again; `None` when there is nothing of use.
    ///
    /// Reads the whole file. Ends early when cancelled.
    pub(super) fn resume(
        target: &Path,
        expected: &Expected,
        cancel: &CancellationToken,
    ) -> Option<(Self, Target)> {
        let notes = Self::read(target)?;
        let mut file = OpenOptions::new().read(true).write(true).open(target).ok()?;
        let mut sums = expected.sums();
        let mut bytes: u64 = 0;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let count = file.read(&mut buffer).ok()?;
            let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
            sums.update(piece);
            bytes += count as u64;
            if cancel.is_cancelled()
                || expected.size.is_some_and(|size| bytes >= size)
                || bytes > expected.limit
            {
                return None;
            }
        }
        (bytes > 0).then(|| (notes, Target::resumed(file, sums, bytes)))
    }

    pub(super) fn write(&self, target: &Path) -> io::Result<()> {
        fs::write(path(target), format!("{}\n{}\n", self.url, self.validator))
    }

    pub(super) fn exist(target: &Path) -> bool {
        path(target).exists()
    }

    pub(super) fn remove(target: &Path) -> io::Result<()> {
        remove(&path(target))
    }

    fn read(target: &Path) -> Option<Self> {
        let mut text = String::new();
        fs::File::open(path(target)).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
        let (url, rest) = text.split_once('\n')?;
        let (validator, rest) = rest.split_once('\n')?;
        rest.is_empty().then(|| Self { url: url.to_owned(), validator: validator.to_owned() })
    }
}

fn path(target: &Path) -> PathBuf {
    let mut path = OsString::from(target);
    path.push(".notes");
    PathBuf::from(path)
}
