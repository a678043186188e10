//! From the compressed archive of a base image to the plain one of a target.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tar::Builder;

use super::reader::{read_error, too_many};
use super::rules::{Rules, Verdict};
use super::{Reader, writer};
use crate::Error;

/// The window of zstd, as a power of two: what its own decoder takes by default.
const ZSTD_WINDOW_LOG: u32 = 27;
/// Bytes that are read at a time.
const READ_BYTES: usize = 256 << 10;

/// What the work on another thread is told and tells: whether to stop, and how far it is.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    passed: Arc<AtomicU64>,
}

impl Watch {
    /// Asks the work to stop; it does so within a block of bytes.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Bytes that were done.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A reader or writer that counts what passes, and fails once a stop is wanted.
#[derive(Debug)]
pub struct Watched<R> {
    inner: R,
    watch: Watch,
}

impl<R> Watched<R> {
    /// Counts what passes through `inner`.
    pub fn new(inner: R, watch: &Watch) -> Self {
        Self { inner, watch: watch.clone() }
    }
}

impl Watch {
    fn count(&self, bytes: usize) -> io::Result<()> {
        self.passed.fetch_add(u64::try_from(bytes).unwrap_or(0), Ordering::Relaxed);
        // Interrupted would be tried again.
        if self.is_stopped() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.watch.count(read)?;
        Ok(read)
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.watch.count(bytes.len())?;
        self.inner.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// What is allowed, and what is changed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that the archive may unpack to.
    pub unpacked: u64,
    /// Members that it may have.
    pub members: u64,
    /// No member is younger than this, in seconds since 1970.
    pub newest: Option<u64>,
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Members of the new archive.
    pub members: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Nodes of devices that were left out.
    pub devices: u64,
    /// Members that a pattern excluded.
    pub excluded: u64,
    /// The time of the youngest member, in seconds since 1970.
    pub newest: u64,
}

/// Reads a zstd-compressed archive to its end, and writes the checked one.
///
/// # Errors
/// [`Error::Malformed`], [`Error::Unsafe`] and [`Error::Limit`] about the input, [`Error::Wish`] about `rules`,
/// [`Error::Io`] about the output, [`Error::Cancelled`].
pub fn copy(
    input: impl Read,
    output: impl Write,
    mut rules: Rules,
    limits: Limits,
    watch: &Watch,
) -> Result<Copied, Error> {
    let input = BufReader::with_capacity(READ_BYTES, Watched::new(input, watch));
    let copied = unpack(input, limits.unpacked)
        .and_then(|plain| copy_plain(plain, output, &mut rules, limits));
    if watch.is_stopped() { Err(Error::Cancelled) } else { copied }
}

fn unpack<R: BufRead>(input: R, most: u64) -> Result<Limited<impl Read>, Error> {
    let mut inner = zstd::stream::read::Decoder::with_buffer(input).map_err(read_error)?;
    inner.window_log_max(ZSTD_WINDOW_LOG).map_err(read_error)?;
    Ok(Limited { inner, limit: most, left: most })
}

/// As [`copy`], of an archive that is not compressed.
///
/// # Errors
/// As [`copy`].
pub fn copy_plain(
    input: impl Read,
    output: impl Write,
    rules: &mut Rules,
    limits: Limits,
) -> Result<Copied, Error> {
    let mut reader = Reader::new(input, limits.members);
    let mut archive = Builder::new(output);
    let mut copied = Copied::default();
    while let Some(mut member) = reader.next()? {
        match rules.judge(&mut member)? {
            Verdict::Device => copied.devices += 1,
            Verdict::Excluded => copied.excluded += 1,
            Verdict::Keep => {
                copied.members += 1;
                if copied.members > limits.members {
                    return Err(too_many(limits.members));
                }
                member.mtime =
                    limits.newest.map_or(member.mtime, |newest| member.mtime.min(newest));
                copied.newest = copied.newest.max(member.mtime);
                copied.bytes += member.size;
                let mut data = Told { inner: reader.data(), failed: None };
                let written = writer::write(&mut archive, &member, &mut data);
                if let Some(error) = data.failed {
                    return Err(read_error(error));
                }
                written.map_err(Error::io("writing the image"))?;
            }
        }
    }
    let written = archive.into_inner().and_then(|mut output| output.flush());
    written.map_err(Error::io("writing the image"))?;
    Ok(copied)
}

/// Gives no more than was allowed, and stops when it is to.
struct Limited<R> {
    inner: R,
    limit: u64,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, format!("{} bytes", self.limit))
        })?;
        Ok(read)
    }
}

/// Remembers that it was reading that failed, not writing.
struct Told<R> {
    inner: R,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Told<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            kind.into()
        })
    }
}
