//! What may be in the root file system of an image, member by member.
//!
//! Nothing is unpacked here, but whoever uses the image unpacks it: what would lead out of the folder that it is unpacked
//! to is refused, and so is what layers of containers take for a command (whiteouts). Nodes of devices below `dev` are
//! left out, since every system makes its own there; anywhere else they are refused.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::ffi::OsStrExt as _;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::member::{Kind, Member, shown};
use super::{FILE, malformed};
use crate::Error;

const PATH_BYTES: usize = 4096;
const NAME_BYTES: usize = 255;
const WHITEOUT: &[u8] = b".wh.";

/// What becomes of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes into the image.
    Keep,
    /// It is a node below `dev`.
    Device,
    /// A pattern excludes it.
    Excluded,
}

/// Judges the members of one archive, in its order.
pub struct Rules {
    excludes: GlobSet,
    /// What was left out; nothing may link to it.
    left_out: HashSet<Vec<u8>>,
    symlinks: HashSet<Vec<u8>>,
    /// Hashes of the paths of files, which hard links may lead to.
    files: HashSet<u64>,
    hasher: RandomState,
}

impl Rules {
    /// Patterns as of `tar --exclude`, from the root; a `./` or `/` before them does not count. What lies below an
    /// excluded folder is excluded too.
    ///
    /// # Errors
    /// [`Error::Wish`] for a pattern that is none.
    pub fn new(excludes: &[String]) -> Result<Self, Error> {
        let mut set = GlobSetBuilder::new();
        let wrong = |pattern: &str, error: globset::Error| {
            Error::Wish(format!("tar_excludes: {pattern:?} is no pattern: {error}"))
        };
        for pattern in excludes {
            let path = pattern.trim_start_matches("./").trim_matches('/');
            if !path.is_empty() {
                set.add(Glob::new(path).map_err(|error| wrong(pattern, error))?);
            }
        }
        Ok(Self {
            excludes: set.build().map_err(|error| wrong("all together", error))?,
            left_out: HashSet::new(),
            symlinks: HashSet::new(),
            files: HashSet::new(),
            hasher: RandomState::new(),
        })
    }

    /// Judges the next member, and makes its paths clean.
    ///
    /// # Errors
    /// [`Error::Unsafe`] for what no image may hold.
    pub fn judge(&mut self, member: &mut Member) -> Result<Verdict, Error> {
        member.path = clean(&member.path).map_err(|why| harmful(&member.path, why))?;
        self.below_folders(&member.path)?;
        if let Some(verdict) = self.leave_out(member)? {
            self.left_out.insert(std::mem::take(&mut member.path));
            return Ok(verdict);
        }
        match member.kind {
            Kind::File => {
                self.files.insert(self.hasher.hash_one(&member.path));
                self.symlinks.remove(&member.path);
            }
            Kind::Symlink => self.symlink(member)?,
            Kind::HardLink => self.hard_link(member)?,
            Kind::Directory | Kind::Fifo | Kind::Device(_) => {
                self.symlinks.remove(&member.path);
            }
        }
        Ok(Verdict::Keep)
    }

    /// Unpacking follows links that it made itself: nothing may lie below one.
    fn below_folders(&self, path: &[u8]) -> Result<(), Error> {
        let below = |folder| self.symlinks.contains(folder);
        if folders(path).any(below) {
            Err(harmful(path, "it lies below a symbolic link"))
        } else {
            Ok(())
        }
    }

    fn leave_out(&self, member: &Member) -> Result<Option<Verdict>, Error> {
        let path = member.path.as_slice();
        let matches = |path: &[u8]| self.excludes.is_match(OsStr::from_bytes(path));
        if !self.excludes.is_empty() && (matches(path) || folders(path).any(matches)) {
            return Ok(Some(Verdict::Excluded));
        }
        match member.kind {
            Kind::Device(_) if path.starts_with(b"dev/") => Ok(Some(Verdict::Device)),
            Kind::Device(_) => Err(harmful(path, "it is the node of a device")),
            _ => Ok(None),
        }
    }

    fn symlink(&mut self, member: &Member) -> Result<(), Error> {
        let link = &member.link;
        if link.is_empty() || link.len() > PATH_BYTES || link.contains(&0) {
            return Err(harmful(&member.path, "it links to what is no path"));
        }
        self.symlinks.insert(member.path.clone());
        Ok(())
    }

    fn hard_link(&mut self, member: &mut Member) -> Result<(), Error> {
        let to = clean(&member.link).map_err(|why| {
            let why = format!("it is a hard link to {}: {why}", shown(&member.link));
            harmful(&member.path, &why)
        })?;
        if self.left_out.contains(&to) {
            let (path, to) = (member.shown(), shown(&to));
            return Err(Error::Wish(format!(
                "{path} is a hard link to {to}, which is excluded: exclude both, or none (tar_excludes)"
            )));
        }
        if !self.files.contains(&self.hasher.hash_one(&to)) && !self.symlinks.contains(&to) {
            let (path, to) = (member.shown(), shown(&to));
            return Err(malformed(&format!(
                "{path} is a hard link to {to}, which did not come before"
            )));
        }
        self.files.insert(self.hasher.hash_one(&member.path));
        member.link = to;
        Ok(())
    }
}

fn harmful(path: &[u8], why: &str) -> Error {
    Error::Unsafe { file: FILE, why: format!("member {}: {why}", shown(path)) }
}

/// The folders that a path lies in, the outermost first.
fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = path.iter().enumerate().filter(|(_at, byte)| **byte == b'/');
    ends.filter_map(|(at, _slash)| path.get(..at))
}

/// A path without `./` and doubled slashes; empty: the root.
fn clean(path: &[u8]) -> Result<Vec<u8>, &'static str> {
    if path.starts_with(b"/") {
        return Err("it is absolute");
    }
    if path.is_empty() || path.len() > PATH_BYTES || path.contains(&0) {
        return Err("it is no path");
    }
    let mut clean = Vec::with_capacity(path.len());
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => continue,
            b".." => return Err("it leads out of the root"),
            name if name.len() > NAME_BYTES => return Err("a name in it is too long"),
            name if name.starts_with(WHITEOUT) => {
                return Err("layers of containers take its name for a deletion (a whiteout)");
            }
            _ => {}
        }
        if !clean.is_empty() {
            clean.push(b'/');
        }
        clean.extend_from_slice(name);
    }
    Ok(clean)
}
