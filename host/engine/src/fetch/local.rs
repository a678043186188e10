//! Local files: opened beneath a folder that the attachment names, and nowhere else.
//!
//! The kernel resolves the path (`openat2` with `RESOLVE_BENEATH`), so symbolic links work inside the folder and
//! cannot lead out of it, whatever is renamed meanwhile. Only plain files are read.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use rustix::{
    fs::{FileType, Mode, OFlags, ResolveFlags, Stat, fstat, open, openat2},
    io::Errno,
};
use tokio_util::sync::CancellationToken;
use wharf_store::model::Digest;

use super::{
    Done, Error, Follow, Meter, Request, Trust,
    sink::SMALL,
    target::{Target, discard, write_small},
    transfer::Landed,
    trust::{decoded, file_path},
    verify::Expected,
};

/// The copying of one local file; runs on the blocking pool.
pub(super) struct Copy {
    path: PathBuf,
    url: String,
    trust: Arc<Trust>,
    target: PathBuf,
    expected: Expected,
    etag: Option<String>,
    follow: Option<Follow>,
    cancel: CancellationToken,
    meter: Meter,
}

impl Copy {
    /// `None` when the request has no local source at that place.
    pub(super) fn new(
        request: &Request,
        place: usize,
        expected: &Expected,
        cancel: &CancellationToken,
        meter: &Meter,
    ) -> Option<Self> {
        let url = request.sources.get(place)?.url.clone();
        Some(Self {
            path: file_path(&url)?,
            url,
            trust: Arc::clone(&request.trust),
            target: request.target.clone(),
            expected: expected.clone(),
            etag: request.validators.etag.clone(),
            follow: request.follow.clone(),
            cancel: cancel.clone(),
            meter: meter.clone(),
        })
    }

    /// Opens, copies, verifies.
    pub(super) fn run(self) -> Result<Landed, Error> {
        self.meter.add_request();
        let mut file = open_trusted(&self.path, &self.trust)?;
        let before = self.stat(&file)?;
        let etag = etag(&before, SystemTime::now());
        if etag.is_some() && etag == self.etag {
            return Ok(Landed::NotModified);
        }
        let size = u64::try_from(before.st_size).unwrap_or(0);
        self.expected.admit(&self.url, size)?;
        let copied =
            if size <= SMALL as u64 { self.small(&mut file) } else { self.large(&mut file, size) };
        let (sha256, bytes) = copied
            .and_then(|copied| {
                let unchanged = same(&before, &self.stat(&file)?);
                if unchanged { Ok(copied) } else { Err(Error::Changed { path: self.path.clone() }) }
            })
            .inspect_err(|_| discard(&self.target))?;
        Ok(Landed::File(Done {
            sha256,
            size: bytes,
            etag,
            last_modified: None,
            final_url: self.url,
            media_type: None,
        }))
    }

    fn small(&self, file: &mut File) -> Result<(Digest, u64), Error> {
        let mut bytes = Vec::with_capacity(SMALL.min(16 * 1024));
        file.take(SMALL as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.unreadable(error))?;
        let size = bytes.len() as u64;
        if size > SMALL as u64 {
            return Err(Error::Changed { path: self.path.clone() });
        }
        self.meter.add_bytes(bytes.len());
        let mut sums = self.expected.sums();
        sums.update(&bytes);
        let sha256 = self.expected.verify(&self.url, sums, size)?;
        write_small(&self.target, &[Bytes::from(bytes)], self.follow.as_ref())?;
        Ok((sha256, size))
    }

    fn large(&self, file: &mut File, size: u64) -> Result<(Digest, u64), Error> {
        let unwritable = |source| Error::Storage { path: self.target.clone(), source };
        let mut target =
            Target::create(&self.target, self.expected.sums(), None).map_err(unwritable)?;
        if let Some(follow) = &self.follow {
            target.announce(follow, Some(size), None);
        }
        let mut buffer = vec![0; 1 << 20];
        loop {
            if self.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let count = file.read(&mut buffer).map_err(|error| self.unreadable(error))?;
            let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
            self.meter.add_bytes(count);
            self.expected.admit_so_far(&self.url, target.bytes + count as u64)?;
            target.add(piece).map_err(unwritable)?;
            if let Some(follow) = &self.follow {
                follow.written(target.bytes);
            }
        }
        let bytes = target.bytes;
        Ok((self.expected.verify(&self.url, target.sums, bytes)?, bytes))
    }

    fn stat(&self, file: &File) -> Result<Stat, Error> {
        fstat(file).map_err(|error| self.unreadable(error.into()))
    }

    fn unreadable(&self, source: io::Error) -> Error {
        Error::Read { path: self.path.clone(), source }
    }
}

/// Opens a plain file beneath one of the trusted folders.
fn open_trusted(path: &Path, trust: &Trust) -> Result<File, Error> {
    match open_as_written(path, trust) {
        // An address may be percent-encoded or not; as written comes first.
        Err(Error::Read { path: missing, source }) if source.kind() == io::ErrorKind::NotFound => {
            let plain = decoded(path);
            if plain == path {
                return Err(Error::Read { path: missing, source });
            }
            open_as_written(&plain, trust)
        }
        opened => opened,
    }
}

fn open_as_written(path: &Path, trust: &Trust) -> Result<File, Error> {
    let refused =
        |reason: &str| Error::LocalRefused { path: path.to_owned(), reason: reason.to_owned() };
    let beneath = trust
        .folders()
        .iter()
        .filter_map(|folder| Some((folder, path.strip_prefix(folder).ok()?)))
        .max_by_key(|(folder, _)| folder.as_os_str().len());
    let (folder, inner) =
        beneath.ok_or_else(|| refused("it lies in no folder that the attachment names"))?;
    let unreadable =
        |path: &Path, error: Errno| Error::Read { path: path.to_owned(), source: error.into() };
    let root: OwnedFd =
        open(folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| unreadable(folder, error))?;
    // Without O_NONBLOCK opening a named pipe would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let file =
        openat2(&root, inner, flags, Mode::empty(), resolve).map_err(|error| match error {
            Errno::XDEV | Errno::LOOP => {
                refused("a link leads out of the folder that the attachment names")
            }
            Errno::NXIO => refused("it is no plain file"),
            error => unreadable(path, error),
        })?;
    let stat = fstat(&file).map_err(|error| unreadable(path, error))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(File::from(file)),
        FileType::Directory => Err(refused("it is a folder")),
        _ => Err(refused("it is no plain file")),
    }
}

fn same(before: &Stat, after: &Stat) -> bool {
    let marks = |stat: &Stat| {
        (stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec)
    };
    marks(before) == marks(after)
}

/// A validator of a local file; none while it is so young that a change might leave its time as it is.
fn etag(stat: &Stat, now: SystemTime) -> Option<String> {
    let seconds = u64::try_from(stat.st_mtime).ok()?;
    let nanos = u32::try_from(stat.st_mtime_nsec).ok()?;
    // File systems with coarse times show whole seconds; others follow the kernel's tick.
    let grain = if nanos == 0 { Duration::from_secs(2) } else { Duration::from_millis(20) };
    let changed = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
    let settled = now.duration_since(changed).is_ok_and(|age| age > grain);
    settled.then(|| {
        format!("\"{:x}-{:x}-{:x}\"", stat.st_ino, stat.st_size, changed_nanos(seconds, nanos))
    })
}

fn changed_nanos(seconds: u64, nanos: u32) -> u128 {
    Duration::new(seconds, nanos).as_nanos()
}
