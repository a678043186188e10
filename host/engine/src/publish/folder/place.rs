//! The user's folder: every look at it and every change of it.
//!
//! All paths are opened below the folder itself (`openat2`, beneath): no link leads out of it, and no link is followed
//! where a file is written. What is written is whole or not there: a new file beside its place, brought to the disk, and
//! moved there by one rename. A file that is to be replaced is *exchanged*, and looked at afterwards: if it is not the
//! one that was expected, because somebody wrote it at this very moment, it is put back. All of it blocks.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat, Timespec, Timestamps,
    futimens, mkdirat, openat2, renameat_with, statat, syncfs, unlinkat,
};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use wharf_store::model::{AttachmentId, Digest, FileStamp, RelativePath};

use super::names::{self, NEW};

/// Bytes read at once.
const BLOCK: usize = 256 << 10;
/// How often a file is read that changes meanwhile.
const LOOKS: usize = 3;

/// The folder of one attachment.
pub(super) struct Place {
    root: File,
    /// What names of its new files begin with.
    prefix: String,
}

/// What stands at a place.
pub(super) enum Found {
    Nothing,
    File(File, FileStamp),
    /// A link, a folder, a device.
    Something(FileType),
}

/// A whole file beside its place.
pub(super) struct New {
    folder: OwnedFd,
    /// Its own name and the one that it is for.
    name: String,
    target: String,
    /// How it stands, but for the time of its last change, which moving it sets anew.
    pub(super) stamp: FileStamp,
}

/// Whether a file came to its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Moved {
    Yes,
    /// Something else stood there than was expected; it stands there still.
    Refused,
}

impl Place {
    /// The folder; made if it is not there and `make` says so.
    pub(super) fn open(path: &Path, attachment: AttachmentId, make: bool) -> io::Result<Self> {
        if make {
            std::fs::create_dir_all(path)?;
        }
        let root = File::open(path)?;
        if !root.metadata()?.is_dir() {
            return Err(Errno::NOTDIR.into());
        }
        Ok(Self { root, prefix: format!("{}{attachment}-", NEW.0) })
    }

