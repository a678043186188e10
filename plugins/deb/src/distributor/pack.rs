//! From spooled lists to published indexes: joined, hashed and compressed, off the runtime.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;
use wharf_sdk::Error;

use crate::names;
use crate::unpack::Compression;

/// Compressors at work at once: each has a core to itself and some 100 MiB at most.
const AT_WORK: usize = 4;

/// Small enough, and fast: what a mirror of packages gains is little beyond.
const ZSTD_LEVEL: i32 = 9;

/// A file to be made.
pub(super) struct Plan {
    /// From the distribution's folder: `main/binary-amd64/Packages`.
    pub(super) path: String,
    /// What it consists of.
    pub(super) parts: Vec<PathBuf>,
}

/// A file that was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Made {
    /// From the distribution's folder.
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) sha256: String,
    /// Its name in the work folder.
    pub(super) staged: String,
    /// Whether it is published, or listed only.
    pub(super) published: bool,
}

/// How files are made.
#[derive(Clone, Debug)]
pub(super) struct How {
    pub(super) plain: bool,
    pub(super) packed: Vec<Compression>,
    pub(super) xz_preset: u32,
    /// What the names of files in the work folder begin with.
    pub(super) stem: String,
}

/// Makes all files, each plain and in every compression; sorted by path.
pub(super) async fn all(plans: Vec<Plan>, how: &How, work: &Path) -> Result<Vec<Made>, Error> {
    let mut made = Vec::new();
    let mut jobs: JoinSet<io::Result<Made>> = JoinSet::new();
    for (number, plan) in plans.into_iter().enumerate() {
        let staged = format!("{}-{number}", how.stem);
        let (name, folder, published) = (staged.clone(), work.to_owned(), how.plain);
        let joined = tokio::task::spawn_blocking(move || join(&plan, &folder, name, published));
        let plain = joined.await.map_err(|error| ended(&error))?.map_err(|error| failed(&error))?;
        for compression in how.packed.iter().copied() {
            while jobs.len() >= AT_WORK {
                made.extend(next(&mut jobs).await?);
            }
            let (plain, folder, preset) = (plain.clone(), work.to_owned(), how.xz_preset);
            jobs.spawn_blocking(move || pack(&plain, &folder, compression, preset));
        }
        made.push(plain);
    }
    while !jobs.is_empty() {
        made.extend(next(&mut jobs).await?);
    }
    made.sort();
    Ok(made)
}

async fn next(jobs: &mut JoinSet<io::Result<Made>>) -> Result<Option<Made>, Error> {
    match jobs.join_next().await {
        None => Ok(None),
        Some(done) => {
            done.map_err(|error| ended(&error))?.map(Some).map_err(|error| failed(&error))
        }
    }
}

fn ended(error: &tokio::task::JoinError) -> Error {
    Error::fault("internal.thread", "the writer of an index ended").caused_by(error)
}

fn failed(error: &io::Error) -> Error {
    let message = "an index cannot be written to the job's folder";
    Error::operation("storage.staged", message).caused_by(error).retryable()
}

fn join(plan: &Plan, work: &Path, staged: String, published: bool) -> io::Result<Made> {
    let mut sink = Sink::create(&work.join(&staged))?;
    for part in &plan.parts {
        io::copy(&mut BufReader::with_capacity(256 << 10, File::open(part)?), &mut sink)?;
    }
    sink.finish(plan.path.clone(), staged, published)
}

fn pack(plain: &Made, work: &Path, compression: Compression, preset: u32) -> io::Result<Made> {
    let staged = format!("{}{}", plain.staged, compression.suffix());
    let mut input = BufReader::with_capacity(256 << 10, File::open(work.join(&plain.staged))?);
    let sink = Sink::create(&work.join(&staged))?;
    let sink = match compression {
        Compression::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(sink, preset);
            io::copy(&mut input, &mut encoder)?;
            encoder.finish()?
        }
        Compression::Zst => {
            let mut encoder = zstd::stream::write::Encoder::new(sink, ZSTD_LEVEL)?;
            io::copy(&mut input, &mut encoder)?;
            encoder.finish()?
        }
        // Without a name and a time: equal content gives equal bytes.
        Compression::Gz | Compression::None => {
            let mut encoder = flate2::write::GzEncoder::new(sink, flate2::Compression::default());
            io::copy(&mut input, &mut encoder)?;
            encoder.finish()?
        }
    };
    sink.finish(format!("{}{}", plain.path, compression.suffix()), staged, true)
}

/// A file that is hashed and counted while it is written.
struct Sink {
    file: BufWriter<File>,
    sum: Sha256,
    size: u64,
}

impl Sink {
    fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::with_capacity(64 << 10, File::create_new(path)?);
        Ok(Self { file, sum: Sha256::new(), size: 0 })
    }

    fn finish(mut self, path: String, staged: String, published: bool) -> io::Result<Made> {
        self.file.flush()?;
        let sha256 = names::digits(&self.sum.finalize());
        Ok(Made { path, size: self.size, sha256, staged, published })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.sum.update(bytes);
        self.size += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