    /// What stands at a place.
    pub(super) fn look(&self, local: &RelativePath) -> io::Result<Found> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        match openat2(&self.root, local.as_str(), flags, Mode::empty(), beneath()) {
            Ok(opened) => {
                let file = File::from(opened);
                let metadata = file.metadata()?;
                if metadata.is_file() {
                    let stamp = stamp_of(&metadata);
                    return Ok(Found::File(file, stamp));
                }
                Ok(Found::Something(FileType::from_raw_mode(metadata.mode())))
            }
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(Found::Nothing),
            Err(Errno::LOOP) => Ok(Found::Something(FileType::Symlink)),
            Err(Errno::NXIO) => Ok(Found::Something(FileType::Socket)),
            Err(error) => Err(error.into()),
        }
    }

    /// The bytes of a file, and how it stood when they were read; None: it would not stand still.
    pub(super) fn read(
        &self,
        local: &RelativePath,
        cancel: &CancellationToken,
    ) -> io::Result<Option<(Digest, FileStamp)>> {
        for _look in 0..LOOKS {
            let Found::File(mut file, before) = self.look(local)? else { return Ok(None) };
            let digest = digest(&mut file, cancel)?;
            if stamp_of(&file.metadata()?) == before {
                return Ok(Some((digest, before)));
            }
        }
        Ok(None)
    }

    /// Writes a file beside its place, with these bytes and this time.
    pub(super) fn write(
        &self,
        local: &RelativePath,
        mut from: File,
        digest: Digest,
        modified_ms: Option<i64>,
        cancel: &CancellationToken,
    ) -> io::Result<New> {
        let (folder, target) = self.parent(local)?;
        let mark = Digest(Sha256::digest(local.as_str()).into()).to_hex();
        let name = format!("{}{}{}", self.prefix, mark.get(..16).unwrap_or(&mark), NEW.1);
        ignore(&[Errno::NOENT], unlinkat(&folder, &*name, AtFlags::empty()))?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat2(&folder, &*name, flags, Mode::from_raw_mode(0o666), beneath())?;
        let (mut file, stamp) = (File::from(file), FileStamp::default());
        let mut new = New { folder, name, target: target.to_owned(), stamp };
        let written = copy(&mut from, &mut file, modified_ms, cancel);
        match written.and_then(|found| Ok((found, stamp_of(&file.metadata()?)))) {
            Ok((found, stamp)) if found == digest => {
                new.stamp = stamp;
                Ok(new)
            }
            other => {
                new.discard();
                Err(other.err().unwrap_or_else(|| {
                    io::Error::new(io::ErrorKind::InvalidData, "the stored bytes are damaged")
                }))
            }
        }
    }

    /// Brings everything that was written to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(syncfs(&self.root)?)
    }

    /// Takes a file away that stands as expected, and folders above it that are empty then.
    pub(super) fn remove(&self, local: &RelativePath, expected: FileStamp) -> io::Result<Moved> {
        let (folder, target) = self.parent(local)?;
        let name = format!("{}gone{}", self.prefix, NEW.1);
        ignore(&[Errno::NOENT], unlinkat(&folder, &*name, AtFlags::empty()))?;
        move_to_free(&folder, target, &name)?;
        if !stands(&folder, &name, expected)? {
            move_to_free(&folder, &name, target)?;
            return Ok(Moved::Refused);
        }
        unlinkat(&folder, &*name, AtFlags::empty())?;
        let mut above = local.as_str();
        while let Some((folder, _name)) = above.rsplit_once('/') {
            let (parent, name) = folder.rsplit_once('/').unwrap_or(("", folder));
            let Ok(parent) = self.folder(parent, false) else { break };
            if unlinkat(&parent, name, AtFlags::REMOVEDIR).is_err() {
                break;
            }
            above = folder;
        }
        Ok(Moved::Yes)
    }

    /// Takes away what a run that was cut off left beside places in these folders.
    pub(super) fn clean(&self, folders: &BTreeSet<String>) -> io::Result<()> {
        for folder in folders {
            let Ok(opened) = self.folder(folder, false) else { continue };
            for entry in Dir::read_from(&opened)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy();
                if name.starts_with(&self.prefix) && name.ends_with(NEW.1) {
                    ignore(
                        &[Errno::NOENT],
                        unlinkat(&opened, entry.file_name(), AtFlags::empty()),
                    )?;
                }
            }
        }
        Ok(())
    }

    /// The folder of a file, made if need be, and the file's name in it.
    fn parent<'a>(&self, local: &'a RelativePath) -> io::Result<(OwnedFd, &'a str)> {
        let text = local.as_str();
        let (folder, name) = text.rsplit_once('/').unwrap_or(("", text));
        Ok((self.folder(folder, true)?, name))
    }

    fn folder(&self, path: &str, make: bool) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = |path: &str| {
            let path = if path.is_empty() { "." } else { path };
            openat2(&self.root, path, flags, Mode::empty(), beneath())
        };
        match open(path) {
            Err(Errno::NOENT) if make => {
                let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
                let above = self.folder(above, true)?;
                ignore(&[Errno::EXIST], mkdirat(&above, name, Mode::from_raw_mode(0o777)))?;
                Ok(open(path)?)
            }
            opened => Ok(opened?),
        }
    }
}

impl New {
    /// Moves the file to its place, where nothing may stand.
    pub(super) fn put(&self) -> io::Result<Moved> {
        self.put_as(&self.target)
    }

    fn put_as(&self, target: &str) -> io::Result<Moved> {
        match move_to_free(&self.folder, &self.name, target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Moved::Refused),
            moved => moved.map(|()| Moved::Yes),
        }
    }

    /// Moves the file to its place, where a file stands as expected. None: whatever stands there, but no folder.
    pub(super) fn replace(&self, expected: Option<FileStamp>) -> io::Result<Moved> {
        let (folder, name, target) = (&self.folder, &*self.name, &*self.target);
        keep_mode(folder, target, name)?;
        let Some(expected) = expected else {
            renameat_with(folder, name, folder, target, RenameFlags::empty())?;
            return Ok(Moved::Yes);
        };
        match renameat_with(folder, name, folder, target, RenameFlags::EXCHANGE) {
            Ok(()) if stands(folder, name, expected)? => {
                unlinkat(folder, name, AtFlags::empty())?;
                Ok(Moved::Yes)
            }
            Ok(()) => {
                renameat_with(folder, name, folder, target, RenameFlags::EXCHANGE)?;
                Ok(Moved::Refused)
            }
            // A file system that cannot exchange: the last look comes before.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)
                if stands(folder, target, expected)? =>
            {
                renameat_with(folder, name, folder, target, RenameFlags::empty())?;
                Ok(Moved::Yes)
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::NOENT) => Ok(Moved::Refused),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves the file beside its place, under the name of its bytes. Says which; nothing that stands there is touched.
    pub(super) fn put_beside(&self, digest: Digest) -> io::Result<String> {
        let hex = digest.to_hex();
        let (stem, extension) = names::split(&self.target);
        let revision = hex.get(..8).unwrap_or(&hex);
        for number in 1..100 {
            let again = if number == 1 { String::new() } else { format!("-{number}") };
            let beside = format!("{stem}.remote-{revision}{again}{extension}");
            if self.put_as(&beside)? == Moved::Yes {
                return Ok(beside);
            }
            if self.holds(&beside, digest)? {
                self.discard();
                return Ok(beside);
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many copies lie beside it"))
    }

    fn holds(&self, name: &str, digest: Digest) -> io::Result<bool> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let Ok(file) = openat2(&self.folder, name, flags, Mode::empty(), beneath()) else {
            return Ok(false);
        };
        let mut file = File::from(file);
        Ok(file.metadata()?.is_file()
            && self::digest(&mut file, &CancellationToken::new())? == digest)
    }

    /// Takes the file away again; what cannot be taken away is found by the next run.
    pub(super) fn discard(&self) {
        unlinkat(&self.folder, &*self.name, AtFlags::empty()).ok();
    }
}

/// Links may lead anywhere below the folder, and not out of it.
fn beneath() -> ResolveFlags {
    ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS
}

fn ignore(expected: &[Errno], result: Result<(), Errno>) -> io::Result<()> {
    match result {
        Err(error) if expected.contains(&error) => Ok(()),
        other => Ok(other?),
    }
}

/// Renames; fails when something stands there. Where the file system cannot promise that, it is looked first.
fn move_to_free(folder: &OwnedFd, from: &str, to: &str) -> io::Result<()> {
    match renameat_with(folder, from, folder, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            match statat(folder, to, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => {
                    Ok(renameat_with(folder, from, folder, to, RenameFlags::empty())?)
                }
                Ok(_there) => Err(Errno::EXIST.into()),
                Err(error) => Err(error.into()),
            }
        }
        other => Ok(other?),
    }
}

/// Whether a file has the size, time and number that are expected. A rename changes nothing of these.
fn stands(folder: &OwnedFd, name: &str, expected: FileStamp) -> io::Result<bool> {
    let found = stamp(&statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?);
    let same = |stamp: FileStamp| (stamp.size, stamp.modified_ns, stamp.inode);
    Ok(same(found) == same(expected))
}

/// What replaces a file has its rights.
fn keep_mode(folder: &OwnedFd, from: &str, to: &str) -> io::Result<()> {
    let Ok(stat) = statat(folder, from, AtFlags::SYMLINK_NOFOLLOW) else { return Ok(()) };
    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
        let file = openat2(folder, to, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty(), beneath())?;
        let rights = std::fs::Permissions::from_mode(stat.st_mode & 0o777);
        File::from(file).set_permissions(rights)?;
    }
    Ok(())
}

fn copy(
    from: &mut File,
    to: &mut File,
    modified_ms: Option<i64>,
    cancel: &CancellationToken,
) -> io::Result<Digest> {
    use io::Write as _;
    let mut hasher = Sha256::new();
    blocks(from, cancel, |block| {
        hasher.update(block);
        to.write_all(block)
    })?;
    if let Some(ms) = modified_ms {
        let time =
            Timespec { tv_sec: ms.div_euclid(1_000), tv_nsec: ms.rem_euclid(1_000) * 1_000_000 };
        futimens(to.as_fd(), &Timestamps { last_access: time, last_modification: time })?;
    }
    Ok(Digest(hasher.finalize().into()))
}

fn digest(file: &mut File, cancel: &CancellationToken) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    blocks(file, cancel, |block| {
        hasher.update(block);
        Ok(())
    })?;
    Ok(Digest(hasher.finalize().into()))
}

fn blocks(
    from: &mut File,
    cancel: &CancellationToken,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    use io::Read as _;
    let mut block = vec![0; BLOCK];
    loop {
        if cancel.is_cancelled() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match from.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(length) => take(block.get(..length).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn stamp_of(metadata: &std::fs::Metadata) -> FileStamp {
    let ns = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000).saturating_add(ns);
    FileStamp {
        size: metadata.size(),
        modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
        changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino(),
    }
}

#[allow(
    clippy::cast_possible_wrap,
    reason = "the types of these fields differ between architectures"
)]
fn stamp(stat: &Stat) -> FileStamp {
    let ns = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000).saturating_add(ns);
    FileStamp {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified_ns: ns(stat.st_mtime, stat.st_mtime_nsec as i64),
        changed_ns: ns(stat.st_ctime, stat.st_ctime_nsec as i64),
        inode: stat.st_ino,
    }
}
